"""A panel: amplitudes (trace, time) beside which traces of it are live; what all methods ask of both.

A method that fills is a function `(values, is_live) -> values`. Live traces come back bit by bit, dead ones filled, in
the floating type that was given; what stands in a dead trace is never looked at. Lengths are traces and samples, slopes
samples a trace, frequencies cycles a sample: none of them has to know a unit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array

Restore: TypeAlias = Callable[[Array, Array], Array]
"""A method with its parameters: from values (trace, time) and is_live (trace,) to restored values (trace, time)."""


def checked(values: Array, is_live: Array | None = None) -> tuple[Array, Array]:
    """Return values with zeros in dead traces, and the mask: copies, of a floating type.

    Args:
        values: (trace, time); what dead traces hold is not looked at.
        is_live: bool (trace,); None takes all traces.
    Raises:
        DataError: if shapes do not fit, nothing is live, or a live trace is not finite.
    """
    values = np.asarray(values)
    live = np.ones(values.shape[:1], dtype=bool) if is_live is None else np.asarray(is_live)
    if values.ndim != 2 or 0 in values.shape:
        raise DataError(f"a panel has axes (trace, time) and at least a sample; this one has shape {values.shape}")
    if live.shape != values.shape[:1] or live.dtype != bool:
        raise DataError(
            f"is_live has shape {live.shape} and type {live.dtype}; a panel of {len(values)} traces needs "
            f"bool ({len(values)},)"
        )
    if not live.any():
        raise DataError("all traces of the panel are dead: there is nothing to restore them from")
    bad = live & ~np.isfinite(values).all(axis=1)
    if bad.any():
        raise DataError(
            f"{bad.sum()} live traces have samples that are not finite, the first is trace {np.flatnonzero(bad)[0]}. "
            "Set them to 0, or say that these traces are dead"
        )
    kind = values.dtype if np.issubdtype(values.dtype, np.floating) else np.dtype(np.float64)
    return np.where(live[:, None], values, 0).astype(kind), live.copy()


def checked_positions(positions: Array | None, n_traces: int) -> Array:
    """Return where traces lie, float64 (trace,): 0, 1, 2 ... without positions.

    Raises:
        DataError: unless they are finite and increase from trace to trace.
    """
    if positions is None:
        return np.arange(n_traces, dtype=np.float64)
    places = np.asarray(positions, dtype=np.float64)
    if places.shape != (n_traces,) or not np.isfinite(places).all() or (np.diff(places) <= 0).any():
        raise DataError(f"positions must be {n_traces} finite numbers that increase; sort the traces by them first")
    return places


def put_back(restored: Array, values: Array, is_live: Array) -> Array:
    """Return restored values with the live traces as they came, in their type."""
    return np.asarray(np.where(is_live[:, None], values, restored), dtype=values.dtype)
