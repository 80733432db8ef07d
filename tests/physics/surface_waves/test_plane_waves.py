"""Modes as plane waves: when they arrive, how strong they are, and where they are silent."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.physics.surface_waves.acquisition import Source
from seisloom.physics.surface_waves.plane_waves import (
    mode_weights,
    plane_wave_gather,
    plane_wave_spectra,
    velocity_at,
)
from seisloom.physics.wavelets import ormsby_spectrum

FS = 250.0
OFFSETS = np.array([0.0, 10.0, 25.0, 60.0])
FLAT_HZ = np.array([0.5, 120.0])


def test_a_wave_without_dispersion_arrives_at_offset_over_velocity() -> None:
    gather = plane_wave_gather(FLAT_HZ, np.array([[250.0, 250.0]]), OFFSETS, n_time=500, fs_hz=FS)
    np.testing.assert_array_equal(gather.argmax(axis=1), OFFSETS / 250.0 * FS)
    for trace, offset in zip(gather, OFFSETS, strict=True):
        np.testing.assert_allclose(trace, np.roll(gather[0], int(offset / 250.0 * FS)), atol=1e-12)


def test_weights_are_those_of_the_seed() -> None:
    np.testing.assert_allclose(mode_weights(3), [1.0, 2**-0.8, 3**-0.8])


def test_spectra_are_the_formula() -> None:
    f = np.array([5.0, 10.0, 20.0])
    c = np.array([[200.0, 180.0, 150.0], [np.nan, 400.0, 300.0]])
    spectra = plane_wave_spectra(c, f, OFFSETS)
    for j, x in enumerate(OFFSETS):
        for i in range(3):
            modes = [(m + 1) ** -0.8 * np.exp(-2j * np.pi * f[i] * x / c[m, i]) for m in range(2) if c[m, i] > 0]
            assert spectra[j, i] == pytest.approx(sum(modes))


def test_the_gather_has_the_source_and_no_waves_where_no_mode_exists() -> None:
    curve_hz = np.arange(8.0, 30.5, 0.5)
    gather = plane_wave_gather(curve_hz, np.linspace(300, 150, len(curve_hz)), OFFSETS, n_time=500, fs_hz=FS)
    amplitude = np.abs(np.fft.rfft(gather))
    f = np.fft.rfftfreq(500, 1 / FS)
    exists = (f >= 8) & (f <= 30)
    np.testing.assert_allclose(amplitude[:, ~exists], 0, atol=1e-10)
    expected = ormsby_spectrum(f[exists], corners_hz=(2, 4, 38, 40))
    np.testing.assert_allclose(amplitude[:, exists], np.broadcast_to(expected, (4, exists.sum())), atol=1e-10)


def test_any_source_can_be_given() -> None:
    source = Source(kind="ricker", peak_hz=15.0)
    c = np.array([[250.0, 250.0]])
    gather = plane_wave_gather(FLAT_HZ, c, OFFSETS, n_time=500, fs_hz=FS, spectrum=source.spectrum)
    f = np.fft.rfftfreq(500, 1 / FS)
    assert f[np.abs(np.fft.rfft(gather[1])).argmax()] == 15.0


def test_curves_are_linear_where_known_on_both_sides_and_nan_elsewhere() -> None:
    curve = velocity_at(
        np.array([4.0, 5.0, 7.5, 10.0, 12.0, 15.0, 25.0, 31.0]),
        np.array([5.0, 10.0, 15.0, 20.0, 30.0]),
        np.array([[400.0, 300.0, np.nan, 200.0, 100.0]]),
    )
    np.testing.assert_array_equal(curve, [[np.nan, 400, 350, 300, np.nan, np.nan, 150, np.nan]])


def test_input_that_does_not_fit_says_so() -> None:
    f = np.array([5.0, 10.0])
    with pytest.raises(DataError, match=r"\(mode, frequency\) has shape \(1, 3\)"):
        plane_wave_spectra(np.ones((1, 3)), f, OFFSETS)
    with pytest.raises(DataError, match="mode 0 has 0 m/s at 10 Hz; write NaN"):
        plane_wave_spectra(np.array([[100.0, 0.0]]), f, OFFSETS)
    with pytest.raises(DataError, match="must rise"):
        velocity_at(f, f[::-1], np.ones(2))
    with pytest.raises(DataError, match="curve_m_s"):
        velocity_at(f, f, np.ones(3))
