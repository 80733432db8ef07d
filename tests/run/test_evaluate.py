"""Methods are scored side by side on the same records."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from seisloom.bundle import Bundle, open_predictor
from seisloom.run.evaluate import evaluate
from seisloom.sample import Ref
from seisloom.tasks.picking.records import records

Parts = Mapping[str, Sequence[Ref]]


def test_methods_are_scored_side_by_side(tiny_bundle: Bundle, tiny_parts: Parts, tmp_path: Path) -> None:
    recipe = tiny_bundle.recipe
    some = list(records(recipe, tiny_parts["test"]))
    methods = [open_predictor(tiny_bundle.path), open_predictor("sta_lta", recipe=recipe)]
    report, files = evaluate(methods, some, tmp_path)
    assert all({"tiny", "sta_lta"} <= set(table) for table in report["tables"].values())
    assert all(path.is_file() for path in files)
    table = methods[1].task.apply(recipe, methods[1].predictor, None, some)
    error_samples = (table["time_s"] - table["truth_s"]).dropna().abs() / 0.00025
    stated = report["tables"]["all lines"]["sta_lta"]
    assert stated["hit 5"] == pytest.approx(float((error_samples <= 5 + 1e-6).mean()))
    assert stated["median"] == pytest.approx(float(error_samples.median()))


def test_two_bundles_of_one_name_both_stand_in_the_tables(
    tiny_bundle: Bundle, tiny_parts: Parts, tmp_path: Path
) -> None:
    shutil.copytree(tiny_bundle.path, tmp_path / "b" / tiny_bundle.path.name)
    both = [open_predictor(folder) for folder in (tiny_bundle.path, tmp_path / "b" / tiny_bundle.path.name)]
    held_out = list(records(tiny_bundle.recipe, tiny_parts["test"]))
    report, _ = evaluate(both, held_out, tmp_path / "out")
    for table in report["tables"].values():
        assert {str(one.bundle.path) for one in both if one.bundle} <= set(table)
