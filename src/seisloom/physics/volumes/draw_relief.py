"""Folds, tilt, domes, flexures, sags and the relief of an unconformity: what bends layers without breaking them."""

from __future__ import annotations

import numpy as np

from seisloom.physics.volumes.inverse_map import FLEXURE, SAG
from seisloom.physics.volumes.model import Shape
from seisloom.physics.volumes.priors import VolumePriors
from seisloom.sample import Array

SPACING = 8.0  # voxels from control point to control point: half of the narrowest fold's standard deviation
STEEPEST_THINNING = 0.5  # of the layers from top to bottom: relief may grow by no more than this a sample


def draw_controls(
    rng: np.random.Generator, shape: Shape, priors: VolumePriors, *, margin: float
) -> tuple[Array, tuple[float, float, float]]:
    """Return control points of the relief at top and bottom and of an unconformity, and where they are.

    Args:
        rng: drawn from.
        shape: of the volume.
        priors: ranges of height, width, growth and tilt.
        margin: how far in voxels faults may carry layers along; the relief goes on that far beyond the volume.
    Returns:
        Heights in samples, positive down, shape (3, inline, crossline); inline and crossline of the first one, and
        the spacing.
    """
    n = [int(np.ceil((side - 1 + 2 * margin) / SPACING)) + 5 for side in shape[:2]]
    if shape[0] == 1:
        n[0] = 6
    start = [-SPACING * ((count - 1) // 2) + (side - 1) / 2 for count, side in zip(n, shape, strict=False)]
    x, y = (first + SPACING * np.arange(count) for first, count in zip(start, n, strict=True))
    folds = _folds(rng, (len(x), len(y)), priors)
    if rng.random() < priors.p_domes:
        folds += _domes(rng, x, y, shape, priors)
    azimuth, slope = rng.uniform(0, 2 * np.pi), rng.uniform(*priors.tilt)
    if shape[0] == 1:
        azimuth = rng.choice([0.5, 1.5]) * np.pi
    folds += slope * (np.cos(azimuth) * (x[:, None] - shape[0] / 2) + np.sin(azimuth) * (y - shape[1] / 2))
    # the bottom has more relief, and some of its own, so that layers thicken and thin along them
    own = 0.15 * _folds(rng, (len(x), len(y)), priors)
    more = rng.uniform(*priors.relief_growth) * folds + own
    more *= min(1.0, STEEPEST_THINNING * shape[2] / max(np.abs(more).max(), 1e-9))
    surface = 0.6 * _folds(rng, (len(x), len(y)), priors)
    if shape[0] == 1:
        folds, more, surface = (np.repeat(values[:1], n[0], axis=0) for values in (folds, more, surface))
    return np.stack([folds, folds + more, surface]), (float(start[0]), float(start[1]), SPACING)


def draw_bends(rng: np.random.Generator, shape: Shape, priors: VolumePriors) -> Array:
    """Return flexures and sags: steep relief without a break, shape (bend, 8)."""
    rows = []
    n_flexures = int(rng.integers(1, 4)) if rng.random() < priors.p_flexure else 0
    n_sags = int(rng.integers(1, 5)) if rng.random() < priors.p_sag else 0
    for kind in [FLEXURE] * n_flexures + [SAG] * n_sags:
        azimuth = rng.uniform(0, np.pi)
        i, j = rng.uniform(0, 1, 2) * (np.array(shape[:2]) - 1)
        if shape[0] == 1:
            azimuth, i = 0.0, 0.0
        width = np.exp(rng.uniform(*np.log([4, 14]) if kind == FLEXURE else np.log([5, 20])))
        # at its steepest a flexure has 0.75 height / width samples a trace, a sag 1.54
        height = rng.uniform(0.3, 1.3) * width * (1.0 if kind == FLEXURE else 0.5)
        long = width * rng.uniform(1.0, 10.0)
        sign = rng.choice([-1.0, 1.0]) if kind == FLEXURE else 1.0
        rows.append([i, j, np.cos(azimuth), np.sin(azimuth), kind, 1 / long, 1 / width, sign * height])
    return np.array(rows).reshape(-1, 8)


def _folds(rng: np.random.Generator, n: tuple[int, int], priors: VolumePriors) -> Array:
    """Return smoothed white noise at control points, of a drawn height between its extremes in a typical volume."""
    width = rng.uniform(*priors.relief_width) / SPACING
    height = rng.uniform(*priors.relief_samples)
    reach = int(np.ceil(3 * width))
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    taps /= np.sqrt(np.sum(taps**2))
    noise = rng.standard_normal([size + 2 * reach for size in n])
    for axis in (0, 1):
        windows = np.lib.stride_tricks.sliding_window_view(noise, len(taps), axis=axis)
        noise = np.einsum("ijk,k->ij", windows, taps)
    return np.asarray(noise * height / 4)  # extremes of a smooth field are about 2 standard deviations on either side


def _domes(rng: np.random.Generator, x: Array, y: Array, shape: Shape, priors: VolumePriors) -> Array:
    """Return 1 to 4 Gaussian domes or basins at control points."""
    total = np.zeros((len(x), len(y)))
    for _ in range(int(rng.integers(1, 5))):
        i, j = rng.uniform(-0.1, 1.1, 2) * (np.array(shape[:2]) - 1)
        width = rng.uniform(*priors.relief_width) * 1.3
        height = rng.uniform(*priors.relief_samples) * rng.choice([-1.0, 1.0])
        squared = ((x[:, None] - i) ** 2 + (y - j) ** 2) / (2 * width**2)
        total += height * np.exp(-squared)
    return total
