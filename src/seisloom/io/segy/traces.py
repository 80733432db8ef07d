"""Traces of a file, read where they are asked for."""

from __future__ import annotations

import io
import os
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import segyio
import segyio._segyio  # tools.native needs it, and leaves its import to segyio.open

from seisloom.errors import DataError, MissingDataError
from seisloom.io.segy.layout import IBM, TRACE_HEADER, WORDS, SegyLayout, read_layout
from seisloom.sample import Array


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
