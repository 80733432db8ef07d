"""A small catalogue of three-component records, and recipes of the room with stand-ins for network and loss."""

from __future__ import annotations

import csv
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from obspy import Stream, Trace, UTCDateTime

from seisloom import plugins
from seisloom.config import LossTerm, ModelConfig
from seisloom.tasks.classification.recipe import ClassificationRecipe

MakeRecipe = Callable[..., ClassificationRecipe]
MakeSet = Callable[..., Path]
ONSET_S = 20.0
NAMES = (
    "path", "event_id", "nslc", "label", "sampling_rate_hz", "npts", "starttime", "source_lat", "source_lon", "onset",
)  # fmt: skip


@pytest.fixture
def make_recipe(monkeypatch: pytest.MonkeyPatch) -> MakeRecipe:
    """Makes a recipe of the room; other parts of it by name, keys of `data` alone."""
    known = plugins._found()
    tasks = {"classification": [EntryPoint("classification", "none:NONE", "seisloom.tasks")], **known["tasks"]}
    monkeypatch.setattr(plugins, "_found", lambda: {**known, "tasks": tasks})

    def make(*, prepare: Any = (), split: Any = None, **data: Any) -> ClassificationRecipe:
        values = {
            "task": "classification", "data": data, "prepare": list(prepare), "model": ModelConfig(name="none"),
            "loss": [LossTerm(name="none")],
        }  # fmt: skip
        return ClassificationRecipe.model_validate(values if split is None else {**values, "split": split})

    return make


@pytest.fixture
def make_set(tmp_path: Path) -> MakeSet:
    """Writes records of events at two stations with a manifest; an event's waveform is a wavelet of its class."""

    def make(
        name: str = "set", *, labels: tuple[str, ...] = ("earthquake", "explosion") * 6, fs_hz: float = 50.0,
        duration_s: float = 60.0, channels: str = "ZNE", change: Callable[[int, Stream], Stream] | None = None,
        seed: int = 0,
    ) -> Path:  # fmt: skip
        folder = tmp_path / name
        folder.mkdir()
        rng = np.random.default_rng(seed)
        rows = []
        n = round(duration_s * fs_hz)
        for k, label in enumerate(labels):
            for s in range(2):
                start = UTCDateTime("2020-01-01T00:00:00") + 86400 * k
                values = rng.normal(size=(len(channels), n)).astype(np.float32)
                first = round(ONSET_S * fs_hz)
                values[:, first:] *= 10
                stream = Stream()
                for one, data in zip(channels, values, strict=True):
                    head = {"network": "UW", "station": f"S{s}", "channel": f"HH{one}", "sampling_rate": fs_hz}
                    stream.append(Trace(data, {**head, "starttime": start}))
                stream = change(k, stream) if change is not None else stream
                file = f"e{k}_S{s}.mseed"
                stream.write(str(folder / file), format="MSEED", encoding="FLOAT32")
                codes = sorted({trace.id for trace in stream})
                rows += [
                    {
                        "path": file, "event_id": f"e{k}", "nslc": code, "label": label,
                        "sampling_rate_hz": stream[0].stats.sampling_rate,
                        "npts": max(trace.stats.npts for trace in stream), "starttime": start, "source_lat": 47.5,
                        "source_lon": -121.5 - k % 3, "onset": ONSET_S,
                    }
                    for code in codes
                ]  # fmt: skip
        write_rows(folder, rows)
        return folder

    return make


def write_rows(folder: Path, rows: list[dict[str, Any]]) -> None:
    """Write a manifest."""
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, NAMES)
        writer.writeheader()
        writer.writerows(rows)


def read_rows(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of a manifest."""
    with (folder / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))
