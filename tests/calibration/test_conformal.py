import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from seisloom.calibration.conformal import (
    conformal_quantile,
    group_weights,
    leave_one_group_out_coverage,
    normalised_scores,
    pooled_quantile,
)
from seisloom.errors import CalibrationError

SCORES = hnp.arrays(float, st.integers(1, 60), elements=st.floats(0, 1e3))
ALPHA = st.floats(0.01, 0.9)


@pytest.mark.parametrize(
    ("n", "alpha", "rank"), [(9, 0.1, 9), (10, 0.1, 10), (19, 0.1, 18), (99, 0.05, 95), (19, 0.05, 19), (4, 0.5, 3)]
)
def test_the_quantile_is_the_score_of_the_finite_sample_rank(n: int, alpha: float, rank: int) -> None:
    scores = np.random.default_rng(0).permutation(np.arange(1.0, n + 1))
    assert conformal_quantile(scores, alpha=alpha) == rank


@pytest.mark.parametrize(("n", "alpha"), [(8, 0.1), (18, 0.05), (3, 0.2)])
def test_too_few_scores_give_infinity(n: int, alpha: float) -> None:
    assert conformal_quantile(np.ones(n), alpha=alpha) == math.inf
    assert conformal_quantile(np.ones(n * 50), np.repeat(np.arange(n), 50), alpha) == math.inf


@given(SCORES, ALPHA, ALPHA)
def test_more_coverage_never_gives_a_smaller_quantile(scores: np.ndarray, one: float, other: float) -> None:
    assert conformal_quantile(scores, alpha=min(one, other)) >= conformal_quantile(scores, alpha=max(one, other))


@given(SCORES, ALPHA, st.randoms(use_true_random=False))
def test_order_does_not_matter(scores: np.ndarray, alpha: float, random) -> None:
    groups = np.arange(scores.size) % 4
    order = np.array(random.sample(range(scores.size), scores.size))
    assert conformal_quantile(scores[order], alpha=alpha) == conformal_quantile(scores, alpha=alpha)
    assert conformal_quantile(scores[order], groups[order], alpha) == conformal_quantile(scores, groups, alpha)


@given(SCORES, ALPHA)
def test_a_group_for_every_pick_is_the_quantile_without_groups(scores: np.ndarray, alpha: float) -> None:
    own = np.arange(scores.size)
    assert conformal_quantile(scores, own, alpha) == conformal_quantile(scores, alpha=alpha)
    assert pooled_quantile(scores, own, alpha) == conformal_quantile(scores, alpha=alpha)


@given(SCORES, ALPHA)
def test_one_group_pooled_is_the_quantile_without_groups(scores: np.ndarray, alpha: float) -> None:
    assert pooled_quantile(scores, np.zeros(scores.size), alpha) == conformal_quantile(scores, alpha=alpha)


@given(SCORES, st.integers(1, 6), ALPHA)
def test_grouped_quantile_is_the_brute_force_of_the_published_formula(
    scores: np.ndarray, n_groups: int, alpha: float
) -> None:
    groups = np.arange(scores.size) % n_groups
    names = np.unique(groups)
    # Lee, Barber & Willett (2023), eq. 6, tried for every score.
    holds = [
        q
        for q in np.sort(scores)
        if sum(np.mean(scores[groups == g] <= q) for g in names) / (names.size + 1) >= 1 - alpha - 1e-7
    ]
    assert conformal_quantile(scores, groups, alpha) == (holds[0] if holds else math.inf)


def test_coverage_on_exchangeable_scores_is_nominal() -> None:
    rng, n, trials = np.random.default_rng(1), 39, 4000
    hits = 0
    for _ in range(trials):
        scores = np.abs(rng.standard_t(3, n + 1))
        hits += scores[-1] <= conformal_quantile(scores[:-1], alpha=0.1)
    low, high = stats.binom.ppf([1e-4, 1 - 1e-4], trials, 36 / 40)  # rank 36 of 40: exactly 0.9
    assert low <= hits <= high


def test_grouped_quantile_covers_a_new_group_where_the_plain_one_does_not() -> None:
    rng, trials, grouped, plain = np.random.default_rng(2), 3000, 0, 0
    for _ in range(trials):
        spread = rng.lognormal(0, 1, 13)
        # A large quiet group dominates the plain quantile.
        size = np.where(spread < 1, 40, 4)
        scores = np.abs(rng.normal(size=size.sum()) * np.repeat(spread, size))
        groups = np.repeat(np.arange(13), size)
        calibration, new = groups < 12, scores[groups == 12][0]
        grouped += new <= conformal_quantile(scores[calibration], groups[calibration], 0.1)
        plain += new <= conformal_quantile(scores[calibration], alpha=0.1)
    assert grouped >= stats.binom.ppf(1e-4, trials, 0.9)
    assert plain < stats.binom.ppf(1e-4, trials, 0.9)


def test_leave_one_group_out_finds_the_odd_group() -> None:
    scores = np.concatenate([np.linspace(0, 1, 50), np.linspace(0, 1, 50), np.linspace(5, 6, 50)])
    coverage = leave_one_group_out_coverage(scores, np.repeat(["a", "b", "odd"], 50))
    assert coverage["odd"] == 0
    assert coverage["a"] == 1


def test_group_weights_sum_to_the_number_of_groups() -> None:
    assert group_weights(np.zeros(4), np.array(["a", "b", "b", "b"])).sum() == pytest.approx(2)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1])
def test_an_impossible_alpha_is_named(alpha: float) -> None:
    with pytest.raises(CalibrationError, match="alpha"):
        conformal_quantile(np.ones(5), alpha=alpha)


@pytest.mark.parametrize("scores", [np.array([]), np.array([1.0, np.nan]), np.ones((2, 2))])
def test_scores_that_cannot_be_ranked_are_refused(scores: np.ndarray) -> None:
    with pytest.raises(CalibrationError, match="score"):
        conformal_quantile(scores)


@pytest.mark.parametrize(("error", "sigma"), [([1.0], [0.0]), ([np.nan], [1.0]), ([1.0], [-1.0]), ([1.0, 2.0], [1.0])])
def test_a_score_needs_a_positive_sigma_and_a_finite_error(error: list[float], sigma: list[float]) -> None:
    with pytest.raises(CalibrationError, match="sigma"):
        normalised_scores(np.array(error), np.array(sigma))
