"""SEG-Y: headers without traces, traces without headers, and writing both.

Headers are one memory-mapped view over the file; samples are converted by segyio. Source: SEG-Y rev 1 (2002) and
rev 2.1 (2023), byte numbers as there, from 1.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import segyio

from seisloom.errors import DataError, MissingDataError, OutputError
from seisloom.sample import Array

TEXT, BINARY, TRACE_HEADER = 3200, 400, 240
SAMPLE_BYTES = {1: 4, 2: 4, 3: 2, 5: 4, 6: 8, 8: 1, 10: 4, 11: 2, 16: 1}
"""Bytes of a sample by format code: IBM, int32, int16, IEEE, double, int8, uint32, uint16, uint8."""
WORDS = {
    "trace_sequence_line": (1, "i4"), "trace_sequence_file": (5, "i4"), "field_record": (9, "i4"),
    "trace_number": (13, "i4"), "energy_source_point": (17, "i4"), "ensemble": (21, "i4"), "trace_id": (29, "i2"),
    "offset": (37, "i4"), "coordinate_scalar": (71, "i2"), "source_x": (73, "i4"), "source_y": (77, "i4"),
    "group_x": (81, "i4"), "group_y": (85, "i4"), "delay": (109, "i2"), "n_samples": (115, "u2"),
    "interval": (117, "u2"), "shot_point": (197, "i4"), "time_scalar": (215, "i2"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SegyLayout:
    """What the file header says, checked against the size of the file."""

    path: Path
    little_endian: bool
    format_code: int
    n_traces: int
    n_samples: int
    interval_us: int
    first_trace: int
    """Byte where the first trace header begins: behind the text and binary headers and the extended text."""

    @property
    def trace_bytes(self) -> int:
        """Bytes of a trace with its header."""
        return TRACE_HEADER + self.n_samples * SAMPLE_BYTES[self.format_code]


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
    source_y: Array
    group_x: Array
    group_y: Array
    offset_m: Array
    """Header word if any trace has one, else from coordinates; NaN where neither is known."""
    shots: Mapping[str, Array]
    """Header words that may number the shots, by name."""

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
        head = opened.read(TEXT + BINARY + TRACE_HEADER)
    for order in (">", "<"):
        words = {name: int(np.frombuffer(head, order + "u2", 1, TEXT + at - 3201)[0]) for name, at in _BINARY_WORDS}
        if words["format"] in SAMPLE_BYTES and words["n_samples"] > 0:
            return _checked(file, size, order, words, head)
    raise DataError(
        f"{file}: not SEG-Y. Bytes 3225-3226 hold no format code in either byte order"
        + (", and the file looks like text" if _looks_like_text(head) else "")
    )


_BINARY_WORDS = (("interval", 3217), ("n_samples", 3221), ("format", 3225), ("extended", 3505))


def _looks_like_text(head: bytes) -> bool:
    return all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in head)


def _checked(file: Path, size: int, order: str, words: Mapping[str, int], head: bytes) -> SegyLayout:
    extended = words["extended"] if words["extended"] < 32768 else 0
    first = TEXT + BINARY + TEXT * extended
    n_samples, step = words["n_samples"], SAMPLE_BYTES[words["format"]]
    in_trace = int(np.frombuffer(head, order + "u2", 1, TEXT + BINARY + 114)[0]) if extended == 0 and len(head) > 3714 else 0
    body = size - first
    trace_bytes = TRACE_HEADER + n_samples * step
    if in_trace and in_trace != n_samples:
        fits = (body % trace_bytes == 0, body % (TRACE_HEADER + in_trace * step) == 0)
        if fits == (False, True):
            n_samples, trace_bytes = in_trace, TRACE_HEADER + in_trace * step
        else:
            raise DataError(
                f"{file}: the binary header says {n_samples} samples a trace (bytes 3221-3222), the first trace "
                f"header {in_trace} (bytes 115-116). Correct the wrong one; only files of one trace length are read"
            )
    n_traces, rest = divmod(body, trace_bytes)
    if n_traces == 0 or rest:
        raise DataError(
            f"{file}: {body} bytes of traces are {n_traces} traces of {n_samples} samples and {rest} bytes more: "
            "the file is cut off, has trailing bytes, or its trace length is wrong. Copy it again from its source"
        )
    return SegyLayout(file, order == "<", words["format"], n_traces, n_samples, words["interval"], first)


def read_headers(path: str | Path) -> SegyHeaders:
    """Return the header words of all traces; trace data are not read.

    Coordinates and offsets are in the unit of the file after its scalars, taken as m. A zero coordinate scalar means 1.

    Raises:
        MissingDataError, DataError: see `read_layout`; and if a trace has another length than the file.
    """
    layout = read_layout(path)
    words = _words(layout)
    n_samples = words["n_samples"].astype(np.int64)
    n_samples[n_samples == 0] = layout.n_samples
    wrong = np.flatnonzero(n_samples != layout.n_samples)
    if wrong.size:
        raise DataError(
            f"{layout.path}: trace {wrong[0]} has {n_samples[wrong[0]]} samples (bytes 115-116), the file "
            f"{layout.n_samples}; {wrong.size} of {layout.n_traces} traces differ. Only one trace length is read"
        )
    interval_us = words["interval"].astype(np.float64)
    interval_us[interval_us == 0] = layout.interval_us
    if np.any(interval_us <= 0):
        raise DataError(f"{layout.path}: no sample interval in bytes 117-118 nor in bytes 3217-3218")
    space = _scale(words["coordinate_scalar"])
    place = {name: words[name] * space for name in ("source_x", "source_y", "group_x", "group_y")}
    delay_s = words["delay"] * _scale(words["time_scalar"]) * 1e-3
    return SegyHeaders(
        layout.path, layout, n_samples, interval_us * 1e-6, delay_s, **place,
        offset_m=_offset(words["offset"], place), shots=_shots(words),
    )  # fmt: skip


def read_word(path: str | Path, byte: int) -> Array:
    """Return a four-byte header word by its first byte (1 to 237) for all traces."""
    if not 1 <= byte <= TRACE_HEADER - 3:
        raise DataError(f"{path}: a header word begins at byte 1 to {TRACE_HEADER - 3}, not {byte}")
    return np.ascontiguousarray(_view(read_layout(path), {"word": (byte, "i4")})["word"].astype(np.int64))


def _words(layout: SegyLayout) -> dict[str, Array]:
    view = _view(layout, WORDS)
    return {name: np.ascontiguousarray(view[name]).astype(np.int64) for name in WORDS}


def _view(layout: SegyLayout, words: Mapping[str, tuple[int, str]]) -> Array:
    """Return a structured view over the headers of a memory-mapped file."""
    order = "<" if layout.little_endian else ">"
    kind = np.dtype(
        {
            "names": list(words),
            "formats": [order + kind for _, kind in words.values()],
            "offsets": [byte - 1 for byte, _ in words.values()],
            "itemsize": layout.trace_bytes,
        }
    )
    return np.memmap(layout.path, dtype=kind, mode="r", offset=layout.first_trace, shape=(layout.n_traces,))


def _scale(scalar: Array) -> Array:
    """Return the factor of a SEG-Y scalar: negative divides, positive multiplies, 0 is 1."""
    scalar = scalar.astype(np.float64)
    size = np.where(scalar == 0, 1.0, np.abs(scalar))
    return np.where(scalar < 0, 1.0 / size, size)


def _offset(word: Array, place: Mapping[str, Array]) -> Array:
    apart = np.hypot(place["group_x"] - place["source_x"], place["group_y"] - place["source_y"])
    if np.any(apart > 0):
        # The header word is a whole number of meters; coordinates know better
        return np.asarray(apart, dtype=np.float64)
    if np.any(word != 0):
        return np.abs(word).astype(np.float64)
    return np.full(word.shape, np.nan)


def _shots(words: Mapping[str, Array]) -> dict[str, Array]:
    names = ("energy_source_point", "field_record", "shot_point", "ensemble", "trace_sequence_line")
    return {name: words[name] for name in names}


class SegyTraces:
    """Traces of a file, read one by one; the file stays open and mapped."""

    def __init__(self, path: str | Path) -> None:
        self.layout = read_layout(path)
        self._file = segyio.open(
            str(path), ignore_geometry=True, strict=False, endian="little" if self.layout.little_endian else "big"
        )
        self._file.mmap()
        self._raw = None
        if self.layout.format_code == 5:
            kind = np.dtype("<f4" if self.layout.little_endian else ">f4")
            step = {
                "names": ["x"], "formats": [(kind, (self.layout.n_samples,))], "offsets": [TRACE_HEADER],
                "itemsize": self.layout.trace_bytes,
            }  # fmt: skip
            self._raw = np.memmap(
                path, np.dtype(step), mode="r", offset=self.layout.first_trace, shape=(self.layout.n_traces,)
            )

    @property
    def n_traces(self) -> int:
        """Number of traces."""
        return self.layout.n_traces

    def read(self, index: int) -> Array:
        """Return one trace, float32 (time,)."""
        if not 0 <= index < self.n_traces:
            raise DataError(
                f"{self.layout.path}: trace {index} is asked for, the file has {self.n_traces}. "
                "Build the manifest again: seisloom manifest build ROOT"
            )
        if self._raw is not None:
            return self._raw["x"][index].astype(np.float32)
        return np.asarray(self._file.trace.raw[index], dtype=np.float32)

    def read_many(self, indices: Array) -> Array:
        """Return some traces, float32 (trace, time)."""
        return np.stack([self.read(int(index)) for index in indices])


@lru_cache(maxsize=32)
def _cached(path: str, mtime_ns: int) -> SegyTraces:
    return SegyTraces(path)


def cached_traces(path: str | Path) -> SegyTraces:
    """Return the traces of a file; the last few files stay open, and a changed file is opened anew."""
    try:
        mtime_ns = os.stat(path).st_mtime_ns
    except OSError as error:
        raise MissingDataError(f"{path}: no such file. Build the manifest again: seisloom manifest build ROOT") from error
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
        delay_s: time of the first sample after the shot in s; stored to the tenth of a ms (scalar -10 in byte 215).
        coordinate_scalar: divisor of coordinates, negative: -100 stores centimeters.
        text: for the text header.
    Raises:
        DataError: if a value does not fit its header word.
        OutputError: if the file cannot be written.
    """
    file, data = Path(path), np.atleast_2d(np.asarray(traces, dtype=np.float32))
    n_traces, n_samples = data.shape
    interval_us = round(interval_s * 1e6)
    if n_samples > 32767 or not 0 < interval_us <= 65535:
        raise DataError(
            f"{file}: {n_samples} samples at {interval_s} s do not fit the 16-bit words of SEG-Y (32767 samples, 65535 us)"
        )
    delay = np.broadcast_to(np.round(np.asarray(delay_s, dtype=np.float64) * 1e4), (n_traces,))
    words: dict[str, Array] = {
        "trace_sequence_line": np.arange(1, n_traces + 1), "trace_sequence_file": np.arange(1, n_traces + 1),
        "trace_id": np.ones(n_traces), "coordinate_scalar": np.full(n_traces, coordinate_scalar), "delay": delay,
        "time_scalar": np.full(n_traces, -10), "n_samples": np.full(n_traces, n_samples),
        "interval": np.full(n_traces, interval_us),
    }  # fmt: skip
    for name, values in (headers or {}).items():
        factor = -coordinate_scalar if name.endswith(("_x", "_y")) else 1
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
        partial.unlink(missing_ok=True)
        raise OutputError(f"{file}: cannot be written: {error.strerror}") from error
