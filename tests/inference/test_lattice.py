"""Tiles along each axis: where they lie, that their weights add up to 1 everywhere, and that they are never 0."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seisloom.errors import DataError
from seisloom.inference.lattice import Window, blend_window, lattice

WINDOWS = st.sampled_from(["cosine", "gaussian", "flat"])
AXES = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 12)), min_size=1, max_size=3)


def test_the_cosine_window_is_hann_at_half_samples() -> None:
    assert np.allclose(blend_window(4, "cosine"), np.sin(np.pi * np.array([1, 3, 5, 7]) / 8) ** 2, rtol=1e-15)


def test_two_cosine_windows_that_overlap_by_half_add_up_to_one() -> None:
    window = blend_window(64, "cosine")
    assert np.allclose(window[:32] + window[32:], 1, atol=1e-15)


def test_the_gaussian_window_has_nn_unets_standard_deviation() -> None:
    window = blend_window(65, "gaussian")
    assert window[32] == 1
    assert window[32 + 8] == pytest.approx(np.exp(-0.5 * (8 / (65 / 8)) ** 2), rel=1e-14)


@given(n=st.integers(1, 300), kind=WINDOWS)
def test_a_weight_is_never_0_and_the_same_from_both_ends(n: int, kind: Window) -> None:
    window = blend_window(n, kind)
    assert (window > 0).all()
    assert np.allclose(window, window[::-1], rtol=1e-9)


@given(axes=AXES, overlap=st.floats(0, 0.95), kind=WINDOWS)
def test_the_weights_of_all_tiles_add_up_to_one_and_a_lone_tile_has_exactly_one(
    axes: list[tuple[int, int]], overlap: float, kind: Window
) -> None:
    shape, patch = zip(*axes, strict=True)
    tiles = lattice(shape, patch, overlap=overlap, window=kind)
    total, covered = np.zeros(shape), np.zeros(shape, dtype=int)
    alone = np.zeros(shape)
    for tile in tiles.tiles():
        box = tiles.box(tile)
        weight = tiles.weight(tile, tuple(slice(0, side.stop - side.start) for side in box))
        assert (weight > 0).all()
        total[box] += weight
        covered[box] += 1
        alone[box] = weight
    # Each axis is normalised to a rounding of float64; there are at most 12 x 12 x 12 tiles at a voxel
    assert np.abs(total - 1).max() < 1e-13
    assert covered.min() >= 1
    assert (alone[covered == 1] == 1).all()


@given(axes=AXES, overlap=st.floats(0, 0.95))
def test_the_cells_of_tiles_fill_the_volume_once(axes: list[tuple[int, int]], overlap: float) -> None:
    shape, patch = zip(*axes, strict=True)
    tiles = lattice(shape, patch, overlap=overlap)
    filled = np.zeros(shape, dtype=int)
    for tile in tiles.tiles():
        filled[tiles.cell(tile)] += 1
    assert (filled == 1).all()
    assert len(list(tiles.tiles())) == tiles.n_tiles


@given(n=st.integers(1, 60), patch=st.integers(1, 20), overlap=st.floats(0, 0.95), data=st.data())
def test_tiles_that_touch_an_interval_are_those_that_do(
    n: int, patch: int, overlap: float, data: st.DataObject
) -> None:
    axis = lattice((n,), (patch,), overlap=overlap).axes[0]
    start = data.draw(st.integers(0, n - 1))
    stop = data.draw(st.integers(start + 1, n))
    spans = [range(int(s), int(s) + axis.length) for s in axis.starts]
    assert list(axis.touching(start, stop)) == [k for k, s in enumerate(spans) if s.start < stop and s.stop > start]
    assert list(axis.homed(start, stop)) == [k for k, s in enumerate(spans) if start <= s.start < stop]


def test_a_weight_does_not_depend_on_the_part_that_is_asked_for() -> None:
    tiles = lattice((30, 20, 25), (8, 8, 8), overlap=0.4)
    whole = tiles.weight((1, 2, 0), (slice(0, 8),) * 3)
    for part in itertools.product([slice(0, 3), slice(5, 8)], repeat=3):
        assert np.array_equal(tiles.weight((1, 2, 0), part), whole[part])


def test_a_short_axis_is_padded_on_both_sides() -> None:
    tiles = lattice((3, 10), (8, 4), overlap=0.5)
    assert tiles.padding == ((2, 3), (0, 0))
    assert tiles.box((0, 1)) == (slice(0, 3), slice(2, 6))


@pytest.mark.parametrize(
    ("shape", "patch", "overlap", "said"),
    [
        ((10, 10), (4,), 0.5, "has 1 numbers"),
        ((10,), (4,), 1.0, "overlap 1:"),
        ((10,), (4,), -0.1, "overlap -0.1:"),
        ((10,), (0,), 0.5, "at least 1"),
        ((0,), (4,), 0.5, "at least 1"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(
    shape: tuple[int, ...], patch: tuple[int, ...], overlap: float, said: str
) -> None:
    with pytest.raises(DataError, match=said):
        lattice(shape, patch, overlap=overlap)
