"""Two-dimensional sections of a volume: an inline, a crossline, a slice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from seisloom.errors import DataError
from seisloom.io.volumes.grid import Axis
from seisloom.io.volumes.volume import AMPLITUDE, Volume
from seisloom.sample import Array


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """Samples in a plane of a volume."""

    values: Array
    """Shape (down, across), as they are stored."""
    live: Array
    """bool, shape (down, across): False in holes of the grid."""
    across: Axis
    down: Axis


def read_section(volume: Volume, places: Mapping[str, float], name: str = AMPLITUDE) -> Section:
    """Return the plane of a volume that is left when all axes but two are held at a coordinate.

    Args:
        volume: any volume.
        places: coordinate by name of an axis, in the axis's unit; axes of length 1 need none.
        name: variable.
    Raises:
        DataError: if an axis or a coordinate is not there, or not two axes are left.
    """
    grid = volume.spec.grid
    index = {axis: grid[axis].index(value) for axis, value in places.items()}
    free = [axis for axis in grid.axes if axis.name not in index]
    while len(free) > 2 and any(len(axis) == 1 for axis in free[:-1]):
        free.remove(next(axis for axis in free[:-1] if len(axis) == 1))
    if len(free) != 2:
        lengths = ", ".join(f"{axis.name} ({axis.first:g} to {axis.values[-1]:g})" for axis in grid.axes)
        raise DataError(
            f"{volume.path}: a section has two axes, and {len(free)} are left of {lengths}. Hold the others at a "
            f"value, such as --at {grid.axes[0].name}={grid.axes[0].values[len(grid.axes[0]) // 2]:g}"
        )
    kept = {axis.name for axis in free}
    box = tuple(
        slice(0, len(axis)) if axis.name in kept else slice(k := index.get(axis.name, 0), k + 1) for axis in grid.axes
    )
    across, down = free
    shape = (len(across), len(down))
    live = np.broadcast_to(volume.traces(box[:-1]).live[..., None], tuple(one.stop - one.start for one in box))
    return Section(volume.read(box, name).reshape(shape).T, live.reshape(shape).T, across, down)
