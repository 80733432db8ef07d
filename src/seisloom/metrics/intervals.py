"""Intervals and spreads: coverage, width, proper scores, and how well sigma tells good picks from bad."""

from __future__ import annotations

import numpy as np
from scipy import special, stats

from seisloom.sample import Array


def covered(truth: Array, lower: Array, upper: Array) -> Array:
    """Return whether lower <= truth <= upper, bool, shape (pick,); NaN ends cover nothing, infinite ends all."""
    return np.asarray((np.asarray(lower) <= truth) & (truth <= np.asarray(upper)))


def interval_score(truth: Array, lower: Array, upper: Array, alpha: float) -> Array:
    """Return the interval (Winkler) score of each pick: width + 2/alpha times the distance outside; less is better.

    Args:
        truth, lower, upper: shape (pick,), one unit.
        alpha: accepted share of misses.
    Returns:
        Scores in that unit, shape (pick,); inf for infinite intervals.
    Source: Gneiting & Raftery (2007), JASA 102, eq. 43.
    """
    truth, lower, upper = (np.asarray(one, float) for one in (truth, lower, upper))
    below, above = np.maximum(lower - truth, 0), np.maximum(truth - upper, 0)
    return np.asarray((upper - lower) + 2 / alpha * (below + above))


def best_constant_half_width(error: Array, alpha: float) -> float:
    """Return the one half-width that has the least mean interval score on these very errors.

    The (1 - alpha) quantile of |error|: the slope 2 - (2/alpha) P(|error| > c) changes its sign there. It has seen
    the test errors, so it is a rival in hindsight; an interval that beats it knows which picks are bad.
    """
    return float(np.quantile(np.abs(error), 1 - alpha, method="inverted_cdf"))


def gaussian_nll(error: Array, sigma: Array) -> Array:
    """Return -log of the normal density at the truth, shape (pick,), in nats; depends on the unit of both."""
    return np.asarray(0.5 * np.log(2 * np.pi) + np.log(sigma) + 0.5 * (np.asarray(error) / sigma) ** 2)


def gaussian_crps(error: Array, sigma: Array) -> Array:
    """Return the continuous ranked probability score of a normal forecast, shape (pick,), in the unit of both.

    Source: Gneiting & Raftery (2007), JASA 102, eq. 21, with the sign turned so that less is better.
    """
    z = np.asarray(error) / sigma
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    return np.asarray(sigma * (z * (2 * special.ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi)))


def pit(error: Array, sigma: Array) -> Array:
    """Return the probability integral transform of the truth under N(prediction, sigma), shape (pick,), 0 to 1.

    Uniform for a right forecast; piled up at 0 and 1 for sigma too small. `error` is predicted minus true.
    """
    return np.asarray(special.ndtr(-np.asarray(error) / sigma))


def ence(error: Array, sigma: Array, *, n_bins: int = 10) -> float:
    """Return the expected normalised calibration error of sigma: 0 when RMSE equals RMS sigma in every bin of sigma.

    Args:
        error, sigma: shape (pick,), one unit.
        n_bins: bins of equal counts by sigma; fewer when there are fewer picks.
    Returns:
        mean over bins of |RMV - RMSE| / RMV, RMV the root mean of sigma^2; NaN without picks.
    Source: Levi et al. (2019), arXiv 1905.11659, eq. 8.
    """
    error, sigma = np.asarray(error, float), np.asarray(sigma, float)
    parts = [one for one in np.array_split(np.argsort(sigma, kind="stable"), n_bins) if one.size]
    if not parts:
        return float("nan")
    rmv = np.array([np.sqrt(np.mean(sigma[one] ** 2)) for one in parts])
    rmse = np.array([np.sqrt(np.mean(error[one] ** 2)) for one in parts])
    return float(np.mean(np.abs(rmv - rmse) / rmv))


def spearman(uncertainty: Array, abs_error: Array) -> float:
    """Return the rank correlation of uncertainty and |error|; NaN if either is constant or there are fewer than 3."""
    if np.size(abs_error) < 3 or np.ptp(uncertainty) == 0 or np.ptp(abs_error) == 0:
        return float("nan")
    return float(stats.spearmanr(uncertainty, abs_error).statistic)


def risk_coverage(abs_error: Array, uncertainty: Array) -> tuple[Array, Array]:
    """Return kept share and mean |error| of the kept, when the most certain picks are kept first.

    Picks of equal uncertainty are kept in random order: each counts with their mean, so the order of the table
    never matters, and a constant uncertainty gives a flat line at the MAE.

    Args:
        abs_error, uncertainty: shape (pick,), finite (uncertainty may be inf).
    Returns:
        kept share (1/n ... 1) and risk in the unit of the errors, both of shape (pick,).
    Source: El-Yaniv & Wiener (2010), JMLR 11, sec. 2; Geifman & El-Yaniv (2017), arXiv 1705.08500.
    """
    abs_error = np.asarray(abs_error, float)
    _, tie, count = np.unique(np.asarray(uncertainty, float), return_inverse=True, return_counts=True)
    mean_of_tie = np.bincount(tie, weights=abs_error) / count if abs_error.size else abs_error
    ordered = mean_of_tie[np.sort(tie)] if abs_error.size else abs_error
    rank = np.arange(1, abs_error.size + 1)
    return rank / max(abs_error.size, 1), np.cumsum(ordered) / rank


def aurc(abs_error: Array, uncertainty: Array) -> float:
    """Return the area under the risk-coverage curve: the mean of its risks, in the unit of the errors."""
    return float(np.mean(risk_coverage(abs_error, uncertainty)[1])) if np.size(abs_error) else float("nan")


def excess_aurc(abs_error: Array, uncertainty: Array) -> float:
    """Return AURC less that of the oracle, which keeps the smallest errors first; 0 is a perfect order.

    Source: Geifman, Uziel & El-Yaniv (2019), arXiv 1805.08206, sec. 3.
    """
    return aurc(abs_error, uncertainty) - aurc(abs_error, abs_error)


def risk_at(abs_error: Array, uncertainty: Array, kept_share: float) -> float:
    """Return the mean |error| of the most certain share of picks (at least one pick); NaN without picks."""
    share, risk = risk_coverage(abs_error, uncertainty)
    if share.size == 0:
        return float("nan")
    return float(risk[max(round(kept_share * share.size), 1) - 1])


def outliers_caught(is_outlier: Array, uncertainty: Array, *, share: float = 0.2) -> float:
    """Return which part of the outliers lies among the least certain `share` of picks; NaN without outliers."""
    is_outlier = np.asarray(is_outlier, bool)
    if not is_outlier.any():
        return float("nan")
    n = max(round(share * is_outlier.size), 1)
    # Kept picks by rank, ties shared: the outliers that are not among the kept are caught.
    _, mean_kept = risk_coverage(is_outlier.astype(float), uncertainty)
    n_kept = is_outlier.size - n
    left = mean_kept[n_kept - 1] * n_kept if n_kept else 0.0
    return float(1 - left / is_outlier.sum())
