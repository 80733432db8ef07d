"""CDP coordinates as linear functions of a grid's own: all that a side-car keeps of them."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from seisloom.io.volumes.grid import Axis, Box, Grid, box_shape, whole
from seisloom.io.volumes.volume import Traces, Volume
from seisloom.sample import Array

Plane: TypeAlias = tuple[tuple[float, ...], ...]
"""For x and y in m: the constant, and the factors of the coordinates, slowest axis first, without the last axis."""
PROBED = 10_000
"""Traces that a plane of coordinates is fitted to."""
XY_ERROR_M = 1.0
"""SEG-Y often holds coordinates in whole metres; what is further from a plane is no regular survey."""


def fitted_plane(grid: Grid, xy: Array) -> Plane:
    """Return CDP x and y as linear functions of the coordinates of a grid, by least squares.

    Args:
        grid: of the volume.
        xy: in m, shape (2, ...) with the lengths of the axes but the last; both 0 where they are not known.
    Returns:
        For x and y the constant and a factor for each axis but the last; nothing where they are not linear to 1 m.
    """
    rows = xy.reshape(2, -1)
    known = np.flatnonzero((rows != 0).any(axis=0))
    if not known.size:
        return ()
    some = np.unique(np.append(known[:: max(1, len(known) // PROBED)], known[-1]))
    index = np.unravel_index(some, grid.trace_shape) if grid.trace_shape else ()
    columns = [axis.values[one] for axis, one in zip(grid.axes[:-1], index, strict=True)]
    matrix = np.stack([np.ones(len(some)), *columns], axis=1)
    factors = np.linalg.lstsq(matrix, rows[:, some].T)[0]
    if np.abs(matrix @ factors - rows[:, some].T).max() > XY_ERROR_M:
        return ()
    return tuple(tuple(round(float(one), 9) for one in row) for row in factors.T)  # the rest is noise


def plane_of(volume: Volume) -> Plane:
    """Return `fitted_plane` of a volume from the first, middle and last line of its first axis."""
    grid = volume.spec.grid
    if not volume.spec.has_xy:
        return ()
    n_lines, *n_traces = grid.trace_shape
    lines = sorted({0, n_lines // 2, n_lines - 1}) if n_traces else [*range(n_lines)]
    found = [volume.traces((slice(k, k + 1), *whole(n_traces))) for k in lines]
    xy = np.concatenate([[one.x, one.y] for one in found], axis=1)
    first = grid.axes[0]
    axes = (Axis(first.name, first.values[lines], first.unit), *grid.axes[1:])
    return fitted_plane(Grid(axes), np.nan_to_num(xy))


def xy_on(grid: Grid, plane: Plane, box: Box) -> Traces:
    """Return live traces with the CDP coordinates of a plane; without them where there is none."""
    live = np.ones(box_shape(box), dtype=bool)
    if not plane:
        return Traces(live)
    values = np.meshgrid(*(axis.values[one] for axis, one in zip(grid.axes, box, strict=False)), indexing="ij")
    x, y = (
        np.full(live.shape, constant) + sum(factor * value for factor, value in zip(factors, values, strict=True))
        for constant, *factors in plane
    )
    return Traces(live, x=x, y=y)
