"""The demo of the classification room: real records where they are, synthetic ones elsewhere, and what it says."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from obspy import Stream, Trace, UTCDateTime

from seisloom.bundle import open_predictor
from seisloom.demos import classification as demo
from seisloom.errors import OutputError
from seisloom.physics.events import EventPriors, draw_event
from seisloom.physics.events_record import synthesise_record
from seisloom.tasks.classification.data import _planned

Run = Callable[..., tuple[int, str, str]]
SHORT = ("data.channels=[Z]", "data.window_s=30", "data.before_s=5", "train.threads=1")
FIGURES = {"confusion-records.png", "reliability.png", "fans.png", "fans-spectra.png"}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    _planned.cache_clear()  # a plan says that events are made once
    monkeypatch.setattr(demo, "N_EVENTS", 30)
    monkeypatch.setattr(
        demo, "MODELS",
        {
            "bundle": ("model.name=cnn_spectrogram", "model.widths=[4, 6]", "represent=[{name: stft}]", *SHORT),
            "random_forest": ("model.name=random_forest", "model.n_trees=10", "train.epochs=1", *SHORT),
        },
    )  # fmt: skip


def write_records(folder: Path, n_events: int = 12) -> None:
    """Vertical records of unlabelled events with P at 50 s, in the layout of the real ones."""
    folder.mkdir(parents=True)
    priors = EventPriors(before_s=50, record_s=100, snr_db=(15, 30))
    with (folder / "manifest.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "event_id", "nslc", "label", "sampling_rate_hz", "npts", "starttime"])
        for number in range(n_events):
            event = draw_event(priors, "earthquake", seed=0, number=number, n_stations=2)
            for k, station in enumerate(event.stations):
                head = {
                    "network": "XX", "station": f"S{station:02d}", "channel": "HHZ", "sampling_rate": priors.fs_hz,
                    "starttime": UTCDateTime(2020, 1, 1) + 3600 * number,
                }  # fmt: skip
                trace = Trace(synthesise_record(priors, event, k).x[0], head)
                name = f"{number}_{station}.mseed"
                Stream([trace]).write(str(folder / name), format="MSEED", encoding="FLOAT32")
                row = [name, f"e{number}", trace.id, "", priors.fs_hz, trace.stats.npts, trace.stats.starttime]
                table.writerow(row)


def test_without_records_events_are_made_and_it_says_what_that_is_worth(
    seisloom: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SEISLOOM_DATA", raising=False)
    code, said, wrong = seisloom("demo", "classification", "--epochs", "1")
    assert code == 0, wrong
    for line in (
        "SEISLOOM_DATA is not set: synthetic, 90 records of 30 events", "synthetic: 30 events, 90 windows",
        "class noise: 30 windows of 10 events", "a window is (1, 1200) (channel, time), the network sees (1, 65, 18)",
        "parameters: stem ",
    ):  # fmt: skip
        assert line in wrong
    assert "the records are synthetic: earthquake, explosion and noise" in said
    assert "no event is in two parts, stations are in all of them" in said
    assert "your own records: seisloom apply demo/bundle RECORD.mseed --out classes.csv" in said
    assert "your own classes: seisloom train classification 'data.paths=[FOLDER]' --out runs/mine" in said
    assert list(open_predictor("demo/bundle").recipe.data.classes) == ["earthquake", "explosion", "noise"]
    tables = json.loads(Path("demo/metrics.json").read_text())["tables"]
    assert {part: list(rows) for part, rows in tables.items()} == {
        part: ["cnn_spectrogram", "random_forest"] for part in ("records", "events")
    }
    assert {path.name for path in Path("demo/evaluate_classes").iterdir()} >= FIGURES
    assert Path("demo/report.html").is_file()


def test_real_records_give_noise_against_event(tmp_path: Path) -> None:
    write_records(tmp_path / "data" / demo.RECORDS)
    made = demo.run_class_demo(tmp_path / "demo", data=tmp_path / "data", epochs=1)
    assert made.recipe == "noise_or_event"
    assert "real records of the Pacific Northwest" in made.notes[0]
    assert "real" not in "".join(made.notes[1:])
    opened = open_predictor(tmp_path / "demo" / "bundle")
    assert list(opened.recipe.data.classes) == ["noise", "event"]
    scores = made.report["scores"]["cnn_spectrogram"]["records"]
    assert sum(map(sum, scores["confusion"])) == 4 * scores["n_events"], "two stations, noise and event"


def test_a_folder_that_no_demo_has_made_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="is not empty and not a former demo's"):
        demo.run_class_demo(tmp_path, data=None)
    assert (tmp_path / "mine.txt").read_text() == "mine"
