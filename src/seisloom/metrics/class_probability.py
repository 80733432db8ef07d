"""Whether class probabilities mean what they say: calibration errors, proper scores, abstention and prediction sets.

Probabilities are (item, class) and labels (item,), -1 where not known, as in `seisloom.metrics.classes`. Numbers of
nothing are NaN.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from seisloom.errors import DataError
from seisloom.metrics.classes import known_items
from seisloom.metrics.intervals import aurc, risk_coverage
from seisloom.sample import Array

N_BINS = 15


def equal_mass_bins(confidence: Array, right: Array, *, n_bins: int = N_BINS) -> dict[str, Array]:
    """Return mean confidence and share of right ones in bins of equally many items, by rising confidence.

    Items of equal confidence each count with the share of right ones among them, so that the order of a table does not
    matter where a bin ends between them.

    Args:
        confidence: in 0..1, (item,).
        right: bool, (item,).
        n_bins: bins; fewer when there are fewer items.
    Returns:
        count, mean_confidence, share_right, each (bin,).
    Source: Nguyen & O'Connor (2015), arXiv 1508.05154: bins of equal counts. With bins of equal width most
        items of a sure classifier fall into one.
    """
    confidence, right = np.asarray(confidence, float), np.asarray(right, float)
    values, tie, n_tied = np.unique(confidence, return_inverse=True, return_counts=True)
    order = np.sort(tie)
    share = (np.bincount(tie, weights=right, minlength=values.size) / np.maximum(n_tied, 1))[order]
    parts = [part for part in np.array_split(np.arange(confidence.size), n_bins) if part.size]
    return {
        "count": np.array([part.size for part in parts], dtype=np.int64),
        "mean_confidence": np.array([values[order[part]].mean() for part in parts]),
        "share_right": np.array([share[part].mean() for part in parts]),
    }


def expected_calibration_error(probability: Array, label: Array, *, n_bins: int = N_BINS) -> float:
    """Return the mean distance of the largest probability and how often it is right, over bins of equal counts.

    A classifier that is calibrated has about 0.8 sqrt(p (1 - p) n_bins / n) from chance alone, p its accuracy.
    Source: Guo et al. (2017), arXiv 1706.04599, equation 3; bins as in `equal_mass_bins`.
    """
    probability, label = known_items(probability, label)
    right = probability.argmax(axis=1) == label
    return _gap(equal_mass_bins(probability.max(axis=1), right, n_bins=n_bins))


def classwise_calibration_error(probability: Array, label: Array, *, n_bins: int = N_BINS) -> float:
    """Return the calibration error of each class's probability, and of these the mean.

    Source: Kull et al. (2019), Beyond temperature scaling, arXiv 1910.12656, classwise-ECE; bins of equal counts.
    """
    probability, label = known_items(probability, label)
    gaps = [
        _gap(equal_mass_bins(probability[:, k], label == k, n_bins=n_bins)) for k in range(probability.shape[1])
    ]  # fmt: skip
    return float(np.mean(gaps))


def brier(probability: Array, label: Array) -> float:
    """Return the mean squared distance of the probabilities to the truth, summed over classes: 0 is best, 2 is worst.

    Source: Brier (1950), Monthly Weather Review 78, 1-3, his sum over all classes.
    """
    probability, label = known_items(probability, label)
    if not label.size:
        return math.nan
    return float(np.mean(np.sum((probability - np.eye(probability.shape[1])[label]) ** 2, axis=1)))


def negative_log_likelihood(probability: Array, label: Array) -> float:
    """Return the mean of -log(probability of the true class) in nats; infinite if one of them had none."""
    probability, label = known_items(probability, label)
    if not label.size:
        return math.nan
    with np.errstate(divide="ignore"):  # an impossible truth is infinitely surprising
        return float(np.mean(-np.log(probability[np.arange(label.size), label])))


def error_against_kept(probability: Array, label: Array) -> tuple[Array, Array]:
    """Return kept share and error rate of the kept, when items of the largest probabilities are kept first, (item,)."""
    probability, label = known_items(probability, label)
    return risk_coverage(probability.argmax(axis=1) != label, 1 - probability.max(axis=1))


def area_error_against_kept(probability: Array, label: Array) -> float:
    """Return the area under `error_against_kept` (AURC): the mean of its error rates."""
    probability, label = known_items(probability, label)
    return aurc(probability.argmax(axis=1) != label, 1 - probability.max(axis=1))


def probability_scores(probability: Array, label: Array) -> dict[str, float | None]:
    """Return the scores above as a record that JSON can hold, None where one is not defined or infinite."""
    found = {
        "ece": expected_calibration_error(probability, label),
        "classwise_ece": classwise_calibration_error(probability, label),
        "brier": brier(probability, label),
        "nll": negative_log_likelihood(probability, label),
        "aurc": area_error_against_kept(probability, label),
    }
    return {name: value if math.isfinite(value) else None for name, value in found.items()}


def prediction_set_scores(sets: Array, label: Array) -> dict[str, Any]:  # Any: numbers, and a list by class
    """Return how often sets of classes hold the true one, and how large they are.

    Args:
        sets: bool, (item, class).
        label: (item,), -1 where not known.
    Returns:
        n, coverage, mean_size, share_single, share_empty, and coverage_by_class (class,); NaN of nothing.
    Raises:
        DataError: if shapes do not fit.
    """
    sets, label = np.asarray(sets, bool), np.asarray(label)
    if sets.ndim != 2 or label.shape != sets.shape[:1]:
        raise DataError(f"sets have shape {sets.shape} and label {label.shape}; give (item, class) and (item,)")
    sets, label = sets[label >= 0], label[label >= 0].astype(np.int64)
    inside, size = sets[np.arange(label.size), label], sets.sum(axis=1)
    return {
        "n": int(label.size),
        "coverage": _mean(inside),
        "mean_size": _mean(size),
        "share_single": _mean(size == 1),
        "share_empty": _mean(size == 0),
        "coverage_by_class": [_mean(inside[label == k]) for k in range(sets.shape[1])],
    }


def _gap(bins: dict[str, Array]) -> float:
    """The mean over items of the distance in their bin, NaN without items."""
    n = bins["count"].sum()
    return float(np.abs(bins["share_right"] - bins["mean_confidence"]) @ bins["count"] / n) if n else math.nan


def _mean(values: Array) -> float:
    """The mean, NaN of nothing."""
    return float(np.mean(values)) if np.size(values) else math.nan
