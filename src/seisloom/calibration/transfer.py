"""A few groups of a new survey: they give the level of its errors, and a former calibration how far groups differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seisloom.sample import Array

N_KEPT_GROUPS = 64
"""Most groups of a calibration that are kept for later ones."""
N_KEPT_SCORES = 101
"""Scores that are kept of a group: its quantiles."""
LEAST = 1e-6
"""A score below counts as this, so that it has a logarithm."""


def split_by_group(scores: Array, labels: Array) -> list[Array]:
    """Return the scores of each group, in the order of the labels."""
    return [scores[labels == name] for name in np.unique(labels)]


def keep_groups(groups: Sequence[Array]) -> tuple[tuple[float, ...], ...]:
    """Return the quantiles of each group, of evenly chosen ones if they are many: what a calibration stores."""
    chosen = np.unique(np.linspace(0, len(groups) - 1, min(len(groups), N_KEPT_GROUPS)).round().astype(int))
    at = (np.arange(N_KEPT_SCORES) + 0.5) / N_KEPT_SCORES
    return tuple(tuple(float(f"{q:.4g}") for q in np.quantile(groups[k], at)) for k in chosen)


def level_of(groups: Sequence[Array]) -> float:
    """Return the level of some groups' scores: the geometric mean of their medians."""
    return float(np.exp(np.mean([np.log(max(float(np.median(one)), LEAST)) for one in groups])))


def transferred_quantile(
    new: Sequence[Array], former: Sequence[Array], alpha: float = 0.1, *, n_draws: int = 2001, seed: int = 0
) -> float:
    """Return the level of the new groups times a quantile that says how far one more group goes beyond such a level.

    The quantiles of one shot say nothing of the next shot. How far the scores of a shot go beyond the level of n
    others is seen on the groups of a former calibration: n of them are drawn, and the scores of one more are divided
    by their level, many times. Promise: none in finite samples; right where groups differ from each other by such
    factors in the new survey as in the former one.

    Args:
        new: scores of each group of the new survey.
        former: scores of each group of the former calibration; more than there are new ones.
        alpha: accepted share of misses.
        n_draws, seed: of the groups.
    Returns:
        The quantile, finite.

    >>> steady = [np.linspace(0, 2, 101)] * 9
    >>> round(transferred_quantile([np.linspace(0, 20, 101)], steady), 1)
    18.0
    """
    rng = np.random.default_rng(seed)
    order = np.argsort(rng.random((n_draws, len(former))), axis=1)
    levels = np.log([level_of([one]) for one in former])
    n_given = min(len(new), len(former) - 1)
    given, other = order[:, :n_given], order[:, n_given]
    # Each draw counts once: so many quantiles of the other group as every group can give
    at = np.linspace(0, 1, N_KEPT_SCORES)
    scores = np.stack([np.quantile(one, at) for one in former])
    beyond = scores[other] / np.exp(levels[given].mean(axis=1))[:, None]
    return level_of(new) * float(np.quantile(beyond, 1 - alpha))
