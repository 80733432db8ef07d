"""Horizons: surfaces of equal relative geologic time (RGT), made free of folds along traces and of faults."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from seisloom.sample import Array


def rising(rgt: Array) -> Array:
    """Return RGT that never falls along a trace: its running maximum.

    Predicted RGT falls back here and there, and true RGT does at reverse faults. The first depth at which a trace
    reaches a level is the same in both; what rises alone has its surfaces one below the other, so they never cross.

    Args:
        rgt: shape (..., time); NaN is not known, and stays so.

    >>> rising(np.array([0.1, 0.3, 0.2, np.nan, 0.4])).tolist()
    [0.1, 0.3, 0.3, nan, 0.4]
    """
    rgt = np.asarray(rgt)
    return np.where(np.isnan(rgt), np.nan, np.fmax.accumulate(rgt, axis=-1))


def near_faults(fault: Array, within: float) -> Array:
    """Return which voxels lie within a distance of a fault, bool.

    Args:
        fault: bool, any shape.
        within: in voxels, Euclidean; 0 gives the faults themselves.
    """
    fault = np.asarray(fault, bool)
    if within <= 0 or not fault.any():
        return fault
    return np.asarray(ndimage.distance_transform_edt(~fault)) <= within


def off_faults(depth: Array, near: Array) -> Array:
    """Return depths of a horizon with NaN where its nearest sample is not to be used.

    Args:
        depth: in samples, shape (..., trace); NaN where the trace has none.
        near: bool, shape of a horizon and time at the end, (..., time): what is not to be used.
    """
    there = ~np.isnan(depth)
    idx = np.rint(np.where(there, depth, 0)).astype(np.intp)
    return np.where(there & ~np.take_along_axis(near, idx[..., None], -1)[..., 0], depth, np.nan)


def crossings(depth: Array) -> int:
    """Return at how many points a horizon lies above the one before it, which is to be above.

    Args:
        depth: in samples, shape (horizon, ...), NaN where there is none; the uppermost horizon first.
    """
    lowest = np.fmax.accumulate(np.asarray(depth, float), axis=0)
    return int(np.sum(depth[1:] < lowest[:-1]))
