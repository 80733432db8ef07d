"""The room's recipe: the same object from YAML and from a request, which trains; mistakes are said in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from seisloom.bundle import Bundle
from seisloom.errors import RecipeError
from seisloom.recipe import Recipe, read_recipe, recipe_from
from seisloom.run.train import train
from seisloom.tasks.restoration.recipe import RestorationRecipe

TEXT = """
task: restoration
seed: 3
data:
  synth: {shape: [1, 16, 64], n: 16}
split: {by: [panel], valid: 0.2, calibrate: 0.25, test: 0.2}
corrupt:
  - missing
  - {name: add_noise, p: 0.5, snr_min: 0, snr_max: 10}
augment:
  - {name: polarity_flip, p: 0.5}
  - {name: gain, p: 0.5}
model: {name: mask_unet, widths: [4, 8], attention: true, keeps_live: false}
loss:
  - {name: relative_error, weight: 2}
train: {epochs: 1, batch_size: 4, loggers: [csv], accelerator: cpu}
calibrate: {level: 0.8, min_n: 2}
apply: {goal: denoise, hide: [irregular 50], hide_seeds: 1}
"""


@pytest.fixture
def from_yaml(tmp_path: Path) -> Recipe:
    file = tmp_path / "recipe.yaml"
    file.write_text(TEXT)
    return read_recipe(file)


def test_a_request_gives_the_recipe_of_the_yaml(from_yaml: Recipe) -> None:
    body = json.dumps(yaml.safe_load(TEXT))
    assert isinstance(from_yaml, RestorationRecipe)
    assert RestorationRecipe.model_validate_json(body) == from_yaml
    assert recipe_from(json.loads(body)) == from_yaml
    assert RestorationRecipe.model_validate_json(from_yaml.model_dump_json()) == from_yaml
    assert recipe_from(yaml.safe_load(from_yaml.to_yaml())) == from_yaml
    assert [entry.name for entry in from_yaml.corrupt] == ["missing", "add_noise"]
    assert from_yaml.apply.goal == "denoise"


def test_a_recipe_of_a_request_trains(tmp_path: Path) -> None:
    recipe = RestorationRecipe.model_validate_json(json.dumps(yaml.safe_load(TEXT)))
    trained = train(recipe, tmp_path / "b")
    assert Bundle.open(tmp_path / "b").recipe == recipe
    assert trained.bundle.calibration is not None
    assert set(json.loads((tmp_path / "b" / "split.json").read_text())["groups"]["test"]) <= {
        f"made/{k:08d}" for k in range(16)
    }


def test_every_packaged_recipe_of_the_room_survives_json_and_yaml() -> None:
    recipe = read_recipe("restoration_prestack")
    assert RestorationRecipe.model_validate_json(recipe.model_dump_json()) == recipe
    assert recipe_from(yaml.safe_load(recipe.to_yaml())) == recipe


MISTAKES = {
    "corrupt=[{name: mising}]": r"corrupt\.0: .*did you mean 'missing'",
    "data.synth.n=0": r"data\.synth\.n: input should be greater than or equal to 1",
    "data.synth.shape=[4,16,64]": "a gather has one line, and 4 are asked for; say kind: poststack",
    "prepare=[{name: survey_scale, clip: 8}]": "what is clipped cannot be restored",
    "prepare=[{name: zscore}]": "give survey_scale alone",
    "calibrate.level=0.7": "level must be one of 0.5, 0.8, 0.9, 0.95, it is 0.7",
    "apply.hide=[irregular]": r"apply\.hide: ",
    "apply.goal=fil": r"apply\.goal: input should be 'fill' or 'denoise'",
    "model.dims=4": r"model\.dims: input should be 1, 2 or 3",
    "model.width=[4]": "model.*width",
    "train.loggers=[mlfow]": r"train\.loggers\.0: input should be 'csv', 'tensorboard' or 'mlflow'",
    "data.bock=2": r"data\.bock: unknown key.*did you mean 'block'",
}


@pytest.mark.parametrize("change", sorted(MISTAKES))
def test_a_mistake_is_said_with_its_path(change: str, from_yaml: Recipe) -> None:
    with pytest.raises(RecipeError, match=MISTAKES[change]):
        recipe_from(yaml.safe_load(TEXT), [change])


def test_all_mistakes_are_said_at_once() -> None:
    with pytest.raises(RecipeError, match=r"(?s)recipe: 2 mistakes.*data\.synth\.n.*apply\.goal"):
        recipe_from(yaml.safe_load(TEXT), ["data.synth.n=0", "apply.goal=fil"])


def test_traces_cannot_be_dead_and_live() -> None:
    with pytest.raises(RecipeError, match="traces 3 are given as dead and as live"):
        recipe_from(yaml.safe_load(TEXT), ["apply.dead=[1, 3]", "apply.live=[3]"])
    short = recipe_from(yaml.safe_load(TEXT), ["dead=3,7", "goal=fill"])
    assert isinstance(short, RestorationRecipe)
    assert (short.apply.dead, short.apply.goal) == ((3, 7), "fill")
