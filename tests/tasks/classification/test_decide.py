"""Which class is named, and stations that speak for each other."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seisloom.bundle import open_predictor
from seisloom.calibration.classes import ClassCalibration
from seisloom.errors import RecipeError
from seisloom.metrics.classes import confusion, macro_f1
from seisloom.recipe import read_recipe
from seisloom.run.train import train
from seisloom.sample import Array
from seisloom.tasks.classification.decide import DecidedClasses, best_factors, shared, weighed

MakeSet = Callable[..., Path]


def rare_class(n: int, *, seed: int) -> tuple[Array, Array]:
    """Probabilities and labels of two normal laws a unit and a half apart, one in ten of the second: exact ones."""
    rng = np.random.default_rng(seed)
    label = (rng.random(n) < 0.1).astype(int)
    x = rng.normal(1.5 * label)
    odds = 0.1 / 0.9 * np.exp(1.5 * x - 1.5**2 / 2)
    second = odds / (1 + odds)
    return np.stack([1 - second, second], axis=1), label


def f1(probability: Array, label: Array) -> float:
    return macro_f1(confusion(label, probability.argmax(axis=1), probability.shape[1]))


def test_factors_of_a_rare_class_raise_macro_f1_of_other_items() -> None:
    probability, label = rare_class(4000, seed=0)
    factors = best_factors(probability, label)
    assert factors[1] > 1 > factors[0]
    assert np.prod(factors) == pytest.approx(1)
    others, truth = rare_class(20_000, seed=1)
    best = max(f1(weighed(others, (1.0, one)), truth) for one in np.geomspace(0.2, 20, 60))
    # The best threshold itself is known to some hundredths from 400 rare items
    assert f1(weighed(others, factors), truth) > max(f1(others, truth) + 0.02, best - 0.01)


def test_factors_of_three_classes_undo_a_shift() -> None:
    rng = np.random.default_rng(2)
    label = rng.integers(0, 3, 3000)
    logits = 2 * np.eye(3)[label] + rng.normal(size=(3000, 3)) + np.array([3.0, 0.0, -1.0])
    probability = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    factors = best_factors(probability, label)
    assert f1(weighed(probability, factors), label) > f1(probability, label) + 0.2
    np.testing.assert_allclose(np.diff(np.log(factors)), [3, 1], atol=0.5)


def test_without_factors_the_likeliest_stays() -> None:
    probability = rare_class(10, seed=0)[0]
    assert weighed(probability, ()) is probability
    np.testing.assert_allclose(weighed(probability, (2.0, 2.0)), probability)


def test_a_calibration_with_factors_survives_json_and_one_without_is_read() -> None:
    one = DecidedClasses.of(ClassCalibration(2, temperature=0.5), (0.5, 2.0))
    back = DecidedClasses.from_json(json.loads(json.dumps(one.to_json())))
    assert back == one
    older = DecidedClasses.from_json(ClassCalibration(2, temperature=0.5).to_json())
    assert (older.factors, older.temperature) == ((), 0.5)


def test_stations_of_an_event_speak_for_each_other() -> None:
    logits = np.array([[0.0, 1.0], [0.0, 3.0], [0.0, 7.0], [0.0, 5.0], [np.nan, np.nan]])
    event = np.array(["a", "a", "b", "", "a"])
    may = np.array([True, True, True, True, True])
    assert shared(logits, event, may, 1.0)[:, 1].tolist()[:4] == [2.0, 2.0, 7.0, 5.0]
    assert shared(logits, event, may, 0.5)[:, 1].tolist()[:4] == [1.5, 2.5, 7.0, 5.0]
    np.testing.assert_array_equal(shared(logits, event, may, 0.0), logits)
    assert np.isnan(shared(logits, event, may, 1.0)[4]).all()
    # One that may not is neither changed nor heard
    alone = shared(logits, event, np.array([True, False, True, True, True]), 1.0)
    assert alone[:2, 1].tolist() == [1.0, 3.0]


def test_windows_of_noise_and_event_cannot_be_put_together() -> None:
    for name, changes in (("noise_or_event", []), ("p_wave_window", ["data.noise_before_s=null"])):
        with pytest.raises(RecipeError, match="windows of several classes"):
            read_recipe(name, ["apply.share=0.5", *changes])


def test_a_bundle_keeps_factors_and_shares_what_stations_say(make_set: MakeSet, tmp_path: Path) -> None:
    folder = make_set(labels=("earthquake", "explosion", "earthquake", "earthquake") * 10, fs_hz=20.0, duration_s=50.0)
    recipe = read_recipe(
        "classification",
        [
            f"data.paths=[{folder}]", "data.sampling_rate_hz=null", "data.window_s=24", "data.before_s=4",
            "data.pick_s=20", "data.shift_s=0", "split.test=0.25", "split.calibrate=0.25", "augment=[]",
            "model.name=random_forest", "model.kind=extra", "model.n_trees=20", "train.epochs=1", "train.threads=1",
            "calibrate.decide=f1", "apply.share=1", "prepare=[{name: zscore, per: trace}]",
        ],
    )  # fmt: skip
    made = train(recipe, tmp_path / "b")
    opened = open_predictor(tmp_path / "b")
    assert isinstance(opened.calibration, DecidedClasses)
    factors = opened.calibration.factors
    assert len(factors) == 2
    table = opened.apply(folder)
    probability = table[["p_earthquake", "p_explosion"]].to_numpy()
    named = np.array(["earthquake", "explosion"])[weighed(probability, factors).argmax(axis=1)]
    assert (table["class"] == named).all()
    assert (table.groupby("event")["p_explosion"].std() < 1e-6).all()
    assert np.isfinite(made.report["tables"]["records"]["b"]["macro F1"])
