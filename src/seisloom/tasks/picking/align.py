"""Which trace belongs to which shot: exact numbers first, and never a neighbour's label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seisloom.sample import Array

ENOUGH = 0.5
"""Share of traces whose header number must be in the shot list, for the header to be believed."""


@dataclass(frozen=True, slots=True)
class Score:
    """How well one header word explains the shot list."""

    header: str
    matches: int
    """Traces whose number is in the list."""
    monotone: float
    """Share of steps from trace to trace that do not go back."""
    distinct: int
    """Different numbers."""

    def to_json(self) -> dict[str, Any]:  # Any: JSON values
        """Return plain values."""
        return {
            "header": self.header, "matches": self.matches, "monotone": round(self.monotone, 4),
            "distinct": self.distinct,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Alignment:
    """The shot of each trace, and how that was found."""

    shot_id: Array
    """int64 (trace,); -1 where no shot was found."""
    how: tuple[str, ...]
    """exact, tolerant, index or none, a trace."""
    header: str
    """Name of the header word; "" for alignment by index."""
    scores: tuple[Score, ...]
    tolerant: tuple[tuple[int, int, int], ...] = ()
    """Trace, number in its header, shot that it was given: each tolerant match."""
    duplicates: tuple[int, ...] = ()
    """Shots that several traces claim."""


def align(
    headers: Mapping[str, Array], shots: Sequence[int], *, tolerance: int = 2, by_index: bool = False
) -> Alignment:
    """Return the shot of each trace.

    Exact numbers first. A trace whose number is not in the list takes a shot within `tolerance` only where that is
    one-to-one: no other free shot is as near for it, and no other trace without a shot is near that shot. Order is
    the last resort, and only where the counts agree or `by_index` says so.

    Args:
        headers: candidate numbers by name, each int (trace,), the likelier first.
        shots: the survey's shot list.
        tolerance: largest difference of a tolerant match.
        by_index: match by order although the counts differ.

    >>> align({"fldr": np.array([1, 2, 4, 5])}, [1, 2, 3, 4, 5]).shot_id.tolist()
    [1, 2, 4, 5]
    """
    listed = np.asarray(shots, dtype=np.int64)
    scores = tuple(score(name, numbers, listed) for name, numbers in headers.items())
    n_traces = len(next(iter(headers.values())))
    best = max(scores, key=lambda one: (one.matches, one.monotone), default=None)
    if best is not None and best.matches >= ENOUGH * n_traces and best.matches > 0:
        return _by_number(best.header, np.asarray(headers[best.header], dtype=np.int64), listed, scores, tolerance)
    if n_traces == len(listed) or by_index:
        n_known = min(n_traces, len(listed))
        shot_id = np.full(n_traces, -1, dtype=np.int64)
        shot_id[:n_known] = listed[:n_known]
        return Alignment(shot_id, ("index",) * n_known + ("none",) * (n_traces - n_known), "", scores)
    return Alignment(np.full(n_traces, -1, dtype=np.int64), ("none",) * n_traces, "", scores)


def score(name: str, numbers: Array, listed: Array) -> Score:
    """Return how well a header word explains the shot list."""
    numbers = np.asarray(numbers)
    steps = np.diff(numbers)
    return Score(
        header=name,
        matches=int(np.isin(numbers, listed).sum()),
        monotone=float(np.mean(steps >= 0)) if steps.size else 1.0,
        distinct=len(np.unique(numbers)),
    )


def _by_number(name: str, numbers: Array, listed: Array, scores: tuple[Score, ...], tolerance: int) -> Alignment:
    exact = np.isin(numbers, listed)
    shot_id = np.where(exact, numbers, -1)
    how = np.where(exact, "exact", "none").astype(object)
    free_shots = np.setdiff1d(listed, numbers[exact])
    free_traces = np.flatnonzero(~exact)
    near = np.abs(numbers[free_traces][:, None] - free_shots[None, :]) <= tolerance
    tolerant: list[tuple[int, int, int]] = []
    for row, trace in enumerate(free_traces):
        candidates = np.flatnonzero(near[row])
        if len(candidates) == 1 and near[:, candidates[0]].sum() == 1:
            shot_id[trace], how[trace] = free_shots[candidates[0]], "tolerant"
            tolerant.append((int(trace), int(numbers[trace]), int(free_shots[candidates[0]])))
    claimed, counts = np.unique(shot_id[shot_id >= 0], return_counts=True)
    doubles = tuple(int(one) for one in claimed[counts > 1])
    return Alignment(shot_id, tuple(how), name, scores, tuple(tolerant), doubles)
