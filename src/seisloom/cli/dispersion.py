"""Commands of the dispersion room."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seisloom.cli import screen
from seisloom.cli.values import picture_for, writing


def view_dispersion(
    source: Annotated[Path, typer.Argument(help="Record (.npz), folder of records, or recipe.")],
    out: Annotated[Path, typer.Option("--out", "--output", help="Picture to write.")],
    sample_id: Annotated[str | None, typer.Option(help="Id of a record of the folder, or how it begins.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Chooses a record of the folder, or which the recipe makes.")] = 0,
    dpi: Annotated[int, typer.Option(min=20, max=1200, help="Dots per inch of the picture.")] = 110,
    masks: Annotated[bool, typer.Option("--masks", help="Draw the masks of the modes beside it.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Open the picture too.")] = False,
) -> None:
    """Draw the spectrum of a record with the curves of its modes, what is known of them, and the array's limits."""
    from seisloom.tasks.dispersion.view import find_record, record_figure

    out = picture_for(out)
    name, arrays = find_record(source, sample_id=sample_id, seed=seed)
    figure = record_figure(arrays, title=name, masks=masks)
    with writing(out):
        figure.savefig(out, dpi=dpi)
    screen.say(f"drew record {name} in {out}")
    if show and typer.launch(str(out)) != 0:
        screen.say(f"no program here opens pictures; {out} is written")
