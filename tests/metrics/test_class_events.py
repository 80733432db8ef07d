"""Votes of stations, and intervals that other events would keep."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.metrics.class_events import difference_over_events, event_labels, over_events, vote
from seisloom.metrics.classes import confusion, macro_f1


def test_a_vote_is_the_mean_or_the_normalised_product() -> None:
    p = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]])
    event = np.array(["b", "a", "b"])
    mean, product = vote(p, event), vote(p, event, how="product")
    assert mean.event.tolist() == ["a", "b"]
    assert mean.n_records.tolist() == [1, 2]
    np.testing.assert_allclose(mean.probability, [[0.2, 0.8], [0.7, 0.3]])
    root = np.sqrt([0.9 * 0.5, 0.1 * 0.5])
    np.testing.assert_allclose(product.probability, [[0.2, 0.8], root / root.sum()])


def test_one_sure_station_does_not_forbid_a_class() -> None:
    p = np.array([[1.0, 0.0]] + [[0.01, 0.99]] * 5)
    assert vote(p, np.full(6, "a"), how="product").probability.argmax() == 1
    assert np.isfinite(vote(np.array([[1.0, 0.0], [0.0, 1.0]]), np.full(2, "a"), how="product").probability).all()


def test_stations_that_err_independently_are_better_together() -> None:
    rng = np.random.default_rng(0)
    label, event = np.repeat(rng.integers(0, 2, 300), 5), np.repeat(np.arange(300), 5)
    logit = rng.normal(size=label.size) + (2 * label - 1)
    p = np.stack([1 - 1 / (1 + np.exp(-2 * logit)), 1 / (1 + np.exp(-2 * logit))], axis=1)
    truth = event_labels(label, event)
    alone = np.mean(p.argmax(1) == label)
    assert alone == pytest.approx(0.841, abs=0.03)  # normal law at 1
    for how in ("mean", "product"):
        assert np.mean(vote(p, event, how=how).probability.argmax(1) == truth) > 0.95


def test_an_event_has_one_class() -> None:
    event = np.array(["a", "a", "b", "c"])
    assert event_labels(np.array([1, -1, 0, -1]), event).tolist() == [1, 0, -1]
    with pytest.raises(DataError, match="event a has classes 0 and 1"):
        event_labels(np.array([0, 1, 0, 0]), event)
    with pytest.raises(DataError, match="1 probabilities are not finite"):
        vote(np.array([[np.nan, 1.0]]), np.array(["a"]))
    assert vote(np.zeros((0, 2)), np.zeros(0, str), how="product").probability.shape == (0, 2)


def test_the_interval_of_a_mean_is_that_of_independent_events() -> None:
    rng = np.random.default_rng(1)
    n_events, per = 200, 8
    value = np.repeat(rng.normal(size=n_events), per)  # records of an event are all alike
    event = np.repeat(np.arange(n_events), per)
    found = over_events(lambda rows: float(value[rows].mean()), event, rng=rng)
    # 1.96 / sqrt(200) to either side; as if all 1600 records told something new it would be 0.049
    assert (found.upper - found.lower) / 2 == pytest.approx(1.96 / np.sqrt(n_events), rel=0.12)
    assert (found.value, found.n_events, found.n_draws) == (pytest.approx(value.mean()), n_events, 1000)


def test_intervals_cover_as_often_as_they_say() -> None:
    hits = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        value = rng.normal(size=40)
        found = over_events(lambda rows, v=value: float(v[rows].mean()), np.arange(40), rng=rng, n_draws=200)
        hits += found.lower <= 0 <= found.upper
    assert 0.88 < hits / 200 < 0.99  # 95 %; three standard errors of 200, and the percentile method's small-sample loss


def test_a_pair_differs_by_less_than_its_parts_do() -> None:
    rng = np.random.default_rng(2)
    label = rng.integers(0, 3, 600)
    hard = rng.random(600) < 0.4
    one = np.where(hard, rng.integers(0, 3, 600), label)
    other = np.where(rng.random(600) < 0.1, rng.integers(0, 3, 600), one)
    event = np.repeat(np.arange(150), 4)

    def f1(said: np.ndarray, rows: np.ndarray) -> float:
        return macro_f1(confusion(label[rows], said[rows], 3))

    paired = difference_over_events(lambda r: f1(one, r), lambda r: f1(other, r), event, rng=rng, n_draws=300)
    alone = over_events(lambda r: f1(one, r), event, rng=rng, n_draws=300)
    assert paired.lower > 0
    assert paired.upper - paired.lower < 0.8 * (alone.upper - alone.lower)
    same = difference_over_events(lambda r: f1(one, r), lambda r: f1(one, r), event, rng=rng, n_draws=50)
    assert (same.value, same.lower, same.upper) == (0, 0, 0)


def test_draws_come_from_the_generator_and_undefined_ones_are_counted() -> None:
    event = np.arange(10)
    again = [over_events(lambda r: float(r.mean()), event, rng=np.random.default_rng(3), n_draws=50) for _ in range(2)]
    assert again[0] == again[1]
    gaps = over_events(lambda r: float("nan") if 0 in r else 1.0, event, rng=np.random.default_rng(0), n_draws=100)
    assert 20 < gaps.n_draws < 50  # (1 - 1 / 10)^10 = 35 %
    assert np.isnan(over_events(lambda r: 1.0, np.zeros(5), rng=np.random.default_rng(0)).lower)
