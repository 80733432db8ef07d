"""Cubes of float32 within files, read and written by boxes: what raw cubes, numbered patches and ParaView share."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seisloom.errors import DataError, OutputError
from seisloom.io.volumes.grid import Box, box_shape
from seisloom.sample import Array

SAMPLE = 4
"""Bytes of a float32."""
READ_BYTES = 1 << 20
"""Of one read of whole traces."""
SKIP_BYTES = 1 << 15
"""Traces longer than this are read in part where a box needs little of them; shorter ones cost less than the call."""
ORDERS = {"little": "<", "big": ">"}


def runs(shape: Sequence[int], box: Box) -> Iterator[tuple[int, int]]:
    """Yield the runs of neighbours in memory that make up a box, in its order: first index of the flat array, length.

    >>> list(runs((4, 3, 10), (slice(1, 3), slice(0, 2), slice(0, 10))))
    [(30, 20), (60, 20)]
    """
    k = len(shape)
    while k and box[k - 1] == slice(0, shape[k - 1]):
        k -= 1
    steps = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    outer, split = box[: max(k - 1, 0)], box[k - 1 : k]
    first = split[0].start * steps[k - 1] if split else 0
    length = (split[0].stop - split[0].start) * steps[k - 1] if split else math.prod(shape)
    for index in itertools.product(*(range(one.start, one.stop) for one in outer)):
        yield first + sum(i * step for i, step in zip(index, steps, strict=False)), length


@dataclass(frozen=True, slots=True)
class Cube:
    """Samples in a file, float32, the last axis of `shape` fastest.

    The file is opened for each box: the system keeps it in its cache, and nothing has to travel to other processes.
    It is not mapped, since pages of a mapped file count as memory of the process.
    """

    path: Path
    shape: tuple[int, ...]
    byte_order: str = "little"
    offset: int = 0
    """Of the first sample, in bytes."""

    @property
    def n_bytes(self) -> int:
        """Bytes of the samples."""
        return SAMPLE * math.prod(self.shape)

    @property
    def _dtype(self) -> np.dtype[np.float32]:
        return np.dtype(ORDERS[self.byte_order] + "f4")

    def check_size(self) -> None:
        """Look whether the file has as many bytes as it must.

        Raises:
            DataError: if it is not there, or has more or fewer.
        """
        if not self.path.is_file():
            raise DataError(f"{self.path}: is missing. Copy it again from its source")
        found, needed = self.path.stat().st_size, self.offset + self.n_bytes
        if found != needed:
            sizes = " x ".join(f"n{k}={n}" for k, n in enumerate(self.shape[::-1], 1))
            raise DataError(
                f"{self.path}: has {found} bytes, and {sizes} float32 need {needed} ({found - needed:+d}). It is "
                f"{'cut off' if found < needed else 'longer'}, or of another size: give --n1 --n2 --n3 as they are."
                f"{self._fitting((found - self.offset) // SAMPLE)}"
            )

    def _fitting(self, n: int) -> str:
        """Return a sentence with sizes of n samples, those first that differ from the given ones in one number."""
        given = self.shape[::-1]
        near = []
        for k in range(len(given) if len(given) > 1 else 0):
            others = math.prod(given[:k] + given[k + 1 :])
            if n > 0 and n % others == 0:
                near.append((*given[:k], n // others, *given[k + 1 :]))
        fitting = near or [(c, b, a) for a, b, c in shapes_that_fit(n)]
        shapes = ", ".join(" ".join(f"--n{k} {side}" for k, side in enumerate(one, 1)) for one in fitting)
        return f" These fit: {shapes}" if shapes else ""

    def read(self, box: Box) -> Array:
        """Return the samples of a box, float32 in native byte order.

        Raises:
            DataError: if the file cannot be read, or ends too early.
        """
        values = np.empty(box_shape(box), dtype=self._dtype)
        n_trace, vertical = self.shape[-1], box[-1]
        wanted = vertical.stop - vertical.start
        is_part = wanted < n_trace and (SAMPLE * n_trace <= SKIP_BYTES or 4 * wanted >= n_trace)
        try:
            with self.path.open("rb", buffering=0) as file:
                if is_part:
                    self._read_whole_traces(file.fileno(), box, values.reshape(-1, wanted))
                else:
                    flat, done = values.reshape(-1), 0
                    for first, length in runs(self.shape, box):
                        self._fill(file.fileno(), flat[done : done + length], first)
                        done += length
        except OSError as error:
            raise DataError(f"{self.path}: cannot be read: {error.strerror or error}") from error
        return values.astype(np.float32, copy=False)

    def _read_whole_traces(self, file: int, box: Box, rows: Array) -> None:
        """Read traces with one call for many, and keep what is wanted of each."""
        n_trace, done = self.shape[-1], 0
        at_once = max(1, READ_BYTES // (SAMPLE * n_trace))
        buffer = np.empty((at_once, n_trace), dtype=self._dtype)
        for first, length in runs(self.shape[:-1], box[:-1]):
            for trace in range(first, first + length, at_once):
                some = buffer[: min(at_once, first + length - trace)]
                self._fill(file, some.reshape(-1), trace * n_trace)
                rows[done : done + len(some)] = some[:, box[-1]]
                done += len(some)

    def _fill(self, file: int, values: Array, first: int) -> None:
        stored, place, n_read = values.view(np.uint8), self.offset + SAMPLE * first, 0
        while n_read < len(stored):
            more = os.preadv(file, [stored[n_read:].data], place + n_read)
            if more == 0:
                raise DataError(
                    f"{self.path}: ends after {place + n_read} bytes, and {self.offset + self.n_bytes} are needed. "
                    "Copy it again from its source"
                )
            n_read += more

    def make_room(self) -> None:
        """Make the file longer, if need be, so that its disk cannot be full later; new samples are 0.

        Raises:
            OutputError: if there is no room, or the folder cannot be written to.
        """
        try:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                os.posix_fallocate(file, self.offset, self.n_bytes)
            finally:
                os.close(file)
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def write(self, box: Box, values: Array) -> None:
        """Store the samples of a box; numbers of other types are rounded to float32.

        Raises:
            OutputError: if the file cannot be written.
            DataError: if a finite number is beyond float32.
        """
        with np.errstate(over="ignore"):
            flat = np.ascontiguousarray(values, dtype=self._dtype).reshape(-1)
        if (
            values.dtype.kind == "f"
            and values.dtype.itemsize > SAMPLE
            and (np.isinf(flat) & ~np.isinf(values.flat)).any()
        ):
            raise DataError(f"{self.path}: numbers up to {np.nanmax(np.abs(values)):g} do not fit float32. Scale them")
        stored, done = flat.view(np.uint8), 0
        try:
            with self.path.open("r+b", buffering=0) as file:
                for first, length in runs(self.shape, box):
                    _put(file.fileno(), stored[done : done + SAMPLE * length], self.offset + SAMPLE * first)
                    done += SAMPLE * length
        except OSError as error:
            raise cannot_write(self.path, error) from error


def _put(file: int, stored: Array, place: int) -> None:
    n_written = 0
    while n_written < len(stored):  # the disk is nearly full, or the write was interrupted: the next call says so
        n_written += os.pwrite(file, stored[n_written:].data, place + n_written)


def cannot_write(path: Path, error: OSError) -> OutputError:
    """Return what is raised where the system does not let us write."""
    return OutputError(
        f"{path}: cannot be written: {error.strerror or error}. Free some space, or choose another folder"
    )


def shapes_that_fit(n: int, at_most: int = 4) -> list[tuple[int, int, int]]:
    """Return sizes of cubes of n samples, those nearest to equal sides first.

    >>> shapes_that_fit(4096, 2)
    [(16, 16, 16), (8, 16, 32)]
    """
    third = round(n ** (1 / 3))
    sides = [a for a in range(third + 1, 0, -1) if n % a == 0][:20]
    found = {tuple(sorted((a, b, n // a // b))) for a in sides for b in _divisors_near_root(n // a)}
    ranked = sorted(found, key=lambda shape: (shape[2] / shape[0], shape))
    return [(a, b, c) for a, b, c in ranked[:at_most]]


def _divisors_near_root(n: int) -> Iterator[int]:
    found = 0
    for b in range(math.isqrt(n), 0, -1):
        if n % b == 0:
            yield b
            found += 1
        if found == 3:
            return
