"""Which traces are missing: the patterns that methods are tried on, and told apart by."""

from __future__ import annotations

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array


def irregular(n_traces: int, share: float, rng: np.random.Generator) -> Array:
    """Return a mask in which a share of the traces, drawn without any order, is missing.

    Returns:
        bool (trace,), True where live, as of all masks here. round(share * n_traces) are missing, and never all.
    Raises:
        DataError: if the share is not in 0 to below 1.
    """
    _check(n_traces, share)
    live = np.ones(n_traces, dtype=bool)
    live[rng.permutation(n_traces)[: min(round(share * n_traces), n_traces - 1)]] = False
    return live


def jittered(n_traces: int, every: int, rng: np.random.Generator) -> Array:
    """Return a mask with one live trace, drawn anew, in each cell of `every` traces: no gap is wider than 2 every - 2.

    Source: Hennenfent & Herrmann (2008), Geophysics 73(3), V19-V28, with the jitter of a whole cell.
    """
    _check(n_traces, 1 - 1 / max(every, 1))
    firsts = np.arange(0, n_traces, every)
    live = np.zeros(n_traces, dtype=bool)
    live[firsts + rng.integers(0, np.minimum(every, n_traces - firsts))] = True
    return live


def regular(n_traces: int, every: int, *, first: int = 0) -> Array:
    """Return a mask with every n-th trace live, from the first: aliased where a period is too short for the new step.

    >>> regular(7, 3).astype(int)
    array([1, 0, 0, 1, 0, 0, 1])
    """
    _check(n_traces, 1 - 1 / max(every, 1))
    return np.asarray(np.arange(n_traces) % every == first % every)


def gap(n_traces: int, width: int, rng: np.random.Generator) -> Array:
    """Return a mask with neighbours missing together, with a live trace on either side of them."""
    if not 1 <= width <= n_traces - 2:
        raise DataError(f"a gap of {width} traces does not fit into {n_traces} with a live trace on either side")
    first = int(rng.integers(1, n_traces - width))
    live = np.ones(n_traces, dtype=bool)
    live[first : first + width] = False
    return live


def edge(n_traces: int, width: int, *, at_end: bool = True) -> Array:
    """Return a mask whose last traces, or first ones, are missing: nothing lies beyond them."""
    if not 1 <= width < n_traces:
        raise DataError(f"{width} traces of {n_traces} cannot be missing at an edge")
    live = np.arange(n_traces) < n_traces - width
    return np.asarray(live if at_end else live[::-1])


def regular_step(is_live: Array) -> int:
    """Return the step of live traces if all steps are alike, else 0; 1 where nothing is missing between them.

    >>> regular_step(regular(9, 2)), regular_step(np.array([True, False, True, True]))
    (2, 0)
    """
    steps = np.unique(np.diff(np.flatnonzero(is_live)))
    return int(steps[0]) if len(steps) == 1 else 0


def _check(n_traces: int, share: float) -> None:
    if n_traces < 1 or not 0 <= share < 1:
        raise DataError(
            f"a share of {share} of {n_traces} traces cannot be missing: it is 0 to below 1 of at least one"
        )
