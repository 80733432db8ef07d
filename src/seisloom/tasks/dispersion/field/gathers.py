"""Field gathers as arrays: traces in order of their distance from the shot, from whatever file they are in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seisloom.errors import DataError, MissingDataError
from seisloom.io import gather as files
from seisloom.sample import Array
from seisloom.tasks.dispersion.field.geometry import SAME_M, Side, interval_of, offsets_of, one_side
from seisloom.tasks.dispersion.field.text_gather import is_text, read_text

MINISEED = (".mseed", ".miniseed", ".ms")


@dataclass(frozen=True, slots=True, eq=False)
class Gather:
    """Traces of one shot on one side of it."""

    traces: Array
    """float32 (trace, time), any unit, the nearest first."""
    interval_s: float
    offsets_m: Array
    """(trace,), distances from the shot in m, ascending."""
    notes: tuple[str, ...]
    """Where offsets and the sampling rate are from, and what was assumed."""
    name: str = "gather"


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """What a file says: offsets are NaN where it does not say them, the interval None."""

    traces: Array
    interval_s: float | None
    offsets_m: Array
    notes: tuple[str, ...]


def read_gather(
    source: Any, *, dx_m: float | None = None, first_offset_m: float | None = None,
    interval_s: float | None = None, shot: int | None = None, side: Side | None = None, lowest_hz: float | None = None,
    override: bool = False,
) -> Gather:  # fmt: skip
    """Return one shot of a SEG-2, SEG-Y, SU or miniSEED file, of a text file with one column a channel, or of memory.

    Offsets and the sampling rate come from headers where they are there, else from what is given; notes say from where.

    Args:
        source: the file, of which SEG-2 and text are told by their content, SU and miniSEED by the suffix; an ObsPy
            Stream; or an array (trace, time), whose interval and offsets are given.
        dx_m: distance between neighbouring receivers in m.
        first_offset_m: from the shot to the first trace in m; negative or positive, receivers lie away from the shot.
        interval_s: between samples in s; needed for an array, and a text file that does not say it.
        shot: number of the shot, where the file has several.
        side: traces with negative offsets (before) or positive ones (behind), where the shot lies within the spread.
        lowest_hz: lowest frequency that is wanted, to check the length of the record.
        override: take what is given where headers say otherwise.
    Raises:
        MissingDataError: if there is no such file.
        DataError: if it cannot be read, offsets or the rate are not known or contradict what is given, fewer than two
            channels are there, two channels have one offset, or the record is too short.
    """
    for name, value in (("dx_m", dx_m), ("interval_s", interval_s), ("lowest_hz", lowest_hz)):
        if value is not None and not 0 < value < np.inf:
            raise DataError(f"{name} is {value}; it must be above 0")
    file, found = _read(source, shot)
    n_traces = len(found.traces)
    if n_traces < 2:
        raise DataError(f"{file}: has one channel; phase velocities need two or more at different offsets")
    notes = list(found.notes)
    interval = interval_of(file, found.interval_s, interval_s, override)
    offsets, said = offsets_of(file, found.offsets_m, dx_m, first_offset_m, override)
    traces, offsets = one_side(file, found.traces, offsets, side)
    record_s, length_m = traces.shape[1] * interval, float(np.ptp(offsets))
    if lowest_hz is not None and record_s * lowest_hz < 1:
        raise DataError(
            f"{file}: the record is {record_s:g} s long, less than one period of {lowest_hz:g} Hz. Start at "
            f"{1 / record_s:.3g} Hz, or check the sampling interval, {interval:g} s"
        )
    notes += [
        said,
        f"{len(traces)} traces over {length_m:g} m, {record_s:g} s: wavelengths to about {length_m:g} m, frequencies "
        f"from {1 / record_s:.3g} Hz",
    ]
    return Gather(traces.astype(np.float32, copy=False), interval, offsets, tuple(notes), file.stem)


def _read(source: Any, shot: int | None) -> tuple[Path, _Read]:  # Any: see read_gather
    """Return what a source says, and what it is called."""
    if isinstance(source, str | Path):
        file = Path(source)
        if not file.is_file():
            raise MissingDataError(f"{file}: no such file")
        return file, _read_text(file) if is_text(file) else _read_binary(file, shot)
    if isinstance(source, np.ndarray):
        if source.ndim != 2 or source.dtype.kind not in "fiu":
            raise DataError(f"an array of a gather is (trace, time) and real; this is {source.dtype} {source.shape}")
        return Path("array"), _Read(source, None, np.full(len(source), np.nan), ())
    return Path("stream"), _of_gather(Path("stream"), files.read_stream(list(source)), shot)


def _read_text(file: Path) -> _Read:
    read = read_text(file)
    n = len(read.columns)
    offsets = np.full(n, np.nan)
    if read.dx_m is not None and read.first_offset_m is not None:
        offsets = read.first_offset_m + read.dx_m * np.arange(n)
    return _Read(read.columns, read.interval_s, offsets, read.notes)


def _read_binary(file: Path, shot: int | None) -> _Read:
    if file.suffix.lower() in MINISEED:
        import obspy

        try:
            stream = obspy.read(str(file))
        except Exception as error:  # ObsPy raises bare and various errors on damaged files
            raise DataError(f"{file}: miniSEED that cannot be read: {error}. Copy it again from its source") from error
        if len({(one.stats.sampling_rate, one.stats.npts) for one in stream}) > 1:
            raise DataError(f"{file}: traces differ in rate or length; cut one shot out of them")
        gather = files.read_stream(list(stream))
    else:
        gather = files.read_gather(file)
    return _of_gather(file, gather, shot)


def _of_gather(file: Path, gather: files.Gather, shot: int | None) -> _Read:
    wanted = np.arange(gather.n_traces)
    numbers = np.unique(gather.shot_id)
    if shot is not None and shot not in numbers:
        raise DataError(f"{file}: has no shot {shot}; there are {', '.join(str(one) for one in numbers[:8])}")
    if shot is None and len(numbers) > 1:
        few = ", ".join(str(one) for one in numbers[:5])
        raise DataError(f"{file}: has {len(numbers)} shots ({few} ...). Say which one by its number (shot)")
    if shot is not None:
        wanted = np.flatnonzero(gather.shot_id == shot)
    if np.ptp(gather.delay_s[wanted]) > 0:
        raise DataError(f"{file}: traces begin at different times after the shot; cut them to one start")
    offsets = np.asarray(gather.offset_m[wanted], dtype=np.float64)
    if not np.isfinite(offsets).all() or not np.any(offsets):
        offsets = np.full(len(wanted), np.nan)
    elif (offsets >= 0).all():
        along = gather.group_x[wanted] - gather.source_x[wanted]
        if np.allclose(np.abs(along), offsets, atol=SAME_M) and along.min() < 0 < along.max():
            offsets = along
    return _Read(gather.take(wanted), 1 / gather.fs_hz, offsets, gather.notes)
