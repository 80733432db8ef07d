"""A stored record: the arrays of an `.npz`, in our layout or in that of the first label generator for pickers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array, Arrays
from seisloom.tasks.dispersion.store.place import stored_arrays_of

NEEDED = ("spectrum", "curves", "freq", "phase_velocity")
"""Arrays that a record must have; all others, such as flags and offsets, are handed on as they are."""


def read_record(path: str | Path) -> Arrays:
    """Return the arrays of a record by name, with curves (mode, frequency) in m/s, NaN where there is no mode.

    Curves of the older layout are (mode, 2, frequency), frequencies in Hz and velocities in m/s. A curve of zeros alone
    stands there for a mode that was not found, and becomes NaN. All else stays as it was stored, and what that layout
    holds where a mode does not exist, a velocity repeated or clipped to the window, cannot be told from what is true.

    Args:
        path: `.npz`, also as a member of a shard, with spectrum (velocity, frequency), curves, freq (frequency,) in Hz
            and phase_velocity (velocity,) in m/s, both rising.
    Raises:
        MissingDataError: if the file is not there.
        DataError: if it is no `.npz` or a damaged one, an array is missing, or shapes do not fit.
    """
    return as_record(Path(path), stored_arrays_of(Path(path)))


def as_record(path: Path, arrays: Arrays) -> Arrays:
    """Return the arrays of a record as `read_record` does, of those that are stored.

    Raises:
        DataError: if an array is missing, or shapes do not fit; it begins with the path.
    """
    if missing := [name for name in NEEDED if name not in arrays]:
        raise DataError(
            f"{path}: {', '.join(missing)} missing; a record has {', '.join(NEEDED)}, and this file "
            f"{', '.join(sorted(arrays)) or 'nothing'}"
        )
    for name in NEEDED:
        if arrays[name].dtype.kind not in "fiu":
            raise DataError(f"{path}: {name} holds {arrays[name].dtype}, it must hold real numbers")
    shape = arrays["phase_velocity"].shape + arrays["freq"].shape
    for name in ("phase_velocity", "freq"):
        if arrays[name].ndim != 1 or len(arrays[name]) < 2 or not (np.diff(arrays[name]) > 0).all():
            raise DataError(f"{path}: {name} {arrays[name].shape} must be one axis of at least 2 rising numbers")
    if arrays["spectrum"].shape != shape:
        raise DataError(
            f"{path}: spectrum is {arrays['spectrum'].shape}; (velocity, frequency) of this file's axes is {shape}"
        )
    return {**arrays, "curves": _curves(path, arrays["curves"], arrays["freq"])}


def _curves(path: Path, curves: Array, freq: Array) -> Array:
    """Return curves of either layout as (mode, frequency)."""
    old = curves.ndim == 3 and curves.shape[1] == 2
    if not (old or curves.ndim == 2) or curves.shape[-1] != len(freq):
        raise DataError(
            f"{path}: curves is {curves.shape}; it must be (mode, {len(freq)}), or (mode, 2, {len(freq)}) with "
            "frequencies and velocities"
        )
    if not old:
        return curves
    frequency, velocity = np.moveaxis(curves, 1, 0).astype(np.float64)
    there = (velocity != 0).any(axis=-1)
    step = float(np.diff(freq).min())
    if (np.abs(frequency[there] - freq) > 1e-3 * step).any():
        raise DataError(f"{path}: the frequencies of curves differ from freq; make the record again")
    return np.where(there[:, None], velocity, np.nan).astype(np.float32)
