"""Intervals from the panel itself: live traces are hidden and filled, and the errors there are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from seisloom.calibration.residuals import ResidualCalibration, calibrate_on_hidden
from seisloom.errors import CalibrationError
from seisloom.sample import Array
from seisloom.signal.restoration.hidden import hidings

SHARE = 0.2
"""Of the live traces that are hidden each time: more than for choosing methods, since quantiles need many."""
FEWEST = 3
"""Live traces of a line from which on some can be hidden."""


def hidden_calibration(
    restore: Callable[[Array, Array], Array], values: Array, is_live: Array, *, n: int
) -> ResidualCalibration:
    """Return a calibration from live traces that are hidden `n` times and filled.

    With traces hidden the grid is coarser than it is, so intervals are rather too wide than too narrow.

    Args:
        restore: from values (line, trace, time) and is_live (line, trace) to restored values.
        values: of one panel.
        is_live: bool (line, trace).
    Raises:
        CalibrationError: if too few traces are live to hide any.
    """
    rng = np.random.default_rng(0)
    rows = [hidings(row, n, rng, share=SHARE) if row.sum() > FEWEST else [] for row in is_live]
    if not any(rows):
        raise CalibrationError(f"{is_live.sum()} live traces: too few to hide some and to learn an interval from them")
    pieces = []
    for k in range(n):
        hide = np.stack([row[k] if k < len(row) else np.zeros(is_live.shape[1], dtype=bool) for row in rows])
        if hide.any():
            left = is_live & ~hide
            pieces.append((values, restore(values, left), left, hide))
    return calibrate_on_hidden(pieces)
