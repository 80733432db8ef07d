"""Where tiles lie in a volume and how much each weighs there: per axis, so that nothing of the volume's size is needed.

The lattice is anchored at the survey's origin: along each axis tiles start at 0, s, 2s, ..., the last one ends with the
axis. Weights are products of one vector an axis, and each vector is divided by the sum over the tiles at its index
beforehand: the weights of all tiles add up to 1 at every voxel, without a weight volume and without a last division.
Where one tile covers, its weight is exactly 1.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Literal, TypeAlias

import numpy as np

from seisloom.errors import DataError
from seisloom.inference.windows import window_starts
from seisloom.sample import Array

# The same as in `seisloom.io.volumes.grid`, which `inference` does not import: it works on anything read by boxes
Box: TypeAlias = tuple[slice, ...]
"""A slice an axis, each with start and stop within the volume, and no step."""
Index: TypeAlias = tuple[int, ...]
"""Place of a tile in the lattice, or of an owner among owners: one number an axis."""
Window: TypeAlias = Literal["cosine", "gaussian", "flat"]


def blend_window(n: int, kind: Window) -> Array:
    """Return the weight of a tile along one axis before it is normalised, float64 (n,), above 0 everywhere.

    Args:
        n: samples of the tile.
        kind: `cosine` is Hann's window at half samples, sin^2, so that its ends are not 0; two that overlap by half
            add up to 1. `gaussian` has a standard deviation of n / 8, as nnU-Net has (Isensee et al. 2021, Nature
            Methods 18, 203-211, `compute_gaussian`). `flat` gives the mean of the tiles.

    >>> blend_window(4, "cosine").round(3).tolist()
    [0.146, 0.854, 0.854, 0.146]
    """
    middle = np.arange(n) + 0.5
    if kind == "cosine":
        return np.asarray(np.sin(np.pi * middle / n) ** 2)
    if kind == "gaussian":
        return np.asarray(np.exp(-0.5 * ((middle - n / 2) / (n / 8)) ** 2))
    return np.ones(n)


@dataclass(frozen=True, slots=True, eq=False)
class AxisTiles:
    """The tiles along one axis."""

    n: int
    """Samples of the axis."""
    patch: int
    """Samples that the model sees; more than `n` where the axis is shorter."""
    starts: Array
    """First sample of each tile, int64, rising."""
    weights: Array
    """float64 (tile, min(n, patch)); those of all tiles at an index add up to 1."""

    @property
    def length(self) -> int:
        """Samples of a tile that lie in the volume."""
        return min(self.n, self.patch)

    @property
    def padding(self) -> tuple[int, int]:
        """Samples by which a tile is padded before and behind, where the axis is shorter than the patch."""
        before = (self.patch - self.length) // 2
        return before, self.patch - self.length - before

    def touching(self, start: int, stop: int) -> range:
        """Return the tiles that have a sample in start to stop."""
        first = np.searchsorted(self.starts + self.length, start, side="right")
        return range(int(first), int(np.searchsorted(self.starts, stop, side="left")))

    def homed(self, start: int, stop: int) -> range:
        """Return the tiles whose first sample is in start to stop."""
        return range(int(np.searchsorted(self.starts, start)), int(np.searchsorted(self.starts, stop)))


def axis_tiles(n: int, patch: int, *, overlap: float, window: Window) -> AxisTiles:
    """Return the tiles of one axis; see `blend_window` and `window_starts` for what the arguments mean."""
    starts = window_starts(n, patch, overlap=overlap)
    length = min(n, patch)
    one = blend_window(length, window)
    total = np.zeros(n)
    for start in starts:
        total[start : start + length] += one
    weights = np.stack([one / total[start : start + length] for start in starts])
    return AxisTiles(n, patch, starts, weights)


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """The tiles of a volume of any number of axes. The order of tiles is that of their indices, last axis fastest."""

    axes: tuple[AxisTiles, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the volume."""
        return tuple(axis.n for axis in self.axes)

    @property
    def patch(self) -> tuple[int, ...]:
        """Lengths of what the model sees."""
        return tuple(axis.patch for axis in self.axes)

    @property
    def padding(self) -> tuple[tuple[int, int], ...]:
        """Samples before and behind on each axis by which a tile is padded; 0 where the axis is long enough."""
        return tuple(axis.padding for axis in self.axes)

    @property
    def n_tiles(self) -> int:
        """Number of tiles."""
        return int(np.prod([len(axis.starts) for axis in self.axes]))

    def tiles(self) -> Iterator[Index]:
        """Yield all tiles in order."""
        return itertools.product(*(range(len(axis.starts)) for axis in self.axes))

    def box(self, tile: Index) -> Box:
        """Return the part of the volume that a tile covers."""
        starts = (int(axis.starts[i]) for axis, i in zip(self.axes, tile, strict=True))
        return tuple(slice(start, start + axis.length) for start, axis in zip(starts, self.axes, strict=True))

    def cell(self, tile: Index) -> Box:
        """Return the part of a tile before the next one starts: the cells of all tiles fill the volume once."""
        ends = (
            int(axis.starts[i + 1]) if i + 1 < len(axis.starts) else axis.n
            for axis, i in zip(self.axes, tile, strict=True)
        )
        return tuple(slice(one.start, end) for one, end in zip(self.box(tile), ends, strict=True))

    def weight(self, tile: Index, part: Box) -> Array:
        """Return the weight of a tile in a part of it, float64, above 0 to 1; `part` counts from the tile's corner.

        A voxel's weight does not depend on the part that is asked for, to the last bit.
        """
        vectors = [axis.weights[i][one] for axis, i, one in zip(self.axes, tile, part, strict=True)]
        return np.asarray(reduce(np.multiply.outer, vectors))


def lattice(shape: Sequence[int], patch: Sequence[int], *, overlap: float, window: Window = "cosine") -> Lattice:
    """Return the lattice of a volume.

    Args:
        shape: lengths of the volume, one number an axis.
        patch: lengths of a tile. An axis that is shorter has one tile, which is padded for the model.
        overlap: share of a tile by which neighbours overlap, at least; 0 to below 1.
        window: see `blend_window`.
    Raises:
        DataError: if they do not fit each other.

    >>> lattice((10,), (4,), overlap=0.5).axes[0].starts.tolist()
    [0, 2, 4, 6]
    """
    if len(shape) != len(patch):
        raise DataError(
            f"patch {tuple(patch)} has {len(patch)} numbers, the volume {tuple(shape)} has {len(shape)} axes; "
            "give one number an axis, slowest axis first, and 1 across which a model does not look"
        )
    if min(shape, default=0) < 1 or min(patch) < 1:
        raise DataError(f"patch {tuple(patch)}, volume {tuple(shape)}: every length must be at least 1")
    if not 0 <= overlap < 1:
        raise DataError(f"overlap {overlap:g}: it is the share of a patch, 0 to below 1; 0.25 is usual, 0.5 smoother")
    return Lattice(tuple(axis_tiles(n, p, overlap=overlap, window=window) for n, p in zip(shape, patch, strict=True)))


def within(box: Box, around: Box) -> Box:
    """Return a box counted from the corner of another one around it."""
    return tuple(slice(a.start - b.start, a.stop - b.start) for a, b in zip(box, around, strict=True))
