"""Sums, means and deviations of traces in windows around each sample, along the last axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d

from seisloom.sample import Array


@dataclass(frozen=True, slots=True)
class RunningSum:
    """What the sums over windows of any length are differences of, from one pass over the traces.

    An even window has one sample more before its centre than behind it. Windows are cut at the ends.
    """

    total: Array
    """Sum of all samples before each one, shape (..., reach + time + 1 + reach), float64; constant beyond the ends."""
    reach: int
    """Longest window, in samples, that `around` can be asked for."""

    @classmethod
    def of(cls, x: Array, *, reach: int = 0) -> RunningSum:
        """Return the running sum of traces, shape (..., time)."""
        n_time = x.shape[-1]
        total = np.empty((*x.shape[:-1], n_time + 2 * reach + 1))
        total[..., : reach + 1] = 0.0
        np.cumsum(x, axis=-1, out=total[..., reach + 1 : reach + 1 + n_time])
        total[..., reach + 1 + n_time :] = total[..., reach + n_time, None]
        return cls(total, reach)

    @property
    def n_time(self) -> int:
        """Samples of a trace."""
        return int(self.total.shape[-1]) - 2 * self.reach - 1

    @property
    def whole(self) -> Array:
        """Sum of each trace, shape (..., 1)."""
        return self.total[..., -1:]

    def around(self, n_window: int) -> Array:
        """Return the sum over the window around each sample, shape (..., time)."""
        first = self.reach - n_window // 2
        end = first + n_window
        return np.asarray(self.total[..., end : end + self.n_time] - self.total[..., first : first + self.n_time])

    def mean_around(self, n_window: int) -> Array:
        """Return the mean over the samples that the window around each sample holds, shape (..., time)."""
        mean = self.around(n_window)
        mean *= 1 / window_counts(self.n_time, n_window)
        return mean

    def inside(self, n_window: int) -> Array:
        """Return the sum over each window that lies wholly in the trace, shape (..., time + 1 - n_window)."""
        end = self.reach + self.n_time + 1
        inner = self.total[..., self.reach : end]
        return np.asarray(inner[..., n_window:] - inner[..., : inner.shape[-1] - n_window])


def window_counts(n_time: int, n_window: int) -> Array:
    """Return how many samples of the trace the window around each sample holds, integers (time,).

    >>> window_counts(5, 4).tolist()
    [2, 3, 4, 4, 3]
    """
    first = np.arange(n_time) - n_window // 2
    return np.minimum(first + n_window, n_time) - np.maximum(first, 0)


def moving_mean(x: Array, *, n_window: int) -> Array:
    """Return the mean over `n_window` samples around each one, float64 (..., time); windows are cut at the ends."""
    x = np.asarray(x, dtype=np.float64)
    if x.size == 0:
        return x.copy()
    mean = uniform_filter1d(x, n_window, axis=-1, mode="constant")  # counts zeros beyond the ends
    mean *= n_window / window_counts(x.shape[-1], n_window)
    return np.asarray(mean)


def moving_std(x: Array, *, n_window: int) -> Array:
    """Return the standard deviation over `n_window` samples around each one, float64 (..., time)."""
    x = np.asarray(x, dtype=np.float64)
    return deviation(moving_mean(x, n_window=n_window), moving_mean(x * x, n_window=n_window))


def deviation(mean: Array, mean_square: Array) -> Array:
    """Return the standard deviation from the mean and the mean square, both of shape (..., time)."""
    variance = np.square(mean)
    np.subtract(mean_square, variance, out=variance)
    np.maximum(variance, 0.0, out=variance)  # rounding can take it below 0
    return np.asarray(np.sqrt(variance, out=variance))
