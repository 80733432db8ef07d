"""Where no catalogue is given: a synthetic network that plans, reads and trains as real records do, and says so."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from seisloom.bundle import open_predictor
from seisloom.errors import DataError, MissingDataError, RecipeError
from seisloom.recipe import read_recipe
from seisloom.run.train import train
from seisloom.sample import Ref
from seisloom.tasks.classification import synthetic
from seisloom.tasks.classification.complete import complete
from seisloom.tasks.classification.data import _planned, load, plan, read, read_many
from seisloom.tasks.classification.recipe import ClassificationRecipe
from seisloom.tasks.classification.task import CLASSIFICATION
from seisloom.testing import check_task

from .conftest import MakeRecipe

FALLS_BACK = ("classification", "noise_or_event")


@pytest.fixture(autouse=True)
def _no_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEISLOOM_DATA", raising=False)
    _planned.cache_clear()


def of_class(refs: list[Ref], name: str) -> list[Ref]:
    return [ref for ref in refs if ref.groups["class"] == name]


def test_events_of_all_classes_are_planned_without_being_made_and_it_is_said(
    make_recipe: MakeRecipe, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made(*given: object) -> None:
        raise AssertionError("a record was made")

    monkeypatch.setattr("seisloom.tasks.classification.data.synthetic_waveform", made)
    refs = plan(make_recipe(synth={"n_events": 300, "stations": 4}))
    assert Counter(ref.groups["class"] for ref in refs) == {"earthquake": 400, "explosion": 400, "noise": 400}
    assert len({ref.groups["event"] for ref in refs}) == 300
    assert {"station", "network", "region", "year", "time", "set"} <= set(refs[0].groups)
    said = [record.message for record in caplog.records if "synthetic" in record.message]
    assert len(said) == 1
    assert "no catalogue is given, and SEISLOOM_DATA is not set" in said[0]
    assert "1200 records of 300 events (data.synth)" in said[0]


def test_windows_of_synthetic_records_are_cut_like_those_of_real_ones(make_recipe: MakeRecipe) -> None:
    recipe = make_recipe(window_s=60, before_s=10, shift_s=2, synth={"n_events": 6})
    refs = plan(recipe)
    for ref in refs:
        sample = read(recipe, ref)
        assert sample.arrays["x"].shape == (3, 64 * 40)
        assert sample.arrays["mask"].all()
        np.testing.assert_allclose(sample.arrays["y_idx"], 12 * 40, atol=1)
    one = of_class(refs, "earthquake")[0]
    quake = read(recipe, one).arrays["x"][0]
    assert np.square(quake[480:800]).mean() > 1.3 * np.square(quake[:470]).mean()


def test_a_record_has_the_same_bytes_whatever_else_is_made(make_recipe: MakeRecipe) -> None:
    few = make_recipe(synth={"n_events": 3, "first": 3})
    many = make_recipe(synth={"n_events": 30})
    key = plan(few)[4].key
    ref = next(one for one in plan(many) if one.key == key)
    a, b = read(few, plan(few)[4]), read(many, ref)
    assert a.arrays["x"].tobytes() == b.arrays["x"].tobytes()
    other = make_recipe(synth={"n_events": 3, "first": 3}).model_copy(update={"seed": 1})
    assert not any(np.array_equal(read(other, one).arrays["x"], a.arrays["x"]) for one in plan(other))


def test_shards_of_other_priors_are_not_taken_for_these(make_recipe: MakeRecipe) -> None:
    refs = [
        plan(make_recipe(synth={"n_events": n, "priors": {"snr_db": [0, high]}}))[0] for n, high in ((3, 9), (3, 8))
    ]
    assert refs[0].source["cut"] != refs[1].source["cut"]
    longer = plan(make_recipe(synth={"n_events": 6, "priors": {"snr_db": [0, 9]}}))[0]
    assert longer.source["cut"] == refs[0].source["cut"], "more events change none of them"


def test_noise_before_each_event_is_cut_from_synthetic_records_too(make_recipe: MakeRecipe) -> None:
    recipe = make_recipe(
        noise_before_s=40, window_s=30, before_s=5, classes={"noise": ["noise"], "event": ["earthquake", "explosion"]},
        synth={"n_events": 6, "classes": ["earthquake", "explosion"]},
    )  # fmt: skip
    refs = plan(recipe)
    assert Counter(ref.groups["class"] for ref in refs) == {"noise": 18, "event": 18}
    for ref in of_class(refs, "noise"):
        assert read(recipe, ref).arrays["has_pick"] == 0


def test_without_a_column_of_the_class_only_noise_is_known(make_recipe: MakeRecipe) -> None:
    recipe = make_recipe(label=None, noise_before_s=40, window_s=30, before_s=5, synth={"n_events": 6})
    assert Counter(ref.groups["class"] for ref in plan(recipe)) == {"event": 12, "noise": 24}


@pytest.mark.parametrize("name", FALLS_BACK)
def test_packaged_recipes_are_synthetic_where_no_folder_is_set_and_their_bundle_says_so(name: str) -> None:
    recipe = read_recipe(name, ["data.synth.n_events=12"])
    assert isinstance(recipe, ClassificationRecipe)
    assert synthetic.is_synthetic(recipe.data)
    done = complete(recipe)
    assert done.data.paths == ()
    assert done.data.sampling_rate_hz == 40
    assert len(list(read_many(done, plan(done)[:2]))) == 2


def test_the_recipe_of_p_windows_makes_onsets_and_what_lies_on_either_side_of_them() -> None:
    recipe = complete(read_recipe("p_wave_window", ["data.synth.n_events=8"]))  # type: ignore[arg-type]
    refs = plan(recipe)
    # A quarter of the events is noise, which has no P wave where it would be either
    assert Counter(ref.groups["class"] for ref in refs) == {"noise": 8 + 4 * 8 + 2, "p_wave": 6}
    onsets = [read(recipe, ref).arrays for ref in of_class(refs, "p_wave")]
    assert {one["x"].shape for one in onsets} == {(1, 600)}  # 4 s, and 1 s for crops at either end
    np.testing.assert_allclose([one["y_idx"] for one in onsets], 300, atol=1)
    grows = [np.square(one["x"][0, 300:]).mean() / np.square(one["x"][0, :290]).mean() for one in onsets]
    assert np.median(grows) > 4
    behind = [load(recipe, ref) for ref in refs if ref.groups["class"] == "noise" and "behind" in ref.key]
    assert all(one.first_s is not None and one.first_s > one.onset_s for one in behind)


@pytest.mark.parametrize("name", FALLS_BACK)
def test_where_a_folder_is_set_and_holds_nothing_it_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEISLOOM_DATA", str(tmp_path))
    with pytest.raises(MissingDataError, match="no such catalogue or folder"):
        plan(read_recipe(name))  # type: ignore[arg-type]


def test_another_variable_that_is_not_set_is_refused(make_recipe: MakeRecipe) -> None:
    with pytest.raises(MissingDataError, match="NO_SUCH_FOLDER is not set"):
        plan(make_recipe(paths=["${NO_SUCH_FOLDER}/events"]))


def test_what_does_not_fit_is_refused(make_recipe: MakeRecipe) -> None:
    with pytest.raises(ValueError, match=r"stations 13 is more than the network has"):
        make_recipe(synth={"stations": 13})
    with pytest.raises(DataError, match="no record of class 'slide'"):
        plan(make_recipe(classes=["slide", "noise"]))
    with pytest.raises(RecipeError, match="earthquake"):
        read_recipe("classification", ["data.synth.classes=[quake]"])


def test_a_small_network_learns_synthetic_events_and_its_bundle_is_applied(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recipe = read_recipe(
        "classification",
        [
            "data.classes=[earthquake,explosion,noise]", "data.channels=[Z,N,E]", "data.synth.n_events=90",
            "data.synth.stations=2", "data.synth.priors.snr_db=[15,30]", "data.synth.priors.fs_hz=20",
            "data.sampling_rate_hz=20", "data.window_s=30", "prepare=[{name: zscore, per: trace}]",
            "model.n_features=252", "train.epochs=1", "train.threads=1",
        ],
    )  # fmt: skip
    with caplog.at_level(logging.INFO):
        trained = train(recipe, tmp_path / "b")
    row = trained.report["tables"]["records"]["b"]
    assert row["macro F1"] > 0.7  # a third by chance
    assert caplog.text.count("synthetic, 180 records of 90 events") == 1
    table = open_predictor(tmp_path / "b").apply(np.zeros((3, 1200), np.float32) + np.arange(1200), fs_hz=20)
    assert len(table) > 1


def test_the_room_keeps_the_contract_with_synthetic_events() -> None:
    recipe = read_recipe(
        "classification", ["data.synth.n_events=12", "data.synth.stations=1", "model.name=cnn_waveform"]
    )
    check_task(CLASSIFICATION, CLASSIFICATION.complete(recipe), n_read=4)
