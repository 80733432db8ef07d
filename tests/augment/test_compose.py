"""Entries that hold entries: in recipes, from Python, and as torch modules."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn

from seisloom.augment import modules
from seisloom.augment.amplitude import AmplitudeScale, Gain, PolarityFlip
from seisloom.augment.augmentation import augment, leaves
from seisloom.augment.batch import Batch
from seisloom.augment.compose import Compose, OneOf, RandomApply, SomeOf
from seisloom.augment.examples import trace_batch
from seisloom.augment.noise import AddNoise
from seisloom.augment.time import TimeShift, TimeStretch
from seisloom.errors import RecipeError
from seisloom.recipe import read_recipe, recipe_from

SEED_CHAIN = [
    RandomApply(TimeShift(max_shift=0.1), p=0.5),
    RandomApply(AddNoise(snr_min=15, snr_max=40), p=0.5),
    RandomApply(AmplitudeScale(0.9, 1.1), p=0.3),
    RandomApply(TimeStretch(0.95, 1.05), p=0.3),
]


def many(n: int) -> Batch:
    one = trace_batch(n_item=1, n_time=64)
    arrays = {name: x.expand(n, *x.shape[1:]).contiguous() for name, x in one.arrays.items()}
    return Batch(arrays, tuple(f"k{i}" for i in range(n)), one.schema)


def shares(entries: list[object], n: int = 1500) -> dict[str, float]:
    """Return how often each place acted."""
    _, drawn = augment(many(n), entries, seed=0)  # type: ignore[arg-type]
    places = [{key.split(".factor")[0] for key in row} for row in drawn]
    found = sorted(set().union(*places))
    return {name: sum(name in row for row in places) / n for name in found}


def scale(**more: float) -> AmplitudeScale:
    return AmplitudeScale(0.5, 2.0, **more)


def test_probabilities_multiply_and_members_act_as_often_as_asked() -> None:
    room = 4 * (0.25 / 1500) ** 0.5
    found = shares([RandomApply(scale(p=0.5), p=0.6), OneOf([scale(), scale()], weights=(3, 1), p=0.8),
                    SomeOf([scale(), scale(), scale()], low=1, high=2)])  # fmt: skip
    expected = {
        "0.0.amplitude_scale": 0.3, "1.0.amplitude_scale": 0.6, "1.1.amplitude_scale": 0.2,
        **{f"2.{k}.amplitude_scale": 0.5 for k in range(3)},
    }  # fmt: skip
    assert found.keys() == expected.keys()
    for name, share in expected.items():
        assert abs(found[name] - share) < room


def test_one_of_takes_one_and_some_of_its_number() -> None:
    _, drawn = augment(many(100), [OneOf([scale(), scale()])], seed=0)
    assert {len(row) for row in drawn} == {1}
    _, drawn = augment(many(100), [SomeOf([scale(), scale(), scale()], low=2, high=2)], seed=0)
    assert {len(row) for row in drawn} == {2}


def test_compose_is_the_list_of_its_members_up_to_draws() -> None:
    batch = trace_batch()
    together, _ = augment(batch, [Compose([AmplitudeScale(2.0, 2.0), PolarityFlip(gather=1, trace=0)])], seed=0)
    assert torch.allclose(together.arrays["x"], -2 * batch.arrays["x"])
    nothing, _ = augment(batch, [Compose([Gain()], p=0.0)], seed=0)
    assert torch.equal(nothing.arrays["x"], batch.arrays["x"])


def test_maps_in_different_entries_are_still_one() -> None:
    batch = trace_batch()
    entries = [Compose([TimeStretch(0.9, 0.9)]), RandomApply(TimeStretch(1 / 0.9, 1 / 0.9), p=1.0)]
    changed, _ = augment(batch, entries, seed=0)
    assert torch.equal(changed.arrays["x"], batch.arrays["x"])


def test_members_of_one_entry_draw_apart() -> None:
    _, drawn = augment(many(5), [Compose([Compose([scale(), scale()]), scale()])], seed=0)
    assert all(len(set(row.values())) == 3 for row in drawn)
    assert set(drawn[0]) == {f"0.{place}.amplitude_scale.factor" for place in ("0.0", "0.1", "1")}


def test_a_recipe_holds_entries_in_entries_and_survives_yaml() -> None:
    text = (
        "augment=[{name: compose, entries: [{name: random_apply, entry: {name: time_shift, max_shift: 0.1}}, gain]},"
        " {name: some_of, entries: [clip, {name: add_noise, snr_min: 15, snr_max: 40}], high: 1}]"
    )
    recipe = read_recipe("picking", [text])
    places = dict(leaves(recipe.augment))
    assert [*places] == ["0.0.0", "0.1", "1.0", "1.1"]
    assert places["0.0.0"] == TimeShift(max_shift=0.1)
    import yaml

    assert recipe_from(yaml.safe_load(recipe.to_yaml())) == recipe
    assert type(recipe).model_json_schema()["properties"]["augment"]


@pytest.mark.parametrize(
    ("augment", "says"),
    [
        ("[{name: compose, entries: [gian]}]", "did you mean 'gain'"),
        ("[{name: random_apply, entry: {name: gain, spraed: 1}}]", "spraed: unknown key"),
        ("[{name: one_of, entries: [gain], weights: [1, 2]}]", "as many weights"),
        ("[{name: some_of, entries: [gain], high: 2}]", "must lie in 0 to 1"),
        ("[{name: compose}]", "entries"),
    ],
)
def test_a_mistake_inside_of_an_entry_is_named(augment: str, says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        read_recipe("picking", [f"augment={augment}"])


# --- modules


def test_the_pipeline_of_a_script_runs_as_it_is_written() -> None:
    from seisloom.augment.modules import (
        AddNoise,
        AmplitudeScale,
        Compose,
        FFTTransform,
        RandomApply,
        TimeShift,
        TimeStretch,
        ToTensor,
    )

    train_transform = nn.Sequential(
        Compose([
            RandomApply(TimeShift(max_shift=0.1), p=0.5),
            RandomApply(AddNoise(snr_min=15, snr_max=40), p=0.5),
            RandomApply(AmplitudeScale(0.9, 1.1), p=0.3),
            RandomApply(TimeStretch(0.95, 1.05), p=0.3),
        ]),
        FFTTransform(fft_size=512),
        ToTensor(),
    )  # fmt: skip
    x = np.random.default_rng(0).normal(size=(6000, 3))
    found = train_transform(x)
    assert found.shape == (257, 3)
    assert found.dtype == torch.float32
    assert torch.isfinite(found).all()
    others = [train_transform(x) for _ in range(8)]
    assert any(not torch.equal(found, one) for one in others)
    quiet = train_transform.eval()
    assert torch.equal(quiet(x), quiet(x))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_record_with_a_key_is_changed_the_same_wherever_it_is(kind: type) -> None:
    x = np.random.default_rng(0).normal(size=(500, 3)).astype(kind)
    first, second = (modules.Compose(SEED_CHAIN, seed=3) for _ in range(2))
    second(x, "another")
    changed = [first(x, f"key-{k}") for k in range(12)]
    assert all(np.array_equal(one, second(x, f"key-{k}")) for k, one in enumerate(changed))
    assert len({one.tobytes() for one in changed}) > 8
    assert changed[0].dtype == kind
    as_tensor = first(torch.from_numpy(x), "key-1")
    assert np.array_equal(as_tensor.numpy(), changed[1])
    first.set_epoch(1)
    assert any(not np.array_equal(one, first(x, f"key-{k}")) for k, one in enumerate(changed))
    # What a batch of the loader gets for the same key, seed and epoch
    batch = Batch(
        {"x": torch.from_numpy(x.astype(np.float32)).T[None].contiguous()}, ("key-1",), modules.RECORD
    )  # fmt: skip
    expected, _ = augment(batch, [Compose(SEED_CHAIN)], seed=3)
    np.testing.assert_array_equal(expected.arrays["x"][0].T.numpy(), changed[1].astype(np.float32))


def test_what_a_module_cannot_take_is_said() -> None:
    with pytest.raises(ValueError, match=r"shape \(time, channel\)"):
        modules.Compose([Gain()])(np.zeros((2, 3, 4)))
    with pytest.raises(ValueError, match="no field `fs`"):
        modules.RandomApply(TimeShift(max_shift_s=0.1), p=1.0)(np.zeros((50, 3)))
    shifted = modules.RandomApply(TimeShift(max_shift_s=0.1), p=1.0, fs_hz=100.0)(np.ones((50, 3)))
    assert shifted.shape == (50, 3)
    with pytest.raises(ValidationError):
        modules.OneOf([])
