"""Semblance along slopes: closed forms of plane reflectors, and a fault that is found where it is."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.physics.volumes.box import make_box
from seisloom.physics.volumes.draw import draw_volume
from seisloom.physics.volumes.priors import VolumePriors
from seisloom.sample import Array
from seisloom.signal.discontinuity import QUIET, discontinuity, fault_lines, recorded, reflector_slopes, stands_out


def plane(slopes: tuple[float, ...], shape: tuple[int, ...]) -> Array:
    """Reflectors of period 12 samples that fall by so many samples a trace along each lateral axis."""
    *lateral, time = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    depth = time - sum(slope * axis for slope, axis in zip(slopes, lateral, strict=True))
    return np.sin(2 * np.pi * depth / 12)


@pytest.mark.parametrize("slopes", [(0.0,), (0.7,), (-1.2,), (0.4, -0.6)])
def test_slopes_of_plane_reflectors_are_found(slopes: tuple[float, ...]) -> None:
    values = plane(slopes, (24, 26, 60)[-1 - len(slopes) :])
    inner = tuple(slice(8, -8) for _ in values.shape)
    for found, slope in zip(reflector_slopes(values), slopes, strict=True):
        assert np.abs(found[inner] - slope).max() < 0.05


def test_plane_reflectors_are_whole_and_a_break_is_where_it_is() -> None:
    values = plane((0.5,), (60, 60))
    inner = (slice(6, -6), slice(8, -8))
    assert discontinuity(values)[inner].max() < 0.02
    broken = values.copy()
    broken[30:] = plane((0.5,), (60, 70))[30:, 6:66]  # half a period: the other polarity
    found = discontinuity(broken)[:, 10:-10].mean(axis=-1)
    assert abs(float(found.argmax()) - 29.5) <= 2  # the window of five traces
    assert found[28:32].min() > 0.5 / (1 + QUIET)
    assert np.delete(found, range(25, 35))[6:-6].max() < 0.1


def test_what_was_recorded_is_told_from_padding() -> None:
    values = np.array([[0, 1, 0, 2, 0], [0, 0, 0, 0, 0], [3, 0, 0, 0, 4]])
    np.testing.assert_array_equal(recorded(values), [[0, 1, 1, 1, 0], [0] * 5, [1] * 5])


def test_gain_and_polarity_change_nothing() -> None:
    values = plane((0.3,), (40, 50)) + 0.3 * np.random.default_rng(0).normal(size=(40, 50))
    for gain in (1e3, 1e-6, -1.0):
        np.testing.assert_allclose(discontinuity(gain * values), discontinuity(values), atol=1e-9)
    assert discontinuity(np.zeros((9, 9))).max() == 0


def test_padding_breaks_nothing_in_it_nor_beside_it() -> None:
    values = plane((0.5,), (60, 70))
    values[:, 50:] = 0
    for k in range(60):
        values[k, : 10 + k // 3] = 0  # a mute that crosses reflectors
    values[25:28] = 0
    found = discontinuity(values)
    assert found[~recorded(values)].max() == 0
    assert found.max() < 0.06  # but for what slopes lack where few samples are left


def test_a_zone_far_below_the_level_of_the_survey_is_quiet() -> None:
    noise = np.random.default_rng(0).normal(size=(40, 60))
    assert np.median(discontinuity(noise, level=1.0)) > 0.6
    assert np.median(discontinuity(0.03 * noise, level=1.0)) < 0.02


def test_a_line_stands_out_of_what_is_usual_around_it() -> None:
    breaks = np.full((40, 40), 0.1)
    there = np.ones((40, 40), bool)
    np.testing.assert_allclose(stands_out(breaks, breaks, there), 0, atol=1e-12)
    breaks[20] = 0.7
    found = stands_out(breaks, breaks, there)
    assert found[20].min() > 1
    assert np.delete(found, 20, axis=0).max() < 0
    there[:, :15] = False
    np.testing.assert_allclose(stands_out(breaks, breaks, there)[:, 15:], found[:, 15:], atol=1e-9)


@pytest.mark.parametrize("dip", [66.0, 90.0, 114.0])
def test_lines_have_their_dip(dip: float) -> None:
    breaks = np.zeros((40, 40))
    along = np.arange(-16, 17)
    rows, columns = np.round(20 + along * np.cos(np.deg2rad(dip))), np.round(20 + along * np.sin(np.deg2rad(dip)))
    breaks[rows.astype(int), columns.astype(int)] = 1
    mean, found = fault_lines(breaks)
    assert mean[20, 20] > 0.8
    assert abs(found[20, 20] - dip) <= 4


def test_a_synthetic_fault_stands_out_in_three_dimensions() -> None:
    priors = VolumePriors(
        styles=("through",), n_faults=(1, 1), throw_samples=(8, 8), noise_ratio=(0, 0), p_dim=0, p_flexure=0, p_sag=0,
        p_burst=0, relief_samples=(2, 4), dip_degrees=(80, 88),
    )  # fmt: skip
    arrays = make_box(draw_volume((24, 40, 48), 3, priors))
    breaks = discontinuity(arrays["seismic"])
    on = arrays["fault"] > 0
    assert on.any()
    assert breaks[on].mean() > 3 * breaks[~on].mean()
