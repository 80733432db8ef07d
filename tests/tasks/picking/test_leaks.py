"""The four leak tests: a picker must live on the waveform alone.

Shifted input, shuffled labels, a waveform taken away, and no door by which a feature could see the pick.
"""

from __future__ import annotations

import inspect
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from seisloom import plugins
from seisloom.bundle import Opened, open_predictor
from seisloom.config import Preparation
from seisloom.physics.survey import SurveyConfig
from seisloom.recipe import read_recipe
from seisloom.run.train import train
from seisloom.tasks.picking.apply import locate
from seisloom.tasks.picking.data import prepare
from seisloom.tasks.picking.opening import open_records
from seisloom.tasks.picking.records import PickRecord
from seisloom.tasks.picking.survey.build import build_manifest
from seisloom.tasks.picking.survey.manifest import read_manifest
from seisloom.tasks.picking.survey.synth import write_survey

NEAR_S = 0.00125


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clean synthetic lines that the shipped model has not seen."""
    root = tmp_path_factory.mktemp("leaks") / "survey"
    write_survey(
        SurveyConfig(
            n_geometries=4, n_stations=12, n_shots=8, record_s=0.3, fs_hz=(2000.0,), delay_s=(0.0,), snr_db=(20, 40),
            share_unpicked=0, seed=99,
        ),
        root,
    )  # fmt: skip
    build_manifest(root)
    return root


@pytest.fixture(scope="module")
def shipped() -> Opened:
    return open_predictor("onset-refraction", device="cpu")


@pytest.fixture(scope="module")
def records(shipped: Opened, survey: Path) -> list[PickRecord]:
    return list(open_records(shipped.recipe, survey))


def hits(shipped: Opened, records: list[PickRecord]) -> float:
    """Share of human picks within 1.25 ms; an abstention is a miss."""
    table = shipped.task.apply(shipped.recipe, shipped.predictor, shipped.calibration, records)
    picked = table[table["truth_s"].notna()]
    return float(np.mean(((picked["time_s"] - picked["truth_s"]).abs() <= NEAR_S) & (picked["status"] == "picked")))


def constant_hits(records: list[PickRecord]) -> float:
    """What the best constant time of each line reaches: the place where most of its picks are within reach."""
    found, total = 0, 0
    for line in {str(one.geometry[0]) for one in records}:
        truth = np.concatenate([one.truth_s for one in records if one.geometry[0] == line])
        truth = truth[np.isfinite(truth)]
        found += max(int(np.sum(np.abs(truth - t) <= NEAR_S)) for t in truth)
        total += truth.size
    return found / total


@pytest.mark.parametrize("shift", [64, 37, 5])
def test_a_record_that_is_shifted_with_its_time_axis_moves_its_picks_with_it(
    shipped: Opened, records: list[PickRecord], shift: int
) -> None:
    moved = []
    for record in records[::4]:
        place, _, _ = locate(shipped.recipe, shipped.predictor, record)
        late = np.concatenate([np.repeat(record.x[..., :1], shift, axis=-1), record.x[..., :-shift]], axis=-1)
        later = replace(record, x=late, t0_s=record.t0_s - shift / record.fs_hz)
        seen, _, _ = locate(shipped.recipe, shipped.predictor, later)
        moved.append(seen - place - shift)
    # The network's coarse grid has steps of 4 to 32 samples: a pick moves with it to a part of a sample, not exactly
    assert np.median(np.abs(np.concatenate(moved))) < 1.0


def test_without_its_waveform_a_record_is_not_picked_better_than_by_a_constant(
    shipped: Opened, records: list[PickRecord]
) -> None:
    rng = np.random.default_rng(0)
    noise = [replace(one, x=rng.standard_normal(one.x.shape).astype(np.float32)) for one in records]
    silent = [replace(one, x=np.zeros_like(one.x)) for one in records]
    constant = constant_hits(records)
    assert hits(shipped, records) > 3 * constant, "the waveform itself must be picked, or the test says nothing"
    assert hits(shipped, noise) <= constant + 0.02
    assert hits(shipped, silent) == 0


def test_trained_on_shuffled_labels_nothing_is_learnt(survey: Path, tmp_path: Path) -> None:
    settings = [
        "shards.win_len_s=0.3", "data.crop_s=0.2", "data.gather=[shot]", "model.widths=[8, 16, 24]",
        "model.n_blocks=[1, 1, 1]", "model.dilations=[1, 1, 2]", "train.epochs=4", "train.passes=6", "train.lr=0.004",
        "train.threads=1", "train.ema=0.9", "train.loggers=[csv]", "train.accelerator=cpu", "train.finish=null",
        "split.calibrate=0", "split.test=0",
    ]  # fmt: skip
    shuffled = tmp_path / "shuffled"
    shutil.copytree(survey, shuffled)
    rng = np.random.default_rng(1)
    for file in shuffled.glob("geometries/*/picks_manifest.csv"):
        table = pd.read_csv(file, dtype={"station": str})
        picked = (table["pick_status"] == "picked").to_numpy()
        table.loc[picked, "pick_time_s"] = rng.permutation(table.loc[picked, "pick_time_s"].to_numpy())
        table.to_csv(file, index=False)
    assert len(read_manifest(shuffled)) == len(read_manifest(survey))
    rates = {}
    for name, root in (("true", survey), ("shuffled", shuffled)):
        bundle = train(read_recipe("picking", [f"data.root={root}", *settings]), tmp_path / f"bundle-{name}").bundle
        opened = open_predictor(bundle.path, device="cpu").with_changes(min_probability=0.0)
        rates[name] = hits(opened, list(open_records(opened.recipe, survey)))
    constant = constant_hits(list(open_records(opened.recipe, survey)))
    assert rates["true"] > 2 * constant, "with true labels it must learn, or the test says nothing"
    assert rates["shuffled"] <= constant + 0.02


def test_no_preparation_can_see_a_pick() -> None:
    """Records are prepared before windows are cut and labels made: neither the function nor a step takes a pick."""
    assert set(inspect.signature(prepare).parameters) == {"recipe", "traces", "fs_hz"}
    for name in plugins.names("preparations"):
        step: type[Preparation] = plugins.load("preparations", name)
        assert not any(word in key for key in step.model_fields for word in ("pick", "onset", "label", "y_"))
