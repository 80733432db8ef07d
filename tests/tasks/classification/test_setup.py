"""What the room adds to the guided set-up: what is in a catalogue, and parts that follow from the network."""

from __future__ import annotations

from pathlib import Path

import pytest

from seisloom.draft import begin
from seisloom.questions import answered, question, questions
from seisloom.run.train import train
from seisloom.tasks.classification.recipe import ClassificationRecipe

from .conftest import MakeSet

CLOSED = ("rocket", "random_forest", "svm", "logistic", "vote")


@pytest.fixture(autouse=True)
def _no_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEISLOOM_DATA", raising=False)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("cnn_spectrogram", ["stft"]), ("lstm", ["fft"]), ("lstm_attention", ["fft"]), ("cnn_waveform", []),
        ("rocket", []), ("random_forest", []), ("svm", []), ("logistic", []), ("vote", []),
    ],
)  # fmt: skip
def test_windows_are_represented_as_the_chosen_network_takes_them(name: str, shown: list[str]) -> None:
    for before in ("cnn_spectrogram", "lstm", "rocket"):
        draft = answered(answered(begin("classification"), "model.name", before), "model.name", name)
        assert [one.name for one in draft.recipe.represent] == shown
        if shown or name in CLOSED:
            assert draft.recipe.train.epochs == (2 if name in CLOSED else 30)


def test_a_representation_that_fits_keeps_its_keys_and_epochs_that_are_given_stay() -> None:
    draft = begin("classification").with_change("model.name=cnn_spectrogram").with_change("train.epochs=7")
    draft = draft.with_change("represent=[{name: stft, fft_size: 64}]").with_change("seed=3")
    assert [one.model_dump()["fft_size"] for one in draft.recipe.represent] == [64]
    assert draft.recipe.train.epochs == 7


def test_what_has_nothing_to_decide_is_not_asked() -> None:
    asked = [one.path for one in questions(begin("classification"))]
    assert "data.synth.n_events" in asked
    assert not {"data.label", "data.pick_s", "train.lr", "train.init_from"} & set(asked)
    draft = begin("classification").with_change("model.name=lstm").with_change("data.paths=[somewhere]")
    asked = [one.path for one in questions(draft)]
    assert "data.synth.n_events" not in asked
    assert {"data.label", "data.pick_s", "train.lr", "train.init_from"} <= set(asked)


def test_classes_components_and_rates_of_the_catalogue_are_told(make_set: MakeSet) -> None:
    folder = make_set(labels=("slide", "fall", "slide"))
    draft = answered(begin("classification"), "data.paths", str(folder))
    classes = question(draft, "data.classes")
    assert classes is not None
    assert "labels of the records are slide (4), fall (2)" in classes.help
    assert classes.choices == ("fall, slide",)
    recipe = answered(draft, "data.classes", classes.choices[0]).recipe
    assert isinstance(recipe, ClassificationRecipe)
    assert dict(recipe.data.classes) == {"fall": ("fall",), "slide": ("slide",)}
    said = {key: question(draft, key) for key in ("data.channels", "data.sampling_rate_hz")}
    assert "components of the records are E, N, Z (6)" in str(said["data.channels"])
    assert "sampling rates in Hz are 50 (6)" in str(said["data.sampling_rate_hz"])


def test_a_catalogue_that_is_elsewhere_stops_no_question(tmp_path: Path) -> None:
    draft = answered(begin("classification"), "data.paths", str(tmp_path / "elsewhere"))
    asked = question(draft, "data.classes")
    assert asked is not None
    assert asked.choices == ()


def test_answers_give_a_recipe_that_trains_on_a_few_synthetic_events(tmp_path: Path) -> None:
    draft = begin("classification")
    for key, text in {
        "data.synth.n_events": "45", "data.classes": "earthquake, explosion, noise", "data.window_s": "20",
        "data.before_s": "5", "model.name": "cnn_spectrogram", "train.epochs": "1",
    }.items():  # fmt: skip
        draft = answered(draft, key, text)
    draft = draft.with_change("model.widths=[4, 6]").with_change("train.threads=1").with_change("data.synth.stations=1")
    report = train(draft.recipe, tmp_path / "b").report
    assert set(report["scores"]["b"]["records"]["classes"]) == {"earthquake", "explosion", "noise"}
