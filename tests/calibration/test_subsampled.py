"""The median over draws of one pick a group, against the quantile without groups and against its own promise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from seisloom.calibration.conformal import conformal_quantile, subsampled_quantile


def test_with_a_group_for_every_pick_it_is_the_quantile_without_groups() -> None:
    scores = np.random.default_rng(0).exponential(size=60)
    for alpha in (0.05, 0.1, 0.2, 0.5):
        assert subsampled_quantile(scores, np.arange(60), alpha) == conformal_quantile(scores, alpha=alpha)


@pytest.mark.parametrize(("alpha", "enough"), [(0.5, 1), (0.2, 4), (0.1, 9), (0.05, 19)])
def test_it_is_finite_from_as_many_groups_as_the_rank_needs(alpha: float, enough: int) -> None:
    scores = np.ones(5 * enough)
    assert subsampled_quantile(scores, np.repeat(np.arange(enough), 5), alpha) == 1.0
    if enough > 1:
        assert subsampled_quantile(scores[5:], np.repeat(np.arange(enough - 1), 5), alpha) == math.inf


def test_the_order_of_picks_and_the_names_of_groups_do_not_matter() -> None:
    rng = np.random.default_rng(1)
    scores, groups = rng.exponential(size=200), rng.integers(0, 12, 200)
    order = rng.permutation(200)
    assert subsampled_quantile(scores[order], groups[order]) == subsampled_quantile(scores, groups)
    assert subsampled_quantile(scores, np.array([f"shot {g:03d}" for g in groups])) == pytest.approx(
        subsampled_quantile(scores, groups), rel=0.2
    )


def test_a_pick_of_a_new_group_is_covered_about_as_often_as_asked_and_less_widely_than_with_the_worst_of_groups() -> (
    None
):
    rng = np.random.default_rng(2)
    hits, worst_hits, n_trials = 0, 0, 1500
    for _ in range(n_trials):
        # Shots differ: each has a spread of its own, and 20 picks
        spread = np.exp(0.5 * rng.standard_normal(12))
        picks = np.abs(rng.standard_normal((12, 20))) * spread[:, None]
        scores, groups = picks[:-1].ravel(), np.repeat(np.arange(11), 20)
        new = picks[-1, 0]
        hits += new <= subsampled_quantile(scores, groups, 0.1, n_draws=101)
        worst_hits += new <= conformal_quantile(scores, groups, 0.1)
    # 11 groups: rank 11 of 12, 0.917; three standard errors of a rate over 1500 trials are 0.021
    assert hits / n_trials == pytest.approx(11 / 12, abs=0.03)
    assert worst_hits / n_trials > hits / n_trials
