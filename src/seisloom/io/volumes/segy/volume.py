"""SEG-Y and SU files as volumes: stacked cubes, lines, and gathers before stack, read by boxes."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from seisloom.errors import DataError, MissingDataError
from seisloom.io.segy import DEGREES, METERS_IN_A_FOOT, scale
from seisloom.io.segy.layout import IBM, TRACE_HEADER, WORDS, SegyLayout, read_layout, read_su_layout
from seisloom.io.volumes.grid import Axis, Box, Grid, box_shape
from seisloom.io.volumes.segy.index import find_geometry, read_words
from seisloom.io.volumes.segy.places import CDP_X, CDP_Y
from seisloom.io.volumes.segy.samples import from_ibm_in_place, sample_type
from seisloom.io.volumes.segy.words import SHORT, HeaderWords
from seisloom.io.volumes.segy.writer import SegyWriter
from seisloom.io.volumes.volume import AMPLITUDE, Format, Given, SegyFrame, Spec, Traces, Volume, Wanted, Writer
from seisloom.sample import Array

SCALAR, UNITS, TRACE_ID, DELAY, INTERVAL, TIME_SCALAR = 71, 89, 29, 109, 117, 215
DEAD = 2
"""Trace identification code of a dead trace."""
READ_BYTES = 1 << 18
"""Of one read: small enough for the cache of a core, where samples are turned into numbers at once."""
SKIP_BYTES = 1 << 15
"""Traces longer than this are read in part where a box needs little of them; shorter ones cost less than the call."""


class SegyVolume:
    """A SEG-Y or SU file whose trace headers number its traces.

    It is read with plain reads and not mapped, since pages of a mapped file count as memory of the process. What grows
    with the file is the place of each trace, 8 bytes a place of the grid.
    """

    def __init__(self, path: Path, given: Given) -> None:
        """Open a file: its trace headers are read.

        Raises:
            MissingDataError: if there is no such file.
            DataError: if it is no whole SEG-Y file, its traces differ in length, or they stand on no grid.
        """
        self.path, self._given = Path(path), given
        layout = read_su_layout(path) if self.path.suffix.lower() == ".su" else read_layout(path)
        if layout.starts is not None:
            raise DataError(
                f"{path}: {layout.notes[0]}, and the traces of a volume have one length. Split the file by length, or "
                "pad the short traces"
            )
        self.layout = layout
        words = read_words(layout, given)
        geometry = find_geometry(words, given)
        notes = [*layout.notes, *geometry.notes]
        vertical = _vertical(words, notes)
        fewest, most = words.span(WORDS["n_samples"][0])
        if fewest != most:
            notes.append(
                f"trace headers say {fewest} to {most} samples (bytes 115-116); every trace is read with "
                f"{len(vertical)}, as the size of the file says. Traces that were shorter end in what stands there"
            )
        self._number = geometry.number
        self._xy_bytes = _xy_bytes(words, given, notes)
        self.scores = geometry.scores
        """The sets of words that were looked at for a grid, the best first."""
        self.spec = Spec(
            grid=Grid((*geometry.axes, vertical)),
            variables={AMPLITUDE: sample_type(layout.format_code)},
            frame=_frame(layout),
            has_headers=True,
            has_xy=self._xy_bytes is not None,
            attributes={"source": self.path.name, "traceHeaderBytes": geometry.places},
        )
        self.chunks = self.spec.grid.shape
        self.notes = tuple(notes)
        self._file = io.FileIO(self.path)

    def __reduce__(self) -> tuple[object, tuple[Path, Given]]:
        return open_segy, (self.path, self._given)

    def read(self, box: Box, name: str = AMPLITUDE) -> Array:
        """Return the samples of a box, see `Volume`; IBM floats as float32, see `from_ibm`.

        Raises:
            DataError: if there is no such variable, or the file was made shorter since it was opened.
        """
        if name != AMPLITUDE:
            raise DataError(f"{self.path}: no variable {name!r}; SEG-Y has one, {AMPLITUDE}")
        stored, vertical = self.layout.sample_type, box[-1]
        values = np.zeros(box_shape(box), dtype=stored.newbyteorder("="))
        rows = values.reshape(-1, values.shape[-1])
        first = TRACE_HEADER + vertical.start * stored.itemsize
        for some, found in self._traces(box[:-1], first, rows.shape[1] * stored.itemsize):
            rows[some] = found.view(stored)
        return from_ibm_in_place(values) if self.layout.format_code == IBM else values

    def traces(self, box: Box) -> Traces:
        """Return live traces, their headers, numbers and CDP coordinates, see `Volume`."""
        number = self._number[box]
        headers = np.zeros((number.size, TRACE_HEADER), dtype=np.uint8)
        for some, found in self._traces(box, 0, TRACE_HEADER):
            headers[some] = found
        headers = headers.reshape(*number.shape, TRACE_HEADER)
        x, y = self._xy(headers, number >= 0)
        return Traces(number >= 0, headers, number.copy(), x, y)

    def _traces(self, box: Box, first: int, n_bytes: int) -> Iterator[tuple[slice | Array, Array]]:
        """Yield some bytes of each trace of a box, in the order of the file.

        Yields:
            Indices into the box laid flat, and uint8 (trace, byte): a view that the next step writes over.
        """
        number = self._number[box].ravel()
        live = np.flatnonzero(number >= 0)
        in_order = bool(np.all(np.diff(number[live]) > 0))
        if not in_order:
            live = live[np.argsort(number[live])]
        step = self.layout.trace_bytes
        whole = step <= SKIP_BYTES or 4 * n_bytes >= step
        longest = max(1, READ_BYTES // step) if whole else 1
        buffer = np.empty(longest * step if whole else n_bytes, dtype=np.uint8)
        for some in _runs(number[live], longest):
            place = self.layout.first_trace + int(number[live[some.start]]) * step
            n_traces = some.stop - some.start
            if whole:
                self._fill(buffer[: n_traces * step], place)
                found = buffer[: n_traces * step].reshape(n_traces, step)[:, first : first + n_bytes]
            else:
                self._fill(buffer, place + first)
                found = buffer[None]
            low, high = int(live[some.start]), int(live[some.stop - 1])
            are_neighbours = high - low == n_traces - 1 and (in_order or n_traces == 1)
            yield (slice(low, high + 1) if are_neighbours else live[some]), found

    def _fill(self, buffer: Array, place: int) -> None:
        """Read the bytes of the file from a place on."""
        n_read = 0
        while n_read < len(buffer):
            more = os.preadv(self._file.fileno(), [buffer[n_read:].data], place + n_read)
            if more == 0:
                raise DataError(f"{self.path}: was made shorter while it was open. Copy it again from its source")
            n_read += more

    def _xy(self, headers: Array, live: Array) -> tuple[Array | None, Array | None]:
        """Return CDP coordinates in m; NaN in holes, and in dead traces without any."""
        if self._xy_bytes is None:
            return None, None
        order = self.layout.order
        factor = scale(_word(headers, SCALAR, order)) * (METERS_IN_A_FOOT if self.layout.in_feet else 1.0)
        x, y = (_word(headers, place, order) * factor for place in self._xy_bytes)
        known = live & ((_word(headers, TRACE_ID, order) != DEAD) | (x != 0) | (y != 0))
        return np.where(known, x, np.nan), np.where(known, y, np.nan)


def _runs(number: Array, longest: int) -> Iterator[slice]:
    """Yield runs of neighbours in the file, of a limited length, from numbers that rise."""
    starts = [0, *(np.flatnonzero(np.diff(number) != 1) + 1).tolist(), len(number)]
    for start, end in pairwise(starts):
        for first in range(start, end, longest):
            yield slice(first, min(first + longest, end))


def _word(headers: Array, place: int, order: str) -> Array:
    kind = np.dtype(order + SHORT.get(place, "i4"))
    return np.asarray(headers[..., place - 1 : place - 1 + kind.itemsize].copy().view(kind)[..., 0])


def _vertical(words: HeaderWords, notes: list[str]) -> Axis:
    """Return the axis along the traces: time in s, or plain samples where no interval is known."""
    layout = words.layout
    low, high = words.span(INTERVAL)
    # Only rev 2 has fractions of a microsecond, and then the trace header holds them rounded
    interval_us = float(high) if high > 0 and not layout.interval_us % 1 else layout.interval_us
    if low != high and low > 0:
        interval_us = layout.interval_us or interval_us
        notes.append(f"traces have intervals of {low} to {high} us (bytes 117-118); {interval_us:g} us is taken")
    if interval_us <= 0:
        notes.append("no sample interval in bytes 117-118 nor 3217-3218: samples are counted from 0")
        return Axis.regular("sample", layout.n_samples)
    delay = words.span(DELAY)
    scalars = (0, 0) if layout.is_su else words.span(TIME_SCALAR)
    first_s = delay[0] * float(scale(np.array(scalars[0]))) * 1e-3
    if delay[0] != delay[1] or scalars[0] != scalars[1]:
        notes.append(
            f"traces begin at different times ({delay[0]} to {delay[1]} in bytes 109-110): the time axis begins at 0, "
            "and traces are not shifted"
        )
        first_s = 0.0
    return Axis.regular("time", layout.n_samples, first=first_s, step=interval_us * 1e-6, unit="s")


def _xy_bytes(words: HeaderWords, given: Given, notes: list[str]) -> tuple[int, int] | None:
    """Return the first bytes of CDP X and Y; None where the file has none, or has angles."""
    places = given.x_byte or CDP_X, given.y_byte or CDP_Y
    is_named = given.x_byte is not None or given.y_byte is not None
    if not any(words.span(place) != (0, 0) if is_named else words.known(place) for place in places):
        if is_named:
            notes.append(f"no coordinates: bytes {places[0]} and {places[1]} are 0 in every trace")
        return None
    units = words.span(UNITS)
    if units[0] == units[1] and units[0] in DEGREES:
        largest = max(abs(one) for place in places for one in words.span(place))
        lowest = float(np.min(scale(np.array(words.span(SCALAR)))))
        if largest * lowest * DEGREES[units[0]] <= 360:  # many files say so and mean meters
            notes.append("coordinates are angles (bytes 89-90) and are left out; trace headers keep them")
            return None
    if words.layout.in_feet:
        notes.append("coordinates and offsets are in feet (bytes 3255-3256) and are converted to meters")
    return places


def _frame(layout: SegyLayout) -> SegyFrame:
    """Return the bytes of a file around its traces."""
    with layout.path.open("rb") as opened:
        head = opened.read(layout.first_trace)
        opened.seek(layout.first_trace + layout.n_traces * layout.trace_bytes)
        tail = opened.read()
    return SegyFrame(head, tail, layout.format_code, layout.little_endian, layout.n_traces)


@lru_cache(maxsize=8)
def _cached(path: Path, given: Given, _mtime_ns: int, _size: int) -> SegyVolume:
    return SegyVolume(path, given)


def open_segy(path: Path, given: Given) -> Volume:
    """Return a SEG-Y or SU file as a volume; the last few stay open, so that headers are read once a process."""
    try:
        found = os.stat(path)
    except OSError as error:
        raise MissingDataError(f"{path}: no such file") from error
    return _cached(Path(path), given, found.st_mtime_ns, found.st_size)


def _create(path: Path, spec: Spec, wanted: Wanted) -> Writer:
    return SegyWriter(path, spec, wanted)


SEGY = Format("segy", (".sgy", ".segy", ".seg"), open_segy, _create, holds_many=False, resume=SegyWriter.resume)
SU = Format("su", (".su",), open_segy, _create, holds_many=False, resume=SegyWriter.resume)
