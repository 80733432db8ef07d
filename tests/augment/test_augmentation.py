"""Augmentations: draws keyed by the sample, labels that follow their feature, time maps that compose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter
from torch.utils.data import DataLoader, Dataset

from seisloom import plugins
from seisloom.augment.amplitude import Clip, Gain, PolarityFlip
from seisloom.augment.augmentation import Augmentation, Kind, augment, generator
from seisloom.augment.batch import Batch
from seisloom.augment.examples import gather_batch
from seisloom.augment.gather import Forget, TraceDropout, TraceFlip
from seisloom.augment.noise import AddNoise
from seisloom.augment.resample import map_axes, map_time, roll_axis
from seisloom.augment.time import TimeShift, TimeStretch
from seisloom.augment.volume import Flip
from seisloom.sample import Field, Schema
from seisloom.tasks.picking.recipe import ITEM
from seisloom.testing import check_augmentation, check_distinct

EVERY = plugins.names("augmentations")
SETTINGS = {
    "compose": {"entries": ["time_stretch", "gain"]},
    "random_apply": {"entry": {"name": "time_shift", "max_shift": 0.1}},
    "one_of": {"entries": ["time_warp", "gap"]},
    "some_of": {"entries": ["clip", "add_noise", "time_shift"], "high": 2},
    # As strong as they are by default, these drown the features that the check looks for
    "blended": {"low_db": -20, "high_db": -12},
    "linear_noise": {"low_db": -20, "high_db": -12},
    "swell_noise": {"low_db": -10, "high_db": -6},
    "mix_up": {"alpha": 0.02},
    "array_noise": {"low_m": 150, "high_m": 300, "n_receivers": 96},
}
"""Fields that entries need, or that the check needs of them."""


def entry_of(name: str, **more: object) -> Augmentation:
    entry: Augmentation = plugins.load("augmentations", name)(name=name, **SETTINGS.get(name, {}), **more)
    return entry


FS_HZ = 1000.0


def spikes(n_item: int = 6, n_trace: int = 4, n_time: int = 200, *, epoch: int = 0, width: float = 3.0) -> Batch:
    """A batch with a Gaussian bump of height 1 at each pick; the last trace of each item is unpicked."""
    rng = np.random.default_rng(0)
    y = rng.uniform(60, 140, (n_item, n_trace)).astype(np.float32)
    x = np.exp(-0.5 * ((np.arange(n_time) - y[..., None]) / width) ** 2).astype(np.float32)
    has = np.ones((n_item, n_trace), dtype=np.int8)
    has[:, -1], y[:, -1], x[:, -1] = -1, -1, 0
    arrays = {
        "x": x[:, :, None], "has_pick": has, "y_idx": y, "fs": np.full(n_item, FS_HZ, np.float32),
        "t0_s": np.full((n_item, n_trace), -0.02, np.float32),
        "offset_m": rng.uniform(1, 9, y.shape).astype(np.float32),
    }  # fmt: skip
    keys = tuple(f"item-{k}" for k in range(n_item))
    return Batch({name: torch.from_numpy(one) for name, one in arrays.items()}, keys, ITEM, epoch)


def rows(batch: Batch, chosen: list[int]) -> Batch:
    return replace(
        batch, arrays={name: one[chosen] for name, one in batch.arrays.items()},
        keys=tuple(batch.keys[k] for k in chosen),
    )  # fmt: skip


def equal(a: Batch, b: Batch) -> bool:
    return all(torch.equal(a.arrays[k].nan_to_num(-99), b.arrays[k].nan_to_num(-99)) for k in a.arrays)


@pytest.mark.parametrize("name", EVERY)
def test_every_augmentation_keeps_the_contract(name: str) -> None:
    check_augmentation(entry_of(name))


def test_no_two_augmentations_do_the_same() -> None:
    # Of entries that hold others the outcome is that of what they hold
    check_distinct([entry_of(name) for name in EVERY if "entries" not in SETTINGS.get(name, {})])


def test_an_augmentation_under_a_second_name_does_not_pass() -> None:
    with pytest.raises(AssertionError, match="gain and mine do the same"):
        check_distinct([Gain(), Gain(name="mine")])


class SecondThoughts(TimeStretch):
    """Stretch, and stretch back: what is called a stretch and leaves every tone at its frequency."""

    def apply(self, batch: Batch, draws: dict[str, np.ndarray]) -> Batch:
        there = map_time(batch, 1 / draws["factor"], np.zeros(len(batch)))
        return batch.with_arrays(x=map_time(there, draws["factor"], np.zeros(len(batch))).arrays["x"])


class Nothing(Gain):
    """Draw a factor, and forget it."""

    def apply(self, batch: Batch, draws: dict[str, np.ndarray]) -> Batch:
        return batch


class Stuck(Gain):
    """Draw the same for good."""

    def draw(self, lengths: object, rows: Sequence[np.random.Generator]) -> dict[str, np.ndarray]:
        return {"factor": np.full((len(rows), 6), 2.0)}


class Mirror(PolarityFlip):
    """Turn signs, and say nothing of spectra."""


class Delay(Augmentation):
    """Shift circularly, labels and all, and say nothing of spectra."""

    name: str = "delay"

    def draw(self, lengths: object, rows: Sequence[np.random.Generator]) -> dict[str, np.ndarray]:
        return {"n": np.array([row.integers(1, 20) for row in rows])}

    def apply(self, batch: Batch, draws: dict[str, np.ndarray]) -> Batch:
        return roll_axis(batch, "time", draws["n"])


class Backwards(Flip):
    """Mirror a cube, and leave strike as it was."""

    def apply(self, batch: Batch, draws: dict[str, np.ndarray]) -> Batch:
        moved = super().apply(batch, draws)
        keep = {name: map_axes(batch.with_arrays(dip=0 * batch.arrays["dip"]), self.axis_maps(batch, draws))
                for name in ("strike",)}  # fmt: skip
        return moved.with_arrays(strike=keep["strike"].arrays["strike"] * 0 + 90)

    @property
    def is_affine(self) -> bool:
        return False


class Slides(Augmentation):
    """Move a panel along velocity, and leave its curves."""

    kind: ClassVar[Kind] = "spectrum"
    name: str = "slides"

    def draw(self, lengths: object, rows: Sequence[np.random.Generator]) -> dict[str, np.ndarray]:
        return {"n": np.array([row.integers(6, 9) for row in rows])}

    def apply(self, batch: Batch, draws: dict[str, np.ndarray]) -> Batch:
        rolled = [one.roll(int(n), dims=1) for one, n in zip(batch.arrays["x"], draws["n"], strict=True)]
        return batch.with_arrays(x=torch.stack(rolled))


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (Nothing(), "changes nothing"), (Stuck(), "draws the same"), (Mirror(), "let its docstring say"),
        (Delay(), "let its docstring say"), (Backwards(), "dip and strike say"), (Slides(), "its curve says"),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_does_nothing_or_leaves_labels_behind_does_not_pass(entry: Augmentation, says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        check_augmentation(entry)


class Epoch(Dataset[Batch]):
    """Batches of one example, augmented where they are read."""

    def __init__(self, entries: list[Augmentation]) -> None:
        self.entries = entries

    def __len__(self) -> int:
        return 5

    def __getitem__(self, number: int) -> Batch:
        torch.set_num_threads(1)
        one = gather_batch(epoch=2).rows([number])
        return augment(one, self.entries, seed=4)[0]


@pytest.mark.parametrize("num_workers", [0, 1, 4])
def test_any_number_of_workers_gives_the_same(num_workers: int) -> None:
    entries = [*ALL_TOGETHER, entry_of("some_of"), entry_of("one_of")]
    whole, _ = augment(gather_batch(epoch=2), entries, seed=4)
    loader = DataLoader(Epoch(entries), batch_size=None, num_workers=num_workers)
    for number, one in enumerate(loader):
        assert equal(one, whole.rows([number]))


# --- draws

ALL_TOGETHER: list[Augmentation] = [
    TimeStretch(p=0.5), TimeShift(p=0.7), Gain(p=0.5), AddNoise(p=0.6), TraceFlip(), Clip(p=0.5), PolarityFlip(),
    TraceDropout(share=0.3), Forget(p=0.5, fields=("t0_s",)),
]  # fmt: skip


@given(order=st.permutations(range(6)), cut=st.integers(1, 5))
@settings(deadline=None, max_examples=15)
def test_what_happens_to_a_sample_does_not_depend_on_its_batch(order: list[int], cut: int) -> None:
    batch = spikes()
    whole, drawn = augment(batch, ALL_TOGETHER, seed=3)
    for chosen in (order[:cut], order[cut:]):
        part, drawn_part = augment(rows(batch, chosen), ALL_TOGETHER, seed=3)
        assert equal(part, rows(whole, chosen))
        for mine, number in zip(drawn_part, chosen, strict=True):
            assert mine.keys() == drawn[number].keys()
            assert all(np.array_equal(mine[key], drawn[number][key]) for key in mine)


def test_draws_change_with_seed_epoch_key_and_place_in_the_list() -> None:
    batch = spikes(2)
    noise = AddNoise(low_db=-20, high_db=-10)

    def first(seed: int = 0, epoch: int = 0, keys: tuple[str, ...] = ("a", "b"), before: int = 0) -> np.ndarray:
        there = [Gain(p=0.0)] * before
        changed, _ = augment(replace(batch, keys=keys, epoch=epoch), [*there, noise], seed=seed)
        return changed.arrays["x"][0].numpy()

    reference = first()
    assert np.array_equal(reference, first())
    for other in (first(seed=1), first(epoch=1), first(keys=("c", "b")), first(before=1)):
        assert not np.array_equal(reference, other)
    assert np.array_equal(reference, first(keys=("a", "c")))


def test_the_share_of_changed_samples_is_p() -> None:
    n, p = 2000, 0.3
    batch = spikes(1)
    many = replace(
        batch, arrays={k: v.expand(n, *v.shape[1:]) for k, v in batch.arrays.items()},
        keys=tuple(f"k{i}" for i in range(n)),
    )  # fmt: skip
    changed, drawn = augment(many, [PolarityFlip(p=p, gather=1.0, trace=0.0)], seed=0)
    turned = (changed.arrays["x"].amin(dim=(1, 2, 3)) < -0.5).numpy()
    assert abs(turned.mean() - p) < 4 * (p * (1 - p) / n) ** 0.5
    assert [bool(row) for row in drawn] == turned.tolist()


@pytest.mark.parametrize("name", EVERY)
def test_with_p_0_nothing_changes_not_a_bit(name: str) -> None:
    batch = spikes()
    same, drawn = augment(batch, [entry_of(name, p=0.0)], seed=0)
    assert equal(same, batch)
    assert drawn == [{}] * len(batch)


def test_a_sample_that_is_not_chosen_keeps_its_bits_beside_one_that_is() -> None:
    batch = spikes(40)
    changed, drawn = augment(batch, [TimeStretch(p=0.5), AddNoise(p=0.5)], seed=0)
    untouched = [k for k, row in enumerate(drawn) if not row]
    assert 0 < len(untouched) < 40
    assert equal(rows(changed, untouched), rows(batch, untouched))


def test_the_given_batch_is_never_changed() -> None:
    batch, copy = spikes(), spikes()
    augment(batch, ALL_TOGETHER, seed=0)
    assert equal(batch, copy)


def test_a_keyed_generator_is_the_same_on_every_machine() -> None:
    # Philox is counter-based and fixed by its paper (Salmon et al. 2011); NumPy keeps its streams stable
    assert generator("a", 1).random() == generator("a", 1).random()
    assert generator("a", 1).random() != generator("a1").random()
    assert (
        generator("order", 0, 0).integers(0, 2**31, 3).tolist()
        == generator("order", "0", "0").integers(0, 2**31, 3).tolist()
    )


# --- labels follow their feature


def peak(trace: torch.Tensor) -> float:
    """Return the place of the bump, to a part of a sample, by a parabola through its logarithm."""
    k = int(trace.abs().argmax())
    a, b, c = (float(trace[k + d].abs().clamp(min=1e-9).log()) for d in (-1, 0, 1))
    return k + 0.5 * (a - c) / (a - 2 * b + c)


@pytest.mark.parametrize(
    "entries",
    [
        [TimeStretch()], [TimeShift(max_shift_s=0.03)], [TraceFlip(p=1)], [Gain()], [PolarityFlip()],
        [TimeStretch(), TimeShift(max_shift_s=0.02)], [TimeShift(max_shift_s=0.02), TraceFlip(p=1), TimeStretch()],
        [TimeStretch(low=0.7, high=0.7)], [TimeStretch(low=1.5, high=2.0)],
    ],
    ids=lambda entries: "+".join(entry.name for entry in entries),
)  # fmt: skip
def test_the_pick_stays_on_its_bump(entries: list[Augmentation]) -> None:
    batch = spikes(width=4.0)
    changed, _ = augment(batch, entries, seed=1)
    assert not equal(changed, batch)
    n_checked = 0
    x, y, has = (changed.arrays[name] for name in ("x", "y_idx", "has_pick"))
    for item, trace in np.ndindex(*y.shape):
        if has[item, trace] == 1 and 10 < y[item, trace] < x.shape[-1] - 10:
            # The bump has nothing above 0.2 cycles a sample; a parabola through its logarithm is exact
            assert abs(peak(x[item, trace, 0]) - float(y[item, trace])) < 0.01
            n_checked += 1
    assert n_checked >= 12


def test_a_stretch_is_about_the_shot() -> None:
    batch = spikes()
    changed, drawn = augment(batch, [TimeStretch()], seed=0)
    before_s = -0.02 + batch.arrays["y_idx"] / FS_HZ
    after_s = -0.02 + changed.arrays["y_idx"] / FS_HZ
    factor = torch.tensor([row["0.time_stretch.factor"] for row in drawn])[:, None]
    kept = changed.arrays["has_pick"] == 1
    assert torch.allclose(after_s[kept], (before_s * factor)[kept].float(), atol=1e-6)


def test_a_shift_moves_by_what_was_drawn() -> None:
    batch = spikes()
    changed, drawn = augment(batch, [TimeShift(max_shift_s=0.01)], seed=0)
    shift = torch.tensor([row["0.time_shift.shift_s"] for row in drawn])[:, None] * FS_HZ
    picked = batch.arrays["has_pick"] == 1
    moved = changed.arrays["y_idx"] - batch.arrays["y_idx"]
    assert torch.allclose(moved[picked], shift.expand_as(moved)[picked].float(), atol=1e-4)


@pytest.mark.parametrize("entry", [TimeStretch(), TimeShift(max_shift_s=0.5), TimeStretch(low=1.5, high=2.0)])
def test_what_nobody_picked_stays_unknown(entry: Augmentation) -> None:
    batch = spikes()
    changed, _ = augment(batch, [entry], seed=0)
    unknown = batch.arrays["has_pick"] == -1
    assert (changed.arrays["has_pick"][unknown] == -1).all()
    assert (changed.arrays["y_idx"][unknown] == -1).all()


def test_a_pick_that_leaves_the_record_is_gone_and_says_so() -> None:
    batch = spikes()
    changed = map_time(batch, np.ones(6), np.full(6, 100.0))
    expected = batch.arrays["y_idx"] - 100
    had = batch.arrays["has_pick"] == 1
    gone = had & (expected < 0)
    assert bool(gone.any())
    assert bool((had & ~gone).any())
    assert (changed.arrays["has_pick"][gone] == 0).all()
    assert (changed.arrays["y_idx"][gone] == -1).all()
    assert torch.allclose(changed.arrays["y_idx"][had & ~gone], expected[had & ~gone])


def test_a_dead_trace_has_no_pick_and_no_amplitude() -> None:
    changed, drawn = augment(spikes(), [TraceDropout(share=0.5)], seed=0)
    dead = torch.from_numpy(np.stack([row["0.trace_dropout.alive"] for row in drawn])) == 0
    assert bool(dead.any())
    assert (changed.arrays["x"].abs().amax(dim=(2, 3))[dead] == 0).all()
    assert (changed.arrays["has_pick"][dead] == 0).all()
    assert (changed.arrays["y_idx"][dead] == -1).all()
    assert equal(
        replace(changed, arrays={"x": changed.arrays["x"][~dead]}),
        replace(changed, arrays={"x": spikes().arrays["x"][~dead]}),
    )


def test_a_flip_of_traces_twice_is_nothing_and_moves_every_field_with_traces() -> None:
    batch = spikes()
    once, _ = augment(batch, [TraceFlip(p=1)], seed=0)
    twice, _ = augment(once, [TraceFlip(p=1)], seed=0)
    assert equal(twice, batch)
    for name in ("x", "y_idx", "has_pick", "t0_s", "offset_m"):
        assert torch.equal(once.arrays[name], batch.arrays[name].flip(1))


def test_masks_and_dense_labels_take_the_nearest_sample() -> None:
    schema = Schema(
        (
            Field("x", ("time",)),
            Field("mask", ("time",), "int8", label="mask"),
            Field("dense", ("time",), label="dense"),
        )
    )
    mask = torch.zeros(1, 50, dtype=torch.int8)
    mask[0, 20:23] = 1
    batch = Batch({"x": mask.float(), "mask": mask, "dense": 7.0 * mask}, ("a",), schema)
    moved = map_time(batch, np.ones(1), np.array([-5.2]))
    assert moved.arrays["mask"].dtype == torch.int8
    assert torch.equal(moved.arrays["mask"][0].nonzero()[:, 0], torch.tensor([25, 26, 27]))
    assert set(moved.arrays["dense"].unique().tolist()) == {0.0, 7.0}


# --- time maps


def test_a_whole_shift_is_a_copy_of_the_samples() -> None:
    batch = spikes()
    moved = map_time(batch, np.ones(6), np.full(6, 7.0)).arrays["x"]
    assert torch.allclose(moved[..., :-7], batch.arrays["x"][..., 7:], atol=1e-6)
    assert (moved[..., -7:] == 0).all()


@given(
    first=st.tuples(st.floats(0.85, 1.2), st.floats(-8, 8)), second=st.tuples(st.floats(0.85, 1.2), st.floats(-8, 8))
)
@settings(deadline=None, max_examples=25)
def test_maps_one_after_the_other_are_their_composition(
    first: tuple[float, float], second: tuple[float, float]
) -> None:
    batch = spikes(1, width=6.0)
    one = map_time(batch, np.array([first[0]]), np.array([first[1]]))
    two = map_time(one, np.array([second[0]]), np.array([second[1]]))
    scale, shift = first[0] * second[0], first[0] * second[1] + first[1]
    at_once = map_time(batch, np.array([scale]), np.array([shift]))
    kept = (two.arrays["has_pick"] == 1) & (at_once.arrays["has_pick"] == 1)
    assert torch.allclose(two.arrays["y_idx"][kept], at_once.arrays["y_idx"][kept], atol=1e-3)
    # Bumps are 6 samples wide and stay inside: each resampling errs by less than 0.1 %
    middle = slice(30, 150)
    assert torch.allclose(two.arrays["x"][..., middle], at_once.arrays["x"][..., middle], atol=2e-3)


def test_neighbouring_time_maps_are_applied_as_one() -> None:
    batch = spikes(width=6.0)
    entries = [TimeStretch(low=0.9, high=1.1), TimeShift(max_shift_s=0.005), TimeStretch(low=0.9, high=1.1)]
    together, drawn = augment(batch, entries, seed=2)
    apart = batch
    for place, entry in enumerate(entries):
        name = f"{place}.{entry.name}."
        draws = {
            key.removeprefix(name): np.array([row[key] for row in drawn]) for key in drawn[0] if key.startswith(name)
        }
        apart = entry.apply(apart, draws)
    kept = (apart.arrays["has_pick"] == 1) & (together.arrays["has_pick"] == 1)
    assert torch.allclose(apart.arrays["y_idx"][kept], together.arrays["y_idx"][kept], atol=1e-3)
    assert torch.allclose(apart.arrays["x"], together.arrays["x"], atol=4e-3)  # four resamplings of 0.1 %


@pytest.mark.parametrize("scale", [0.0, -1.0, 1.6, float("nan")])
def test_a_map_that_would_alias_or_turn_time_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="must lie in"):
        map_time(spikes(1), np.array([scale]), np.zeros(1))


def test_stretches_that_together_would_alias_are_not_composed() -> None:
    hard = TimeStretch(low=0.7, high=0.7)
    changed, _ = augment(spikes(), [hard, hard], seed=0)
    one_by_one = hard.apply(hard.apply(spikes(), {"factor": np.full(6, 0.7)}), {"factor": np.full(6, 0.7)})
    assert torch.allclose(changed.arrays["y_idx"], one_by_one.arrays["y_idx"], atol=1e-3)


# --- noise


def test_noise_has_the_level_and_the_colour_that_were_drawn() -> None:
    n_time = 40_000
    still = spikes(1, 2, n_time)
    still = still.with_arrays(x=torch.zeros_like(still.arrays["x"]))
    entry = AddNoise(low_db=-20, high_db=-20, spread_db=0, max_smooth=6)
    draws = entry.draw(still.lengths(), [generator("any", k) for k in range(1)])
    noise = entry.apply(still, draws).arrays["x"].numpy()
    assert abs(noise.std() / 0.1 - 1) < 0.03
    k = int(draws["n_smooth"][0])
    if k > 1:
        # A moving mean over k samples has the autocorrelation 1 - lag / k
        trace = noise[0, 0, 0]
        lag_1 = float(np.mean(trace[1:] * trace[:-1]) / np.mean(trace**2))
        assert abs(lag_1 - (1 - 1 / k)) < 0.03
    assert not np.allclose(lfilter([1], [1], noise[0, 0, 0]), noise[0, 1, 0])


def test_clipping_is_at_the_limit_that_was_drawn() -> None:
    batch = spikes()
    changed, drawn = augment(batch, [Clip(low=0.2, high=0.8)], seed=0)
    limits = torch.tensor([row["0.clip.limit"] for row in drawn])
    assert torch.allclose(changed.arrays["x"].amax(dim=(1, 2, 3)), limits.float(), atol=1e-6)
