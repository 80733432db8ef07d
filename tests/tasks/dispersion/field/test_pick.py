"""Classical pickers of dispersion curves against spectra that are known."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.velocity_spectra.limits import array_limits
from seisloom.signal.velocity_spectra.phase_shift import phase_shift
from seisloom.tasks.dispersion.field.pick import HEIGHT, CurvePicks, argmax, ridge

FREQUENCY_HZ = np.arange(5.0, 40.1, 0.5)
VELOCITY_M_S = np.linspace(80, 600, 261)
FUNDAMENTAL = 120 + 200 * np.exp(-(FREQUENCY_HZ - 5) / 8)
HIGHER = FUNDAMENTAL * 1.8
OFFSETS_M = 10 + 2.0 * np.arange(24)
LIMITS = array_limits(OFFSETS_M)


def bump(curve: Array, height: float | Array = 1.0, width: float = 0.08) -> Array:
    """Return a ridge along a curve, (velocity, frequency)."""
    return np.asarray(height * np.exp(-((np.log(VELOCITY_M_S[:, None] / curve) / width) ** 2)))


def waves(*curves: Array) -> Array:
    """Return a gather of plane waves, one a curve, (trace, time) at 500 Hz."""
    hz = np.fft.rfftfreq(1000, 0.002)
    inside = (hz >= 4) & (hz <= 45)
    total = np.zeros((len(OFFSETS_M), len(hz)), dtype=complex)
    for curve in curves:
        c = np.interp(hz, FREQUENCY_HZ, curve)
        total += inside * np.exp(-2j * np.pi * hz * OFFSETS_M[:, None] / c)
    return np.fft.irfft(total, 1000)


def test_argmax_finds_a_curve_between_the_velocities_of_the_raster() -> None:
    picks = argmax(bump(FUNDAMENTAL), VELOCITY_M_S, FREQUENCY_HZ)
    # steps of 2 m/s: without the parabola half a step is the rule
    assert np.abs(picks.velocity_m_s[0] - FUNDAMENTAL).max() < 0.15
    assert ((picks.low_m_s < picks.velocity_m_s) & (picks.velocity_m_s < picks.high_m_s)).all()


def test_interval_ends_where_the_spectrum_falls_to_its_height() -> None:
    picks = argmax(bump(np.full(71, 200.0), width=0.1), VELOCITY_M_S, FREQUENCY_HZ)
    half = 0.1 * np.sqrt(-np.log(HEIGHT))
    np.testing.assert_allclose(np.log(picks.high_m_s[0] / 200), half, rtol=0.05)
    np.testing.assert_allclose(np.log(200 / picks.low_m_s[0]), half, rtol=0.05)


def test_ridge_follows_the_curve_where_a_jump_is_brighter_and_argmax_does_not() -> None:
    panel = bump(FUNDAMENTAL, 0.9)
    panel[:, 30:34] = np.maximum(panel[:, 30:34], bump(HIGHER)[:, 30:34])
    followed = ridge(panel, VELOCITY_M_S, FREQUENCY_HZ, limits=LIMITS, longest=5).velocity_m_s[0]
    brightest = argmax(panel, VELOCITY_M_S, FREQUENCY_HZ).velocity_m_s[0]
    assert np.nanmax(np.abs(followed / FUNDAMENTAL - 1)) < 0.02
    assert np.abs(brightest[30:34] / HIGHER[30:34] - 1).max() < 0.02


def test_ridge_abstains_where_there_is_no_peak() -> None:
    panel = bump(FUNDAMENTAL)
    panel[:, 40:55] = 0.3  # flat: no peak at all
    found = ridge(panel, VELOCITY_M_S, FREQUENCY_HZ).velocity_m_s[0]
    assert np.isnan(found[40:55]).all()
    assert np.isfinite(found[:40]).all()
    assert np.isfinite(found[55:]).all()


def test_two_ridges_come_in_order_of_velocity_though_the_faster_is_brighter() -> None:
    picks = ridge(bump(FUNDAMENTAL, 0.7) + bump(HIGHER), VELOCITY_M_S, FREQUENCY_HZ, n_modes=3)
    for row, curve in zip(picks.velocity_m_s, (FUNDAMENTAL, HIGHER), strict=False):
        assert np.nanmax(np.abs(row / curve - 1)) < 0.03
    assert np.isnan(picks.velocity_m_s[2]).all()


def test_wavelengths_are_within_those_of_the_spread() -> None:
    picks = argmax(bump(FUNDAMENTAL), VELOCITY_M_S, FREQUENCY_HZ, limits=LIMITS, longest=0.5)
    wavelength = picks.velocity_m_s[0] / FREQUENCY_HZ
    assert np.nanmax(wavelength) <= 0.5 * LIMITS.length_m * 1.01


@pytest.mark.parametrize("method", [argmax, ridge])
def test_a_plane_wave_is_picked_and_its_ghost_is_not(method: object) -> None:
    slow = np.full(len(FREQUENCY_HZ), 90.0)  # its wavelength is less than the spacing of 4 m from 22.5 Hz on
    offsets = 10 + 4.0 * np.arange(24)
    time_s = np.arange(1000) * 0.002
    hz = np.fft.rfftfreq(1000, 0.002)
    phases = ((hz >= 4) & (hz <= 45)) * np.exp(-2j * np.pi * hz * offsets[:, None] / 90.0)
    gather = np.fft.irfft(phases, len(time_s))
    spectrum = phase_shift(gather, 0.002, offsets, FREQUENCY_HZ, VELOCITY_M_S)
    picks = method(spectrum.panel, VELOCITY_M_S, FREQUENCY_HZ, limits=spectrum.limits)  # type: ignore[operator]
    found = np.isfinite(picks.velocity_m_s[0])
    assert np.abs(picks.velocity_m_s[0] / slow - 1)[found].max() < 0.03
    assert found[FREQUENCY_HZ < 20].all()


def test_the_interval_holds_the_wave_of_a_gather() -> None:
    spectrum = phase_shift(waves(FUNDAMENTAL), 0.002, OFFSETS_M, FREQUENCY_HZ, VELOCITY_M_S)
    picks = ridge(spectrum.panel, VELOCITY_M_S, FREQUENCY_HZ, limits=spectrum.limits)
    there = np.isfinite(picks.velocity_m_s[0])
    inside = (picks.low_m_s[0] <= FUNDAMENTAL) & (picks.high_m_s[0] >= FUNDAMENTAL)
    assert inside[there].mean() > 0.9


def test_an_empty_spectrum_has_no_picks() -> None:
    zero = np.zeros((len(VELOCITY_M_S), len(FREQUENCY_HZ)))
    assert np.isnan(argmax(zero, VELOCITY_M_S, FREQUENCY_HZ).velocity_m_s).all()
    assert np.isnan(ridge(zero, VELOCITY_M_S, FREQUENCY_HZ, n_modes=2).velocity_m_s).all()


@pytest.mark.parametrize("method", [argmax, ridge])
def test_bad_spectra_are_refused(method: object) -> None:
    panel = bump(FUNDAMENTAL)
    for bad, said in ((panel.T, "velocity, frequency"), (np.where(panel > 0.5, np.nan, panel), "not finite")):
        with pytest.raises(DataError, match=said):
            method(bad, VELOCITY_M_S, FREQUENCY_HZ)  # type: ignore[operator]


def test_curves_check_their_shapes() -> None:
    one = np.ones((1, 3))
    with pytest.raises(DataError, match="ascend"):
        CurvePicks(np.array([1.0, 1.0, 2.0]), one, one, one, one)
    with pytest.raises(DataError, match="do not fit"):
        CurvePicks(np.array([1.0, 2.0]), one, one, one, one)
    with pytest.raises(DataError, match="level"):
        CurvePicks(np.array([1.0, 2.0, 3.0]), one, one, one, one, level=90)
