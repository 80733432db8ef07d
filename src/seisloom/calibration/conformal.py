"""Conformal quantiles: from the scores of held-out picks to a factor on sigma that keeps its promise."""

from __future__ import annotations

import math

import numpy as np

from seisloom.errors import CalibrationError
from seisloom.sample import Array

LEVELS = (0.5, 0.8, 0.9, 0.95)
"""Nominal coverages that are always stored and always evaluated."""


def stored_level(level: float) -> float:
    """Return a level of coverage.

    Raises:
        ValueError: if no quantile of it is stored.
    """
    if level not in LEVELS:
        raise ValueError(f"level must be one of {', '.join(f'{one:g}' for one in LEVELS)}, it is {level:g}")
    return level


def normalised_scores(error: Array, sigma: Array) -> Array:
    """Return |error| / sigma, the score of normalised split-conformal prediction.

    Args:
        error: predicted minus true, shape (pick,), in any unit.
        sigma: predicted spread, shape (pick,), in the same unit, positive.
    Returns:
        Scores without unit, shape (pick,).
    Raises:
        CalibrationError: for lengths that differ, values that are not finite, or a sigma that is not positive.
    Source: Papadopoulos, Gammerman & Vovk (2008), normalised nonconformity measure; without their additive term,
        which a clamped sigma makes needless.

    >>> normalised_scores(np.array([-2.0, 1.0]), np.array([1.0, 2.0]))
    array([2. , 0.5])
    """
    error, sigma = np.asarray(error, float), np.asarray(sigma, float)
    if error.ndim != 1 or error.shape != sigma.shape:
        raise CalibrationError(
            f"scores: error has shape {error.shape} and sigma {sigma.shape}; give one of each a pick, shape (pick,)"
        )
    wrong = ~(np.isfinite(error) & np.isfinite(sigma) & (sigma > 0))
    if wrong.any():
        raise CalibrationError(
            f"scores: {wrong.sum()} of {wrong.size} picks have an error or a sigma that is not finite, or a sigma that "
            f"is not positive (first: pick {int(np.argmax(wrong))}); leave out traces without a human pick, and clamp "
            "log-sigma in the model"
        )
    return np.abs(error) / sigma


def conformal_quantile(scores: Array, groups: Array | None = None, alpha: float = 0.1) -> float:
    """Return the score q that a new pick stays below with probability of at least 1 - alpha.

    Without groups: the k-th smallest of n scores, k = ceil((n + 1)(1 - alpha)). Promise: P(score <= q) >= 1 - alpha
    for one new pick exchangeable with these.

    With groups (shots, stations): the smallest q at which sum_g F_g(q) / (G + 1) reaches 1 - alpha, where F_g is the
    share of the scores of group g that are <= q; the new group stands for the missing 1 / (G + 1) and counts as
    infinite. Every group weighs the same, however many picks it has. Promise: P(score <= q) >= 1 - alpha for one
    pick of one NEW group, when groups are exchangeable and so are the picks inside each. It is an average over new
    groups: a single bad shot may be covered less. With a group for every pick it is the quantile without groups;
    with one group for all it is infinite at any alpha below 1/2: one shot says nothing certain about the next.

    Args:
        scores: shape (pick,), finite.
        groups: a label for each score, shape (pick,), or None.
        alpha: accepted share of misses, 0 < alpha < 1.
    Returns:
        The quantile; `inf` when there are too few picks (n < 1/alpha - 1) or too few groups (G < 1/alpha - 1).
    Raises:
        CalibrationError: for no scores, scores that are not finite, other lengths, or an impossible alpha.
    Source: Lei et al. (2018), JASA 113, sec. 2.2, for the rank; Lee, Barber & Willett (2023), arXiv 2306.06342, eq. 6
        (hierarchical conformal prediction), which is the CDF pooling of Dunn, Wasserman & Ramdas (2018), arXiv
        1809.07441, sec. 3.1, with the point mass at infinity that makes its promise exact.

    >>> conformal_quantile(np.arange(1.0, 10.0), alpha=0.1)
    9.0
    >>> conformal_quantile(np.arange(1.0, 9.0), alpha=0.1)
    inf
    """
    scores = _checked_scores(scores, alpha)
    weights = np.ones(scores.size) if groups is None else group_weights(scores, groups)
    n_units = round(float(weights.sum()))
    return _weighted_quantile(scores, weights, (n_units + 1) * (1 - alpha))


def subsampled_quantile(
    scores: Array, groups: Array, alpha: float = 0.1, *, n_draws: int = 1001, seed: int = 0
) -> float:
    """Return the median, over draws of one score a group, of the quantile without groups.

    One draw has a score of each group, and these are exchangeable with a pick of a new group: its k-th smallest,
    k = ceil((G + 1)(1 - alpha)), keeps the promise of `conformal_quantile` with groups, and is finite for as few of
    them. That one takes the worst it can of G groups (for 9 groups at 90 % the largest score of all, so that nearly
    everything is covered); a draw is not so wide, but it is a draw. The median over many does not hang on one, is a
    little less than a promise (Dunn et al. prove 1 - 2 alpha for combinations of draws), and in practice 1 - alpha.

    Args:
        scores, groups, alpha: as `conformal_quantile`.
        n_draws: number of draws.
        seed: of the draws.
    Returns:
        The quantile; `inf` when there are too few groups (G < 1/alpha - 1).
    Source: Dunn, Wasserman & Ramdas (2018), arXiv 1809.07441, sec. 3.2 and 3.3 (subsampling once, and repeated).

    >>> subsampled_quantile(np.arange(1.0, 10.0), np.arange(9))
    9.0
    """
    scores = _checked_scores(scores, alpha)
    group_weights(scores, groups)  # raises for labels of another length
    labels = np.unique(np.asarray(groups).astype(str), return_inverse=True)[1]
    members = np.split(scores[np.argsort(labels, kind="stable")], np.cumsum(np.bincount(labels))[:-1])
    # A millionth of a pick, as in _weighted_quantile
    rank = math.ceil((len(members) + 1) * (1 - alpha) - 1e-6)
    if rank > len(members):
        return math.inf
    rng = np.random.default_rng(seed)
    # Sorted, so that the draws do not depend on the order in which the picks came
    drawn = np.stack([np.sort(one)[rng.integers(0, one.size, n_draws)] for one in members], axis=1)
    return float(np.median(np.sort(drawn, axis=1)[:, rank - 1]))


def pooled_quantile(scores: Array, groups: Array | None = None, alpha: float = 0.1) -> float:
    """Return the quantile in which groups weigh the same but only the number of PICKS is corrected for.

    The smallest q at which the mean of the groups' F_g reaches (1 - alpha)(n + 1) / n. It is what remains where
    `conformal_quantile` is infinite because groups are few. Promise: none for a new group in finite samples; it tends
    to 1 - alpha as groups become many or alike. With groups of one size it is the quantile without groups.

    Args, Raises: as `conformal_quantile`.
    Returns:
        The quantile; `inf` when there are fewer than 1/alpha - 1 picks.
    """
    scores = _checked_scores(scores, alpha)
    n = scores.size
    weights = np.ones(n) if groups is None else group_weights(scores, groups)
    return _weighted_quantile(scores, weights * (n / weights.sum()), (n + 1) * (1 - alpha))


def leave_one_group_out_coverage(scores: Array, groups: Array, alpha: float = 0.1) -> dict[str, float]:
    """Return, for each group, the share of its scores below the pooled quantile of all OTHER groups.

    A check, not a promise: its spread is what a new group has to be ready for.

    Args:
        scores, groups, alpha: as `conformal_quantile`; at least two groups.
    Returns:
        Coverage by group label, 0 to 1.
    """
    scores, labels = _checked_scores(scores, alpha), np.asarray(groups).astype(str)
    names = np.unique(labels)
    if names.size < 2:
        raise CalibrationError("leave-one-group-out: there is one group only; calibrate on two or more")
    return {
        str(name): float(
            np.mean(scores[labels == name] <= pooled_quantile(scores[labels != name], labels[labels != name], alpha))
        )
        for name in names
    }


def group_weights(scores: Array, groups: Array) -> Array:
    """Return a weight for each score, 1 / (size of its group), shape (pick,); they sum to the number of groups."""
    labels = np.asarray(groups)
    if labels.shape != np.shape(scores):
        raise CalibrationError(f"groups: shape {labels.shape}, scores {np.shape(scores)}; give one label a score")
    _, member, size = np.unique(labels.astype(str), return_inverse=True, return_counts=True)
    return np.asarray(1.0 / size[member])


def _weighted_quantile(scores: Array, weights: Array, needed: float) -> float:
    """The smallest score at which the summed weight reaches what is needed; inf if it never does."""
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(weights[order])
    # A millionth of a pick: sums of 1/size and products like 10 * 0.9 are inexact, a rank must not jump for it.
    idx = int(np.searchsorted(reached, needed - 1e-6, side="left"))
    return float(scores[order[idx]]) if idx < scores.size else math.inf


def _checked_scores(scores: Array, alpha: float) -> Array:
    """The scores as floats, or an error that says what is wrong."""
    if not 0 < alpha < 1:
        raise CalibrationError(f"alpha is {alpha}, it must lie between 0 and 1 (0.1 for 90 % intervals)")
    scores = np.asarray(scores, float)
    if scores.ndim != 1 or scores.size == 0:
        raise CalibrationError(f"scores have shape {scores.shape}; calibration needs at least one score, shape (pick,)")
    if not np.isfinite(scores).all():
        raise CalibrationError(
            f"{np.count_nonzero(~np.isfinite(scores))} of {scores.size} scores are not finite; leave those picks out"
        )
    return scores
