"""Panels of straight events whose every sample is known in closed form."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seisloom.sample import Array


def ricker(time: Array, peak: float) -> Array:
    """A Ricker wavelet of a peak frequency in cycles a sample."""
    square = (np.pi * peak * time) ** 2
    return np.asarray((1 - 2 * square) * np.exp(-square))


def straight_events(
    shape: tuple[int, int], events: Sequence[tuple[float, float, float]], *, peak: float = 0.08, centre: float = 0.0
) -> Array:
    """Events (time at the trace `centre`, slope in samples a trace, amplitude), float64 (trace, time)."""
    trace, time = np.arange(shape[0])[:, None] - centre, np.arange(shape[1])
    return np.asarray(sum(a * ricker(time - t0 - p * trace, peak) for t0, p, a in events))


def missing_snr_db(restored: Array, true: Array, is_live: Array) -> float:
    """SNR on missing traces."""
    error = np.sum((restored[~is_live] - true[~is_live]) ** 2)
    return float(10 * np.log10(np.sum(true[~is_live] ** 2) / error))
