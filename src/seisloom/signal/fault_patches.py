"""Voxels of thinned faults as patches, a number for each fault.

Voxels are rows (inline, crossline, time) of whole numbers; normals are (3, voxel) in the order depth, crossline,
inline, of unit length and either sign. A patch starts from voxels that are surely of one fault, those around which
all face alike; where faults cross or meet nothing is sure, and what lies there goes to the nearest plane at the end.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import numpy as np
from scipy import sparse, spatial

from seisloom.errors import DataError
from seisloom.sample import Array

REACH = 2
"""Voxels from one of a patch to the next along any axis: thinning leaves gaps of one where it changes its sections."""
BRIDGE = 20.0
"""Voxels across which a fault goes on behind another one: where two cross at 30 degrees, nothing is sure over 18."""
OUT_OF_PLANE = 1.5
"""Distance in voxels from the plane through one voxel up to which another lies in it: thinning rounds to half a voxel,
and a diagonal step adds one half."""
BEND = 0.1
"""By which that distance grows with the distance of the voxels: errors of normals, and faults that another one moved.
"""
ONE_FAULT_DEG = 20.0
"""Up to which the normals of neighbours are averaged: those of one fault with their errors, not those of two faults."""
SURE_DEG = 10.0
"""Up to which neighbours face alike beyond doubt; the averaged normals of one fault differ by some degrees."""
SURE_VOXELS = 5.0
"""Radius within which they must: networks turn from one fault to the other over some voxels, step by small step."""
UNLIKE = 0.1
"""Share of the voxels around a sure one that may face otherwise."""
MOST_PAIRS = 0.5
"""Share of the pairs between two parts above which these are one fault if so many are alike."""
NEAR = 8.0
"""Voxels from which a voxel that is not sure is taken in: about as far as those at a crossing are from sure ones."""
AROUND = 32
"""Sure voxels whose planes are tried for it: about half of the circle of so many voxels around it, of two faults."""
AT_ONCE = 1 << 14
"""Voxels for which others are looked up in one go: about 100 MB."""

Pairs = Iterable[tuple[Array, Array]]


def patch_numbers(voxels: Array, normals: Array, *, max_angle_deg: float, min_size: int = 1) -> tuple[Array, Array]:
    """Return the patch that each voxel belongs to.

    Neighbours, at most two voxels apart along each axis, are of one patch if their normals differ by no more than the
    largest angle and each lies in the other's plane. So faults that cross or meet at a larger angle are parted, and a
    chain of voxels may turn by any angle, as listric faults do. A fault that another one cuts is still one if its
    parts lie in one plane across BRIDGE voxels. Normals are averaged over neighbours before; where two faults cross,
    their normals say nothing, and voxels there go to the fault in whose plane they lie best.

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
    pairs = list(_neighbours(voxels))
    facing = _averaged(voxels, normals, pairs)
    sure = _sure(voxels, facing, min(SURE_DEG, max_angle_deg))
    member = _linked(np.arange(len(voxels)), voxels, facing, _among(sure, pairs), max_angle_deg)
    member = _merged(member, voxels, facing, _within(voxels, _beside(sure, pairs), BRIDGE), max_angle_deg)
    facing, member, taken = _taken_in(voxels, facing, member, sure)
    member = _linked(member, voxels, facing, _among(~sure & ~taken, pairs), max_angle_deg)
    # parts that touch, whose voxels now face as their fault does
    member = _merged(member, voxels, facing, pairs, max_angle_deg)
    member = np.unique(member, return_inverse=True)[1]
    sizes = np.bincount(member)
    order = np.argsort(-sizes, kind="stable")
    kept = sizes[order] >= min_size
    number = np.zeros(len(sizes), np.int64)
    number[order[kept]] = 1 + np.arange(int(kept.sum()))
    return number[member], sizes[order[~kept]]


def _neighbours(voxels: Array) -> Iterator[tuple[Array, Array]]:
    """Yield which voxels are neighbours of which, each pair once; the nearest first, so that few remain to join."""
    low = voxels.min(axis=0) - REACH
    sides = voxels.max(axis=0) - low + 1 + REACH
    place = np.ravel_multi_index(tuple((voxels - low).T), tuple(sides))
    order = np.argsort(place).astype(np.int32)
    ordered = place[order]
    steps = range(-REACH, REACH + 1)
    # of an offset and its opposite one is enough
    offsets = [np.array(one) for one in itertools.product(steps, steps, steps) if one > (0, 0, 0)]
    for offset in sorted(offsets, key=lambda one: int(one @ one)):
        wanted = place + np.ravel_multi_index(tuple(offset + REACH), tuple(sides))
        wanted -= np.ravel_multi_index((REACH,) * 3, tuple(sides))
        found = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
        first = np.flatnonzero(ordered[found] == wanted).astype(np.int32)
        yield first, order[found[first]]


def _among(these: Array, pairs: Pairs) -> Pairs:
    """Yield the pairs whose voxels are both among these."""
    for first, second in pairs:
        both = these[first] & these[second]
        yield first[both], second[both]


def _alike(voxels: Array, normals: Array, first: Array, second: Array, angle_deg: float) -> Array:
    """Return which pairs have normals that differ by no more than an angle, and lie in each other's plane."""
    cosine = np.abs(np.einsum("kn,kn->n", normals[:, first], normals[:, second]))
    offset = (voxels[second] - voxels[first]).T[::-1]
    away = np.maximum(*(np.abs(np.einsum("kn,kn->n", offset, normals[:, one])) for one in (first, second)))
    near = away <= OUT_OF_PLANE + BEND * np.linalg.norm(offset, axis=0)
    return np.asarray((cosine >= np.cos(np.radians(angle_deg)) - 1e-9) & near)


def _averaged(voxels: Array, normals: Array, pairs: Pairs) -> Array:
    """Return the normals averaged over neighbours of the same fault."""
    total = np.array(normals, float)
    for first, second in pairs:
        alike = _alike(voxels, normals, first, second, ONE_FAULT_DEG)
        one, other = first[alike], second[alike]
        sign = np.sign(np.einsum("kn,kn->n", normals[:, one], normals[:, other]))
        for part, values in zip(total, normals, strict=True):
            part += np.bincount(one, sign * values[other], len(part))
            part += np.bincount(other, sign * values[one], len(part))
    return np.asarray(total / np.linalg.norm(total, axis=0))


def _sure(voxels: Array, normals: Array, angle_deg: float) -> Array:
    """Return which voxels have neighbours all around that face alike."""
    n = len(voxels)
    total, unlike = np.zeros(n), np.zeros(n)
    for first, second in _within(voxels, np.arange(n), SURE_VOXELS):
        total += np.bincount(first, minlength=n)
        unlike += np.bincount(first, ~_alike(voxels, normals, first, second, angle_deg), n)
    return np.asarray(unlike <= UNLIKE * total)


def _within(voxels: Array, these: Array, distance: float) -> Iterator[tuple[Array, Array]]:
    """Yield the pairs of these voxels that are no farther apart than a distance, both ways."""
    if not len(these):
        return
    tree = spatial.cKDTree(voxels[these])
    for start in range(0, len(these), AT_ONCE):
        some = these[start : start + AT_ONCE]
        found = spatial.cKDTree(voxels[some]).sparse_distance_matrix(tree, distance, output_type="ndarray")
        yield some[found["i"]], these[found["j"]]


def _linked(member: Array, voxels: Array, normals: Array, pairs: Pairs, angle_deg: float) -> Array:
    """Return the members after each pair that is alike is joined."""
    for first, second in pairs:
        apart = member[first] != member[second]
        one, other = first[apart], second[apart]
        alike = _alike(voxels, normals, one, other, angle_deg)
        member = _joined(member, member[one[alike]], member[other[alike]])
    return member


def _merged(member: Array, voxels: Array, normals: Array, pairs: Pairs, angle_deg: float) -> Array:
    """Return the members after parts are joined between which most pairs are alike."""
    n = int(member.max()) + 1
    votes = sparse.csr_array((n, n))
    for first, second in pairs:
        apart = member[first] != member[second]
        one, other = first[apart], second[apart]
        parts = np.sort([member[one], member[other]], axis=0)
        vote = _alike(voxels, normals, one, other, angle_deg) - MOST_PAIRS
        votes = votes + sparse.csr_array((vote, parts), shape=(n, n))
    return _joined(member, *(votes > 0).nonzero())


def _joined(member: Array, first: Array, second: Array) -> Array:
    """Return the members after parts are joined to others."""
    if not len(first):
        return member
    n = int(member.max()) + 1
    graph = sparse.coo_array((np.ones(len(first), np.int8), (first, second)), shape=(n, n))
    return np.asarray(sparse.csgraph.connected_components(graph, directed=False)[1])[member]


def _beside(sure: Array, pairs: Pairs) -> Array:
    """Return the sure voxels that have neighbours which are not."""
    beside = np.zeros(len(sure), bool)
    for first, second in pairs:
        mixed = sure[first] != sure[second]
        beside[first[mixed]] = beside[second[mixed]] = True
    return np.flatnonzero(beside & sure)


def _taken_in(voxels: Array, normals: Array, member: Array, sure: Array) -> tuple[Array, Array, Array]:
    """Return normals and members after unsure voxels got those of the sure one near them in whose plane they lie best.

    The last array says which did.
    """
    lost, known = np.flatnonzero(~sure), np.flatnonzero(sure)
    normals, member, taken = normals.copy(), member.copy(), np.zeros(len(voxels), bool)
    if not len(known):
        return normals, member, taken
    tree = spatial.cKDTree(voxels[known])
    for start in range(0, len(lost), AT_ONCE):
        some = lost[start : start + AT_ONCE]
        distance, found = tree.query(voxels[some], k=[*range(1, AROUND + 1)], distance_upper_bound=NEAR)
        near = np.isfinite(distance)
        around = known[np.where(near, found, 0)]
        offset = (voxels[some][:, None] - voxels[around])[..., ::-1]
        away = np.where(near, np.abs(np.einsum("nak,kna->na", offset, normals[:, around])), np.inf)
        # of planes that are as near, the one whose voxel is nearer
        best = (away + np.where(near, distance, 0) / (2 * AROUND)).argmin(axis=1)
        rows = np.arange(len(some))
        good = away[rows, best] <= OUT_OF_PLANE
        into, from_ = some[good], around[rows, best][good]
        normals[:, into], member[into], taken[into] = normals[:, from_], member[from_], True
    return normals, member, taken
