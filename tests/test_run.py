"""The whole system: training ends calibrated and scored on groups that nothing else has seen."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seisloom.bundle import Bundle, open_predictor
from seisloom.errors import CalibrationError, OutputError, RecipeError, SplitError
from seisloom.recipe import Recipe
from seisloom.run import evaluate, recalibrate, recipe_hash, train, write_shards
from seisloom.split import split
from seisloom.tasks.picking.data import plan
from seisloom.tasks.picking.records import contents, records
from seisloom.tasks.picking.task import PICKING

Tiny = Callable[..., Recipe]


def parts_of(recipe: Recipe) -> dict[str, list]:  # type: ignore[type-arg]
    return split(plan(recipe), seed=recipe.seed, config=recipe.split)  # type: ignore[arg-type]


def test_training_ends_with_calibration_scores_and_a_card(tiny_bundle: Bundle) -> None:
    report = tiny_bundle.read_json("metrics.json")
    for table in report["tables"].values():
        assert {"tiny", "sta_lta", "aic", "constant", "offset alone"} <= set(table)
    assert tiny_bundle.calibration is not None
    names = {path.name for path in tiny_bundle.path.iterdir()}
    assert {"card.md", "report.html", "evaluate_picks", "seen.npy", "calibration.json"} <= names


def test_no_record_is_both_seen_and_scored(tiny_bundle: Bundle) -> None:
    recipe = tiny_bundle.recipe
    parts = parts_of(recipe)
    seen = set(tiny_bundle.seen().tolist())
    assert 0 not in seen, "dead traces are all alike, and so nobody has seen one of them"
    for part in ("train", "valid"):
        assert set(contents(recipe, parts[part]).tolist()) - {0} <= seen  # type: ignore[arg-type]
    for part in ("calibrate", "test"):
        assert not seen & set(contents(recipe, parts[part]).tolist())  # type: ignore[arg-type]


def test_the_calibration_is_that_of_its_own_part(tiny_bundle: Bundle) -> None:
    recipe = tiny_bundle.recipe
    held_out = list(records(recipe, parts_of(recipe)["calibrate"]))  # type: ignore[arg-type]
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


def test_calibrating_anew_writes_a_copy_and_leaves_the_bundle(tiny_bundle: Bundle, tmp_path: Path) -> None:
    recipe = tiny_bundle.recipe
    before = {path.name: path.read_bytes() for path in tiny_bundle.path.iterdir() if path.is_file()}
    some = list(records(recipe, parts_of(recipe)["test"]))  # type: ignore[arg-type]
    made = recalibrate(tiny_bundle.path, some, tmp_path / "new")
    assert {path.name: path.read_bytes() for path in tiny_bundle.path.iterdir() if path.is_file()} == before
    assert (made.path / "weights.safetensors").read_bytes() == before["weights.safetensors"]
    assert made.calibration is not None
    assert tiny_bundle.calibration is not None
    assert made.calibration.to_json() != tiny_bundle.calibration.to_json()
    assert not (made.path / "metrics.json").exists(), "scores of another calibration are not kept"
    with pytest.raises(OutputError, match="is there already"):
        recalibrate(tiny_bundle.path, some, tmp_path / "new")
    with pytest.raises(CalibrationError, match="method without weights"):
        recalibrate("sta_lta", some, tmp_path / "other")


def test_methods_are_scored_side_by_side(tiny_bundle: Bundle, tmp_path: Path) -> None:
    recipe = tiny_bundle.recipe
    some = list(records(recipe, parts_of(recipe)["test"]))  # type: ignore[arg-type]
    methods = [open_predictor(tiny_bundle.path), open_predictor("sta_lta", recipe=recipe)]
    report, files = evaluate(methods, some, tmp_path)
    assert all({"tiny", "sta_lta"} <= set(table) for table in report["tables"].values())
    assert all(path.is_file() for path in files)
    table = methods[1].task.apply(recipe, methods[1].predictor, None, some)
    error_samples = (table["time_s"] - table["truth_s"]).dropna().abs() / 0.00025
    stated = report["tables"]["all lines"]["sta_lta"]
    assert stated["hit 5"] == pytest.approx(float((error_samples <= 5 + 1e-6).mean()))
    assert stated["median"] == pytest.approx(float(error_samples.median()))


def test_only_what_changes_bytes_changes_the_hash_of_a_recipe(tiny: Tiny) -> None:
    same = ("epochs=9", "batch_size=1", "plots_pos=3", "abstain_width_s=1", "model.stride=2", "augment=[]")
    other = ("seed=1", "pos_win_s=0.01", "prepare=[]", "target_fs=1000", "win_mode=none")
    assert {recipe_hash(tiny(change)) for change in same} == {recipe_hash(tiny())}
    assert len({recipe_hash(tiny(change)) for change in other} | {recipe_hash(tiny())}) == len(other) + 1


def test_few_groups_are_calibrated_across_folds_and_the_final_model_trains_on_all(tiny: Tiny, tmp_path: Path) -> None:
    recipe = tiny("epochs=1", "calibrate.folds=2", "apply.min_probability=0")
    parts = parts_of(recipe)
    made = train(recipe, tmp_path / "run").bundle
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
    tested = contents(recipe, parts["test"])  # type: ignore[arg-type]
    assert not set(made.seen().tolist()) & set(tested.tolist()) - {0}


def test_enough_groups_to_calibrate_on_need_no_folds(tiny: Tiny, tmp_path: Path) -> None:
    made = train(tiny("epochs=1", "calibrate.folds=2", "split.calibrate=0.45", "split.test=0"), tmp_path / "run")
    assert made.bundle.calibration is not None
    assert made.bundle.calibration.scheme == "split"
    assert not (tmp_path / "run" / "folds").exists()


def test_few_shots_of_a_new_survey_lean_on_the_former_calibration(tiny_bundle: Bundle, tmp_path: Path) -> None:
    recipe = tiny_bundle.recipe
    one = [ref for ref in plan(recipe) if ref.groups["shot"] == parts_of(recipe)["test"][0].groups["shot"]]  # type: ignore[arg-type]
    made = recalibrate(tiny_bundle.path, list(records(recipe, one)), tmp_path / "again")  # type: ignore[arg-type]
    assert made.calibration is not None
    assert (made.calibration.scheme, made.calibration.n_groups) == ("transfer", 1)
    assert "of the former calibration" in made.calibration.note


def test_a_bundle_knows_the_records_that_calibrated_it(tiny_bundle: Bundle, tmp_path: Path) -> None:
    recipe = tiny_bundle.recipe
    parts = parts_of(recipe)
    calibrating, tested = (list(records(recipe, parts[part])) for part in ("calibrate", "test"))  # type: ignore[arg-type]
    hashes = {part: set(contents(recipe, parts[part]).tolist()) - {0} for part in ("calibrate", "test")}  # type: ignore[arg-type]
    assert set(tiny_bundle.calibrated().tolist()) == hashes["calibrate"]

    def said(bundle: Bundle, some: list) -> str:  # type: ignore[type-arg]
        report, _ = evaluate([open_predictor(bundle.path)], some, tmp_path / "scores")
        return "\n".join(report["notes"])

    n_calibrating, n_tested = (sum(one.n_traces for one in some) for some in (calibrating, tested))
    n_alive = sum(int((one.content != 0).sum()) for one in calibrating)
    flattered = f"{n_alive} of these {n_calibrating} records calibrated tiny: its coverage flatters it"
    assert flattered in said(tiny_bundle, calibrating)
    assert "coverage flatters" not in said(tiny_bundle, tested)
    made = recalibrate(tiny_bundle.path, tested, tmp_path / "anew")
    assert set(made.calibrated().tolist()) == hashes["test"]
    assert f"of these {n_tested} records calibrated anew" in said(made, tested)
    assert "coverage flatters" not in said(made, calibrating), "the former calibration is not the one that is scored"


def test_across_folds_the_records_that_calibrated_are_those_that_trained(tiny: Tiny, tmp_path: Path) -> None:
    made = train(tiny("epochs=1", "calibrate.folds=2", "split.test=0"), tmp_path / "run").bundle
    assert (made.path / "calibrated.npy").is_file()
    assert made.calibrated().size == 0


def test_calibrating_anew_may_take_bins_a_level_and_a_checkpoint(tiny_bundle: Bundle, tmp_path: Path) -> None:
    recipe = tiny_bundle.recipe
    some = list(records(recipe, plan(recipe)))  # type: ignore[arg-type]
    changes = ["calibrate.snr_bins=2", "calibrate.level=0.8", "calibrate.min_bin=5"]
    last = tiny_bundle.path / "checkpoints" / "last.ckpt"
    made = recalibrate(tiny_bundle.path, some, tmp_path / "new", changes=changes, checkpoint=last)
    assert made.calibration is not None
    assert len(made.calibration.quantiles) == 2
    assert made.recipe.calibrate.level == 0.8  # type: ignore[union-attr]
    assert open_predictor(made.path).recipe == made.recipe
    wanted, kept = tiny_bundle.network("last").state_dict(), made.network().state_dict()
    assert all(kept[name].equal(one) for name, one in wanted.items())
    table = PICKING.apply(made.recipe, made.predictor(), made.calibration, some)
    expected = made.calibration.half_width(table["sigma_s"], table["snr_db"], alpha=1 - 0.8)
    half_s = (table["upper_s"] - table["lower_s"]) / 2
    np.testing.assert_allclose(half_s, expected, atol=1e-9)


def test_calibrating_anew_does_not_change_how_the_network_was_trained(tiny_bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="keys of calibrate and apply alone"):
        recalibrate(tiny_bundle.path, [], tmp_path / "new", changes=["train.epochs=9"])
    with pytest.raises(RecipeError, match="level must be"):
        recalibrate(tiny_bundle.path, [], tmp_path / "new", changes=["calibrate.level=0.7"])
    assert not (tmp_path / "new").exists()


def test_calibrating_anew_replaces_bundles_and_nothing_else(tiny_bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("no bundle")
    for out in (tmp_path, tmp_path / "mine.txt"):
        with pytest.raises(OutputError, match="is not a bundle"):
            recalibrate(tiny_bundle.path, [], out, force=True)
    assert (tmp_path / "mine.txt").read_text() == "no bundle"


def test_two_bundles_of_one_name_both_stand_in_the_tables(tiny_bundle: Bundle, tmp_path: Path) -> None:
    shutil.copytree(tiny_bundle.path, tmp_path / "b" / tiny_bundle.path.name)
    both = [open_predictor(folder) for folder in (tiny_bundle.path, tmp_path / "b" / tiny_bundle.path.name)]
    held_out = list(records(tiny_bundle.recipe, parts_of(tiny_bundle.recipe)["test"]))  # type: ignore[arg-type]
    report, _ = evaluate(both, held_out, tmp_path / "out")
    for table in report["tables"].values():
        assert {str(one.bundle.path) for one in both if one.bundle} <= set(table)
