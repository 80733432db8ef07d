"""What a guided set-up asks: questions made from the descriptions, defaults and bounds of a recipe's own keys.

Nothing here knows of a terminal, nor of a room: `seisloom setup` shows the questions, a room lists the keys that matter
to it (`Recipe.questions`), and a new key brings its own wording with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from seisloom import plugins
from seisloom.config import Config, Paths
from seisloom.draft import NOTHING, YES_NO, Draft, reason, typed
from seisloom.errors import PluginError, RecipeError, SeisloomError
from seisloom.recipe import Entry, Json, Recipe

BOUNDS = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}
KINDS = {int: "whole number", float: "number"}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for one key."""

    path: str
    """Of the key, such as train.epochs."""
    text: str
    """First sentence of its description."""
    help: str
    """The rest of it, its kind and bounds, and what the room adds."""
    default: str
    """What it is if nothing is typed, as it would be typed."""
    choices: tuple[str, ...]
    """Values that there are; none where any may be typed."""
    is_open: bool
    """Whether others than the choices may be typed."""
    is_needed: bool
    """Whether it has no value yet, and the data cannot be read without."""
    is_path: bool
    """Whether it is the path of a file or folder, or several."""
    check: Callable[[str], str]
    """What is wrong with an answer, in words; nothing if it is right."""
    stand_in: tuple[str, str] = ("", "")
    """Variable of a path that need not be set, and what happens without it."""


def questions(draft: Draft) -> Iterator[Question]:
    """Yield what is asked of a draft that stays as it is; each answer may change those that follow."""
    for path in type(draft.recipe).questions:
        asked = question(draft, path)
        if asked is not None:
            yield asked


def question(draft: Draft, path: str) -> Question | None:
    """Return the question for a key, or None where the recipe has no such key or there is nothing to choose."""
    recipe = draft.recipe
    found = _field_at(recipe, path)
    hint = type(recipe).hint(path, draft.values)
    if found is None or hint is None:
        return None
    holder, field, value = found
    description, choices, note = _words(recipe, path, holder, field)
    if len(choices) == 1:
        return None
    text, rest = _first_sentence(description)
    kind = "" if choices else _kind_and_bounds(field)
    is_needed = value is None and bool(hint.choices)
    said = " ".join(filter(None, (rest, kind, "" if is_needed else _how_to_clear(field, value))))

    def check(answer: str) -> str:
        try:
            answered(draft, path, answer)
        except SeisloomError as error:
            return reason(error)
        return ""

    said = "\n".join(filter(None, (said, note, hint.help)))
    return Question(
        path, text, said, _unbracketed(value), choices or hint.choices,
        is_open=not choices, is_needed=is_needed, check=check,
        is_path=any(isinstance(mark, Paths) for mark in field.metadata), stand_in=hint.stand_in,
    )  # fmt: skip


def answered(draft: Draft, path: str, text: str) -> Draft:
    """Return a draft with what was typed for a key; nothing, or what it is already, leaves it as it is.

    Raises:
        SeisloomError: if the recipe would no longer be right, or not fit the data that it names; or if nothing was
            typed where something is needed.
    """
    asked = question(draft, path)
    text = text.strip()
    is_needed = asked is not None and asked.is_needed
    if not is_needed and text in ("", asked and asked.default):
        return draft
    if not text:
        raise RecipeError(f"{path}: nothing says it; give a value, such as {asked.choices[0] if asked else '1'}")
    return draft.with_change(_as_change(draft, path, text))


# --- from a key to words


def _field_at(recipe: Recipe, path: str) -> tuple[Config, FieldInfo, Json] | None:
    """Return the part that a key is in, its field and its value; None if there is no such key by now."""
    *way, last = path.split(".")
    here: Any = recipe  # Any: parts of a recipe, and lists of them
    for step in way:
        if isinstance(here, tuple):
            here = next((one for one in here if getattr(one, "name", None) == step), None)
        else:
            here = getattr(here, step, None)
    if not isinstance(here, Config) or last not in type(here).model_fields:
        return None
    return here, type(here).model_fields[last], here.model_dump(mode="json")[last]


def _words(recipe: Recipe, path: str, holder: Config, field: FieldInfo) -> tuple[str, tuple[str, ...], str]:
    """Return the description of a key, the values that there are for it, and what these mean."""
    group = _group(recipe, path)
    if group is not None:
        above = _field_at(recipe, path.rpartition(".")[0])
        kinds = {name: _meaning(group, name) for name in _of_this_room(group, recipe)}
        said = "\n".join(f"{name}: {meaning}" for name, meaning in kinds.items())
        return (above[1].description or "" if above else ""), tuple(kinds), said
    if bool in _alternatives(field.annotation):
        return field.description or "", YES_NO, ""
    choices = tuple(
        typed(one) for kind in _alternatives(field.annotation) if get_origin(kind) is Literal for one in get_args(kind)
    )
    return field.description or "", (*choices, NOTHING) if choices and _may_be_none(field) else choices, ""


def _group(recipe: Recipe, path: str) -> str | None:
    """Return the entry points that a key `model.name` chooses from; None for any other key."""
    part, _, last = path.rpartition(".")
    above = _field_at(recipe, part) if last == "name" and part else None
    return above and next((mark.group for mark in above[1].metadata if isinstance(mark, Entry)), None)


def _of_this_room(group: str, recipe: Recipe) -> list[str]:
    """Return the names of a group, without those that live in the package of another room, or do not load."""
    rooms = {_package(kind.recipe) for kind in loaded("tasks").values()}
    own = _package(type(recipe))
    homes = {name: _package(kind) for name, kind in loaded(group).items()}
    return [name for name, home in homes.items() if home == own or home not in rooms]


def loaded(group: str) -> dict[str, Any]:  # Any: what it is depends on the group
    """Return the parts of a group, without those of packages that do not load: they must not hide the others."""
    found = {}
    for name in plugins.names(group):
        with suppress(PluginError):
            found[name] = plugins.load(group, name)
    return found


def _package(kind: type) -> str:
    return kind.__module__.rpartition(".")[0] or kind.__module__


def _meaning(group: str, name: str) -> str:
    """Return the first paragraph of an entry's docstring."""
    return " ".join((plugins.load(group, name).__doc__ or "").split("\n\n")[0].split())


def _first_sentence(description: str) -> tuple[str, str]:
    """Return the first sentence and the rest.

    >>> _first_sentence("Folders, e.g. a. Others are not read.")
    ('Folders, e.g. a.', 'Others are not read.')
    """
    first, *rest = re.split(r"(?<=\.)\s+(?=[A-Z])", " ".join(description.split()), maxsplit=1)
    return first, " ".join(rest)


def _kind_and_bounds(field: FieldInfo) -> str:
    """Return what may be given, e.g. 'A whole number, at least 1.'"""
    alternatives = _alternatives(field.annotation)
    kind = alternatives[0] if len(alternatives) == 1 else None
    inner = [one for one in get_args(kind) if one is not Ellipsis]
    if get_origin(kind) is tuple:
        words = {KINDS.get(one, "") for one in inner}
        count = "" if Ellipsis in get_args(kind) else f"{len(inner)} "
        said = f"A list of {count}{words.pop() or 'name'}s, such as {_example(inner, count)}" if len(words) == 1 else ""
    else:
        said = f"A {KINDS[kind]}" if kind in KINDS else ""
    bounds = [
        f"{word} {getattr(mark, name):g}"
        for mark in field.metadata
        for name, word in BOUNDS.items()
        if isinstance(getattr(mark, name, None), int | float)
    ]
    if get_origin(kind) is not tuple and bounds:
        said = f"{said or 'A value'}, {' and '.join(bounds)}"
    return f"{said}." if said else ""


def _example(inner: Sequence[Any], count: str) -> str:  # Any: types
    if all(KINDS.get(one) for one in inner):
        return ", ".join(["1", "64", "64"][: len(inner)] if count else ["1", "2"])
    return "A, B"


def _how_to_clear(field: FieldInfo, value: Json) -> str:
    """Say how to give no value, where there is one and none is allowed."""
    if not _may_be_none(field):
        return ""
    return "Leave it empty for none." if value is None else f"Type {NOTHING} for none."


def _alternatives(annotation: Any) -> list[Any]:  # Any: typing's own objects
    """Return the types that a value may have, without None."""
    if get_origin(annotation) in (None, tuple, list, dict, Literal) or not get_args(annotation):
        return [annotation]
    if get_origin(annotation).__name__ in ("Union", "UnionType"):
        return [inner for one in get_args(annotation) if one is not NoneType for inner in _alternatives(one)]
    return [annotation]


def _may_be_none(field: FieldInfo) -> bool:
    return NoneType in get_args(field.annotation)


# --- from what is typed to values


def _unbracketed(value: Json) -> str:
    """Return a value as it is typed in answer to a question, a list without its brackets."""
    return ", ".join(map(typed, value)) if isinstance(value, list) else typed(value)


def _as_change(draft: Draft, path: str, text: str) -> str:
    """Return `key=value` of what was typed; an entry keeps the keys that the one of another name has too."""
    recipe = draft.recipe
    group = _group(recipe, path)
    if group is not None:
        fields = plugins.load(group, text).model_fields
        part = path.rpartition(".")[0]
        above = _field_at(recipe, part)
        here = above[2] if above else {}
        given = _at(draft.values, part)
        kept = {key: here[key] for key in given if key in fields} if isinstance(given, Mapping) else {}
        return f"{part}={json.dumps({**kept, 'name': text})}"
    found = _field_at(recipe, path)
    return f"{path}={text if found is None else _as_yaml(text, found[1])}"


def _at(values: Json, path: str) -> Json:
    for step in path.split("."):
        values = values.get(step) if isinstance(values, Mapping) else None
    return values


def _as_yaml(text: str, field: FieldInfo) -> str:
    """Return what was typed as YAML, in the way that the key takes it: text as it is, lists without brackets."""
    alternatives = _alternatives(field.annotation)
    if _may_be_none(field) and text.lower() in (NOTHING, "none", "~"):
        return NOTHING
    if alternatives == [str]:
        return json.dumps(text)
    if len(alternatives) == 1 and get_origin(alternatives[0]) is tuple and not text.startswith("["):
        return f"[{', '.join(text.replace(',', ' ').split())}]"
    return text
