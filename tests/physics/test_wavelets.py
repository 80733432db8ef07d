"""Wavelets: where they begin, how large they are, which frequency they have."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.physics.wavelets import berlage, berlage_periods, kuepper, ricker

TIME_S = np.arange(-2000, 8000) * 1e-5


@pytest.mark.parametrize("rise", [0.8, 1.0, 2.0])
def test_berlage_is_zero_until_its_onset_and_not_after(rise: float) -> None:
    w = berlage(TIME_S, peak_hz=80, rise=rise, decay=2.0)
    assert not w[TIME_S <= 0].any()
    assert w[TIME_S > 0][0] != 0
    assert np.abs(w).max() == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("frequency_hz", [30.0, 80.0, 200.0])
def test_the_spectrum_of_berlage_is_largest_near_its_frequency(frequency_hz: float) -> None:
    w = berlage(TIME_S, peak_hz=frequency_hz, rise=1.0, decay=1.0)
    spectrum = np.abs(np.fft.rfft(w, 2**18))
    assert np.fft.rfftfreq(2**18, 1e-5)[spectrum.argmax()] == pytest.approx(frequency_hz, rel=0.05)


def test_frequencies_broadcast_over_traces() -> None:
    f = np.array([[30.0], [80.0]])
    np.testing.assert_allclose(berlage(TIME_S, peak_hz=f)[1], berlage(TIME_S, peak_hz=80))


def test_berlage_is_negligible_after_its_periods() -> None:
    n = berlage_periods(rise=1.5, decay=2.0)
    late_s = n / 80 + TIME_S[2000:]
    assert np.abs(berlage(late_s, peak_hz=80, rise=1.5, decay=2.0)).max() < 2e-4


def test_kuepper_has_its_duration_and_smooth_ends() -> None:
    w = kuepper(TIME_S, duration_s=0.02)
    assert np.abs(w).max() == pytest.approx(1.0, abs=1e-3)
    assert not w[(TIME_S <= 0) | (TIME_S >= 0.02)].any()
    assert np.abs(np.diff(w)).max() < 0.01


def test_ricker_has_unit_peak_and_its_zeros() -> None:
    assert ricker(np.zeros(1), peak_hz=40)[0] == 1.0
    zero = 1 / (np.sqrt(2) * np.pi * 40)
    np.testing.assert_allclose(ricker(np.array([-zero, zero]), peak_hz=40), 0, atol=1e-12)
    assert np.sum(ricker(TIME_S, peak_hz=200)) * 1e-5 == pytest.approx(0.0, abs=1e-8)
