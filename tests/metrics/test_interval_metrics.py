import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import integrate, stats

from seisloom.metrics.intervals import (
    aurc,
    best_constant_half_width,
    covered,
    ence,
    excess_aurc,
    gaussian_crps,
    gaussian_nll,
    interval_score,
    outliers_caught,
    pit,
    risk_at,
    risk_coverage,
    spearman,
)

ERRORS = hnp.arrays(float, st.integers(1, 40), elements=st.floats(0, 100))


@pytest.mark.parametrize(("error", "sigma"), [(0.0, 1.0), (1.3, 0.4), (-5.0, 2.0), (30.0, 1.0)])
def test_crps_is_the_integral_that_defines_it(error: float, sigma: float) -> None:
    # integral of (F(t) - 1[t >= truth])^2 with the prediction at 0, so that the truth is at -error.
    left = integrate.quad(lambda t: stats.norm.cdf(t, scale=sigma) ** 2, -60, -error, points=[-sigma, 0], limit=200)[0]
    right = integrate.quad(lambda t: stats.norm.sf(t, scale=sigma) ** 2, -error, 60, points=[0, sigma], limit=200)[0]
    assert gaussian_crps(np.array([error]), np.array([sigma]))[0] == pytest.approx(left + right, rel=1e-6)


def test_nll_and_pit_are_those_of_scipy() -> None:
    rng = np.random.default_rng(0)
    error, sigma = rng.normal(size=50) * 3, rng.uniform(0.2, 3, 50)
    np.testing.assert_allclose(gaussian_nll(error, sigma), -stats.norm.logpdf(error, scale=sigma))
    np.testing.assert_allclose(pit(error, sigma), stats.norm.cdf(-error, scale=sigma))


def test_pit_of_a_right_forecast_is_uniform() -> None:
    rng = np.random.default_rng(1)
    sigma = rng.uniform(0.5, 2, 3000)
    assert stats.kstest(pit(rng.normal(size=3000) * sigma, sigma), "uniform").pvalue > 1e-3


def test_interval_score_is_width_plus_twenty_times_the_distance_outside() -> None:
    score = interval_score(np.array([0.0, 3.0, -4.0]), np.full(3, -1.0), np.full(3, 1.0), 0.1)
    np.testing.assert_allclose(score, [2, 2 + 20 * 2, 2 + 20 * 3])
    assert interval_score(np.zeros(1), np.array([-np.inf]), np.array([np.inf]), 0.1)[0] == np.inf


@given(hnp.arrays(float, st.integers(1, 40), elements=st.floats(-100, 100)), st.sampled_from([0.05, 0.1, 0.2, 0.5]))
def test_no_other_constant_width_scores_better(error: np.ndarray, alpha: float) -> None:
    def score(half: float) -> float:
        return float(interval_score(error, np.array(-half), np.array(half), alpha).mean())

    best = score(best_constant_half_width(error, alpha))
    # The score is piecewise linear in the half-width with kinks at |error|: the least is at one of them, or at 0.
    assert best <= min(score(float(half)) for half in [0.0, *np.abs(error)]) + 1e-9


def test_missing_ends_cover_nothing_and_infinite_ends_everything() -> None:
    found = covered(np.zeros(3), np.array([np.nan, -np.inf, 0.0]), np.array([np.nan, np.inf, 0.0]))
    assert found.tolist() == [False, True, True]


def test_ence_is_zero_for_a_right_sigma_and_one_half_for_half_the_errors() -> None:
    sigma = np.repeat(np.arange(1.0, 11.0), 20)
    error = sigma * np.tile([1.0, -1.0], 100)
    assert ence(error, sigma) == pytest.approx(0)
    assert ence(error / 2, sigma) == pytest.approx(0.5)


@given(ERRORS)
def test_the_oracle_has_no_excess_and_no_order_beats_it(error: np.ndarray) -> None:
    assert excess_aurc(error, error) == pytest.approx(0, abs=1e-12)
    assert excess_aurc(error, -error) >= -1e-9


@given(ERRORS, st.randoms(use_true_random=False))
def test_risk_coverage_ends_at_the_mae_and_ignores_the_order_of_the_table(error: np.ndarray, random) -> None:
    uncertainty = np.round(error / 30)
    order = np.array(random.sample(range(error.size), error.size))
    share, risk = risk_coverage(error, uncertainty)
    np.testing.assert_allclose(risk, risk_coverage(error[order], uncertainty[order])[1], atol=1e-9)
    assert share[-1] == 1
    assert risk[-1] == pytest.approx(error.mean())


def test_risk_coverage_by_hand() -> None:
    share, risk = risk_coverage(np.array([4.0, 1.0, 1.0]), np.array([3.0, 1.0, 2.0]))
    np.testing.assert_allclose(share, [1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(risk, [1, 1, 2])
    assert risk_at(np.array([4.0, 1.0, 1.0]), np.array([3.0, 1.0, 2.0]), 0.66) == 1
    assert aurc(np.array([4.0, 1.0, 1.0]), np.array([3.0, 1.0, 2.0])) == pytest.approx(4 / 3)


def test_a_constant_uncertainty_gives_a_flat_line() -> None:
    np.testing.assert_allclose(risk_coverage(np.array([0.0, 1.0, 5.0]), np.ones(3))[1], 2)


def test_outliers_among_the_least_certain_are_caught() -> None:
    outlier = np.arange(10) >= 8
    assert outliers_caught(outlier, np.arange(10.0)) == 1
    assert outliers_caught(outlier, -np.arange(10.0)) == 0
    assert outliers_caught(outlier, np.ones(10)) == pytest.approx(0.2)
    assert np.isnan(outliers_caught(np.zeros(10), np.arange(10.0)))


def test_rank_correlation_is_that_of_scipy_and_not_defined_for_a_constant() -> None:
    rng = np.random.default_rng(2)
    one, other = rng.normal(size=30), rng.normal(size=30)
    assert spearman(one, other) == pytest.approx(stats.spearmanr(one, other).statistic)
    assert np.isnan(spearman(np.ones(30), other))
