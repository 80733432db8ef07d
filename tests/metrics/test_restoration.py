"""Measures of a restoration in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.metrics.restoration import (
    amplitude_slope,
    fk_leakage,
    frequency_shift,
    local_similarity,
    missing_snr_db,
    phase_rotation_deg,
    signal_leakage,
    snr_gain_db,
)

RNG = np.random.default_rng(0)
TRUE = RNG.normal(size=(12, 64))
LIVE = np.arange(12) % 3 > 0
TIME = np.arange(64)


def test_snr_counts_missing_traces_only() -> None:
    restored = np.where(LIVE[:, None], TRUE + 5, 0.9 * TRUE)
    assert missing_snr_db(restored, TRUE, LIVE) == pytest.approx(20)
    assert missing_snr_db(np.where(LIVE[:, None], TRUE, 0), TRUE, LIVE) == pytest.approx(0)
    assert np.isnan(missing_snr_db(TRUE, TRUE, np.ones(12, dtype=bool)))


def test_the_gain_is_the_share_of_noise_that_is_left_in_db() -> None:
    noise = RNG.normal(size=TRUE.shape)
    assert snr_gain_db(TRUE + 0.1 * noise, TRUE + noise, TRUE) == pytest.approx(20)
    assert snr_gain_db(TRUE + noise, TRUE + noise, TRUE) == 0


def test_amplitudes_are_measured_by_group_and_noise_across_the_signal_does_not_count() -> None:
    late = (TIME >= 32).astype(int)
    restored = TRUE * np.where(late, 0.8, 1.1)
    np.testing.assert_allclose(amplitude_slope(restored, TRUE, late), [1.1, 0.8])
    across = RNG.normal(size=TRUE.shape)
    across -= np.sum(across * TRUE) / np.sum(TRUE**2) * TRUE
    np.testing.assert_allclose(amplitude_slope(0.7 * TRUE + across, TRUE), [0.7])
    by_trace = amplitude_slope(TRUE * np.arange(12)[:, None], TRUE, np.arange(12)[:, None])
    np.testing.assert_allclose(by_trace, np.arange(12), atol=1e-12)
    assert np.isnan(amplitude_slope(np.zeros((2, 3)), np.zeros((2, 3)))).all()


@pytest.mark.parametrize("turned", [-120.0, -30.0, 0.0, 45.0, 90.0])
def test_a_phase_that_was_turned_is_found(turned: float) -> None:
    angle = 2 * np.pi * 8 / 64 * TIME
    true, restored = np.cos(angle)[None], 3 * np.cos(angle + np.radians(turned))[None]
    assert phase_rotation_deg(restored, true) == pytest.approx(turned, abs=1e-9)


def test_a_frequency_that_was_shifted_is_found() -> None:
    low, high = (np.cos(2 * np.pi * n / 64 * TIME)[None] for n in (8, 10))
    assert frequency_shift(high, low) == pytest.approx(0.25)
    assert frequency_shift(low, low) == pytest.approx(0)
    assert np.isnan(frequency_shift(low, np.zeros_like(low)))


def test_similarity_is_one_of_multiples_and_that_of_the_weights_elsewhere() -> None:
    np.testing.assert_allclose(local_similarity(TRUE, -2 * TRUE), 1)
    assert not local_similarity(TRUE, np.zeros_like(TRUE)).any()
    # Without any width it compares samples, and two numbers are always alike
    np.testing.assert_allclose(local_similarity(TRUE, TRUE[::-1], width=(1e-3, 1e-3)), 1)
    # Over all of a panel it is the correlation
    a, b = np.cos(2 * np.pi * TIME / 8) + np.zeros((64, 1)), np.cos(2 * np.pi * TIME / 8 + 1.0) + np.zeros((64, 1))
    np.testing.assert_allclose(local_similarity(a, b, width=(4, 40))[:, 28:36], np.cos(1.0), atol=0.02)


def test_signal_in_what_was_taken_off_is_seen() -> None:
    signal = np.cos(2 * np.pi * 0.1 * (np.arange(128) - 0.5 * np.arange(48)[:, None]))
    noise = 0.3 * RNG.normal(size=signal.shape)
    clean, smooth = signal_leakage(signal, signal + noise), signal_leakage(0.6 * signal, signal + noise)
    assert smooth["mean"] > clean["mean"] + 0.3
    assert clean["p95"] > clean["mean"]


def test_errors_in_the_fan_and_beyond_it_add_up_to_the_whole() -> None:
    trace = np.arange(16)[:, None]
    inside = np.cos(2 * np.pi * (8 * TIME / 64 - 2 * trace / 16))  # one sample a trace
    beyond = np.cos(2 * np.pi * (8 * TIME / 64 + 5 * trace / 16))
    leak = fk_leakage(inside * 0.9 + 0.2 * beyond, inside, (0.5, 1.5))
    assert leak["inside"] == pytest.approx(0.01)
    assert leak["outside"] == pytest.approx(0.04)
    for shape in ((7, 33), (8, 34)):  # with and without a Nyquist frequency
        true, error = RNG.normal(size=shape), RNG.normal(size=shape)
        parts = fk_leakage(true + error, true, (-1, 1))
        assert sum(parts.values()) == pytest.approx(np.sum(error**2) / np.sum(true**2), rel=1e-12)
    assert np.isnan(fk_leakage(true, np.zeros_like(true), (-1, 1))["inside"])


def test_panels_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="shape"):
        amplitude_slope(TRUE, TRUE[1:])
    with pytest.raises(DataError, match="finite"):
        local_similarity(TRUE, np.full_like(TRUE, np.nan))
    with pytest.raises(DataError, match="axes"):
        fk_leakage(TRUE[0], TRUE[0], (-1, 1))
