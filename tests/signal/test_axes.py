"""Which axis is time: found on synthetic volumes and on real sections, and never a good file refused."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import segyio
from scipy.ndimage import gaussian_filter
from scipy.signal.windows import gaussian

from seisloom.sample import Array
from seisloom.signal.axes import axis_verdict, look_along


def verdict(x: Array) -> str:
    return axis_verdict(look_along([x], x.ndim))


def folded(seed: int) -> Array:
    """Reflectivity along a smooth surface, with a wavelet: (inline, crossline, time)."""
    rng = np.random.default_rng(seed)
    relief = 6 * gaussian_filter(rng.normal(size=(40, 48)), 8, mode="wrap") * 8
    wavelet = np.diff(gaussian(13, 1.6), 2)
    trace = np.convolve(rng.normal(size=200), wavelet, "same")
    depth = np.arange(96) + 50 + relief[..., None]
    return np.asarray(np.interp(depth, np.arange(200), trace) + 0.05 * rng.normal(size=depth.shape))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_time_last_fits_and_another_axis_last_does_not(seed: int, order: tuple[int, ...]) -> None:
    assert verdict(folded(seed).transpose(order)) == ("fits" if order[-1] == 2 else "does not fit")


def test_what_swings_around_nothing_is_undecided() -> None:
    x = folded(0)
    for attribute in (np.abs(x), np.cumsum(np.ones_like(x), axis=-1), x > 1, np.zeros_like(x), x + 10):
        assert verdict(attribute) == "undecided"
    noise = np.random.default_rng(0).normal(size=(30, 40, 50))
    assert {verdict(noise.transpose(order)) for order in itertools.permutations(range(3))} == {"undecided"}
    assert verdict(x[:4, :4]) == "undecided", "axes of four samples tell nothing"


def test_a_sine_has_its_period() -> None:
    [look] = look_along([np.sin(2 * np.pi * np.arange(3000) / 12.5)], 1)
    assert look.period == pytest.approx(12.5, rel=2e-3)


def test_real_sections_fit_and_turned_ones_do_not(field_data: Path) -> None:
    def read(name: str) -> Array:
        with segyio.open(field_data / name, ignore_geometry=True) as opened:
            return np.asarray(opened.trace.raw[:])

    cube = read("interpretation/f3_cube_23x18x75.sgy").reshape(23, 18, 75)
    assert {verdict(cube), verdict(cube.transpose(1, 0, 2))} == {"fits"}
    for order in itertools.permutations(range(3)):
        if order[-1] != 2:
            assert verdict(cube.transpose(order)) == "does not fit"
    for name in ("interpretation/penobscot_xl1155.sgy", "restoration/teapot_dome_lineE.sgy"):
        line = read(name)
        assert verdict(line) == "fits"
        assert verdict(line.T) == "does not fit"
    gather = read("restoration/viking_small.segy")
    assert verdict(gather) == "fits"
    assert verdict(gather.T) == "undecided", "moveout makes traces swing along offset too"
