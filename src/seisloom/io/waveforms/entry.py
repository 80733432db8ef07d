"""What a catalogue says of records: which files hold one, of which event and station it is, its class and its pick."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from seisloom.errors import DataError
from seisloom.io.waveforms.times import UNKNOWN, seconds_between

LISTED = 3
"""Names that a note lists of those it counts."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of a catalogue's columns; the defaults are those of manifests, which `seisloom convert` writes."""

    label: str = "label"
    event: str = "event_id"
    station: str = "nslc"
    time: str = "starttime"
    pick: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A record of one event at one instrument, as a catalogue has it; nothing of it is read."""

    event: str
    files: tuple[str, ...]
    """Files that hold its components."""
    network: str = ""
    station: str = ""
    location: str = ""
    band: str = ""
    """First two letters of the SEED channel code."""
    channels: tuple[str, ...] = ()
    """Components, such as Z, N, E; empty where the catalogue does not say."""
    trace: str = ""
    """Name of the record in a file of many."""
    label: str = ""
    """Empty where nobody knows."""
    fs_hz: float = math.nan
    n_samples: int = 0
    """0 where not known."""
    start: np.datetime64 = UNKNOWN
    """UTC time of the first sample; the header's, where it says another, is the right one."""
    pick_s: float = math.nan
    """Onset in s after the first sample; NaN where not known so."""
    pick_time: np.datetime64 = UNKNOWN
    """Onset in UTC; NaT where not known so."""
    latitude: float = math.nan
    """Of the source, in degrees."""
    longitude: float = math.nan
    number: int = 0
    """Of the records of one event at one instrument, where there are several, from 0."""
    where: str = ""
    """File and line, for errors."""

    @property
    def name(self) -> str:
        """NETWORK.STATION.LOCATION.BAND."""
        return f"{self.network}.{self.station}.{self.location}.{self.band}"

    @property
    def key(self) -> str:
        """EVENT/NETWORK.STATION.LOCATION.BAND, one of its kind in a catalogue."""
        more = f"-{self.number + 1}" if self.number else ""
        return f"{self.event.replace('/', '_')}/{self.name}{more}"

    @property
    def onset_s(self) -> float:
        """Onset in s after the first sample by what the catalogue says; NaN where it says nothing."""
        return self.pick_s if not math.isnan(self.pick_s) else seconds_between(self.pick_time, self.start)

    @property
    def duration_s(self) -> float:
        """Length in s."""
        return self.n_samples / self.fs_hz


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The records of one catalogue."""

    name: str
    """Of its folder."""
    path: str
    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = ()
    """What was left out, counted and listed."""


def join_components(rows: Iterable[Entry]) -> tuple[tuple[Entry, ...], list[str]]:
    """Return one entry for each record from one row a component, and notes.

    Rows that are there twice (same file, event and component) count once. Where a component of an event at an
    instrument is in two files these are two records.

    Raises:
        DataError: if rows of one record say different classes, picks or sampling rates.
    """
    by_key: dict[str, list[list[Entry]]] = defaultdict(list)
    seen: set[tuple[object, ...]] = set()
    twice, several = [], []
    for row in rows:
        same = (row.key, row.files, row.channels, row.trace, row.label)
        if same in seen:
            twice.append(row.where)
            continue
        seen.add(same)
        records = by_key[row.key]
        own = next((some for some in records if not any(_clash(row, one) for one in some)), None)
        if own is None:
            records.append([row])
            if len(records) > 1:
                several.append(row.key)
        else:
            own.append(row)
    entries = tuple(
        replace(_joined(some), number=number) for records in by_key.values() for number, some in enumerate(records)
    )
    notes = [counted("rows are there twice and count once", twice)] if twice else []
    if several:
        notes.append(counted("records are of an event and instrument that has another one already", several))
    return entries, notes


def _clash(row: Entry, other: Entry) -> bool:
    """Return whether two rows hold the same component of two recordings."""
    return (row.files, row.trace) != (other.files, other.trace) and bool(set(row.channels) & set(other.channels))


def _joined(rows: Sequence[Entry]) -> Entry:
    first = rows[0]
    for row in rows[1:]:
        for what, mine, others in (
            ("label", first.label, row.label), ("sampling_rate_hz", first.fs_hz, row.fs_hz),
            ("pick", (first.pick_s, str(first.pick_time)), (row.pick_s, str(row.pick_time))),
        ):  # fmt: skip
            if mine != others and not (isinstance(mine, float) and math.isnan(mine)) and str(mine) != str(others):
                raise DataError(
                    f"{row.where}: {what} {others} of {row.key}, and {first.where} says {mine}. A record has one: "
                    "correct the line, or give it another event"
                )
    if len(rows) == 1:
        return first
    starts = [row.start for row in rows]
    return replace(
        first, files=tuple(dict.fromkeys(file for row in rows for file in row.files)),
        channels=tuple(dict.fromkeys(one for row in rows for one in row.channels)),
        n_samples=max(row.n_samples for row in rows), start=first.start if np.isnat(starts).any() else min(starts),
    )  # fmt: skip


def counted(what: str, names: Sequence[str]) -> str:
    """Return a note with a number and the first names.

    >>> counted("files have no row", ["a", "b", "c", "d"])
    '4 files have no row: a, b, c and 1 more'
    """
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"{len(names)} {what}: {', '.join(names[:LISTED])}{more}"
