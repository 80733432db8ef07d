"""The two faces of every format: a volume that is read by boxes, and a writer that takes boxes.

A third party adds a format with an entry point in the group `seisloom.formats`: a `Format`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from seisloom.config import Config
from seisloom.io.volumes.grid import Box, Grid
from seisloom.sample import Array

AMPLITUDE = "amplitude"
"""Name of the variable that seismic data stand in; MDIO's name."""


@dataclass(frozen=True, slots=True, eq=False)
class Traces:
    """What is known of the traces of a box beside their samples; the shape is that of the box without its last axis."""

    live: Array
    """bool: False where the grid has a hole."""
    headers: Array | None = None
    """SEG-Y trace headers as they stand in the file, uint8 (..., 240); 0 in holes."""
    number: Array | None = None
    """Place of each trace in its SEG-Y file, from 0, int64; -1 in holes."""
    x: Array | None = None
    """CDP x in m, float64; NaN in holes."""
    y: Array | None = None


@dataclass(frozen=True, slots=True)
class SegyFrame:
    """What a SEG-Y file has beside traces, byte for byte: with it a file is written back as it was."""

    head: bytes
    """All bytes before the first trace: text header, binary header, extended text headers."""
    tail: bytes
    """All bytes behind the last trace."""
    format_code: int
    """Of the samples: 1 IBM, 5 IEEE, 3 16-bit whole numbers, ..."""
    little_endian: bool
    n_traces: int


@dataclass(frozen=True, slots=True)
class Spec:
    """What a volume is, before it is written: all that a writer needs to make room for it."""

    grid: Grid
    variables: Mapping[str, np.dtype[Any]]  # Any: one of several number types
    """Names of the variables and their types as they are stored, in native byte order."""
    frame: SegyFrame | None = None
    """Of the SEG-Y file it came from, if it did."""
    has_headers: bool = False
    """Whether `Traces.headers` and `Traces.number` are known."""
    has_xy: bool = False
    attributes: Mapping[str, Any] = field(default_factory=dict)  # Any: JSON values
    """Remarks that travel with it: where it came from, what made it."""


@runtime_checkable
class Volume(Protocol):
    """A volume on disk. Opening reads headers alone; it may be pickled, and is opened again where it arrives."""

    path: Path
    spec: Spec
    chunks: tuple[int, ...]
    """Size of the boxes that are cheap to read; the grid's own shape where any box is."""
    notes: tuple[str, ...]
    """What was assumed, counted or repaired."""

    def read(self, box: Box, name: str = AMPLITUDE) -> Array:
        """Return the samples of a box as they are stored, in native byte order; 0 where the grid has holes."""
        ...

    def traces(self, box: Box) -> Traces:
        """Return what is known of the traces of a box; `box` has no slice for the axis along a trace."""
        ...


@runtime_checkable
class Writer(Protocol):
    """A volume that is being written beside its place, and renamed by `finish`.

    It may be pickled: several processes write at once, each to boxes whose edges are multiples of `grain` or the
    grid's end. The same values may be written to a box more than once.
    """

    path: Path
    grain: tuple[int, ...]

    def write(self, box: Box, values: Array, name: str = AMPLITUDE) -> None:
        """Store the samples of a box."""
        ...

    def write_traces(self, box: Box, traces: Traces) -> None:
        """Store what is known of traces, best before their samples; formats without room for it ignore it."""
        ...

    def finish(self) -> tuple[Path, ...]:
        """Put it in its place and return the files that were written. Called once, when all boxes are there."""
        ...

    def abandon(self) -> None:
        """Remove what was written."""
        ...


class Given(Config):
    """What a user says of a file that the file itself may not say, or says wrongly; None leaves it to the file."""

    inline_byte: int | None = None
    """First byte of the trace header words of a SEG-Y file, 1 to 237, four bytes each."""
    crossline_byte: int | None = None
    offset_byte: int | None = None
    """Of a third trace axis, for gathers."""
    x_byte: int | None = None
    y_byte: int | None = None
    n1: int | None = None
    """Samples along the fastest axis (time or depth) of a raw cube; n2 crosslines, n3 inlines."""
    n2: int | None = None
    n3: int | None = None
    byte_order: Literal["little", "big"] | None = None


class Wanted(Config):
    """How an output is to be stored; None leaves it to the format."""

    chunk: tuple[int, ...] | None = None
    """Of a Zarr volume, one number an axis."""
    shard: tuple[int, ...] | None = None
    """Several chunks in one file; a multiple of `chunk`."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format of volumes: what `seisloom.formats` holds."""

    name: str
    suffixes: tuple[str, ...]
    """Endings of its files, with the dot, in small letters; `` for a name without one."""
    open: Callable[[Path, Given], Volume]
    create: Callable[[Path, Spec, Wanted], Writer] | None
    """None for what is only read."""
    holds_many: bool = True
    """Whether one file holds several variables; else each has a file of its own."""
    files: Callable[[Path, Spec], Iterable[Path]] | None = None
    """The files that are written for a path, where they are others than it alone: none of them is replaced unasked."""
    resume: Callable[[Path, Spec, Wanted], Writer | None] | None = None
    """Goes on with a partial output that a killed run has left; None for formats that begin anew.

    It returns None where there is no partial output that can be gone on with. What is there must have been begun with
    the same spec, chunk and shard, else it raises OutputError, says what differs, and leaves it as it is (see `begun`).
    Boxes and traces that were written keep their values, each may be written again, and the output is then the same,
    byte for byte, as if the run had not been killed. Boxes that were being written when it was killed must be."""


def partial_of(path: Path) -> Path:
    """Return where a volume stands while it is being written."""
    return path.with_name(path.name + ".partial")
