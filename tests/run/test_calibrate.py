"""Calibrating anew on other records: a bundle of its own, the former one unchanged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from seisloom.bundle import Bundle, open_predictor
from seisloom.errors import CalibrationError, OutputError, RecipeError
from seisloom.run.calibrate import recalibrate
from seisloom.run.evaluate import evaluate
from seisloom.sample import Ref
from seisloom.tasks.picking.data import plan
from seisloom.tasks.picking.records import contents, records
from seisloom.tasks.picking.task import PICKING

Parts = Mapping[str, Sequence[Ref]]


def test_calibrating_anew_writes_a_copy_and_leaves_the_bundle(
    tiny_bundle: Bundle, tiny_parts: Parts, tmp_path: Path
) -> None:
    recipe = tiny_bundle.recipe
    before = {path.name: path.read_bytes() for path in tiny_bundle.path.iterdir() if path.is_file()}
    some = list(records(recipe, tiny_parts["test"]))
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


def test_few_shots_of_a_new_survey_lean_on_the_former_calibration(
    tiny_bundle: Bundle, tiny_parts: Parts, tmp_path: Path
) -> None:
    recipe = tiny_bundle.recipe
    one = [ref for ref in plan(recipe) if ref.groups["shot"] == tiny_parts["test"][0].groups["shot"]]
    made = recalibrate(tiny_bundle.path, list(records(recipe, one)), tmp_path / "again")
    assert made.calibration is not None
    assert (made.calibration.scheme, made.calibration.n_groups) == ("transfer", 1)
    assert "of the former calibration" in made.calibration.note
    for some in (one, tiny_parts["calibrate"]):  # both have a part in it
        assert set(contents(recipe, some).tolist()) - {0} <= set(made.calibrated().tolist())


def test_a_bundle_knows_the_records_that_calibrated_it(tiny_bundle: Bundle, tiny_parts: Parts, tmp_path: Path) -> None:
    recipe = tiny_bundle.recipe
    calibrating, tested = (list(records(recipe, tiny_parts[part])) for part in ("calibrate", "test"))
    hashes = {part: set(contents(recipe, tiny_parts[part]).tolist()) - {0} for part in ("calibrate", "test")}
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


def test_calibrating_anew_may_take_bins_a_level_and_a_checkpoint(tiny_bundle: Bundle, tmp_path: Path) -> None:
    recipe = tiny_bundle.recipe
    some = list(records(recipe, plan(recipe)))
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


def test_records_that_trained_a_bundle_do_not_calibrate_it(
    tiny_bundle: Bundle, tiny_parts: Parts, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recipe = tiny_bundle.recipe
    trained, new = (list(records(recipe, tiny_parts[part])) for part in ("train", "test"))
    with pytest.raises(CalibrationError, match=r"all of these \d+ gathers have trained or chosen .*--shots"):
        recalibrate(tiny_bundle.path, trained, tmp_path / "seen")
    made = recalibrate(tiny_bundle.path, [*trained, *new], tmp_path / "mixed")
    assert f"{len(trained)} of {len(trained) + len(new)} gathers are left out" in caplog.text
    alone = recalibrate(tiny_bundle.path, new, tmp_path / "alone")
    assert made.calibration is not None
    assert alone.calibration is not None
    assert made.calibration.to_json() == alone.calibration.to_json()
