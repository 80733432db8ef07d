"""Field noise is taken from before the first arrivals, and from nowhere else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seisloom.augment.bank import Bank
from seisloom.errors import DataError
from seisloom.signal.noise_bank import energy_onset, noise_windows


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
    assert len(noise_windows(traces, np.full(40, np.nan), shape=(10, 60))) == 3 * 10
    assert len(noise_windows(traces, np.full(40, np.nan), shape=(10, 60), most=4)) == 4
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
