"""Dead traces and mutes in a section, filled from beside them: a network takes a gap or an edge for a fault."""

from __future__ import annotations

import numpy as np

from seisloom.sample import Array

SHORTEST_MUTE = 4
"""Zeros at the top or bottom of a trace from which on they are no data; fewer may be zero crossings."""
TAPER = 4
"""Samples beside a mute that it may have made weaker."""
DISTORTED = 6
"""Traces beside a mute where the image is bent or too strong, since migration had no data from one side."""
KINK = 9
"""Further traces in which level layers turn into those that are there: a network may take the kink for a fault."""


def fill_dead_traces(values: Array, *, widest: int = 3) -> Array:
    """Return values in which gaps of dead traces are filled linearly between the live traces on their sides.

    A gap at the end of the section takes its one neighbour. Nothing is filled where the gap is wider, as beyond the
    edge of a survey.

    Args:
        values: (..., trace, time); a trace is dead where all its samples are alike. Not changed.
        widest: traces of the widest gap that is filled; over many, faults and reflectors would be made up.

    >>> fill_dead_traces(np.array([[1.0, 2.0], [0.0, 0.0], [3.0, 5.0]]))[1]
    array([2. , 3.5])
    """
    live = (values != values[..., :1]).any(axis=-1)  # (..., trace)
    if live.all() or not live.any():
        return values
    return _from_beside(values, live, widest)


def fill_mutes(values: Array) -> tuple[Array, Array, Array]:
    """Return values in which mutes are filled from the live samples beside them, where they were, and their edges.

    Reflectors go on level into a mute, so that its edge is no break; nothing that is found in it is to be believed.

    Args:
        values: (..., trace, time); the mute of a trace are the zeros at its top and bottom, of `SHORTEST_MUTE` samples
            at least, or all of a trace of zeros. Not changed.
    Returns:
        The filled values; where mutes are; and where they or their edges are, in which no fault can be told. All
        (..., trace, time). Rows of time without a live sample stay as they are.

    >>> layers = np.tile([1.0, 2, 3, 4, 5], (9, 1))
    >>> filled, muted, unsure = fill_mutes(np.vstack([[0.0, 0, 0, 0, 7], layers]))
    >>> filled[0], muted[0]
    (array([1., 2., 3., 4., 5.]), array([ True,  True,  True,  True, False]))
    """
    zero = values == 0
    top, bottom = _leading(zero), _leading(zero[..., ::-1])[..., ::-1]
    muted = top | bottom
    if not muted.any():
        return values, muted, muted
    doubtful = muted.copy()
    doubtful[..., TAPER:] |= top[..., :-TAPER]
    doubtful[..., :-TAPER] |= bottom[..., TAPER:]
    partly = doubtful & ~muted.all(axis=-1, keepdims=True)  # not beside a gap of whole traces
    doubtful |= _widened(partly, DISTORTED)
    unsure = muted | _widened(partly, DISTORTED + KINK)
    rows = np.swapaxes(values, -1, -2)[..., None]  # each sample by itself
    filled = _from_beside(rows, np.swapaxes(~doubtful, -1, -2), rows.shape[-2])
    return np.ascontiguousarray(np.swapaxes(filled[..., 0], -1, -2)), muted, unsure


def _widened(where: Array, n: int) -> Array:
    """Return a mask that reaches n traces further to both sides."""
    wide = where.copy()
    for shift in range(1, min(n, where.shape[-2] - 1) + 1):
        wide[..., shift:, :] |= where[..., :-shift, :]
        wide[..., :-shift, :] |= where[..., shift:, :]
    return wide


def _leading(zero: Array) -> Array:
    """Return where zeros lie at the beginning of the last axis, enough of them."""
    at_top = np.logical_and.accumulate(zero, axis=-1)
    return np.asarray(at_top & (at_top.sum(axis=-1, keepdims=True) >= SHORTEST_MUTE))


def _from_beside(values: Array, live: Array, widest: int) -> Array:
    """Return values (..., place, component) whose gaps, up to the widest, are filled linearly from live places."""
    n = live.shape[-1]
    index = np.arange(n)
    before = np.maximum.accumulate(np.where(live, index, -1), axis=-1)
    behind = np.minimum.accumulate(np.where(live, index, n)[..., ::-1], axis=-1)[..., ::-1]
    at_edge = (before < 0) | (behind >= n)
    fill = ~live & (behind - before - 1 <= widest) & ~((before < 0) & (behind >= n))
    places = np.nonzero(fill)
    below, above = before[places], behind[places]
    share = np.where(at_edge[places], 0.0, (places[-1] - below) / (above - below))
    below, above = np.where(below < 0, above, below), np.where(above >= n, below, above)
    weight = share.astype(values.dtype)[:, None]
    filled = values.copy()
    filled[places] = (1 - weight) * values[(*places[:-1], below)] + weight * values[(*places[:-1], above)]
    return filled
