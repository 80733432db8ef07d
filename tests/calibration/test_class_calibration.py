"""Temperature against a grid and scikit-learn, sets against their promise on simulated events, refusals and risk."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression

from seisloom.calibration.class_sets import adaptive_scores
from seisloom.calibration.classes import ClassCalibration, calibrate_classes
from seisloom.calibration.temperature import LIMITS, fit_temperature
from seisloom.errors import CalibrationError
from seisloom.sample import Array

SHARES = np.array([0.6, 0.3, 0.1])


def events(rng: np.random.Generator, n_events: int, *, sharpness: float = 2.0) -> tuple[Array, Array, Array]:
    """Logits of a network that is too sure, of 1 to 8 records an event that err together; labels and events."""
    n_records = rng.integers(1, 9, n_events)
    event = np.repeat(np.arange(n_events), n_records)
    label = rng.choice(3, n_events, p=SHARES)[event]
    shared, alone = rng.normal(size=(n_events, 3))[event], rng.normal(size=(event.size, 3))
    seen = 1.5 * np.eye(3)[label] + 0.7 * shared + 0.7 * alone
    return sharpness * (1.5 * seen + np.log(SHARES)), label, event


def drawn(rng: np.random.Generator, n: int, temperature: float, bias: Array | float = 0.0) -> tuple[Array, Array]:
    """Logits, and labels drawn from softmax(logits / temperature + bias)."""
    logits = 3 * rng.normal(size=(n, 4))
    p = softmax(logits / temperature + bias, axis=1)
    return logits, (rng.random((n, 1)) > p.cumsum(axis=1)).sum(axis=1).clip(max=3)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_labels_were_drawn_at_is_found(temperature: float) -> None:
    rng = np.random.default_rng(0)
    logits, label = drawn(rng, 20_000, temperature)
    found, bias = fit_temperature(logits, label)
    assert found == pytest.approx(temperature, rel=0.03)
    assert bias == ()
    grid = np.exp(np.linspace(-1.5, 1.5, 601))
    nll = [-log_softmax(logits / one, axis=1)[np.arange(label.size), label].mean() for one in grid]
    assert found == pytest.approx(grid[int(np.argmin(nll))], rel=0.015)  # a step of the grid, and Platt's targets


def test_biases_are_those_of_a_logistic_regression_of_one_slope() -> None:
    rng = np.random.default_rng(1)
    bias = np.array([0.8, -0.4, 0.0, -0.4])
    logits, label = drawn(rng, 20_000, 2.0, bias)
    temperature, found = fit_temperature(logits, label, with_bias=True)
    assert temperature == pytest.approx(2.0, rel=0.03)
    np.testing.assert_allclose(found, bias, atol=0.06)
    # With two classes one slope is all that a logistic regression of the difference has
    two, which = logits[:, :2], (rng.random(20_000) < 1 / (1 + np.exp(-(logits[:, 1] - logits[:, 0]) / 2 - 0.7)))
    oracle = LogisticRegression(C=np.inf).fit((two[:, 1] - two[:, 0])[:, None], which)
    temperature, found = fit_temperature(two, which.astype(int), with_bias=True)
    assert 1 / temperature == pytest.approx(float(oracle.coef_[0, 0]), rel=0.002)
    assert found[1] - found[0] == pytest.approx(float(oracle.intercept_[0]), abs=0.002)


def test_an_event_has_one_vote_however_many_records_it_has() -> None:
    rng = np.random.default_rng(2)
    logits, label = drawn(rng, 500, 2.0)
    alone, _ = fit_temperature(logits, label)
    repeated = np.repeat(np.arange(500), rng.integers(1, 30, 500))
    again, _ = fit_temperature(logits[repeated], label[repeated], groups=repeated)
    assert again == pytest.approx(alone, rel=1e-4)


def test_without_a_mistake_the_temperature_stays_sane() -> None:
    label = np.arange(40) % 2
    logits = np.where(np.eye(2)[label] == 1, 4.0, -4.0)
    found, _ = fit_temperature(logits, label)
    # One in 42 is believed to be wrong: the logits differ by log(41) then
    assert softmax(logits / found, axis=1).max() == pytest.approx(41 / 42, rel=1e-3)
    assert LIMITS[0] < found


def test_scores_by_hand_and_never_an_empty_set() -> None:
    p = np.array([[0.2, 0.5, 0.3], [1 / 3, 1 / 3, 1 / 3], [1.0, 0.0, 0.0]])
    np.testing.assert_allclose(adaptive_scores(p), [[0.8, 0.0, 0.5], [0, 1 / 3, 2 / 3], [0, 1, 1]])
    np.testing.assert_allclose(adaptive_scores(p, penalty=0.1, free_rank=2)[0], [0.9, 0.0, 0.5])
    calibration = ClassCalibration(3, levels=(0.9,), quantiles=(0.0,))
    assert calibration.sets(np.log(p + 1e-300)).any(axis=1).all()
    everything = ClassCalibration(3, levels=(0.9,), quantiles=(math.inf,))
    assert everything.sets(np.log(p + 1e-300)).all()


def test_sets_hold_the_true_class_of_new_events_as_often_as_they_say() -> None:
    shares, sizes = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        logits, label, event = events(rng, 60)
        calibration = calibrate_classes(logits, label, groups=event, by_class=False, levels=(0.8, 0.9))
        assert calibration.promised == (True, True)
        logits, label, event = events(rng, 300)
        inside = calibration.sets(logits)[np.arange(label.size), label]
        weight = 1 / np.bincount(event)[event]  # a record of a new event: events weigh the same
        shares.append(float(inside @ weight / weight.sum()))
        sizes.append(float(calibration.sets(logits).sum(axis=1).mean()))
    # Each of 40 shares scatters by about 0.035 from 60 events, their mean by 0.006
    assert 0.88 < np.mean(shares) < 0.93
    assert 1 < np.mean(sizes) < 2.2


def test_by_class_a_rare_one_is_covered_as_often_as_a_common_one() -> None:
    shared, own = [], []
    for seed in range(15):
        rng = np.random.default_rng(seed)
        logits, label, event = events(rng, 600)
        new, truth, _ = events(rng, 600)
        for by_class, kept in ((False, shared), (True, own)):
            calibration = calibrate_classes(logits, label, groups=event, by_class=by_class)
            inside = calibration.sets(new)[np.arange(truth.size), truth]
            kept.append([inside[truth == k].mean() for k in range(3)])
    assert np.mean(shared, axis=0)[2] < 0.8
    # About 60 events of the rare class: each share scatters by 0.05, the mean of 15 by 0.013
    np.testing.assert_allclose(np.mean(own, axis=0), 0.9, atol=0.035)


def test_a_class_of_few_events_takes_the_shared_quantile() -> None:
    logits, label, event = events(np.random.default_rng(0), 60)
    n = [np.unique(event[label == k]).size for k in range(3)]
    assert n[2] < 20 <= n[0]
    calibration = calibrate_classes(logits, label, groups=event)
    assert calibration.class_quantiles[2] == ()
    assert calibration.class_quantiles[0] != ()
    assert calibration.sets(logits).shape == logits.shape
    assert calibrate_classes(logits, label, groups=event, min_groups=1000).class_quantiles == ()


def test_few_events_promise_nothing_and_say_so() -> None:
    logits, label, event = events(np.random.default_rng(3), 8)
    calibration = calibrate_classes(logits, label, groups=event)
    assert dict(zip(calibration.levels, calibration.promised, strict=True))[0.9] is False
    assert "too few events" in calibration.note


def test_probabilities_of_new_events_are_likelier_after_it() -> None:
    rng = np.random.default_rng(4)
    logits, label, event = events(rng, 200, sharpness=4.0)
    calibration = calibrate_classes(logits, label, groups=event)
    assert calibration.nll_before is not None
    assert calibration.nll_after is not None
    assert calibration.nll_after < calibration.nll_before
    new, truth, _ = events(rng, 200, sharpness=4.0)
    rows = np.arange(truth.size)
    before, after = -np.log(softmax(new, axis=1)[rows, truth]).mean(), -np.log(calibration(new)[rows, truth]).mean()
    assert after < 0.8 * before
    assert calibration(new).dtype == np.float32


def test_refusals_keep_the_risk_of_what_is_answered() -> None:
    risks, kept = [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        logits, label, event = events(rng, 400)
        calibration = calibrate_classes(logits, label, groups=event, max_risk=0.15)
        new, truth, _ = events(rng, 1000)
        answered = calibration.answers(new)
        kept.append(answered.mean())
        if answered.any():
            risks.append(float((new.argmax(1) != truth)[answered].mean()))
    assert np.mean(np.array(risks) > 0.15) <= 0.2  # delta of 0.1, twenty draws
    assert 0.2 < np.mean(kept) < 1
    nothing = calibrate_classes(np.zeros((30, 2)) + 1e-3 * np.eye(2)[np.arange(30) % 2], np.arange(30) // 2 % 2,
                                groups=np.arange(30), max_risk=0.01)  # fmt: skip
    assert nothing.max_doubt == 0
    assert not nothing.answers(np.array([[50.0, 0.0]])).any()
    assert "all are refused" in nothing.note


def test_it_comes_back_from_json() -> None:
    logits, label, event = events(np.random.default_rng(5), 60)
    calibration = calibrate_classes(logits, label, groups=event, with_bias=True, max_risk=0.2)
    again = ClassCalibration.from_json(json.loads(json.dumps(calibration.to_json(), allow_nan=False)))
    assert again == calibration
    endless = ClassCalibration(2, levels=(0.9,), quantiles=(math.inf,))
    assert ClassCalibration.from_json(json.loads(json.dumps(endless.to_json(), allow_nan=False))) == endless
    with pytest.raises(CalibrationError, match="not a stored calibration of classes"):
        ClassCalibration.from_json({"kind": "interval"})


def test_what_cannot_be_calibrated_on_is_named() -> None:
    rng = np.random.default_rng(6)
    logits, label, event = events(rng, 20)
    with pytest.raises(CalibrationError, match="of one class"):
        calibrate_classes(logits, np.zeros_like(label), groups=event)
    with pytest.raises(CalibrationError, match="no held-out item has a known class"):
        calibrate_classes(logits, np.full_like(label, -1), groups=event)
    with pytest.raises(CalibrationError, match=r"not finite \(first: item 0\)"):
        calibrate_classes(np.where(np.arange(len(label))[:, None] == 0, np.nan, logits), label, groups=event)
    with pytest.raises(CalibrationError, match="one of each an item"):
        calibrate_classes(logits, label, groups=event[1:])
    with pytest.raises(CalibrationError, match=r"no sets of coverage 0\.7"):
        calibrate_classes(logits, label, groups=event).sets(logits, level=0.7)
    with pytest.raises(CalibrationError, match="3 classes were calibrated"):
        calibrate_classes(logits, label, groups=event)(logits[:, :2])
    half = calibrate_classes(
        np.vstack([logits, logits]), np.r_[label, np.full_like(label, -1)], groups=np.r_[event, event]
    )
    assert half == calibrate_classes(logits, label, groups=event)
