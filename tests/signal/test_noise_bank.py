"""Field noise is taken from before the first arrivals, and from nowhere else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seisloom.augment.bank import Bank
from seisloom.errors import DataError
from seisloom.signal.noise_bank import (
    LARGEST_RISE_DB,
    energy_onset,
    noise_coherence,
    noise_windows,
    side_by_side,
)


def gather(n_trace: int = 40, n_time: int = 600, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Noise of deviation 1, and after a slope of onsets a signal 100 times as large."""
    rng = np.random.default_rng(seed)
    traces = rng.standard_normal((n_trace, n_time))
    onset = np.linspace(150, 450, n_trace)
    t = np.arange(n_time)
    late = t >= onset[:, None]
    return traces + 100 * late * np.sin(0.3 * (t - onset[:, None])), onset


def test_no_window_reaches_an_arrival() -> None:
    traces, onset = gather()
    windows = noise_windows(traces, onset, shape=(10, 60), guard=10)
    # Blocks of ten traces, of which the first arrives first: as many windows as fit before it
    expected = sum(int(onset[first] - 10) // 60 for first in range(0, 40, 10))
    assert windows.shape == (expected, 10, 60)
    assert windows.dtype == np.float32
    np.testing.assert_allclose(np.sqrt((windows.astype(float) ** 2).mean(axis=(1, 2))), 1.0, rtol=1e-6)
    np.testing.assert_allclose(windows.mean(axis=2), 0.0, atol=1e-6)
    # Of an arrival nothing is seen: noise of deviation 1 is never 6
    assert np.abs(windows).max() < 6


def test_windows_keep_the_levels_of_their_traces() -> None:
    traces, onset = gather()
    traces[3] *= 5
    windows = noise_windows(traces, onset, shape=(10, 100), guard=10)
    level = windows[0].std(axis=1)
    assert level[3] / np.median(level) == pytest.approx(5.0, rel=0.3)


def test_dead_traces_and_short_beginnings_give_none() -> None:
    traces, onset = gather()
    assert noise_windows(traces, onset, shape=(10, 500)).shape == (0, 10, 500)
    traces[15] = 0.0
    one = noise_windows(traces, onset, shape=(10, 60), guard=10)
    all_of_them = noise_windows(gather()[0], onset, shape=(10, 60), guard=10)
    assert 0 < len(one) < len(all_of_them)
    silent = np.random.default_rng(0).standard_normal((40, 600))
    silent[15] = 0.0
    assert len(noise_windows(silent, np.full(40, np.nan), shape=(10, 60))) == 3 * 10
    assert len(noise_windows(silent, np.full(40, np.nan), shape=(10, 60), most=4)) == 4
    with pytest.raises(DataError, match="noise windows"):
        noise_windows(traces, onset[:3], shape=(10, 60))


def test_the_rise_of_energy_is_found_near_the_onset() -> None:
    traces, onset = gather()
    found = energy_onset(traces, fs_hz=500.0, window_s=0.05)
    assert np.abs(found - onset).max() < 15
    traces[7] = 0.0
    assert np.isnan(energy_onset(traces, fs_hz=500.0)[7])
    # A beginning that is exactly silent, as after a mute
    traces[8, :300] = 0.0
    assert energy_onset(traces, fs_hz=500.0, window_s=0.05)[8] == pytest.approx(300, abs=15)
    with pytest.raises(DataError, match="do not fit"):
        energy_onset(traces, fs_hz=500.0, window_s=1.0)


def test_windows_make_a_bank_that_is_read(tmp_path: Path) -> None:
    traces, onset = gather()
    windows = noise_windows(traces, onset, shape=(10, 60), guard=10)
    np.savez(tmp_path / "noise.npz", x=windows, keys=[f"gather/{k:04d}" for k in range(len(windows))])
    bank = Bank.read(tmp_path / "noise.npz")
    assert len(bank) == len(windows)
    assert np.array_equal(bank.arrays["x"], windows)


def test_a_window_with_an_arrival_that_was_missed_is_left_out() -> None:
    traces, onset = gather()
    rng = np.random.default_rng(1)
    early = traces.copy()
    early[:, 100:] += 10 * rng.standard_normal((40, 500))  # what comes before the strongest rise
    kept = noise_windows(early, onset, shape=(10, 60), guard=10)
    # Of windows across its beginning none is left, of those before and after it all are
    assert 0 < len(kept) < len(noise_windows(traces, onset, shape=(10, 60), guard=10))
    quarters = [np.sum(one.reshape(10, 4, 15) ** 2, axis=(0, 2)) for one in kept]
    assert max(one[3] / one[0] for one in quarters) <= 10 ** (LARGEST_RISE_DB / 10)


def test_narrow_windows_make_wide_records_in_the_order_they_come() -> None:
    one, two = np.arange(5 * 4 * 3.0).reshape(5, 4, 3), 100 + np.arange(2 * 5 * 3.0).reshape(2, 5, 3)
    records = side_by_side([one, two], 12)
    assert records.shape == (2, 12, 3)
    np.testing.assert_array_equal(records[0], one[:3].reshape(12, 3))
    np.testing.assert_array_equal(records[1], np.concatenate([one[3], one[4], two[0]])[:12])
    assert side_by_side([one[:2]], 12).shape == (0, 12, 3)
    with pytest.raises(DataError, match="no wider, of one length"):
        side_by_side([one, two[..., :2]], 12)
    with pytest.raises(DataError, match="no wider, of one length"):
        side_by_side([one], 3)


def shared(n_trace: int = 24, n_time: int = 600, *, share: float, seed: int = 0) -> np.ndarray:
    """Noise of which a share of the power goes along the line, by 2 samples a trace."""
    rng = np.random.default_rng(seed)
    wave = rng.standard_normal(n_time + 2 * n_trace)
    moved = np.stack([wave[2 * k : 2 * k + n_time] for k in range(n_trace)])
    return np.sqrt(share) * moved + np.sqrt(1 - share) * rng.standard_normal((n_trace, n_time))


@pytest.mark.parametrize("share", [0.3, 0.6, 1.0])
def test_coherence_is_the_share_of_the_power_that_neighbours_have_in_common(share: float) -> None:
    # Of 600 samples a correlation errs by 1 / sqrt(600) = 0.04; of 17 lags the largest by about twice that
    assert noise_coherence(shared(share=share)) == pytest.approx(share, abs=0.08)


@pytest.mark.parametrize("exponent", [0.0, 2.0])
def test_noise_of_each_trace_alone_has_no_coherence_whatever_its_colour(exponent: float) -> None:
    spectrum = np.fft.rfft(np.random.default_rng(3).standard_normal((48, 200)))
    f = np.maximum(np.arange(spectrum.shape[1]), 1)
    assert abs(noise_coherence(np.fft.irfft(spectrum * f ** (-exponent / 2), n=200))) < 0.1
    assert np.isnan(noise_coherence(np.ones((1, 200))))
    assert np.isnan(noise_coherence(np.zeros((5, 200))))
