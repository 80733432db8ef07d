import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.isotonic import IsotonicRegression

from seisloom.errors import DataError
from seisloom.metrics.horizons import (
    align_isotonic,
    align_quantile,
    aligned_scores,
    edge_ratio,
    falling_share,
    horizon_residuals,
    horizon_scores,
    ordering_accuracy,
    reference_levels,
    rgt_scores,
    surface_depth,
)

SHAPE = (6, 8, 50)
T = np.arange(SHAPE[-1], dtype=float)


def folded(shift: float = 0.0) -> np.ndarray:
    """RGT = depth under a gentle fold, moved down by so many samples."""
    il, xl = np.meshgrid(np.arange(SHAPE[0]), np.arange(SHAPE[1]), indexing="ij")
    return T - shift - (2 * np.sin(il / 2) + 0.37 * xl)[..., None]


def wrong(seed: int = 0) -> np.ndarray:
    return folded() + np.random.default_rng(seed).normal(size=SHAPE)


@pytest.mark.parametrize("rising", [lambda v: 3 * v - 7, lambda v: np.exp(v / 9), lambda v: v + np.abs(v) * v])
def test_a_rising_map_changes_none_of_the_scores(rising: object) -> None:
    truth, fault = folded(), np.zeros(SHAPE)
    fault[0, 0] = 1
    one, other = (
        rgt_scores(values, truth, rng=np.random.default_rng(1), fault=fault) for values in (wrong(), rising(wrong()))
    )
    assert one == other
    assert 0.3 < one["horizons"]["all"]["mean"] < 2


@pytest.mark.parametrize("rising", [lambda v: v, lambda v: np.exp(v / 9)])
def test_the_truth_under_any_map_is_perfect(rising: object) -> None:
    truth = folded()
    scores = rgt_scores(rising(truth), truth, rng=np.random.default_rng(0))
    assert scores["aligned"]["mae"] < 1e-12
    assert scores["aligned"]["ssim"] == pytest.approx(1)
    assert scores["horizons"]["all"]["p95"] < 1e-9
    assert scores["horizons"]["all"]["missing_share"] == 0
    assert scores["ordering_accuracy"] == 1


@given(pair=arrays(float, (2, 12), elements=st.integers(0, 5).map(float)))
def test_isotonic_alignment_is_that_of_scikit_learn(pair: np.ndarray) -> None:
    predicted, truth = pair
    theirs = IsotonicRegression().fit(predicted, truth).predict(predicted)
    np.testing.assert_allclose(align_isotonic(predicted, truth), theirs, atol=1e-9)


def test_quantile_alignment_has_the_distribution_of_the_truth_and_the_order_of_the_prediction() -> None:
    truth, predicted = folded(), wrong()
    truth[0, 0, :7] = np.nan
    aligned, known = align_quantile(predicted, truth), ~np.isnan(truth)
    np.testing.assert_allclose(np.sort(aligned[known]), np.sort(truth[known]))
    order = np.argsort(predicted[known], kind="stable")
    assert (np.diff(aligned[known][order]) >= 0).all()
    assert np.isnan(aligned[~known]).all()


def test_a_surface_lies_where_the_trace_first_rises_to_its_level() -> None:
    rgt = np.array([[0, 1, 2, 1, 3.0], [5, 6, 7, 8, 9.0], [0, 0, 0, 0, 0.0], [np.nan, 1, 2, 2, 2.0]])
    np.testing.assert_array_equal(surface_depth(rgt, 1.5), [1.5, np.nan, np.nan, 1.5])
    np.testing.assert_array_equal(surface_depth(rgt, 1.0), [1, np.nan, np.nan, np.nan])


def test_a_block_moved_down_has_its_shift_as_residual() -> None:
    truth, predicted = folded(), folded()
    # A third of the traces: the median on each horizon stays that of the others
    predicted[:2] = folded(3.0)[:2]
    levels = np.linspace(15, 30, 5)
    depths, residuals, missing = horizon_residuals(predicted, truth, levels=levels)
    assert not missing.any()
    assert depths.shape == residuals.shape == (5, 6, 8)
    # Giving the prediction the truth's distribution bends its values by less than the spread of a few samples
    np.testing.assert_allclose(residuals[:, :2], 3, atol=0.02)
    np.testing.assert_allclose(residuals[:, 2:], 0, atol=0.02)


def test_residuals_near_faults_are_told_from_those_away() -> None:
    truth, predicted, fault = folded(), folded(), np.zeros(SHAPE)
    fault[0] = 1
    predicted[:2] = folded(3.0)[:2]
    scores = horizon_scores(predicted, truth, fault=fault, levels=np.linspace(15, 30, 5), near_fault_voxels=1)
    assert scores["across"]["n"] == 5 * 2 * 8
    assert scores["across"]["mean"] == pytest.approx(3, abs=0.02)
    assert scores["across"]["bias"] == pytest.approx(3, abs=0.02)
    assert scores["away"]["mean"] == pytest.approx(0, abs=0.02)
    assert scores["all"]["n"] == scores["away"]["n"] + scores["across"]["n"]
    assert scores["all"]["mean"] == pytest.approx(1, abs=0.02)


def test_a_prediction_without_horizons_is_not_rewarded() -> None:
    truth = folded()
    scores = horizon_scores(np.zeros(SHAPE), truth)["all"]
    assert scores["missing_share"] == 1
    assert scores["mean"] > 15
    assert ordering_accuracy(np.zeros(SHAPE), truth, rng=np.random.default_rng(0)) == 0.5


def test_what_is_not_known_is_left_out() -> None:
    truth, predicted = folded(), wrong()
    truth[3:] = np.nan
    spoiled = predicted.copy()
    spoiled[3:] = np.nan
    one = rgt_scores(spoiled, truth, rng=np.random.default_rng(0))
    assert one["horizons"] == rgt_scores(predicted[:3], truth[:3], rng=np.random.default_rng(0))["horizons"]
    assert one["aligned"]["mae"] == pytest.approx(aligned_scores(predicted[:3], truth[:3])["mae"])
    nothing = rgt_scores(predicted, np.full(SHAPE, np.nan), rng=np.random.default_rng(0))
    assert nothing["horizons"]["all"]["n"] == 0
    assert np.isnan(nothing["aligned"]["mae"])
    with pytest.raises(DataError, match="not finite"):
        horizon_scores(spoiled, folded())
    with pytest.raises(DataError, match="same grid"):
        align_isotonic(predicted, truth[0])


def test_a_section_is_scored_as_a_volume_of_one_inline() -> None:
    truth, predicted = folded()[:1], wrong()[:1]
    assert rgt_scores(predicted[0], truth[0], rng=np.random.default_rng(0)) == rgt_scores(
        predicted, truth, rng=np.random.default_rng(0)
    )


def test_levels_are_evenly_spaced_quantiles() -> None:
    np.testing.assert_allclose(reference_levels(np.arange(101.0), 4), [12.5, 37.5, 62.5, 87.5])
    assert reference_levels(np.array([np.nan])).size == 0


def test_ordering_of_noise_is_chance_and_of_a_mirror_is_wrong() -> None:
    truth = folded()
    rng = np.random.default_rng(0)
    assert ordering_accuracy(-truth, truth, rng=rng) == 0
    assert ordering_accuracy(rng.normal(size=SHAPE), truth, rng=rng) == pytest.approx(0.5, abs=0.01)
    # Two normals correlated by r are in the same order with probability 1/2 + asin(r) / pi (Sheppard 1899)
    x, y = rng.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], size=200_000).T
    assert ordering_accuracy(x, y, rng=rng) == pytest.approx(0.5 + np.arcsin(0.8) / np.pi, abs=0.006)
    assert np.isnan(ordering_accuracy(np.ones(3), np.ones(3), rng=rng))


def test_the_same_seed_draws_the_same_pairs() -> None:
    draws = [ordering_accuracy(wrong(), folded(), rng=np.random.default_rng(5), n_pairs=100) for _ in range(2)]
    assert draws[0] == draws[1]


def test_falling_steps_of_the_truth_stand_beside_those_of_the_prediction() -> None:
    truth = folded()
    predicted = truth.copy()
    predicted[..., 10] -= 5  # one falling step of 49 in each trace
    scores = rgt_scores(predicted, truth, rng=np.random.default_rng(0))
    assert (scores["falling_share"], scores["falling_share_of_truth"]) == (pytest.approx(1 / 49), 0)
    assert np.isnan(falling_share(np.full((2, 3), np.nan)))


def test_tiles_with_a_jump_show_at_their_edges() -> None:
    ramp = np.add.outer(np.arange(12.0), 0.5 * np.arange(20.0))
    assert edge_ratio(ramp, {0: [4, 8], 1: [10]}) == {0: 1, 1: 1}
    ramp[4:] += 3
    ratio = edge_ratio(ramp, {0: [4], 1: [10]})
    assert (ratio[0], ratio[1]) == (pytest.approx(4), pytest.approx(1))
    assert np.isnan(edge_ratio(ramp, {0: []})[0])
    assert np.isnan(edge_ratio(np.ones((4, 4)), {1: [2]})[1])
    with pytest.raises(DataError, match="no edge at"):
        edge_ratio(ramp, {0: [0]})
