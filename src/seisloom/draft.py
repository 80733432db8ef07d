"""A recipe that is being set up: what it began from, one change after the other, and what differs in the end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from seisloom import plugins
from seisloom.errors import RecipeError, SeisloomError
from seisloom.recipe import (
    Json,
    Recipe,
    packaged_recipe,
    packaged_recipes,
    read_values,
    recipe_from,
    usual_recipe,
    with_changes,
)

YES_NO = ("yes", "no")
"""How true and false are typed."""
NOTHING = "null"
"""What is typed for a key that is to have no value."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A recipe that is being set up: what it began from, and what it is by now; both are right recipes."""

    name: str
    """Of the packaged recipe, the file or the room that it began from."""
    before: Mapping[str, Json]
    values: Mapping[str, Json]

    @property
    def recipe(self) -> Recipe:
        """The recipe by now."""
        return recipe_from(self.values, where=self.name)

    def with_change(self, change: str) -> Draft:
        """Return the draft with a `key=value` change, settled by its room.

        Raises:
            RecipeError: if it is none, or the recipe would no longer be right.
            SeisloomError: if it does not fit the data that it names.
        """
        changed = with_changes(self.values, [change], where=change)
        kind = type(recipe_from(changed, where=change))
        settled = kind.settle(changed)
        recipe_from(settled, where=change)
        return replace(self, values=settled)


def begin(name: str) -> Draft:
    """Return the draft that a packaged recipe, a recipe's file, or a room of its own defaults begins.

    Raises:
        RecipeError: if there is none of this name, or it is not right.
        MissingDataError: if it is a file that is not there.
    """
    rooms = plugins.names("tasks")
    if Path(name).is_file() or packaged_recipe(usual_recipe(name)).is_file():
        values = read_values(name if Path(name).is_file() else usual_recipe(name))
    elif name in rooms:
        values = {"task": name}
        try:
            recipe_from(values)
        except RecipeError as error:
            raise RecipeError(
                f"{name}: its defaults are no whole recipe ({reason(error)}). Begin from a file: seisloom setup FILE"
            ) from error
    else:
        known = sorted({*rooms, *packaged_recipes()})
        raise RecipeError(f"{name}: no room, recipe or file is named so{plugins.nearest(name, known)}")
    recipe_from(values, where=name)
    tree = with_changes(values, [], where=name)
    return Draft(name, tree, tree)


def reason(error: SeisloomError) -> str:
    """Return what an error says, on one line; of a recipe's mistakes without their head.

    >>> reason(RecipeError("here: 1 mistake\\n  train.epochs: input should be greater than or equal to 1"))
    'train.epochs: input should be greater than or equal to 1'
    """
    head, *mistakes = str(error).splitlines()
    return "; ".join(one.strip() for one in mistakes) or head


def differences(draft: Draft) -> list[tuple[str, str, str]]:
    """Return each key that is not as it was, with its value before and now; '' where it has none."""
    before, now = (recipe_from(one).model_dump(mode="json") for one in (draft.before, draft.values))
    return list(_differences("", before, now))


def to_yaml(draft: Draft) -> str:
    """Return the recipe as a file says it: the keys of what it began from, and those that were changed."""
    text: str = yaml.safe_dump(dict(draft.values), sort_keys=False, default_flow_style=None, width=100)
    return re.sub(r"\n(?=\w)", "\n\n", text)


def typed(value: Json) -> str:
    """Return a value as it would be typed.

    >>> typed([1, 32, 32]), typed(True), typed({"a": None})
    ('[1, 32, 32]', 'yes', '{a: null}')
    """
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return YES_NO[0] if value else YES_NO[1]
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(typed, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {typed(one)}' for key, one in value.items())}}}"
    return str(value)


def _differences(path: str, before: Json, now: Json) -> Iterator[tuple[str, str, str]]:
    if before == now:
        return
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in [*now, *(key for key in before if key not in now)]:
            inner = f"{path}.{key}" if path else str(key)
            if key not in now or key not in before:
                was, is_now = (typed(one[key]) if key in one else "" for one in (before, now))
                yield inner, was, is_now
            else:
                yield from _differences(inner, before[key], now[key])
        return
    old, new = _by_name(before), _by_name(now)
    if old is None or new is None:
        yield path, typed(before), typed(now)
        return
    if list(old) != list(new):
        yield path, ", ".join(old) or "none", ", ".join(new) or "none"
    for name in old:
        if name in new:
            yield from _differences(f"{path}.{name}", old[name], new[name])


def _by_name(entries: Json) -> dict[str, Json] | None:
    """Return entries of a list by their names; None where it is another value."""
    if not isinstance(entries, list) or not all(isinstance(one, Mapping) and "name" in one for one in entries):
        return None
    return {one["name"]: one for one in entries}
