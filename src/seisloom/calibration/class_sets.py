"""Sets of classes that hold the true one as often as they say: scores, and their quantiles over held-out events."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from seisloom.calibration.conformal import pooled_quantile, subsampled_quantile
from seisloom.sample import Array


def adaptive_scores(probability: Array, *, penalty: float = 0.0, free_rank: int = 1) -> Array:
    """Return how much was held likelier than each class: small for the likely ones, (item, class).

    The summed probability of all classes that are likelier, and `penalty` for each rank beyond `free_rank`. A set takes
    all classes up to a score, so it is large where a network is unsure, and never empty: the likeliest class has 0.

    Args:
        probability: (item, class), rows with a sum of 1. Of equal ones the first ranks first.
        penalty: added for each class that comes before in the ranking, beyond the free ones; keeps sets of many
            classes short. 0 leaves the adaptive sets as they are.
        free_rank: ranks without penalty, at least 1.
    Source: Romano, Sesia & Candès (2020), Classification with valid and adaptive coverage, arXiv 2006.02544, with
        u = 0 in place of their random number, so that one record always gets one answer (then the class itself
        does not count, and where a network is right more often than is asked its first class alone is the set); the
        penalty: Angelopoulos et al. (2021), arXiv 2009.14193 (RAPS).

    >>> adaptive_scores(np.array([[0.2, 0.7, 0.1]])).round(2).tolist()
    [[0.7, 0.0, 0.9]]
    """
    probability = np.asarray(probability, float)
    order = np.argsort(-probability, axis=1, kind="stable")
    ranked = np.take_along_axis(probability, order, axis=1)
    likelier = np.cumsum(ranked, axis=1) - ranked
    likelier[:, :1] = 0.0  # p - p, whatever its rounding
    rank = np.arange(1, probability.shape[1] + 1)
    scores = np.empty_like(probability)
    np.put_along_axis(scores, order, likelier + penalty * np.maximum(rank - free_rank, 0), axis=1)
    return scores


def set_quantiles(scores: Array, groups: Array, levels: Sequence[float]) -> tuple[tuple[float, ...], tuple[bool, ...]]:
    """Return the score up to which classes are in the set, for each level, and whether it holds for a new event.

    As the intervals of picks: `subsampled_quantile` over events where there are enough of them for it to be finite (9
    for 90 %), else `pooled_quantile`, which promises less.

    Args:
        scores: of the true classes, (item,).
        groups: label of each item's event, (item,).
        levels: nominal coverages, increasing.
    """
    found, promised = [], []
    for level in levels:
        q = subsampled_quantile(scores, groups, 1 - level)
        promised.append(math.isfinite(q))
        found.append(q if promised[-1] else pooled_quantile(scores, groups, 1 - level))
    # A level that falls back on another quantile must not be narrower than a lower level
    return tuple(float(q) for q in np.maximum.accumulate(found)), tuple(promised)
