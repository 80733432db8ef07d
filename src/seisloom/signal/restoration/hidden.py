"""Live traces hidden in gaps like those that are missing: a question whose answer is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.restoration.masks import regular_step

FEWEST_LEFT = 2
"""Live traces that are never hidden."""
ATTEMPTS = 20
"""To hide other traces than before."""
Kind: TypeAlias = tuple[int, int]
"""Of a gap: traces in it, and -1 or 1 where it is at the first or the last end of the panel, else 0."""


def hidings(is_live: Array, n: int, rng: np.random.Generator, *, share: float = 0.1) -> list[Array]:
    """Return up to `n` choices of traces to hide, each bool (trace,): others each time, as long as there are any.

    A few loud traces decide the SNR of a panel, and those that were not hidden have no say. There are as many as the
    step for traces at a regular one, and one for traces beyond an edge; see `hide_like_missing`.
    """
    found: list[Array] = []
    for _ in range(n):
        for _ in range(ATTEMPTS):
            hide = hide_like_missing(is_live, rng, share=share, before=found)
            if not any(np.array_equal(hide, one) for one in found):
                found.append(hide)
                break
    return found


def hide_like_missing(
    is_live: Array, rng: np.random.Generator, *, share: float = 0.1, before: Sequence[Array] = ()
) -> Array:
    """Return which live traces to hide, bool (trace,), so that filling them is as hard as filling the missing ones.

    What is hidden joins what is missing beside it. Runs are chosen by the width of the gap that comes of it, so that
    hidden traces lie in gaps of each width as often as missing ones do, or in the nearest width that can be had; gaps
    at an end of the panel are asked for apart. Of traces at a regular step every n-th stays, at the same n: single
    ones among them would be filled well by methods that take the missing ones for an alias. Without any missing trace
    single ones are hidden.

    Args:
        is_live: bool (trace,), at least three live.
        share: of live traces that are hidden at least, if the runs allow it. Fewer are nearer to the question, and say
            less: with a fifth instead of a tenth the choice among methods was worse on a recorded shot.
        before: what was hidden before; others are taken while there are any, and its gaps count.
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
    if step > 1 and len(known) // step >= FEWEST_LEFT:
        return _rest_of_raster(known, step, int(rng.integers(step)), len(live))
    asked = gaps(live, ~live) or Counter({(1, 0): 1})
    spent = np.any([np.zeros_like(live), *before], axis=0)
    got = Counter[Kind]()
    for one in before:
        got.update(_as_asked(gaps(live & ~one, one), asked))
    hidden = np.zeros_like(live)
    open_kinds = sorted(asked)
    while open_kinds and hidden.sum() < share * len(known):
        rng.shuffle(open_kinds)
        now = got + _as_asked(gaps(live & ~hidden, hidden), asked)
        kind = max(open_kinds, key=lambda one: asked[one] / asked.total() * (now.total() + 1) - now[one])
        run = _drawn(list(_runs(live & ~hidden, hidden, kind)), kind[0], spent, rng)
        if run is not None:
            hidden[run] = True
        if run is None or kind[1]:  # what is hidden at an end once is not hidden further
            open_kinds.remove(kind)
    if not hidden.any():  # no live trace has live ones on both sides
        hidden[known[len(known) // 2]] = True
    return hidden


def gaps(is_live: Array, traces: Array) -> Counter[Kind]:
    """Return how many of some missing traces, bool (trace,), lie in gaps of each kind.

    >>> live = np.array([False, True, False, False, True])
    >>> sorted(gaps(live, ~live).items())
    [((1, -1), 1), ((2, 0), 2)]
    """
    found = Counter[Kind]()
    for first, width in zip(*missing_runs(is_live), strict=True):
        side = -1 if first == 0 else int(first + width == len(is_live))
        found[int(width), side] += int(traces[first : first + width].sum())
    return +found


def missing_runs(is_live: Array) -> tuple[Array, Array]:
    """Return the first trace and the width of each run of missing ones, int (run,) each.

    >>> [one.tolist() for one in missing_runs(np.array([False, True, False, False, True]))]
    [[0, 2], [1, 2]]
    """
    edges = np.flatnonzero(np.diff(np.r_[True, is_live, True].astype(int)))
    return edges[::2], edges[1::2] - edges[::2]


def _as_asked(found: Counter[Kind], asked: Counter[Kind]) -> Counter[Kind]:
    """Return the counts of gaps, each of them taken for the nearest one of those that are asked for on its side."""
    counted = Counter[Kind]()
    for (width, side), number in found.items():
        alike = [kind for kind in asked if kind[1] == side]
        if alike:
            counted[min(alike, key=lambda kind: _away(kind[0], width))] += number
    return counted


def _runs(now: Array, hidden: Array, kind: Kind) -> Iterator[tuple[Array, int]]:
    """Yield runs of live traces that may be hidden for a kind of gap, and the width of the gap that each makes.

    Of those that begin at one trace the one whose gap is nearest to the kind, and the one that ends with its block.
    """
    known = np.flatnonzero(now)
    width, side = kind
    most = min(width, len(known) - FEWEST_LEFT)
    if side:
        inwards = known[::-side]
        for n in range(1, min(most, len(known) // 2) + 1):
            yield inwards[:n], abs(int(inwards[n] - inwards[0]))
        return
    ends = np.append(np.flatnonzero(np.diff(known) > 1), len(known) - 1)
    lasts = ends[np.searchsorted(ends, np.arange(len(known)))]
    for at in range(1, len(known) - 1):
        left, rest = int(known[at] - known[at - 1]) - 1, int(lasts[at]) - at + 1
        for n in {min(max(width - left, 1), rest - 1), rest}:
            if not 1 <= n <= most or at + n >= len(known):
                continue
            first, end = known[at - 1] + 1, known[at + n]
            if not hidden[first:end].any():
                yield known[at : at + n], int(end - first)


def _drawn(runs: list[tuple[Array, int]], width: int, spent: Array, rng: np.random.Generator) -> Array | None:
    """Return one of the runs that make a gap nearest to a width, of those that were not hidden before if there are."""
    choice = [one for one in runs if not spent[one[0]].any()] or runs
    if not choice:
        return None
    least = min(_away(made, width) for _, made in choice)
    nearest = [run for run, made in choice if _away(made, width) == least]
    sizes = np.array([len(run) for run in nearest], dtype=float)
    return nearest[int(rng.choice(len(nearest), p=sizes / sizes.sum()))]


def _away(a: int, b: int) -> float:
    return abs(float(np.log(a / b)))


def _rest_of_raster(known: Array, step: int, first: int, n_traces: int) -> Array:
    hidden = np.zeros(n_traces, dtype=bool)
    hidden[known] = True
    hidden[known[first::step]] = False
    return hidden
