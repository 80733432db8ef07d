"""From a place in the volume back to the layer that was there: the one map that image and labels come from.

A place is pulled back through what happened to it, the youngest event first: faults, the unconformity, older faults,
flexures and sags, folds. What remains is the depth in the undeformed stack of layers. Every step has a closed form, so
that nothing is resampled, and a voxel depends on its own coordinates alone.

All compiled functions of the map stand in this file: Numba's cache looks for changes in the file of the outer one only.
No transcendental function is called where loops are vectorised, and none is reassociated, so that a voxel has the same
bytes in any box.
"""

from __future__ import annotations

from math import atan2, cos, degrees, floor, sin, sqrt
from typing import Any

import numpy as np
from numba import njit

from seisloom.sample import Array

# Columns of the table of faults. A fault is the surface h = H(depth) + wave(u) about its centre, where h runs along
# the dip's horizontal direction, (cos s, -sin s) in (crossline, inline), and u along the strike, (sin s, cos s).
INLINE, CROSSLINE, DEPTH, COS_STRIKE, SIN_STRIKE = 0, 1, 2, 3, 4
COT, COT_SLOPE, HALF_CURVE = 5, 6, 7  # cotangent of the dip at the centre, its change a sample, within +- HALF_CURVE
WAVE, WAVE_NUMBER, WAVE_PHASE = 8, 9, 10
THROW = 11  # in samples; above 0 where the side h > H went down
STRIKE_SLIP = 12  # slip along u, a sample of throw
SHARE = 13  # of the throw that moves the side h > H; the other side has the rest
PROFILE, PER_LENGTH, PER_HEIGHT, PER_REACH = 14, 15, 16, 17  # reciprocals of half axes in voxels; 0 is endless
BAND = 18  # |h - H| beyond which no label can be
DRAG, PER_DRAG = 19, 20  # share of the throw by which layers bend towards the fault, and reciprocal of how far they do
N_COLUMNS = 21
CONSTANT, BELL, LINEAR, GROWTH, ELLIPTIC = 0, 1, 2, 3, 4

# Columns of the table of flexures and sags, after INLINE and CROSSLINE; lengths are reciprocals
BEND_COS, BEND_SIN, KIND, PER_LONG, PER_WIDTH, HEIGHT = 2, 3, 4, 5, 6, 7
FLEXURE, SAG = 0, 1

PER_SAMPLE = 8  # entries a sample of the table of layers
MOST_TURNED = 0.8  # cosine of the largest angle by which a younger fault turns an older one
LARGEST_STRETCH = 0.6  # depth in the stack a sample of depth differs from 1 by more only across a fault


@njit(cache=True, nogil=True, inline="always")
def _bell(squared: float) -> float:
    """Return about exp(-x^2/2), exactly 0 from x^2 = 8 on."""
    left = 1.0 - squared / 8.0
    return left * left * left * left if left > 0.0 else 0.0


@njit(cache=True, nogil=True)
def _throw_share(faults: Array, n: int, u: float, depth: float) -> float:
    """Return the share of a fault's throw at a place on its surface, 0 to 1."""
    length, height = u * faults[n, PER_LENGTH], depth * faults[n, PER_HEIGHT]
    profile = faults[n, PROFILE]
    if profile == CONSTANT:
        return 1.0
    if profile == ELLIPTIC:
        left = 1.0 - length * length - height * height
        return left * left if left > 0.0 else 0.0
    if profile == BELL:
        return _bell(8.0 * (length * length + height * height))
    if abs(length) >= 1.0:
        return 0.0
    if profile == LINEAR:
        return float(max(0.0, 1.0 - abs(height)) * (1.0 - abs(length)))
    return float(min(1.0, max(0.0, 0.5 + 0.5 * height)) * (1.0 - length * length))


@njit(cache=True, nogil=True, inline="always")
def _reach_of_dip(faults: Array, n: int, depth: float) -> float:
    """Return H(depth): where the surface is, along the horizontal direction of its dip."""
    half = faults[n, HALF_CURVE]
    inside = min(max(depth, -half), half)
    return float(faults[n, COT] * depth + faults[n, COT_SLOPE] * inside * (depth - 0.5 * inside))


@njit(cache=True, nogil=True, inline="always")
def _cot_of_dip(faults: Array, n: int, depth: float) -> float:
    half = faults[n, HALF_CURVE]
    return float(faults[n, COT] + faults[n, COT_SLOPE] * min(max(depth, -half), half))


@njit(cache=True, nogil=True, inline="always")
def _side(faults: Array, n: int, away: float) -> float:
    """Return the share of the throw that a place has moved down, from SHARE - 1 on one side to SHARE on the other.

    With drag a part of the throw is not a break: layers within 1 / PER_DRAG of the fault bend towards it.
    """
    beyond = 1.0 if away >= 0.0 else 0.0
    q = min(1.0, max(-1.0, away * faults[n, PER_DRAG]))
    bent = 0.5 + 0.25 * q * (3.0 - q * q)
    return float(faults[n, SHARE] + (beyond - 1.0) + faults[n, DRAG] * (bent - beyond))


@njit(cache=True, nogil=True, inline="always")  # a tenth faster
def _undo(faults: Array, n: int, x: float, y: float, z: float, drags: bool | None) -> Any:
    """Return where a place was before a fault moved it, and of the fault there: away = h - H - wave, throw, slopes.

    The slopes are those of the wave along the strike and of H along depth. Beyond the tips, away is infinite.
    """
    dx, dy, depth = x - faults[n, INLINE], y - faults[n, CROSSLINE], z - faults[n, DEPTH]
    u = dy * faults[n, SIN_STRIKE] + dx * faults[n, COS_STRIKE]
    throw = faults[n, THROW] * _throw_share(faults, n, u, depth)
    if throw == 0.0:
        return x, y, z, np.inf, 0.0, 0.0, 0.0
    reach = _reach_of_dip(faults, n, depth)
    h = dy * faults[n, COS_STRIKE] - dx * faults[n, SIN_STRIKE]
    away, wave_slope = h - reach, 0.0
    if faults[n, WAVE] != 0.0:
        angle = faults[n, WAVE_NUMBER] * u + faults[n, WAVE_PHASE]
        away -= faults[n, WAVE] * sin(angle)
        if abs(away) < faults[n, BAND]:
            wave_slope = faults[n, WAVE] * faults[n, WAVE_NUMBER] * cos(angle)
    near = 1.0 - (away * faults[n, PER_REACH]) ** 2
    if near > 0.0:
        if drags is None:  # known while it compiles: to ask each fault costs volumes without drag a fifth
            side = faults[n, SHARE] if away >= 0.0 else faults[n, SHARE] - 1.0
        else:
            side = _side(faults, n, away)
        down = throw * near * near * side
        if down != 0.0:
            # the same step along the curve of the fault for all, so that no place crosses it
            h -= reach - _reach_of_dip(faults, n, depth - down)
            u -= faults[n, STRIKE_SLIP] * down
            x = faults[n, INLINE] + u * faults[n, COS_STRIKE] - h * faults[n, SIN_STRIKE]
            y = faults[n, CROSSLINE] + h * faults[n, COS_STRIKE] + u * faults[n, SIN_STRIKE]
            z -= down
    return x, y, z, away, throw, wave_slope, _cot_of_dip(faults, n, depth)


@njit(cache=True, nogil=True)
def _away_now(faults: Array, n: int, x: float, y: float, z: float, drags: bool | None) -> float:
    """Return how far a place is from a fault as younger faults have left it, along the fault's h; inf beyond tips."""
    for younger in range(n):
        x, y, z, _, _, _, _ = _undo(faults, younger, x, y, z, drags)
    return float(_undo(faults, n, x, y, z, drags)[3])


@njit(cache=True, nogil=True)
def _normal_now(faults: Array, n: int, x: float, y: float, z: float, young: Any, drags: bool | None) -> Any:
    """Return a normal of a fault in (depth, crossline, inline), turned by younger faults since it was `young`."""
    inline = _away_now(faults, n, x + 0.5, y, z, drags) - _away_now(faults, n, x - 0.5, y, z, drags)
    cross = _away_now(faults, n, x, y + 0.5, z, drags) - _away_now(faults, n, x, y - 0.5, z, drags)
    depth = _away_now(faults, n, x, y, z + 0.5, drags) - _away_now(faults, n, x, y, z - 0.5, drags)
    both = sqrt(depth**2 + cross**2 + inline**2) * sqrt(young[0] ** 2 + young[1] ** 2 + young[2] ** 2)
    # a younger fault between two of the points makes the difference meaningless, as does a tip (inf or NaN)
    if depth * young[0] + cross * young[1] + inline * young[2] > MOST_TURNED * both:
        return depth, cross, inline
    return young


@njit(cache=True, nogil=True)
def _angles(depth: float, cross: float, inline: float) -> tuple[float, float]:
    """Return dip and strike in degrees of a normal of any length."""
    dip = degrees(atan2(sqrt(cross * cross + inline * inline), -depth))
    strike = degrees(atan2(-inline, cross))
    if strike < 0.0:
        strike, dip = strike + 180.0, 180.0 - dip
    if strike >= 180.0:
        strike, dip = strike - 180.0, 180.0 - dip
    return dip, strike + 0.0  # no negative zero


@njit(cache=True, nogil=True)
def _spline(controls: Array, first_i: float, first_j: float, spacing: float, x: float, y: float) -> Any:
    """Return the three surfaces at a place: cubic B-splines, constant beyond their control points."""
    p = min(max((x - first_i) / spacing, 1.0), controls.shape[1] - 3.0)
    q = min(max((y - first_j) / spacing, 1.0), controls.shape[2] - 3.0)
    i, j = np.int64(floor(p)), np.int64(floor(q))
    a, b = p - i, q - j
    a0, a1 = (1 - a) ** 3 / 6, (3 * a * a * a - 6 * a * a + 4) / 6
    a2, a3 = (-3 * a * a * a + 3 * a * a + 3 * a + 1) / 6, a * a * a / 6
    b0, b1 = (1 - b) ** 3 / 6, (3 * b * b * b - 6 * b * b + 4) / 6
    b2, b3 = (-3 * b * b * b + 3 * b * b + 3 * b + 1) / 6, b * b * b / 6
    top = bottom = unconformity = 0.0
    for m in range(4):
        weight = a0 if m == 0 else a1 if m == 1 else a2 if m == 2 else a3
        row = controls[:, i - 1 + m, j - 1 : j + 3]
        top += weight * (b0 * row[0, 0] + b1 * row[0, 1] + b2 * row[0, 2] + b3 * row[0, 3])
        bottom += weight * (b0 * row[1, 0] + b1 * row[1, 1] + b2 * row[1, 2] + b3 * row[1, 3])
        unconformity += weight * (b0 * row[2, 0] + b1 * row[2, 1] + b2 * row[2, 2] + b3 * row[2, 3])
    return top, bottom, unconformity


@njit(cache=True, nogil=True)
def _bent(bends: Array, x: float, y: float) -> float:
    """Return by how many samples flexures and sags moved a place down."""
    shift = 0.0
    for n in range(bends.shape[0]):
        dx, dy = x - bends[n, INLINE], y - bends[n, CROSSLINE]
        cs, sn = bends[n, BEND_COS], bends[n, BEND_SIN]
        h, u = dy * cs - dx * sn, dy * sn + dx * cs
        if bends[n, KIND] == FLEXURE:
            q = min(1.0, max(-1.0, h * bends[n, PER_WIDTH]))
            shift += bends[n, HEIGHT] * 0.5 * q * (1.5 - 0.5 * q * q)
        else:
            left = 1.0 - (h * bends[n, PER_WIDTH]) ** 2 - (u * bends[n, PER_LONG]) ** 2
            if left > 0.0:
                shift += bends[n, HEIGHT] * left * left
    return shift


@njit(cache=True, nogil=True)
def _layer_value(table: Array, depth: float) -> float:
    """Return half the log impedance at a depth in the stack, which repeats itself beyond the table."""
    place = depth * PER_SAMPLE
    below = floor(place)
    part = place - below
    at = np.int64(below) & (table.shape[0] - 1)  # its length is a power of two
    return float((1.0 - part) * table[at] + part * table[(at + 1) & (table.shape[0] - 1)])


@njit(cache=True, nogil=True)
def map_columns(
    c0: int,
    c1: int,
    first: Array,  # (inline, crossline, time) of the box's first voxel
    margin: Array,  # voxels around the box in which reflectivity is wanted too
    faults: Array,
    bends: Array,
    controls: Array,
    stack: Array,  # numbers of the stack, see model.stack_numbers
    table: Array,
    dims: Array,
    reflectivity: Array,  # (inline, crossline, time) with margins; size 0 where it is not wanted
    rgt: Array,  # the labels, of the box itself; size 0 where they are not wanted
    fault: Array,
    dip: Array,
    strike: Array,
    n_ij: Array,
    n_time: int,
    drags: bool | None,  # None where no fault has drag
) -> None:
    """Fill columns c0 to c1 of a box, counted with its margins, by pulling each voxel back to its layer."""
    first_i, first_j, spacing, n_young, has_unconformity = stack[0], stack[1], stack[2], int(stack[3]), stack[4] > 0
    onlap, surface_depth, gap, per_depth = stack[5], stack[6], stack[7], stack[8]
    rgt_zero, rgt_scale, half_label, least_throw, plane_share = stack[9], stack[10], stack[11], stack[12], stack[13]
    wants_labels, wants_reflectivity = rgt.size > 0, reflectivity.size > 0
    n_cross = n_ij[1] + 2 * margin[1]
    for c in range(c0, c1):
        ii, jj = c // n_cross, c % n_cross
        i, j = ii - margin[0], jj - margin[1]
        column_x, column_y = float(first[0] + i), float(first[1] + j)
        labelled = wants_labels and 0 <= i < n_ij[0] and 0 <= j < n_ij[1]
        if not (labelled or wants_reflectivity):
            continue
        column_top, column_bottom, column_surface = _spline(controls, first_i, first_j, spacing, column_x, column_y)
        column_bent = _bent(bends, column_x, column_y)
        before, young_before = 0.0, False
        for k in range(-1, n_time + 2 * margin[2]):
            x, y, z = column_x, column_y, float(first[2] - margin[2] + k)
            kk = k - margin[2]
            labels_here = labelled and 0 <= kk < n_time
            nearest, best, best_slope, best_cot, best_turned = half_label, -1, 0.0, 0.0, False
            moved, turned, young = False, False, False
            top, bottom, surface = column_top, column_bottom, column_surface
            for n in range(faults.shape[0]):
                if has_unconformity and n == n_young:
                    if moved:
                        top, bottom, surface = _spline(controls, first_i, first_j, spacing, x, y)
                    if z < surface_depth + surface:
                        young = True
                        break
                z_now = z
                x, y, z, away, throw, wave_slope, cot = _undo(faults, n, x, y, z, drags)
                if labels_here and abs(away) < faults[n, BAND] and abs(throw) >= least_throw:
                    distance = abs(away) / sqrt(1.0 + cot * cot + wave_slope * wave_slope)
                    if distance < nearest:
                        nearest, best, best_slope, best_cot, best_turned = distance, n, wave_slope, cot, turned
                if z != z_now:
                    moved = True
                    turned |= faults[n, PROFILE] != CONSTANT
            bent = column_bent
            if moved and not young:
                top, bottom, surface = _spline(controls, first_i, first_j, spacing, x, y)
                bent = _bent(bends, x, y)
            if has_unconformity and n_young >= faults.shape[0] and z < surface_depth + surface:
                young = True
            if young:
                depth_in_stack = z - onlap * surface
            else:
                z -= bent
                depth_in_stack = z - (top + (bottom - top) * min(1.0, max(0.0, z * per_depth))) + gap
            if labels_here:
                rgt[i, j, kk] = (depth_in_stack - rgt_zero) * rgt_scale
                if best >= 0:
                    fault[i, j, kk] = 1.0
                    cs, sn = faults[best, COS_STRIKE], faults[best, SIN_STRIKE]
                    normal = -best_cot, cs - best_slope * sn, -sn - best_slope * cs
                    if best_turned:
                        normal = _normal_now(faults, best, column_x, column_y, float(first[2] + kk), normal, drags)
                    dip[i, j, kk], strike[i, j, kk] = _angles(normal[0], normal[1], normal[2])
                else:
                    fault[i, j, kk] = dip[i, j, kk] = strike[i, j, kk] = 0.0
            if wants_reflectivity:
                if k >= 0:
                    here = _layer_value(table, depth_in_stack)
                    if abs(depth_in_stack - before - 1.0) <= LARGEST_STRETCH or young != young_before:
                        value = here - _layer_value(table, before)
                    else:  # the layers go on as they did; the plane itself reflects little of the contrast
                        value = (1.0 - plane_share) * (here - _layer_value(table, depth_in_stack - 1.0))
                        value += plane_share * (here - _layer_value(table, before))
                    reflectivity[ii, jj, k] = value
                before, young_before = depth_in_stack, young
        if wants_reflectivity:
            _dim(dims, column_x, column_y, first[2] - margin[2], reflectivity[ii, jj])


@njit(cache=True, nogil=True)
def _dim(dims: Array, x: float, y: float, first_z: int, column: Array) -> None:
    """Multiply a column by what dim zones leave of its amplitudes."""
    for n in range(dims.shape[0]):
        lateral = ((x - dims[n, 0]) * dims[n, 3]) ** 2 + ((y - dims[n, 1]) * dims[n, 4]) ** 2
        if lateral >= 1.0:
            continue
        for k in range(column.shape[0]):
            left = 1.0 - lateral - ((first_z + k - dims[n, 2]) * dims[n, 5]) ** 2
            if left > 0.0:
                column[k] *= 1.0 - dims[n, 6] * left * left
