"""Augmentations are left out one at a time: same groups, same seed, a row each."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from seisloom.errors import RecipeError
from seisloom.recipe import Recipe
from seisloom.run.ablate import ablate

Tiny = Callable[..., Recipe]


def test_each_is_left_out_in_turn(tiny: Tiny, tmp_path: Path) -> None:
    entries = "[{name: gain}, {name: clip}, {name: gain, spread: 0.1}]"
    recipe = tiny("epochs=1", f"augment={entries}", "calibrate.folds=0")
    found = ablate(recipe, tmp_path / "b")
    table = next(iter(found.report["tables"].values()))
    assert list(table) == ["all", "none", "without gain 1", "without clip", "without gain 2"]
    stored = json.loads((tmp_path / "b" / "ablation.json").read_text())
    assert stored["tables"] == found.report["tables"]
    splits = {file.read_text() for file in tmp_path.rglob("split.json")}
    assert len(splits) == 1
    with pytest.raises(RecipeError, match="the recipe has no augmentations"):
        ablate(tiny("augment=[]"), tmp_path / "c")
