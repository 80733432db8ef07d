"""Telling traces with an arrival from those without, against scikit-learn and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import matthews_corrcoef, roc_auc_score

from seisloom.metrics.presence import false_picks_per_trace_hour, matthews, roc_auc


@given(st.integers(0, 10_000), st.integers(2, 80), st.integers(1, 30))
def test_matthews_and_area_are_those_of_scikit_learn(seed: int, n: int, n_values: int) -> None:
    rng = np.random.default_rng(seed)
    present, probability = rng.random(n) < 0.6, rng.integers(0, n_values, n) / n_values
    said = probability > 0.4
    if 0 < present.sum() < n:
        assert roc_auc(present, probability) == pytest.approx(roc_auc_score(present, probability))
    if 0 < present.sum() < n and 0 < said.sum() < n:
        assert matthews(present, said) == pytest.approx(matthews_corrcoef(present, said))


def test_nothing_is_told_apart_where_all_traces_are_of_one_kind() -> None:
    ones = np.ones(4, bool)
    assert np.isnan(matthews(ones, np.array([True, False, True, True])))
    assert np.isnan(roc_auc(ones, np.linspace(0, 1, 4)))
    assert np.isnan(false_picks_per_trace_hour(ones, ones, np.ones(4)))


def test_a_probability_that_is_not_known_is_left_out() -> None:
    assert roc_auc(np.array([True, False, True]), np.array([0.9, 0.1, np.nan])) == 1.0


def test_false_picks_are_counted_by_the_hour_of_noise() -> None:
    present = np.array([True, False, False, False])
    said = np.array([True, True, False, True])
    record_s = np.array([100.0, 1800.0, 1800.0, np.nan])
    assert false_picks_per_trace_hour(present, said, record_s) == 1.0
