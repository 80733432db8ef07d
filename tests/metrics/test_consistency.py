import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.metrics.consistency import correlation_lag, near_repeat_consistency

FS_HZ = 4000.0


def gather(onset_s: np.ndarray, noise: float = 0.0, seed: int = 0) -> np.ndarray:
    """A Ricker wavelet of 80 Hz at each onset, shape (trace, 800)."""
    time = np.arange(800) / FS_HZ
    arg = (np.pi * 80 * (time - onset_s[:, None])) ** 2
    return (1 - 2 * arg) * np.exp(-arg) + noise * np.random.default_rng(seed).normal(size=(onset_s.size, 800))


@pytest.mark.parametrize("lag_samples", [-12.0, 0.0, 3.0, 7.4])
def test_the_lag_of_a_shifted_wavelet_is_found_between_samples(lag_samples: float) -> None:
    one, other = gather(np.array([0.1, 0.1 + lag_samples / FS_HZ]))
    correlation, lag = correlation_lag(one, other, max_lag=40)
    assert correlation > 0.99
    assert lag == pytest.approx(lag_samples, abs=0.05)  # a parabola through a smooth peak


def test_a_silent_trace_correlates_with_nothing() -> None:
    assert correlation_lag(np.zeros(50), np.ones(50), max_lag=5) == (0.0, 0.0)


def test_picks_that_follow_the_waveform_are_consistent_and_shifted_ones_are_not() -> None:
    onset = np.array([0.1, 0.101, 0.0985, 0.1, 0.12])
    station = np.array(["a", "a", "a", "b", "b"])
    found = near_repeat_consistency(gather(onset), onset + 0.004, station=station, fs_hz=FS_HZ)
    assert found["n_pairs"] == 3  # the pair of station b lies at the end of the lags that are tried
    assert found["within_1"] == 1
    moved = onset + np.array([0, 8, 0, 0, 0]) / FS_HZ
    found = near_repeat_consistency(gather(onset), moved, station=station, fs_hz=FS_HZ)
    assert found["within_5"] == pytest.approx(1 / 3)
    assert found["median_abs"] == pytest.approx(8, abs=0.1)


def test_pairs_that_differ_or_have_no_pick_are_not_judged() -> None:
    traces = gather(np.array([0.1, 0.1, 0.1]))
    traces[2] = np.random.default_rng(0).normal(size=800)
    found = near_repeat_consistency(traces, np.array([0.1, np.nan, 0.1]), station=np.zeros(3), fs_hz=FS_HZ)
    assert (found["n_pairs"], found["n_pairs_unpicked"]) == (0, 1)
    assert np.isnan(found["sd"])


def test_wrong_shapes_and_lags_are_named() -> None:
    with pytest.raises(DataError, match="give \\(trace, time\\)"):
        near_repeat_consistency(np.zeros(5), np.zeros(5), station=np.zeros(5), fs_hz=FS_HZ)
    with pytest.raises(DataError, match="lag"):
        near_repeat_consistency(np.zeros((2, 5)), np.zeros(2), station=np.zeros(2), fs_hz=FS_HZ)
