"""Axes of a velocity spectrum, and their checks: offsets of a spread, frequencies, velocities."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array


def check_offsets(offsets_m: Array, n_traces: int) -> Array:
    """Return distances from the source in m, float64 (trace,); negative offsets are those of a reversed spread.

    Raises:
        DataError: if they are not one a trace, not finite, all zero, on both sides of the source, or do not grow or
            fall from trace to trace.
    """
    offsets = np.asarray(offsets_m, dtype=np.float64)
    if offsets.shape != (n_traces,):
        raise DataError(f"offsets_m has shape {offsets.shape} and the gather has {n_traces} traces; give one a trace")
    if n_traces < 2:
        raise DataError("the gather has one trace; a phase velocity needs two or more at different offsets")
    if (wrong := np.flatnonzero(~np.isfinite(offsets))).size:
        raise DataError(f"offset of trace {wrong[0]} is {offsets[wrong[0]]}; fill it in, or leave the trace out")
    if not offsets.any():
        raise DataError("all offsets are 0 m: the headers are empty. Give the geometry (first offset, spacing) in m.")
    if offsets.min() < 0 < offsets.max():
        raise DataError(
            f"offsets from {offsets.min():g} to {offsets.max():g} m lie on both sides of the source, where waves "
            "travel in opposite directions; transform each side by itself"
        )
    distances = np.abs(offsets)
    steps = np.diff(distances)
    if (same := np.flatnonzero(steps == 0)).size:
        at = int(same[0])
        raise DataError(
            f"traces {at} and {at + 1} have the same offset, {distances[at]:g} m; stack them, or leave one out"
        )
    if not ((steps > 0).all() or (steps < 0).all()):
        at = int(np.flatnonzero(np.sign(steps) != np.sign(steps[0]))[0]) + 1
        raise DataError(
            f"offsets neither grow nor fall throughout: {distances[at - 1]:g} and {distances[at]:g} m at traces "
            f"{at - 1} and {at}; order the traces by offset"
        )
    return distances


def check_frequencies(frequency_hz: Array, *, n_time: int, interval_s: float) -> Array:
    """Return frequencies, float64 (frequency,).

    Raises:
        DataError: if they do not ascend from above 0 to not above the Nyquist frequency, or the lowest has no full
            period in the gather.
    """
    if not (np.isfinite(interval_s) and interval_s > 0):
        raise DataError(f"interval_s is {interval_s}; the sampling interval in s is positive, 0.001 at 1000 Hz")
    frequency = _check_ascending("frequency_hz", frequency_hz)
    nyquist_hz, record_s = 0.5 / interval_s, n_time * interval_s
    if frequency[-1] > nyquist_hz * (1 + 1e-9):
        raise DataError(
            f"frequency_hz goes to {frequency[-1]:g} Hz and the Nyquist frequency is {nyquist_hz:g} Hz; leave out what "
            "is above, or correct interval_s (it is in s)"
        )
    if record_s * frequency[0] < 1 - 1e-9:
        raise DataError(
            f"the gather is {record_s:g} s long, less than one period of {frequency[0]:g} Hz; start at "
            f"{1 / record_s:.4g} Hz, or take a longer record"
        )
    return frequency


def check_velocities(velocity_m_s: Array) -> Array:
    """Return velocities, float64 (velocity,).

    Raises:
        DataError: if they are not finite, positive and ascending.
    """
    return _check_ascending("velocity_m_s", velocity_m_s)


def check_choice(what: str, value: str, choices: Iterable[str]) -> None:
    """Raise a DataError if a value is not among the choices."""
    if value not in (known := tuple(choices)):
        raise DataError(f"{what} is {value!r}; it is one of {', '.join(known)}")


def _check_ascending(name: str, values: Array) -> Array:
    """Return an axis in float64, finite, positive and strictly ascending."""
    axis = np.asarray(values, dtype=np.float64)
    if axis.ndim != 1 or not axis.size:
        raise DataError(f"{name} has shape {axis.shape}; give a list of one or more values")
    if (wrong := np.flatnonzero(~(np.isfinite(axis) & (axis > 0)))).size:
        raise DataError(f"{name}[{wrong[0]}] is {axis[wrong[0]]:g}; values are finite and above 0")
    if (falls := np.flatnonzero(np.diff(axis) <= 0)).size:
        at = int(falls[0])
        raise DataError(
            f"{name} does not ascend: {axis[at + 1]:g} follows {axis[at]:g} at {at + 1}; sort it, each value once"
        )
    return axis
