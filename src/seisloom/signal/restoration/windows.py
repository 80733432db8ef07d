"""A panel cut into overlapping windows and joined again: within one, events are nearly straight and stationary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of one size over a panel, overlapping by half or more along both axes.

    Along time a window is tapered by a half sine when it is cut, so that an event which leaves it fades instead of
    breaking off, and again when it is joined. Along traces it is weighted when it is joined: a taper there would look
    like amplitudes that change with offset. Joined windows are the panel, whatever their size.
    """

    shape: tuple[int, int]
    """Traces and samples of the panel."""
    size: tuple[int, int]
    """Traces and samples of a window; of a smaller panel, all of its traces."""
    first_trace: Array
    """First trace of each window; the last one ends with the panel."""
    first_sample: Array
    """First sample of each window in the panel that was padded by a window on both sides of time."""

    @classmethod
    def of(cls, shape: tuple[int, int], n_traces: int, n_samples: int) -> Windows:
        """Return windows of so many traces and samples over a panel of this shape.

        Raises:
            DataError: if a window has fewer than 2 traces or 4 samples.
        """
        if n_traces < 2 or n_samples < 4:
            raise DataError(f"windows of {n_traces} traces and {n_samples} samples: 2 and 4 are the least")
        width, length = min(n_traces, shape[0]), min(n_samples, max(shape[1], 4))
        n_steps = -(-max(shape[0] - width, 0) // max(width // 2, 1))
        first_trace = np.linspace(0, shape[0] - width, n_steps + 1).round().astype(int)
        step = max(length // 2, 1)
        return cls(shape, (width, length), first_trace, np.arange(length - step, length + shape[1], step))

    @property
    def n_windows(self) -> int:
        """Number of windows."""
        return len(self.first_trace) * len(self.first_sample)

    @property
    def fade(self) -> Array:
        """Taper along time, (time,), above 0."""
        return np.asarray(np.sin(np.pi * (np.arange(self.size[1]) + 0.5) / self.size[1]))

    def cut(self, values: Array) -> Array:
        """Return tapered windows (window, trace, time) of a panel (trace, time)."""
        n = self.size[1]
        padded = np.pad(values, ((0, 0), (n, n)))
        return np.asarray(self._view(padded) * self.fade.astype(values.dtype))

    def cut_traces(self, per_trace: Array) -> Array:
        """Return what belongs to the traces of each window, (window, trace), from (trace,)."""
        return np.asarray(np.repeat(per_trace[self._traces()], len(self.first_sample), axis=0))

    def join(self, windows: Array) -> Array:
        """Return the panel (trace, time) of windows (window, trace, time)."""
        width, length = self.size
        across = np.sin(np.pi * (np.arange(width) + 0.5) / width)[:, None] ** 2
        weight = across * self.fade
        shape = (self.shape[0], self.shape[1] + 2 * length)
        total, weights = np.zeros(shape), np.zeros(shape)
        grid = windows.reshape(len(self.first_trace), len(self.first_sample), width, length)
        for row, trace in zip(grid, self.first_trace, strict=True):
            for one, sample in zip(row, self.first_sample, strict=True):
                place = np.s_[trace : trace + width, sample : sample + length]
                total[place] += weight * one
                weights[place] += weight * self.fade
        inner = np.s_[:, length : length + self.shape[1]]
        return np.asarray(total[inner] / weights[inner], dtype=windows.dtype)

    def _traces(self) -> Array:
        return np.asarray(self.first_trace[:, None] + np.arange(self.size[0]))

    def _view(self, padded: Array) -> Array:
        lines = np.lib.stride_tricks.sliding_window_view(padded, self.size)
        picked = lines[self.first_trace[:, None], self.first_sample[None, :]]
        return np.asarray(picked.reshape(-1, *self.size))
