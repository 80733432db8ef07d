"""Missing traces filled along the slope of the local plane wave."""

from __future__ import annotations

import numpy as np
from numba import njit

from seisloom.sample import Array
from seisloom.signal.restoration.panel import checked, checked_positions, put_back
from seisloom.signal.restoration.slopes import along, scan_slopes


def plane_wave_fill(
    values: Array,
    is_live: Array,
    *,
    slopes: tuple[float, float] = (-5.0, 5.0),
    step: float = 0.1,
    n_beside: int = 3,
    n_samples: int = 15,
    positions: Array | None = None,
) -> Array:
    """Return dead traces filled from their live neighbours along the best slope at each sample.

    What solves u_x + p u_t = 0 between two traces: either of them, moved along p, weighted by nearness. Beyond the
    outermost live trace, that one moved. Of crossing events the stronger is followed.

    Args and Raises: see `slopes.scan_slopes`.
    Source: the plane-wave equation of Claerbout (1992), Earth soundings analysis, and Fomel (2002), Geophysics
        67(6), 1946-1960, eq. 1, solved along characteristics; with slopes from a scan, since those from linearised
        destruction must not be aliased.
    """
    x, live = checked(values, is_live)
    slope, _ = scan_slopes(
        x, live, slopes=slopes, step=step, n_beside=n_beside, n_samples=n_samples, positions=positions
    )
    places = checked_positions(positions, len(x))
    filled = _carry(x.astype(np.float64), np.flatnonzero(live), places, slope)
    return put_back(filled, x, live)


@njit(cache=True, nogil=True)
def _carry(x: Array, known: Array, places: Array, slope: Array) -> Array:
    filled = x.copy()
    for trace in range(x.shape[0]):
        at = np.searchsorted(known, trace)
        if at < len(known) and known[at] == trace:
            continue
        first, last = max(int(at) - 1, 0), min(int(at), len(known) - 1)
        before, behind = known[first], known[last]
        width = places[behind] - places[before]
        share = (places[trace] - places[before]) / width if width > 0 else 0.0
        for t in range(x.shape[1]):
            p = slope[trace, t]
            left = along(x[before], p, places[before] - places[trace], t)
            right = along(x[behind], p, places[behind] - places[trace], t)
            filled[trace, t] = (1 - share) * left + share * right
    return filled
