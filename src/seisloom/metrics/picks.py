"""Errors of picks: hit rates, sizes of errors, shares by group, and their uncertainty by bootstrap over groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array

HIT_SAMPLES = (1, 3, 5, 7, 9)
HIT_MS = (1.0, 2.0, 5.0, 10.0)
OUTLIER_SAMPLES = 15
"""An error above this is an outlier, as in the first-break papers that report it (Sinopec, Front. Earth Sci. 2025)."""
ROUNDING_S = 1e-9
"""Added to every tolerance: 0.05125 - 0.05 must count as 1.25 ms, whatever its last bit."""


def hit_rate(error_s: Array, tolerance_s: Array | float) -> float:
    """Return the share of |error| <= tolerance; NaN (no pick) is a miss, no picks at all give NaN.

    Args:
        error_s: picked minus true time in s, shape (pick,); NaN where nothing was picked.
        tolerance_s: in s, one for all or shape (pick,).
    Source: hardpicks (`metrics/fbp/evaluator.py`) and UPNet (arXiv 2305.13799) count |e| < k samples; ours is <=, so
        that our hit rate at k is at least theirs at k, and equals theirs at k + 1 for whole-sample errors.

    >>> hit_rate(np.array([0.001, -0.002, np.nan]), 0.001)
    0.3333333333333333
    """
    error_s = np.asarray(error_s, float)
    return float(np.mean(np.abs(error_s) <= tolerance_s + ROUNDING_S)) if error_s.size else float("nan")


def hit_rates(error_s: Array, *, sample_s: Array | float) -> dict[str, dict[str, float]]:
    """Return the hit rates at 1, 3, 5, 7, 9 samples and at 1, 2, 5, 10 ms; NaN is a miss.

    Args:
        error_s: picked minus true time in s, shape (pick,).
        sample_s: sample interval in s, one for all or shape (pick,).
    """
    return {
        "samples": {str(k): hit_rate(error_s, k * np.asarray(sample_s)) for k in HIT_SAMPLES},
        "ms": {f"{k:g}": hit_rate(error_s, k / 1e3) for k in HIT_MS},
    }


def error_sizes(error: Array) -> dict[str, float]:
    """Return mean and median |error|, RMSE, bias (mean signed error, positive = late) and tails, in the unit given.

    Args:
        error: predicted minus true, shape (pick,), finite; empty gives NaN throughout.
    Returns:
        mae, median, rmse, bias, p90, p95, p99 (of |error|, linear between ranks).
    """
    error = np.asarray(error, float)
    if error.size == 0:
        return dict.fromkeys(("mae", "median", "rmse", "bias", "p90", "p95", "p99"), float("nan"))
    size = np.abs(error)
    p50, p90, p95, p99 = np.quantile(size, [0.5, 0.9, 0.95, 0.99])
    return {
        "mae": float(size.mean()),
        "median": float(p50),
        "rmse": float(np.sqrt(np.mean(error**2))),
        "bias": float(error.mean()),
        "p90": float(p90),
        "p95": float(p95),
        "p99": float(p99),
    }


def pick_errors(error_s: Array, *, sample_s: Array | float) -> dict[str, Any]:  # Any: nested numbers
    """Return hit rates, sizes of errors in samples and in ms, and the share of outliers (|e| > 15 samples).

    Args:
        error_s: picked minus true time in s, shape (pick,), finite.
        sample_s: sample interval in s, one for all or shape (pick,).
    """
    error_s, sample_s = np.asarray(error_s, float), np.broadcast_to(sample_s, np.shape(error_s))
    outlier = np.abs(error_s) > OUTLIER_SAMPLES * sample_s + ROUNDING_S
    return {
        "n": int(error_s.size),
        "hit_rate": hit_rates(error_s, sample_s=sample_s),
        "samples": error_sizes(error_s / sample_s),
        "ms": error_sizes(error_s * 1e3),
        "outlier_share": float(outlier.mean()) if error_s.size else float("nan"),
    }


def detection(error_s: Array, has_truth: Array, picked: Array, *, tolerance_s: Array | float) -> dict[str, float]:
    """Return precision, recall and F1 of picks within a tolerance.

    Args:
        error_s: picked minus true time in s, shape (trace,); only read where there are both.
        has_truth, picked: bool, shape (trace,).
        tolerance_s: in s, one for all or shape (trace,).
    Returns:
        precision = right / picked, recall = right / with truth. A pick on a trace without truth is wrong here: give
        only traces of which it is known whether they have an arrival.
    """
    right = int(np.sum(has_truth & picked & (np.abs(np.nan_to_num(error_s, nan=np.inf)) <= tolerance_s + ROUNDING_S)))
    n_picked, n_true = int(np.sum(picked)), int(np.sum(has_truth))
    nan = float("nan")
    return {
        "precision": right / n_picked if n_picked else nan,
        "recall": right / n_true if n_true else nan,
        "f1": 2 * right / (n_picked + n_true) if n_picked + n_true else nan,
    }


def quantile_bins(values: Array, n_bins: int) -> Array:
    """Return bins of equal counts by rank, 0 the lowest, shape of `values`; -1 for NaN. Equal values share a bin.

    >>> quantile_bins(np.array([5.0, 1.0, np.nan, 3.0]), 3)
    array([ 2,  0, -1,  1])
    """
    values = np.asarray(values, float)
    known = np.sort(values[~np.isnan(values)])
    if known.size == 0:
        return np.full(values.shape, -1)
    rank = np.searchsorted(known, values, side="left")  # of the first of equals
    return np.where(np.isnan(values), -1, np.minimum(rank * n_bins // known.size, n_bins - 1))


def by_group(
    labels: Array, measures: Callable[[Array], dict[str, float]], *, order: Sequence[str] | None = None
) -> dict[str, dict[str, float]]:
    """Return the measures of each group, by its label.

    Args:
        labels: shape (pick,), compared as text; "" or "nan" are picks without a group, left out.
        measures: from the indices of a group's picks to named numbers.
        order: labels in the order wanted; sorted without it.
    """
    labels = np.asarray(labels).astype(str)
    names = [name for name in (order or sorted(set(labels.tolist()))) if name not in ("", "nan", "None")]
    parts = {name: np.flatnonzero(labels == name) for name in names}
    return {name: {"n": int(idx.size), **measures(idx)} for name, idx in parts.items() if idx.size}


def bootstrap_mean(
    values: Array, groups: Array, *, rng: np.random.Generator, n_draws: int = 1000, level: float = 0.95
) -> tuple[float, float]:
    """Return the percentile interval of the mean of `values` when whole groups are drawn anew.

    Picks of one shot err together, so shots are drawn, not picks: drawing picks would make the interval too narrow.

    Args:
        values: shape (pick,), finite: errors, or 0/1 for a rate.
        groups: label of each pick's group, shape (pick,).
        rng: source of the draws.
        n_draws: number of bootstrap samples.
        level: coverage of the interval.
    Returns:
        Lower and upper end; both NaN with fewer than two groups.
    Source: Davison & Hinkley (1997), Bootstrap methods, sec. 3.8, resampling of whole clusters.
    """
    values, labels = np.asarray(values, float), np.asarray(groups).astype(str)
    if values.shape != labels.shape:
        raise DataError(f"bootstrap: values {values.shape} and groups {labels.shape} differ; give one label a value")
    names, member = np.unique(labels, return_inverse=True)
    if names.size < 2:
        return float("nan"), float("nan")
    total, count = np.bincount(member, weights=values), np.bincount(member)
    drawn = rng.multinomial(names.size, np.full(names.size, 1 / names.size), size=n_draws)
    low, high = np.quantile((drawn @ total) / (drawn @ count), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
