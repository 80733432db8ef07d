"""`seisloom recipe`: begin, check, show and describe recipes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seisloom.cli import screen
from seisloom.cli.values import writing
from seisloom.errors import OutputError

app = typer.Typer(no_args_is_help=True, help="Begin, check and show recipes.")
Changes = Annotated[list[str] | None, typer.Argument(help="Changes: key=value, such as train.epochs=3.")]


@app.command()
def new(
    room: Annotated[str, typer.Argument(help="Packaged recipe to begin from, such as picking.")],
    out: Annotated[Path | None, typer.Option(help="File to write; ROOM.yaml by default.")] = None,
    force: Annotated[bool, typer.Option(help="Replace a file.")] = False,
) -> None:
    """Write a commented recipe to change."""
    from seisloom.recipe import packaged_recipe, packaged_recipes, read_recipe

    file = packaged_recipe(room)
    if not file.is_file():
        read_recipe(room)  # raises, and lists what there is
    target = out or Path(f"{room}.yaml")
    if target.exists() and not force:
        raise OutputError(f"{target}: is there already. Choose another --out, or replace it with --force")
    with writing(target):
        target.write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    screen.say(f"wrote {target}; packaged recipes: {', '.join(packaged_recipes())}")


@app.command()
def check(recipe: Annotated[Path, typer.Argument(help="Recipe.")], changes: Changes = None) -> None:
    """Say whether a recipe is right, or all that is wrong with it."""
    from seisloom.recipe import read_recipe

    found = read_recipe(recipe, changes or [])
    screen.say(f"{recipe}: a right recipe for {found.task} with model {found.model.name}")


@app.command()
def show(recipe: Annotated[Path, typer.Argument(help="Recipe.")], changes: Changes = None) -> None:
    """Print a recipe with every default written out."""
    from seisloom.recipe import read_recipe

    screen.say(read_recipe(recipe, changes or []).to_yaml().rstrip())


@app.command()
def schema(room: Annotated[str, typer.Argument(help="Room, such as picking.")]) -> None:
    """Print the JSON schema of a room's recipe, for editors and programs."""
    from seisloom import plugins

    screen.say_json(plugins.load("tasks", room).recipe.model_json_schema())
