"""Training ends calibrated and scored on groups that nothing else has seen."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from seisloom.bundle import Bundle, open_predictor
from seisloom.errors import SplitError
from seisloom.recipe import Recipe
from seisloom.run.train import check, train
from seisloom.run.write import write_shards
from seisloom.sample import Ref
from seisloom.split import split
from seisloom.tasks.picking.records import contents, records
from seisloom.tasks.picking.task import PICKING

Tiny = Callable[..., Recipe]
CheckPage = Callable[[Path], int]
Parts = Mapping[str, Sequence[Ref]]


def test_training_ends_with_calibration_scores_and_a_card(tiny_bundle: Bundle) -> None:
    report = tiny_bundle.read_json("metrics.json")
    for table in report["tables"].values():
        assert {"tiny", "sta_lta", "aic", "constant", "offset alone"} <= set(table)
    assert tiny_bundle.calibration is not None
    names = {path.name for path in tiny_bundle.path.iterdir()}
    assert {"card.md", "report.html", "evaluate_picks", "seen.npy", "calibration.json"} <= names


def test_every_number_of_the_page_is_in_the_metrics(tiny_bundle: Bundle, check_page: CheckPage) -> None:
    assert check_page(tiny_bundle.path) > 20


def test_no_record_is_both_seen_and_scored(tiny_bundle: Bundle, tiny_parts: Parts) -> None:
    recipe = tiny_bundle.recipe
    seen = set(tiny_bundle.seen().tolist())
    assert 0 not in seen, "dead traces are all alike, and so nobody has seen one of them"
    for part in ("train", "valid"):
        assert set(contents(recipe, tiny_parts[part]).tolist()) - {0} <= seen
    for part in ("calibrate", "test"):
        assert not seen & set(contents(recipe, tiny_parts[part]).tolist())


def test_the_calibration_is_that_of_its_own_part(tiny_bundle: Bundle, tiny_parts: Parts) -> None:
    recipe = tiny_bundle.recipe
    held_out = list(records(recipe, tiny_parts["calibrate"]))
    product = PICKING.apply(recipe, tiny_bundle.predictor(), None, held_out)
    again = PICKING.calibrate(recipe, [product], None)
    assert tiny_bundle.calibration is not None
    stored = tiny_bundle.calibration.to_json()
    assert json.loads(json.dumps(again.to_json())) == json.loads(json.dumps(stored))


def test_training_from_shards_is_training_from_the_files(tiny: Tiny, tmp_path: Path) -> None:
    recipe = tiny("epochs=1", "data.gather=[shot]")
    write_shards(recipe, tmp_path / "shards")
    one = train(recipe, tmp_path / "live").bundle
    two = train(recipe, tmp_path / "stored", shards=tmp_path / "shards").bundle
    assert one.read_json("split.json")["groups"] == two.read_json("split.json")["groups"]
    record = np.random.default_rng(0).normal(size=(5, 200)).astype(np.float32)
    a, b = (open_predictor(made.path).apply(record, fs_hz=2000) for made in (one, two))
    # Shards are read in the order of their names, so that batches are others: the same law, not the same bits
    assert a.columns.equals(b.columns)


def test_without_groups_to_calibrate_on_there_are_no_intervals_and_it_is_said(
    tiny: Tiny, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("WARNING", "seisloom"):
        made = train(tiny("epochs=1", "split.calibrate=0", "split.test=0"), tmp_path / "run")
    assert "no groups to calibrate on" in caplog.text
    assert made.bundle.calibration is None
    table = open_predictor(made.bundle.path).apply(np.zeros((2, 200), np.float32) + 1, fs_hz=2000)
    assert table["upper_s"].isna().all()


def test_too_few_groups_are_refused_before_anything_is_trained(tiny: Tiny, tmp_path: Path) -> None:
    with pytest.raises(SplitError, match="too few"):
        train(tiny("split.by=[geometry]"), tmp_path / "run")
    assert not (tmp_path / "run" / "weights.safetensors").exists()


def test_few_groups_are_calibrated_across_folds_and_the_final_model_trains_on_all(tiny: Tiny, tmp_path: Path) -> None:
    recipe = tiny("epochs=1", "calibrate.folds=2", "apply.min_probability=0")
    made = train(recipe, tmp_path / "run").bundle
    parts = split(made.task.plan(recipe), seed=recipe.seed, config=recipe.split)
    groups = {ref.groups["shot"] for part in ("train", "calibrate") for ref in parts[part]}
    assert set(made.read_json("split.json")["groups"]["train"]) == groups
    held_out = []
    for fold in sorted((tmp_path / "run" / "folds").iterdir()):
        named = json.loads((fold / "split.json").read_text())["groups"]
        assert not set(named["train"]) & set(named["calibrate"])
        assert set(named["train"]) | set(named["calibrate"]) == groups
        held_out += named["calibrate"]
    assert sorted(held_out) == sorted(groups)
    assert made.calibration is not None
    assert made.calibration.scheme == "cross"
    assert made.calibration.n_groups == len(groups)
    assert not any(made.calibration.promised)
    tested = contents(recipe, parts["test"])
    assert not set(made.seen().tolist()) & set(tested.tolist()) - {0}


def test_enough_groups_to_calibrate_on_need_no_folds(tiny: Tiny, tmp_path: Path) -> None:
    made = train(tiny("epochs=1", "calibrate.folds=2", "split.calibrate=0.45", "split.test=0"), tmp_path / "run")
    assert made.bundle.calibration is not None
    assert made.bundle.calibration.scheme == "split"
    assert not (tmp_path / "run" / "folds").exists()


def test_across_folds_the_records_that_calibrated_are_those_that_trained(tiny: Tiny, tmp_path: Path) -> None:
    made = train(tiny("epochs=1", "calibrate.folds=2", "split.test=0"), tmp_path / "run").bundle
    assert (made.path / "calibrated.npy").is_file()
    assert made.calibrated().size == 0


def test_check_scores_the_validation_part_and_trains_nothing(tiny: Tiny, tiny_bundle: Bundle, tmp_path: Path) -> None:
    recipe = tiny(f"train.check={tiny_bundle.path / 'checkpoints' / 'best.ckpt'}")
    report, files = check(recipe, tmp_path)
    assert "best" in next(iter(report["tables"].values()))
    assert (tmp_path / "metrics.json") in files
    assert not (tmp_path / "checkpoints").exists()
