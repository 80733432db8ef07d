"""Windows around samples against sums written out."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.signal.moving import RunningSum, moving_mean, moving_std, window_counts

LENGTHS = [1, 2, 7, 8, 60, 150]


def windows(x: np.ndarray, n_window: int) -> list[np.ndarray]:
    first = np.arange(x.shape[-1]) - n_window // 2
    return [x[:, max(i, 0) : i + n_window] for i in first]


@pytest.mark.parametrize("n_window", LENGTHS)
def test_mean_and_deviation_agree_with_a_loop(n_window: int) -> None:
    x = np.random.default_rng(1).standard_normal((2, 60))
    cut = windows(x, n_window)
    np.testing.assert_allclose(moving_mean(x, n_window=n_window), np.stack([w.mean(-1) for w in cut], -1), atol=1e-12)
    # the root of a rounding error of 1e-16
    np.testing.assert_allclose(moving_std(x, n_window=n_window), np.stack([w.std(-1) for w in cut], -1), atol=1e-7)


@pytest.mark.parametrize("n_window", LENGTHS)
def test_differences_of_a_running_sum_are_the_sums_of_windows(n_window: int) -> None:
    x = np.random.default_rng(2).standard_normal((2, 60))
    total = RunningSum.of(x, reach=150)
    cut = windows(x, n_window)
    assert total.n_time == 60
    np.testing.assert_allclose(total.around(n_window), np.stack([w.sum(-1) for w in cut], -1), atol=1e-12)
    np.testing.assert_allclose(total.mean_around(n_window), np.stack([w.mean(-1) for w in cut], -1), atol=1e-12)
    np.testing.assert_allclose(total.whole[:, 0], x.sum(-1), atol=1e-12)
    assert window_counts(60, n_window).tolist() == [w.shape[-1] for w in cut]
    if n_window <= 60:
        inside = np.lib.stride_tricks.sliding_window_view(x, n_window, axis=-1).sum(-1)
        np.testing.assert_allclose(total.inside(n_window), inside, atol=1e-12)


def test_empty_traces_have_empty_windows() -> None:
    assert moving_mean(np.ones((3, 0)), n_window=5).shape == (3, 0)
    assert RunningSum.of(np.ones((3, 0)), reach=4).around(4).shape == (3, 0)
