"""Fault sticks from volumes of fault probability: thinned voxels, patches, and polylines in sections."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seisloom.errors import DataError
from seisloom.io.horizon_text import UNITS
from seisloom.io.volumes.grid import Box, Grid, whole
from seisloom.io.volumes.volume import Volume
from seisloom.metrics.orientation import angles_of, check_degrees, normal_of
from seisloom.metrics.overlap import thin
from seisloom.sample import Array
from seisloom.signal.fault_normals import image_normals, mean_normal
from seisloom.signal.fault_patches import patch_numbers
from seisloom.signal.fault_sticks import draw_sticks
from seisloom.tasks.interpretation.exports.blocks import (
    BLOCK_VOXELS,
    as_cube,
    blocks_of,
    check_threshold,
    check_volume,
)
from seisloom.tasks.interpretation.exports.earth import ANGLES, SIZES, shape_of, steps_of

if TYPE_CHECKING:
    import pandas as pd

MARGIN = 32
"""Lines around a block of faults: thinning reaches about as far as faults are thick, its smoothing 17."""

MOST_VOXELS = 10_000_000
"""Of thinned faults at once; joining them to patches needs some 400 bytes a voxel, so 4 GB, and five minutes."""

PATCH_COLUMNS = ["patch", "n_voxels", "probability", "sections", "n_sticks", "n_nodes", *ANGLES, *SIZES]

SMALLEST_PATCH, SMALLEST_LINE = 100, 20
"""Voxels of a fault in a volume, and in a section."""

SLOWEST, FASTEST = 100.0, 15_000.0
"""Interval velocities of rocks lie well between, m/s."""

TRACES_AT_ONCE = 1 << 18
"""Of which headers are read, 240 bytes each."""


@dataclass(frozen=True, slots=True, eq=False)
class FaultVoxels:
    """Thinned voxels of faults."""

    place: Array
    """Index on the axes (inline, crossline, time) of the volume, int32 (n, 3); 0 on one that a line has not."""
    probability: Array
    normals: Array
    """Unit normals in voxels, (3, n): depth, crossline, inline."""
    n_from_image: int = 0
    """Voxels whose volume says no dip and strike: their normals are told from the fault image."""


@dataclass(frozen=True, slots=True, eq=False)
class FaultSticks:
    """Faults of a volume as sticks."""

    nodes: pd.DataFrame
    """A row a node, see `seisloom.io.fault_sticks`."""
    patches: pd.DataFrame
    """A row a patch, the largest first, see `fault_sticks`."""
    n_voxels: int
    """Thinned voxels at or above the threshold."""
    min_size: int
    """Voxels of the smallest patch that is taken."""
    n_small: int
    """Patches left out since they have fewer."""
    n_small_voxels: int
    largest_small: int
    """Voxels of the largest of them; 0 if there is none."""
    n_without_stick: int
    """Patches so narrow that no section of theirs holds a stick."""
    n_from_image: int


def fault_sticks(
    volume: Volume,
    *,
    variable: str = "fault",
    threshold: float = 0.5,
    max_angle_deg: float = 10.0,
    min_size: int | None = None,
    every: int = 10,
    tolerance: float = 1.0,
    velocity_m_s: float | None = None,
    box: Box | None = None,
) -> FaultSticks:
    """Return faults as sticks, of a volume with their probability and, where there are any, their dip and strike.

    Faults are thinned, joined to patches where neighbours face alike, and each patch is drawn by sticks in inline or
    crossline sections, whichever it cuts more squarely.

    Args:
        volume: of axes (inline, crossline, time) or (trace, time), or depth or sample in place of time.
        variable: the probability; dip and strike in degrees of the grid are read where the volume has variables of
            these names. Where it says none, 0 or NaN, normals are told from the image of the probability.
        threshold: probability from which on a voxel is a fault.
        max_angle_deg, min_size: see `patch_numbers`; by default a patch has 100 voxels at least, 20 in a section.
        every: inlines or crosslines from one stick to the next.
        tolerance: in voxels, by which a stick may be off the thinned fault.
        velocity_m_s: interval velocity, for angles of the earth where the last axis is time.
        box: of the volume; all of it by default.
    Returns:
        Sticks, and of each patch n_voxels, probability, dip_deg and strike_deg on the grid, in 0..180; sections
        (inline or crossline), n_sticks, n_nodes; length in traces and height in samples; and, where lengths of traces
        and samples are known, dip_earth_deg and strike_earth_deg (from the same axes of the grid), azimuths clockwise
        from y, strike_azimuth_deg in [0, 180) and dip_azimuth_deg, in [0, 360), to which the fault goes down, length_m,
        height_m, else NaN. A dip above 90 leans to the other side.
    Raises:
        DataError: if an argument is out of its range, the volume has other axes or no such variable, its values are no
            probabilities or no degrees, or there are more than MOST_VOXELS fault voxels.
    """
    import pandas as pd

    min_size = _smallest_patch(volume.spec.grid) if min_size is None else min_size
    _check_ranges(volume, variable, threshold, min_size, every, tolerance, velocity_m_s)
    found = read_fault_voxels(volume, variable=variable, threshold=threshold, box=box)
    patch, small = patch_numbers(found.place, found.normals, max_angle_deg=max_angle_deg, min_size=min_size)
    steps = steps_of(volume, velocity_m_s)
    rows, parts, n_without = [], [], 0
    for number, members in _members(patch):
        normals = found.normals[:, members]
        across, sticks = draw_sticks(found.place[members], normals, every=every, tolerance=tolerance)
        if not sticks:
            n_without += 1
            continue
        number -= n_without
        rows.append(
            {
                "patch": number,
                "n_voxels": len(members),
                "probability": round(float(found.probability[members].mean()), 4),
                "sections": _lateral_names(volume.spec.grid)[across],
                "n_sticks": len(sticks),
                "n_nodes": sum(map(len, sticks)),
                **shape_of(found.place[members], mean_normal(normals), steps),
            }
        )
        parts += [(number, k, members[stick]) for k, stick in enumerate(sticks, 1)]
    return FaultSticks(
        nodes=_node_table(volume, found, parts),
        patches=pd.DataFrame(rows, columns=PATCH_COLUMNS),
        n_voxels=len(found.place),
        min_size=min_size,
        n_small=len(small),
        n_small_voxels=int(small.sum()),
        largest_small=int(small.max(initial=0)),
        n_without_stick=n_without,
        n_from_image=found.n_from_image,
    )


def _smallest_patch(grid: Grid) -> int:
    """Return the voxels of the smallest patch that is taken if nobody says: a fault in a section is a line."""
    return SMALLEST_LINE if len(grid.shape) == 2 or 1 in grid.trace_shape else SMALLEST_PATCH


def _check_ranges(
    volume: Volume, variable: str, threshold: float, min_size: int, every: int, tolerance: float, velocity: float | None
) -> None:
    check_threshold(threshold)
    for name, value, least in (("every", every, 1), ("min_size", min_size, 1), ("tolerance", tolerance, 0)):
        if value < least:
            raise DataError(f"{name} is {value:g}: it must be at least {least}")
    if velocity is not None and not SLOWEST <= velocity <= FASTEST:
        raise DataError(f"velocity is {velocity:g} m/s: rocks have some {SLOWEST:g} to {FASTEST:g} m/s, such as 2500")
    check_volume(volume, variable)


def read_fault_voxels(
    volume: Volume, *, variable: str = "fault", threshold: float = 0.5, box: Box | None = None, size: int = BLOCK_VOXELS
) -> FaultVoxels:
    """Return the thinned voxels of faults with their normals, read by blocks of about `size` voxels.

    Every block is thinned with MARGIN lines around it: as long as faults are thinner than those, the result does not
    depend on the blocks.

    Raises:
        DataError: as `fault_sticks`.
    """
    angles = [name for name in ("dip", "strike") if name in volume.spec.variables]
    shape = volume.spec.grid.shape
    parts, n_voxels, n_from_image = list[tuple[Array, ...]](), 0, 0
    for inner, outer in blocks_of(shape, box or whole(shape), size, MARGIN):
        probability = _read_probability(volume, outer, variable)
        first, low, high = (_corner(one, end) for one, end in ((outer, "start"), (inner, "start"), (inner, "stop")))
        place = np.argwhere(thin(probability >= threshold)) + first
        place = place[((place >= low) & (place < high)).all(axis=1)]
        if not len(place):
            continue
        at = tuple((place - first).T)
        said = {name: as_cube(volume.read(outer, name))[at] for name in angles}
        normals, n_guessed = _normals(volume, probability, at, said)
        n_from_image += n_guessed
        parts.append((place, probability[at], normals))
        n_voxels += len(place)
        if n_voxels > MOST_VOXELS:
            raise DataError(
                f"{volume.path}: more than {MOST_VOXELS:,} thinned voxels are faults at {variable} >= {threshold:g}. "
                "Raise the threshold, or take a part of the volume: --box inline=FROM:TO"
            )
    if not parts:
        return FaultVoxels(np.zeros((0, 3), np.int32), np.zeros(0, np.float32), np.zeros((3, 0), np.float32))
    places, probabilities, of_places = zip(*parts, strict=True)
    return FaultVoxels(
        np.concatenate(places).astype(np.int32),
        np.concatenate(probabilities).astype(np.float32),
        np.concatenate(of_places, axis=1).astype(np.float32),
        n_from_image,
    )


def _corner(box: Box, end: str) -> Array:
    """Return the starts or stops of a box on the axes inline, crossline, time; a line stands on inline 0."""
    ends = [getattr(one, end) for one in box]
    return np.array(ends if len(ends) == 3 else [int(end == "stop"), *ends])


def _read_probability(volume: Volume, box: Box, variable: str) -> Array:
    """Return a cube of probabilities; NaN is no fault."""
    values = np.nan_to_num(as_cube(volume.read(box, variable)).astype(np.float32))
    if values.min() < -0.01 or values.max() > 1.01:
        raise DataError(
            f"{volume.path}: {variable} goes from {values.min():g} to {values.max():g}: these are no probabilities, "
            "which lie in 0 to 1. Name the variable that has them: --variable NAME"
        )
    return values


def _normals(volume: Volume, probability: Array, at: tuple[Array, ...], said: Mapping[str, Array]) -> tuple[Array, int]:
    """Return normals by dip and strike, else by the image, in the plane of a line; and how many are by the image."""
    normals = np.full((3, len(at[0])), np.nan)
    is_line = 1 in probability.shape[:2]
    if "dip" in said and ("strike" in said or is_line):
        dip = np.asarray(said["dip"], float)
        strike = np.asarray(said.get("strike", np.zeros_like(dip)), float)
        known = np.isfinite(dip) & np.isfinite(strike) & (dip != 0)
        check_degrees(dip[known], strike[known], np.ones(int(known.sum())), where=str(volume.path))
        normals[:, known] = normal_of(dip[known], strike[known])
        for part, axis in ((2, 0), (1, 1)):
            if probability.shape[axis] == 1:
                normals[part] = 0.0
    sizes = np.linalg.norm(normals, axis=0)
    lost = ~(sizes > 0)
    normals[:, ~lost] /= sizes[~lost]
    if lost.any():
        normals[:, lost] = image_normals(probability, np.stack(at, axis=1)[lost])
    return normals, int(lost.sum())


def _members(patch: Array) -> Iterator[tuple[int, Array]]:
    """Yield the number of each patch and its voxels."""
    ends = np.cumsum(np.bincount(patch)) if len(patch) else np.zeros(0, int)
    order = np.argsort(patch, kind="stable")
    for number in range(1, len(ends)):
        yield number, order[ends[number - 1] : ends[number]]


def _lateral_names(grid: Grid) -> tuple[str, str]:
    first, second = ("line", *grid.names[:-1])[-2:]
    return first, second


def _node_table(volume: Volume, found: FaultVoxels, parts: Sequence[tuple[int, int, Array]]) -> pd.DataFrame:
    """Return a row for each node of sticks, given by patch, number and rows of voxels."""
    import pandas as pd

    grid = volume.spec.grid
    rows = np.concatenate([nodes for _, _, nodes in parts]) if parts else np.zeros(0, int)
    counts = [len(nodes) for _, _, nodes in parts]
    place = found.place[rows]
    columns: dict[str, Array] = {
        "patch": np.repeat([patch for patch, _, _ in parts], counts).astype(int),
        "stick": np.repeat([stick for _, stick, _ in parts], counts).astype(int),
        "node": np.concatenate([np.arange(1, n + 1) for n in counts]) if counts else np.zeros(0, int),
    }
    for axis, index in zip(grid.axes[::-1], place.T[::-1], strict=False):
        columns[UNITS.get(axis.unit, "sample") if axis is grid.axes[-1] else axis.name] = axis.values[index]
    if volume.spec.has_xy:
        columns["x_m"], columns["y_m"] = _xy_at(volume, place)
    dip, strike = angles_of(found.normals[:, rows])
    columns |= {"probability": found.probability[rows], "dip_deg": dip, "strike_deg": strike}
    lateral = list(grid.names[:-1])
    first = ["patch", "stick", "node", *lateral]
    return pd.DataFrame(columns)[[*first, *(name for name in columns if name not in first)]]


def _xy_at(volume: Volume, place: Array) -> tuple[Array, Array]:
    """Return CDP x and y of places, read by some lines at once."""
    shape = volume.spec.grid.trace_shape
    index = place[:, 2 - len(shape) : 2]
    x, y = np.full(len(place), np.nan), np.full(len(place), np.nan)
    n_lines = max(1, TRACES_AT_ONCE // math.prod(shape[1:]))
    for first in range(0, shape[0], n_lines):
        inside = (index[:, 0] >= first) & (index[:, 0] < first + n_lines)
        if inside.any():
            known = volume.traces((slice(first, min(first + n_lines, shape[0])), *whole(shape[1:])))
            assert known.x is not None
            assert known.y is not None
            at = tuple((index[inside] - [first, *[0] * (len(shape) - 1)]).T)
            x[inside], y[inside] = known.x[at], known.y[at]
    return x, y
