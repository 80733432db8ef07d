"""From YAML, a request or the command line to a recipe: one way for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import ValidationError

from seisloom import plugins
from seisloom.config import Config
from seisloom.errors import MissingDataError, RecipeError
from seisloom.recipe.changes import key_of, plain, put, value_of
from seisloom.recipe.entry import Json
from seisloom.recipe.mistakes import raise_all, sentence
from seisloom.recipe.packaged import packaged_recipe, packaged_recipes
from seisloom.recipe.paths import anchor
from seisloom.recipe.recipe import Recipe

C = TypeVar("C", bound=Config)


def read_recipe(path: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """Return the recipe of a YAML file, or of a packaged recipe by its name, with `key=value` changes.

    Paths in the file are relative to the file, those of the changes to the working folder.

    Raises:
        MissingDataError: if there is no such file.
        RecipeError: with every mistake, its path and the nearest valid name.

    >>> read_recipe("picking", ["train.epochs=3"]).train.epochs
    3
    """
    return recipe_from(read_values(path), overrides, where=str(path))


def read_values(path: str | Path) -> dict[str, Json]:
    """Return what a recipe's file, or a packaged recipe by its name, says; relative paths in it made absolute.

    Raises:
        MissingDataError: if there is no such file.
        RecipeError: if it is not YAML, or no mapping.
    """
    file = Path(path)
    if not file.is_file() and packaged_recipe(str(path)).is_file():
        file = packaged_recipe(str(path))
    if file.is_dir():
        raise RecipeError(f"{path}: is a folder, and no recipe. If it is the survey, write --data {path}")
    if not file.is_file():
        raise MissingDataError(f"{path}: no such recipe. Packaged ones: {', '.join(packaged_recipes())}")
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise RecipeError(f"{path}: a recipe is a mapping that begins with `task:`")
    tree: dict[str, Json] = plain(values)
    if tree.get("task") in plugins.names("tasks"):  # what is wrong otherwise is said where it is validated
        anchor(kind_of(tree), tree, file.parent.resolve())
    return tree


def recipe_from(values: Mapping[str, Json], overrides: Sequence[str] = (), *, where: str = "recipe") -> Recipe:
    """Return the recipe of plain values (YAML, a request) with `key=value` changes; see `read_recipe`."""
    kind = kind_of(values, where=where)
    tree, mistakes = _changed(kind, values, overrides)
    if not mistakes and any(key_of(change).split(".")[0] == "model" for change in overrides):
        with suppress(LookupError):  # a network that does not load is told where it is validated
            tree, mistakes = _changed(kind, kind.settle(tree), overrides)  # what is said stands, even if it is idle
    try:
        recipe = kind.model_validate(tree)
    except ValidationError as error:
        mistakes += [sentence(kind, tree, one) for one in error.errors()]
    raise_all(mistakes, where)
    return recipe


def kind_of(values: Mapping[str, Json], *, where: str = "recipe") -> type[Recipe]:
    """Return the class of the recipe of plain values, that of the room which they name.

    Raises:
        RecipeError: if there is no such room.
    """
    name = values.get("task")
    if not isinstance(name, str) or name not in plugins.names("tasks"):
        raise RecipeError(f"{where}: task: no task is named {name!r}; there are {', '.join(plugins.names('tasks'))}")
    kind: type[Recipe] = plugins.load("tasks", name).recipe
    return kind


def with_changes(values: Mapping[str, Json], changes: Sequence[str], *, where: str = "recipe") -> dict[str, Json]:
    """Return plain values with `key=value` changes, which are not yet validated.

    Raises:
        RecipeError: if a change is none, or leads to nowhere.
    """
    tree, mistakes = _changed(kind_of(values, where=where), values, changes)
    raise_all(mistakes, where)
    return tree


def _changed(
    kind: type[Recipe], values: Mapping[str, Json], overrides: Sequence[str]
) -> tuple[dict[str, Json], list[str]]:
    """Return plain values with changes, and mistakes in these; paths of changes are made absolute."""
    tree: dict[str, Json] = plain(values)
    mistakes: list[str] = []
    # A spelling that is a block's name too, such as data, is one where a plain value stands
    spelt = [key for key in tree if key in kind.aliases and not isinstance(tree[key], dict)]
    for key in sorted(spelt, key=lambda key: key not in kind.model_fields):
        value = tree.pop(key)
        put(tree, kind.aliases[key], value, mistakes, shown=key)
    for change in overrides:
        _, equals, text = change.partition("=")
        if not equals:
            mistakes.append(f"{change!r} is not key=value; write for instance train.epochs=3")
            continue
        key, value = key_of(change), value_of(text)
        put(tree, key if isinstance(value, dict) else kind.aliases.get(key, key), value, mistakes, shown=change)
    if overrides:
        anchor(kind, tree, Path.cwd())
    return tree, mistakes


def config_from(kind: type[C], changes: Sequence[str], *, where: str) -> C:
    """Return a config of its defaults with `key=value` changes; mistakes are reported as a recipe's are."""
    tree: dict[str, Json] = {}
    mistakes: list[str] = []
    for change in changes:
        _, equals, text = change.partition("=")
        if equals:
            put(tree, key_of(change), value_of(text), mistakes, shown=change)
        else:
            mistakes.append(f"{change!r} is not key=value; keys are {', '.join(sorted(kind.model_fields))}")
    try:
        made = kind.model_validate(tree)
    except ValidationError as error:
        mistakes += [sentence(kind, tree, one) for one in error.errors()]
    raise_all(mistakes, where)
    return made
