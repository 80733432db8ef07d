"""Which trace belongs to which shot: exact numbers first, and never a neighbour's label."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seisloom.io.segy.layout import WORDS
from seisloom.sample import Array

ENOUGH = 0.5
"""Share of traces whose header number must be in the shot list, for the header to be believed."""
MOST_COMPONENTS = 4
"""Most traces of one shot in a station's file: hydrophone and three geophones. A constant explains nothing."""
COUNTERS = ("trace_sequence_line",)
"""Words that count traces, unless a vendor numbers shots in them: with one shot missing, a count from 1 shifts every
later label by one. It is order and no more, and is believed as little."""


@dataclass(frozen=True, slots=True)
class Score:
    """How well one header word explains the shot list."""

    header: str
    matches: int
    """Traces whose number is in the list."""
    explained: int
    """Shots of the list that some trace has."""
    monotone: float
    """Share of steps from trace to trace that go one way, up or down the line."""
    distinct: int
    """Different numbers."""

    def to_json(self) -> dict[str, Any]:  # Any: JSON values
        """Return plain values."""
        return {
            "header": self.header, "matches": self.matches, "explained": self.explained,
            "monotone": round(self.monotone, 4), "distinct": self.distinct,
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
    """Shots that more traces claim than is usual in the file: which of them is the shot's cannot be told."""
    why_none: str = ""
    """Where nothing was matched: what was tried, what it found, and what to give; else empty."""


def align(
    headers: Mapping[str, Array],
    shots: Sequence[int],
    *,
    tolerance: int = 2,
    by_index: bool | None = None,
    enough: float = ENOUGH,
) -> Alignment:
    """Return the shot of each trace.

    Exact numbers first. A trace whose number is not in the list takes a shot within `tolerance` only where that is
    one-to-one: no other free shot is as near for it, and no other trace without a shot is near that shot. Order is
    the last resort, and only where the counts agree or `by_index` says so.

    Args:
        headers: candidate numbers by name, each int (trace,), the likelier first.
        shots: the survey's shot list, without repeats.
        tolerance: largest difference of a tolerant match.
        by_index: whether order may decide where no number does. None: where the counts agree; True: also where they
            differ; False: never, since a user who names a word does not mean the order.
        enough: share of traces whose number must be in the list, for a header to be believed.

    >>> align({"fldr": np.array([1, 2, 4, 5])}, [1, 2, 3, 4, 5]).shot_id.tolist()
    [1, 2, 4, 5]
    """
    listed = np.asarray(shots, dtype=np.int64)
    scores = tuple(score(name, numbers, listed) for name, numbers in headers.items())
    n_traces = len(next(iter(headers.values())))
    believed = [one for one in scores if _is_believed(one, n_traces, len(listed), enough)]
    numbering = [one for one in believed if one.header not in COUNTERS] or [
        one for one in believed if not np.array_equal(headers[one.header], np.arange(1, n_traces + 1))
    ]
    if numbering:
        best = max(numbering, key=lambda one: (one.explained, one.matches, one.monotone))
        return _by_number(best.header, np.asarray(headers[best.header], dtype=np.int64), listed, scores, tolerance)
    if by_index or (by_index is None and n_traces == len(listed)):
        n_known = min(n_traces, len(listed))
        shot_id = np.full(n_traces, -1, dtype=np.int64)
        shot_id[:n_known] = listed[:n_known]
        return Alignment(shot_id, ("index",) * n_known + ("none",) * (n_traces - n_known), "", scores)
    why = _why_none(scores, n_traces, len(listed), enough)
    return Alignment(np.full(n_traces, -1, dtype=np.int64), ("none",) * n_traces, "", scores, why_none=why)


def _why_none(scores: Sequence[Score], n_traces: int, n_listed: int, enough: float) -> str:
    """Say which header words were tried, what they match, and what a user can give."""
    tried = ", ".join(f"{place(one.header)} {one.matches} ({_shots(one.explained)})" for one in scores)
    least = max(math.ceil(enough * n_traces), 1)
    return (
        f"{n_traces} traces, {_shots(n_listed)} listed. Traces whose number is in the list: {tried}; {least} are "
        "needed, of more than one shot and more than a count of traces. Is the list in geometry.json whole? Else give "
        "the word that numbers the shots, --shot-byte BYTE; or --allow-index-alignment, if the traces have the order "
        "of the list"
    )


def place(header: str) -> str:
    """Return a header word's name with its first byte, and a colon."""
    return f"{header}, byte {WORDS[header][0]}:" if header in WORDS else f"{header}:"


def _shots(n: int) -> str:
    return f"{n} shot" + ("s" if n != 1 else "")


def _is_believed(one: Score, n_traces: int, n_listed: int, enough: float) -> bool:
    """Return whether a header's numbers are the list's, and not a constant that happens to be in it."""
    least = max(min(2, n_traces, n_listed), one.matches / MOST_COMPONENTS)
    return one.matches >= enough * n_traces and one.explained >= least


def score(name: str, numbers: Array, listed: Array) -> Score:
    """Return how well a header word explains the shot list."""
    numbers = np.asarray(numbers)
    steps = np.diff(numbers)
    in_list = np.isin(numbers, listed)
    return Score(
        header=name,
        matches=int(in_list.sum()),
        explained=len(np.unique(numbers[in_list])),
        monotone=float(max(np.mean(steps >= 0), np.mean(steps <= 0))) if steps.size else 1.0,
        distinct=len(np.unique(numbers)),
    )


def _by_number(name: str, numbers: Array, listed: Array, scores: tuple[Score, ...], tolerance: int) -> Alignment:
    exact = np.isin(numbers, listed)
    shot_id = np.where(exact, numbers, -1)
    how = np.where(exact, "exact", "none").astype(object)
    tolerant = _one_to_one(np.flatnonzero(~exact), numbers, np.setdiff1d(listed, numbers[exact]), tolerance)
    for trace, _, shot in tolerant:
        shot_id[trace], how[trace] = shot, "tolerant"
    claimed, counts = np.unique(shot_id[shot_id >= 0], return_counts=True)
    usual = np.median(counts) if counts.size else 1
    doubles = tuple(int(one) for one in claimed[counts > usual])
    return Alignment(shot_id, tuple(how), name, scores, tolerant, doubles)


def _one_to_one(traces: Array, numbers: Array, shots: Array, tolerance: int) -> tuple[tuple[int, int, int], ...]:
    """Return (trace, its number, shot) where one free shot is near one trace without a shot, and only these two."""
    if not traces.size or not shots.size:
        return ()
    own = numbers[traces]
    first, n_shots = _near(own, shots, tolerance)
    _, n_traces = _near(shots, np.sort(own), tolerance)
    return tuple(
        (int(trace), int(number), int(shots[at]))
        for trace, number, at, n in zip(traces, own, first, n_shots, strict=True)
        if n == 1 and n_traces[at] == 1
    )


def _near(values: Array, ordered: Array, tolerance: int) -> tuple[Array, Array]:
    """Return, for each value, the place of the first of some ordered numbers within `tolerance`, and how many are."""
    first = np.searchsorted(ordered, values - tolerance, side="left")
    return first, np.searchsorted(ordered, values + tolerance, side="right") - first
