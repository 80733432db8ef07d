"""Writing a SEG-Y file by boxes and by several processes at once: a copy byte for byte, or a new file of rev 1."""

from __future__ import annotations

import contextlib
import math
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np

from seisloom.errors import DataError, OutputError
from seisloom.io.segy.layout import TRACE_HEADER
from seisloom.io.volumes.begun import begun_with
from seisloom.io.volumes.grid import Box, whole
from seisloom.io.volumes.segy.headers import places_in, put, stated_samples, timing, with_samples
from seisloom.io.volumes.segy.plan import plan_file
from seisloom.io.volumes.segy.samples import encode
from seisloom.io.volumes.volume import AMPLITUDE, Spec, Traces, Wanted, partial_of
from seisloom.io.volumes.zarr import mdio
from seisloom.sample import Array

HEADERS_AT_ONCE = 1 << 12
"""Of traces that nobody described."""
ZEROS = 1 << 20
"""Bytes of a file of zeros that are written at once."""
UNKNOWN, HOLE = 0, -1
"""What stands for a place of the grid before its trace is known, and where there is none; else the number from 1."""


class SegyWriter:
    """Writes a SEG-Y file beside its place.

    With the frame and the trace headers of a SEG-Y file each trace goes back to its place, with its header, in the
    format and byte order it had: the file comes out byte for byte. (IBM floats: see `to_ibm` for what cannot.) If the
    samples are of another type than the frame's, or are no amplitudes and it has IBM floats, the format word alone
    changes; if they are fewer or more, their number, the interval and the delay do. Without frame or headers it is a
    new big-endian file of rev 1, see `NewHeaders`.

    A trace goes to its place when `write_traces` has said which that is. Samples that come earlier wait beside the
    file until `finish`: that costs as much again, so traces are better stored before their samples.
    """

    def __init__(self, path: Path, spec: Spec, wanted: Wanted, *, begins: bool = True) -> None:
        """Make room for the file.

        Args:
            path: of the file.
            spec: what it is.
            wanted: nothing that SEG-Y has.
            begins: False to go on with one that is there, see `resume`.
        Raises:
            OutputError: if there are several variables or of a type SEG-Y does not have, or no room on the disk.
            DataError: if the axis along the traces does not fit SEG-Y's words.
        """
        del wanted  # SEG-Y has no chunks
        self.path, self.spec = Path(path), spec
        self.grain = (1,) * len(spec.grid.axes)
        self._partial = partial_of(self.path)
        self._places = self._partial.with_name(self._partial.name + ".places")
        self._late = self._partial.with_name(self._partial.name + ".late")
        self.plan = plan_file(self.path, spec)
        self.notes = self.plan.notes
        self._file: int | None = None
        self._begun = begun_with(self.path, "segy", spec)
        if begins:
            self._begin()

    @classmethod
    def resume(cls, path: Path, spec: Spec, wanted: Wanted) -> Self | None:
        """Return a writer that goes on with a partial file, see `Format.resume`."""
        writer = cls(path, spec, wanted, begins=False)
        if not writer._begun.is_noted() or not writer._partial.exists():
            return None
        n_places = math.prod(spec.grid.trace_shape)
        writer._begun.check({writer._partial: writer.plan.size, writer._places: 8 * n_places})
        return writer

    def _begin(self) -> None:
        try:
            with self._writing():
                self._begun.forget()
                shutil.rmtree(self._late, ignore_errors=True)  # samples of a run that was killed
                self._make_room()
                self._begun.note()
        except OutputError:
            self.abandon()
            raise

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_file": None}

    def _make_room(self) -> None:
        plan, n_places = self.plan, math.prod(self.spec.grid.trace_shape)
        needed, free = plan.size + 8 * n_places, shutil.disk_usage(self.path.parent).free
        if free < needed:
            raise OutputError(f"{self.path}: needs {needed} bytes, and {free} are free. Free some space")
        with self._partial.open("wb") as opened:
            opened.write(plan.head)
            opened.truncate(plan.size)
            opened.seek(plan.size - len(plan.tail))
            opened.write(plan.tail)
        with self._places.open("wb") as opened:  # not sparse: a full disk would end a mapped write with a signal
            for start in range(0, 8 * n_places, ZEROS):
                opened.write(bytes(min(ZEROS, 8 * n_places - start)))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Turn what the system says of a failed write into our error."""
        try:
            yield
        except OutputError:
            raise
        except OSError as error:
            raise OutputError(
                f"{self.path}: cannot be written: {error.strerror or error}. Free some space, or choose another folder"
            ) from error

    def _numbers(self) -> Array:
        """Return the mapped numbers of traces, from 1, int64, of the shape of the grid without its last axis."""
        n_places = math.prod(self.spec.grid.trace_shape)
        mapped = np.memmap(self._places, np.int64, mode="r+", shape=(n_places,))
        return np.asarray(mapped).reshape(self.spec.grid.trace_shape)

    def write(self, box: Box, values: Array, name: str = AMPLITUDE) -> None:
        """Store the samples of a box, see `Writer`; those in holes of the grid are left out.

        Raises:
            OutputError: if the file cannot be written.
            DataError: if there is no such variable, or a value has no form in the format of the file.
        """
        if name not in self.spec.variables:
            raise DataError(f"{self.path}: no variable {name!r}; it is made for {', '.join(self.spec.variables)}")
        plan = self.plan
        with self._writing():
            number = np.array(self._numbers()[box[:-1]]).ravel()
            if plan.new is None and np.any(number == UNKNOWN):
                self._keep_for_later(box, values, name)
                return
            if plan.new is not None:  # holes are dead traces, and have their place too
                number = places_in(self.spec.grid.trace_shape, box[:-1]).ravel() + 1
            live = np.flatnonzero(number > 0)
            rows = np.asarray(values).reshape(len(number), -1)
            stored = encode(rows if len(live) == len(rows) else rows[live], plan.format_code, plan.order)
            first = TRACE_HEADER + box[-1].start * stored.itemsize
            self._put(number[live] - 1, first, stored.view(np.uint8))

    def write_traces(self, box: Box, traces: Traces) -> None:
        """Store headers of traces, and where they stand in the file, see `Writer`."""
        with self._writing():
            if self.plan.new is not None:
                self._write_new(box, traces)
                return
            if traces.headers is None or traces.number is None:
                raise DataError(f"{self.path}: was to get trace headers and numbers (Spec.has_headers), and did not")
            number = np.where(traces.live, traces.number + 1, HOLE)
            live = number.ravel() > 0
            headers = self._adjusted(traces.headers.reshape(-1, TRACE_HEADER)[live])
            self._put(number.ravel()[live] - 1, 0, headers)
            # Numbers last: samples may go to their places from now on
            self._numbers()[box] = number

    def _write_new(self, box: Box, traces: Traces | None, wanted: Array | None = None) -> None:
        """Write headers of a new file; those of a little-endian file are turned round."""
        assert self.plan.new is not None
        frame = self.spec.frame
        if traces is not None and not self.spec.has_headers:
            traces = replace(traces, headers=None)
        elif traces is not None and traces.headers is not None and frame is not None and frame.little_endian:
            words = mdio.words_of(traces.headers, little_endian=True)
            traces = replace(traces, headers=mdio.bytes_of(words))
        headers = self.plan.new.of_traces(box, traces)
        place = places_in(self.spec.grid.trace_shape, box)
        some = np.ones(place.size, dtype=bool) if wanted is None else wanted.ravel()
        self._put(place.ravel()[some], 0, headers[some])
        live = np.ones(place.shape, dtype=bool) if traces is None else traces.live
        numbers = self._numbers()
        numbers[box] = np.where(some.reshape(place.shape), np.where(live, place + 1, HOLE), numbers[box])

    def _adjusted(self, headers: Array) -> Array:
        """Return headers of the original file with the number of samples of this one, where it had another."""
        plan = self.plan
        stated = np.ascontiguousarray(headers[:, 114:116]).view(plan.order + "u2")
        # One of the two words may have been wrong in the original: then it stays so
        if plan.n_samples in (plan.head and stated_samples(plan.head, plan.order), *np.unique(stated).tolist()):
            return headers
        interval_us, delay, time_scalar = timing(self.path, self.spec.grid.axes[-1], plan.n_traces)
        changed = headers.copy()
        for byte, value in ((115, plan.n_samples), (117, interval_us), (109, delay)):
            put(changed, byte, "u2" if byte > 109 else "i2", value, plan.order)
        if plan.head:
            put(changed, 215, "i2", time_scalar, plan.order)
            self._pwrite(with_samples(plan.head, plan.n_samples, interval_us, plan.order), 0)
        return changed

    def _put(self, traces: Array, first: int, rows: Array) -> None:
        """Write bytes of traces, uint8 (trace, byte), each from the same byte of its trace on."""
        start, step = len(self.plan.head) + first, self.plan.trace_bytes
        for trace, row in zip(traces.tolist(), rows, strict=True):
            self._pwrite(row.data, start + trace * step)

    def _pwrite(self, content: bytes | memoryview, place: int) -> None:
        if self._file is None:
            self._file = os.open(self._partial, os.O_RDWR)
        n_written = os.pwrite(self._file, content, place)
        while n_written < len(content):  # the disk is nearly full, or the write was interrupted: it says so now
            n_written += os.pwrite(self._file, content[n_written:], place + n_written)

    def _keep_for_later(self, box: Box, values: Array, name: str) -> None:
        self._late.mkdir(exist_ok=True)
        edges = np.array([(one.start, one.stop) for one in box])
        place = self._late / ("_".join(map(str, edges.ravel())) + ".npz")
        part = place.with_suffix(".part")  # half a file would be in the way of `finish` when the run goes on
        with part.open("wb") as opened:
            np.savez(opened, edges=edges, values=values, name=name)
        os.replace(part, place)

    def _write_late(self) -> None:
        for file in sorted(self._late.glob("*.npz")) if self._late.is_dir() else ():
            with np.load(file) as found:
                box = tuple(slice(int(start), int(stop)) for start, stop in found["edges"])
                self.write(box, found["values"], str(found["name"]))
            file.unlink()

    def finish(self) -> tuple[Path, ...]:
        """Put the file in its place, see `Writer`.

        Raises:
            OutputError: if traces of the original file were not stored, or it cannot be written.
        """
        with self._writing():
            self._check_all_there()
            self._write_late()
            self._close()
            os.replace(self._partial, self.path)
            self._clean()
        return (self.path,)

    def _check_all_there(self) -> None:
        numbers = self._numbers()
        if self.plan.new is not None:
            self._describe_the_rest()
            return
        n_there = len(np.unique(numbers[numbers > 0]))
        if n_there != self.plan.n_traces:
            raise OutputError(
                f"{self.path}: {n_there} of {self.plan.n_traces} traces were stored, and a SEG-Y file has no gaps. "
                "Store all traces of the grid (write_traces), or leave out the frame of the original file"
            )
        numbers[numbers == UNKNOWN] = HOLE

    def _describe_the_rest(self) -> None:
        """Give headers to traces that nobody described: live ones without coordinates."""
        shape = self.spec.grid.trace_shape
        n_lines = shape[0] if shape else 1
        step = max(1, HEADERS_AT_ONCE * n_lines // math.prod(shape))
        for start in range(0, n_lines, step):
            box = (slice(start, min(start + step, n_lines)), *whole(shape[1:]))[: len(shape)]
            unknown = self._numbers()[box] == UNKNOWN
            if unknown.any():
                self._write_new(box, None, unknown)

    def abandon(self) -> None:
        """Remove what was written."""
        self._begun.forget()
        self._close()
        self._partial.unlink(missing_ok=True)
        self._clean()

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _clean(self) -> None:
        self._places.unlink(missing_ok=True)
        shutil.rmtree(self._late, ignore_errors=True)
        self._begun.forget()
