"""Paths in a recipe: relative to its file, with variables such as `${SEISLOOM_DATA}`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from seisloom.config import Paths
from seisloom.errors import MissingDataError
from seisloom.recipe.entry import Json
from seisloom.recipe.recipe import Recipe


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


def path_keys(kind: type[Recipe]) -> Iterator[tuple[str, str]]:
    """Yield the part and the key of what holds paths, such as data and root."""
    for part, field in kind.model_fields.items():
        of = field.annotation
        if isinstance(of, type) and issubclass(of, BaseModel):
            yield from ((part, key) for key, one in of.model_fields.items() if Paths() in one.metadata)


def anchor(kind: type[Recipe], tree: dict[str, Json], folder: Path) -> None:
    """Make the relative paths among the keys relative to the recipe's folder; variables stay as they are written."""
    for part, key in path_keys(kind):
        values = tree.get(part)
        if isinstance(values, dict) and key in values:
            found = values[key]
            values[key] = [_in(folder, one) for one in found] if isinstance(found, list) else _in(folder, found)


def _in(folder: Path, path: Json) -> Json:
    is_relative = isinstance(path, str) and path and not path.startswith(("$", "~", "/"))
    return str(folder / str(path)) if is_relative else path
