"""Pickled events as a folder of miniSEED with a manifest, which has what the pickle lacks."""

from __future__ import annotations

import contextlib
import csv
import logging
import math
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from seisloom.errors import DataError, OutputError, RecipeError
from seisloom.io.waveforms.event_pickle import PickledEvent, rate_of_times, read_event_pickle
from seisloom.io.waveforms.manifest import NAME, codes_of
from seisloom.io.waveforms.mseed_writer import write_mseed
from seisloom.io.waveforms.sources import PICKLES
from seisloom.io.waveforms.times import from_nanoseconds, iso

logger = logging.getLogger("seisloom")
COLUMNS = (
    "path", "event_id", "nslc", "label", "label_source", "sampling_rate_hz", "npts", "n_segments", "n_missing",
    "starttime",
)  # fmt: skip
CODE = re.compile(r"[A-Z0-9]{1,5}")
"""A station code (SEED manual, appendix G)."""
RATE_SHARE = 1e-3
"""By how much the rate that is given may differ from that of the times of rows."""


@dataclass(frozen=True, slots=True)
class ConvertedEvents:
    """What a conversion of pickled events wrote."""

    folder: Path
    manifest: Path
    counts: dict[str, dict[str, int]]
    """Events of each class, by pickle."""
    notes: tuple[str, ...]
    """What was assumed, and what was left out."""


def is_pickle(path: Path) -> bool:
    """Return whether a path is one of pickled events, by its suffix."""
    return path.suffix.lower() in PICKLES


def convert_events(
    sources: Sequence[Path], out: Path, *, fs_hz: float | None, stations: Sequence[str] = (),
    group_column: str | None = None, force: bool = False,
) -> ConvertedEvents:  # fmt: skip
    """Write pickled events as miniSEED files, one an event, and `manifest.csv`.

    Amplitudes are kept bit for bit. Samples that are NaN are gaps between records, counted in the column n_missing.

    Args:
        sources: pickles of (events, labels); see `read_event_pickle`.
        out: folder to write, beside and renamed.
        fs_hz: sampling rate in Hz; None only where the rows of the tables have times.
        stations: NETWORK.STATION.LOCATION.BAND or a station's code, one for all or one a pickle; else the pickle's name
            is the station.
        group_column: column of the tables whose value names the event; else each table is an event of its own.
        force: replace a folder that this function wrote.
    Raises:
        RecipeError: if the sampling rate or a station is not known.
        DataError: if a pickle is not one of events.
        OutputError: if the folder is there already, or cannot be written.
    """
    if fs_hz is not None and not (math.isfinite(fs_hz) and fs_hz > 0):
        raise RecipeError(f"--sampling-rate {fs_hz:g}: give a rate in Hz above 0")
    if len(stations) not in (0, 1, len(sources)):
        raise RecipeError(f"--station is given {len(stations)} times for {len(sources)} files; give one, or one a file")
    codes = [_codes(source, stations[k % len(stations)] if stations else None) for k, source in enumerate(sources)]
    _check_place(out, force=force)
    read = [(source, read_event_pickle(source)) for source in sources]
    if fs_hz is None and any(event.times_ns is None for _, events in read for event in events):
        raise RecipeError(f"{sources[0]}: pickled events have no sampling rate. Give it in Hz: --sampling-rate 100")
    notes: list[str] = []
    if group_column is None:
        notes.append("each table is an event of its own; where several stations recorded one, give --group-column")
    if any(event.times_ns is None for _, events in read for event in events):
        notes.append("the tables have no times: files begin in 1970, and the manifest's starttime is empty")
    partial = out.with_name(out.name + ".partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        rows = [
            row
            for (source, events), code, name in zip(read, codes, _folders(sources), strict=True)
            for row in _write_events(partial, name, source, events, code, fs_hz, group_column, notes)
        ]
        _write_rows(partial / NAME, rows)
        if out.exists():
            shutil.rmtree(out)
        os.replace(partial, out)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"{out}: cannot be written: {error.strerror or error}. Choose another folder") from error
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(partial)
    counts = {str(source): dict(Counter(event.label for event in events)) for source, events in read}
    return ConvertedEvents(out, out / NAME, counts, tuple(notes))


def _codes(source: Path, given: str | None) -> tuple[str, str, str, str]:
    """Return network, station, location and band of the events of a pickle."""
    if given is not None:
        found = codes_of(given.strip().upper(), where="--station")
    else:
        found = ("", source.stem.upper(), "", "")
    if not CODE.fullmatch(found[1]) or len(found[0]) > 2 or len(found[2]) > 2 or len(found[3]) not in (0, 2):
        what = f"--station {given}" if given is not None else f"{source}: its name"
        raise RecipeError(
            f"{what} is no station code of 1 to 5 letters and digits. Give it, or NETWORK.STATION.LOCATION.BAND: "
            "--station OKC"
        )
    return found


def _folders(sources: Sequence[Path]) -> list[str]:
    """Return a folder for each pickle: its name, with a number where two are named alike."""
    seen: Counter[str] = Counter()
    names = []
    for source in sources:
        seen[source.stem] += 1
        names.append(source.stem if seen[source.stem] == 1 else f"{source.stem}-{seen[source.stem]}")
    return names


def _write_events(
    folder: Path, name: str, source: Path, events: Sequence[PickledEvent], codes: tuple[str, str, str, str],
    fs_hz: float | None, group_column: str | None, notes: list[str],
) -> Iterator[dict[str, str]]:  # fmt: skip
    """Write the events of a pickle, and yield the manifest's row of each component."""
    (folder / name).mkdir()
    network, station, location, band = codes
    n_missing = n_empty = 0
    others: set[str] = set()
    for k, event in enumerate(events):
        where = f"{source}: event {k}"
        rate_hz = _rate(event, fs_hz, where)
        start_ns = 0 if event.times_ns is None else int(event.times_ns[0])
        channels = {
            component if len(component) == 3 else band + component: values
            for component, values in event.components.items()
        }
        file = Path(name) / f"{k:06d}.mseed"
        written = write_mseed(
            folder / file, channels, fs_hz=rate_hz, start_ns=start_ns, codes=(network, station, location)
        )
        others |= set(event.others) - {group_column}
        identity = f"{name}-{k:06d}" if group_column is None else _group(event, group_column, where)
        for channel, (span, n_segments, n_gone) in written.items():
            n_missing += n_gone
            n_empty += n_segments == 0
            if n_segments:
                yield {
                    "path": file.as_posix(), "event_id": identity, "label": event.label, "label_source": source.name,
                    "nslc": f"{network}.{station}.{location}.{channel}", "sampling_rate_hz": f"{rate_hz:.12g}",
                    "npts": str(span), "n_segments": str(n_segments), "n_missing": str(n_gone),
                    "starttime": "" if event.times_ns is None else iso(from_nanoseconds(start_ns)),
                }  # fmt: skip
    if n_missing:
        notes.append(f"{source}: {n_missing} samples are NaN and become gaps")
    if n_empty:
        notes.append(f"{source}: {n_empty} components are NaN throughout and are left out")
    if others:
        notes.append(f"{source}: columns that are no components are left out: {', '.join(sorted(others))}")


def _rate(event: PickledEvent, fs_hz: float | None, where: str) -> float:
    """Return the sampling rate of an event: as given, which the times of its rows must bear out."""
    if event.times_ns is None:
        assert fs_hz is not None  # refused before
        return fs_hz
    own_hz = rate_of_times(event.times_ns, where=where)
    if fs_hz is not None and abs(own_hz - fs_hz) > RATE_SHARE * fs_hz:
        raise RecipeError(f"{where}: --sampling-rate is {fs_hz:g} Hz, and the times of its rows say {own_hz:g} Hz")
    return fs_hz or own_hz


def _group(event: PickledEvent, column: str, where: str) -> str:
    """Return the one value of a column of the event's table."""
    if column not in event.others:
        raise DataError(f"{where}: no column {column!r}; there are {', '.join([*event.components, *event.others])}")
    values = {str(value).strip() for value in event.others[column]}
    if len(values) != 1 or not min(values):
        raise DataError(f"{where}: column {column} has {len(values)} values; an event is of one group")
    return values.pop()


def _check_place(out: Path, *, force: bool) -> None:
    if not out.exists():
        return
    if out.is_dir() and not any(out.iterdir()):
        return
    if not out.is_dir() or not _is_ours(out / NAME):
        raise OutputError(f"{out}: is there already, and was not written by a conversion. Choose another place")
    if not force:
        raise OutputError(f"{out}: is there already. Choose another place, or replace it with --force")


def _is_ours(manifest: Path) -> bool:
    """Return whether a manifest is of pickled events."""
    try:
        with manifest.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error):
        return False
    return bool(rows) and all(is_pickle(Path(row.get("label_source") or "")) for row in rows)


def _write_rows(manifest: Path, rows: Sequence[dict[str, str]]) -> None:
    if not rows:
        raise DataError("all samples of all events are NaN: there is nothing to write")
    with manifest.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
