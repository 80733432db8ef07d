"""A gather: traces recorded together, from SEG-Y, SEG-2, SU or an array."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from seisloom.errors import DataError, MissingDataError
from seisloom.io.segy import SegyTraces, read_headers
from seisloom.sample import Array


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


def read_gather(path: str | Path) -> Gather:
    """Return the gather of a SEG-Y, SEG-2 or SU file; the kind is told by the content, SU by its suffix.

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
        return read_seg2(file)
    if file.suffix.lower() == ".su":
        return read_su(file)
    return read_segy(file)


def read_segy(path: str | Path) -> Gather:
    """Return all traces of a SEG-Y file; the shot number is the energy source point, else the field record."""
    headers = read_headers(path)
    if np.ptp(headers.interval_s) > 0:
        raise DataError(f"{path}: sample intervals differ between traces: {np.unique(headers.interval_s).tolist()} s")
    traces = SegyTraces(path).read_many(np.arange(headers.n_traces))
    numbers = [headers.shots[name] for name in ("energy_source_point", "field_record") if np.any(headers.shots[name])]
    shot_id = numbers[0] if numbers else np.zeros(headers.n_traces, dtype=int)
    return Gather(
        traces, float(1 / headers.interval_s[0]), headers.delay_s, shot_id,
        _stations(Path(path), shot_id), headers.offset_m, headers.source_x, headers.source_y,
        headers.group_x, headers.group_y, str(path),
    )  # fmt: skip


def _stations(path: Path, shot_id: Array) -> Array:
    """A file with one trace a shot is a station's; in a shot gather each trace is a station, counted from 1."""
    if len(np.unique(shot_id)) > len(shot_id) / 2 and len(shot_id) > 1:
        return np.full(len(shot_id), path.stem)
    first = np.r_[True, shot_id[1:] != shot_id[:-1]]
    starts = np.maximum.accumulate(np.where(first, np.arange(len(shot_id)), 0))
    return (np.arange(len(shot_id)) - starts + 1).astype(str)


def read_su(path: str | Path) -> Gather:
    """Return all traces of a Seismic Unix file, of the byte order that fits."""
    import segyio

    failures = []
    for endian in ("little", "big"):
        try:
            with segyio.su.open(str(path), endian=endian, ignore_geometry=True) as opened:
                return _su_gather(Path(path), opened)
        except (RuntimeError, ValueError, OSError, OverflowError, IndexError) as error:
            failures.append(f"{endian}-endian: {error}")
    raise DataError(f"{path}: not an SU file ({'; '.join(failures)})")


def _su_gather(path: Path, opened: object) -> Gather:
    import segyio

    file = opened
    word = segyio.TraceField

    def read(name: int) -> Array:
        values: Array = file.attributes(name)[:]  # type: ignore[attr-defined]
        return values.astype(np.float64)

    interval_us = read(word.TRACE_SAMPLE_INTERVAL)
    if np.any(interval_us <= 0) or np.ptp(interval_us) > 0:
        raise ValueError("no common sample interval")
    scalar = read(word.SourceGroupScalar)
    space = np.where(scalar < 0, 1 / np.maximum(np.abs(scalar), 1), np.maximum(np.abs(scalar), 1))
    sx, sy, gx, gy = (read(name) * space for name in (word.SourceX, word.SourceY, word.GroupX, word.GroupY))
    apart, stored = np.hypot(gx - sx, gy - sy), np.abs(read(word.offset))
    known = apart if np.any(apart) else stored
    shot_id = read(word.FieldRecord).astype(int)
    traces = np.asarray(file.trace.raw[:], dtype=np.float32)  # type: ignore[attr-defined]
    return Gather(
        traces, float(1e6 / interval_us[0]), read(word.DelayRecordingTime) * 1e-3, shot_id, _stations(path, shot_id),
        known if np.any(known) else np.full(len(traces), np.nan), sx, sy, gx, gy, str(path),
    )  # fmt: skip


def read_seg2(path: str | Path, *, delay_sign: int = 1) -> Gather:
    """Return all traces of a SEG-2 file.

    Args:
        path: the file.
        delay_sign: what DELAY means. 1, as SEG-2 rev 0 says: the first sample lies DELAY after the shot, a pre-trigger
            is negative. Some vendors write the pre-trigger as a positive number: -1.
    """
    import obspy

    try:
        stream = obspy.read(str(path), format="SEG2")
    except Exception as error:
        raise DataError(f"{path}: SEG-2 that ObsPy does not read: {error}") from error
    rates = {(float(trace.stats.sampling_rate), trace.stats.npts) for trace in stream}
    if len(rates) != 1:
        raise DataError(f"{path}: traces differ in rate and length: {sorted(rates)}")
    words = [trace.stats.seg2 for trace in stream]
    delay_s = delay_sign * np.array([float(one.get("DELAY", 0) or 0) for one in words])
    notes = ()
    if np.any(delay_s):
        notes = (f"DELAY {delay_s[0]:g} s is taken as the time of the first sample after the shot (SEG-2 rev 0)",)
    source, group = _places(words, "SOURCE_LOCATION"), _places(words, "RECEIVER_LOCATION")
    offset = np.hypot(*(group - source).T)
    shot = [str(one.get("SHOT_SEQUENCE_NUMBER", "0")).strip() for one in words]
    shot_id = np.array([int(float(one)) if one.replace(".", "", 1).isdigit() else 0 for one in shot])
    return Gather(
        np.stack([trace.data for trace in stream]).astype(np.float32), rates.pop()[0], delay_s, shot_id,
        np.array([str(one.get("CHANNEL_NUMBER", k + 1)) for k, one in enumerate(words)]),
        offset, *source.T, *group.T, path=str(path), notes=notes,
    )  # fmt: skip


def _places(words: list[dict[str, str]], name: str) -> Array:
    """Return x and y of each trace, shape (trace, 2); NaN where the word is missing."""
    places = np.full((len(words), 2), np.nan)
    for row, one in zip(places, words, strict=True):
        numbers = [float(part) for part in str(one.get(name, "")).split()][:2]
        if numbers:
            row[: len(numbers)] = numbers
            row[len(numbers) :] = 0.0
    return places
