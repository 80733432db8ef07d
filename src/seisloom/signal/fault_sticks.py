"""Patches of faults as sticks: polylines in inline or crossline sections.

Voxels are rows (inline, crossline, time) of whole numbers; normals are (3, voxel) in the order depth, crossline,
inline, of unit length and either sign.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse, spatial

from seisloom.sample import Array
from seisloom.signal.fault_patches import BRIDGE, OUT_OF_PLANE, REACH

SHORTEST_STICK = 4.0
"""Length in voxels; the direction of a shorter one is that of its rounding."""


def draw_sticks(voxels: Array, normals: Array, *, every: int, tolerance: float) -> tuple[int, list[Array]]:
    """Return the sticks of one patch: polylines in inline or crossline sections, whichever it cuts more squarely.

    A section is used if its index is a multiple of `every`; where the patch has none of these, its middle one is. In a
    section, each part of the patch gives one stick: the longest of the shortest ways from voxel to voxel, so that short
    branches are left out, simplified.

    Args:
        voxels: of the patch, shape (n, 3).
        normals: shape (3, n).
        every: sections from one stick to the next.
        tolerance: in voxels, see `simplify`.
    Returns:
        The axis across which the sections are, 0 for inline and 1 for crossline sections; and the rows of `voxels` that
        are nodes of each stick, from its upper to its lower end.
    """
    voxels, normals = np.asarray(voxels), np.asarray(normals)
    _, crossline, inline = np.nansum(normals**2, axis=1)
    across = 0 if crossline >= inline else 1
    lines = np.unique(voxels[:, across])
    chosen = lines[lines % every == 0]
    if not chosen.size:
        chosen = lines[[len(lines) // 2]]
    in_section = [1 - across, 2]
    sticks = []
    for line in chosen:
        rows = np.flatnonzero(voxels[:, across] == line)
        # normals are depth, crossline, inline
        for way in _longest_ways(voxels[rows][:, in_section], normals[:, rows][[1 + across, 0]]):
            points = voxels[rows[way]][:, in_section].astype(float)
            nodes = rows[way][simplify(points, tolerance)]
            sticks.append(nodes if voxels[nodes[0], 2] <= voxels[nodes[-1], 2] else nodes[::-1])
    return across, sticks


def _longest_ways(points: Array, normals: Array) -> Iterator[Array]:
    """Yield, for each connected part of the points (n, 2), which of them lie on its longest shortest way, in order.

    Points are connected if they are neighbours or, behind a fault that crosses, as far as BRIDGE in one plane.
    """
    first, second = spatial.cKDTree(points).query_pairs(BRIDGE, output_type="ndarray").T
    offset = (points[second] - points[first]).T
    away = np.maximum(*(np.abs(np.einsum("kn,kn->n", offset, normals[:, one])) for one in (first, second)))
    step = np.linalg.norm(offset, axis=0)
    linked = (step <= REACH * np.sqrt(2) + 1e-6) | (away <= OUT_OF_PLANE)
    # more than its length, so that a way does not jump over voxels that are there
    cost = step[linked] ** 1.5
    graph = sparse.coo_array((cost, (first[linked], second[linked])), shape=(len(points),) * 2).tocsr()
    n_parts, part = sparse.csgraph.connected_components(graph, directed=False)
    for k in range(n_parts):
        rows = np.flatnonzero(part == k)
        inside = graph[rows][:, rows]
        start = _farthest(inside, 0)[0]
        end, before = _farthest(inside, start)
        if np.linalg.norm(points[rows[end]] - points[rows[start]]) < SHORTEST_STICK:
            continue
        way = [end]
        while way[-1] != start:
            way.append(int(before[way[-1]]))
        yield rows[way]


def _farthest(graph: sparse.csr_array, start: int) -> tuple[int, Array]:
    """Return the node farthest from a start, and the node before each one on the way."""
    distance, before = sparse.csgraph.dijkstra(graph, directed=False, indices=[start], return_predecessors=True)
    return int(distance[0].argmax()), before[0]


def simplify(points: Array, tolerance: float) -> Array:
    """Return which points of a polyline are kept so that none lies farther than a tolerance from what is left.

    Args:
        points: shape (n, 2) or (n, 3).
        tolerance: in the unit of the points; 0 keeps all but those on a line.
    Returns:
        Rising indices, the first and the last among them.
    Source: Douglas & Peucker (1973), Cartographica 10(2), 112-122.

    >>> simplify(np.array([[0, 0], [1, 0.4], [2, 0], [3, 3]]), 0.5).tolist()
    [0, 2, 3]
    """
    points = np.asarray(points, float)
    kept = np.zeros(len(points), bool)
    kept[[0, -1]] = True
    todo = [(0, len(points) - 1)]
    while todo:
        first, last = todo.pop()
        if last - first < 2:
            continue
        away = _distance_to_segment(points[first + 1 : last], points[first], points[last])
        if away.max() > tolerance + 1e-9:
            middle = first + 1 + int(away.argmax())
            kept[middle] = True
            todo += [(first, middle), (middle, last)]
    return np.flatnonzero(kept)


def _distance_to_segment(points: Array, start: Array, end: Array) -> Array:
    along = end - start
    squared = float(along @ along)
    share = np.clip((points - start) @ along / squared, 0, 1) if squared else np.zeros(len(points))
    return np.asarray(np.linalg.norm(points - start - share[:, None] * along, axis=1))
