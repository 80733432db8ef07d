"""The YAML of a data set's recipe: where it is, and in which line and column it is none."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from seisloom.errors import MissingDataError, RecipeError
from seisloom.recipe import packaged_recipe

Tree: TypeAlias = dict[str, Any]  # Any: values of YAML, not yet validated


def read_tree(recipe: str) -> tuple[Tree, Path]:
    """Return what a recipe's file says, and its folder.

    Args:
        recipe: a file, or the name of a packaged recipe.
    Raises:
        MissingDataError: if there is no such recipe.
        RecipeError: if it is no YAML, with line and column, or no mapping.
    """
    file = Path(recipe)
    if not file.is_file():
        packaged = (packaged_recipe(recipe), _shelf() / f"{recipe}.yaml")
        file = next((one for one in packaged if one.is_file()), file)
    if not file.is_file():
        names = ", ".join(sorted(one.stem for one in _shelf().glob("*.yaml")))
        raise MissingDataError(f"{recipe}: no such recipe. Packaged ones: {names}")
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        # A word that stands alone is found at the end of the file, and is where the context begins
        at = error.context_mark if "could not find expected ':'" in str(error.problem) else error.problem_mark
        place = f", line {at.line + 1}, column {at.column + 1}" if at is not None else ""
        raise RecipeError(f"{recipe}{place}: is not YAML: {error.problem}. Correct the line, or take it out") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"{recipe}: is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(found, dict):
        raise RecipeError(f"{recipe}: is no mapping with `data`, or with its blocks such as frequency and physics")
    return {str(key): one for key, one in found.items()}, file.parent.resolve()


def _shelf() -> Path:
    """Return the folder of packaged recipes that make data and train nothing."""
    return Path(str(resources.files("seisloom") / "recipes" / "synth"))
