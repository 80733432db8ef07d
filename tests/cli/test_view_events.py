"""`seisloom view events`, and the room's recipes and networks by name on the command line."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from obspy import Stream, Trace

Run = Callable[..., tuple[int, str, str]]


def write_catalogue(folder: Path, labels: tuple[str, ...]) -> None:
    """One vertical record an event, with its onset at 20 s."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    with (folder / "manifest.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "event_id", "nslc", "label", "onset"])
        for k, label in enumerate(labels):
            head = {"network": "XX", "station": "A", "channel": "HHZ", "sampling_rate": 50.0}
            trace = Trace(rng.normal(size=3000).astype(np.float32), head)
            Stream([trace]).write(str(folder / f"{k}.mseed"), format="MSEED", encoding="FLOAT32")
            table.writerow([f"{k}.mseed", f"e{k}", trace.id, label, 20.0])


@pytest.mark.parametrize("more", [(), ("--spectra",)], ids=["waveforms", "spectra"])
def test_records_of_a_catalogue_are_drawn_by_class(seisloom: Run, tmp_path: Path, more: tuple[str, ...]) -> None:
    write_catalogue(tmp_path / "events", ("slide", "fall", "slide", ""))
    keys = ("data.channels=[Z]", "data.pick=onset", "data.window_s=30")
    code, said, wrong = seisloom("view", "events", "events", "--out", "fans.png", *keys, *more)
    assert code == 0, wrong
    assert "drew fans.png: records of class fall 1, no class 1, slide 2; at most 300 of each" in said
    assert (tmp_path / "fans.png").stat().st_size > 20_000


def test_one_class_is_enough_to_look_at(seisloom: Run, tmp_path: Path) -> None:
    write_catalogue(tmp_path / "events", ("slide", "slide"))
    code, said, wrong = seisloom("view", "events", "events", "--out", "fans.png", "data.channels=[Z]")
    assert code == 0, wrong
    assert "slide 2" in said
    code, _, wrong = seisloom("view", "events", "events", "--out", "fans.png")
    assert code == 2
    assert "no record has all of Z, N, E; there are 2 with Z. Set data.channels=[Z]" in wrong


def test_without_a_catalogue_synthetic_events_are_drawn(seisloom: Run, tmp_path: Path) -> None:
    code, said, wrong = seisloom(
        "view", "events", "data.synth.n_events=6", "--out", "fans.png", "data.channels=[Z]", "data.window_s=20"
    )
    assert code == 0, wrong
    assert "synthetic, 18 records of 6 events" in wrong
    assert "earthquake 6, explosion 6, noise 6" in said


@pytest.mark.parametrize("name", ["classification", "noise_or_event"])
def test_recipes_of_the_room_are_right(seisloom: Run, name: str) -> None:
    code, _, wrong = seisloom("recipe", "check", name)
    assert code == 0, wrong


def test_networks_of_the_room_are_listed_and_explained(seisloom: Run) -> None:
    code, said, _ = seisloom("models", "list")
    assert code == 0
    networks = ("cnn_spectrogram", "cnn_waveform", "lstm", "lstm_attention", "rocket")
    for name in (*networks, "random_forest", "svm", "logistic", "vote"):
        assert name in said
    code, said, _ = seisloom("models", "show", "cnn_spectrogram")
    assert code == 0
    assert "widths" in said
