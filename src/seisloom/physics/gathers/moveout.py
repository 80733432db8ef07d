"""What processing has done to a gather: normal moveout correction with its stretch, mutes, gain."""

from __future__ import annotations

import numpy as np
from numba import njit

from seisloom.sample import Array

HALF = 8  # samples on each side: truncated sinc under Kaiser's window, errors below -60 dB up to 0.8 of Nyquist
KAISER = 6.0
STEPS = 512


def _table() -> Array:
    """Return the interpolation weights of STEPS + 1 fractions of a sample, each row of unit sum."""
    fraction = np.arange(STEPS + 1)[:, None] / STEPS
    at = np.arange(1 - HALF, HALF + 1) - fraction
    inside = np.sqrt(np.maximum(1 - (at / HALF) ** 2, 0))
    weights = np.sinc(at) * np.i0(KAISER * inside)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


WEIGHTS = _table()


def corrected(
    traces: Array, *, source_start_s: float, start_s: float, n_time: int, fs_hz: float, offset_m: Array,
    velocity_m_s: Array, max_stretch: float,
) -> Array:  # fmt: skip
    """Return a gather after normal moveout correction: sample tau shows what was at sqrt(tau^2 + x^2 / v(tau)^2).

    Args:
        traces: before correction, shape (trace, time); 0 beyond its ends.
        source_start_s, start_s: times in s of the first sample before and after correction.
        n_time: samples after correction.
        fs_hz: sampling rate in Hz.
        offset_m: shape (trace,).
        velocity_m_s: v of each sample after correction, shape (time,).
        max_stretch: where periods are drawn out by more, the trace is muted, with a taper of 8 samples.
    Returns:
        Shape (trace, n_time), float64.
    Source: Yilmaz (2001), Seismic Data Analysis, section 3.1.
    """
    tau = start_s + np.arange(n_time) / fs_hz
    time = np.sqrt(tau**2 + (offset_m[:, None] / velocity_m_s) ** 2)
    place = (time - source_start_s) * fs_hz
    # Periods grow by d tau / dt, from the places themselves: velocities change with time, too
    rise = np.gradient(place, axis=1)
    keep = (rise > 0) & (rise * max_stretch >= 1)
    # From the last sample that is muted on, so that no islands are left above it
    first = np.where(keep.all(axis=1), 0, n_time - np.argmin(keep[:, ::-1], axis=1))
    ramp = np.clip((np.arange(n_time) - first[:, None] + 1) / 9.0, 0, 1)
    ramp[first == 0] = 1.0
    found = _read(np.ascontiguousarray(traces, dtype=np.float64), place, WEIGHTS)
    return np.asarray(found * np.sin(np.pi / 2 * ramp) ** 2)


@njit(cache=True, nogil=True)
def _read(traces: Array, place: Array, weights: Array) -> Array:
    n_trace, n_time = place.shape
    n_old = traces.shape[1]
    found = np.zeros((n_trace, n_time))
    for k in range(n_trace):
        for j in range(n_time):
            at = place[k, j]
            if -HALF < at < n_old + HALF:
                low = int(np.floor(at))
                row = int((at - low) * STEPS + 0.5)
                total = 0.0
                for i in range(2 * HALF):
                    sample = low + 1 - HALF + i
                    if 0 <= sample < n_old:
                        total += weights[row, i] * traces[k, sample]
                found[k, j] = total
    return found


def muted_above(traces: Array, *, time_s: Array, start_s: float, fs_hz: float, taper: int) -> Array:
    """Return traces that are 0 before a time in s of each, (trace,), and rise within `taper` samples after it."""
    after = start_s + np.arange(traces.shape[1]) / fs_hz - time_s[:, None]
    return np.asarray(traces * np.sin(np.pi / 2 * np.clip(after * fs_hz / taper, 0, 1)) ** 2)
