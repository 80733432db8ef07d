import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seisloom.errors import DataError
from seisloom.metrics.picks import (
    bootstrap_mean,
    by_group,
    detection,
    error_sizes,
    hit_rate,
    hit_rates,
    pick_errors,
    quantile_bins,
)


def test_a_hit_includes_its_tolerance_whatever_the_last_bit() -> None:
    times = np.arange(1000) * 0.00025
    assert hit_rate((times + 0.00125) - times, 5 * 0.00025) == 1
    assert hit_rate((times + 0.00126) - times, 5 * 0.00025) == 0


def test_hit_rates_count_samples_of_each_record_and_milliseconds() -> None:
    error_s = np.array([0.001, -0.001, 0.004, np.nan])
    rates = hit_rates(error_s, sample_s=np.array([0.001, 0.0001, 0.001, 0.001]))
    assert rates["samples"] == {"1": 0.25, "3": 0.25, "5": 0.5, "7": 0.5, "9": 0.5}
    assert rates["ms"] == {"1": 0.5, "2": 0.5, "5": 0.75, "10": 0.75}


def test_error_sizes_are_their_closed_forms() -> None:
    error = np.concatenate([np.full(50, 3.0), np.full(50, -1.0)])
    sizes = error_sizes(error)
    assert sizes["mae"] == 2
    assert sizes["median"] == 2
    assert sizes["rmse"] == pytest.approx(np.sqrt(5))
    assert sizes["bias"] == 1
    assert sizes["p90"] == sizes["p99"] == 3


def test_no_picks_give_nan_and_a_count() -> None:
    found = pick_errors(np.array([]), sample_s=0.001)
    assert found["n"] == 0
    assert np.isnan([found["samples"]["mae"], found["outlier_share"], found["hit_rate"]["ms"]["1"]]).all()


def test_fifteen_samples_are_not_yet_an_outlier() -> None:
    assert pick_errors(np.array([0.015, 0.0151]), sample_s=0.001)["outlier_share"] == 0.5


def test_detection_counts_right_picks_against_picks_and_against_truth() -> None:
    found = detection(
        np.array([0.001, 0.1, np.nan, np.nan]),
        np.array([True, True, True, False]),
        np.array([True, True, False, True]),
        tolerance_s=0.003,
    )
    assert found == {"precision": 1 / 3, "recall": 1 / 3, "f1": 1 / 3}


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), st.integers(1, 10))
def test_quantile_bins_rise_with_the_value_and_never_part_equals(values: list[float], n_bins: int) -> None:
    array = np.array(values)
    bins = quantile_bins(array, n_bins)
    order = np.argsort(array, kind="stable")
    assert (np.diff(bins[order]) >= 0).all()
    assert all(len(set(bins[array == value])) == 1 for value in array)
    if len(set(values)) == len(values) and len(values) >= n_bins:
        assert np.ptp(np.bincount(bins, minlength=n_bins)) <= 1


def test_groups_keep_their_order_and_leave_out_the_nameless() -> None:
    found = by_group(np.array(["b", "", "a", "b"]), lambda idx: {"sum": float(idx.sum())}, order=["b", "a"])
    assert list(found.items()) == [("b", {"n": 2, "sum": 3.0}), ("a", {"n": 1, "sum": 2.0})]


def test_bootstrap_over_groups_knows_that_picks_of_a_shot_err_together() -> None:
    rng = np.random.default_rng(0)
    shot_error = rng.normal(size=40)
    values, shots = np.repeat(shot_error, 25), np.repeat(np.arange(40), 25)
    low, high = bootstrap_mean(values, shots, rng=np.random.default_rng(1))
    # Closed form: the mean of 40 independent shots.
    expected = 2 * 1.96 * shot_error.std() / np.sqrt(40)
    assert high - low == pytest.approx(expected, rel=0.15)
    alone = np.subtract(*bootstrap_mean(values, np.arange(1000), rng=np.random.default_rng(1))[::-1])
    assert alone < expected / 3
    assert (low, high) == bootstrap_mean(values, shots, rng=np.random.default_rng(1))


def test_one_group_has_no_bootstrap_interval() -> None:
    assert np.isnan(bootstrap_mean(np.ones(5), np.zeros(5), rng=np.random.default_rng(0))).all()


def test_bootstrap_needs_a_label_for_each_value() -> None:
    with pytest.raises(DataError, match="label"):
        bootstrap_mean(np.ones(5), np.zeros(4), rng=np.random.default_rng(0))
