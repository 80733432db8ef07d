"""How the bytes of a SEG-Y or SU file are laid out: byte order, format, trace length, and views over header words.

Source: SEG-Y rev 1 (2002) and rev 2.1 (2023); byte numbers as there, from 1. SU: the SEG-Y trace header without the
file headers, samples IEEE floats (CWP/SU, `segy.h`).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from seisloom.errors import DataError, MissingDataError
from seisloom.sample import Array

TEXT, BINARY, TRACE_HEADER = 3200, 400, 240
IBM, IEEE = 1, 5
SAMPLE_TYPES = {
    IBM: "u4", 2: "i4", 3: "i2", IEEE: "f4", 6: "f8", 8: "i1", 9: "i8", 10: "u4", 11: "u2", 12: "u8", 16: "u1",
}  # fmt: skip
"""NumPy type of a sample by format code; an IBM float is held as its four bytes."""
WORDS = {
    "trace_sequence_line": (1, "i4"), "trace_sequence_file": (5, "i4"), "field_record": (9, "i4"),
    "trace_number": (13, "i4"), "energy_source_point": (17, "i4"), "ensemble": (21, "i4"), "trace_id": (29, "i2"),
    "offset": (37, "i4"), "coordinate_scalar": (71, "i2"), "source_x": (73, "i4"), "source_y": (77, "i4"),
    "group_x": (81, "i4"), "group_y": (85, "i4"), "coordinate_units": (89, "i2"), "delay": (109, "i2"),
    "n_samples": (115, "u2"), "interval": (117, "u2"), "shot_point": (197, "i4"), "shot_point_scalar": (201, "i2"),
    "time_scalar": (215, "i2"),
}  # fmt: skip
"""First byte and type of the trace header words that seisloom reads."""
FILE_WORDS = {
    "interval": (3217, "u2"), "n_samples": (3221, "u2"), "format": (3225, "u2"), "system": (3255, "u2"),
    "n_samples_rev2": (3269, "u4"), "interval_rev2": (3273, "f8"), "revision": (3501, "u2"), "extended": (3505, "i2"),
    "trailers": (3529, "i4"),
}  # fmt: skip
FEET = 2
"""Measurement system of bytes 3255-3256; 1 is meters."""


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
    """Of the file header; 0 if it has none."""
    first_trace: int
    """Byte where the first trace header begins: behind the text and binary headers and the extended text."""
    in_feet: bool = False
    is_su: bool = False
    """SU has fields of its own behind byte 180 of a trace header."""
    starts: Array | None = field(default=None, compare=False)
    """Byte where each trace header begins, shape (trace,), where traces differ in length; else None."""
    notes: tuple[str, ...] = ()
    """What was assumed."""

    @property
    def trace_bytes(self) -> int:
        """Bytes of a trace with its header."""
        return TRACE_HEADER + self.n_samples * self.sample_type.itemsize

    @property
    def order(self) -> str:
        """Byte order, as NumPy writes it."""
        return "<" if self.little_endian else ">"

    @property
    def sample_type(self) -> np.dtype[Any]:  # Any: one of several number types
        """Type of a sample as it is stored; an IBM float passes for four bytes."""
        return np.dtype(self.order + SAMPLE_TYPES[self.format_code])

    def view(self, words: Mapping[str, tuple[int, str]], *, mode: Literal["r", "r+"] = "r") -> Array:
        """Return a mapped structured array (trace,) of header words; needs traces of one length.

        Raises:
            DataError: if traces differ in length.
        """
        if self.starts is not None:
            raise DataError(f"{self.path}: {self.notes[0]}; its headers cannot be changed in place. Split the file")
        kind = self._fields(words, self.trace_bytes)
        mapped: Array = np.memmap(self.path, kind, mode=mode, offset=self.first_trace, shape=(self.n_traces,))
        return mapped

    def _fields(self, words: Mapping[str, tuple[int, str]], itemsize: int) -> np.dtype[Any]:  # Any: a structure
        return np.dtype(
            {
                "names": list(words), "formats": [self.order + kind for _, kind in words.values()],
                "offsets": [byte - 1 for byte, _ in words.values()], "itemsize": itemsize,
            }
        )  # fmt: skip

    def headers(self, first: int, last: int, words: Mapping[str, tuple[int, str]]) -> Array:
        """Return header words, each (first byte, NumPy type), of some traces: a structured array (trace,).

        The headers are copied side by side first: word by word, each would touch every page of the file again.
        """
        if self.starts is None:
            kind = np.dtype({"names": ["head"], "formats": [f"V{TRACE_HEADER}"], "itemsize": self.trace_bytes})
            place = self.first_trace + first * self.trace_bytes
            heads = np.asarray(np.memmap(self.path, kind, mode="r", offset=place, shape=(last - first,))["head"].copy())
        else:
            mapped = np.memmap(self.path, np.uint8, mode="r")
            heads = np.stack([mapped[at : at + TRACE_HEADER] for at in self.starts[first:last]]).view(
                f"V{TRACE_HEADER}"
            )
        return np.asarray(np.ravel(heads).view(self._fields(words, TRACE_HEADER)))

    def samples(self) -> Array:
        """Return a mapped array (trace, time) of samples as they are stored; needs traces of one length."""
        kind = np.dtype(
            {
                "names": ["x"], "formats": [(self.sample_type, (self.n_samples,))], "offsets": [TRACE_HEADER],
                "itemsize": self.trace_bytes,
            }
        )  # fmt: skip
        mapped = np.memmap(self.path, kind, mode="r", offset=self.first_trace, shape=(self.n_traces,))
        # np.asarray, since each slice of a memmap is a memmap again, and that costs microseconds
        return np.asarray(mapped)["x"]


def read_layout(path: str | Path) -> SegyLayout:
    """Return byte order, format and size of a SEG-Y file, without reading traces.

    Where the headers differ in the number of samples, the size of the file decides, and a note says so: it bears out
    the trace headers if following them from trace to trace ends exactly at its end, also where they differ in length.

    Raises:
        MissingDataError: if there is no such file.
        DataError: if it is empty, text, cut off, has trailing bytes, or contradicts itself.
    """
    file = Path(path)
    size = _size(file)
    with file.open("rb") as opened:
        head = opened.read(TEXT + BINARY)
    looks = " It looks like text." if head and all(b in b"\t\n\r" or 32 <= b < 127 for b in head) else ""
    if size < TEXT + BINARY:
        what = "is empty" if size == 0 else f"has only {size} bytes"
        raise DataError(f"{file}: {what}; SEG-Y has {TEXT + BINARY} bytes before its first trace.{looks} Copy it again")
    for order in (">", "<"):
        words = {name: _word(head, byte, order + kind) for name, (byte, kind) in FILE_WORDS.items()}
        # One word of 16 bits in revision 1, two bytes since: they differ in little-endian files
        words["revision"] = max(head[3500], int(words["revision"]) >> 8)
        if int(words["format"]) in SAMPLE_TYPES:
            return _checked(file, size, order, words)
    raise DataError(
        f"{file}: not SEG-Y that can be read: bytes 3225-3226 hold {head[3224:3226].hex()}, and the format code "
        f"must be one of {', '.join(map(str, SAMPLE_TYPES))} in one of the byte orders.{looks} Give another file"
    )


def read_su_layout(path: str | Path) -> SegyLayout:
    """Return byte order and size of an SU file: the order in which its first header fits the size of the file.

    Raises:
        MissingDataError: if there is no such file.
        DataError: if it is empty or cut off, or fits neither byte order.
    """
    file = Path(path)
    size = _size(file)
    with file.open("rb") as opened:
        head = opened.read(TRACE_HEADER)
    if len(head) < TRACE_HEADER:
        raise DataError(
            f"{file}: has only {size} bytes; a trace of SU has {TRACE_HEADER} bytes of header. Copy it again"
        )
    fitting = []
    for order in ("<", ">"):
        n_samples, first_id = int(_word(head, 115, order + "u2")), int(_word(head, 29, order + "i2"))
        trace_bytes = TRACE_HEADER + 4 * n_samples
        if n_samples and size % trace_bytes == 0:
            layout = SegyLayout(file, order == "<", IEEE, size // trace_bytes, n_samples, 0.0, 0, is_su=True)
            fitting.append((not 0 <= first_id < 256, layout))
    if not fitting:
        raise DataError(
            f"{file}: {size} bytes are no whole number of traces in either byte order (samples in bytes 115-116): "
            "not SU, or cut off. Copy it again from its source"
        )
    # 257 samples read the same in both orders; then the trace identification code tells them apart
    return min(fitting, key=lambda one: one[0])[1]


def _size(file: Path) -> int:
    if not file.is_file():
        raise MissingDataError(f"{file}: no such file")
    return file.stat().st_size


def _word(head: bytes, byte: int, kind: str) -> float:
    return float(np.frombuffer(head, kind, 1, byte - 1)[0])


def _checked(file: Path, size: int, order: str, words: Mapping[str, float]) -> SegyLayout:
    """Return the layout, after the size of the file has been held against what the headers say."""
    is_rev2 = words["revision"] >= 2
    said = int(words["n_samples_rev2"]) if is_rev2 and words["n_samples_rev2"] else int(words["n_samples"])
    longer = words["interval_rev2"]
    interval_us = longer if is_rev2 and 0 < longer < np.inf else words["interval"]
    end = size - TEXT * int(max(words["trailers"], 0)) * is_rev2
    draft = SegyLayout(
        file, order == "<", int(words["format"]), 1, said, interval_us, TEXT + BINARY, in_feet=words["system"] == FEET
    )
    firsts = _first_traces(file, words, end)
    for first in firsts:
        found = _fitted(replace(draft, first_trace=first), end)
        if found is not None:
            return found
    if end <= firsts[0]:
        raise DataError(
            f"{file}: has no traces behind its {firsts[0]} bytes of file headers. Copy it again from its source"
        )
    in_trace = _n_samples_at(draft, firsts[0])
    whole = replace(draft, first_trace=firsts[0], n_samples=said or in_trace)
    raise DataError(_why_not_whole(whole, end, in_trace))


def _first_traces(file: Path, words: Mapping[str, float], end: int) -> list[int]:
    """Return the bytes where the first trace may begin, the likelier first."""
    plain, n_extended = TEXT + BINARY, int(words["extended"])
    if n_extended < 0 and words["revision"] >= 1:  # as many as it takes: the last one says so
        found = _behind_end_text(file, end)
        if found is None:
            raise DataError(
                f"{file}: an unknown number of extended text headers (bytes 3505-3506), and none says "
                "((SEG: EndText)). Write their number there"
            )
        return [found]
    # Before revision 1 the word was free: a number there may mean something else
    return [plain + TEXT * max(n_extended, 0)] + ([plain] if n_extended > 0 and words["revision"] < 1 else [])


def _behind_end_text(file: Path, end: int) -> int | None:
    """Return the byte behind the extended text header that says ((SEG: EndText)), in EBCDIC or ASCII."""
    with file.open("rb") as opened:
        opened.seek(TEXT + BINARY)
        for behind in range(TEXT + BINARY + TEXT, end + 1, TEXT):
            record = opened.read(TEXT)
            for coding in ("cp037", "latin-1"):
                if "((seg:endtext))" in record.decode(coding).lower().replace(" ", ""):
                    return behind
    return None


def _fitted(draft: SegyLayout, end: int) -> SegyLayout | None:
    """Return the layout with the trace lengths that the size of the file bears out; None if it bears out none."""
    if end - draft.first_trace < TRACE_HEADER:
        return None
    said, in_trace = draft.n_samples, _n_samples_at(draft, draft.first_trace)
    n_traces, rest = divmod(end - draft.first_trace, draft.trace_bytes)
    as_said = replace(draft, n_traces=n_traces) if said and rest == 0 else None
    if as_said is not None and in_trace in (0, said):
        return as_said
    lengths = _walk(draft, end)
    if lengths is None:
        note = f"{said} samples a trace, as the size of the file says; trace headers (bytes 115-116) say {in_trace}"
        return None if as_said is None else replace(as_said, notes=(note,))
    if as_said is not None and len(lengths) == 1:
        raise DataError(
            f"{draft.path}: the binary header says {said} samples a trace (bytes 3221-3222), the trace header "
            f"{in_trace} (bytes 115-116), and the size of the file fits both. Correct the wrong one"
        )
    whole = replace(draft, n_traces=len(lengths), n_samples=int(lengths.max()))
    if np.ptp(lengths) > 0:
        steps = TRACE_HEADER + lengths * draft.sample_type.itemsize
        starts = draft.first_trace + np.r_[0, np.cumsum(steps)[:-1]]
        return replace(whole, starts=starts, notes=(f"traces have {lengths.min()} to {lengths.max()} samples",))
    note = f"{in_trace} samples a trace, as the size of the file says; the binary header (bytes 3221-3222) says {said}"
    return replace(whole, notes=(note,) if said else ())


def _walk(draft: SegyLayout, end: int) -> Array | None:
    """Return the samples of each trace by its own header, if the last trace ends where the traces end."""
    view = memoryview(np.memmap(draft.path, np.uint8, mode="r"))  # type: ignore[arg-type]  # numpy's stub lacks it
    at, lengths, step = draft.first_trace, [], draft.sample_type.itemsize
    while at + TRACE_HEADER <= end:
        n_samples = struct.unpack_from(draft.order + "H", view, at + 114)[0]
        if n_samples == 0:
            return None
        lengths.append(n_samples)
        at += TRACE_HEADER + n_samples * step
    return np.array(lengths, dtype=np.int64) if at == end and lengths else None


def _n_samples_at(layout: SegyLayout, place: int) -> int:
    """Return the number of samples in the trace header that begins at a byte; -1 behind the end of the file."""
    with layout.path.open("rb") as opened:
        opened.seek(place + WORDS["n_samples"][0] - 1)
        word = opened.read(2)
    return int.from_bytes(word, "little" if layout.little_endian else "big") if len(word) == 2 else -1


def _why_not_whole(layout: SegyLayout, size: int, in_trace: int) -> str:
    """Return what is wrong with a file that is no whole number of traces, as far as its headers tell."""
    file, step = layout.path, layout.trace_bytes
    n_traces, rest = divmod(size - layout.first_trace, step)
    if layout.n_samples == 0:
        return f"{file}: no number of samples in bytes 3221-3222 nor in bytes 115-116. Write it into one of them"
    if n_traces and _n_samples_at(layout, layout.first_trace + step) not in (in_trace, -1):
        return (
            f"{file}: wrong trace length: {layout.n_samples} samples by its headers, and no trace header follows after "
            f"{step} bytes. Only files of one trace length are read; correct bytes 3221-3222, or copy it again"
        )
    whole = layout.first_trace + n_traces * step
    at_rest = _n_samples_at(layout, whole)
    if at_rest == in_trace:
        what = f"is cut off: its last trace has {rest} of {step} bytes"
    elif at_rest == -1:
        what = f"is cut off or has trailing bytes: {rest} bytes follow {n_traces} whole traces of {step}"
    else:
        what = f"has {rest} trailing bytes behind {n_traces} whole traces of {step} bytes"
    return f"{file}: {what}. Copy it again from its source, or keep the whole traces: truncate -s {whole} FILE"
