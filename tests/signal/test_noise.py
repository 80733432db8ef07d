"""The one SNR formula: closed forms and every edge of its windows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seisloom.errors import DataError
from seisloom.signal.noise import snr_db


def square_wave(amplitude: float, n_time: int) -> np.ndarray:
    return amplitude * np.where(np.arange(n_time) % 2, -1.0, 1.0)


def test_ten_times_the_amplitude_is_20_db() -> None:
    x = np.r_[square_wave(1, 100), square_wave(10, 100)]
    assert snr_db(x, 100, fs_hz=100, signal_s=0.5, noise_s=0.5) == pytest.approx(20.0)
    assert snr_db(x + 1e4, 100, fs_hz=100, signal_s=0.5, noise_s=0.5) == pytest.approx(20.0)


def test_only_the_two_windows_count() -> None:
    x = np.r_[np.full(50, 1e9), square_wave(1, 50), square_wave(10, 50), np.full(50, 1e9)]
    assert snr_db(x, 100, fs_hz=100, signal_s=0.5, noise_s=0.5) == pytest.approx(20.0)


def test_traces_and_onsets_are_taken_together() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 4, 200))
    onset = rng.integers(60, 140, (3, 4))
    together = snr_db(x, onset, fs_hz=100, signal_s=0.6, noise_s=0.3)
    one_by_one = [
        [float(snr_db(x[i, j], onset[i, j], fs_hz=100, signal_s=0.6, noise_s=0.3)) for j in range(4)] for i in range(3)
    ]
    np.testing.assert_allclose(together, one_by_one)


@pytest.mark.parametrize(("onset", "defined"), [(9, False), (10, True), (180, True), (181, False), (np.nan, False)])
def test_nan_where_a_window_leaves_the_trace(onset: float, defined: bool) -> None:
    x = np.random.default_rng(0).standard_normal(200)
    assert np.isfinite(snr_db(x, onset, fs_hz=100, signal_s=0.2, noise_s=0.1)) == defined


def test_a_trace_shorter_than_the_windows_is_nan() -> None:
    assert np.isnan(snr_db(np.ones((2, 5)), 3, fs_hz=100, signal_s=0.2, noise_s=0.1)).all()


def test_silence_has_its_rules() -> None:
    loud, silent = square_wave(1, 50), np.full(50, 0.1)
    x = np.stack([np.r_[silent, loud], np.r_[loud, 0 * loud], np.r_[silent, silent]])
    got = snr_db(x, 50, fs_hz=100, signal_s=0.5, noise_s=0.5)
    assert got[0] == np.inf
    assert got[1] == -np.inf
    assert np.isnan(got[2])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_sample_that_is_not_finite_gives_nan(bad: float) -> None:
    x = np.random.default_rng(0).standard_normal(200)
    x[95] = bad
    assert np.isnan(snr_db(x, 100, fs_hz=100, signal_s=0.2, noise_s=0.1))
    assert np.isfinite(snr_db(x, 150, fs_hz=100, signal_s=0.2, noise_s=0.1))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(1e-6, 1e6), st.integers(0, 90))
def test_gain_and_place_do_not_matter(seed: int, gain: float, shift: int) -> None:
    x = np.random.default_rng(seed).standard_normal(200)
    moved = np.r_[np.zeros(shift), gain * x]
    here = snr_db(x, 100, fs_hz=100, signal_s=0.2, noise_s=0.1)
    assert snr_db(moved, 100 + shift, fs_hz=100, signal_s=0.2, noise_s=0.1) == pytest.approx(float(here))


def test_windows_without_a_sample_are_refused() -> None:
    with pytest.raises(DataError, match="no sample"):
        snr_db(np.ones(100), 50, fs_hz=10, signal_s=0.01, noise_s=1)
