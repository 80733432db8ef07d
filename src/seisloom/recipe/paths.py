"""Paths in a recipe: relative to its file, with variables such as `${SEISLOOM_DATA}`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from seisloom import plugins
from seisloom.config import Paths
from seisloom.errors import MissingDataError
from seisloom.recipe.entry import Json


def expand(path: str) -> Path:
    """Return the path with `${SEISLOOM_DATA}` and the like filled in.

    Raises:
        MissingDataError: if a variable in it is not set.
    """
    filled = os.path.expandvars(path)
    unset = re.findall(r"\$\{?(\w+)\}?", filled)
    if unset:
        raise MissingDataError(f"{path}: {unset[0]} is not set. Set it: export {unset[0]}=/folder/with/data")
    return Path(filled).expanduser()


def anchor(kind: type[BaseModel], tree: dict[str, Json], folder: Path) -> None:
    """Make relative paths relative to the recipe's folder: those of its keys, and those of the entries in its lists.

    Variables stay as they are written, and so do names of shipped bundles: a key that holds a bundle takes both.

    Args:
        kind: of the recipe, or of a part of it.
        tree: its plain values; they are changed in place.
        folder: of the recipe.
    """
    change_paths(kind, tree, partial(_in, folder))


def change_paths(kind: type[BaseModel], tree: dict[str, Json], change: Callable[[Json], Json]) -> None:
    """Put what `change` returns of a path in its place: of those of keys, and of those of the entries in lists.

    Args:
        kind: of the recipe, or of a part of it.
        tree: its plain values; they are changed in place.
        change: gets a path as it is written, or None where there is none.
    """
    for key, field in kind.model_fields.items():
        value, of = tree.get(key), field.annotation
        if Paths() in field.metadata:
            if key in tree:
                tree[key] = [change(one) for one in value] if isinstance(value, list) else change(value)
        elif isinstance(value, dict) and isinstance(of, type) and issubclass(of, BaseModel):
            change_paths(of, value, change)
        elif group := next(_groups([*field.metadata, of]), None):
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, dict) and one.get("name") in plugins.names(group):
                    with suppress(LookupError):  # what does not load is told where it is validated
                        change_paths(plugins.load(group, one["name"]), one, change)


def _groups(marks: Iterable[Any]) -> Iterator[str]:  # Any: what an annotation may hold
    """Yield the groups of entry points that marks within an annotation name, such as augmentations."""
    for mark in marks:
        if isinstance(group := getattr(mark, "group", None), str):
            yield group
        yield from _groups([*getattr(mark, "__metadata__", ()), *get_args(mark)])


def _in(folder: Path, path: Json) -> Json:
    is_relative = isinstance(path, str) and path and not path.startswith(("$", "~", "/"))
    return str(folder / str(path)) if is_relative and not _means_shipped(str(path), folder) else path


def _means_shipped(path: str, folder: Path) -> bool:
    """Return whether a path is the name of a shipped bundle, and of nothing in the folder."""
    is_name = Path(path).name == path and (shipped() / path / "recipe.yaml").is_file()
    return is_name and not (folder / path).exists()


def shipped() -> Path:
    """Return the folder of the bundles that come with the package."""
    return Path(str(resources.files("seisloom") / "weights"))
