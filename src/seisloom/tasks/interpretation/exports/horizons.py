"""Horizons: surfaces of equal relative geologic time."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from seisloom.errors import DataError
from seisloom.io.horizon_text import Horizons
from seisloom.io.volumes.grid import whole
from seisloom.io.volumes.volume import Volume
from seisloom.metrics.horizons import reference_levels, surface_depth
from seisloom.sample import Array
from seisloom.signal.horizons import crossings, near_faults, off_faults, rising
from seisloom.tasks.interpretation.exports.blocks import (
    BLOCK_VOXELS,
    blocks_of,
    check_threshold,
    check_volume,
)

MOST_FALLING = 0.3
"""Share of falling steps among those that change from which on values are no relative time: those of an amplitude fall
as often as they rise (half of those of the Great South Basin), those of time across reverse faults one in a hundred."""
SAMPLED_VOXELS = 1 << 22
"""Of relative geologic time, that quantiles are taken of."""


def horizons_of(
    volume: Volume,
    *,
    variable: str = "rgt",
    n: int = 20,
    levels: Sequence[float] | None = None,
    fault: str | None = None,
    near: float = 2.0,
    threshold: float = 0.5,
) -> Horizons:
    """Return surfaces of equal relative geologic time (RGT): where each trace first rises to a level.

    Depths are linear between samples; along a trace RGT is made to rise by its running maximum, so that horizons never
    cross.

    Args:
        volume: of axes (inline, crossline, time) or (trace, time), or depth or sample in place of time.
        variable: RGT, rising downwards; NaN is not known.
        n: horizons at evenly spaced quantiles of RGT, none at its ends; those of a large volume are of some of its
            traces.
        levels: RGT of the horizons instead.
        fault: variable with fault probabilities; horizons have no points near faults.
        near: in voxels, the distance to a fault up to which there are none.
        threshold: probability from which on a voxel is a fault.
    Raises:
        DataError: if an argument is out of its range, the volume has other axes or no such variable, or RGT does not
            rise downwards.
    """
    check_volume(volume, variable, *([fault] if fault else []))
    grid = volume.spec.grid
    check_threshold(threshold)
    if not 1 <= n <= grid.shape[-1]:
        raise DataError(f"n is {n}: a trace has {grid.shape[-1]} samples; give 1 to {grid.shape[-1]} horizons")
    if near < 0:
        raise DataError(f"near is {near:g}: it must be at least 0")
    some = _some_traces(volume, variable)
    steps = np.diff(some, axis=-1)
    changing = steps[np.isfinite(steps) & (steps != 0)]
    falling = float(np.mean(changing < 0)) if changing.size else 1.0
    if changing.sum() <= 0 or falling > MOST_FALLING:
        how = f", {falling:.0%} of its steps fall" if changing.size else ""
        raise DataError(
            f"{volume.path}: {variable} does not rise downwards{how}, and relative geologic time does. Name the "
            "variable that has it: --variable NAME"
        )
    chosen = np.unique(reference_levels(some, n) if levels is None else np.asarray(levels, float))
    if not chosen.size or not np.isfinite(chosen).all():
        raise DataError(f"levels {levels}: give numbers, such as 0.1,0.2")
    depth = np.full((len(chosen), *grid.trace_shape), np.nan, np.float32)
    has_xy = volume.spec.has_xy
    x, y = (np.full(grid.trace_shape, np.nan) if has_xy else None for _ in "xy")
    margin = math.ceil(near) if fault else 0
    for inner, outer in blocks_of(grid.shape, whole(grid.shape), BLOCK_VOXELS // 8, margin):
        part = (slice(None), *(slice(i.start - o.start, i.stop - o.start) for i, o in zip(inner, outer, strict=True)))
        known = volume.traces(inner[:-1])
        rgt = rising(np.where(known.live[..., None], volume.read(inner, variable), np.nan))
        found = np.stack([surface_depth(rgt, level) for level in chosen])
        if fault is not None:
            close = near_faults(np.nan_to_num(volume.read(outer, fault)) >= threshold, near)
            found = off_faults(found, np.broadcast_to(close[part[1:]], (len(chosen), *close[part[1:]].shape)))
        assert crossings(found) == 0
        depth[(slice(None), *inner[:-1])] = found
        if x is not None and y is not None and known.x is not None and known.y is not None:
            x[inner[:-1]], y[inner[:-1]] = known.x, known.y
    return Horizons(grid, chosen, depth, x, y)


def _some_traces(volume: Volume, variable: str) -> Array:
    """Return RGT of traces spread over a volume, shape (trace, time); NaN in holes."""
    shape = volume.spec.grid.shape
    n_traces = max(64, SAMPLED_VOXELS // shape[-1])
    per_line = math.prod(shape[1:-1])
    lines = np.unique(np.linspace(0, shape[0] - 1, min(shape[0], max(16, n_traces // per_line))).astype(int))
    step = max(1, len(lines) * per_line // n_traces)
    rows = []
    for line in lines:
        box = (slice(int(line), int(line) + 1), *whole(shape[1:]))
        values = np.where(volume.traces(box[:-1]).live[..., None], volume.read(box, variable), np.nan)
        rows.append(values.reshape(-1, shape[-1])[::step])
    return np.concatenate(rows)
