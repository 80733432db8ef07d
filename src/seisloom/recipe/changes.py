"""Changes of plain values, as the command line has them: `train.epochs=3`."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from seisloom.recipe.entry import Json


def key_of(change: str) -> str:
    """Return the left side of key=value, or of --key=value, with underscores.

    >>> key_of("--batch-size=4")
    'batch_size'
    """
    return change.partition("=")[0].strip().lstrip("-").replace("-", "_")


def value_of(text: str) -> Json:
    """Return the value of the right side of key=value; numbers such as 1e-3, which YAML 1.1 takes for text, too."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def plain(values: Json) -> Json:
    """Return values with dicts and lists in place of other mappings and sequences."""
    if isinstance(values, Mapping):
        return {str(key): plain(value) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [plain(value) for value in values]
    return values


def put(tree: Json, path: str, value: Json, mistakes: list[str], *, shown: str) -> None:
    """Set one place of the tree; a list is entered by number or by the name of its entry."""
    *way, last = path.split(".")
    here = tree
    for step in way:
        if isinstance(here, dict):
            if here.get(step) is None:
                here[step] = {}
            elif isinstance(here[step], str):
                here[step] = {"name": here[step]}
            here = here[step]
        elif isinstance(here, list):
            place = _place(here, step)
            if place is None:
                mistakes.append(f"{shown}: there is no entry {step!r}; entries are {_listed(here)}")
                return
            if isinstance(here[place], str):
                here[place] = {"name": here[place]}
            here = here[place]
        else:
            mistakes.append(f"{shown}: {step!r} is inside of a plain value")
            return
    if isinstance(here, dict):
        here[last] = value
    elif isinstance(here, list) and (place := _place(here, last)) is not None:
        here[place] = value
    else:
        mistakes.append(f"{shown}: there is no entry {last!r}; entries are {_listed(here)}")


def _place(entries: list[Json], step: str) -> int | None:
    if step.isdigit():
        return int(step) if int(step) < len(entries) else None
    called = [entry.get("name") if isinstance(entry, dict) else entry for entry in entries]
    return called.index(step) if step in called else None


def _listed(entries: Json) -> str:
    if not isinstance(entries, list) or not entries:
        return "none"
    called = [entry.get("name") if isinstance(entry, dict) else entry for entry in entries]
    return ", ".join(f"{place} ({name})" for place, name in enumerate(called))
