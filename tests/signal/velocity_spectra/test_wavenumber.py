"""Sums along a spread: modes told apart, ghosts where they belong, and the slant stack in time."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.signal.velocity_spectra.limits import array_limits
from seisloom.signal.velocity_spectra.recorded import spectra_at
from seisloom.signal.velocity_spectra.wavenumber import fk, slant_stack, wavenumber_panel

from .waves import (
    FREQUENCY_HZ,
    INTERVAL_S,
    LENGTH_M,
    OFFSETS_M,
    VELOCITY_M_S,
    add_noise,
    gather_of,
    plane_field,
    plane_wave,
)


@pytest.mark.parametrize("apart", [0.5, 0.7, 1.1, 1.5])
def test_two_modes_show_two_ridges_where_they_are_separable(apart: float) -> None:
    at = 20  # a frequency of the panel
    f = FREQUENCY_HZ[at]
    k = 0.9 + np.array([0, apart]) * 2 * np.pi / LENGTH_M
    slow, fast = 2 * np.pi * f / k[1], 2 * np.pi * f / k[0]
    # A quarter of a period apart at the middle of the spread: neither with nor against each other
    delay = np.exp(1j * (0.5 * np.pi + np.diff(k)[0] * OFFSETS_M.mean()))
    x = gather_of(plane_field(fast) + delay * plane_field(slow))
    got = fk(x, INTERVAL_S, OFFSETS_M, FREQUENCY_HZ, np.linspace(80, 400, 600))
    column = got.panel[:, at]
    ridges = (column[1:-1] > column[:-2]) & (column[1:-1] > column[2:]) & (column[1:-1] > 0.6)
    separable = got.limits.is_separable(np.array([f]), np.array([[slow], [fast]]))
    assert ridges.sum() == (2 if separable.all() else 1)
    assert separable.all() == (apart > 1)


def test_the_f_k_spectrum_is_the_wavenumber_panel_at_k_of_each_velocity() -> None:
    x = add_noise(plane_wave(200.0), 0.2)
    got = fk(x, INTERVAL_S, OFFSETS_M, FREQUENCY_HZ, VELOCITY_M_S, normalise="overall")
    for j in (0, 20, 50):
        k = 2 * np.pi * FREQUENCY_HZ[j] / VELOCITY_M_S
        expected = wavenumber_panel(x, INTERVAL_S, OFFSETS_M, FREQUENCY_HZ[j : j + 1], k)[:, 0]
        np.testing.assert_allclose((got.panel * got.scale)[:, j], expected, atol=1e-5 * expected.max())


def test_a_wavenumber_panel_repeats_beyond_2_pi_over_the_spacing() -> None:
    x, k = plane_wave(200.0), np.linspace(0, 3, 50)
    first, second = (wavenumber_panel(x, INTERVAL_S, OFFSETS_M, FREQUENCY_HZ, k + m * np.pi) for m in (0, 1))
    np.testing.assert_allclose(first, second, atol=1e-9 * first.max())


def test_ghosts_appear_where_the_limits_say() -> None:
    offsets = 10.0 + 6.0 * np.arange(12)
    x, limits = plane_wave(100.0, offsets), array_limits(offsets)
    k_ghost = 2 * np.pi * FREQUENCY_HZ / 100 - 2 * np.pi / 6
    ghost = 2 * np.pi * FREQUENCY_HZ / np.where(k_ghost > 0, k_ghost, np.nan)
    aliased = limits.is_aliased(FREQUENCY_HZ, np.full(len(FREQUENCY_HZ), 100.0), slowest_m_s=80, fastest_m_s=598)
    inside = (ghost >= 80) & (ghost <= 598)
    np.testing.assert_array_equal(aliased, inside)
    for j in np.flatnonzero(inside):
        both = np.unique([100.0, ghost[j]])
        np.testing.assert_allclose(fk(x, INTERVAL_S, offsets, FREQUENCY_HZ[j : j + 1], both).panel, 1, rtol=1e-5)


def test_the_slant_stack_is_that_of_traces_shifted_in_time() -> None:
    x, velocity = add_noise(plane_wave(200.0), 0.2), np.array([150.0, 200.0, 300.0])
    got = slant_stack(x, INTERVAL_S, OFFSETS_M, FREQUENCY_HZ, velocity, normalise="overall")
    root, bins = np.sqrt(OFFSETS_M), np.fft.rfftfreq(512, INTERVAL_S)
    for i, c in enumerate(velocity):
        spectra = np.fft.rfft(x) * np.exp(2j * np.pi * bins * OFFSETS_M[:, None] / c)
        stack = (root[:, None] * np.fft.irfft(spectra, 512)).sum(axis=0) / root.sum()
        expected = np.abs(spectra_at(stack, INTERVAL_S, FREQUENCY_HZ))
        np.testing.assert_allclose((got.panel * got.scale)[i], expected, atol=1e-5 * expected.max())


def test_a_wavenumber_panel_takes_no_broken_traces() -> None:
    with pytest.raises(DataError, match="not finite"):
        wavenumber_panel(np.full((24, 512), np.nan), INTERVAL_S, OFFSETS_M, FREQUENCY_HZ, np.ones(1))
