"""`seisloom setup classification` on a pseudo-terminal, and with all defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seisloom.cli.setup import _remark
from seisloom.draft import begin
from seisloom.questions import question
from seisloom.recipe import read_recipe

from .test_setup import ENTER, Begin, begun, ended, quiet, talk

__all__ = ["begun"]  # a fixture


def test_a_whole_dialogue_of_classification_trains_on_synthetic_events(begun: Begin, tmp_path: Path) -> None:
    child = begun("setup", "classification", "data.synth.stations=1", "train.threads=1", SEISLOOM_DATA="", width=300)
    said = talk(
        child,
        [
            ("data.paths [", "[]" + ENTER),
            ("data.synth.n_events [600]:", "40" + ENTER), ("data.classes [", "explosion, noise" + ENTER),
            ("data.channels [Z]:", ENTER), ("data.sampling_rate_hz [40.0]:", ENTER),
            ("data.window_s [60.0]:", "20" + ENTER), ("data.before_s [10.0]:", "30" + ENTER),
            ("no onset is seen", ""), ("data.before_s [10.0]:", "5" + ENTER), ("split.by [event]:", ENTER),
            ("model.name:", ""), ("1) cnn_spectrogram", "1" + ENTER), ("train.epochs [30]:", "1" + ENTER),
            ("train.batch_size [64]:", "8" + ENTER), ("train.lr [0.001]:", ENTER), ("train.init_from:", ENTER),
            ("key=value:", "model.widths=[4, 6]" + ENTER), ("key=value:", ENTER), ("folder [", ENTER),
            ("start this run now?", "y"),
        ],
    )  # fmt: skip
    assert "earthquakes, explosions and noise are made from seeds" in said
    left, code = ended(child)
    assert code == 0, left
    assert "bundle: runs/classification" in left
    recipe: Any = read_recipe(tmp_path / "classification.yaml")
    assert [one.name for one in recipe.represent] == ["stft"]
    assert tuple(recipe.data.classes) == ("explosion", "noise")
    assert (tmp_path / "runs" / "classification" / "report.html").is_file()


def test_yes_takes_every_default(tmp_path: Path) -> None:
    said = quiet("setup", "classification", "--yes", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    assert read_recipe(tmp_path / "classification.yaml") == read_recipe("classification")
    said = quiet("setup", "noise_or_event", "model.name=lstm", "--yes", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    recipe = read_recipe(tmp_path / "noise_or_event.yaml")
    assert [one.name for one in recipe.represent] == ["fft"]
    assert recipe.train.epochs == 30


def test_a_catalogue_that_is_not_named_is_no_need_of_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SEISLOOM_DATA", raising=False)
    asked = question(begin("classification"), "data.paths")
    assert asked is not None
    _remark(asked.default, asked.stand_in)
    said = capsys.readouterr().out
    assert "SEISLOOM_DATA is not set: events are made from seeds, until it is" in said
    assert "need it" not in said
    for answer, stand_in in (("${ELSEWHERE}/x", asked.stand_in), (asked.default, ("", ""))):
        _remark(answer, stand_in)
        assert "the run will need it" in capsys.readouterr().out
