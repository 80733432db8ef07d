"""Headers of a new SEG-Y file: which word each axis of a grid is written to, and a text header that says so."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import numpy as np

from seisloom.errors import DataError
from seisloom.io.segy import delay_words, file_headers, whole_interval_us
from seisloom.io.segy.layout import TRACE_HEADER
from seisloom.io.volumes.grid import Axis, Box, box_shape
from seisloom.io.volumes.segy.places import SORTING
from seisloom.io.volumes.volume import Spec, Traces
from seisloom.sample import Array

WORDS_OF = {
    "inline": (189, 9), "crossline": (193, 21), "cdp": (21,), "trace": (21,), "offset": (37,), "shot_point": (17, 197),
    "channel": (13,),
}  # fmt: skip
"""First bytes of the trace header words that an axis is written to: that of the standard, then one that old software
looks at."""
FREE = ("inline", "crossline", "offset")
"""Whose words axes with other names are written to, in this order."""
COORDINATE_SCALAR = -100
"""Coordinates in cm; where that overflows (beyond 21,000 km) those of a trace are in m."""
ENSEMBLES, STACKED, COMMON_SOURCE = 2, 4, 5
"""Trace sorting codes."""
LIVE, DEAD = 1, 2
"""Trace identification codes (bytes 29-30)."""
FORMATS = {2: "4-BYTE INTEGERS", 3: "2-BYTE INTEGERS", 5: "4-BYTE IEEE FLOATS", 8: "1-BYTE INTEGERS"}
MS = {"time": 1e3, "depth": 1.0, "sample": 1.0}
"""What stands in the words for milliseconds by axis: times in ms, depths in m, samples in numbers."""


@dataclass(frozen=True)
class NewHeaders:
    """Headers of a big-endian SEG-Y rev 1 file that has the traces of a grid in its order, the last axis fastest.

    Holes of the grid are dead traces of zeros, since most readers (segyio's strict mode is one) want a trace at every
    place.
    """

    path: Path
    spec: Spec
    format_code: int

    @cached_property
    def timing(self) -> tuple[int, int, int]:
        """Words for the interval in us, the delay in ms and the time scalar of it."""
        axis, n_traces = self.spec.grid.axes[-1], math.prod(self.spec.grid.trace_shape)
        return timing(self.path, axis, n_traces)

    @cached_property
    def numbers(self) -> tuple[Array, ...]:
        """Whole numbers of each axis of traces, int64."""
        return tuple(_whole_numbers(axis) for axis in self.spec.grid.axes[:-1])

    @cached_property
    def words(self) -> tuple[tuple[int, ...], ...]:
        """First bytes of the words of each axis of traces."""
        names = self.spec.grid.names[:-1]
        free = iter([name for name in FREE if name not in names])
        return tuple(WORDS_OF[name if name in WORDS_OF else next(free, "channel")] for name in names)

    @property
    def notes(self) -> tuple[str, ...]:
        """Which axes are not written as they are."""
        pairs = zip(self.spec.grid.axes[:-1], self.numbers, strict=True)
        return tuple(
            f"coordinates of {axis.name} are no whole numbers of header words: they are written as "
            f"{numbers[0]} to {numbers[-1]}"
            for axis, numbers in pairs
            if not np.array_equal(axis.values, numbers)
        )

    def head(self) -> bytes:
        """Return the text and binary headers."""
        n_samples = self.spec.grid.shape[-1]
        head = file_headers(self.timing[0], n_samples, "\n".join(self._text()), self.format_code)
        return with_words(head, {SORTING: ("i2", self._sorting())}, ">")

    def _sorting(self) -> int:
        names = self.spec.grid.names
        if {"shot_point", "channel"} & set(names):
            return COMMON_SOURCE
        return ENSEMBLES if "offset" in names else STACKED

    def _text(self) -> list[str]:
        spec, vertical = self.spec, self.spec.grid.axes[-1]
        unit = {"time": "MS", "depth": "M"}.get(vertical.name, "SAMPLES")
        factor = MS.get(vertical.name, 1.0)
        source = str(spec.attributes.get("source", "")).encode("ascii", "replace").decode()[:60]
        lines = [
            f"SEG-Y REV 1 WRITTEN BY SEISLOOM {version('seisloom')}",
            f"{', '.join(spec.variables).upper()}: {FORMATS[self.format_code]}, BIG-ENDIAN",
            f"FROM {source}" if source else "",
            "",
            f"{len(vertical)} SAMPLES A TRACE (BYTES 115-116), {vertical.name.upper()} FROM "
            f"{vertical.first * factor:g} EVERY {(vertical.step or 0) * factor:g} {unit}",
            "INTERVAL IN BYTES 117-118" + ("" if unit == "MS" else f" (1 {unit} IS WRITTEN AS 1 MS)"),
            "",
            "TRACE HEADER WORDS, BYTES FROM 1",
        ]
        for axis, numbers, words in zip(spec.grid.axes[:-1], self.numbers, self.words, strict=True):
            where = ", ".join(f"{first}-{first + 3}" for first in words)
            lines.append(
                f"{axis.name.upper():<12} BYTES {where:<18} {numbers[0]} TO {numbers[-1]}, {len(axis)} NUMBERS"
            )
        if spec.has_xy:
            lines += ["CDP X        BYTES 181-184", "CDP Y        BYTES 185-188", "SCALAR OF CDP X, Y  BYTES 71-72 (M)"]
        return [*lines, "TRACE ID     BYTES 29-30, 2 WHERE THE GRID HAS NO TRACE"]

    def of_traces(self, box: Box, traces: Traces | None) -> Array:
        """Return the trace headers of a box, big-endian uint8 (trace, 240).

        Args:
            box: without the axis along a trace.
            traces: what is known of them; None for live traces without coordinates. Their headers, big-endian, are
                kept where they say what is not known here.
        """
        shape = box_shape(box)
        n_traces = math.prod(shape)
        live = np.ones(n_traces, dtype=bool) if traces is None else traces.live.ravel()
        headers = np.zeros((n_traces, TRACE_HEADER), dtype=np.uint8)
        if traces is not None and traces.headers is not None:
            headers[:] = traces.headers.reshape(n_traces, TRACE_HEADER)
        grid_shape = self.spec.grid.trace_shape
        place = places_in(grid_shape, box).ravel()
        line = math.prod(grid_shape[1:] or grid_shape)
        interval_us, delay, time_scalar = self.timing
        for byte, kind, values in (
            (1, "i4", place % line + 1), (5, "i4", place + 1), (29, "i2", np.where(live, LIVE, DEAD)),
            (89, "i2", 1), (109, "i2", delay), (115, "u2", self.spec.grid.shape[-1]), (117, "u2", interval_us),
            (215, "i2", time_scalar),
        ):  # fmt: skip
            put(headers, byte, kind, values)
        for k, (numbers, words) in enumerate(zip(self.numbers, self.words, strict=True)):
            column = numbers[box[k]].reshape([-1 if j == k else 1 for j in range(len(shape))])
            for byte in words:
                put(headers, byte, "i4", np.broadcast_to(column, shape).ravel())
        if traces is not None and traces.x is not None and traces.y is not None:
            self._put_xy(headers, traces.x.ravel(), traces.y.ravel())
        return headers

    def _put_xy(self, headers: Array, x: Array, y: Array) -> None:
        known = np.isfinite(x) & np.isfinite(y)
        x, y = np.where(known, x, 0.0), np.where(known, y, 0.0)
        limit = np.iinfo(np.int32).max
        if np.any(np.maximum(np.abs(x), np.abs(y)) > limit):
            raise DataError(f"{self.path}: coordinates beyond {limit} m do not fit bytes 181-188. Correct their unit")
        fine = np.maximum(np.abs(x), np.abs(y)) * -COORDINATE_SCALAR <= limit
        factor = np.where(fine, -COORDINATE_SCALAR, 1)
        put(headers, 71, "i2", np.where(fine, COORDINATE_SCALAR, 1))
        put(headers, 181, "i4", np.round(x * factor))
        put(headers, 185, "i4", np.round(y * factor))


def timing(path: Path, axis: Axis, n_traces: int) -> tuple[int, int, int]:
    """Return the words for the interval in us, the delay in ms and the scalar of the delay, of an axis along a trace.

    Raises:
        DataError: if SEG-Y rev 1 has no room for them.
    """
    if axis.step is None or axis.step < 0:
        raise DataError(f"{path}: {axis.name} does not rise in even steps, and SEG-Y has one interval. Resample it")
    to_s = MS.get(axis.name, 1.0) * 1e-3
    interval_us = whole_interval_us(path, (n_traces, len(axis)), axis.step * to_s)
    delay, time_scalar = delay_words(path, np.array([axis.first * to_s]), axis.step * to_s)
    return interval_us, int(delay[0]), time_scalar


def put(headers: Array, byte: int, kind: str, values: Array | float, order: str = ">") -> None:
    """Write a word into trace headers, uint8 (trace, 240), by its first byte from 1 and its type."""
    stored = np.broadcast_to(np.asarray(values).astype(order + kind), len(headers))
    size = stored.dtype.itemsize
    headers[:, byte - 1 : byte - 1 + size] = np.ascontiguousarray(stored).view(np.uint8).reshape(-1, size)


def with_words(head: bytes, words: Mapping[int, tuple[str, int]], order: str) -> bytes:
    """Return file headers with some words changed, each type and value by its first byte from 1."""
    changed = bytearray(head)
    for byte, (kind, value) in words.items():
        stored = np.array(value, dtype=order + kind).tobytes()
        changed[byte - 1 : byte - 1 + len(stored)] = stored
    return bytes(changed)


def stated_samples(head: bytes, order: str) -> int:
    """Return the samples of a trace as the file headers say; rev 2 has another word for many of them."""
    word = int(np.frombuffer(head, order + "u4", 1, 3268)[0]) if _revision(head, order) >= 2 else 0
    return word or int(np.frombuffer(head, order + "u2", 1, 3220)[0])


def with_samples(head: bytes, n_samples: int, interval_us: int, order: str) -> bytes:
    """Return file headers with another number of samples and another interval."""
    words = {3217: ("u2", interval_us), 3221: ("u2", n_samples)}
    if _revision(head, order) >= 2:
        words |= {3269: ("u4", n_samples), 3273: ("f8", interval_us)}
    return with_words(head, words, order)


def _revision(head: bytes, order: str) -> int:
    """Return the major revision: one word of 16 bits in rev 1, two bytes since."""
    return max(head[3500], int(np.frombuffer(head, order + "u2", 1, 3500)[0]) >> 8)


def places_in(shape: tuple[int, ...], box: Box) -> Array:
    """Return the places of a box in a file that is in the order of a grid, int64, of the shape of the box."""
    steps = np.cumprod((1, *shape[:0:-1]))[::-1]
    rows = [np.arange(one.start, one.stop, dtype=np.int64) * step for one, step in zip(box, steps, strict=False)]
    return np.asarray(sum(np.ix_(*rows), np.zeros((1,) * len(rows), dtype=np.int64)))


def _whole_numbers(axis: Axis) -> Array:
    """Return the coordinates of an axis as header words; counted from 1 where they do not fit them."""
    near = np.round(axis.values)
    limits = np.iinfo(np.int32)
    if near.min() < limits.min or near.max() > limits.max or len(np.unique(near)) < len(near):
        return np.arange(1, len(axis) + 1)
    is_whole = np.allclose(axis.values, near, rtol=0, atol=1e-3)
    return near.astype(np.int64) if is_whole or axis.name == "offset" else np.arange(1, len(axis) + 1)
