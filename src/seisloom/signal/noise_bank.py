"""Field noise out of recorded gathers: windows before the first arrivals, where nothing but noise was recorded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array

LARGEST_RISE_DB = 6.0
"""By which noise may rise from the first to the last quarter of a window. Of windows before automatic onsets on four
recorded surveys 10 to 30 % rose by more, up to 47 dB: forerunners, and refractions weaker than what came after them."""


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
        fits. Windows with dead or constant traces, with values that are not finite, or in which energy rises by more
        than 6 dB, as it does where an arrival was missed, are left out.
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
            if (
                np.isfinite(power).all()
                and (power > 0).all()
                and _rise_db(window / np.sqrt(power)[:, None]) <= LARGEST_RISE_DB
            ):
                found.append((window / np.sqrt(power.mean())).astype(np.float32))
    return np.stack(found[:most]) if found[:most] else np.zeros((0, *shape), dtype=np.float32)


def side_by_side(windows: Sequence[Array], n_trace: int) -> Array:
    """Return records of noise as wide as a gather, put together of narrow windows in the order they come.

    Few gathers are quiet for long on many traces. Within a window noise is as coherent between traces as it was
    recorded; between windows it is not.

    Args:
        windows: from `noise_windows`, (window, trace, time) each, all with as many samples.
        n_trace: traces of a record, at least as many as any window has.
    Returns:
        float32 (record, trace, time); windows that do not fill a record are left out.
    Raises:
        DataError: if windows differ in their samples, or one is wider than a record.
    """
    shapes = sorted({one.shape[1:] for one in windows})
    if not shapes or len({shape[1] for shape in shapes}) > 1 or shapes[-1][0] > n_trace:
        raise DataError(
            f"records of {n_trace} traces need windows that are no wider, of one length; these are {shapes}"
        )
    records, open_record = [], []
    for window in (window for one in windows for window in one):
        open_record.append(window)
        width = sum(len(one) for one in open_record)
        if width >= n_trace:
            records.append(np.concatenate(open_record)[:n_trace])
            open_record = []
    return np.stack(records) if records else np.zeros((0, n_trace, shapes[0][1]), dtype=np.float32)


def _rise_db(window: Array) -> float:
    """Return by how many dB the energy of the last quarter is above that of the first, of a window (trace, time)."""
    n = max(window.shape[1] // 4, 1)
    first, last = float(np.sum(window[:, :n] ** 2)), float(np.sum(window[:, -n:] ** 2))
    return 10 * np.log10(last / first) if first > 0 and last > 0 else np.inf * (last - first)


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


def noise_coherence(noise: Array, *, most_lag: int = 8) -> float:
    """Return how far noise of neighbouring traces is the same wave: about the share of its power that they have in
    common; about 0 where each trace has noise of its own.

    The mean over neighbours of the largest correlation at lags up to `most_lag`, less what traces have by chance: that
    of the same pairs with one trace in reverse, which has its spectrum and not its wave.

    Args:
        noise: (trace, time), such as a record before the first arrivals; traces that are silent are passed over.
        most_lag: samples by which a wave moves at most from a trace to the next.
    Returns:
        -1 to 1; NaN where no two neighbours have noise.
    """
    x = np.asarray(noise, dtype=np.float64)
    x = x - x.mean(axis=1, keepdims=True)
    size = np.sqrt(np.sum(x**2, axis=1))
    pairs = [(a / s, b / t) for a, b, s, t in zip(x[:-1], x[1:], size[:-1], size[1:], strict=True) if s > 0 and t > 0]
    if not pairs:
        return float("nan")
    lag = min(most_lag, x.shape[1] - 1)
    middle = slice(x.shape[1] - 1 - lag, x.shape[1] + lag)
    together, by_chance = (
        np.mean([np.max(np.correlate(a, b[::turn], mode="full")[middle]) for a, b in pairs]) for turn in (1, -1)
    )
    # What is by chance has no room where the wave is the same
    return float(together - by_chance * (1 - max(together, 0)))
