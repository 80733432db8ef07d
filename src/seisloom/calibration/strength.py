"""What errors of restored samples are measured by: the local strength of the estimate, and how far live traces are."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from seisloom.errors import CalibrationError
from seisloom.sample import Array

WIDTH = (1.5, 10.0)
"""Standard deviations, in traces and samples, of the Gaussian in which strength is measured: some 4 traces and a period
or two."""
FLOOR = 0.1
"""Least strength of a sample, as a share of the panel's RMS: where an estimate is silent, its error is not."""
NEAREST = (1, 2, 3, 5)
"""Distances in traces at which a group begins: 0 for live traces, then 1, 2, 3 to 4, 5 and more."""
NAMES = ("live traces", "1 trace", "2 traces", "3-4 traces", "5 or more traces")


def strength(estimate: Array) -> Array:
    """Return the local RMS of an estimate along traces and time, (line, trace, time), but not less than FLOOR says.

    Args:
        estimate: (line, trace, time), finite; live traces as the method gives them back.
    Returns:
        float64, in the unit of the estimate; 0 throughout a silent panel.
    Raises:
        CalibrationError: if the estimate has other axes, or is not finite.
    """
    values = np.asarray(estimate, dtype=np.float64)
    if values.ndim != 3 or 0 in values.shape or not np.isfinite(values).all():
        raise CalibrationError(
            f"an estimate has axes (line, trace, time) and is finite; this one has shape {values.shape} and "
            f"{(~np.isfinite(values)).sum()} samples that are not"
        )
    power = ndimage.gaussian_filter(values**2, (0, *WIDTH), mode="nearest")
    return np.asarray(np.maximum(np.sqrt(np.maximum(power, 0)), FLOOR * np.sqrt(np.mean(values**2))))


def distance_group(is_live: Array) -> Array:
    """Return the group of each trace by its distance to the nearest live one, int (line, trace); see NAMES.

    Args:
        is_live: bool (line, trace). The distance is Euclidean, in steps of lines and traces.
    Raises:
        CalibrationError: if no trace is live.

    >>> distance_group(np.array([[True, False, False, False, True]])).tolist()
    [[0, 1, 2, 1, 0]]
    """
    live = np.asarray(is_live, dtype=bool)
    if live.ndim != 2 or not live.any():
        raise CalibrationError(f"is_live has shape {live.shape}; give (line, trace), with at least a live trace")
    distance = ndimage.distance_transform_edt(~live)
    return np.asarray(np.searchsorted(NEAREST, np.rint(distance), side="right"))
