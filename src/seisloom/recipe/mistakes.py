"""What is wrong with a recipe, in words: every mistake at once, each with its path and the nearest valid name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from seisloom import plugins
from seisloom.errors import RecipeError
from seisloom.recipe.entry import Entry, Json
from seisloom.recipe.recipe import Recipe


def raise_all(mistakes: Sequence[str], where: str) -> None:
    """Raise a RecipeError that lists the mistakes, if there are any."""
    if mistakes:
        head = f"{where}: {len(mistakes)} mistake{'s' if len(mistakes) > 1 else ''}"
        raise RecipeError("\n  ".join([head, *mistakes]))


def sentence(kind: type[BaseModel], tree: Json, error: Any) -> str:  # Any: pydantic's ErrorDetails
    """Return one mistake in words: path, what is wrong, and the nearest valid name for an unknown key."""
    place = tuple(error["loc"])
    path = ".".join(str(step) for step in place)
    if error["type"] == "extra_forbidden":
        known = _keys_at(kind, tree, place[:-1])
        aliases = list(kind.aliases) if len(place) == 1 and issubclass(kind, Recipe) else []
        return f"{path}: unknown key{_owners_of(place) or plugins.nearest(str(place[-1]), known, aliases)}"
    message = error["msg"].removeprefix("Value error, ")
    given = error.get("input")
    if error["type"] == "tuple_type" and isinstance(given, str):
        return f"{path}: is a list; write '{path}=[{given}]'"
    shown = f" (it is {given!r})" if isinstance(given, str | int | float | bool) else ""
    return f"{path}: {message[0].lower()}{message[1:]}{shown}"


def _owners_of(place: Sequence[str | int]) -> str:
    """Say which models have a key that the recipe's own has not."""
    if len(place) != 2 or place[0] != "model":
        return ""
    owners = [name for name in plugins.names("models") if place[1] in plugins.load("models", name).model_fields]
    return f" of this model; it is one of {' and '.join(owners)}, so give model.name={owners[0]}" if owners else ""


def _keys_at(kind: type[BaseModel], tree: Json, place: Sequence[str | int]) -> list[str]:
    """Return the keys that are valid at a place of the tree."""
    here: type[BaseModel] | None = kind
    group: str | None = None  # of entry points, from which the next mapping with a name is
    value, kinds = tree, None
    for step in place:
        if isinstance(value, dict) and step not in value:  # the name of one of several kinds, which pydantic adds
            here = _named(kinds, step)
            continue
        value = value[step]
        if here is not None and isinstance(step, str):
            field = here.model_fields[step]
            group = next((mark.group for mark in _marks(field) if isinstance(mark, Entry)), None)
            kinds = field.annotation
            here = None if group else _config_of(kinds)
        name = value.get("name") if isinstance(value, dict) else value
        if group is not None and isinstance(name, str):
            here, group = plugins.load(group, name), None
    return sorted(here.model_fields) if here is not None else []


def _named(annotation: Any, name: str | int) -> type[BaseModel] | None:  # Any: typing's own objects
    """Return the kind, of several in an annotation, whose key `name` is this."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        known = annotation.model_fields.get("name")
        return annotation if known is not None and known.default == name else None
    return next((one for part in getattr(annotation, "__args__", ()) if (one := _named(part, name))), None)


def _marks(field: Any) -> list[Any]:  # Any: typing's own objects
    marks = list(field.metadata)
    for argument in getattr(field.annotation, "__args__", ()):
        marks += list(getattr(argument, "__metadata__", ()))
    return marks


def _config_of(annotation: Any) -> type[BaseModel] | None:  # Any: typing's own objects
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _config_of(argument)
        if found is not None:
            return found
    return None
