"""The room from a catalogue to answers: trained, calibrated, evaluated, applied to records and to streams."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import obspy
import pandas as pd
import pytest
from obspy import Stream

from seisloom.augment.bank import Bank
from seisloom.bundle import open_predictor
from seisloom.errors import DataError, RecipeError
from seisloom.recipe import read_recipe
from seisloom.run.train import Trained, train
from seisloom.tasks.classification.apply import events_of
from seisloom.tasks.classification.task import CLASSIFICATION
from seisloom.tasks.classification.write import write_classes
from seisloom.testing import check_task

MakeSet = Callable[..., Path]
LABELS = ("earthquake", "explosion") * 20
NETWORKS = {
    "rocket": ("model.n_features=168", "train.epochs=1"),
    "random_forest": ("model.n_trees=20", "train.epochs=1"),
    "svm": ("model.features=[physical,bands]", "train.epochs=1"),
    "logistic": ("model.features=bands", "train.epochs=1"),
    "vote": ("model.members=[{name: random_forest, n_trees: 20}, svm]", "train.epochs=1"),
    "lstm": ("represent=[{name: fft, fft_size: 64}]", "model.hidden=8", "train.epochs=8", "train.lr=2e-2"),
    "lstm_attention": ("represent=[{name: fft, fft_size: 64}]", "model.hidden=8", "train.epochs=8", "train.lr=2e-2"),
    "cnn_spectrogram": ("represent=[{name: stft, fft_size: 32}]", "model.widths=[6, 8]", "train.epochs=4"),
    "cnn_waveform": ("represent=[]", "model.widths=[8, 12]", "train.epochs=6"),
}  # fmt: skip


def slow(k: int, stream: Stream) -> Stream:
    """Earthquakes have low frequencies alone: classes that any network can tell apart."""
    if k % 2 == 0:
        for trace in stream:
            trace.data = np.convolve(trace.data, np.ones(8) / 8, mode="same").astype(np.float32)
    return stream


@pytest.fixture
def folder(make_set: MakeSet) -> Path:
    return make_set(labels=LABELS, change=slow, fs_hz=20.0, duration_s=50.0)


def small(folder: Path, name: str, *changes: str) -> Any:  # Any: a recipe of the room
    return read_recipe(
        "classification",
        [
            f"data.paths=[{folder}]", "data.channels=[Z,N,E]", "data.sampling_rate_hz=null", "data.window_s=24",
            "data.before_s=4", "data.pick_s=20", "data.shift_s=1", "split.test=0.25", "split.calibrate=0.25",
            "prepare=[{name: zscore, per: trace}]", "train.batch_size=8", "train.lr=1e-2", "train.ema=0",
            "train.threads=1", f"model.name={name}", *NETWORKS[name], *changes,
        ],
    )  # fmt: skip


@pytest.fixture
def trained(folder: Path, tmp_path: Path) -> Trained:
    return train(small(folder, "rocket"), tmp_path / "b")


@pytest.mark.parametrize("name", NETWORKS)
def test_each_network_tells_two_kinds_of_records_apart(name: str, folder: Path, tmp_path: Path) -> None:
    report = train(small(folder, name), tmp_path / "b").report
    row = report["tables"]["records"]["b"]
    assert row["macro F1"] > 0.9
    assert report["tables"]["events"]["b"]["AUC"] > 0.95
    assert json.loads((tmp_path / "b" / "metrics.json").read_text())["tables"]["records"]["b"] == row
    recipe = open_predictor(tmp_path / "b").recipe
    assert list(recipe.data.classes) == ["earthquake", "explosion"]
    assert recipe.data.sampling_rate_hz == 20
    assert (recipe.model.n_channels, recipe.model.n_classes) == (3, 2)


@pytest.mark.parametrize("name", ["lstm", "cnn_spectrogram", "cnn_waveform"])
def test_the_room_keeps_the_contract(name: str, folder: Path) -> None:
    check_task(CLASSIFICATION, CLASSIFICATION.complete(small(folder, name)), n_read=4)


def test_a_network_is_not_built_before_the_data_decide_its_size(folder: Path) -> None:
    with pytest.raises(RecipeError, match="n_channels and n_classes are not known"):
        small(folder, "lstm").network(CLASSIFICATION.item)


def test_answers_have_sets_and_votes_of_stations(trained: Trained, folder: Path) -> None:
    table = open_predictor(trained.bundle.path).apply(folder)
    assert len(table) == 2 * len(LABELS)
    np.testing.assert_allclose(table[["p_earthquake", "p_explosion"]].sum(axis=1), 1, atol=1e-5)
    assert (table["class"] == table["truth"]).mean() > 0.9
    assert all(row["class"] in row["set"].split("|") for _, row in table.iterrows())
    events = events_of(table)
    assert len(events) == len(LABELS)
    assert (events["n_windows"] == 2).all()
    one = table[table["event"] == events["event"][0]]
    assert events["p_earthquake"][0] == pytest.approx(one["p_earthquake"].mean())


def test_nothing_is_answered_below_a_probability(trained: Trained, folder: Path) -> None:
    opened = open_predictor(trained.bundle.path).with_changes(min_probability=1.0)
    table = opened.apply(folder)
    assert set(table["status"]) == {"abstained"}
    assert table["reason"].str.match(r"unsure: probability [\d.]+ < 1").all()
    assert (table["class"] == "").all()


def test_a_stream_is_seen_by_windows_and_its_events_follow_on(trained: Trained, folder: Path, tmp_path: Path) -> None:
    file = next(folder.glob("e1_S0.mseed"))
    opened = open_predictor(trained.bundle.path)
    table = opened.apply(obspy.read(str(file)))
    assert table["is_stream"].all()
    np.testing.assert_allclose(np.diff(table["first_s"])[:-1], 12)  # windows of 24 s that overlap by half
    events = events_of(table)
    assert set(events["class"]) <= {"earthquake", "explosion"}
    assert (events["n_windows"].sum()) == len(table)
    write_classes(table, tmp_path / "events.csv")
    assert len(pd.read_csv(tmp_path / "events.csv")) == len(events)
    write_classes(table, tmp_path / "events.xml")
    catalogue = obspy.read_events(str(tmp_path / "events.xml"))
    assert [one.event_type for one in catalogue] == list(events["class"])
    assert catalogue[0].picks[0].time == obspy.read(str(file))[0].stats.starttime
    with pytest.raises(DataError, match=r"no such format of classes\. Use \.csv"):
        write_classes(table, tmp_path / "events.txt")


def test_a_network_sees_neither_labels_nor_onsets(trained: Trained, folder: Path) -> None:
    opened = open_predictor(trained.bundle.path)
    seen: set[str] = set()

    def noting(arrays: Any) -> Any:
        seen.update(arrays)
        return opened.predictor(arrays)

    CLASSIFICATION.apply(opened.recipe, noting, opened.calibration, opened.records(folder)[:3])
    assert seen == {"x", "mask", "fs"}


def test_rockets_learn_alike_twice_and_pictures_are_written(trained: Trained, folder: Path, tmp_path: Path) -> None:
    again = train(small(folder, "rocket"), tmp_path / "again")
    one, other = (made.bundle.weights() for made in (trained, again))
    assert all(bool((one[name] == other[name]).all()) for name in one)
    names = {path.name for path in trained.files}
    assert {"report.html", "windows.csv", "confusion-records.png", "confusion-events.png", "fans.png"} <= names


@pytest.mark.parametrize("entry", ["{name: mix_up, alpha: 0.5}", "{name: stack_events}"])
def test_records_are_mixed_with_others_of_the_training_part(
    entry: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[set[str]] = []
    pieces = Bank.pieces

    def noting(bank: Bank, *given: Any, **named: Any) -> Any:
        taken.append(set(bank.keys))
        return pieces(bank, *given, **named)

    monkeypatch.setattr(Bank, "pieces", noting)
    bundle = train(small(folder, "cnn_waveform", f"augment=[{entry}]", "train.epochs=1"), tmp_path / "b").bundle
    assert taken
    held_out = json.loads((bundle.path / "split.json").read_text())["groups"]
    events = {key.split("/")[1] for key in taken[0]}
    assert events == set(held_out["train"])
