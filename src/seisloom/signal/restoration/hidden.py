"""Live traces hidden in the pattern of those that are missing: a question whose answer is known."""

from __future__ import annotations

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.restoration.masks import regular_step

FEWEST_LEFT = 2
"""Live traces that are never hidden."""
ATTEMPTS = 10
"""Runs that are drawn for each live trace, until the share is reached."""


def hide_like_missing(
    is_live: Array, rng: np.random.Generator, *, share: float = 0.1, spare: Array | None = None
) -> Array:
    """Return which live traces to hide, bool (trace,), so that filling them is as hard as filling the missing ones.

    Of traces at a regular step every n-th stays, at the same n: single ones among them would be filled well by methods
    that take the missing ones for an alias. Else runs as wide as missing ones are hidden at random places, and at an
    edge where traces are missing there; without any missing trace, single ones.

    Args:
        is_live: bool (trace,), at least three live.
        share: of live traces that are hidden at least, if the runs allow it. Fewer are nearer to the question, and say
            less: with a fifth instead of a tenth the choice among methods was worse on a recorded shot.
        spare: bool (trace,), traces that are hidden only where no others are left.
    Raises:
        DataError: if fewer than three traces are live, or the share is not between 0 and 1.
    """
    live = np.asarray(is_live, dtype=bool)
    known = np.flatnonzero(live)
    if len(known) <= FEWEST_LEFT or not 0 < share < 1:
        raise DataError(
            f"{len(known)} live traces and a share of {share}: to hide some, at least {FEWEST_LEFT + 1} must be live, "
            "and the share be between 0 and 1"
        )
    step = regular_step(live)
    if 1 < step < len(known):
        return _rest_of_raster(known, step, int(rng.integers(step)), len(live))
    firsts, widths = missing_runs(live)
    hidden = np.zeros(len(live), dtype=bool)
    avoided = np.zeros(len(live), dtype=bool) if spare is None else spare
    for attempt in range(2 * ATTEMPTS * len(known)):
        if hidden.sum() >= share * len(known):
            break
        number = int(rng.integers(len(widths))) if len(widths) else 0
        width = int(widths[number]) if len(widths) else 1
        first = int(rng.integers(-width + 1, len(live)))
        if len(widths) and firsts[number] == 0:
            first = int(known[0])
        elif len(widths) and firsts[number] + width == len(live):
            first = int(known[-1]) - width + 1
        run = np.zeros(len(live), dtype=bool)
        run[max(first, 0) : first + width] = True
        if attempt < ATTEMPTS * len(known) and (run & avoided).any():
            continue
        if (live & ~hidden & ~run).sum() >= FEWEST_LEFT:
            hidden |= run & live
    if not hidden.any():  # only runs wider than what is live
        hidden[known[len(known) // 2]] = True
    return hidden


def missing_runs(is_live: Array) -> tuple[Array, Array]:
    """Return the first trace and the width of each run of missing ones, int (run,) each.

    >>> [one.tolist() for one in missing_runs(np.array([False, True, False, False, True]))]
    [[0, 2], [1, 2]]
    """
    edges = np.flatnonzero(np.diff(np.r_[True, is_live, True].astype(int)))
    return edges[::2], edges[1::2] - edges[::2]


def _rest_of_raster(known: Array, step: int, first: int, n_traces: int) -> Array:
    hidden = np.zeros(n_traces, dtype=bool)
    hidden[known] = True
    hidden[known[first::step]] = False
    return hidden
