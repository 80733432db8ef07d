"""Layers on both sides of a fault that are the same, found where the image along one side is like that along the other.

A fault in a section is a list of voxels, one for each step along it, and at each the lean of the fault there: traces
that it goes to the right for one sample down. Sections are (trace, time).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy import sparse, spatial

from seisloom.sample import Array

BESIDE = 5
"""Traces from a fault to the strip of image beside it: clear of what a fault smears, and near enough for its layers."""
HALF_STRIP = 24
"""Samples of a strip above and below a voxel; the farther, the less they weigh, by a Gaussian of half that length."""
LONGEST_THROW = 30
"""Samples up to which layers are looked for, up and down."""
LEAST_SEEN = 0.3
"""Share of a strip that has to lie inside the section on both sides."""
STEEPEST_LEAN = 2.3
"""Traces a sample; flatter faults follow layers, and nothing is on their sides."""
ALONG = 6.0
"""Standard deviation in samples of the average along a fault: throws change slowly along it."""
BESIDE_FAULT, LEAN_APART = 3.0, 0.3
"""Traces from the fault's line, and difference in lean, up to which another voxel is of the same fault."""
LEAST_LIKE = 0.7
"""Correlation from which on two strips may be the same layers. The best lag of noise of a band of layers reaches it in
one of ten, and is then seldom clear of the next best."""
OWN_LAG, CLEAR = 3, 0.2
"""Samples around the best lag that are its own, and how much less like the next best has to be to count in full."""


@dataclass(frozen=True, slots=True)
class Throws:
    """Points on both sides of faults that are the same layer, one pair for each voxel of a fault."""

    left: Array
    """Trace and time, shape (voxel, 2), whole or not."""
    right: Array
    sureness: Array
    """0, not the same layer as far as can be told, to 1; shape (voxel,)."""


def match_throws(image: Array, voxels: Array, lean: Array) -> Throws:
    """Return which layers meet at the voxels of faults in a section.

    Beside each voxel a strip of the image is taken along the fault on its left, and a longer one on its right. The lag
    at which they correlate best is the throw; correlations are averaged along the fault before the best is taken.

    Args:
        image: shape (trace, time), such as a denoised section.
        voxels: of thinned faults, trace and time, shape (n, 2).
        lean: of the fault at each, shape (n,), see the file's text; NaN or too flat is left out (sureness 0).
    Source: Hale (2013), Geophysics 78(2), O33-O43, who takes images from both sides of a fault and warps one onto the
        other.
    """
    steep = np.abs(lean) <= STEEPEST_LEAN
    safe = np.where(steep, lean, 0.0)
    at = np.asarray(voxels, np.float64)
    like = np.full((len(at), 2 * LONGEST_THROW + 1), -1.0, np.float32)
    taper = np.exp(-0.5 * (np.arange(-HALF_STRIP, HALF_STRIP + 1) / (HALF_STRIP / 2)) ** 2)
    _correlate(np.ascontiguousarray(image, np.float32), at, safe, taper, like)
    like = fault_average(voxels, safe) @ like
    lags = np.arange(-LONGEST_THROW, LONGEST_THROW + 1)
    best = like.argmax(axis=1)
    most = like[np.arange(len(at)), best]
    others = np.where(np.abs(lags - lags[best, None]) > OWN_LAG, like, -1)
    clear = np.clip((most - others.max(axis=1)) / CLEAR, 0, 1)
    sureness = np.where(steep & (most > LEAST_LIKE), most**2 * clear, 0.0)
    throw = lags[best]
    ends = np.array(image.shape) - 1.0
    left = np.clip(at - [BESIDE, 0], 0, ends)
    right = np.clip(at + np.stack([BESIDE + safe * throw, throw], axis=1), 0, ends)
    return Throws(left, right, sureness)


def fault_average(voxels: Array, lean: Array) -> sparse.csr_array:
    """Return the matrix that averages values of voxels along their fault, shape (n, n); its rows add up to 1."""
    at, n = np.asarray(voxels, np.float64), len(voxels)
    pairs = spatial.cKDTree(at).query_pairs(2 * ALONG, p=np.inf, output_type="ndarray") if n else np.zeros((0, 2), int)
    first, second = np.concatenate([pairs, pairs[:, ::-1], np.arange(n)[:, None].repeat(2, axis=1)]).T
    across, down = (at[second] - at[first]).T
    same = np.abs(across - lean[first] * down) <= BESIDE_FAULT
    same &= np.abs(lean[first] - lean[second]) < LEAN_APART
    weight = np.exp(-0.5 * (down[same] / ALONG) ** 2)
    total = np.bincount(first[same], weight, minlength=n)
    return sparse.csr_array((weight / total[first[same]], (first[same], second[same])), shape=(n, n))


@njit(cache=True, nogil=True)
def _correlate(image: Array, at: Array, lean: Array, taper: Array, like: Array) -> None:
    """Fill the correlation of the strips of each voxel at each lag, shape (voxel, lag), where enough of both is seen.

    The strip on the right goes on beyond that on the left by the longest lag at both ends.
    """
    n_left, n_lags = taper.size, like.shape[1]
    half, longest = n_left // 2, n_lags // 2
    left, right = np.zeros(n_left), np.zeros(n_left + n_lags - 1)
    in_left, in_right = np.zeros(left.size, np.bool_), np.zeros(right.size, np.bool_)
    whole = taper.sum()
    for i in range(at.shape[0]):
        _strip(image, at[i, 0] - BESIDE, at[i, 1], lean[i], half, left, in_left)
        _strip(image, at[i, 0] + BESIDE, at[i, 1], lean[i], half + longest, right, in_right)
        for lag in range(n_lags):
            seen, product, ours, theirs = 0.0, 0.0, 0.0, 0.0
            for k in range(n_left):
                if in_left[k] and in_right[k + lag]:
                    seen += taper[k]
                    product += taper[k] * left[k] * right[k + lag]
                    ours += taper[k] * left[k] ** 2
                    theirs += taper[k] * right[k + lag] ** 2
            if seen > LEAST_SEEN * whole and ours > 0 and theirs > 0:
                like[i, lag] = product / np.sqrt(ours * theirs)


@njit(cache=True, nogil=True)
def _strip(image: Array, trace: float, time: float, lean: float, half: int, values: Array, inside: Array) -> None:
    """Fill the image along a line that leans, linear between traces, and which of it lies inside the section."""
    for k in range(values.size):
        x, z = trace + lean * (k - half), int(time) + k - half
        inside[k] = 0 <= x <= image.shape[0] - 1 and 0 <= z < image.shape[1]
        if inside[k]:
            low = min(int(x), image.shape[0] - 2)
            values[k] = image[low, z] + (x - low) * (image[low + 1, z] - image[low, z])
