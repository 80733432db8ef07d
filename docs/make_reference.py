"""Write docs/reference/recipe.md and command.md from the code: python docs/make_reference.py.

`tests/test_docs.py` says when they are out of date.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from seisloom import plugins
from seisloom.cli.main import app
from seisloom.recipe import Recipe, packaged_recipes

FOLDER = Path(__file__).parent / "reference"
ENTRIES = {
    "prepare": "preparations",
    "augment": "augmentations",
    "represent": "representations",
    "model": "models",
    "loss": "losses",
    "metrics": "metrics",
}
"""Parts of a recipe that name an entry, and the group of entry points it comes from."""
NOTE = "<!-- Made by docs/make_reference.py; do not edit. -->"


def recipe_page() -> str:
    """Return the page of all recipe keys, with their defaults: shared ones once, others room by room."""
    rooms: dict[str, type[Recipe]] = {name: plugins.load("tasks", name).recipe for name in plugins.names("tasks")}
    rooms = {name: kind for name, kind in rooms.items() if kind.__module__.startswith("seisloom.")}
    lines = [
        "# Recipe",
        "",
        NOTE,
        "",
        "All keys of a recipe, in the order of the flow, with the defaults of the code. Packaged recipes set many of",
        f"them otherwise ({', '.join(f'`{name}`' for name in packaged_recipes())}): `seisloom recipe show picking`",
        "prints one with every value written out. On the command line a key is `train.epochs=3`; an entry of a list",
        "is named by its place or its name, `augment.0.p=0.2` or `augment.gain.p=0.2`; a list is given as YAML,",
        "`'split.by=[station]'`. An unknown key is an error that names the nearest valid one.",
        "",
        "Paths in a recipe are relative to the recipe, and `${SEISLOOM_DATA}` is filled in.",
        "",
        "## Top",
        "",
        *table(Recipe, skip=[name for name in Recipe.model_fields if is_part(rooms, name)]),
    ]
    for name, one in Recipe.model_fields.items():
        if name in ENTRIES:
            lines += ["", f"## {name}: entries", "", one.description or "", "", *entries(ENTRIES[name])]
            continue
        parts = {room: part_of(kind.model_fields[name]) for room, kind in rooms.items()}
        for room, part in parts.items():
            if part is None or part in list(parts.values())[: list(parts).index(room)]:
                continue
            shared = len(set(parts.values())) == 1
            lines += ["", f"## {name}" + ("" if shared else f": {room}"), "", sentence(part), ""]
            lines += table(part, prefix=f"{name}.")
    lines += ["", "## Short names", "", "These stand for longer keys, on the command line and at the top of a recipe."]
    for room, kind in rooms.items():
        lines += ["", f"### {room}", "", "| short | key |", "|---|---|"]
        lines += [f"| `{short}` | `{key}` |" for short, key in kind.aliases.items()]
    return "\n".join(lines) + "\n"


def is_part(rooms: Mapping[str, type[Recipe]], name: str) -> bool:
    """Return whether a key is a part of the recipe of its own in some room."""
    return any(part_of(kind.model_fields[name]) for kind in rooms.values())


def command_page() -> str:
    """Return the page of all commands with their arguments and options."""
    lines = [
        "# Command",
        "",
        NOTE,
        "",
        "`seisloom --help`, and `--help` after any command, print the same. Expected errors are one line (what, where,",
        "how to mend) and exit code 2; `seisloom --debug COMMAND` shows the traceback. `seisloom --quiet COMMAND` says",
        "warnings and results only. Without a terminal, progress bars become a plain line every 10 s.",
    ]
    for path, command in commands(typer.main.get_command(app)):
        lines += ["", f"## seisloom {path}", "", plain(command.help), ""]
        lines += ["| | default | meaning |", "|---|---|---|"]
        for one in command.params:
            names = one.name.upper() if one.param_type_name == "argument" else "`, `".join(one.opts)
            default = one.default if isinstance(one.default, str | int | float | Path) and one.default != "" else None
            shown = "" if default in (None, False) else f"`{default}`"
            lines.append(f"| `{names}` | {'required' if one.required else shown} | {plain(getattr(one, 'help', ''))} |")
    return "\n".join(lines) + "\n"


def commands(group: Any, path: str = "") -> Iterator[tuple[str, Any]]:  # Any: typer's own click, which has no types
    """Yield each command that does something, with the words that call it."""
    for name, one in group.commands.items():
        words = f"{path} {name}".strip()
        if hasattr(one, "commands"):
            yield from commands(one, words)
        else:
            yield words, one


def part_of(one: FieldInfo) -> type[BaseModel] | None:
    """Return the config behind a key, if the key is a part of the recipe of its own."""
    found = one.annotation
    return found if isinstance(found, type) and issubclass(found, BaseModel) and not hasattr(found, "build") else None


def entries(group: str) -> Iterator[str]:
    """Yield a heading and a table for each entry of a group that comes with the package."""
    for name in plugins.names(group):
        kind: type[BaseModel] = plugins.load(group, name)
        if not kind.__module__.startswith("seisloom."):
            continue
        yield from (f"### {name}", "", sentence(kind), "")
        rows = table(kind, skip=["name"])
        yield from [*rows, ""] if len(rows) > 2 else ["No keys.", ""]


def table(kind: type[BaseModel], *, prefix: str = "", skip: list[str] | None = None) -> list[str]:
    """Return a row for each key of a config."""
    rows = ["| key | default | meaning |", "|---|---|---|"]
    for name, one in kind.model_fields.items():
        if name in (skip or []):
            continue
        rows.append(f"| `{prefix}{name}` | {default_of(one)} | {plain(one.description)}{limits(one)} |")
        inner = part_of(one)
        if prefix and inner is not None:
            rows += table(inner, prefix=f"{prefix}{name}.")[2:]
    return rows


def default_of(one: FieldInfo) -> str:
    """Return a default as YAML would have it."""
    if one.is_required():
        return "required"
    value = one.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "see below"
    return f"`{as_yaml(value)}`"


def as_yaml(value: Any) -> str:  # Any: plain values
    """Return a plain value in YAML's flow style."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(as_yaml(item) for item in value)}]"
    return str(value)


def limits(one: FieldInfo) -> str:
    """Return the bounds of a number in words."""
    signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
    said = [
        f"{sign} {getattr(mark, name):g}"
        for mark in one.metadata
        for name, sign in signs.items()
        if isinstance(getattr(mark, name, None), int | float)
    ]
    choices = re.findall(r"'([\w-]+)'", str(one.annotation)) if "Literal" in str(one.annotation) else []
    if choices:
        said.append("one of " + ", ".join(f"`{choice}`" for choice in choices))
    return f" ({', '.join(said)})" if said else ""


def sentence(kind: type) -> str:
    """Return the first paragraph of a docstring on one line."""
    return plain((inspect.getdoc(kind) or "").split("\n\n")[0])


def plain(text: str | None) -> str:
    """Return text on one line, safe in a table."""
    return " ".join((text or "").split()).replace("|", "\\|")


PAGES = {"recipe.md": recipe_page, "command.md": command_page}


def main() -> None:
    """Write the pages."""
    FOLDER.mkdir(exist_ok=True)
    for name, make in PAGES.items():
        (FOLDER / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
