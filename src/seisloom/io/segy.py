"""SEG-Y: headers without traces, traces without headers, and writing both.

Headers are one memory-mapped view over the file; samples are converted by segyio where NumPy has no such type. Source:
SEG-Y rev 1 (2002) and rev 2.1 (2023), byte numbers as there, from 1. Seismic Unix is read here too: SEG-Y's traces
without its file header.
"""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import segyio

from seisloom.errors import DataError, MissingDataError, OutputError
from seisloom.sample import Array

TEXT, BINARY, TRACE_HEADER = 3200, 400, 240
SAMPLE_TYPES = {
    1: "f4", 2: "i4", 3: "i2", 5: "f4", 6: "f8", 8: "i1", 9: "i8", 10: "u4", 11: "u2", 12: "u8", 16: "u1",
}  # fmt: skip
"""Samples by format code; 1 is IBM's float, which has the size of f4 and other bits."""
IBM = 1
WORDS = {
    "trace_sequence_line": (1, "i4"), "trace_sequence_file": (5, "i4"), "field_record": (9, "i4"),
    "trace_number": (13, "i4"), "energy_source_point": (17, "i4"), "ensemble": (21, "i4"), "trace_id": (29, "i2"),
    "offset": (37, "i4"), "coordinate_scalar": (71, "i2"), "source_x": (73, "i4"), "source_y": (77, "i4"),
    "group_x": (81, "i4"), "group_y": (85, "i4"), "coordinate_units": (89, "i2"), "delay": (109, "i2"),
    "n_samples": (115, "u2"), "interval": (117, "u2"), "shot_point": (197, "i4"), "shot_point_scalar": (201, "i2"),
    "time_scalar": (215, "i2"),
}  # fmt: skip
SHOT_WORDS = ("energy_source_point", "field_record", "shot_point", "ensemble", "trace_sequence_line")
"""Words that may number the shots (bytes 17, 9, 197, 21 and 1), the likelier first."""
PLACES = ("source_x", "source_y", "group_x", "group_y")
FOOT_M = 0.3048
EARTH_RADIUS_M = 6_371_008.8  # mean radius, Moritz (2000), Geodetic Reference System 1980
FARTHEST_M = 1e6
"""Distance to the origin of projected coordinates, rather than an offset of active sources."""
DEGREES = {2: 1 / 3600, 3: 1.0}
"""Degrees in a unit of coordinates by bytes 89-90: seconds of arc, decimal degrees."""


@dataclass(frozen=True, slots=True)
class SegyLayout:
    """What the file header says, checked against the size of the file."""

    path: Path
    little_endian: bool
    format_code: int
    n_traces: int
    n_samples: int
    """Samples of a trace; of the longest where traces differ in length."""
    interval_us: float
    first_trace: int
    """Byte where the first trace header begins: behind the text and binary headers and the extended text."""
    in_feet: bool = False
    bare: bool = False
    """Seismic Unix: no file header, and other words from byte 181 on."""
    starts: Array | None = field(default=None, compare=False)
    """Byte where each trace header begins, shape (trace,), where traces differ in length; else None."""
    notes: tuple[str, ...] = ()
    """What was assumed."""

    @property
    def trace_bytes(self) -> int:
        """Bytes of a trace with its header."""
        return TRACE_HEADER + self.n_samples * self.sample_type.itemsize

    @property
    def sample_type(self) -> np.dtype[Any]:  # Any: one of several number types
        """Type of a stored sample; an IBM float passes for a float of the same size."""
        return np.dtype(("<" if self.little_endian else ">") + SAMPLE_TYPES[self.format_code])


@dataclass(frozen=True, slots=True)
class SegyHeaders:
    """Header words of all traces, in SI units; one array an attribute, shape (trace,)."""

    path: Path
    layout: SegyLayout
    n_samples: Array
    interval_s: Array
    delay_s: Array
    """Time of the first sample after the shot; bytes 109 and 215."""
    source_x: Array
    """Places in m; NaN in all four where no trace has one, or where they are degrees."""
    source_y: Array
    group_x: Array
    group_y: Array
    offset_m: Array
    """From coordinates, else the header word; NaN where neither is known."""
    shots: Mapping[str, Array]
    """Header words that may number the shots, by name."""
    notes: tuple[str, ...] = ()
    """What was assumed."""

    @property
    def n_traces(self) -> int:
        """Number of traces."""
        return self.layout.n_traces


def read_layout(path: str | Path) -> SegyLayout:
    """Return byte order, format and size of a SEG-Y file, without reading traces.

    Raises:
        MissingDataError: if there is no such file.
        DataError: if it is empty, text, cut off, has trailing bytes, or contradicts itself.
    """
    file = Path(path)
    if not file.is_file():
        raise MissingDataError(f"{file}: no such file")
    size = file.stat().st_size
    if size < TEXT + BINARY:
        what = "is empty" if size == 0 else f"has {size} bytes"
        raise DataError(f"{file}: {what}; a SEG-Y file has at least {TEXT + BINARY} bytes of headers")
    with file.open("rb") as opened:
        head = opened.read(TEXT + BINARY)
    for order in (">", "<"):
        code = struct.unpack_from(order + "H", head, 3224)[0]
        if code in SAMPLE_TYPES:
            return _checked(file, size, order, code, head)
    if all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in head):
        raise DataError(f"{file}: not SEG-Y but text")
    raise DataError(
        f"{file}: not SEG-Y. Bytes 3225-3226 hold no format code in either byte order "
        f"(known: {', '.join(map(str, SAMPLE_TYPES))})"
    )


def read_su_layout(path: str | Path) -> SegyLayout:
    """Return byte order and size of a Seismic Unix file: traces of IEEE floats, all of one length.

    Raises:
        MissingDataError: if there is no such file.
        DataError: if the size of the file fits in neither byte order.
    """
    file = Path(path)
    if not file.is_file():
        raise MissingDataError(f"{file}: no such file")
    size = file.stat().st_size
    with file.open("rb") as opened:
        head = opened.read(TRACE_HEADER)
    for order in ("<", ">"):
        n_samples, interval_us = struct.unpack_from(order + "HH", head.ljust(TRACE_HEADER, b"\0"), 114)
        if n_samples and interval_us and size % (TRACE_HEADER + 4 * n_samples) == 0:
            n_traces = size // (TRACE_HEADER + 4 * n_samples)
            return SegyLayout(file, order == "<", 5, n_traces, n_samples, interval_us, 0, bare=True)
    raise DataError(
        f"{file}: not an SU file: {size} bytes are no whole number of traces of the length in bytes 115-116, in "
        "neither byte order. It is cut off, has trailing bytes, or is of another kind"
    )


def _checked(file: Path, size: int, order: str, code: int, head: bytes) -> SegyLayout:
    """Find where traces begin and how long they are; the size of the file must bear it out."""

    def word(kind: str, byte: int) -> Any:  # Any: an int or a float
        return struct.unpack_from(order + kind, head, byte - 1)[0]

    step = np.dtype(SAMPLE_TYPES[code]).itemsize
    n_samples, interval_us = int(word("H", 3221)), float(word("H", 3217))
    end = size
    if head[3500] >= 2:  # revision 2: words for what 16 bits do not hold, and records behind the traces
        n_samples = max(int(word("i", 3269)), 0) or n_samples
        longer = float(word("d", 3273))
        interval_us = longer if 0 < longer < np.inf else interval_us
        end -= TEXT * max(int(word("i", 3529)), 0)
    for first in _first_traces(file, order, head, end):
        found = _trace_lengths(file, order, first, end, n_samples, step)
        if found is not None:
            n_traces, longest, lengths, note = found
            starts = None if lengths is None else first + np.r_[0, np.cumsum(TRACE_HEADER + step * lengths)[:-1]]
            return SegyLayout(
                file, order == "<", code, n_traces, longest, interval_us, first, in_feet=word("h", 3255) == 2,
                starts=starts, notes=(note,) if note else (),
            )  # fmt: skip
    body, trace_bytes = end - first, TRACE_HEADER + n_samples * step
    n_traces, rest = divmod(max(body, 0), trace_bytes)
    raise DataError(
        f"{file}: {body} bytes of traces are {n_traces} traces of {n_samples} samples and {rest} bytes more: the file "
        "is cut off, has trailing bytes, or its trace length (bytes 3221-3222 and 115-116 of each trace) is wrong. "
        "Copy it again from its source"
    )


def _first_traces(file: Path, order: str, head: bytes, end: int) -> list[int]:
    """Return bytes where the first trace may begin, the likelier first; there is always one."""
    plain = TEXT + BINARY
    if head[3500] >= 2:
        stated = struct.unpack_from(order + "Q", head, 3520)[0]
        if plain <= stated < end:
            return [int(stated)]
    n_extended = struct.unpack_from(order + "h", head, 3504)[0]
    if n_extended < 0:  # as many as it takes, the last one says so
        return [_behind_end_text(file, end) or plain]
    # Before revision 1 the word was free, so a number there may mean something else
    return [plain + TEXT * n_extended] + ([plain] if n_extended and head[3500] == 0 else [])


def _behind_end_text(file: Path, end: int) -> int | None:
    """Return the byte behind the extended text header that says ((SEG: EndText)), in EBCDIC or ASCII."""
    with file.open("rb") as opened:
        opened.seek(TEXT + BINARY)
        for first in range(TEXT + BINARY + TEXT, end + 1, TEXT):
            record = opened.read(TEXT)
            for text in (record.decode("cp037"), record.decode("latin-1")):
                if "((seg:endtext))" in text.lower().replace(" ", ""):
                    return first
    return None


def _trace_lengths(
    file: Path, order: str, first: int, end: int, n_samples: int, step: int
) -> tuple[int, int, Array | None, str] | None:
    """Return what the size of the file bears out: traces, their samples, these a trace where they differ, and a note.

    The trace headers win where following them from trace to trace ends exactly at the end of the file.
    """
    body = end - first
    if body < TRACE_HEADER:
        return None
    with file.open("rb") as opened:
        opened.seek(first + 114)
        in_trace = struct.unpack(order + "H", opened.read(2))[0]
    n_traces, rest = divmod(body, TRACE_HEADER + n_samples * step)
    fits = n_samples > 0 and rest == 0
    if fits and in_trace in (0, n_samples):
        return n_traces, n_samples, None, ""
    lengths = _walk(file, order, first, end, step)
    in_file, taken = "the file header (bytes 3221-3222)", "the size of the file bears out the latter"
    if lengths is None:
        note = f"trace headers (bytes 115-116) say {in_trace} samples, {in_file} {n_samples}: {taken}"
        return (n_traces, n_samples, None, note) if fits else None
    if fits and len(lengths) == 1:
        raise DataError(
            f"{file}: {in_file} says {n_samples} samples a trace, the trace header (bytes 115-116) {in_trace}, and the "
            "size of the file fits both. Correct the wrong one"
        )
    if np.ptp(lengths) > 0:
        return len(lengths), int(lengths.max()), lengths, f"traces have {lengths.min()} to {lengths.max()} samples"
    note = f"{in_file} says {n_samples} samples, the trace headers (bytes 115-116) {in_trace}: {taken}"
    return len(lengths), int(in_trace), None, note


def _walk(file: Path, order: str, first: int, end: int, step: int) -> Array | None:
    """Return the samples of each trace by its own header, if the last trace ends where the traces end."""
    view = memoryview(np.memmap(file, dtype=np.uint8, mode="r"))  # type: ignore[arg-type]  # numpy's stub lacks it
    at, lengths = first, []
    while at + TRACE_HEADER <= end:
        n_samples = struct.unpack_from(order + "H", view, at + 114)[0]
        if n_samples == 0:
            return None
        lengths.append(n_samples)
        at += TRACE_HEADER + n_samples * step
    return np.array(lengths, dtype=np.int64) if at == end and lengths else None


def read_headers(path: str | Path) -> SegyHeaders:
    """Return the header words of all traces of a SEG-Y file; trace data are not read.

    A coordinate scalar of 0 means 1. Lengths are taken as m unless the binary header says feet.

    Raises:
        MissingDataError, DataError: see `read_layout`; and if there is no sample interval.
    """
    return headers_of(read_layout(path))


def headers_of(layout: SegyLayout) -> SegyHeaders:
    """Return the header words of all traces of a file with this layout.

    Raises:
        DataError: if there is no sample interval.
    """
    words = _words(layout, WORDS)
    notes = list(layout.notes)
    if layout.bare:  # Seismic Unix keeps d1, f1 and others there
        for name in ("shot_point", "shot_point_scalar", "time_scalar"):
            words[name] = np.zeros_like(words[name])
    n_samples = _n_samples(layout, words["n_samples"], notes)
    interval_us = words["interval"].astype(np.float64)
    interval_us[interval_us == 0] = layout.interval_us
    if np.any(interval_us <= 0):
        raise DataError(f"{layout.path}: no sample interval in bytes 117-118 nor in bytes 3217-3218")
    places, offset_m = _places(layout, words, notes)
    return SegyHeaders(
        layout.path, layout, n_samples, interval_us / 1e6, words["delay"] * _scale(words["time_scalar"]) / 1e3,
        **places, offset_m=offset_m, shots=_shots(words), notes=tuple(notes),
    )  # fmt: skip


def read_word(path: str | Path, byte: int) -> Array:
    """Return a four-byte header word by its first byte (1 to 237) for all traces."""
    if not 1 <= byte <= TRACE_HEADER - 3:
        raise DataError(f"{path}: a header word begins at byte 1 to {TRACE_HEADER - 3}, not {byte}")
    return _words(read_layout(path), {"word": (byte, "i4")})["word"]


def _words(layout: SegyLayout, words: Mapping[str, tuple[int, str]]) -> dict[str, Array]:
    """Return header words of all traces as int64, after one pass over the file."""
    if layout.starts is None:
        # The headers side by side first: word by word, each would touch every page of the file
        kind = np.dtype({"names": ["head"], "formats": [f"V{TRACE_HEADER}"], "itemsize": layout.trace_bytes})
        shape = (layout.n_traces,)
        heads = np.memmap(layout.path, kind, mode="r", offset=layout.first_trace, shape=shape)["head"].copy()
    else:
        view = memoryview(np.memmap(layout.path, np.uint8, mode="r"))  # type: ignore[arg-type]  # numpy's stub lacks it
        heads = np.frombuffer(b"".join(view[at : at + TRACE_HEADER] for at in layout.starts), f"V{TRACE_HEADER}")
    order = "<" if layout.little_endian else ">"
    fields = np.dtype(
        {
            "names": list(words),
            "formats": [order + kind for _, kind in words.values()],
            "offsets": [byte - 1 for byte, _ in words.values()],
            "itemsize": TRACE_HEADER,
        }
    )
    side_by_side = np.asarray(heads).view(fields)
    return {name: side_by_side[name].astype(np.int64) for name in words}


def _n_samples(layout: SegyLayout, stated: Array, notes: list[str]) -> Array:
    """Return the samples of each trace; a header word that the size of the file refutes is noted."""
    if layout.starts is not None:
        return stated
    wrong = np.flatnonzero((stated != 0) & (stated != layout.n_samples))
    # A length above 65535 stands in the file header alone; a note of the layout speaks for all traces
    if wrong.size and layout.n_samples <= 65535 and not layout.notes:
        notes.append(
            f"{wrong.size} of {layout.n_traces} trace headers, the first trace {wrong[0]}, do not say "
            f"{layout.n_samples} samples, as the size of the file does: that is taken"
        )
    return np.full(layout.n_traces, layout.n_samples, dtype=np.int64)


def _scale(scalar: Array) -> Array:
    """Return the factor of a SEG-Y scalar: negative divides, positive multiplies, 0 is 1."""
    scalar = scalar.astype(np.float64)
    size = np.where(scalar == 0, 1.0, np.abs(scalar))
    return np.where(scalar < 0, 1.0 / size, size)


def _places(layout: SegyLayout, words: Mapping[str, Array], notes: list[str]) -> tuple[dict[str, Array], Array]:
    """Return coordinates and offsets in m, NaN where not known."""
    unknown = np.full(layout.n_traces, np.nan)
    stated = np.abs(words["offset"]).astype(np.float64)
    if not stated.any():
        stated = unknown
    space = _scale(words["coordinate_scalar"])
    places = {name: words[name] * space for name in PLACES}
    if not any(np.any(one) for one in places.values()):
        places = dict.fromkeys(PLACES, unknown)
    foot = FOOT_M if layout.in_feet else 1.0
    if layout.in_feet:
        notes.append("lengths are in feet (bytes 3255-3256) and turned into m")
    degrees = _degrees(words["coordinate_units"], places)
    if degrees is not None:
        notes.append(
            "coordinates are degrees (bytes 89-90) and left out; offsets come from bytes 37-40, else from them"
        )
        offset = np.where(np.isfinite(stated), stated * foot, _great_circle_m(degrees))
        return dict.fromkeys(PLACES, unknown), offset
    metres = {name: one * foot for name, one in places.items()}
    apart = np.hypot(metres["group_x"] - metres["source_x"], metres["group_y"] - metres["source_y"])
    if not np.any(apart > 0):
        return metres, stated * foot
    one_end = any(not np.any(places[f"{end}_x"]) and not np.any(places[f"{end}_y"]) for end in ("source", "group"))
    if one_end and _one_end_is_unknown(apart, stated * foot):
        notes.append("sources or receivers have no coordinates; offsets are those of bytes 37-40, where they are known")
        return metres, stated * foot
    return metres, apart  # the header word is a whole number of meters, coordinates know better


def _one_end_is_unknown(apart: Array, stated: Array) -> bool:
    """Tell coordinates that were left empty from an end of the line that lies at the origin of its coordinates."""
    if np.isfinite(stated).all():
        return bool(np.median(np.abs(apart - stated) - 0.05 * stated) > 1)
    return bool(np.median(apart) > FARTHEST_M)


def _degrees(units: Array, places: Mapping[str, Array]) -> Mapping[str, Array] | None:
    """Return coordinates in degrees where that is their unit, and they can be degrees."""
    if units.size == 0 or np.ptp(units) > 0 or int(units[0]) not in DEGREES:
        return None
    degrees = {name: one * DEGREES[int(units[0])] for name, one in places.items()}
    possible = all(
        np.nanmax(np.abs(one), initial=0) <= (360 if name.endswith("x") else 90) for name, one in degrees.items()
    )
    return degrees if possible and np.isfinite(places["source_x"]).all() else None


def _great_circle_m(degrees: Mapping[str, Array]) -> Array:
    """Return the distance of source and group in m on a sphere, by the haversine formula."""
    lon_s, lat_s, lon_g, lat_g = (np.radians(degrees[name]) for name in PLACES)
    h = np.sin((lat_g - lat_s) / 2) ** 2 + np.cos(lat_s) * np.cos(lat_g) * np.sin((lon_g - lon_s) / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(h)))


def _shots(words: Mapping[str, Array]) -> dict[str, Array]:
    shots = {name: words[name] for name in SHOT_WORDS}
    scaled = words["shot_point"] * _scale(words["shot_point_scalar"])
    if np.all(scaled == np.round(scaled)):
        shots["shot_point"] = scaled.astype(np.int64)
    return shots


class SegyTraces:
    """Traces of a file, read one by one; the file stays mapped."""

    def __init__(self, source: str | Path | SegyLayout) -> None:
        self.layout = layout = source if isinstance(source, SegyLayout) else read_layout(source)
        self._bytes = np.memmap(layout.path, np.uint8, mode="r")
        self._starts = layout.starts
        self._lengths: Array | None = None
        self._same: Array | None = None
        if layout.starts is None:
            kind = np.dtype(
                {
                    "names": ["x"], "formats": [(layout.sample_type, (layout.n_samples,))],
                    "offsets": [TRACE_HEADER], "itemsize": layout.trace_bytes,
                }
            )  # fmt: skip
            last = layout.first_trace + layout.n_traces * layout.trace_bytes
            # np.asarray, since each slice of a memmap is a memmap again, and that costs microseconds
            self._same = np.asarray(self._bytes[layout.first_trace : last]).view(kind)["x"]
        else:
            self._lengths = _words(layout, {"n_samples": WORDS["n_samples"]})["n_samples"]

    @property
    def n_traces(self) -> int:
        """Number of traces."""
        return self.layout.n_traces

    def read(self, index: int) -> Array:
        """Return one trace, float32 (time,)."""
        self._check(index)
        if self._same is not None:
            return self._floats(self._same[index])
        assert self._starts is not None
        assert self._lengths is not None
        first = int(self._starts[index]) + TRACE_HEADER
        n_bytes = int(self._lengths[index]) * self.layout.sample_type.itemsize
        return self._floats(np.asarray(self._bytes[first : first + n_bytes]).view(self.layout.sample_type))

    def read_many(self, indices: Array) -> Array:
        """Return some traces, float32 (trace, time).

        Raises:
            DataError: if there are no such traces, or they differ in length.
        """
        numbers = np.asarray(indices, dtype=np.intp)
        for number in (numbers.min(initial=0), numbers.max(initial=0)):
            self._check(int(number))
        if self._same is not None:
            return self._floats(self._same[numbers])
        traces = [self.read(int(number)) for number in numbers]
        lengths = sorted({len(trace) for trace in traces})
        if len(lengths) > 1:
            raise DataError(
                f"{self.layout.path}: traces have {lengths[0]} to {lengths[-1]} samples; one gather needs one length"
            )
        return np.stack(traces)

    def _check(self, index: int) -> None:
        if not 0 <= index < self.n_traces:
            raise DataError(
                f"{self.layout.path}: trace {index} is asked for, the file has {self.n_traces}. "
                "Build the manifest again: seisloom manifest build ROOT"
            )

    def _floats(self, stored: Array) -> Array:
        if self.layout.format_code == IBM:
            big = stored.byteswap() if self.layout.little_endian else np.array(stored)
            return np.asarray(segyio.tools.native(big.view(np.float32), format=IBM, copy=False))
        return stored.astype(np.float32)


@lru_cache(maxsize=32)
def _cached(path: str, mtime_ns: int) -> SegyTraces:
    return SegyTraces(path)


def cached_traces(path: str | Path) -> SegyTraces:
    """Return the traces of a file; the last few files stay open, and a changed file is opened anew."""
    try:
        mtime_ns = os.stat(path).st_mtime_ns
    except OSError as error:
        raise MissingDataError(
            f"{path}: no such file. Build the manifest again: seisloom manifest build ROOT"
        ) from error
    return _cached(str(path), mtime_ns)


def write_segy(
    path: str | Path,
    traces: Array,
    *,
    interval_s: float,
    headers: Mapping[str, Array] | None = None,
    delay_s: Array | float = 0.0,
    coordinate_scalar: int = -100,
    text: str = "",
) -> None:
    """Write traces as IEEE floats, big-endian SEG-Y rev 1, beside and renamed.

    Args:
        path: file to write.
        traces: amplitudes, shape (trace, time).
        interval_s: sample interval in s; a whole number of microseconds up to 65535.
        headers: values by the names of `WORDS`, shape (trace,); coordinates in m, scaled here.
        delay_s: time of the first sample after the shot in s; stored to the tenth of a ms, or as finely as 16 bits
            allow (byte 215 has the scalar).
        coordinate_scalar: as SEG-Y has it, a negative one divides what is stored: -100 stores centimeters.
        text: for the text header.
    Raises:
        DataError: if a value does not fit its header word.
        OutputError: if the file cannot be written.
    """
    file, data = Path(path), np.atleast_2d(np.asarray(traces, dtype=np.float32))
    n_traces, n_samples = data.shape
    interval_us = round(interval_s * 1e6)
    if n_samples > 32767 or not 0 < interval_us <= 65535 or abs(interval_us - interval_s * 1e6) > 1e-3:
        raise DataError(
            f"{file}: {n_samples} samples at {interval_s} s do not fit the 16-bit words of SEG-Y (32767 samples, "
            "whole microseconds up to 65535)"
        )
    delay, time_scalar = _delay_words(
        file, np.broadcast_to(np.asarray(delay_s, dtype=np.float64), (n_traces,)), interval_s
    )
    words: dict[str, Array] = {
        "trace_sequence_line": np.arange(1, n_traces + 1), "trace_sequence_file": np.arange(1, n_traces + 1),
        "trace_id": np.ones(n_traces), "coordinate_scalar": np.full(n_traces, coordinate_scalar), "delay": delay,
        "time_scalar": np.full(n_traces, time_scalar), "n_samples": np.full(n_traces, n_samples),
        "interval": np.full(n_traces, interval_us),
    }  # fmt: skip
    for name, values in (headers or {}).items():
        factor = 1 / float(_scale(np.array(coordinate_scalar))) if name in PLACES else 1.0
        words[name] = np.round(np.nan_to_num(np.asarray(values, dtype=np.float64)) * factor)
    kind = np.dtype(
        {
            "names": [*words, "x"],
            "formats": [*(">" + WORDS[name][1] for name in words), (">f4", (n_samples,))],
            "offsets": [*(WORDS[name][0] - 1 for name in words), TRACE_HEADER],
            "itemsize": TRACE_HEADER + 4 * n_samples,
        }
    )
    body = np.zeros(n_traces, dtype=kind)
    for name, values in words.items():
        limits = np.iinfo(WORDS[name][1])
        if np.any(values < limits.min) or np.any(values > limits.max):
            raise DataError(f"{file}: {name} up to {np.abs(values).max():g} does not fit its header word")
        body[name] = values
    body["x"] = data
    binary = np.zeros(BINARY // 2, dtype=">i2")
    binary[[8, 10, 12, 150]] = [interval_us, n_samples, 5, 0x0100]
    lines = [f"C{k + 1:2d} {line[:76]}" for k, line in enumerate([*text.splitlines(), *[""] * 40][:40])]
    partial = file.with_name(file.name + ".partial")
    try:
        with partial.open("wb") as opened:
            opened.write("".join(line.ljust(80) for line in lines).encode("cp037", errors="replace"))
            opened.write(binary.tobytes())
            opened.write(body.tobytes())
        os.replace(partial, file)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise OutputError(f"{file}: cannot be written: {error.strerror}") from error


def _delay_words(file: Path, delay_s: Array, interval_s: float) -> tuple[Array, int]:
    """Return delays as 16-bit words and their scalar, the finest from a tenth of a ms that holds them."""
    for scalar in (-10, 1, 10, 100, 1000):
        unit_s = float(_scale(np.array(scalar))) / 1e3
        words = np.round(delay_s / unit_s)
        if np.all(np.abs(words) <= 32767):
            if np.any(np.abs(words * unit_s - delay_s) > interval_s / 2):
                break
            return words, scalar
    raise DataError(f"{file}: delays up to {np.abs(delay_s).max():g} s do not fit their 16-bit word to half a sample")
