"""Augmentations of volumes against closed forms: mirrors, quarter turns, dip after a stretch, folds."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seisloom.augment.augmentation import augment
from seisloom.augment.batch import Batch
from seisloom.augment.examples import gather_batch, volume_batch
from seisloom.augment.labels import turn_normals
from seisloom.augment.masks import Erase
from seisloom.augment.resample import map_axes
from seisloom.augment.volume import ElasticWarp, Flip, Rotate90, Scale
from seisloom.metrics.orientation import angles_of, normal_error_deg, normal_of
from seisloom.sample import Array
from seisloom.tasks.interpretation.recipe import ITEM


def normals(batch: Batch) -> Array:
    """Return normals of the fault of each item, (3, item), at the voxel where the fault is dip-labelled highest."""
    found = []
    for fault, dip, strike in zip(*(batch.arrays[name].numpy() for name in ("fault", "dip", "strike")), strict=True):
        at = fault == 1
        found.append(normal_of(np.median(dip[at]), np.median(strike[at])))
    return np.stack(found, axis=1)


def test_a_mirrored_crossline_mirrors_strike_and_twice_is_nothing() -> None:
    batch = volume_batch()
    entry = Flip(p=1, axes=("crossline",))
    once, _ = augment(batch, [entry], seed=0)
    torch.testing.assert_close(once.arrays["x"], batch.arrays["x"].flip(3), rtol=0, atol=0)
    old, new = normals(batch), normals(once)
    assert normal_error_deg(new, old * np.array([1, -1, 1])[:, None]).max() < 1e-3
    at = batch.arrays["fault"].flip(2) == 1
    np.testing.assert_allclose(
        once.arrays["strike"][at], 180 - batch.arrays["strike"].flip(2)[at], atol=1e-3
    )  # a fault that strikes s from the crossline axis strikes 180 - s in the mirror
    np.testing.assert_allclose(once.arrays["dip"][at], batch.arrays["dip"].flip(2)[at], atol=1e-3)
    # Both mirrors wait and are one map, the identity
    twice, _ = augment(batch, [entry, entry], seed=0)
    assert torch.equal(twice.arrays["x"], batch.arrays["x"])
    assert torch.equal(twice.arrays["strike"], batch.arrays["strike"])


def test_angles_of_torch_are_those_of_the_metrics() -> None:
    rng = np.random.default_rng(0)
    dip, strike = rng.uniform(0, 180, (1, 4, 5, 6)), rng.uniform(0, 179, (1, 4, 5, 6))
    dip[0, 0], strike[0, 1] = 0.0, 0.0
    batch = volume_batch(n_item=1, shape=(4, 5, 6))
    given = batch.with_arrays(dip=torch.from_numpy(dip), strike=torch.from_numpy(strike))
    factors = {("time", "time"): 1.7, ("crossline", "crossline"): -0.6, ("time", "inline"): 0.3}
    found = turn_normals(given, {key: torch.tensor([one], dtype=torch.float64) for key, one in factors.items()})
    depth, crossline, inline = normal_of(dip, strike)
    expected = angles_of(np.stack([1.7 * depth, -0.6 * crossline, inline + 0.3 * depth]))
    np.testing.assert_allclose(found.arrays["dip"], expected[0], atol=1e-6)
    np.testing.assert_allclose(found.arrays["strike"], expected[1], atol=1e-6)


def test_quarter_turns_turn_strike_and_four_are_none() -> None:
    batch = volume_batch(n_item=8)
    changed, drawn = augment(batch, [Rotate90()], seed=1)
    turns = np.array([row["0.rotate90.turns"] for row in drawn])
    assert set(turns) == {1, 2, 3}
    old, new = normals(batch), normals(changed)
    depth, crossline, inline = old
    # One quarter shows at (inline i, crossline j) what was at (j, n - 1 - i)
    quarter = np.stack([depth, inline, -crossline])
    three = np.stack([depth, -inline, crossline])
    expected = np.where(turns == 1, quarter, np.where(turns == 3, three, np.stack([depth, -crossline, -inline])))
    assert normal_error_deg(new, expected).max() < 1e-3
    entry = Rotate90()
    back = entry.apply(changed, {"turns": 4 - turns})
    for name in ("x", "fault", "rgt"):
        assert torch.equal(back.arrays[name], batch.arrays[name])
    assert (back.arrays["strike"] - batch.arrays["strike"]).abs().max() < 1e-3


def test_where_lengths_differ_only_half_a_turn_fits() -> None:
    _, drawn = augment(volume_batch(shape=(8, 12, 16)), [Rotate90()], seed=0)
    assert {int(row["0.rotate90.turns"]) for row in drawn} == {2}
    with pytest.raises(ValueError, match="longer than 1"):
        augment(volume_batch(shape=(1, 12, 16)), [Rotate90()], seed=0)


def test_the_tangent_of_dip_grows_with_the_vertical_factor() -> None:
    batch = volume_batch()
    changed, drawn = augment(batch, [Scale(1.2, 1.4, axes=("time",))], seed=0)
    for k, row in enumerate(drawn):
        factor = row["0.scale.factor_time"]
        old, new = (one.arrays["dip"][k][one.arrays["fault"][k] == 1].median() for one in (batch, changed))
        assert abs(float(new) - np.degrees(np.arctan(factor * np.tan(np.radians(float(old)))))) < 1e-3
        strikes = [one.arrays["strike"][k][one.arrays["fault"][k] == 1].median() for one in (batch, changed)]
        assert abs(float(strikes[1] - strikes[0])) < 1e-3


def test_lateral_factors_turn_strike_as_the_plane_says() -> None:
    batch = volume_batch()
    changed, drawn = augment(batch, [Scale(0.7, 1.5)], seed=2)
    factor = np.array([[row[f"0.scale.factor_{axis}"] for axis in ("time", "crossline", "inline")] for row in drawn])
    assert normal_error_deg(normals(changed), normals(batch) / factor.T).max() < 1e-2


def test_beyond_a_volume_nobody_knows() -> None:
    batch = volume_batch()
    changed = map_axes(batch, {"time": (np.full(3, 1.4), np.full(3, -20.0))})
    first = changed.arrays
    assert (first["x"][..., 0] == 0).all()
    assert (first["fault"][..., 0] == -1).all()
    assert torch.isnan(first["rgt"][..., 0]).all()
    assert torch.isnan(first["dhr"][..., 0]).all()


def test_several_axes_move_at_once_and_a_mirrored_shift_is_a_copy() -> None:
    batch = volume_batch()
    entries = [Scale(0.8, 0.8), Flip(p=1), Scale(1.25, 1.25)]
    changed, drawn = augment(batch, entries, seed=0)
    only, _ = augment(batch, [replace_flip(drawn)], seed=0)
    for name in ("x", "fault", "rgt"):
        torch.testing.assert_close(changed.arrays[name], only.arrays[name], atol=1e-5, rtol=0)


def replace_flip(drawn: list[dict[str, object]]) -> Flip:
    """A mirror that draws what the second of three entries drew."""
    flips = {name.split(".")[-1]: np.array([row[name] for row in drawn]) for name in drawn[0] if ".flip." in name}

    class Again(Flip):
        def draw(self, lengths: object, rows: object) -> dict[str, Array]:
            return flips

    return Again(p=1)


@pytest.mark.parametrize("axis", ["time", "crossline"])
def test_a_fold_moves_layers_by_the_waves_that_were_drawn(axis: str) -> None:
    batch = volume_batch(shape=(12, 14, 40))
    entry = ElasticWarp(axes=(axis,), max_shift=0.1, strength=0.3, half_waves=2)
    changed, drawn = augment(batch, [entry], seed=0)
    shape = dict(zip(("inline", "crossline", "time"), (12, 14, 40), strict=True))
    share = np.meshgrid(*(np.arange(n) / (n - 1) for n in shape.values()), indexing="ij")
    share = [share[1], share[0], share[2]]  # the draws count axes by the alphabet
    for k, row in enumerate(drawn):
        size, number, phase = (row[f"0.elastic_warp.{one}_{axis}"] for one in ("size", "number", "phase"))
        waves = [a * np.cos(p + np.pi * sum(n * s for n, s in zip(m, share, strict=True)))
                 for a, m, p in zip(size, number, phase, strict=True)]  # fmt: skip
        shift = np.sum(waves, axis=0) * (shape[axis] - 1)
        assert np.abs(shift).max() <= 0.1 * (shape[axis] - 1)
        # rgt is linear, so what was read linearly is exact: rgt at the place that was moved to
        slope = np.gradient(batch.arrays["rgt"][k].numpy(), axis={"crossline": 1, "time": 2}[axis])
        expected = batch.arrays["rgt"][k].numpy() + slope * shift
        found = changed.arrays["rgt"][k].numpy()
        known = np.isfinite(found)
        place = shift + np.arange(shape[axis]).reshape((1, -1, 1) if axis == "crossline" else (1, 1, -1))
        known &= (place >= 0) & (place <= shape[axis] - 1)
        assert known.mean() > 0.5
        np.testing.assert_allclose(found[known], expected[known], atol=2e-3)


def test_a_fold_does_not_move_picks() -> None:
    with pytest.raises(ValueError, match="use time_warp"):
        augment(gather_batch(), [ElasticWarp(axes=("time",))], seed=0)


def test_a_section_is_not_mirrored_across_itself() -> None:
    section = volume_batch(shape=(1, 16, 32))
    changed, drawn = augment(section, [Flip(p=1), Scale()], seed=0)
    assert not any("flip_inline" in key or "factor_inline" in key for row in drawn for key in row)
    assert torch.isfinite(changed.arrays["x"]).all()


def test_the_interpretation_rooms_fields_move_together() -> None:
    batch = volume_batch()
    arrays = {name: batch.arrays[name] for name in ("x", "fault", "dip", "strike", "rgt", "dhr")}
    normal = torch.from_numpy(np.moveaxis(normal_of(arrays["dip"].numpy(), arrays["strike"].numpy()), 0, 1)).float()
    arrays["guess_normal"] = normal
    room = Batch(arrays, batch.keys, ITEM)
    changed, _ = augment(room, [Flip(p=1), Rotate90(), Flip(p=1)], seed=3)
    at = changed.arrays["fault"] == 1
    said = normal_of(changed.arrays["dip"][at].numpy(), changed.arrays["strike"][at].numpy())
    guess = changed.arrays["guess_normal"].movedim(1, 0)[:, at].numpy()
    assert normal_error_deg(guess, said).max() < 1e-2
    steps = room.with_arrays(guess_rgt_steps=torch.zeros(3, 3, 18, 18, 32))
    with pytest.raises(ValueError, match="steps of a first guess"):
        augment(steps, [Flip(p=1)], seed=0)


def test_an_erased_box_is_a_box() -> None:
    batch = volume_batch()
    changed, drawn = augment(batch, [Erase(share=0.5)], seed=0)
    for x, row in zip(changed.arrays["x"], drawn, strict=True):
        box = tuple(
            slice(int(row[f"0.erase.first_{axis}"][0]), int(row[f"0.erase.stop_{axis}"][0]))
            for axis in ("inline", "crossline", "time")
        )
        assert not x[(0, *box)].any()
        assert int((x[0] == 0).sum()) <= x[0][box].numel() + 10
    assert torch.equal(changed.arrays["fault"], batch.arrays["fault"])


def test_an_axis_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="has none of the axes"):
        augment(gather_batch(), [Flip(p=1)], seed=0)
    with pytest.raises(ValueError, match="no axis 'depth'"):
        map_axes(volume_batch(), {"depth": (np.ones(3), np.ones(3))})
