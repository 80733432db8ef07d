"""RGT from its increments: any volume back, tiles of unknown constants, and two levels as good as one."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.format import open_memmap
from scipy import ndimage

from seisloom.compute import executor
from seisloom.errors import DataError, OutputError
from seisloom.inference.integrate import (
    Integration,
    increments,
    integrate,
    integrate_near,
    integrate_volume,
    integrate_weighted,
    plan_integration,
    rising,
    with_throws,
)
from seisloom.inference.lattice import Box, lattice
from seisloom.metrics.horizons import edge_ratio, horizon_residuals
from seisloom.physics.volumes.box import make_box
from seisloom.physics.volumes.draw import draw_volume
from seisloom.physics.volumes.priors import VolumePriors
from seisloom.sample import Array
from seisloom.signal.fault_throws import Throws

NAMES = ("g_inline", "g_crossline", "g_time")
THROW = 20.0
TWO_LEVELS_OF_THROW = 0.005
"""What `integrate_volume` promises: largest difference from the direct solve, as a share of the throw."""


@dataclass(frozen=True)
class NpyVolume:
    """Arrays in .npy files, read and written by boxes from any process."""

    folder: Path

    def read(self, box: Box, name: str) -> Array:
        return np.array(np.load(self.folder / f"{name}.npy", mmap_mode="r")[box])

    def write(self, box: Box, values: Array) -> None:
        open_memmap(self.folder / "rgt.npy", mode="r+")[box] = values


@cache
def volume(shape: tuple[int, int, int], seed: int) -> tuple[Array, Array]:
    """Return RGT in samples and fault labels; three faults of up to 20 samples go through the whole volume."""
    priors = VolumePriors(styles=("through",), throw_samples=(15, THROW), n_faults=(3, 3))
    model = draw_volume(shape, seed, priors)
    made = make_box(model, wanted=["rgt", "fault"], threads=1)
    return made["rgt"] * np.float32(model.rgt_range[1] - model.rgt_range[0]), made["fault"]


def without_mean(values: Array) -> Array:
    return values - values.mean(dtype=float)


def integrated(g: Sequence[Array], *, memory_mb: float, grain: tuple[int, ...]) -> tuple[Integration, Array]:
    shape = g[0].shape
    out = np.full(shape, np.nan, np.float32)

    def write(box: Box, values: Array) -> None:
        assert all(side.start % n == 0 for side, n in zip(box, grain, strict=True))
        assert all(side.stop % n == 0 or side.stop == m for side, n, m in zip(box, grain, shape, strict=True))
        assert np.isnan(out[box]).all()
        out[box] = values

    names = [str(axis) for axis in range(len(shape))]
    plan = integrate_volume(lambda box, name: g[int(name)][box], names, shape, write, grain, memory_mb=memory_mb)
    return plan, out


def smooth_noise(shape: tuple[int, ...], rng: np.random.Generator, *, rms: float, width: float = 8) -> Array:
    noise = ndimage.gaussian_filter(rng.normal(size=shape), width, mode="nearest")
    return without_mean(noise) * (rms / noise.std())


def blend(rgt: Array, patch: tuple[int, ...], *, rms: float, wild: float = 0.0) -> tuple[list[Array], list[Array]]:
    """Return blended increments of tiles, each with a constant and a smooth error of its own, and their variance.

    A share `wild` of the tiles has ten times the error.
    """
    rng = np.random.default_rng(7)
    tiles = lattice(rgt.shape, patch, overlap=0.5)
    mean, squares = ([np.zeros(rgt.shape) for _ in range(rgt.ndim)] for _ in range(2))
    for tile in tiles.tiles():
        box = tiles.box(tile)
        error = smooth_noise(rgt[box].shape, rng, rms=rms * (10 if rng.random() < wild else 1))
        seen = rgt[box] + error + rng.normal(scale=100)
        weight = tiles.weight(tile, tuple(slice(0, side.stop - side.start) for side in box))
        for one, square, g in zip(mean, squares, increments(seen), strict=True):
            one[box] += weight * g
            square[box] += weight * g**2
    variance = [np.maximum(square - one**2, 0) for one, square in zip(mean, squares, strict=True)]
    return [one.astype(np.float32) for one in mean], variance


@settings(max_examples=60, deadline=None)
@given(shape=st.lists(st.integers(1, 24), min_size=1, max_size=3), seed=st.integers(0, 99))
def test_any_volume_comes_back_from_its_increments(shape: list[int], seed: int) -> None:
    r = np.random.default_rng(seed).normal(scale=100, size=shape).astype(np.float32)
    g = increments(r)
    # increments are rounded to float32: 2^-24 of up to 1000, and the sum along the longest path goes as its root
    assert np.abs(integrate(g) - without_mean(r)).max() < 6e-8 * 1000 * (1 + np.sqrt(sum(shape)))
    for axis, one in enumerate(g):  # the last index is not looked at
        one[(slice(None),) * axis + (-1,)] = 1e3
    assert np.abs(integrate(g) - without_mean(r)).max() < 6e-8 * 1000 * (1 + np.sqrt(sum(shape)))


def test_the_result_is_that_of_least_squares_by_a_matrix() -> None:
    shape, rng = (4, 3, 5), np.random.default_rng(1)
    g = [rng.normal(size=shape) for _ in shape]
    w = [rng.uniform(0.1, 1, size=shape) for _ in shape]
    rows, right, root = [], [], []
    unit = np.eye(60).reshape(60, *shape)
    for axis in range(3):
        rows.append(np.diff(unit, axis=axis + 1).reshape(60, -1).T)
        inside = (slice(None),) * axis + (slice(0, -1),)
        right.append(g[axis][inside].ravel())
        root.append(np.sqrt(w[axis][inside].ravel()))
    D, d, s = np.concatenate(rows), np.concatenate(right), np.concatenate(root)
    plain = np.linalg.lstsq(D, d)[0].reshape(shape)
    weighted = np.linalg.lstsq(D * s[:, None], d * s)[0].reshape(shape)
    assert np.allclose(integrate(g), without_mean(plain), atol=1e-12)
    assert np.allclose(integrate_weighted(g, w), without_mean(weighted), atol=1e-6)


def test_an_anchor_gives_what_is_long_and_increments_what_is_short() -> None:
    r, _ = volume((32, 32, 48), 1)
    g = increments(r)
    # the anchor itself where it belongs to the increments; a wave of 48 samples of the anchor at its Gaussian gain
    assert np.abs(integrate_near(g, r, reach=4) - r).max() < 1e-3
    wave = 5 * np.cos(2 * np.pi * (np.arange(48) + 0.5) / 48)
    gain = np.exp(-(4**2) / 2 * (2 - 2 * np.cos(2 * np.pi / 48)))
    assert np.abs(integrate_near(g, r + wave, reach=4) - r - gain * wave).max() < 2e-3
    assert np.abs(without_mean(integrate_near(g, np.zeros(r.shape), reach=1e4)) - integrate(g)).max() < 1e-3


@pytest.mark.parametrize("seed", [3, 4])
def test_tiles_of_unknown_constants_become_one_volume_without_seams(seed: int) -> None:
    r, _ = volume((64, 72, 96), seed)
    patch, rms = (32, 32, 32), 0.3
    g, _ = blend(r, patch, rms=rms)
    found = integrate(g)
    # errors of the tiles that overlap at a voxel are independent and average: the result is better than any of them
    assert without_mean(found - r).std() < rms
    assert np.nanmean(np.abs(horizon_residuals(found, r)[1])) < rms
    tiles = lattice(r.shape, patch, overlap=0.5)
    edges = {axis: [int(start) for start in one.starts[1:]] for axis, one in enumerate(tiles.axes)}
    # structure alone may have a few faults more or less at the edges than elsewhere
    ratio, of_truth = edge_ratio(found, edges), edge_ratio(r, edges)
    assert all(abs(ratio[axis] / of_truth[axis] - 1) < 0.05 for axis in edges)
    assert all(value < 1.05 for value in edge_ratio(found - r, edges).values())


def test_faults_keep_their_throw() -> None:
    r, fault = volume((64, 72, 96), 3)
    g, _ = blend(r, (32, 32, 32), rms=0.3)
    found = integrate(g)
    # across a fault and its label, 8 traces apart, where the truth jumps by at least half of the largest throw
    true, ours = (np.subtract(one[:, 8:], one[:, :-8]) for one in (without_mean(r), found))
    across = (np.abs(true) > THROW / 2) & (ndimage.maximum_filter1d(fault, 9, axis=1)[:, 4:-4] == 1)
    assert across.mean() > 0.02
    ratio = ours[across] / true[across]
    assert abs(np.median(ratio) - 1) < 0.01
    assert np.quantile(np.abs(ratio - 1), 0.95) < 0.1


def test_weights_from_where_tiles_disagree_make_it_better() -> None:
    r, _ = volume((48, 56, 64), 3)
    g, variance = blend(r, (24, 24, 24), rms=0.2, wild=0.15)
    weights = [1 / (1e-4 + ndimage.gaussian_filter(one, 2)) for one in variance]
    weights = [np.maximum(one / one.max(), 0.01) for one in weights]
    plain, weighted = (
        np.nanmean(np.abs(horizon_residuals(found, r)[1]))
        for found in (integrate(g), integrate_weighted(g, weights, n_steps=20))
    )
    assert weighted < 0.8 * plain


@pytest.mark.parametrize(("shape", "memory_mb"), [((96, 90, 128), 8), ((80, 64, 131), 6), ((1, 300, 400), 1.2)])
@pytest.mark.parametrize("rms", [0.0, 0.2])
def test_two_levels_agree_with_one(shape: tuple[int, int, int], memory_mb: float, rms: float) -> None:
    r, _ = volume(shape, 3)
    rng = np.random.default_rng(2)
    # increments that belong to no volume: short and long noise
    g = [
        (one + rms * rng.normal(size=shape) + smooth_noise(shape, rng, rms=rms / 2)).astype(np.float32)
        for one in increments(r)
    ]
    plan, found = integrated(g, memory_mb=memory_mb, grain=(16, 16, 16))
    assert plan.block > 1
    assert len(list(plan.boxes())) > 4
    difference = without_mean(found - integrate(g))
    assert np.abs(difference).max() < TWO_LEVELS_OF_THROW * THROW
    assert difference.std() < 0.1 * TWO_LEVELS_OF_THROW * THROW
    # no step at an edge of a box or part: the difference itself does not jump there
    for axis, n in enumerate(shape):
        edges = sorted({p[axis].start for box in plan.boxes() for p in plan.parts(box)} - {0})
        if edges:
            assert n > 1
            assert edge_ratio(found, {axis: edges})[axis] == pytest.approx(
                edge_ratio(r if not rms else integrate(g), {axis: edges})[axis], rel=0.002
            )


def test_a_box_does_not_depend_on_where_boxes_end_but_for_what_margins_leave_out() -> None:
    r, _ = volume((64, 64, 96), 4)
    g = increments(r)
    _, few = integrated(g, memory_mb=5.5, grain=(32, 32, 32))
    plan, many = integrated(g, memory_mb=5.5, grain=(16, 16, 24))
    assert plan.block > 1
    # erfc(4 / sqrt 2) = 6e-5 for each of six faces, of a misfit of the anchor of half the throw
    assert 0 < np.abs(few - many).max() < 6 * 6e-5 * THROW / 2


@pytest.mark.parametrize("memory_mb", [6.5, 512])
def test_any_number_of_workers_gives_the_same_bytes(tmp_path: Path, memory_mb: float) -> None:
    r, _ = volume((64, 72, 96), 3)
    for name, g in zip(NAMES, increments(r), strict=True):
        np.save(tmp_path / f"{name}.npy", g)
    files, found = NpyVolume(tmp_path), []
    for workers in (1, 2):
        np.save(tmp_path / "rgt.npy", np.full(r.shape, np.nan, np.float32))
        with executor(workers=workers) as pool:
            plan = integrate_volume(
                files.read, NAMES, r.shape, files.write, (32, 24, 32), memory_mb=memory_mb, pool=pool
            )
        found.append(np.load(tmp_path / "rgt.npy").tobytes())
    assert (plan.block > 1) == (memory_mb < 100)
    assert found[0] == found[1]


def test_memory_stays_below_what_was_allowed() -> None:
    shape, memory_mb = (192, 160, 256), 24
    slopes = (0.2, -0.1, 1.0)
    last = np.zeros(shape, bool)

    def read(box: Box, name: str) -> Array:
        return np.full([side.stop - side.start for side in box], slopes[int(name)], np.float32)

    def write(box: Box, values: Array) -> None:
        place = np.stack(np.meshgrid(*(np.arange(side.start, side.stop) for side in box), indexing="ij"), -1)
        error = values - (place - (np.array(shape) - 1) / 2) @ np.array(slopes)
        # a plane has a kink where the axis is mirrored: 0.001 of a block a unit of slope and axis
        assert np.abs(error).max() < 0.02
        last[box] = True

    tracemalloc.start()
    plan = integrate_volume(read, "012", shape, write, (64, 64, 64), memory_mb=memory_mb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert plan.block > 1
    assert last.all()
    assert 4 * np.prod(shape) > 1.2 * memory_mb * 1e6  # not even one float32 volume would have fitted
    assert peak < memory_mb * 1e6


@pytest.mark.parametrize(("shape", "memory_mb"), [((6400, 6400, 6250), 4000), ((1500, 1200, 1000), 512)])
def test_a_plan_for_a_survey_fits_its_memory_and_grain(shape: tuple[int, ...], memory_mb: float) -> None:
    plan = plan_integration(shape, (128, 128, 128), memory_mb=memory_mb)
    assert all(side % 128 == 0 for side in plan.core)
    assert np.prod(plan.coarse_shape) * 32 < memory_mb * 1e6
    assert plan.part >= 2 * plan.block


def test_rising_rgt_is_never_further_from_a_rising_truth() -> None:
    rng = np.random.default_rng(3)
    truth = np.cumsum(rng.uniform(0.1, 2, size=(20, 80)), axis=1)
    noisy = truth + rng.normal(size=truth.shape)
    found = rising(noisy, least=0.05)
    assert (np.diff(found, axis=1) > 0.05 - 1e-9).all()
    assert (np.linalg.norm(found - truth, axis=1) < np.linalg.norm(noisy - truth, axis=1)).all()
    np.testing.assert_allclose(rising(truth, least=0.05), truth, rtol=1e-12)


def test_what_cannot_be_integrated_is_refused() -> None:
    g = np.zeros((4, 5), np.float32)
    with pytest.raises(DataError, match="one is needed for each axis"):
        integrate([g])
    with pytest.raises(DataError, match="not finite"):
        integrate([g, np.full_like(g, np.nan)])
    with pytest.raises(DataError, match=r"b has values that are not finite in \[0:4, 0:4\]"):
        integrate_volume(
            lambda box, name: np.full_like(g[box], np.nan if name == "b" else 0), ("a", "b"), (4, 5),
            lambda box, values: None, (4, 5),
        )  # fmt: skip
    with pytest.raises(DataError, match="one for each axis"):
        integrate_volume(lambda box, name: g[box], ("a",), (4, 5), lambda box, values: None, (4, 5))
    with pytest.raises(OutputError, match="allow more memory"):
        plan_integration((1000, 1000, 1000), (256, 256, 256), memory_mb=20)


def crossing(throw: float) -> tuple[tuple[Array, Array], Array, Array, Throws]:
    """Return steps of flat layers, the voxels and the lean of a fault through all of them, and pairs of that throw."""
    shape, lean = (60, 90), 0.2
    steps = (np.zeros(shape), np.ones(shape))
    down = np.arange(shape[1])
    voxels = np.stack([np.rint(20 + lean * down).astype(int), down], 1)
    low, high = max(0, -int(throw)), shape[1] - max(0, int(throw))
    kept = (down >= low) & (down < high)
    beside = np.array([5.0, 0.0])
    left, right = voxels - beside, voxels + beside
    right[:, 1] += np.where(kept, throw, 0)
    return steps, voxels, np.full(len(voxels), lean), Throws(left, right, kept.astype(float))


@pytest.mark.parametrize("throw", [3.0, -17.0])
def test_layers_that_are_one_get_the_same_time_on_both_sides_of_a_fault(throw: float) -> None:
    steps, voxels, lean, throws = crossing(throw)
    rgt = integrate(with_throws(steps, voxels, lean, throws))
    # One block, moved: time is depth plus a constant on each side
    across = rgt[50] - rgt[5]
    np.testing.assert_allclose(across, -throw, atol=0.02 * abs(throw))
    np.testing.assert_allclose(np.diff(rgt[5]), 1, atol=0.05)


def test_pairs_that_most_others_contradict_change_nothing() -> None:
    steps, voxels, lean, throws = crossing(4.0)
    wrong = throws.right.copy()
    wrong[20:32, 1] += 9
    right = integrate(with_throws(steps, voxels, lean, throws))
    found = integrate(with_throws(steps, voxels, lean, Throws(throws.left, wrong, throws.sureness)))
    assert np.abs(found - right)[:, 45:].max() < 0.4
    assert np.abs(found - right).mean() < 0.2


def test_steps_stay_as_they_are_without_a_sure_pair() -> None:
    steps, voxels, lean, throws = crossing(4.0)
    found = with_throws(steps, voxels, lean, Throws(throws.left, throws.right, np.zeros(len(voxels))))
    assert found[0] is steps[0]
    assert found[1] is steps[1]


def test_steps_keep_their_type_and_are_changed_on_the_fault_alone() -> None:
    steps, voxels, lean, throws = crossing(4.0)
    single = (steps[0].astype(np.float32), steps[1].astype(np.float32))
    found = with_throws(single, voxels, lean, throws)
    for before, after in zip(single, found, strict=True):
        assert after.dtype == np.float32
        changed = np.argwhere(before != after)
        assert {tuple(one) for one in changed} <= {tuple(one) for one in voxels}
