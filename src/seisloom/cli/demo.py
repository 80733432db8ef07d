"""`seisloom demo`: the whole flow on a small example."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from seisloom.cli import screen
from seisloom.cli.values import writing
from seisloom.errors import PluginError


def demo(
    room: Annotated[str, typer.Argument(help="Room; picking is the main job.")] = "picking",
    out: Annotated[Path, typer.Option(help="Folder for everything it makes; a former demo there is replaced.")] = Path(
        "demo"
    ),
    synthetic: Annotated[bool, typer.Option("--synthetic", help="Do not fetch real records.")] = False,
    epochs: Annotated[int, typer.Option(help="Epochs of the fine-tuning.")] = 12,
) -> None:
    """Real records in, picks with intervals out: fine-tune, calibrate, evaluate on unseen shots, draw."""
    if room != "picking":
        raise PluginError(f"no demo of {room!r}; there is one of picking")
    from seisloom.cli.use import show_report
    from seisloom.demos.picking import run_demo

    # An empty XDG_CACHE_HOME is as good as none, says the XDG Base Directory Specification
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "seisloom"
    with writing(out):
        made = run_demo(out, cache=cache, synthetic=synthetic, epochs=epochs)
    for note in made.notes:
        screen.say(note)
    show_report(made.report)
    screen.say(f"wrote {made.picks}")
    for path in made.files:
        screen.say(f"wrote {path}")
    screen.say(f"bundle: {out / 'bundle'}; pick your own: seisloom apply {out / 'bundle'} RECORD --out picks.csv")
