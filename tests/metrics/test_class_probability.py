"""Calibration errors and proper scores in closed form, and of distributions that mean what they say."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as oracle

from seisloom.metrics import class_probability as cp
from seisloom.sample import Array


def honest(n: int, *, seed: int = 0, n_classes: int = 3) -> tuple[Array, Array]:
    """Probabilities, and labels drawn from them."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(n_classes), n)
    return p, (rng.random((n, 1)) > p.cumsum(axis=1)).sum(axis=1).clip(max=n_classes - 1)


def test_honest_probabilities_err_by_sampling_alone() -> None:
    p, label = honest(60_000)
    # 15 bins of 4000: a mean distance of 0.8 standard errors, each at most 0.008
    assert cp.expected_calibration_error(p, label) < 0.009
    assert cp.classwise_calibration_error(p, label) < 0.009
    sharper = p**3 / (p**3).sum(axis=1, keepdims=True)
    assert cp.expected_calibration_error(sharper, label) > 0.1
    assert cp.classwise_calibration_error(sharper, label) > 0.05


def test_one_confidence_errs_by_its_distance_in_any_order_of_the_table() -> None:
    p = np.tile([0.7, 0.3], (100, 1))
    label = np.r_[np.zeros(50, int), np.ones(50, int)]
    for order in (slice(None), np.random.default_rng(0).permutation(100)):
        assert cp.expected_calibration_error(p, label[order]) == pytest.approx(0.2)
    assert cp.classwise_calibration_error(p, label) == pytest.approx(0.2)


def test_bins_hold_equally_many() -> None:
    found = cp.equal_mass_bins(np.linspace(0.5, 1, 150), np.ones(150, bool))
    assert found["count"].tolist() == [10] * 15
    assert cp.equal_mass_bins(np.array([0.5, 0.6]), np.array([True, False]))["count"].tolist() == [1, 1]


def test_proper_scores_are_those_of_scikit_learn() -> None:
    p, label = honest(500)
    assert cp.negative_log_likelihood(p, label) == pytest.approx(oracle.log_loss(label, p))
    by_class = [oracle.brier_score_loss(label == k, p[:, k]) for k in range(3)]
    assert cp.brier(p, label) == pytest.approx(sum(by_class))
    sure = np.array([[1.0, 0.0]])
    assert (cp.brier(sure, np.array([0])), cp.brier(sure, np.array([1]))) == (0.0, 2.0)
    assert cp.negative_log_likelihood(sure, np.array([1])) == np.inf


def test_the_record_has_none_where_a_score_is_not_a_number() -> None:
    p, label = honest(500)
    found = cp.probability_scores(p, label)
    assert found["brier"] == cp.brier(p, label)
    assert None not in found.values()
    assert set(cp.probability_scores(np.zeros((0, 2)), np.zeros(0, int)).values()) == {None}
    assert cp.probability_scores(np.array([[1.0, 0.0]]), np.array([1]))["nll"] is None


def test_the_surest_are_kept_first() -> None:
    p = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.55, 0.45]])
    share, error = cp.error_against_kept(p, np.array([0, 1, 1, 0]))
    np.testing.assert_allclose(share, [0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(error, [0, 0, 1 / 3, 1 / 4])
    assert cp.area_error_against_kept(p, np.array([0, 1, 1, 0])) == pytest.approx((1 / 3 + 1 / 4) / 4)


def test_sets_are_counted() -> None:
    sets = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0], [1, 1, 1]], bool)
    found = cp.prediction_set_scores(sets, np.array([0, 2, 1, -1]))
    assert (found["n"], found["coverage"], found["mean_size"]) == (3, pytest.approx(1 / 3), 1.0)
    assert (found["share_single"], found["share_empty"]) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert found["coverage_by_class"] == [1.0, 0.0, 0.0]


def test_nothing_gives_nothing() -> None:
    p, label = np.zeros((0, 2)), np.zeros(0, int)
    scores = (
        cp.expected_calibration_error, cp.classwise_calibration_error, cp.brier, cp.negative_log_likelihood,
        cp.area_error_against_kept,
    )  # fmt: skip
    assert all(np.isnan(score(p, label)) for score in scores)
    assert np.isnan(cp.prediction_set_scores(np.zeros((0, 2), bool), label)["coverage"])
