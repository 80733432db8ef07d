"""`seisloom demo`: the whole flow on a small example."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from seisloom.cli import screen
from seisloom.cli.values import writing
from seisloom.errors import PluginError


def demo(
    room: Annotated[
        str,
        typer.Argument(help="Room: picking, the main job, interpretation, classification, dispersion or restoration."),
    ] = "picking",
    out: Annotated[Path, typer.Option(help="Folder for everything it makes; a former demo there is replaced.")] = Path(
        "demo"
    ),
    synthetic: Annotated[bool, typer.Option("--synthetic", help="Do not take real records.")] = False,
    epochs: Annotated[
        int | None, typer.Option(help="Epochs of the training; 12 of picking, 20 of classification.")
    ] = None,
) -> None:
    """Picking: real records in, picks with intervals out: fine-tune, calibrate, evaluate on unseen shots, draw.

    Interpretation: sections and a cube through the network that ships, with scores: no training.

    Classification: noise against event on real records, or synthetic earthquakes, explosions and noise: a small network
    beside a rocket and a random forest.

    Dispersion: spectra with known modes, and a field gather, through the network that ships; curves, and Vs from them.

    Restoration: a gather with half of its traces hidden, filled by the network that ships and by classical methods.
    """
    if room not in ROOMS:
        raise PluginError(f"no demo of {room!r}; there are {', '.join(ROOMS)}")
    with writing(out):
        ROOMS[room](out, synthetic, epochs)


def _picking(out: Path, synthetic: bool, epochs: int | None) -> None:
    from seisloom.cli.use import show_report
    from seisloom.demos.picking import run_demo

    # An empty XDG_CACHE_HOME is as good as none, says the XDG Base Directory Specification
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "seisloom"
    made = run_demo(out, cache=cache, synthetic=synthetic, epochs=epochs or 12)
    for note in made.notes:
        screen.say(note)
    show_report(made.report)
    screen.say(f"wrote {made.picks}")
    for path in made.files:
        screen.say(f"wrote {path}")
    screen.say(f"bundle: {out / 'bundle'}; pick your own: seisloom apply {out / 'bundle'} RECORD --out picks.csv")


def _interpretation(out: Path, synthetic: bool, epochs: int | None) -> None:
    from seisloom.cli.use import show_report
    from seisloom.demos.interpretation import SHIPPED, run_volume_demo

    made = run_volume_demo(out, data=Path(os.environ.get("SEISLOOM_DATA") or "../shared/data"), synthetic=synthetic)
    for note in made.notes:
        screen.say(note)
    show_report(made.report)
    for path in made.files:
        screen.say(f"wrote {path}")
    screen.say(f"your own: seisloom apply {SHIPPED} SURVEY --out result.zarr; then seisloom view volume, faults sticks")


def _classification(out: Path, synthetic: bool, epochs: int | None) -> None:
    from seisloom.cli.use import show_report
    from seisloom.demos.classification import run_class_demo

    data = os.environ.get("SEISLOOM_DATA")
    made = run_class_demo(out, data=Path(data) if data else None, synthetic=synthetic, epochs=epochs or 20)
    for note in made.notes:
        screen.say(note)
    show_report(made.report)
    for path in made.files:
        screen.say(f"wrote {path}")
    screen.say(f"your own records: seisloom apply {out / 'bundle'} RECORD.mseed --out classes.csv")
    screen.say(f"your own classes: seisloom train {made.recipe} 'data.paths=[FOLDER]' --out runs/mine")


def _dispersion(out: Path, synthetic: bool, epochs: int | None) -> None:
    from seisloom.cli.use import show_report
    from seisloom.demos.dispersion import SHIPPED, run_curve_demo

    made = run_curve_demo(out, data=Path(os.environ.get("SEISLOOM_DATA") or "../shared/data"), synthetic=synthetic)
    for note in made.notes:
        screen.say(note)
    show_report(made.report)
    for path in made.files:
        screen.say(f"wrote {path}")
    screen.say(
        f"your own: seisloom apply {SHIPPED} SHOT --dx 2 --first-offset 10 --out curves.csv; then seisloom invert"
    )


def _restoration(out: Path, synthetic: bool, epochs: int | None) -> None:
    from seisloom.cli.use import show_report
    from seisloom.demos.restoration import SHIPPED, run_restoration_demo

    data = Path(os.environ.get("SEISLOOM_DATA") or "../shared/data")
    made = run_restoration_demo(out, data=data, synthetic=synthetic)
    for note in made.notes:
        screen.say(note)
    show_report(made.report)
    for path in made.files:
        screen.say(f"wrote {path}")
    screen.say(f"your own: seisloom apply {SHIPPED} SHOTS.sgy --out restored.sgy; the surest: seisloom apply gate")


ROOMS: Mapping[str, Callable[[Path, bool, int | None], None]] = {
    "picking": _picking,
    "interpretation": _interpretation,
    "classification": _classification,
    "dispersion": _dispersion,
    "restoration": _restoration,
}
