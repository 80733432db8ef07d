"""A gather: traces recorded together, from SEG-Y, SEG-2, SU or an array."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from seisloom.errors import DataError, MissingDataError
from seisloom.io.segy import SegyHeaders, SegyTraces, headers_of, read_headers, read_su_layout
from seisloom.sample import Array

LENGTHS_M = {"METERS": 1.0, "FEET": 0.3048, "INCHES": 0.0254, "CENTIMETERS": 0.01}
"""Units of SEG-2's UNITS in m; NONE is taken as m."""


@dataclass(frozen=True, slots=True)
class Gather:
    """Traces of one file, and what its headers say; columns have shape (trace,)."""

    traces: Array
    """Amplitudes, float32 (trace, time)."""
    fs_hz: float
    delay_s: Array
    """Time of the first sample after the shot."""
    shot_id: Array
    station: Array
    offset_m: Array
    """NaN where not known."""
    source_x: Array
    source_y: Array
    group_x: Array
    group_y: Array
    path: str = ""
    notes: tuple[str, ...] = field(default=())
    """What was assumed in reading it."""

    @classmethod
    def from_array(cls, traces: Array, *, fs_hz: float) -> Gather:
        """Return a gather of bare traces (trace, time): they begin at the shot, nothing is known of their places."""
        n = len(traces)
        unknown = np.full(n, np.nan)
        return cls(
            traces.astype(np.float32, copy=False), fs_hz, np.zeros(n), np.zeros(n, dtype=int),
            np.array([str(k + 1) for k in range(n)]), unknown, unknown, unknown, unknown, unknown,
        )  # fmt: skip


def read_gather(path: str | Path, *, delay_sign: int = 1) -> Gather:
    """Return the gather of a SEG-Y, SEG-2 or SU file; the kind is told by the content, SU by its suffix.

    Args:
        path: the file.
        delay_sign: what DELAY of SEG-2 means; see `read_seg2`.
    Raises:
        MissingDataError: if there is no such file.
        DataError: if it is none of these, damaged, or its traces differ in length or rate.
    """
    file = Path(path)
    if not file.is_file():
        raise MissingDataError(f"{file}: no such file")
    with file.open("rb") as opened:
        head = opened.read(2)
    if head in (b"\x55\x3a", b"\x3a\x55"):
        return read_seg2(file, delay_sign=delay_sign)
    if file.suffix.lower() == ".su":
        return read_su(file)
    return read_segy(file)


def read_segy(path: str | Path) -> Gather:
    """Return all traces of a SEG-Y file; the shot number is the energy source point, else the field record."""
    headers = read_headers(path)
    names = ("energy_source_point", "field_record")
    shot_id = next((headers.shots[name] for name in names if np.any(headers.shots[name])), headers.shots[names[0]])
    return _of_headers(headers, shot_id)


def read_su(path: str | Path) -> Gather:
    """Return all traces of a Seismic Unix file, of the byte order that fits; the shot number is the field record."""
    headers = headers_of(read_su_layout(path))
    return _of_headers(headers, headers.shots["field_record"])


def _of_headers(headers: SegyHeaders, shot_id: Array) -> Gather:
    path = headers.path
    if np.ptp(headers.interval_s) > 0:
        raise DataError(f"{path}: sample intervals differ between traces: {np.unique(headers.interval_s).tolist()} s")
    return Gather(
        SegyTraces(headers.layout).read_many(np.arange(headers.n_traces)),
        round(float(1 / headers.interval_s[0]), 9),  # 8000 Hz, not 8000.000000000001
        headers.delay_s, shot_id, _stations(path, shot_id), headers.offset_m, headers.source_x, headers.source_y,
        headers.group_x, headers.group_y, str(path), headers.notes,
    )  # fmt: skip


def _stations(path: Path, shot_id: Array) -> Array:
    """A file with one trace a shot is a station's; in a shot gather each trace is a station, counted from 1."""
    if len(np.unique(shot_id)) > len(shot_id) / 2 and len(shot_id) > 1:
        return np.full(len(shot_id), path.stem)
    first = np.r_[True, shot_id[1:] != shot_id[:-1]]
    starts = np.maximum.accumulate(np.where(first, np.arange(len(shot_id)), 0))
    return (np.arange(len(shot_id)) - starts + 1).astype(str)


def read_seg2(path: str | Path, *, delay_sign: int = 1) -> Gather:
    """Return all traces of a SEG-2 file.

    Args:
        path: the file.
        delay_sign: what DELAY means. 1, as SEG-2 rev 0 says: the first sample lies DELAY after the shot, a pre-trigger
            is negative. Some vendors write the pre-trigger as a positive number: -1.
    Raises:
        DataError: if ObsPy does not read it, or its traces differ in length or rate.
    """
    stream = _seg2_stream(Path(path))
    rates = {(float(trace.stats.sampling_rate), int(trace.stats.npts)) for trace in stream}
    if len(rates) != 1:
        raise DataError(f"{path}: traces differ in rate and length (Hz, samples), or it is cut off: {sorted(rates)}")
    words = [trace.stats.seg2 for trace in stream]
    stated_s = np.array([_numbers(one, "DELAY", 1)[0] for one in words])
    delay_s = np.where(np.isfinite(stated_s), delay_sign * stated_s, 0.0)
    notes = []
    if np.any(delay_s):
        notes.append(
            f"DELAY {stated_s[0]:g} s: the first sample is taken to lie {delay_s[0]:g} s after the shot; some vendors "
            "mean the opposite sign (delay_sign)"
        )
    unit = str(words[0].get("UNITS", "METERS")).strip().upper()
    unit_m = LENGTHS_M.get(unit, 1.0)
    if unit_m != 1.0:
        notes.append(f"lengths are in {unit.lower()} (UNITS) and turned into m")
    source, group = (
        unit_m * np.array([_place(one, name) for one in words]) for name in ("SOURCE_LOCATION", "RECEIVER_LOCATION")
    )
    shots = np.array([_numbers(one, "SHOT_SEQUENCE_NUMBER", 1)[0] for one in words])
    return Gather(
        np.stack([trace.data for trace in stream]).astype(np.float32), rates.pop()[0], delay_s,
        np.where(np.isfinite(shots), shots, 0).astype(int),
        np.array([str(one.get("CHANNEL_NUMBER") or k + 1) for k, one in enumerate(words)]),
        np.hypot(*(group - source).T), source[:, 0], source[:, 1], group[:, 0], group[:, 1],
        str(path), tuple(notes),
    )  # fmt: skip


def _seg2_stream(path: Path) -> Any:  # Any: an ObsPy Stream; ObsPy has no types
    import obspy

    with warnings.catch_warnings():
        # Said of every file: vendors' header words; and of every DELAY: Gather has it, with a note on its sign
        warnings.filterwarnings("ignore", message="Many companies use custom defined SEG2", category=UserWarning)
        warnings.filterwarnings("ignore", message="Non-zero value found in Trace's 'DELAY'", category=UserWarning)
        try:
            return obspy.read(str(path), format="SEG2")
        except Exception as error:
            raise DataError(f"{path}: SEG-2 that ObsPy does not read: {error}") from error


def _place(words: Mapping[str, Any], name: str) -> list[float]:  # Any: text, or lists of it
    """Return x and y; a line's files have x alone, y is 0 then."""
    x, y = _numbers(words, name, 2)
    return [x, 0.0 if np.isfinite(x) and np.isnan(y) else y]


def _numbers(words: Mapping[str, Any], name: str, n: int) -> list[float]:  # Any: as above
    """Return the first numbers of a word, NaN where it has fewer; vendors add units and commas."""
    found = re.findall(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", str(words.get(name, "")))
    return [*(float(one) for one in found[:n]), *[np.nan] * (n - len(found))]
