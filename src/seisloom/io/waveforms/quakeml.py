"""QuakeML beside waveforms: the event type is the class, and picks are onsets."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seisloom.errors import DataError, MissingDataError
from seisloom.io.waveforms.entry import Catalogue, Entry, counted, join_components
from seisloom.io.waveforms.files import SUFFIXES as WAVEFORMS
from seisloom.io.waveforms.files import read_headers
from seisloom.io.waveforms.stream import component_of
from seisloom.io.waveforms.times import UNKNOWN, from_nanoseconds

SUFFIXES = (".xml", ".quakeml", ".qml")


@dataclass(frozen=True, slots=True)
class _Quake:
    """What of an event is used."""

    name: str
    label: str
    origin: np.datetime64
    latitude: float
    longitude: float
    onsets: dict[tuple[str, str], list[tuple[bool, np.datetime64]]]
    """By network and station: whether it is not P, and when."""


@dataclass(frozen=True, slots=True)
class _Recorded:
    """What a header says of one channel in a file."""

    file: Path
    codes: tuple[str, str, str, str]
    fs_hz: float
    start: np.datetime64
    end: np.datetime64

    def holds(self, time: np.datetime64) -> bool:
        return not np.isnat(time) and bool(self.start <= time <= self.end)


def read_catalogue(path: str | Path) -> Catalogue:
    """Return a record for each event and instrument whose waveforms lie in the QuakeML's folder or below.

    A record belongs to an event of which it holds a pick of its station, the earliest P or else the earliest of all
    being the onset; or, where the event has no pick of the station, to the one whose origin time it holds.

    Raises:
        MissingDataError: if there is no such file, or no waveform belongs to an event.
        DataError: if it is not QuakeML.
    """
    file = Path(path)
    quakes = [_quake(event, file) for event in _events(file)]
    channels = [one for waveform in _waveforms(file.parent) for one in _recorded(waveform)]
    rows, used, with_records = [], set(), set()
    candidates = _Candidates(quakes)
    for channel in channels:
        for quake in candidates.of(channel):
            if (onset := _onset(quake, channel)) is not None:
                rows.append(_entry(quake, channel, onset))
                used.add(channel.file)
                with_records.add(quake.name)
    if not rows:
        raise MissingDataError(
            f"{file}: none of its {len(quakes)} events has a pick or an origin time within one of the "
            f"{len({one.file for one in channels})} waveforms beside it. Bring the waveforms into {file.parent}"
        )
    entries, notes = join_components(rows)
    for what, names in (
        ("events have no waveform and are left out", [one.name for one in quakes if one.name not in with_records]),
        ("files hold no event and are left out", sorted({one.file.name for one in channels if one.file not in used})),
        ("events have no type and are of no class", [one.name for one in quakes if not one.label]),
    ):
        if names:
            notes.append(counted(what, names))
    return Catalogue(file.parent.resolve().name, str(file), entries, tuple(f"{file}: {note}" for note in notes))


class _Candidates:
    """Events that a channel may hold: a catalogue has thousands, and files are as many."""

    def __init__(self, quakes: Sequence[_Quake]) -> None:
        self._by_station: dict[tuple[str, str], list[_Quake]] = defaultdict(list)
        for quake in quakes:
            for station in quake.onsets:
                self._by_station[station].append(quake)
        self._by_time = sorted((one for one in quakes if not np.isnat(one.origin)), key=lambda one: one.origin)
        self._origins = np.array([one.origin for one in self._by_time], dtype="M8[ns]")

    def of(self, channel: _Recorded) -> list[_Quake]:
        """Return those with a pick of the station, and those whose origin time lies in the channel."""
        low, high = np.searchsorted(self._origins, [channel.start, channel.end])
        picked = self._by_station.get(channel.codes[:2], [])
        names = {quake.name for quake in picked}
        return [*picked, *(one for one in self._by_time[low : high + 1] if one.name not in names)]


def _events(file: Path) -> Sequence[Any]:  # Any: ObsPy Events
    from obspy.io.quakeml.core import _read_quakeml

    if not file.is_file():
        raise MissingDataError(f"{file}: no such catalogue")
    try:
        events: Sequence[Any] = _read_quakeml(str(file)).events  # Any: see above
    except Exception as error:  # ObsPy and lxml raise bare and various errors on what is not QuakeML
        raise DataError(f"{file}: QuakeML that cannot be read: {' '.join(str(error).split())}") from error
    if not events:
        raise DataError(f"{file}: has no events")
    return events


def _quake(event: Any, file: Path) -> _Quake:  # Any: an ObsPy Event
    origin = event.preferred_origin() or (event.origins[0] if event.origins else None)
    onsets: dict[tuple[str, str], list[tuple[bool, np.datetime64]]] = defaultdict(list)
    for pick in event.picks:
        if pick.waveform_id is not None and pick.time is not None:
            station = (pick.waveform_id.network_code or "", pick.waveform_id.station_code or "")
            onsets[station].append((not (pick.phase_hint or "").upper().startswith("P"), _time(pick.time)))
    return _Quake(
        str(event.resource_id).split("/", 1)[-1], str(event.event_type or ""),
        UNKNOWN if origin is None else _time(origin.time), _number(origin, "latitude"), _number(origin, "longitude"),
        dict(onsets),
    )  # fmt: skip


def _time(time: Any) -> np.datetime64:  # Any: an ObsPy UTCDateTime
    return UNKNOWN if time is None else from_nanoseconds(time.ns)


def _number(origin: Any, name: str) -> float:  # Any: an ObsPy Origin or None
    value = getattr(origin, name, None)
    return math.nan if value is None else float(value)


def _waveforms(folder: Path) -> list[Path]:
    return sorted(one for one in folder.rglob("*") if one.name.lower().endswith(WAVEFORMS))


def _recorded(file: Path) -> list[_Recorded]:
    """Return the channels of a file, each from its first to its last sample."""
    spans: dict[tuple[str, str, str, str], list[Any]] = defaultdict(list)  # Any: ObsPy's headers
    for trace in read_headers(file):
        network, station, location, channel = trace.id.split(".")
        spans[(network, station, location, channel)].append(trace.stats)
    return [
        _Recorded(
            file, codes, float(some[0].sampling_rate), from_nanoseconds(min(int(one.starttime.ns) for one in some)),
            from_nanoseconds(max(int(one.endtime.ns) for one in some)),
        )
        for codes, some in spans.items()
    ]  # fmt: skip


def _onset(quake: _Quake, channel: _Recorded) -> np.datetime64 | None:
    """Return the onset of an event in a channel, NaT if only its origin time lies in it, None if it is another's."""
    picks = quake.onsets.get(channel.codes[:2])
    if picks is None:
        return UNKNOWN if channel.holds(quake.origin) else None
    inside = [(is_other, time) for is_other, time in picks if channel.holds(time)]
    return min(inside)[1] if inside else None


def _entry(quake: _Quake, channel: _Recorded, onset: np.datetime64) -> Entry:
    network, station, location, code = channel.codes
    length_s = float((channel.end - channel.start) / np.timedelta64(1, "ns")) / 1e9
    return Entry(
        quake.name, (str(channel.file),), network, station, location, code[:-1], (component_of(code),),
        label=quake.label, fs_hz=channel.fs_hz, n_samples=round(length_s * channel.fs_hz) + 1, start=channel.start,
        pick_time=onset, latitude=quake.latitude, longitude=quake.longitude, where=str(channel.file),
    )  # fmt: skip
