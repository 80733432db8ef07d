"""Horizons as targets: points of equal relative time, picked by people, on the voxels of a cube."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seisloom.errors import DataError, MissingDataError
from seisloom.io.horizon_text import UNITS, read_horizons
from seisloom.io.volumes.grid import Axis, Grid, whole
from seisloom.io.volumes.volume import Volume
from seisloom.sample import Array

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".dat", ".xyz")


def horizons_file(targets: Path, image: Path) -> Path | None:
    """Return the file of the horizons of an image, such as `0_horizons.csv` for `0.bin`; None where there is none."""
    files = (targets / f"{image.stem}_horizons{suffix}" for suffix in SUFFIXES)
    return next((file for file in files if file.is_file()), None)


def read_horizon_voxels(file: Path, volume: Volume) -> Array:
    """Return the number of the horizon on each voxel, from 1, and 0 off them.

    Args:
        file: of points, as `seisloom horizons extract` writes them: CSV with the columns horizon, the lateral axes and
            sample (or time_s, depth_m), inline crossline sample below `# horizon 1 ...` lines, or x y z likewise.
        volume: that they lie in.
    Returns:
        float32 of the volume's shape; a point lies on the voxel that is nearest to it.
    Raises:
        DataError: if a column is missing, a file has x and y and the volume has not, or no point lies in the volume.
    """
    table, grid = read_horizons(file), volume.spec.grid
    if "horizon" not in table:
        raise DataError(f"{file}: no column horizon; there are {', '.join(map(str, table.columns))}")
    sample = _samples(table, grid.axes[-1], file)
    lateral = grid.names[:-1]
    if all(name in table for name in lateral):
        at = [_index(table[axis.name].to_numpy(float), axis) for axis in grid.axes[:-1]]
    elif {"x_m", "y_m"} <= set(table):
        at = _nearest_traces(table[["x_m", "y_m"]].to_numpy(float), volume, file)
    else:
        raise DataError(f"{file}: points need {' and '.join(lateral)}, or x_m and y_m")
    place = np.stack([*at, np.round(sample)])
    inside = ((place >= 0) & (place < np.array(grid.shape)[:, None])).all(axis=0)
    if not inside.any():
        raise DataError(f"{file}: none of its {len(table)} points lies in {volume.path} ({grid.lengths})")
    numbers = np.zeros(grid.shape, dtype=np.float32)
    numbers[tuple(place[:, inside].astype(np.intp))] = table["horizon"].to_numpy(np.float32)[inside]
    return numbers


def check_horizons(folders: list[tuple[Path, Path]]) -> None:
    """Raise MissingDataError where no image of (images, targets) has horizons, and a loss term needs them."""
    for images, targets in folders:
        if any(horizons_file(targets, image) for image in images.glob("*.bin")):
            return
    raise MissingDataError(
        "loss equal_time needs horizons beside the other targets: 0_horizons.csv (.dat, .xyz) for 0.bin, with the "
        "columns horizon, inline, crossline, sample. Synthetic volumes have relative time itself: take relative_time"
    )


def _samples(table: pd.DataFrame, down: Axis, file: Path) -> Array:
    """Return how many samples below the first one points lie; NaN outside."""
    if "sample" in table:
        return table["sample"].to_numpy(float)
    name = UNITS.get(down.unit, "sample")
    if name not in table:
        raise DataError(f"{file}: points need sample{f' or {name}' * (name != 'sample')}")
    index = np.arange(len(down))
    return np.asarray(np.interp(table[name].to_numpy(float), down.values, index, left=np.nan, right=np.nan))


def _index(labels: Array, axis: Axis) -> Array:
    """Return where labels of lines stand on their axis; -1 for those that it has not."""
    order = np.argsort(axis.values)
    found = order[np.searchsorted(axis.values, labels, sorter=order).clip(max=len(axis) - 1)]
    return np.where(axis.values[found] == labels, found, -1)


def _nearest_traces(points: Array, volume: Volume, file: Path) -> list[Array]:
    """Return the place of the trace nearest to each point, -1 where it is further than a bin."""
    from scipy.spatial import KDTree

    grid: Grid = volume.spec.grid
    traces = volume.traces(whole(grid.trace_shape))
    if traces.x is None or traces.y is None:
        raise DataError(f"{file}: has x and y, and {volume.path} does not say where its traces are. Give inline and "
                        "crossline (.csv, .dat)")  # fmt: skip
    places = np.stack([traces.x.ravel(), traces.y.ravel()], axis=1)
    known = np.flatnonzero(np.isfinite(places).all(axis=1))
    tree = KDTree(places[known])
    bin_m = np.median(np.asarray(tree.query(places[known], k=2)[0])[:, 1]) if len(known) > 1 else np.inf
    distance, nearest = tree.query(points)
    index = np.stack(np.unravel_index(known[nearest], grid.trace_shape))
    return list(np.where(distance <= bin_m, index, -1))
