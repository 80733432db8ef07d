"""Patterns of missing traces by their words: "irregular 50", "regular 2", "gap 5"."""

from __future__ import annotations

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.restoration import masks

PER_CENT, EVERY = ("irregular", "gap", "edge"), ("jittered", "regular")


def known_pattern(words: str) -> str:
    """Return a pattern as it is written everywhere: a kind and a number.

    Raises:
        ValueError: if there is no such kind, or the number is none that it can have.

    >>> known_pattern(" Irregular  50 %")
    'irregular 50'
    """
    kind, number = (*words.lower().replace("%", " ").split(), "", "")[:2]
    if kind in PER_CENT and number.isdigit() and 0 < int(number) < 100:
        return f"{kind} {int(number)}"
    if kind in EVERY and number.isdigit() and int(number) > 1:
        return f"{kind} {int(number)}"
    raise ValueError(
        f"{words!r} is no pattern: write {', '.join(PER_CENT)} with the per cent that is missing (irregular 50), or "
        f"{', '.join(EVERY)} with the number of traces of which one is live (regular 2)"
    )


def draw_pattern(words: str, n_traces: int, rng: np.random.Generator) -> Array:
    """Return which traces are live, bool (trace,); see `seisloom.signal.restoration.masks`.

    Raises:
        DataError: if the panel has too few traces for it.
    """
    kind, number = known_pattern(words).split()
    width = max(round(int(number) / 100 * n_traces), 1)
    if n_traces < 4:
        raise DataError(f"{n_traces} traces are too few to hide {words} of them")
    if kind == "irregular":
        return masks.irregular(n_traces, int(number) / 100, rng)
    if kind == "jittered":
        return masks.jittered(n_traces, int(number), rng)
    if kind == "regular":
        return masks.regular(n_traces, int(number), first=int(rng.integers(int(number))))
    if kind == "gap":
        return masks.gap(n_traces, width, rng)
    return masks.edge(n_traces, width, at_end=bool(rng.integers(2)))
