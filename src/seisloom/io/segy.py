"""SEG-Y: headers without traces, traces without headers, and writing both.

Headers are read through one memory-mapped view over the file; see `seisloom.io.segy_layout`.
"""

from __future__ import annotations

import contextlib
import difflib
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import segyio
import segyio._segyio  # tools.native needs it, and leaves its import to segyio.open

from seisloom.errors import DataError, MissingDataError, OutputError
from seisloom.io.segy_layout import BINARY, IBM, IEEE, TEXT, TRACE_HEADER, WORDS, SegyLayout, read_layout
from seisloom.sample import Array

METERS_IN_A_FOOT = 0.3048
EARTH_RADIUS_M = 6_371_008.8  # mean radius, Moritz (2000), Geodetic Reference System 1980
FARTHEST_M = 1e6
"""More than an offset of active sources: the distance of projected coordinates to their origin."""
DEGREES = {2: 1 / 3600, 3: 1.0}
"""Degrees in a unit of coordinates by bytes 89-90: seconds of arc, decimal degrees."""
PLACES = ("source_x", "source_y", "group_x", "group_y")
SHOT_WORDS = ("energy_source_point", "field_record", "shot_point", "ensemble", "trace_sequence_line")
"""Header words that may number the shots, the likelier first: bytes 17, 9, 197, 21 and 1."""
TRACES_AT_ONCE = 1 << 12
"""Headers that are held in memory at once while their words are taken apart; each holds pages of its trace."""


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
    """In m, as all coordinates; NaN in every trace where the file has none, or has angles."""
    source_y: Array
    group_x: Array
    group_y: Array
    offset_m: Array
    """Distance from source to group: from coordinates, else the header word without its sign; NaN where unknown."""
    shots: Mapping[str, Array]
    """Header words that may number the shots, by name, in the order of SHOT_WORDS."""
    notes: tuple[str, ...] = ()
    """What was assumed."""

    @property
    def n_traces(self) -> int:
        """Number of traces."""
        return self.layout.n_traces


def read_headers(path: str | Path) -> SegyHeaders:
    """Return the header words of all traces of a SEG-Y file; trace data are not read.

    Scalars are applied as SEG-Y says: negative divides, positive multiplies, 0 is 1. Feet (bytes 3255-3256) become
    meters. All coordinates 0 means that they are unknown; so does an offset of 0 in every trace.

    Raises:
        MissingDataError, DataError: see `read_layout`; and if a trace has another length than the others, or the file
            has no sample interval.
    """
    return headers_of(read_layout(path))


def headers_of(layout: SegyLayout) -> SegyHeaders:
    """Return the header words of all traces of a file whose layout is known; see `read_headers`."""
    return headers_from(_words(layout), layout)


def headers_from(words: dict[str, Array], layout: SegyLayout) -> SegyHeaders:
    """Return the headers of words as they are stored, each by its name in WORDS with shape (trace,)."""
    if layout.is_su:  # there these bytes hold other things
        for name in ("shot_point", "shot_point_scalar", "time_scalar"):
            words[name] = np.zeros_like(words[name])
    notes = [*layout.notes]
    place, offset_m = _places(words, layout, notes)
    return SegyHeaders(
        path=layout.path,
        layout=layout,
        n_samples=_n_samples(words["n_samples"], layout, notes),
        interval_s=_interval_s(words["interval"], layout),
        delay_s=words["delay"] * scale(words["time_scalar"]) * 1e-3,
        **place,
        offset_m=offset_m,
        shots={name: _shot_point(words) if name == "shot_point" else words[name] for name in SHOT_WORDS},
        notes=tuple(notes),
    )


def read_word(path: str | Path, byte: int) -> Array:
    """Return a four-byte header word by its first byte (1 to 237) for all traces, int64 (trace,)."""
    if not 1 <= byte <= TRACE_HEADER - 3:
        raise DataError(f"{path}: a header word of four bytes begins at byte 1 to {TRACE_HEADER - 3}, not {byte}")
    layout = read_layout(path)
    return np.asarray(layout.headers(0, layout.n_traces, {"word": (byte, "i4")})["word"].astype(np.int64))


def scale(scalar: Array) -> Array:
    """Return the factor of a SEG-Y scalar: negative divides, positive multiplies, 0 is 1.

    >>> scale(np.array([-100, 10, 0])).tolist()
    [0.01, 10.0, 1.0]
    """
    size = np.where(scalar == 0, 1.0, np.abs(scalar.astype(np.float64)))
    return np.where(scalar < 0, 1.0 / size, size)


def _words(layout: SegyLayout) -> dict[str, Array]:
    """Return the header words, int64 (trace,); the file is passed once, since each trace costs a page of it."""
    words = {name: np.empty(layout.n_traces, dtype=np.int64) for name in WORDS}
    for start in range(0, layout.n_traces, TRACES_AT_ONCE):
        some = slice(start, min(start + TRACES_AT_ONCE, layout.n_traces))
        headers = layout.headers(some.start, some.stop, WORDS)
        for name, column in words.items():
            column[some] = headers[name]
    return words


def _n_samples(stated: Array, layout: SegyLayout, notes: list[str]) -> Array:
    """Return the length of each trace; a header word that the size of the file refutes is noted."""
    if layout.starts is not None:
        return stated
    wrong = np.flatnonzero((stated != 0) & (stated != layout.n_samples))
    # A length above 65535 stands in the file header alone; a note of the layout speaks for all traces
    if wrong.size and layout.n_samples <= np.iinfo(np.uint16).max and not layout.notes:
        notes.append(
            f"{layout.n_samples} samples a trace, as the size of the file says; {wrong.size} of {layout.n_traces} "
            f"trace headers (bytes 115-116) say otherwise, the first is trace {wrong[0]} with {stated[wrong[0]]}"
        )
    return np.full(layout.n_traces, layout.n_samples, dtype=np.int64)


def _interval_s(stored: Array, layout: SegyLayout) -> Array:
    """Return the sample interval of each trace: its own, else that of the file."""
    interval_us = np.where(stored > 0, stored, layout.interval_us)
    if layout.interval_us % 1:  # only rev 2 can say this, and the word of 16 bits holds it rounded
        interval_us = np.full(layout.n_traces, layout.interval_us)
    if np.any(interval_us <= 0):
        raise DataError(
            f"{layout.path}: no sample interval in bytes 117-118"
            + (". Write it there" if layout.is_su else " nor in bytes 3217-3218. Write it into one of them")
        )
    return np.asarray(interval_us * 1e-6)


def _places(words: Mapping[str, Array], layout: SegyLayout, notes: list[str]) -> tuple[dict[str, Array], Array]:
    """Return coordinates and offsets in m, NaN where they are not known."""
    unknown = np.full(layout.n_traces, np.nan)
    unit_m = METERS_IN_A_FOOT if layout.in_feet else 1.0
    stated = np.abs(words["offset"]) * unit_m if np.any(words["offset"]) else unknown
    factor = scale(words["coordinate_scalar"])
    place = {name: words[name] * factor for name in PLACES}
    if layout.in_feet:
        notes.append("coordinates and offsets are in feet (bytes 3255-3256) and are converted to meters")
    if not any(np.any(one) for one in place.values()):
        return dict.fromkeys(PLACES, unknown), stated
    degrees = _degrees(words["coordinate_units"], place)
    if degrees is not None:
        notes.append("coordinates are angles (bytes 89-90) and give offsets alone, where bytes 37-40 have none")
        return dict.fromkeys(PLACES, unknown), np.where(np.isfinite(stated), stated, _great_circle_m(degrees))
    place = {name: one * unit_m for name, one in place.items()}
    return place, _offset(stated, place, notes)


def _degrees(units: Array, place: Mapping[str, Array]) -> dict[str, Array] | None:
    """Return coordinates in degrees where that is their unit in every trace, and they can be degrees."""
    if np.ptp(units) > 0 or int(units[0]) not in DEGREES:
        return None
    degrees = {name: one * DEGREES[int(units[0])] for name, one in place.items()}
    possible = all(np.max(np.abs(one)) <= (360 if name.endswith("x") else 90) for name, one in degrees.items())
    return degrees if possible else None


def _great_circle_m(degrees: Mapping[str, Array]) -> Array:
    """Return the distance of source and group in m on a sphere, by the haversine formula."""
    lon_s, lat_s, lon_g, lat_g = (np.radians(degrees[name]) for name in PLACES)
    h = np.sin((lat_g - lat_s) / 2) ** 2 + np.cos(lat_s) * np.cos(lat_g) * np.sin((lon_g - lon_s) / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(h)))


def _offset(stated: Array, place: Mapping[str, Array], notes: list[str]) -> Array:
    apart = np.hypot(place["group_x"] - place["source_x"], place["group_y"] - place["source_y"])
    if not np.any(apart > 0):
        return stated
    one_end = any(not np.any(place[f"{end}_x"]) and not np.any(place[f"{end}_y"]) for end in ("source", "group"))
    if one_end and _one_end_is_unknown(apart, stated):
        notes.append("sources or groups have no coordinates: offsets are those of bytes 37-40, if there are any")
        return stated
    return np.asarray(apart)  # the header word is a whole number of meters; coordinates know better


def _one_end_is_unknown(apart: Array, stated: Array) -> bool:
    """Tell coordinates that were left empty from an end of the line that lies at the origin of its coordinates."""
    if np.isfinite(stated).all():
        return bool(np.median(np.abs(apart - stated) - 0.05 * stated) > 1)
    return bool(np.median(apart) > FARTHEST_M)


def _shot_point(words: Mapping[str, Array]) -> Array:
    """Return the shot point of bytes 197-200 with its scalar, where that leaves whole numbers."""
    scaled = words["shot_point"] * scale(words["shot_point_scalar"])
    whole = np.round(scaled)
    return whole.astype(np.int64) if np.allclose(scaled, whole, atol=1e-6, rtol=0) else words["shot_point"]


class SegyTraces:
    """Traces of a file, read when they are asked for; the file stays open.

    Read and not mapped: pages of a mapped file count as memory of the process, and stay until others need them.
    """

    def __init__(self, source: str | Path | SegyLayout) -> None:
        self.layout = source if isinstance(source, SegyLayout) else read_layout(source)
        self._file = io.FileIO(self.layout.path)
        self._kind = np.dtype(
            {
                "names": ["x"], "formats": [(self.layout.sample_type, (self.layout.n_samples,))],
                "offsets": [TRACE_HEADER], "itemsize": self.layout.trace_bytes,
            }
        )  # fmt: skip

    @property
    def n_traces(self) -> int:
        """Number of traces."""
        return self.layout.n_traces

    def read(self, index: int) -> Array:
        """Return one trace, float32 (time,)."""
        self._check(index)
        return self._native(self._run(index, 1)[0] if self.layout.starts is None else self._own_length(index))

    def read_many(self, indices: Array) -> Array:
        """Return some traces, float32 (trace, time); those that lie side by side are read at once.

        Raises:
            DataError: if there are no such traces, or they differ in length.
        """
        wanted = np.asarray(indices, dtype=np.int64)
        if wanted.size == 0:
            return np.zeros((0, self.layout.n_samples), dtype=np.float32)
        for extreme in (wanted.min(), wanted.max()):
            self._check(int(extreme))
        if self.layout.starts is None:
            ends = [*(np.flatnonzero(np.diff(wanted) != 1) + 1).tolist(), len(wanted)]
            runs = [self._run(int(wanted[first]), end - first) for first, end in pairwise([0, *ends])]
            return self._native(runs[0] if len(runs) == 1 else np.concatenate(runs))
        traces = [self.read(int(one)) for one in wanted]
        if len({len(one) for one in traces}) > 1:
            raise DataError(f"{self.layout.path}: traces differ in length, and a gather has one. Pick by a manifest")
        return np.stack(traces)

    def _check(self, index: int) -> None:
        if not 0 <= index < self.n_traces:
            raise DataError(
                f"{self.layout.path}: trace {index} is asked for, the file has {self.n_traces}. "
                "Build the manifest again: seisloom manifest build ROOT"
            )

    def _run(self, first: int, n_traces: int) -> Array:
        """Return neighbours as they are stored, shape (trace, time), in a file whose traces have one length."""
        step = self._kind.itemsize
        return np.asarray(self._bytes(self.layout.first_trace + first * step, n_traces * step).view(self._kind)["x"])

    def _own_length(self, index: int) -> Array:
        """Return a trace as it is stored, in a file whose traces differ in length."""
        assert self.layout.starts is not None
        first = int(self.layout.starts[index])
        word = self._bytes(first + WORDS["n_samples"][0] - 1, 2).view(self.layout.order + "u2")
        n_bytes = int(word[0]) * self.layout.sample_type.itemsize
        return self._bytes(first + TRACE_HEADER, n_bytes).view(self.layout.sample_type)

    def _bytes(self, place: int, n_bytes: int) -> Array:
        """Return bytes of the file, uint8 (byte,)."""
        found = os.pread(self._file.fileno(), n_bytes, place)
        if len(found) < n_bytes:
            raise DataError(f"{self.layout.path}: was made shorter while it was open. Build the manifest again")
        return np.frombuffer(found, dtype=np.uint8)

    def _native(self, stored: Array) -> Array:
        """Return samples as float32; IBM floats are taken apart by segyio, which expects them big-endian."""
        if self.layout.format_code != IBM:
            return np.array(stored, dtype=np.float32)
        native: Array = segyio.tools.native(np.ascontiguousarray(stored, dtype=">u4").view(np.float32), IBM, copy=True)
        return native


@lru_cache(maxsize=32)
def _cached(path: str, _mtime_ns: int, _size: int) -> SegyTraces:
    return SegyTraces(path)


def cached_traces(path: str | Path) -> SegyTraces:
    """Return the traces of a file; the last few files stay open, and a changed file is opened anew."""
    try:
        found = os.stat(path)
    except OSError as error:
        raise MissingDataError(f"{path}: no such file. Build the manifest again: seisloom manifest build") from error
    return _cached(str(path), found.st_mtime_ns, found.st_size)


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
        headers: values by the names of `WORDS`, shape (trace,); coordinates in m, scaled here. A column that is NaN
            throughout is not known, and written as 0.
        delay_s: time of the first sample after the shot in s; shape (trace,) or one for all.
        coordinate_scalar: as SEG-Y has it; a negative one divides what is stored: -100 stores centimeters.
        text: for the text header, at most 39 lines.
    Raises:
        DataError: if a value does not fit its header word, or would be rounded by more than 1 % of a sample.
        OutputError: if the file cannot be written.
    """
    file, data = Path(path), np.atleast_2d(np.asarray(traces, dtype=np.float32))
    n_traces, n_samples = data.shape
    interval_us = whole_interval_us(file, data.shape, interval_s)
    delay, time_scalar = delay_words(file, np.broadcast_to(np.asarray(delay_s, dtype=np.float64), n_traces), interval_s)
    counted = np.arange(1, n_traces + 1)
    words: dict[str, Array] = {
        "trace_sequence_line": counted, "trace_sequence_file": counted, "trace_id": np.ones(n_traces),
        "coordinate_scalar": np.full(n_traces, coordinate_scalar), "coordinate_units": np.ones(n_traces),
        "delay": delay, "time_scalar": np.full(n_traces, time_scalar),
        "n_samples": np.full(n_traces, n_samples), "interval": np.full(n_traces, interval_us),
        **{name: _whole(file, name, values, n_traces, coordinate_scalar) for name, values in (headers or {}).items()},
    }  # fmt: skip
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
            largest = values[np.abs(values).argmax()]
            raise DataError(f"{file}: {name} {largest:g} overflows its header word ({limits.min} to {limits.max})")
        body[name] = values
    body["x"] = data
    _write_beside(file, file_headers(interval_us, n_samples, text), body)


def whole_interval_us(file: Path, shape: tuple[int, ...], interval_s: float) -> int:
    """Return the sample interval in us, for traces of shape (trace, time).

    Raises:
        DataError: if it is no whole number, or it or the number of samples is more than SEG-Y rev 1 holds.
    """
    n_traces, n_samples = shape
    interval_us = round(interval_s * 1e6)
    if n_traces == 0 or n_samples == 0:
        raise DataError(f"{file}: {n_traces} traces of {n_samples} samples; a SEG-Y file needs at least one of each")
    if n_samples > np.iinfo(np.int16).max or not 0 < interval_us <= np.iinfo(np.uint16).max:
        raise DataError(
            f"{file}: {n_samples} samples at {interval_s:g} s overflow the 16-bit words of SEG-Y rev 1 "
            "(32767 samples, 65535 us). Cut the record, or resample it"
        )
    if abs(interval_s * 1e6 - interval_us) * n_samples > 0.01 * interval_us:
        raise DataError(
            f"{file}: a sample interval of {interval_s * 1e6:g} us is no whole number of microseconds, and that is "
            "what SEG-Y rev 1 holds. Resample to a rate that divides 1,000,000 Hz"
        )
    return interval_us


def delay_words(file: Path, delay_s: Array, interval_s: float) -> tuple[Array, int]:
    """Return the delay of each trace and the one scalar (bytes 215-216) that keeps it to 1 % of a sample."""
    limit = np.iinfo(np.int16).max
    for divisor in (1, 10, 100, 1000, 10000):
        words = np.round(delay_s * 1e3 * divisor)
        if np.all(np.abs(words / divisor * 1e-3 - delay_s) <= 0.01 * interval_s) and np.all(np.abs(words) <= limit):
            return words, -divisor if divisor > 1 else 1
    worst = delay_s[np.abs(delay_s).argmax()]
    raise DataError(
        f"{file}: delays up to {worst:g} s do not fit 16 bits at 1 % of a sample of {interval_s:g} s. "
        "Cut the records to begin at a whole millisecond"
    )


def _whole(file: Path, name: str, values: Array, n_traces: int, coordinate_scalar: int) -> Array:
    """Return the values of a header word as whole numbers, scaled if they are coordinates."""
    if name not in WORDS:
        near = difflib.get_close_matches(name, WORDS, 1)
        raise DataError(f"{file}: no header word {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.shape != (n_traces,):
        raise DataError(f"{file}: {name} has shape {numbers.shape}, and there are {n_traces} traces")
    if np.isnan(numbers).all():
        return np.zeros(n_traces)
    if not np.isfinite(numbers).all():
        bad = np.flatnonzero(~np.isfinite(numbers))
        raise DataError(f"{file}: {name} of trace {bad[0]} is {numbers[bad[0]]}, and a header word holds whole numbers")
    return np.asarray(np.round(numbers / (scale(np.array(coordinate_scalar)) if name in PLACES else 1.0)))


def file_headers(interval_us: int, n_samples: int, text: str, format_code: int = IEEE) -> bytes:
    """Return the text header in EBCDIC and the binary header: meters, rev 1, one trace length."""
    lines = [*[*text.splitlines(), *[""] * 39][:39], "END TEXTUAL HEADER"]
    said = "".join(f"C{k + 1:2d} {line[:76]}".ljust(80) for k, line in enumerate(lines))
    binary = np.zeros(BINARY // 2, dtype=">u2")
    for byte, value in (
        (3217, interval_us),
        (3221, n_samples),
        (3225, format_code),
        (3255, 1),
        (3501, 0x0100),
        (3503, 1),
    ):
        binary[(byte - TEXT - 1) // 2] = value
    return said.encode("cp037", errors="replace") + binary.tobytes()


def _write_beside(file: Path, head: bytes, body: Any) -> None:  # Any: a structured array
    partial = file.with_name(file.name + ".partial")
    try:
        with partial.open("wb") as opened:
            opened.write(head)
            body.tofile(opened)
        os.replace(partial, file)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise OutputError(f"{file}: cannot be written: {error.strerror or error}. Choose another folder") from error
