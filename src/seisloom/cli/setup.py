"""`seisloom setup`: guided questions, a recipe, the command that it makes, and, once confirmed, the run."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from seisloom.cli import screen
from seisloom.cli.values import writing
from seisloom.errors import MissingDataError, OutputError, RecipeError, SeisloomError

if TYPE_CHECKING:
    from seisloom.draft import Draft
    from seisloom.questions import Question

LETTERS = r"""
 ____  _____ ___ ____  _     ___   ___  __  __
/ ___|| ____|_ _/ ___|| |   / _ \ / _ \|  \/  |
\___ \|  _|  | |\___ \| |  | | | | | | | |\/| |
 ___) | |___ | | ___) | |__| |_| | |_| | |  | |
|____/|_____|___|____/|_____\___/ \___/|_|  |_|
_____________/\    /\  /\_/\_/\__/\____________
               \  /  \/
                \/
""".strip("\n").splitlines()
COLOURS = ("#d73027", "#fc8d59", "#fee090", "#e0f3f8", "#91bfdb", "#4575b4", "#4575b4", "#4575b4")
"""From red to blue by way of pale: the diverging colours that seismic sections are drawn in (ColorBrewer RdYlBu)."""
OTHER = "another value"
INNER = 2
"""Blanks before what is said of a question."""


def setup(
    context: typer.Context,
    room: Annotated[
        str | None, typer.Argument(help="Room, packaged recipe, or recipe file to begin from; asked for by default.")
    ] = None,
    changes: Annotated[
        list[str] | None, typer.Argument(help="Answers ahead: key=value, such as train.epochs=3. They are not asked.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Recipe to write; ROOM.yaml by default.")] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Take every default, and write the recipe without running it.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file.")] = False,
) -> None:
    """Set up a training by questions: a recipe, the command, and, once confirmed, the run. Needs a terminal."""
    if room is not None and "=" in room:
        changes, room = [room, *(changes or [])], None
    if not yes and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise RecipeError(
            f"setup asks questions, and there is no terminal to answer on. Write a recipe to change with: seisloom "
            f"recipe new {room or 'ROOM'}; or take every default: seisloom setup {room or 'ROOM'} --yes"
        )
    try:
        run = _dialogue(room, changes or [], out, yes=yes, force=force)
    except (KeyboardInterrupt, EOFError):
        sys.stderr.write("stopped: nothing was written\n")
        raise typer.Exit(130) from None
    if run is None:
        return
    from seisloom.cli.use import train

    recipe, folder = run
    train(context, recipe=str(recipe), out=folder)


def _dialogue(
    room: str | None, changes: list[str], out: Path | None, *, yes: bool, force: bool
) -> tuple[Path, Path] | None:
    """Ask, show and write; return the recipe and the folder to train into, or None where it is not to run now."""
    from seisloom.draft import begin

    banner()
    if room is None:
        room = "picking" if yes else _ask_room()
    target = out or Path(f"{Path(room).stem}.yaml")
    if target.exists() and not force:
        raise OutputError(f"{target}: is there already. Choose another --out, or replace it with --force")
    draft = begin(room)
    for change in changes:
        draft = draft.with_change(change)
    done = {change.partition("=")[0] for change in changes}
    done |= {type(draft.recipe).aliases.get(key, key) for key in done}
    draft = _by_default(draft, done) if yes else _ask_all(draft, done)
    folder = Path(f"runs/{target.stem}")
    if not yes:
        folder = Path(_ask_folder(folder))
    command = shlex.join(["seisloom", "train", str(target), "--out", str(folder)])
    _show(draft, target, command)
    is_run = not yes and _confirm("Write the recipe and start this run now?")
    _write(draft, target)
    screen.say(f"wrote {target}")
    if not is_run:
        screen.say(f"run it later: {command}")
    return (target, folder) if is_run else None


def banner() -> None:
    """Show the name, in colours where there are any, and as plain words where the screen is narrow."""
    console = screen.out
    if console.width < max(map(len, LETTERS)) + 2 or not console.is_terminal:
        screen.say("seisloom: guided set-up")
        return
    for line, colour in zip(LETTERS, COLOURS, strict=True):
        console.print(Text(line, style=f"bold {colour}"))
    console.print(
        Text("Guided set-up. Enter takes what stands in [brackets]; ? asks again; Ctrl-C stops, and writes nothing.\n")
    )


# --- questions


def _ask_room() -> str:
    """Ask for the room, and where several packaged recipes are of it, for the one to begin from."""
    from seisloom.questions import loaded
    from seisloom.recipe import packaged_recipes, read_values

    rooms = {name: room.summary for name, room in loaded("tasks").items()}
    _explain("What is to be learnt?", "\n".join(f"{name}: {summary}" for name, summary in rooms.items()))
    room = _select("room", list(rooms), "picking" if "picking" in rooms else next(iter(rooms)))
    known = [name for name in packaged_recipes() if read_values(name)["task"] == room]
    if len(known) < 2:
        return room
    said = "\n".join(f"{name}: {_first_comment(name)}" for name in known)
    _explain("Which packaged recipe is nearest to it?", said)
    return _select("begin from", known, room if room in known else known[0])


def _first_comment(name: str) -> str:
    """Return the first line of a packaged recipe, which says what it is for."""
    from seisloom.recipe import packaged_recipe

    first = packaged_recipe(name).read_text(encoding="utf-8").splitlines()[0]
    return first.lstrip("# ") if first.startswith("#") else ""


def _by_default(draft: Draft, done: set[str]) -> Draft:
    """Return the draft with every default taken; refuse where something has none."""
    from seisloom.questions import answered, question

    for path in type(draft.recipe).questions:
        asked = None if path in done else question(draft, path)
        if asked is not None and asked.is_needed:
            raise RecipeError(f"{path}: has no default. {asked.help} Add one: {path}={asked.choices[0]}")
        draft = draft if asked is None else answered(draft, path, "")
    return draft


def _ask_all(draft: Draft, done: set[str]) -> Draft:
    """Ask for each key of the room's list, and then for any other."""
    from seisloom.draft import reason
    from seisloom.questions import answered, question

    for path in type(draft.recipe).questions:
        asked = None if path in done else question(draft, path)
        if asked is not None:
            draft = answered(draft, path, _ask(asked))
    _explain(
        "Change another key?",
        f"All others stay as {draft.name} has them; `seisloom recipe show {draft.name}` prints them. Type key=value, "
        "such as train.patience=5; empty goes on.",
    )
    while change := _text("key=value"):
        try:
            draft = draft.with_change(change)
        except SeisloomError as error:
            _indented(reason(error), "bold red")
    return draft


def _ask(asked: Question) -> str:
    """Return a right answer: a wrong one is asked again, with the reason."""
    from seisloom.draft import NOTHING, YES_NO

    _explain(asked.text, asked.help)
    while True:
        if asked.choices == YES_NO:
            answer = YES_NO[0] if _confirm(asked.path, is_yes=asked.default == YES_NO[0]) else YES_NO[1]
        elif asked.choices:
            others = [OTHER] if asked.is_open else []
            answer = _select(asked.path, [*asked.choices, *others], asked.default)
            answer = _text(asked.path) if answer == OTHER else answer
        else:
            answer = _text(asked.path, "" if asked.default == NOTHING else asked.default)
        if answer == "?":
            _explain(asked.text, asked.help)
            continue
        wrong = asked.check(answer)
        if not wrong:
            if asked.is_path:
                _remark(answer or asked.default, asked.stand_in)
            return answer
        _indented(wrong, "bold red")


def _remark(answer: str, stand_in: tuple[str, str] = ("", "")) -> None:
    """Say of a path that is not there; it may be on another machine, so that it is no mistake.

    Args:
        answer: the path.
        stand_in: variable that need not be set, and what happens without it.
    """
    from seisloom.draft import NOTHING
    from seisloom.recipe import expand
    from seisloom.recipe.paths import shipped

    if answer in ("", NOTHING):
        return
    try:
        is_there = expand(answer).exists() or (shipped() / answer).is_dir()
        missing = "" if is_there else f"{answer}: is not on this machine"
    except MissingDataError as error:
        missing, (variable, instead) = str(error), stand_in
        if variable and variable in answer and not os.environ.get(variable):
            _indented(f"{variable} is not set: {instead}", "yellow")
            return
    if missing:
        _indented(f"the run will need it: {missing}", "yellow")


def _ask_folder(folder: Path) -> str:
    _explain(
        "Folder that the model, its curves and its evaluation are written to.",
        "A run of the same recipe that was interrupted there is gone on with from its last checkpoint, also when only "
        "train.epochs grew.",
    )
    return _text("folder", str(folder)) or str(folder)


# --- the screen


def _explain(text: str, said: str) -> None:
    """Show what a question is about: its sentence, and below what else there is to know."""
    screen.out.print()
    screen.out.print(Text(text, style="bold cyan"))
    if said:
        _indented(said, "dim")


def _indented(said: str, style: str) -> None:
    from rich.padding import Padding

    screen.out.print(Padding(Text(said, style=style), (0, 0, 0, INNER), expand=False))


def _show(draft: Draft, target: Path, command: str) -> None:
    """Show what differs from the recipe that it began from, and the command."""
    from seisloom.draft import differences

    screen.say("")
    rows = [{"key": key, draft.name: was, "now": now} for key, was, now in differences(draft)]
    if rows:
        screen.table(rows, title=f"What differs from {draft.name}")
    else:
        screen.say(f"Everything stays as {draft.name} has it.")
    screen.say(f"recipe:  {target}\ncommand: {command}")


def _write(draft: Draft, target: Path) -> None:
    from seisloom.draft import to_yaml

    head = f"# Set up from {draft.name}: `seisloom recipe show {target}` prints every key, with its default.\n"
    with writing(target):
        target.write_text(head + to_yaml(draft), encoding="utf-8")


def _text(what: str, default: str = "") -> str:
    import questionary

    shown = f"{what} [{default}]:" if default else f"{what}:"
    return str(questionary.text(shown, qmark="?", **_look()).unsafe_ask()).strip()


def _confirm(what: str, *, is_yes: bool = True) -> bool:
    import questionary

    return bool(questionary.confirm(what, default=is_yes, qmark="?", **_look()).unsafe_ask())


def _select(what: str, choices: list[str], default: str) -> str:
    import questionary

    chosen = questionary.select(
        f"{what}:", choices, default=default if default in choices else None, qmark="?", use_shortcuts=True,
        instruction="(arrows or a number)", **_look(),
    )  # fmt: skip
    return str(chosen.unsafe_ask())


def _look() -> dict[str, Any]:  # Any: questionary hands them on to prompt_toolkit
    """Return colours; none where the screen has none."""
    from questionary import Style

    style = Style([("qmark", "fg:ansired bold"), ("question", "bold"), ("answer", "fg:ansiblue bold")])
    # prompt_toolkit's name for black and white; it does not heed NO_COLOR by itself
    return {"style": style, **({"color_depth": "DEPTH_1_BIT"} if screen.out.no_color else {})}
