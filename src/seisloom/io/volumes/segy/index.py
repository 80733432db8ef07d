"""From SEG-Y trace headers to a grid: which words number the traces, and which trace stands at which place.

Vendors put the numbers in different words, so each likely set is scored by what a grid must be: every trace has a
place of its own, few places are empty, and the numbers go in even steps. Where those of the standard make a grid, they
win.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from seisloom.errors import DataError
from seisloom.io.segy import METERS_IN_A_FOOT
from seisloom.io.segy.layout import SegyLayout
from seisloom.io.volumes.grid import Axis
from seisloom.io.volumes.segy.places import (
    CDP_X,
    CDP_Y,
    GATHERS,
    GROUP_X,
    GROUP_Y,
    GUESSED,
    IN_BINS,
    IN_ENSEMBLE,
    LINE,
    OFFSET,
    SORTING,
    SOURCE_X,
    SOURCE_Y,
    STANDARD,
    SURVEY,
    VENDORS,
    Candidate,
)
from seisloom.io.volumes.segy.words import HeaderWords
from seisloom.io.volumes.volume import Given
from seisloom.sample import Array

MIN_FILLED = 0.05
"""Least share of places with a trace. A narrow survey that lies askew fills a fifth of its bounding box; where not one
place in 20 is filled, the words number something else: a crooked line, or positions off any grid."""
MIN_FILLED_GUESS = 0.25
"""The same for words that neither the standard nor the user names."""
FEW_DUPLICATES = 0.05
"""Up to this share of traces, equal numbers are mistakes, and not the traces of a gather."""
MAX_GROWTH = 1.25
"""Lines that are missing altogether are put back as holes if that makes no axis longer than this."""
FLAT = 0.4
"""What a grid with an axis of one number is worth beside one where both vary."""
COMMON_SOURCE = (5, 6)
"""Codes for gathers of a source or a receiver. The others prove nothing: 1 and 2 stand in many stacked files."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What a candidate is worth."""

    candidate: Candidate
    score: float
    """0 to 1; 0 where its words make no grid."""
    sizes: tuple[int, ...] = ()
    """Different numbers in each word; empty where the words were not looked at."""
    n_duplicates: int = 0
    """Traces whose place an earlier one has already."""
    filled: float = 0.0
    """Share of the places of the grid that have a trace."""
    why: str = ""
    """What stands against it; empty where nothing does."""


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """Where each trace stands."""

    axes: tuple[Axis, ...]
    """Without the one along a trace."""
    number: Array
    """Trace in the file, from 0, at each place, int64; -1 in holes."""
    places: dict[str, int]
    """First byte of the word of each axis; empty where the traces are counted."""
    scores: tuple[Scored, ...]
    """The candidates that were looked at, the best first."""
    notes: tuple[str, ...]


def read_words(layout: SegyLayout, given: Given) -> HeaderWords:
    """Return the header words that a grid and coordinates may need, after one pass over the file."""
    named = [given.inline_byte, given.crossline_byte, given.offset_byte, given.x_byte, given.y_byte]
    asked = {place for place in named if place is not None}
    places = {place for one in (STANDARD, LINE, *GATHERS, *VENDORS) for place in one.places}
    places |= {SOURCE_X, SOURCE_Y, GROUP_X, GROUP_Y, CDP_X, CDP_Y} | asked
    return HeaderWords(layout, places, _named(given)[0].places)


def find_geometry(words: HeaderWords, given: Given) -> Geometry:
    """Return the grid that the traces stand on.

    Args:
        words: see `read_words`.
        given: places of words that the user names; they are taken, or refused.
    Raises:
        DataError: if words that the user names make no grid; if several traces have the same inline and crossline
            and nothing else tells them apart; if the grid is nearly empty.
    """
    is_named = any(one is not None for one in (given.inline_byte, given.crossline_byte, given.offset_byte))
    candidates = _named(given) if is_named else _likely(words)
    scores: list[Scored] = []
    for k, one in enumerate(candidates):
        scores.append(_scored(words, one, is_named=is_named))
        best = max(scores, key=lambda scored: scored.score)  # the first of equals
        if best.score >= max((other.prior for other in candidates[k + 1 :]), default=0.0) > 0:
            break
    ranked = tuple(sorted(scores, key=lambda scored: -scored.score))
    # Bins of the standard's words are beside the point where traces stand in shot gathers or in those of a line
    if best.candidate.prior <= GUESSED or best.candidate.names[:2] == SURVEY:
        _refuse(words, scores[0], best, is_named=is_named)
    if not best.score:
        return _counted(words, ranked)
    return _geometry(words, best.candidate, ranked)


def _named(given: Given) -> list[Candidate]:
    """Return the candidates in the places that a user names, and the standard's where they name none."""
    two = (given.inline_byte or STANDARD.places[0], given.crossline_byte or STANDARD.places[1])
    if given.offset_byte is not None:
        return [Candidate((*SURVEY, "offset"), (*two, given.offset_byte))]
    return [
        Candidate(SURVEY, two),
        Candidate((*SURVEY, "offset"), (*two, OFFSET), 0.99),
        Candidate((*SURVEY, "trace"), (*two, IN_ENSEMBLE), 0.95),
    ]


def _likely(words: HeaderWords) -> list[Candidate]:
    return [STANDARD, *(GATHERS if _are_gathers(words) else (IN_BINS, *VENDORS)), LINE]


def _are_gathers(words: HeaderWords) -> bool:
    """Tell traces before stack: offsets differ, receivers stand elsewhere than their source, or the file says so."""
    if words.varies(OFFSET) or _sorting(words.layout) in COMMON_SOURCE:
        return True
    has_source = words.known(SOURCE_X) or words.known(SOURCE_Y)
    pairs = ((SOURCE_X, GROUP_X), (SOURCE_Y, GROUP_Y))
    return has_source and any(
        words.varies(group) and words.span(group) != words.span(source) for source, group in pairs
    )


def _sorting(layout: SegyLayout) -> int:
    """Return the trace sorting code of the binary header; 0, unknown, for SU."""
    if layout.is_su:
        return 0
    with layout.path.open("rb") as opened:
        opened.seek(SORTING - 1)
        return int(np.frombuffer(opened.read(2), layout.order + "i2")[0])


def _scored(words: HeaderWords, one: Candidate, *, is_named: bool) -> Scored:
    """Return what a candidate is worth; words that say nothing are not read."""
    empty = [place for place in one.places if not words.known(place)]
    n_varying = sum(words.varies(place) for place in one.places)
    is_guess = one.prior <= GUESSED and len(one.places) > 1
    if empty and not is_named:
        return Scored(one, 0.0, why=f"bytes {empty[0]}-{empty[0] + 3} are 0 in every trace")
    if is_guess and n_varying < 2:
        return Scored(one, 0.0, why="one of its words is the same in every trace")
    columns = [words.columns(one.places)[place] for place in one.places]
    values = [np.unique(column) for column in columns]
    sizes = tuple(len(some) for some in values)
    n_places = math.prod(sizes)
    n_duplicates = words.n_traces - _n_distinct(columns, values)
    filled = (words.n_traces - n_duplicates) / n_places
    draft = Scored(one, 0.0, sizes, n_duplicates, filled)
    least = MIN_FILLED_GUESS if is_guess else MIN_FILLED
    if n_duplicates:
        return _because(draft, f"{n_duplicates} of {words.n_traces} traces have the place of another one")
    if filled < least:
        return _because(draft, f"{words.n_traces} traces on {' x '.join(map(str, sizes))} places")
    if is_guess and words.n_traces in sizes:
        return _because(draft, "one of its words alone tells all traces apart: no line of theirs has two traces")
    even = min(_even(some) for some in values)  # so that one more axis is never a gain by itself
    together = _together(_place(columns[:-1], values[:-1])) if one in GATHERS else 1.0
    flat = FLAT if len(sizes) > 1 and n_varying < min(2, len(sizes)) and words.n_traces > 1 else 1.0
    # Half is for being a grid at all: so the poorest one of the standard beats the best one of a guess
    worth = 0.5 + 0.25 * filled + 0.25 * even
    return Scored(one, one.prior * worth * together * flat, sizes, 0, filled)


def _because(draft: Scored, why: str) -> Scored:
    return replace(draft, why=why)


def _place(columns: Sequence[Array], values: Sequence[Array]) -> Array:
    """Return the index of each trace on the grid of these axes, flat, int64 (trace,)."""
    at = np.zeros(len(columns[0]), dtype=np.int64)
    for column, some in zip(columns, values, strict=True):
        at *= len(some)
        at += np.searchsorted(some, column)
    return at


def _n_distinct(columns: Sequence[Array], values: Sequence[Array]) -> int:
    if math.prod(len(some) for some in values) >= np.iinfo(np.int64).max:
        return len(np.unique(np.stack(columns), axis=1).T)
    return len(np.unique(_place(columns, values)))


def _even(values: Array) -> float:
    """Return the share of steps that are as long as the commonest one."""
    if len(values) < 3:
        return 1.0
    _, counts = np.unique(np.diff(values), return_counts=True)
    return float(counts.max() / counts.sum())


def _together(gather: Array) -> float:
    """Return 1 where the traces of a gather stand together in the file, and down to half of it where they do not."""
    n_runs = 1 + int(np.count_nonzero(np.diff(gather)))
    return 0.5 + 0.5 * len(np.unique(gather)) / n_runs


def _refuse(words: HeaderWords, first: Scored, best: Scored, *, is_named: bool) -> None:
    """Raise where the words of the standard or of the user claim a grid, and make none.

    Words that are the same in all traces claim nothing: then another numbering, or a plain line, is no surprise.
    """
    claims = is_named or (len(first.sizes) > 1 and min(first.sizes) > 1)
    are_gathers = first.n_duplicates > FEW_DUPLICATES * words.n_traces
    if not claims or first.score or (best.score and are_gathers):
        return
    where = f"{words.layout.path}: {first.candidate}"
    if first.n_duplicates:
        raise DataError(
            f"{where}: {' x '.join(map(str, first.sizes))} different numbers, and {first.n_duplicates} of "
            f"{words.n_traces} traces have those of another trace; {_first_pair(words, first.candidate)}. Name the "
            "words that number the traces (--inline-byte, --crossline-byte; --offset-byte for gathers), or keep one "
            "trace of each"
        )
    raise DataError(
        f"{where}: an irregular grid: {' x '.join(map(str, first.sizes))} different numbers for {words.n_traces} "
        f"traces, so {first.filled:.2%} of it would be filled. Name the words that number the traces "
        "(--inline-byte, --crossline-byte), or bin the traces to a regular grid"
    )


def _first_pair(words: HeaderWords, one: Candidate) -> str:
    columns = np.stack([words.columns(one.places)[place] for place in one.places])
    _, first, inverse = np.unique(columns, axis=1, return_index=True, return_inverse=True)
    again = int(np.flatnonzero(first[inverse.ravel()] != np.arange(words.n_traces))[0])
    at = int(first[inverse.ravel()[again]])
    numbers = ", ".join(f"{name} {value}" for name, value in zip(one.names, columns[:, again], strict=True))
    return f"the first are traces {at} and {again} (from 0), both {numbers}"


def _counted(words: HeaderWords, scores: tuple[Scored, ...]) -> Geometry:
    """Return a line of traces in the order of the file."""
    n = words.n_traces
    notes = () if n == 1 else ("no header words number the traces, so they are counted from 1, as one line",)
    return Geometry((Axis.regular("trace", n, first=1),), np.arange(n), {}, scores, notes)


def _geometry(words: HeaderWords, one: Candidate, scores: tuple[Scored, ...]) -> Geometry:
    notes = [str(one)]
    columns = [words.columns(one.places)[place] for place in one.places]
    values = [_with_missing_lines(np.unique(column)) for column in columns]
    shape = tuple(len(some) for some in values)
    number = np.full(math.prod(shape), -1, dtype=np.int64)
    number[_place(columns, values)] = np.arange(words.n_traces)
    if words.n_traces < number.size:
        notes.append(f"{number.size - words.n_traces} of {number.size} places of the grid have no trace")
    axes = []
    for name, some in zip(one.names, values, strict=True):
        if name == "offset":
            unit_m = METERS_IN_A_FOOT if words.layout.in_feet else 1.0
            axes.append(Axis(name, some * unit_m, "m"))
        else:
            axes.append(Axis(name, some))
    places = dict(zip(one.names, one.places, strict=True))
    return Geometry(tuple(axes), number.reshape(shape), places, scores, tuple(notes))


def _with_missing_lines(values: Array) -> Array:
    """Return the numbers of an axis with those put back that no trace has, where the rest goes in even steps."""
    step = int(np.gcd.reduce(np.diff(values.astype(np.int64)))) if len(values) > 1 else 1
    first, n_regular = int(values[0]), (int(values[-1]) - int(values[0])) // step + 1
    return first + step * np.arange(n_regular) if n_regular <= MAX_GROWTH * len(values) else values
