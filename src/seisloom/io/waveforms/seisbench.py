"""Data in SeisBench's format: `metadata.csv` beside `waveforms.hdf5`, by its public description.

Traces lie in `data/NAME`, or many of one shape in `data/BUCKET`, addressed as `BUCKET$12,:3,:6000`; `data_format` says
the order of components (ZNE) and of axes (CW: component, time).
Source: SeisBench documentation, "Data format" (Woollam et al. 2022, SRL 93, 1695-1709).
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from seisloom.errors import DataError, MissingDataError
from seisloom.io.waveforms.entry import Catalogue, Columns, Entry, counted, join_components
from seisloom.io.waveforms.manifest import read_rows
from seisloom.io.waveforms.times import parse_utc
from seisloom.io.waveforms.waveform import Waveform

NAME, WAVEFORMS, CHUNKS = "metadata.csv", "waveforms.hdf5", "chunks"
SUFFIXES = (".hdf5", ".h5")
OWN = {"label": "source_type", "event": "source_id", "time": "trace_start_time"}
"""Columns that stand where the recipe names no other than a manifest's."""
PICK = "trace_p_arrival_sample"
DEFAULTS = Columns()


def is_metadata(file: Path) -> bool:
    """Return whether a CSV is the table of a set in SeisBench's format."""
    if file.suffix.lower() != ".csv" or not file.is_file():
        return False
    with file.open(encoding="utf-8-sig", errors="replace") as opened:
        return "trace_name" in [name.strip().strip('"') for name in opened.readline().split(",")]


def read_catalogue(path: str | Path, columns: Columns = DEFAULTS, *, need_label: bool = True) -> Catalogue:
    """Return the records of a set in SeisBench's format, from its table alone.

    The class is source_type, the event source_id, the onset trace_p_arrival_sample, unless `columns` names others.

    Raises:
        MissingDataError: if the table or its HDF5 file is not there.
        DataError: if a column is missing, or a cell cannot be read.
    """
    first = Path(path)
    rows: list[Entry] = []
    nameless: list[str] = []
    for table, waveforms in _chunks(first):
        lines = read_rows(table, ("trace_name", "trace_sampling_rate_hz"))
        spelt = {name.lower(): name for name in lines[0][1]}
        names = _names(table, columns, spelt, need_label=need_label)
        order = _order(waveforms)
        for number, row in lines:
            where = f"{table}: line {number}"
            if not row.get(names["event"], ""):
                nameless.append(row["trace_name"])  # noise, mostly: each is an event of its own
            rows.append(_entry(row, names, spelt, waveforms, order, where))
    entries, notes = join_components(rows)
    if nameless:
        notes.append(counted(f"traces have no {OWN['event']}; each counts as an event of its own", nameless))
    name = first.parent.resolve().name
    return Catalogue(name, str(first), entries, tuple(f"{first}: {note}" for note in notes))


def first_table(folder: Path) -> Path:
    """Return the first table of a set in chunks."""
    return folder / f"metadata{_endings(folder)[0]}.csv"


def _endings(folder: Path) -> list[str]:
    listed = folder / CHUNKS
    return (listed.read_text(encoding="utf-8").split() if listed.is_file() else []) or [""]


def _chunks(first: Path) -> list[tuple[Path, Path]]:
    """Return the tables and HDF5 files of a set; large ones are in chunks, listed in a file."""
    folder, endings = first.parent, _endings(first.parent)
    pairs = [(folder / f"metadata{end}.csv", folder / f"waveforms{end}.hdf5") for end in endings]
    if endings == [""]:
        pairs = [(first, folder / WAVEFORMS)]
    for _, waveforms in pairs:
        if not waveforms.is_file():
            raise MissingDataError(f"{waveforms}: no such file of waveforms, and {first} is its table. Bring it too")
    return pairs


def _names(table: Path, columns: Columns, spelt: Mapping[str, str], *, need_label: bool) -> dict[str, str]:
    """Return the columns of class, event, time and onset as the table spells them."""
    found = {}
    for key, own in OWN.items():
        asked = getattr(columns, key)
        name = own if asked in ("", getattr(DEFAULTS, key)) and asked.lower() not in spelt else asked
        if name.lower() in spelt:
            found[key] = spelt[name.lower()]
        elif key == "label" and not need_label:
            found[key] = ""
        elif key != "time":
            raise DataError(
                f"{table}: column {name} is missing; there are {', '.join(spelt.values())}. Name the right one: "
                f"data.{key}"
            )
    found["pick"] = spelt.get((columns.pick or PICK).lower(), "")
    if columns.pick and not found["pick"]:
        raise DataError(f"{table}: column {columns.pick} is missing; there are {', '.join(spelt.values())}")
    return found


def _entry(
    row: Mapping[str, str], names: Mapping[str, str], spelt: Mapping[str, str], waveforms: Path, order: str, where: str
) -> Entry:
    def text(name: str) -> str:
        return row.get(spelt.get(name, name), "")

    def number(name: str) -> float:
        try:
            return float(text(name)) if text(name) else math.nan
        except ValueError:
            raise DataError(f"{where}: {name} {text(name)!r} is not a number") from None

    fs_hz = number("trace_sampling_rate_hz")
    pick = number(names["pick"].lower()) if names["pick"] else math.nan
    n_samples = number("trace_npts")
    channels = tuple(text("trace_component_order") or order)
    location = text("station_location_code").replace("--", "")
    return Entry(
        row.get(names["event"], "") or row["trace_name"], (str(waveforms),), text("station_network_code"),
        text("station_code"), location, text("station_channel_code")[:2], channels, row["trace_name"],
        row.get(names["label"], ""), fs_hz, int(n_samples) if n_samples > 0 else _length(row["trace_name"]),
        parse_utc(row.get(names.get("time", ""), ""), where=where), pick_s=pick / fs_hz,
        latitude=number("source_latitude_deg"), longitude=number("source_longitude_deg"), where=where,
    )  # fmt: skip


def _length(trace: str) -> int:
    """Return the samples that an address such as bucket0$12,:3,:6000 tells; 0 where it tells none."""
    last = trace.rpartition(",")[2].rpartition(":")[2]
    return int(last) if "$" in trace and last.isdigit() else 0


@lru_cache(maxsize=8)
def _opened(path: str, _mtime_ns: int, _process: int) -> Any:  # Any: h5py has no types
    """Return an open file; a process that was forked opens its own, since HDF5 keeps state beside the handle."""
    import h5py

    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise DataError(f"{path}: HDF5 that cannot be read: {error}. Copy it again from its source") from error


def _file(path: Path) -> Any:  # Any: see above
    try:
        return _opened(str(path), os.stat(path).st_mtime_ns, os.getpid())
    except FileNotFoundError as error:
        raise MissingDataError(f"{path}: no such file of waveforms") from error


def _said(file: Any, name: str, default: str) -> str:  # Any: see above
    """Return a word of `data_format`."""
    value = file["data_format"][name][()] if "data_format" in file and name in file["data_format"] else default
    return value.decode() if isinstance(value, bytes) else str(value)


def _order(path: Path) -> str:
    """Return the order of components that holds where the table says no other."""
    return _said(_file(path), "component_order", "")


def read_trace(path: Path, entry: Entry) -> Waveform:
    """Return one record of an HDF5 file; the table says its rate, start and, where it does, its components.

    Raises:
        MissingDataError, DataError: if the file or the trace is not there, or its axes do not fit.
    """
    file = _file(path)
    name, _, place = entry.trace.partition("$")
    if "data" not in file or name not in file["data"]:
        raise DataError(f"{path}: has no trace {name!r}, and {entry.where} asks for it. Bring the file of this table")
    try:
        values = np.asarray(file["data"][name][_slices(place)] if place else file["data"][name][()])
    except (ValueError, TypeError, IndexError, OSError) as error:
        raise DataError(f"{path}: {entry.trace} cannot be read: {error}") from error
    axes = _said(file, "dimension_order", "CW").replace("N", "")
    if values.ndim != 2 or sorted(axes) != ["C", "W"]:
        raise DataError(f"{path}: {entry.trace} has the shape {values.shape} and the axes {axes!r}, not C and W")
    values = values if axes == "CW" else values.T
    channels = entry.channels or tuple(_order(path))
    if not channels:
        raise DataError(
            f"{path}: nothing says which its {len(values)} components are: write data_format/component_order into it, "
            "or the column trace_component_order"
        )
    if len(channels) != len(values):
        raise DataError(
            f"{path}: {entry.trace} has {len(values)} components, and {''.join(channels)} are said. Correct "
            "trace_component_order"
        )
    return Waveform(
        values.astype(np.float32), channels, entry.fs_hz, entry.start, entry.network, entry.station, entry.location,
        entry.band, str(path),
    )  # fmt: skip


def _slices(text: str) -> tuple[int | slice, ...]:
    """Return what an address such as 12,:3,:6000 takes of an array.

    >>> _slices("12,:3,:6000")
    (12, slice(None, 3, None), slice(None, 6000, None))
    """
    found: list[int | slice] = []
    for word in text.split(","):
        parts = [int(part) if part.strip() else None for part in word.split(":")]
        found.append(int(word) if len(parts) == 1 else slice(*parts))
    return tuple(found)
