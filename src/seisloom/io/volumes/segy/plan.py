"""What the bytes of a SEG-Y file will be: a copy of another file's frame, or new headers."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from seisloom.errors import OutputError
from seisloom.io.segy.layout import IBM, SAMPLE_TYPES, TRACE_HEADER
from seisloom.io.volumes.segy.headers import NewHeaders, stated_samples, with_words
from seisloom.io.volumes.segy.samples import WRITTEN_AS, sample_type
from seisloom.io.volumes.volume import AMPLITUDE, SegyFrame, Spec

MAX_SAMPLES = np.iinfo(np.uint16).max
"""Of a trace, in the words of 16 bits that all revisions have."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the bytes of the file will be."""

    head: bytes
    tail: bytes
    n_traces: int
    n_samples: int
    format_code: int
    order: str
    """Byte order, as NumPy writes it."""
    new: NewHeaders | None
    """Of trace headers in the order of the grid; None where each keeps its own, and its place in the file."""
    notes: tuple[str, ...] = ()

    @property
    def trace_bytes(self) -> int:
        """Bytes of a trace with its header."""
        return TRACE_HEADER + self.n_samples * np.dtype(SAMPLE_TYPES[self.format_code]).itemsize

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return len(self.head) + self.n_traces * self.trace_bytes + len(self.tail)


def plan_file(path: Path, spec: Spec) -> Plan:
    """Return what the bytes of a file will be.

    Raises:
        OutputError: if there are several variables, one of a type that SEG-Y does not have, or the file is to be SU and
            does not come from one.
        DataError: if the axis along the traces does not fit SEG-Y's words.
    """
    if len(spec.variables) != 1:
        raise OutputError(
            f"{path}: SEG-Y holds one variable, not {', '.join(spec.variables) or 'none'}. Write a file of each"
        )
    frame, is_su = spec.frame, path.suffix.lower() == ".su"
    keeps = frame is not None and spec.has_headers and math.prod(spec.grid.trace_shape) >= frame.n_traces
    if frame is not None and keeps and is_su == (not frame.head):
        return _plan_of_copy(path, spec, frame)
    if is_su:
        raise OutputError(
            f"{path}: an SU file is written from an SU file alone. Write SEG-Y: a name that ends with .sgy"
        )
    code = _code_for(path, spec)
    new = NewHeaders(path, spec, code)
    n_traces = math.prod(spec.grid.trace_shape)
    lossy = ("float64 samples are rounded to float32",) if np.dtype("f8") in spec.variables.values() else ()
    return Plan(new.head(), b"", n_traces, spec.grid.shape[-1], code, ">", new, (*new.notes, *lossy))


def _plan_of_copy(path: Path, spec: Spec, frame: SegyFrame) -> Plan:
    """Return the plan of a file that has the headers of another one, byte for byte where it can."""
    (name, kind), order = *spec.variables.items(), "<" if frame.little_endian else ">"
    if spec.grid.shape[-1] > MAX_SAMPLES and stated_samples(frame.head, order) != spec.grid.shape[-1]:
        raise OutputError(f"{path}: {spec.grid.shape[-1]} samples a trace, and SEG-Y has words for {MAX_SAMPLES}")
    plan = Plan(frame.head, frame.tail, frame.n_traces, spec.grid.shape[-1], frame.format_code, order, None)
    # A prediction need not lose bits, and may be NaN, because the survey that it is written like has IBM floats
    if kind == sample_type(frame.format_code) and (frame.format_code != IBM or name == AMPLITUDE):
        return plan
    code = _code_for(path, spec)
    if not frame.head or code == frame.format_code:
        return replace(plan, format_code=code)
    note = f"{name} is {kind.name}: the format word (bytes 3225-3226) becomes {code}, it was {frame.format_code}"
    return replace(plan, head=with_words(frame.head, {3225: ("u2", code)}, order), format_code=code, notes=(note,))


def _code_for(path: Path, spec: Spec) -> int:
    """Return the format code of SEG-Y rev 1 for the variable."""
    ((name, kind),) = spec.variables.items()
    code = WRITTEN_AS.get(kind.str[1:])
    if code is None:
        raise OutputError(f"{path}: {name} is {kind.name}, and SEG-Y rev 1 has no such numbers. Make it float32")
    return code
