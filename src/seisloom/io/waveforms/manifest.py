"""A manifest: a CSV beside waveforms, one row a component of a record."""

from __future__ import annotations

import csv
import math
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from seisloom.errors import DataError, MissingDataError
from seisloom.io.waveforms.entry import Catalogue, Columns, Entry, counted, join_components
from seisloom.io.waveforms.files import SUFFIXES, read_headers
from seisloom.io.waveforms.stream import component_of
from seisloom.io.waveforms.times import UNKNOWN, from_nanoseconds, parse_utc

NAME = "manifest.csv"
LATITUDES, LONGITUDES = ("source_lat", "event_lat"), ("source_lon", "event_lon")


def read_manifest(path: str | Path, columns: Columns = Columns(), *, need_label: bool = True) -> Catalogue:  # noqa: B008  frozen
    """Return the records of a manifest, from the table alone where it has the sampling rate, length and start.

    Needed columns: path (relative to the manifest), the event, and the station as NETWORK.STATION.LOCATION.CHANNEL.
    Where sampling_rate_hz, npts or the start time are missing, the files' headers are read. Dates in file names count
    for nothing.

    Raises:
        MissingDataError: if there is no such file, or none of its waveforms is there.
        DataError: if a column is missing, a cell cannot be read, or rows contradict each other.
    """
    file = Path(path)
    labels = (columns.label,) if need_label else ()
    lines = read_rows(file, ("path", columns.event, columns.station, *labels))
    there = _files_by_folder(file.parent, [row["path"] for _, row in lines])
    rows, absent = [], []
    for number, row in lines:
        if row["path"] in there:
            rows.append(_entry(file, number, row, columns))
        else:
            absent.append(row["path"])
    if not rows:
        raise MissingDataError(
            f"{file}: none of its {len(lines)} waveforms is there, such as {file.parent / lines[0][1]['path']}. "
            "Bring them beside the manifest, or correct the column path"
        )
    entries, notes = join_components(rows)
    if absent:
        notes.append(counted("rows have no waveform and are left out", absent))
    strange = sorted(_beside(file.parent) - {row["path"] for _, row in lines})
    if strange:
        notes.append(counted("files have no row and are left out", strange))
    return Catalogue(file.parent.resolve().name, str(file), entries, tuple(f"{file}: {note}" for note in notes))


def read_rows(file: Path, needed: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """Return the rows of a CSV with their line numbers, cells as text without blanks around.

    Raises:
        MissingDataError: if there is no such file.
        DataError: if it is no CSV, has no rows, or lacks a column.
    """
    if not file.is_file():
        raise MissingDataError(f"{file}: no such catalogue")
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            reader = csv.DictReader(opened, restkey="", restval="", strict=True)
            names = [name.strip() for name in reader.fieldnames or ()]
            reader.fieldnames = names
            rows = [(reader.line_num, {name: value.strip() for name, value in row.items() if name}) for row in reader]
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{file}: not a CSV: {error}. Save it as UTF-8 text with commas") from error
    missing = [name for name in needed if name not in names]
    if missing:
        raise DataError(
            f"{file}: column {missing[0]} is missing; there are {', '.join(names) or 'none'}. Name the right one: "
            "data.label, data.event, data.station, data.time"
        )
    if not rows:
        raise DataError(f"{file}: has no rows below its head")
    return rows


def _entry(file: Path, number: int, row: Mapping[str, str], columns: Columns) -> Entry:
    where = f"{file}: line {number}"
    network, station, location, channel = codes_of(row[columns.station], where=where)
    if not row[columns.event]:
        raise DataError(f"{where}: {columns.event} is empty; samples of one event must be kept together. Fill it in")
    pick_s, pick_time = _pick(row, columns, where)
    waveform = file.parent / row["path"]
    entry = Entry(
        row[columns.event], (str(waveform),), network, station, location, channel[:-1],
        (component_of(channel),) if channel else (), label=row.get(columns.label, ""),
        fs_hz=_number(row, "sampling_rate_hz", where), start=parse_utc(row.get(columns.time, ""), where=where),
        n_samples=int(np.nan_to_num(_number(row, "npts", where))), pick_s=pick_s, pick_time=pick_time,
        latitude=_first_number(row, LATITUDES, where), longitude=_first_number(row, LONGITUDES, where), where=where,
    )  # fmt: skip
    # An empty cell says that the start is not known, whatever the file's header begins with
    has_start = columns.time in row
    is_whole = entry.channels and entry.fs_hz > 0 and entry.n_samples > 0 and has_start
    return entry if is_whole else _with_header(entry, waveform)


def _with_header(entry: Entry, waveform: Path) -> Entry:
    """Return the entry with what its file's header says of it."""
    traces = [one for one in read_headers(waveform) if _fits(one, entry)] or read_headers(waveform)
    stats = traces[0].stats
    starts = [int(trace.stats.starttime.ns) for trace in traces]
    ends = [int(trace.stats.endtime.ns) for trace in traces]
    fs_hz = float(stats.sampling_rate)
    return replace(
        entry, fs_hz=fs_hz, start=from_nanoseconds(min(starts)), band=entry.band or stats.channel[:-1],
        channels=entry.channels or tuple(dict.fromkeys(component_of(trace.stats.channel) for trace in traces)),
        n_samples=round((max(ends) - min(starts)) * fs_hz / 1e9) + 1,
    )  # fmt: skip


def _fits(trace: object, entry: Entry) -> bool:
    return getattr(trace, "id", "").startswith(f"{entry.network}.{entry.station}.")


def codes_of(text: str, *, where: str) -> tuple[str, str, str, str]:
    """Return network, station, location and channel of a name with 0 to 3 dots.

    >>> codes_of("UW.BHW..EHZ", where="a test"), codes_of("OKC", where="a test")
    (('UW', 'BHW', '', 'EHZ'), ('', 'OKC', '', ''))
    """
    words = [word.strip().replace("--", "") for word in text.split(".")]
    if len(words) == 1:
        words = ["", *words]
    if len(words) > 4 or not words[1]:
        raise DataError(f"{where}: {text!r} names no station. Write NETWORK.STATION.LOCATION.CHANNEL: UW.BHW..EHZ")
    words += [""] * (4 - len(words))
    return words[0], words[1], words[2], words[3]


def _pick(row: Mapping[str, str], columns: Columns, where: str) -> tuple[float, np.datetime64]:
    """Return the onset of a row: a number is s after the first sample, all else a UTC time."""
    if columns.pick is None:
        return math.nan, UNKNOWN
    if columns.pick not in row:
        raise DataError(f"{where}: no column {columns.pick!r} for picks; there are {', '.join(row)}. Set data.pick")
    try:
        return (float(row[columns.pick]), UNKNOWN) if row[columns.pick] else (math.nan, UNKNOWN)
    except ValueError:
        return math.nan, parse_utc(row[columns.pick], where=f"{where}: {columns.pick}")


def _number(row: Mapping[str, str], name: str, where: str) -> float:
    text = row.get(name, "")
    try:
        return float(text) if text else math.nan
    except ValueError:
        raise DataError(f"{where}: {name} {text!r} is not a number. Correct it, or leave the cell empty") from None


def _first_number(row: Mapping[str, str], names: Sequence[str], where: str) -> float:
    return next((_number(row, name, where) for name in names if row.get(name)), math.nan)


def _files_by_folder(folder: Path, paths: Sequence[str]) -> set[str]:
    """Return which of the paths are files, asking each folder once."""
    by_folder: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        by_folder[os.path.dirname(path)].append(path)
    there: set[str] = set()
    for inner, some in by_folder.items():
        try:
            names = set(os.listdir(folder / inner))
        except OSError:
            continue
        there.update(path for path in some if os.path.basename(path) in names)
    return there


def _beside(folder: Path) -> set[str]:
    """Return the waveforms that lie in a folder."""
    return {one.name for one in os.scandir(folder) if one.name.lower().endswith(SUFFIXES)}
