"""Shards of another survey, or of another recipe, are refused before anything is trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from seisloom.errors import RecipeError
from seisloom.recipe import Recipe
from seisloom.run.train import train
from seisloom.run.write import write_shards
from seisloom.tasks.picking.survey.build import build_manifest
from seisloom.tasks.picking.survey.synth import SurveyConfig, write_survey

Tiny = Callable[..., Recipe]
SEVEN = "prepare=[{name: seed_features}]"


def test_shards_of_another_survey_are_refused(tiny: Tiny, tmp_path: Path) -> None:
    write_shards(tiny(), tmp_path / "shards")
    config = SurveyConfig(kind="obs", n_geometries=1, n_stations=2, n_shots=12, seed=5)
    write_survey(config, tmp_path / "other")
    build_manifest(tmp_path / "other")
    with pytest.raises(RecipeError, match="of another survey than --data"):
        train(tiny(f"data.root={tmp_path / 'other'}"), tmp_path / "run", shards=tmp_path / "shards")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("change", "said"), [(SEVEN, "x of .* is 1 x 200 there, and this recipe makes 7 x 200"), ("target_fs=1000", "fs|x")]
)
def test_shards_of_another_recipe_are_refused(tiny: Tiny, tmp_path: Path, change: str, said: str) -> None:
    write_shards(tiny(), tmp_path / "shards")
    with pytest.raises(RecipeError, match=said):
        train(tiny(change), tmp_path / "run", shards=tmp_path / "shards")


def test_another_seed_may_train_from_the_same_shards(tiny: Tiny, tmp_path: Path) -> None:
    write_shards(tiny(), tmp_path / "shards")
    train(tiny("seed=3", "epochs=1", "split.test=0"), tmp_path / "run", shards=tmp_path / "shards")
