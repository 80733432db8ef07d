"""Dead traces inside a section, filled from their neighbours: a network takes a gap for a fault."""

from __future__ import annotations

import numpy as np

from seisloom.sample import Array


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
