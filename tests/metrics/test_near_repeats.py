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


def line(shift_s: float, n_stations: int = 6) -> tuple[np.ndarray, dict]:
    """Two near-repeat shots and one far away, onsets of all, shape (18,)."""
    onset = np.linspace(0.05, 0.15, n_stations)
    labels = {
        "station": np.tile(np.arange(n_stations), 3),
        "shot": np.repeat(["s1", "s2", "s3"], n_stations),
        "fs_hz": FS_HZ,
    }
    return np.concatenate([onset, onset + shift_s, onset[::-1]]), labels


def test_picks_that_follow_the_waveform_are_consistent_and_shifted_ones_are_not() -> None:
    onset, labels = line(shift_s=0.0013)
    found = near_repeat_consistency(gather(onset), onset + 0.004, **labels)
    assert (found["n_shot_pairs"], found["n_pairs"], found["within_1"]) == (1, 6, 1)
    moved = onset + np.where(np.arange(18) < 2, 8, 0) / FS_HZ
    found = near_repeat_consistency(gather(onset), moved, **labels)
    assert found["within_5"] == pytest.approx(4 / 6)
    assert found["within_9"] == 1


def test_shots_that_lie_further_apart_than_the_lags_tried_are_not_judged() -> None:
    onset, labels = line(shift_s=0.02)
    assert near_repeat_consistency(gather(onset), onset, **labels)["n_pairs"] == 0


def test_traces_that_differ_or_have_no_pick_are_not_judged() -> None:
    onset, labels = line(shift_s=0.0)
    traces = gather(onset)
    traces[0] = np.random.default_rng(0).normal(size=800)
    found = near_repeat_consistency(traces, np.where(np.arange(18) == 1, np.nan, onset), **labels)
    assert (found["n_pairs"], found["n_pairs_unpicked"]) == (4, 1)
    alone = near_repeat_consistency(traces[:1], onset[:1], station=np.zeros(1), shot=np.zeros(1), fs_hz=FS_HZ)
    assert alone["n_pairs"] == 0
    assert np.isnan(alone["sd"])


def test_wrong_shapes_and_lags_are_named() -> None:
    labels = {"station": np.zeros(2), "shot": np.zeros(2), "fs_hz": FS_HZ}
    with pytest.raises(DataError, match="give \\(trace, time\\)"):
        near_repeat_consistency(np.zeros(2), np.zeros(2), **labels)
    with pytest.raises(DataError, match="lag"):
        near_repeat_consistency(np.zeros((2, 5)), np.zeros(2), **labels)
