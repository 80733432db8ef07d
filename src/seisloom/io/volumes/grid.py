"""The grid of a volume: named axes with coordinates, and the boxes that it is read and written by.

The axes stand in NumPy's order, the slowest first; the last one is time or depth, along which a trace runs.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array

Box: TypeAlias = tuple[slice, ...]
"""A slice an axis, each with start and stop within the grid, and no step."""
VERTICAL = ("time", "depth", "sample")
"""Names of the axis along a trace: two-way time, depth, or nobody knows which."""


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """Name, unit and coordinates of an axis.

    >>> Axis.regular("inline", 3, first=100, step=2).values.tolist()
    [100.0, 102.0, 104.0]
    """

    name: str
    values: Array
    """Coordinate of each index, float64 (n,), strictly rising or falling."""
    unit: str = "1"

    def __post_init__(self) -> None:
        values = np.asarray(self.values, dtype=np.float64)
        object.__setattr__(self, "values", values)
        rises = np.diff(values)
        if values.ndim != 1 or not values.size or not np.isfinite(values).all():
            raise DataError(f"axis {self.name}: coordinates must be finite numbers, at least one, in one row")
        if not (np.all(rises > 0) or np.all(rises < 0)):
            raise DataError(f"axis {self.name}: coordinates must rise or fall strictly; they do not at {_turn(rises)}")

    @classmethod
    def regular(cls, name: str, n: int, *, first: float = 0.0, step: float = 1.0, unit: str = "1") -> Axis:
        """Return an axis of `n` coordinates with one step; a step of 0 is refused."""
        if n < 1 or not step:
            raise DataError(f"axis {name}: {n} coordinates with a step of {step:g}; both must not be 0")
        return cls(name, first + step * np.arange(n), unit)

    def __len__(self) -> int:
        return len(self.values)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Axis)
            and (self.name, self.unit) == (other.name, other.unit)
            and np.array_equal(self.values, other.values)
        )

    @property
    def first(self) -> float:
        """Coordinate of index 0."""
        return float(self.values[0])

    @property
    def step(self) -> float | None:
        """The one step between neighbours; 1 for an axis of length 1, None where steps differ."""
        if len(self) == 1:
            return 1.0
        step = (self.values[-1] - self.values[0]) / (len(self) - 1)
        even = np.allclose(np.diff(self.values), step, rtol=1e-6, atol=1e-9 * abs(step))
        return float(step) if even else None

    def index(self, value: float) -> int:
        """Return the index of a coordinate.

        Raises:
            DataError: if the axis does not have it.
        """
        near = int(np.abs(self.values - value).argmin())
        tolerance = 1e-3 * abs(self.step) if self.step else 1e-6 * max(1.0, abs(value))
        if abs(self.values[near] - value) > tolerance:
            low, high = sorted((self.values[0], self.values[-1]))
            raise DataError(
                f"there is no {self.name} {value:g}: they go from {low:g} to {high:g}, "
                f"the nearest is {self.values[near]:g}"
            )
        return near


def _turn(rises: Array) -> str:
    wrong = np.flatnonzero(rises * (1 if rises[0] > 0 else -1) <= 0)
    return f"index {int(wrong[0]) + 1}"


@dataclass(frozen=True, slots=True)
class Grid:
    """The axes of a volume, the slowest first."""

    axes: tuple[Axis, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the axes."""
        return tuple(axis.name for axis in self.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return tuple(len(axis) for axis in self.axes)

    @property
    def trace_shape(self) -> tuple[int, ...]:
        """Lengths of the axes without the one along a trace."""
        return self.shape[:-1]

    @property
    def lengths(self) -> str:
        """Lengths and names of the axes, for a message: `651 inline x 951 crossline x 462 time`."""
        return " x ".join(f"{len(axis)} {axis.name}" for axis in self.axes)

    def __getitem__(self, name: str) -> Axis:
        for axis in self.axes:
            if axis.name == name:
                return axis
        raise DataError(f"no axis {name!r}; there are {', '.join(self.names)}")


def whole(shape: Sequence[int]) -> Box:
    """Return the box that is all of a shape."""
    return tuple(slice(0, n) for n in shape)


def box_shape(box: Box) -> tuple[int, ...]:
    """Return the lengths of a box.

    >>> box_shape((slice(2, 5), slice(0, 4)))
    (3, 4)
    """
    return tuple(one.stop - one.start for one in box)


def box_size(box: Box) -> int:
    """Return the number of samples in a box."""
    return math.prod(box_shape(box))


def boxes_of(n: int, shape: Sequence[int]) -> Iterator[Box]:
    """Yield boxes of at most n points, at least 1, that fill a shape, the last axis fastest and whole where it can be.

    >>> [tuple((s.start, s.stop) for s in box) for box in boxes_of(4, (3, 2))]
    [((0, 2), (0, 2)), ((2, 3), (0, 2))]
    """
    size, room = [], max(n, 1)
    for length in shape[::-1]:
        size.append(max(min(length, room), 1))
        room = max(room // max(length, 1), 1)
    return boxes(shape, size[::-1])


def boxes(shape: Sequence[int], size: Sequence[int]) -> Iterator[Box]:
    """Yield the boxes of a size that fill a shape, the last axis fastest; those at the end are smaller.

    >>> [tuple((s.start, s.stop) for s in box) for box in boxes((3, 2), (2, 2))]
    [((0, 2), (0, 2)), ((2, 3), (0, 2))]
    """
    cuts = [
        [slice(start, min(start + step, n)) for start in range(0, n, step)] for n, step in zip(shape, size, strict=True)
    ]
    return itertools.product(*cuts)
