"""Attribute volumes opened with all that was written beside them, and read by blocks of whole traces."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from seisloom.convert import file_each, open_volume
from seisloom.errors import DataError
from seisloom.io.volumes.grid import VERTICAL, Box, Grid, box_shape, box_size, boxes
from seisloom.io.volumes.raw.writer import SUFFIXES
from seisloom.io.volumes.volume import AMPLITUDE, Given, Volume
from seisloom.sample import Array

BLOCK_VOXELS = 1 << 25
"""Of a block with its margin; thinning and normals need some 40 bytes a voxel, so about 1.3 GB."""


def open_attributes(
    path: str | Path, given: Given | None = None, *, name: str = "", beside: Sequence[str] = ()
) -> Volume:
    """Return a volume with the attributes that were written with it.

    They are result.fdip, result.fstrike and so on beside result.fsem; and, of formats that hold one variable, those of
    `beside`: result_dip.sgy and result_strike.sgy beside result_fault.sgy, where they are there and of one size. The
    file itself is then called `name`.

    Raises:
        MissingDataError, DataError: see `open_volume`.
    """
    file = Path(path)
    stem = file.with_suffix("")
    together = file.suffix.lower() in SUFFIXES and file.with_suffix(".json").is_file() and not stem.exists()
    volume = open_volume(stem if together else file, given)
    common, _, own = file.stem.rpartition("_")
    if not common or own in beside or list(volume.spec.variables) != [AMPLITUDE]:
        return volume
    files = {one: file_each(file.with_name(common + file.suffix), one) for one in beside}
    others = {one: open_volume(place, given) for one, place in files.items() if place.is_file()}
    alike = {
        one: other
        for one, other in others.items()
        if other.spec.grid.shape == volume.spec.grid.shape and len(other.spec.variables) == 1
    }
    return _FileEach({name: volume, **alike}) if alike else volume


class _FileEach:
    """Attributes of one grid, each the only variable of a file; the first file gives grid and coordinates."""

    def __init__(self, volumes: Mapping[str, Volume]) -> None:
        self._volumes, first = volumes, next(iter(volumes.values()))
        self.path, self.chunks, self.notes, self.traces = first.path, first.chunks, first.notes, first.traces
        (kind,) = first.spec.variables.values()
        self.spec = replace(first.spec, variables=dict.fromkeys(volumes, kind))

    def read(self, box: Box, name: str = AMPLITUDE) -> Array:
        """Return the samples of a box, see `Volume`."""
        one = self._volumes[name]
        return one.read(box, *one.spec.variables)


def box_of(grid: Grid, ranges: Mapping[str, tuple[float, float]]) -> Box:
    """Return the box of coordinates from one to another, both in it; all of an axis that is not named.

    Raises:
        DataError: if there is no such axis, or nothing of it lies in the range.
    """
    for name in ranges:
        grid[name]  # raises where there is none
    box = []
    for axis in grid.axes:
        low, high = sorted(ranges.get(axis.name, (-math.inf, math.inf)))
        inside = np.flatnonzero((axis.values >= low) & (axis.values <= high))
        if not inside.size:
            ends = sorted((axis.first, float(axis.values[-1])))
            raise DataError(
                f"nothing of {axis.name} lies in {low:g} to {high:g}: it goes from {ends[0]:g} to {ends[1]:g}"
            )
        box.append(slice(int(inside[0]), int(inside[-1]) + 1))
    return tuple(box)


def named_or_only(volume: Volume, name: str) -> str:
    """Return the name of a variable, or `amplitude` where there is no other: formats without names call it so."""
    return AMPLITUDE if list(volume.spec.variables) == [AMPLITUDE] else name


def check_threshold(threshold: float) -> None:
    """Raise DataError if a fault probability cannot be compared with it."""
    if not 0 < threshold <= 1:
        raise DataError(f"threshold is {threshold:g}: it is a probability, above 0 and at most 1, such as 0.5")


def check_volume(volume: Volume, *variables: str) -> None:
    grid = volume.spec.grid
    if len(grid.axes) not in (2, 3) or grid.names[-1] not in VERTICAL:
        raise DataError(
            f"{volume.path}: is {grid.lengths}; needed are inline, crossline and one of {', '.join(VERTICAL)}, or a "
            "line of traces"
        )
    for name in variables:
        if name not in volume.spec.variables:
            raise DataError(
                f"{volume.path}: no variable {name!r}; there are {', '.join(volume.spec.variables)}. Name one of "
                "these: --variable NAME"
            )


def blocks_of(shape: tuple[int, ...], box: Box, size: int, margin: int) -> Iterator[tuple[Box, Box]]:
    """Yield boxes of whole traces that fill a box, and each with a margin inside the shape, of about a size."""
    reach = tuple(slice(max(0, o.start - margin), min(n, o.stop + margin)) for o, n in zip(box, shape, strict=True))
    if box_size(reach) <= size:
        yield box, reach
        return
    n_lateral = len(box) - 1
    side = int((size / box_shape(reach)[-1]) ** (1 / n_lateral)) - 2 * margin
    core = [max(side, margin, 1)] * n_lateral + [box_shape(box)[-1]]
    for part in boxes(box_shape(box), core):
        inner = tuple(slice(o.start + p.start, o.start + p.stop) for o, p in zip(box, part, strict=True))
        yield (
            inner,
            tuple(slice(max(0, o.start - margin), min(n, o.stop + margin)) for o, n in zip(inner, shape, strict=True)),
        )


def as_cube(values: Array) -> Array:
    return values if values.ndim == 3 else values[None]
