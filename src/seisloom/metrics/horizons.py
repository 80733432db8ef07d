"""Scores of relative geologic time (RGT), which is defined up to a rising map: aligned first, or free of the map.

Volumes are (inline, crossline, time) or (crossline, time): the last axis goes down. RGT is NaN where nobody knows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import optimize

from seisloom.errors import DataError
from seisloom.metrics.image import ssim
from seisloom.metrics.overlap import distance_to
from seisloom.sample import Array

N_HORIZONS = 16
NEAR_FAULT_VOXELS = 5.0
"""Within this distance of a fault voxel a horizon counts as crossing the fault: a few voxels beyond label thickness."""
N_PAIRS = 100_000
"""The standard error of a share of so many pairs is at most 0.0016."""


def align_isotonic(predicted: Array, truth: Array) -> Array:
    """Return the predicted RGT under the rising map that brings it nearest to the truth in least squares.

    Args:
        predicted: any unit, shape of `truth`.
        truth: RGT; NaN is not known, and NaN in the result.
    Source: the pool-adjacent-violators solution, scipy.optimize.isotonic_regression; equal predictions are pooled.
    """
    known, member, count = _levels_of(predicted, truth)
    mean = np.bincount(member, weights=np.asarray(truth, float)[known]) / count
    fitted = optimize.isotonic_regression(mean, weights=count).x if count.size else mean
    return _spread(fitted[member], known)


def align_quantile(predicted: Array, truth: Array) -> Array:
    """Return the predicted RGT with the truth's distribution: each value becomes the truth's of the same rank.

    Unlike the least-squares map this one is strictly rising, so that no surface of equal value is lost. Only the order
    of the predicted values matters: whatever rising map they came through, the result is the same.

    Args:
        predicted, truth: as in `align_isotonic`; equal predictions get the mean of their ranks' values.
    """
    known, member, count = _levels_of(predicted, truth)
    ordered = np.sort(np.asarray(truth, float)[known])
    matched = np.add.reduceat(ordered, np.cumsum(count) - count) / count if count.size else ordered
    return _spread(matched[member], known)


def aligned_scores(predicted: Array, truth: Array) -> dict[str, float]:
    """Return MAE and SSIM of the predicted RGT after the least-squares rising map.

    Returns:
        mae in units of the truth, mae_share of the truth's range, ssim with that range.
    """
    aligned, truth = align_isotonic(predicted, truth), np.asarray(truth, float)
    known = ~np.isnan(truth)
    if not known.any():
        return dict.fromkeys(("mae", "mae_share", "ssim"), float("nan"))
    value_range = float(np.ptp(truth[known]))
    mae = float(np.abs(aligned - truth)[known].mean())
    return {
        "mae": mae,
        "mae_share": mae / value_range if value_range else float("nan"),
        "ssim": ssim(aligned, truth, value_range=value_range),
    }


def reference_levels(truth: Array, n_horizons: int = N_HORIZONS) -> Array:
    """Return true RGT values of horizons, shape (n_horizons,): evenly spaced quantiles, none at the volume's ends."""
    known = np.asarray(truth, float)[~np.isnan(truth)]
    return np.quantile(known, (np.arange(n_horizons) + 0.5) / n_horizons) if known.size else np.zeros(0)


def surface_depth(rgt: Array, level: float) -> Array:
    """Return the depth at which each trace first rises to a level, in samples, linear between two; shape (...).

    Where RGT folds back on itself, as at a reverse fault, this is the uppermost of the depths.

    Args:
        rgt: shape (..., time).
        level: the value of the surface.
    Returns:
        NaN where the trace starts at or above the level, never reaches it, or is not known just above.
    """
    rgt = np.asarray(rgt, float)
    reached = rgt >= level
    idx = reached.argmax(axis=-1)
    below = np.take_along_axis(rgt, np.maximum(idx - 1, 0)[..., None], -1)[..., 0]
    at = np.take_along_axis(rgt, idx[..., None], -1)[..., 0]
    crosses = (idx > 0) & (below < level)
    share = np.divide(level - below, at - below, out=np.full(idx.shape, np.nan), where=crosses)
    return np.asarray(idx - 1 + share)


def horizon_residuals(predicted: Array, truth: Array, *, levels: Array | None = None) -> tuple[Array, Array, Array]:
    """Return how far predicted horizons lie from the true ones at every trace, free of RGT's rising map.

    For each true surface the predicted one is that of a single predicted value: the median of the predicted RGT on the
    true surface. The predicted RGT is first given the truth's distribution, so that interpolation between samples does
    not depend on the map either.

    Args:
        predicted: any unit, shape (..., time), finite where truth is known.
        truth: RGT, same shape; NaN where not known.
        levels: true RGT of the horizons; `reference_levels` without it.
    Returns:
        True depth in samples, shape (horizon, ...), NaN where the trace does not meet the horizon; residual, predicted
        minus true, same shape; whether the predicted surface is missing there. One that is missing is put at the end
        of the trace where it left: at the top if the trace starts above the value, else at the bottom.
    """
    truth = np.asarray(truth, float)
    aligned = align_quantile(predicted, truth)
    levels = reference_levels(truth) if levels is None else np.asarray(levels, float)
    depths = np.empty((levels.size, *truth.shape[:-1]))
    for k, level in enumerate(levels):
        depths[k] = surface_depth(truth, level)
    residuals, missing = np.full(depths.shape, np.nan), np.zeros(depths.shape, bool)
    known = ~np.isnan(aligned)
    top, bottom = known.argmax(axis=-1), truth.shape[-1] - 1 - known[..., ::-1].argmax(axis=-1)
    first = np.take_along_axis(aligned, top[..., None], -1)[..., 0]
    for k, true in enumerate(depths):
        value = np.nan_to_num(_median(_at_depth(aligned, true)), nan=-np.inf)
        ours = surface_depth(aligned, value)
        lost = np.isnan(ours)
        ours = np.where(lost, np.where(first >= value, top, bottom), ours)
        residuals[k], missing[k] = ours - true, lost & ~np.isnan(true)
    return depths, residuals, missing


def horizon_scores(
    predicted: Array,
    truth: Array,
    *,
    fault: Array | None = None,
    levels: Array | None = None,
    near_fault_voxels: float = NEAR_FAULT_VOXELS,
) -> dict[str, dict[str, float]]:
    """Return mean, 95th percentile and bias of the horizon residuals in samples, everywhere, away from and at faults.

    Args:
        predicted, truth, levels: as in `horizon_residuals`.
        fault: labels, same shape; 1 is a fault. Without it there is only "all".
        near_fault_voxels: distance to a fault voxel up to which a point of a horizon is "across", Euclidean.
    Returns:
        By "all", "away", "across": n points (horizon and trace), mean and p95 of |residual|, bias (positive = too
        deep), missing_share of points whose trace does not meet the predicted surface. NaN without points.
    """
    depths, residuals, missing = horizon_residuals(predicted, truth, levels=levels)
    met = ~np.isnan(depths)
    parts = {"all": met}
    if fault is not None:
        distance = distance_to(np.asarray(fault) == 1)
        idx = np.moveaxis(np.rint(np.where(met, depths, 0)).astype(int), 0, -1)
        to_fault = np.moveaxis(np.take_along_axis(distance, idx, -1), -1, 0)
        parts |= {"away": met & (to_fault > near_fault_voxels), "across": met & (to_fault <= near_fault_voxels)}
    return {name: _residual_sizes(residuals[part], missing[part]) for name, part in parts.items()}


def ordering_accuracy(predicted: Array, truth: Array, *, rng: np.random.Generator, n_pairs: int = N_PAIRS) -> float:
    """Return how often the younger of two random points is also predicted as the younger; equal predictions count half.

    Args:
        predicted, truth: same shape; NaN in the truth is left out.
        rng: draws the pairs.
        n_pairs: pairs drawn; those of equal truth are left out.
    Returns:
        0.5 for chance, 1 for perfect; NaN without pairs.
    """
    known = ~np.isnan(np.asarray(truth, float))
    p, t = np.asarray(predicted, float)[known], np.asarray(truth, float)[known]
    if p.size < 2:
        return float("nan")
    first, second = rng.integers(p.size, size=(2, n_pairs))
    true, ours = np.sign(t[first] - t[second]), np.sign(p[first] - p[second])
    differ = true != 0
    return float(np.mean((1 + true * ours)[differ]) / 2) if differ.any() else float("nan")


def falling_share(rgt: Array) -> float:
    """Return the share of vertical steps at which RGT does not rise (dRGT <= 0); steps at NaN are left out.

    True RGT has some too, at faults: put this number of the truth beside that of the prediction.

    >>> falling_share(np.array([[0.0, 1.0, 1.0, 0.5, np.nan]]))
    0.6666666666666666
    """
    steps = np.diff(np.asarray(rgt, float), axis=-1)
    steps = steps[~np.isnan(steps)]
    return float(np.mean(steps <= 0)) if steps.size else float("nan")


def edge_ratio(values: Array, edges_by_axis: Mapping[int, Sequence[int]]) -> dict[int, float]:
    """Return the mean |step| across the edges of tiles over that elsewhere, by axis; 1 if no seam can be seen.

    Args:
        values: any shape; steps at NaN are left out.
        edges_by_axis: by axis, the first index of each tile but the first: edge i lies between i - 1 and i.
    Returns:
        Ratio by axis; NaN without edges or where nothing changes elsewhere.
    """
    values = np.asarray(values, float)
    found = {}
    for axis, edges in edges_by_axis.items():
        bad = [edge for edge in edges if not 0 < edge < values.shape[axis]]
        if bad:
            raise DataError(
                f"axis {axis} has {values.shape[axis]} samples and no edge at {bad}; the first tile has none"
            )
        steps = np.abs(np.diff(np.moveaxis(values, axis, 0), axis=0))
        at_edge = np.zeros(len(steps), bool)
        at_edge[[edge - 1 for edge in edges]] = True
        means = [part[~np.isnan(part)] for part in (steps[at_edge], steps[~at_edge])]
        defined = all(part.size for part in means) and means[1].mean() > 0
        found[axis] = float(means[0].mean() / means[1].mean()) if defined else float("nan")
    return found


def rgt_scores(
    predicted: Array, truth: Array, *, rng: np.random.Generator, fault: Array | None = None
) -> dict[str, Any]:  # Any: numbers, and horizon scores by part
    """Return all scores of an RGT volume by name.

    Args:
        predicted: any unit, shape of `truth`, finite where truth is known.
        truth: RGT, (inline, crossline, time) or (crossline, time); NaN where not known.
        rng: draws the pairs of the ordering accuracy.
        fault: labels; 1 is a fault.
    """
    return {
        "aligned": aligned_scores(predicted, truth),
        "horizons": horizon_scores(predicted, truth, fault=fault),
        "ordering_accuracy": ordering_accuracy(predicted, truth, rng=rng),
        "falling_share": falling_share(np.where(np.isnan(np.asarray(truth, float)), np.nan, predicted)),
        "falling_share_of_truth": falling_share(truth),
    }


def _levels_of(predicted: Array, truth: Array) -> tuple[Array, Array, Array]:
    """Where truth is known, which of the sorted distinct predictions each such voxel has, and how many have it."""
    predicted, truth = np.asarray(predicted), np.asarray(truth, float)
    if predicted.shape != truth.shape:
        raise DataError(
            f"the predicted RGT has shape {predicted.shape} and the true one {truth.shape}; give the same grid"
        )
    known = ~np.isnan(truth)
    values = predicted[known]
    if not np.isfinite(values).all():
        raise DataError(f"the predicted RGT is not finite at {int((~np.isfinite(values)).sum())} voxels of known truth")
    _, member, count = np.unique(values, return_inverse=True, return_counts=True)
    return known, member, count


def _spread(values: Array, known: Array) -> Array:
    """A volume of these values where it is known, NaN elsewhere."""
    volume = np.full(known.shape, np.nan)
    volume[known] = values
    return volume


def _at_depth(volume: Array, depth: Array) -> Array:
    """The volume's values at one depth a trace, linear between samples; NaN where the depth is."""
    above = np.nan_to_num(np.floor(depth)).astype(int)
    below = np.minimum(above + 1, volume.shape[-1] - 1)
    upper, lower = (np.take_along_axis(volume, idx[..., None], -1)[..., 0] for idx in (above, below))
    return np.asarray(upper + (lower - upper) * (depth - above))


def _median(values: Array) -> float:
    """The lower median of what is not NaN, a value that is there; NaN if nothing is."""
    values = values[~np.isnan(values)]
    return float(np.quantile(values, 0.5, method="lower")) if values.size else float("nan")


def _residual_sizes(residual: Array, missing: Array) -> dict[str, float]:
    """Mean, 95th percentile and bias of residuals (point,)."""
    if not residual.size:
        return {"n": 0, **dict.fromkeys(("mean", "p95", "bias", "missing_share"), float("nan"))}
    size = np.abs(residual)
    return {
        "n": int(residual.size),
        "mean": float(size.mean()),
        "p95": float(np.quantile(size, 0.95)),
        "bias": float(residual.mean()),
        "missing_share": float(missing.mean()),
    }
