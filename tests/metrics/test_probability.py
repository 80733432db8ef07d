import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.metrics.probability import reliability


def test_a_constant_probability_errs_by_its_distance_from_the_share() -> None:
    truth = np.zeros((10, 10), int)
    truth[0, :3] = 1
    found = reliability(np.full((10, 10), 0.15), truth)
    assert found["ece"] == pytest.approx(0.12)
    assert found["brier"] == pytest.approx(0.03 * 0.85**2 + 0.97 * 0.15**2)
    assert found["count"][1] == found["n"] == 100
    assert found["share_true"][1] == pytest.approx(0.03)
    assert np.isnan(found["share_true"][0])


def test_a_probability_that_means_what_it_says_has_no_error_but_that_of_sampling() -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(size=200_000)
    truth = (rng.uniform(size=p.size) < p).astype(int)
    found = reliability(p, truth)
    assert found["ece"] < 0.01  # a bin of 20 000 has a standard error of at most 0.0035
    assert found["brier"] == pytest.approx(1 / 6, abs=0.003)  # mean of p (1 - p)
    assert reliability(p**2, truth)["ece"] == pytest.approx(1 / 6, abs=0.01)  # mean of p - p^2


def test_bins_are_closed_below_and_the_last_one_above() -> None:
    found = reliability(np.array([0.0, 0.1, 0.5, 1.0]), np.array([0, 0, 1, 1]))
    assert found["count"] == [1, 1, 0, 0, 0, 1, 0, 0, 0, 1]


def test_unknown_voxels_dead_traces_and_missing_probabilities_are_left_out() -> None:
    p = np.array([[0.2, np.nan, 0.9], [0.9, 0.9, 0.9]])
    truth = np.array([[0, 1, -1], [0, 0, 0]])
    assert reliability(p, truth, known=np.array([[True], [False]]))["n"] == 1
    assert np.isnan(reliability(p, np.full((2, 3), -1))["ece"])


def test_logits_are_refused() -> None:
    with pytest.raises(DataError, match="sigmoid"):
        reliability(np.array([-3.0, 2.0]), np.array([0, 1]))
    with pytest.raises(DataError, match="same grid"):
        reliability(np.zeros(2), np.zeros(3))
