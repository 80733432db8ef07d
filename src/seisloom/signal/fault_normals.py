"""Which way faults face, told from their image: normals by the structure tensor.

Voxels are rows (inline, crossline, time) of whole numbers; normals are (3, voxel) in the order depth, crossline,
inline, of unit length and either sign. A line has one inline or one crossline.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from scipy import ndimage, spatial

from seisloom.sample import Array

SMOOTH_VOXELS, WINDOW_VOXELS = 1.0, 3.0
"""Of the image before its gradient, and of the average of gradients: about the thickness of labels, 1 to 3."""
BORDER = 3
"""Voxels at the image's border that are not looked at: three times the smoothing."""
MOST_SECOND = 0.05
"""Of the second largest change over the largest: a plane's voxels make 0.01, two faults at 45 degrees up to 0.17."""
AROUND = 64
"""Voxels whose planes are tried where faults cross: some of both, on both sides."""


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


def mean_normal(normals: Array) -> Array:
    """Return the direction that normals have on average, whatever their signs, shape (3,).

    It is the largest eigenvector of the mean of n nᵀ; normals that are not known (NaN) are left out.
    """
    known = normals[:, np.isfinite(normals).all(axis=0)]
    return np.asarray(np.linalg.eigh(known @ known.T)[1][:, -1]) if known.size else np.full(3, np.nan)
