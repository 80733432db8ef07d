"""Classifiers on tables of features: what their entries say, how they vote, and what a bundle keeps of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from seisloom.bundle import open_predictor
from seisloom.errors import RecipeError
from seisloom.recipe import read_recipe
from seisloom.run.train import train
from seisloom.signal.feature_families import names_of
from seisloom.tasks.classification.model import LogisticRegression, RandomForest, SupportVectorMachine, Vote
from seisloom.tasks.classification.recipe import ITEM
from seisloom.tasks.classification.task import CLASSIFICATION

from .conftest import MakeSet

SIZES = {"n_channels": 1, "n_classes": 2}
MEMBERS = (RandomForest(n_trees=10, kind="extra"), SupportVectorMachine(features=("bands",)))


def batch(n: int = 40) -> tuple[dict[str, torch.Tensor], list[str]]:
    """Windows of two classes, one of higher frequencies, and events of two windows."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 1, 800))
    x[::2] = np.apply_along_axis(lambda one: np.convolve(one, np.ones(4) / 2, mode="same"), -1, x[::2])
    arrays = {
        "x": torch.from_numpy(x.astype(np.float32)), "mask": torch.ones(n, 800, dtype=torch.int8),
        "fs": torch.full((n,), 40.0), "label": torch.eye(2)[torch.arange(n) % 2],
    }  # fmt: skip
    return arrays, [str(k // 2) for k in range(n)]


@pytest.mark.parametrize("mean", ["logits", "probabilities"])
def test_a_vote_is_the_mean_of_its_members(mean: Any) -> None:
    arrays, groups = batch()
    vote: Any = Vote(**SIZES, members=MEMBERS, mean=mean).build(ITEM)
    vote.learn(arrays, groups)
    each = []
    for one in MEMBERS:
        alone: Any = one.model_copy(update=SIZES).build(ITEM)
        alone.learn(arrays, groups)
        each.append(alone(arrays)["logits"].softmax(dim=1))
    together = torch.stack([one.log() for one in each]).mean(dim=0) if mean == "logits" else sum(each).log()
    np.testing.assert_allclose(vote(arrays)["logits"].exp(), together.softmax(dim=1), atol=1e-6)


def test_entries_say_what_is_wrong() -> None:
    with pytest.raises(RecipeError, match="physical"):
        read_recipe("classification", ["model.name=svm", "model.features=[colour]"])
    with pytest.raises(RecipeError, match="members"):
        read_recipe("classification", ["model.name=vote", "model.members=[rocket]"])
    with pytest.raises(RecipeError, match="n_classes are not known"):
        Vote().build(ITEM)


def test_the_columns_are_those_of_the_families_and_older_entries_have_the_physical_ones() -> None:
    assert RandomForest(**SIZES).features == ("physical",)
    for families in (("physical",), ("bands", "snr")):
        entry = LogisticRegression(**SIZES, features=families)
        assert len(entry.table()) == len(names_of(families))


def test_the_onset_is_where_windows_have_it(make_set: MakeSet) -> None:
    folder = make_set(labels=("earthquake", "explosion") * 3, fs_hz=20.0, duration_s=50.0)
    given = [
        f"data.paths=[{folder}]", "data.sampling_rate_hz=null", "data.window_s=24", "data.before_s=9", "data.pick_s=20",
    ]  # fmt: skip
    recipe = CLASSIFICATION.complete(read_recipe("classification", [*given, "model.name=svm"]))
    assert recipe.model.onset_s == 9
    vote = "model.members=[svm, {name: logistic, onset_s: 4}]"
    recipe = CLASSIFICATION.complete(read_recipe("classification", [*given, "model.name=vote", vote]))
    assert [one.onset_s for one in recipe.model.members] == [9, 4]


def test_a_bundle_keeps_a_vote_of_which_one_asks_for_noise_before_the_onset(make_set: MakeSet, tmp_path: Path) -> None:
    folder = make_set(labels=("earthquake", "explosion") * 16, fs_hz=20.0, duration_s=50.0)
    members = (
        "[{name: random_forest, kind: extra, n_trees: 10, features: [physical, snr], noise_s: 12}, "
        "{name: svm, features: [bands], noise_s: 12}, {name: logistic, noise_s: 12}]"
    )
    recipe = read_recipe(
        "classification",
        [
            f"data.paths=[{folder}]", "data.sampling_rate_hz=null", "data.window_s=40", "data.before_s=16",
            "data.pick_s=20", "data.shift_s=0", "split.test=0.25", "split.calibrate=0.25", "augment=[]",
            "model.name=vote", f"model.members={members}", "train.epochs=1", "train.threads=1",
            "prepare=[{name: zscore, per: trace}]",
        ],
    )  # fmt: skip
    made = train(recipe, tmp_path / "b")
    assert np.isfinite(made.report["tables"]["records"]["b"]["macro F1"])
    opened = open_predictor(tmp_path / "b")
    assert [one.name for one in opened.recipe.model.members] == ["random_forest", "svm", "logistic"]
    first, again = (one.apply(folder)[["p_earthquake", "p_explosion"]].to_numpy() for one in (opened, opened))
    assert np.isfinite(first).all()
    np.testing.assert_array_equal(first, again)
