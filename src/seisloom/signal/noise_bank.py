"""Field noise out of recorded gathers: windows before the first arrivals, where nothing but noise was recorded."""

from __future__ import annotations

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array


def noise_windows(
    traces: Array, onset_idx: Array, *, shape: tuple[int, int], guard: int = 20, most: int | None = None
) -> Array:
    """Return windows of noise: neighbouring traces, in the time before the first arrival on any of them.

    Written by `numpy.savez(path, x=windows, keys=...)` they are a bank that augmentations read, see
    `seisloom.augment.bank`. Take gathers of the training part only.

    Args:
        traces: amplitudes of a gather in the order of the line, shape (trace, time).
        onset_idx: sample of the first arrival on each trace, shape (trace,); NaN where none is in the record.
        shape: of a window, (trace, time).
        guard: samples before an arrival that are left out, since onsets are not exact and wavelets have forerunners.
        most: windows at most, the first of the gather; None for all that fit beside and above each other.
    Returns:
        float32 (window, trace, time), each of RMS 1 over all of it and of mean 0 on each trace; none where nothing
        fits. Windows with dead or constant traces, or with values that are not finite, are left out.
    Raises:
        DataError: if shapes do not fit.
    """
    traces, onset = np.asarray(traces), np.asarray(onset_idx, dtype=float)
    if traces.ndim != 2 or onset.shape != traces.shape[:1] or min(shape) < 1 or guard < 0:
        raise DataError(
            f"noise windows of shape {tuple(shape)} need traces (trace, time) and one onset a trace; there are traces "
            f"{traces.shape}, onsets {onset.shape} and a guard of {guard} samples"
        )
    n_trace, n_time = shape
    quiet = np.where(np.isfinite(onset), onset - guard, traces.shape[1])
    found = []
    for first in range(0, len(traces) - n_trace + 1, n_trace):
        end = int(np.clip(np.floor(quiet[first : first + n_trace].min()), 0, traces.shape[1]))
        for stop in range(end, n_time - 1, -n_time):
            window = np.asarray(traces[first : first + n_trace, stop - n_time : stop], dtype=np.float64)
            window = window - window.mean(axis=1, keepdims=True)
            power = np.mean(window**2, axis=1)
            if np.isfinite(power).all() and (power > 0).all():
                found.append((window / np.sqrt(power.mean())).astype(np.float32))
    return np.stack(found[:most]) if found[:most] else np.zeros((0, *shape), dtype=np.float32)


def energy_onset(traces: Array, *, fs_hz: float, window_s: float = 0.1) -> Array:
    """Return where each trace's energy rises most: a first arrival good enough to stay clear of it, not to pick.

    The largest ratio of the energies after and before a sample, times the amplitude there, cubed. A floor of a
    millionth of the trace's energy keeps silent beginnings, as mutes leave them, from counting as infinite rises.

    Args:
        traces: shape (trace, time).
        fs_hz: sampling rate in Hz.
        window_s: length in s of either window.
    Returns:
        Sample of the onset, float64 (trace,); NaN for traces that are all zero.
    Raises:
        DataError: if the windows do not fit into the traces.
    Source: Han, Wong & Bancroft (2009), CREWES Research Report 21, modified energy ratio.
    """
    x = np.asarray(traces, dtype=np.float64)
    n = round(window_s * fs_hz)
    if n < 1 or 2 * n >= x.shape[1]:
        raise DataError(f"windows of {window_s} s, {n} samples each, do not fit into {x.shape[1]} samples")
    total = np.concatenate([np.zeros((len(x), 1)), np.cumsum(x**2, axis=1)], axis=1)
    at = np.arange(n, x.shape[1] - n)
    after, before = total[:, at + n] - total[:, at], total[:, at] - total[:, at - n]
    is_alive = total[:, -1] > 0
    floor = 1e-6 * np.where(is_alive, total[:, -1], 1.0)[:, None]
    rise = (after / (before + floor) * np.abs(x[:, at])) ** 3
    return np.where(is_alive, at[np.argmax(rise, axis=1)], np.nan)
