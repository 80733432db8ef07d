"""A gather: traces recorded together, from SEG-Y, SEG-2, SU or an array."""

from __future__ import annotations

import re
import struct
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from seisloom.errors import DataError, MissingDataError
from seisloom.io.segy import METERS_IN_A_FOOT, SegyHeaders, SegyTraces, headers_from, headers_of
from seisloom.io.segy.layout import IEEE, WORDS, SegyLayout, read_layout, read_su_layout
from seisloom.sample import Array

SEG2_MARKS = (b"\x55\x3a", b"\x3a\x55")
"""First bytes of a SEG-2 file, in either byte order."""
LENGTHS_M = {"METERS": 1.0, "FEET": METERS_IN_A_FOOT, "INCHES": METERS_IN_A_FOOT / 12, "CENTIMETERS": 0.01}
"""Meters in the units that SEG-2 knows; NONE is taken as m."""
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
SHOT_NUMBERS = ("energy_source_point", "field_record")


@dataclass(frozen=True, slots=True)
class Gather:
    """Traces of one file, and what its headers say; columns have shape (trace,)."""

    data: Array | SegyTraces
    """Amplitudes, float32 (trace, time), or the file that has them: a station's may be larger than the memory."""
    fs_hz: float
    delay_s: Array
    """Time of the first sample after the shot."""
    shot_id: Array
    """0 where the file has no number."""
    station: Array
    offset_m: Array
    """NaN where not known, as the coordinates in m."""
    source_x: Array
    source_y: Array
    group_x: Array
    group_y: Array
    path: str = ""
    notes: tuple[str, ...] = field(default=())
    """What was assumed in reading it."""

    @property
    def n_traces(self) -> int:
        """Number of traces."""
        return len(self.shot_id)

    @property
    def traces(self) -> Array:
        """All amplitudes, float32 (trace, time)."""
        return self.take(np.arange(self.n_traces))

    def take(self, numbers: Array) -> Array:
        """Return the amplitudes of some traces, float32 (trace, time); only these are read."""
        return self.data.read_many(numbers) if isinstance(self.data, SegyTraces) else self.data[numbers]

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
    """Return the gather of a SEG-Y, SEG-2 or SU file; SEG-2 is told by its content, SU by its suffix.

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
    if head in SEG2_MARKS:
        return read_seg2(file, delay_sign=delay_sign)
    return read_su(file) if file.suffix.lower() == ".su" else read_segy(file)


def read_segy(path: str | Path) -> Gather:
    """Return the traces of a SEG-Y file; the shot number is the energy source point, else the field record.

    Headers are read, and amplitudes when they are asked for: a station's file may be larger than the memory.
    """
    return _gather_of(headers_of(read_layout(path)))


def read_su(path: str | Path) -> Gather:
    """Return the traces of a Seismic Unix file of either byte order; shot numbers and reading as in `read_segy`."""
    return _gather_of(headers_of(read_su_layout(path)))


def read_stream(traces: Sequence[Any], *, in_feet: bool = False) -> Gather:  # Any: ObsPy Traces
    """Return ObsPy traces of one rate and length; shots, delays and places where they came from SEG-Y or SU.

    Of traces that came from elsewhere nobody knows the shot: each begins at its own start, and that is noted where
    they start at different times.

    Args:
        traces: at least one.
        in_feet: whether coordinates are in feet.
    """
    data = np.stack([np.asarray(trace.data, dtype=np.float32) for trace in traces])
    fs_hz = float(traces[0].stats.sampling_rate)
    heads = [getattr(trace.stats.get("segy") or trace.stats.get("su"), "trace_header", None) for trace in traces]
    if all(head is not None for head in heads):
        layout = SegyLayout(
            path=Path("Stream"), little_endian=False, format_code=IEEE, n_traces=len(traces),
            n_samples=data.shape[1], interval_us=1e6 / fs_hz, first_trace=0, in_feet=in_feet,
            is_su="su" in traces[0].stats,
        )  # fmt: skip
        return _gather_of(headers_from(_stream_words(heads), layout), data)
    gather = Gather.from_array(data, fs_hz=fs_hz)
    starts = [float(trace.stats.starttime) for trace in traces]
    apart_s = max(starts) - min(starts)
    notes = (f"traces start up to {apart_s:g} s apart; times count from the start of each",) if apart_s else ()
    return replace(gather, station=np.array([trace.id for trace in traces]), notes=notes)


def _stream_words(heads: Sequence[Any]) -> dict[str, Array]:  # Any: ObsPy's headers, which read a word when asked
    """Return the header words that seisloom reads, int64 (trace,); ObsPy has its own names, at the same bytes."""
    from obspy.io.segy.header import TRACE_HEADER_FORMAT

    name_at = {start + 1: name for _, name, _, start in TRACE_HEADER_FORMAT}
    names = {word: name_at[byte] for word, (byte, _) in WORDS.items()}
    return {word: np.array([int(getattr(head, name, 0)) for head in heads]) for word, name in names.items()}


def _gather_of(headers: SegyHeaders, data: Array | None = None) -> Gather:
    path = headers.path
    intervals_s = np.unique(headers.interval_s)
    if len(intervals_s) > 1:
        few = ", ".join(f"{one:g}" for one in intervals_s[:3])
        raise DataError(f"{path}: traces differ in their sample interval: {few} s (bytes 117-118). Split the file")
    numbers = [headers.shots[name] for name in SHOT_NUMBERS if np.any(headers.shots[name])]
    shot_id = numbers[0] if numbers else np.zeros(headers.n_traces, dtype=np.int64)
    return Gather(
        SegyTraces(headers.layout) if data is None else data, round(float(1 / intervals_s[0]), 9),
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
    """Return all traces of a SEG-2 file, read whole, since it holds one shot; what was assumed stands in `notes`.

    Args:
        path: the file.
        delay_sign: what DELAY means. 1, as SEG-2 rev 0 says: the first sample lies DELAY after the shot, so that a
            pre-trigger is negative. Some vendors write the pre-trigger as a positive number: -1.
    Raises:
        DataError: if the file is damaged, or its traces differ in rate or length.
    """
    import obspy

    if delay_sign not in (1, -1):
        raise DataError(f"delay_sign is {delay_sign}; it is 1 (DELAY is after the shot) or -1 (before)")
    try:
        with warnings.catch_warnings():
            # ObsPy says of every file that vendors differ, and of every DELAY that it is ignored: both are dealt with
            for said in ("Many companies use custom defined SEG2", "Non-zero value found in Trace's 'DELAY'"):
                warnings.filterwarnings("ignore", said, UserWarning)
            stream = obspy.read(str(path), format="SEG2")
    except Exception as error:  # ObsPy raises bare and various errors on damaged files
        raise DataError(f"{path}: SEG-2 that cannot be read: {error}. Copy it again from its source") from error
    shapes = sorted({(float(trace.stats.sampling_rate), int(trace.stats.npts)) for trace in stream})
    if len(shapes) != 1:
        said = ", ".join(f"{n} samples at {fs_hz:g} Hz" for fs_hz, n in shapes)
        raise DataError(f"{path}: traces differ in rate or length: {said or 'there are none'}. Split the file")
    if [shapes[0][1]] * len(stream) != _announced(Path(path)):
        raise DataError(
            f"{path}: is cut off: traces have {shapes[0][1]} samples, and more are announced. Copy it again"
        )
    words = [trace.stats.seg2 for trace in stream]
    notes: list[str] = []
    delay_s = _delays(Path(path), words, delay_sign, notes)
    source, group = _places(words, notes)
    return Gather(
        np.stack([trace.data for trace in stream]).astype(np.float32), shapes[0][0], delay_s,
        np.array([_shot_number(one) for one in words], dtype=np.int64),
        np.array([str(one.get("CHANNEL_NUMBER") or k + 1).strip() for k, one in enumerate(words)]),
        np.hypot(*(group - source).T), source[:, 0], source[:, 1], group[:, 0], group[:, 1], str(path), tuple(notes),
    )  # fmt: skip


def _announced(path: Path) -> list[int]:
    """Return the samples that each trace of a SEG-2 file announces; ObsPy returns what is there, without a word."""
    raw = path.read_bytes()
    order = "<" if raw[:2] == SEG2_MARKS[0] else ">"
    n_traces = struct.unpack_from(order + "H", raw, 6)[0]
    places = struct.unpack_from(f"{order}{n_traces}I", raw, 32)
    return [struct.unpack_from(order + "I", raw, place + 8)[0] for place in places]


def _delays(path: Path, words: Sequence[Mapping[str, str]], sign: int, notes: list[str]) -> Array:
    try:
        delay_s = np.array([float(one.get("DELAY", 0) or 0) for one in words])
    except ValueError as error:
        raise DataError(f"{path}: DELAY is not a number: {error}") from error
    if np.any(delay_s):
        meaning = "after the shot, as SEG-2 rev 0 says" if sign == 1 else "before the shot, as asked for"
        notes.append(f"DELAY {delay_s[0]:g} s: the first sample is taken that long {meaning}; vendors differ")
    return sign * delay_s + 0.0


def _shot_number(words: Mapping[str, str]) -> int:
    numbers = _few_numbers(str(words.get("SHOT_SEQUENCE_NUMBER", "")))
    return int(numbers[0]) if numbers else 0


def _places(words: Sequence[Mapping[str, str]], notes: list[str]) -> tuple[Array, Array]:
    """Return x and y in m of sources and receivers, each (trace, 2); NaN where not known, or 0 throughout."""
    places = np.full((2, len(words), 2), np.nan)
    for rows, name in zip(places, ("SOURCE_LOCATION", "RECEIVER_LOCATION"), strict=True):
        for row, one in zip(rows, words, strict=True):
            numbers = _few_numbers(str(one.get(name, "")))
            if numbers:
                row[:] = (*numbers, 0.0)[:2]
    if not np.any(np.nan_to_num(places)):
        places[:] = np.nan
    unit = str(words[0].get("UNITS", "")).strip().upper()
    if LENGTHS_M.get(unit, 1.0) != 1.0:
        notes.append(f"coordinates are in {unit.lower()} (UNITS) and are converted to meters")
        places *= LENGTHS_M[unit]
    return places[0], places[1]


def _few_numbers(text: str) -> list[float]:
    """Return the first two numbers of a word; vendors add units and commas."""
    return [float(one) for one in NUMBER.findall(text)[:2]]
