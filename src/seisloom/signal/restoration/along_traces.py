"""Interpolation at equal time, linear or cubic: best where reflectors are nearly level, and what others must beat."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import Akima1DInterpolator, CubicSpline

from seisloom.sample import Array
from seisloom.signal.restoration.panel import checked, checked_positions, put_back

FEWEST_FOR_CUBIC = 3
"""Live traces below which a cubic spline is not asked; the line between two of them is."""


def linear(values: Array, is_live: Array, *, positions: Array | None = None) -> Array:
    """Return dead traces filled on the line between their live neighbours; beyond the outermost, that trace again.

    Args:
        values, is_live: see `panel`.
        positions: increasing, in any unit, (trace,); None for equal steps.
    Raises:
        DataError: see `panel.checked`, `panel.checked_positions`.

    >>> linear(np.array([[1.0, 2.0], [0.0, 0.0], [3.0, 5.0]]), np.array([True, False, True]))[1]
    array([2. , 3.5])
    """
    x, live = checked(values, is_live)
    places = checked_positions(positions, len(x))
    known = np.flatnonzero(live)
    behind = np.clip(np.searchsorted(places[known], places), 1, max(len(known) - 1, 1))
    before, behind = known[behind - 1], known[np.minimum(behind, len(known) - 1)]
    step = np.where(before == behind, 1.0, places[behind] - places[before])
    share = np.clip((places - places[before]) / step, 0, 1)[:, None]
    return put_back((1 - share) * x[before] + share * x[behind], x, live)


def cubic(values: Array, is_live: Array, *, positions: Array | None = None, local: bool = False) -> Array:
    """Return dead traces filled by a cubic spline through the live ones; beyond the outermost, that trace again.

    Args:
        values, is_live, positions: as for `linear`, which stands in for fewer than three live traces.
        local: Akima's spline, which looks at three neighbours on either side and overshoots less across wide gaps,
            instead of the one with two continuous derivatives.
    Raises:
        DataError: as for `linear`.
    Source: de Boor (1978), A practical guide to splines, ch. IV, not-a-knot; Akima (1970), J. ACM 17(4), 589-602.
    """
    x, live = checked(values, is_live)
    if live.sum() < FEWEST_FOR_CUBIC:
        return linear(values, is_live, positions=positions)
    places = checked_positions(positions, len(x))
    spline = (Akima1DInterpolator if local else CubicSpline)(places[live], x[live].astype(np.float64), axis=0)
    inner = np.clip(places, places[live][0], places[live][-1])
    return put_back(spline(inner), x, live)
