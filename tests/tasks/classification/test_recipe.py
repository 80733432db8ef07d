"""The room's recipe: words of older scripts, classes as lists and maps, keys that do not fit each other."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from seisloom.config import LossTerm, ModelConfig
from seisloom.recipe import config_from
from seisloom.tasks.classification.recipe import ClassificationData, ClassificationRecipe

from .conftest import MakeRecipe


def test_classes_are_a_list_or_a_map() -> None:
    assert dict(ClassificationData(classes=["b", "a"]).classes) == {"b": ("b",), "a": ("a",)}
    merged = ClassificationData(classes={"slide": ["landslide", "rock slide"], "fall": "rock fall"}).classes
    assert dict(merged) == {"slide": ("landslide", "rock slide"), "fall": ("rock fall",)}
    again = ClassificationData.model_validate_json(ClassificationData(classes=merged).model_dump_json())
    assert list(again.classes) == ["slide", "fall"]


def test_lists_come_as_the_command_line_says_them() -> None:
    data = config_from(ClassificationData, ["channels=Z,n,E", "paths=a b", "classes=[x, y]"], where="data")
    assert (data.channels, data.paths, tuple(data.classes)) == (("Z", "N", "E"), ("a b",), ("x", "y"))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"classes": {"a": ["x"], "b": ["x"]}}, "label 'x' is in 'a' and in 'b'"),
        ({"classes": ["a"]}, "one class, 'a': there is nothing to tell apart"),
        ({"channels": ["Z", "z"]}, "each component once"),
        ({"channels": []}, "at least 1"),
        ({"window_s": 5, "before_s": 10}, "no onset is seen"),
        ({"window_s": 40, "shift_s": 2, "noise_before_s": 40}, "set window_s to 36 or less"),
        ({"window_s": 40, "noise_before_s": 40, "trim": "shortest"}, "choose one"),
        ({"behind_s": [5], "trim": "shortest"}, "behind onsets, and trim: shortest cuts none"),
        ({"behind_s": [3, 1], "shift_s": 1}, "behind_s 1 is not beyond shift_s 1"),
        ({"behind_s": [3, 3]}, "behind_s: each once"),
        ({"behind_s": [0]}, "greater than 0"),
        ({"gaps": "splice"}, "'mask' or 'drop'"),
        ({"windows_s": 5}, "Extra inputs"),
    ],
)
def test_keys_that_do_not_fit_say_why(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        ClassificationData.model_validate(values)


@pytest.mark.parametrize(
    "said",
    [
        "DROP_NAN | TRIMMING | ZSCORE", ["DROP_NAN", "TRIMMING", "ZSCORE"],
        "TransformOP.DROP_NAN|TransformOP.TRIMMING|TransformOP.ZSCORE",
    ],
)  # fmt: skip
def test_transforms_of_older_scripts_become_their_keys(make_recipe: MakeRecipe, said: Any) -> None:
    assert make_recipe().data.gaps == "mask"
    values = {
        "task": "classification", "transforms": said, "model": ModelConfig(name="none"),
        "loss": [LossTerm(name="none")],
    }  # fmt: skip
    recipe = ClassificationRecipe.model_validate(values)
    assert (recipe.data.gaps, recipe.data.trim) == ("drop", "shortest")
    assert [step.model_dump() for step in recipe.prepare] == [{"name": "zscore", "per": "channel"}]
    twice = ClassificationRecipe.model_validate({**values, "prepare": [{"name": "zscore", "per": "trace"}]})
    assert [step.model_dump() for step in twice.prepare] == [{"name": "zscore", "per": "trace"}]
    with pytest.raises(ValidationError, match="no transform 'PCA'; there are DROP_NAN, TRIMMING, ZSCORE"):
        ClassificationRecipe.model_validate({**values, "transforms": "PCA"})


def test_an_event_is_never_parted_and_classes_are_dealt_apart_by_default(make_recipe: MakeRecipe) -> None:
    recipe = make_recipe()
    assert (recipe.split.by, recipe.split.deal) == (("event",), "class")
    assert make_recipe(split={"valid": 0.1}).split.by == ("event",)
    assert ClassificationRecipe.aliases["test_ratio"] == "split.test"


def test_test_ratio_is_the_share_of_the_test(make_recipe: MakeRecipe) -> None:
    assert make_recipe(split={"test_ratio": 0.3}).split.test == 0.3
    with pytest.raises(ValidationError, match="say the same; give one"):
        make_recipe(split={"test_ratio": 0.3, "test": 0.2})
