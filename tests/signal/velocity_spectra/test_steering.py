"""Steering against its formulas, and in parts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import hankel2

from seisloom.errors import DataError
from seisloom.signal.velocity_spectra import steering
from seisloom.signal.velocity_spectra.phase_shift import phase_shift
from seisloom.signal.velocity_spectra.recorded import record
from seisloom.signal.velocity_spectra.wavenumber import mean_beam

from .waves import FREQUENCY_HZ, INTERVAL_S, OFFSETS_M, VELOCITY_M_S, plane_wave


def test_steering_turns_the_phases_of_its_own_wave_to_zero() -> None:
    kx = np.linspace(0.01, 400, 1000)
    np.testing.assert_allclose(steering.plane(kx) * np.exp(-1j * kx), 1, atol=2e-6)
    turned = steering.cylindrical(kx) * hankel2(0, kx)
    np.testing.assert_allclose(turned.imag, 0, atol=1e-9)
    assert (turned.real > 0).all()
    np.testing.assert_allclose(steering.hankel(kx), np.conj(hankel2(0, kx)))


def test_far_away_a_cylindrical_wave_is_a_plane_one_an_eighth_of_a_period_ahead() -> None:
    kx = np.linspace(100, 400, 50)
    # The next term of the phase is 1 / (8 k x)
    ahead = steering.plane(kx) * np.exp(-0.25j * np.pi)
    np.testing.assert_allclose(steering.cylindrical(kx), ahead, atol=1.3e-3)


def test_parts_of_the_frequencies_give_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = phase_shift(plane_wave(200.0), INTERVAL_S, OFFSETS_M, FREQUENCY_HZ, VELOCITY_M_S)
    monkeypatch.setattr(steering, "LARGEST_BYTES", 5 * 8 * len(VELOCITY_M_S) * len(OFFSETS_M))
    parts = phase_shift(plane_wave(200.0), INTERVAL_S, OFFSETS_M, FREQUENCY_HZ, VELOCITY_M_S)
    np.testing.assert_array_equal(parts.panel, whole.panel)


def test_another_geometry_has_other_steering() -> None:
    for offsets in (OFFSETS_M, OFFSETS_M + 1, 1.5 * OFFSETS_M):
        got = phase_shift(plane_wave(200.0, offsets), INTERVAL_S, offsets, FREQUENCY_HZ, VELOCITY_M_S)
        np.testing.assert_allclose(got.scale, 1, atol=1e-5)


@pytest.mark.parametrize("kernel", ["cylindrical", "hankel"])
def test_a_cylindrical_wave_has_no_phase_at_its_source(kernel: str) -> None:
    offsets = OFFSETS_M - OFFSETS_M[0]
    recorded = record(plane_wave(200.0, offsets), INTERVAL_S, offsets, FREQUENCY_HZ, VELOCITY_M_S)
    with pytest.raises(DataError, match="a trace lies at the source"):
        steering.sweep(mean_beam, recorded, kernel)
