"""Trace header words of a whole SEG-Y file: their ranges, and the few of them that are held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from seisloom.errors import DataError
from seisloom.io.segy import TRACES_AT_ONCE
from seisloom.io.segy.layout import TRACE_HEADER, WORDS, SegyLayout
from seisloom.sample import Array

SHORT = {WORDS[name][0]: WORDS[name][1] for name in (
    "trace_id", "coordinate_scalar", "coordinate_units", "delay", "n_samples", "interval", "time_scalar",
)}  # fmt: skip
"""Types of the words of two bytes that are looked at, by first byte; all others have four."""
SU_OWN = 181
"""From this byte on an SU trace header holds other things than SEG-Y says."""
MAPPED_BYTES = 1 << 24
"""Of the file that are mapped at once: the system maps what lies around each header too, if it has it at hand."""


class HeaderWords:
    """Words by their first byte, from 1. A pass over the file gives ranges; columns are held where they are asked for.

    A trace header costs a page of its trace, so what is read in one pass matters more than what is computed from it.
    """

    def __init__(self, layout: SegyLayout, places: Iterable[int], hold: Iterable[int]) -> None:
        """Pass over the file once.

        Args:
            layout: of the file; its traces have one length.
            places: first bytes of the words whose ranges are wanted.
            hold: those of the words whose columns will be asked for first.
        Raises:
            DataError: if a word is not within a trace header.
        """
        for place in places:
            if not 1 <= place <= TRACE_HEADER - 3:
                raise DataError(
                    f"{layout.path}: a header word of four bytes begins at byte 1 to {TRACE_HEADER - 3}, not {place}"
                )
        self.layout = layout
        self._ranges: dict[int, tuple[int, int]] = {}
        self._columns: dict[int, Array] = {}
        self._read({*places, *hold, *SHORT}, hold)

    def _read(self, places: Iterable[int], hold: Iterable[int]) -> None:
        """Pass over the file: find the ranges of words that are not known yet, and keep some of the columns."""
        kinds = {str(place): (place, SHORT.get(place, "i4")) for place in places}
        new = [place for place in places if place not in self._ranges]
        ends = {place: (np.iinfo(np.int64).max, np.iinfo(np.int64).min) for place in new}
        held = {place: np.empty(self.n_traces, dtype=np.int32) for place in hold}
        at_once = min(TRACES_AT_ONCE, max(1, MAPPED_BYTES // self.layout.trace_bytes))
        for start in range(0, self.n_traces, at_once):
            stop = min(start + at_once, self.n_traces)
            some = self.layout.headers(start, stop, kinds)
            for place, (low, high) in ends.items():
                column = some[str(place)]
                ends[place] = min(low, int(column.min())), max(high, int(column.max()))
            for place, column in held.items():
                column[start:stop] = some[str(place)]
        self._ranges |= ends
        self._columns |= held

    @property
    def n_traces(self) -> int:
        """Number of traces."""
        return self.layout.n_traces

    def span(self, place: int) -> tuple[int, int]:
        """Return the lowest and the highest value of a word."""
        return self._ranges[place]

    def varies(self, place: int) -> bool:
        """Tell whether a word differs between traces."""
        low, high = self._ranges[place]
        return low != high

    def known(self, place: int) -> bool:
        """Tell whether a word is there and not 0 in every trace."""
        return not (self.layout.is_su and place >= SU_OWN) and self._ranges[place] != (0, 0)

    def columns(self, places: Iterable[int]) -> Mapping[int, Array]:
        """Return words of all traces, int32 (trace,), by first byte; those that are not held yet cost a pass."""
        missing = [place for place in dict.fromkeys(places) if place not in self._columns]
        if missing:
            self._read(missing, missing)
        return {place: self._columns[place] for place in places}
