"""Faults as patches and sticks: from thinned voxels with normals to polylines in sections.

Voxels are rows (inline, crossline, time) of whole numbers; normals are (3, voxel) in the order depth, crossline,
inline, of unit length and either sign. A line has one inline or one crossline.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from scipy import ndimage, sparse, spatial

from seisloom.errors import DataError
from seisloom.sample import Array

REACH = 2
"""Voxels from one of a patch to the next along any axis: thinning leaves gaps of one where it changes its sections."""
BRIDGE = 10.0
"""Voxels across which a fault goes on behind another one: labels of 3 that cross at 30 degrees are one over 6, and
thinning adds some."""
OUT_OF_PLANE = 1.5
"""Distance in voxels from the plane through one voxel up to which another lies in it: thinning rounds to half a voxel,
and a diagonal step adds one half."""
SMOOTH_VOXELS, WINDOW_VOXELS = 1.0, 3.0
"""Of the image before its gradient, and of the average of gradients: about the thickness of labels, 1 to 3."""
BORDER = 3
"""Voxels at the image's border that are not looked at: three times the smoothing."""
MOST_SECOND = 0.05
"""Of the second largest change over the largest: a plane's voxels make 0.01, two faults at 45 degrees up to 0.17."""
AROUND = 64
"""Voxels whose planes are tried where faults cross: some of both, on both sides."""
SHORTEST_STICK = 4.0
"""Length in voxels; the direction of a shorter one is that of its rounding."""


def image_normals(probability: Array, voxels: Array) -> Array:
    """Return the normals of faults told from their image: the direction in which it changes most around each voxel.

    Where faults cross, the image changes in two directions. A voxel there takes the normal of that one of the voxels
    around it in whose plane it lies best, so that each fault keeps its own.

    Args:
        probability: shape (inline, crossline, time); an axis of length 1 is a line, and normals lie in it.
        voxels: of the faults, shape (n, 3), within the image.
    Returns:
        Unit normals, shape (3, n); NaN where the image does not change.
    Source: the structure tensor of van Vliet & Verbeek (1995), Proc. ASCI, 442-449.
    """
    voxels = np.asarray(voxels)
    at, image = tuple(voxels.T), np.asarray(probability, np.float32)
    tensor = np.zeros((len(voxels), 3, 3))
    for a, b, products in structure_tensor(image):
        tensor[:, a, b] = tensor[:, b, a] = products[at]
    sizes, directions = np.linalg.eigh(tensor)
    normals = np.where(sizes[:, -1] > 0, directions[:, :, -1].T, np.nan)
    noise = sizes[:, 0] if 1 not in image.shape else 0.0  # alike in all directions
    two = ~(sizes[:, 1] - noise <= MOST_SECOND * (sizes[:, 2] - noise))
    if two.any() and not two.all():
        normals[:, two] = _of_best_plane(voxels[two], voxels[~two], normals[:, ~two])
    return normals


def structure_tensor(image: Array) -> Iterator[tuple[int, int, Array]]:
    """Yield the products of components of the image's gradient, averaged around each voxel: row, column, values.

    Args:
        image: shape (inline, crossline, time); there are no products with an axis of length 1.
    Returns:
        Row and column are 0 for depth, 1 for crossline, 2 for inline, row <= column; values of the image's shape.
    """
    # at the border the smoothed image is that of a mirrored fault
    inside = tuple(slice(BORDER, -BORDER) if n > 4 * BORDER else slice(None) for n in image.shape)
    # differences of neighbours would be too small where the image is steep, and turn normals
    slopes = [_slope(image, axis) if image.shape[axis] > 1 else None for axis in (2, 1, 0)]
    for (a, one), (b, other) in itertools.combinations_with_replacement(enumerate(slopes), 2):
        if one is not None and other is not None:
            product = np.zeros_like(image)
            product[inside] = one[inside] * other[inside]
            yield a, b, ndimage.gaussian_filter(product, WINDOW_VOXELS, mode="constant")


def _slope(image: Array, axis: int) -> Array:
    order = [int(axis == one) for one in range(3)]
    return np.asarray(ndimage.gaussian_filter(image, SMOOTH_VOXELS, order=order))


def _of_best_plane(lost: Array, known: Array, normals: Array) -> Array:
    """Return for each lost voxel, of the normals of known voxels around it, that of the plane it lies nearest to."""
    n_around = min(AROUND, len(known))
    around = spatial.cKDTree(known).query(lost, k=n_around)[1].reshape(len(lost), n_around)
    offset = (lost[:, None] - known[around])[..., ::-1]
    away = np.abs(np.einsum("nak,kna->na", offset, normals[:, around]))
    return np.asarray(normals[:, around[np.arange(len(lost)), away.argmin(axis=1)]])


def patch_numbers(voxels: Array, normals: Array, *, max_angle_deg: float, min_size: int = 1) -> tuple[Array, Array]:
    """Return the patch that each voxel belongs to.

    Two voxels are of one patch if they are at most two apart along each axis, their normals differ by less than the
    largest angle, and each lies in the other's plane. So faults that cross or meet at an angle are parted. A fault that
    another one cuts is still one: parts that touch another patch are joined across BRIDGE voxels in the same way. A
    chain of voxels may turn by any angle, as listric faults do.

    Args:
        voxels: shape (n, 3), each once.
        normals: shape (3, n).
        max_angle_deg: above 0, up to 90; 90 does not part by angle.
        min_size: patches of fewer voxels get the number 0.
    Returns:
        Number of the patch of each voxel, shape (n,), the largest patch is 1; and the sizes of those left out.
    """
    if not 0 < max_angle_deg <= 90:
        raise DataError(f"an angle of {max_angle_deg:g} degrees between neighbours: it must be above 0 and at most 90")
    voxels = np.asarray(voxels, np.int64)
    if not len(voxels):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    least = float(np.cos(np.radians(max_angle_deg))) - 1e-9
    member: Array = np.arange(len(voxels))
    for first, second in _neighbours(voxels):
        member = _joined(member, voxels, normals, first, second, least)
    touching = np.zeros(len(voxels), bool)
    for first, second in _neighbours(voxels):
        other = member[first] != member[second]
        touching[first[other]] = touching[second[other]] = True
    ends = np.flatnonzero(touching)
    first, second = ends[spatial.cKDTree(voxels[ends]).query_pairs(BRIDGE, output_type="ndarray")].T
    member = _joined(member, voxels, normals, first, second, least)
    sizes = np.bincount(member)
    order = np.argsort(-sizes, kind="stable")
    kept = sizes[order] >= min_size
    number = np.zeros(len(sizes), np.int64)
    number[order[kept]] = 1 + np.arange(int(kept.sum()))
    return number[member], sizes[order[~kept]]


def _joined(member: Array, voxels: Array, normals: Array, first: Array, second: Array, least: float) -> Array:
    """Return the members after pairs of voxels are joined whose normals are alike and that lie in one plane."""
    a, b = member[first], member[second]
    apart = a != b
    first, second, a, b = first[apart], second[apart], a[apart], b[apart]
    cosine = np.abs(np.einsum("kn,kn->n", normals[:, first], normals[:, second]))
    offset = (voxels[second] - voxels[first]).T[::-1]
    away = np.maximum(*(np.abs(np.einsum("kn,kn->n", offset, normals[:, one])) for one in (first, second)))
    alike = (cosine >= least) & (away <= OUT_OF_PLANE)
    if not alike.any():
        return member
    n = int(member.max()) + 1
    graph = sparse.coo_array((np.ones(int(alike.sum()), np.int8), (a[alike], b[alike])), shape=(n, n))
    return np.asarray(sparse.csgraph.connected_components(graph, directed=False)[1])[member]


def _neighbours(voxels: Array) -> Iterator[tuple[Array, Array]]:
    """Yield which voxels are neighbours of which, each pair once; the nearest first, so that few remain to join."""
    low = voxels.min(axis=0) - REACH
    sides = voxels.max(axis=0) - low + 1 + REACH
    place = np.ravel_multi_index(tuple((voxels - low).T), tuple(sides))
    order = np.argsort(place)
    ordered = place[order]
    steps = range(-REACH, REACH + 1)
    # of an offset and its opposite one is enough
    offsets = [np.array(one) for one in itertools.product(steps, steps, steps) if one > (0, 0, 0)]
    for offset in sorted(offsets, key=lambda one: int(one @ one)):
        wanted = place + np.ravel_multi_index(tuple(offset + REACH), tuple(sides))
        wanted -= np.ravel_multi_index((REACH,) * 3, tuple(sides))
        found = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
        first = np.flatnonzero(ordered[found] == wanted)
        yield first, order[found[first]]


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


def mean_normal(normals: Array) -> Array:
    """Return the direction that normals have on average, whatever their signs, shape (3,).

    It is the largest eigenvector of the mean of n nᵀ; normals that are not known (NaN) are left out.
    """
    known = normals[:, np.isfinite(normals).all(axis=0)]
    return np.asarray(np.linalg.eigh(known @ known.T)[1][:, -1]) if known.size else np.full(3, np.nan)
