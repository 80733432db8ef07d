"""A gather with half of its traces hidden, filled by the network that ships, by classical methods, and by the gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seisloom.augment.augmentation import generator
from seisloom.bundle import open_predictor
from seisloom.demos.folder import clear
from seisloom.errors import DataError
from seisloom.metrics.restoration import missing_snr_db
from seisloom.physics.gathers.make import make_gather
from seisloom.physics.gathers.priors import GatherPriors
from seisloom.run.evaluate import evaluate, products_of
from seisloom.tasks.restoration.apply import Restored
from seisloom.tasks.restoration.records import Panel, hidden, panel_of

SHIPPED = "restoration-prestack"
CLASSICAL = ("gate", "linear", "pocs", "mssa", "plane_wave")
SHOWN = ("linear", "pocs")
"""Of these, in the picture."""
HIDDEN = "irregular 50"
FIELD = Path("restoration") / "viking_small.segy"
"""Shots of the Mobil AVO Viking Graben line (SEG open data)."""
SHAPE = (96, 512)
INDEX = 3
"""Number of the made gather: a marine shot."""


@dataclass(frozen=True, slots=True)
class RestorationDemo:
    """What the demo made."""

    report: dict[str, Any]  # Any: JSON values
    files: tuple[Path, ...]
    notes: tuple[str, ...]


def run_restoration_demo(
    out: Path, *, data: Path | None, synthetic: bool = False, bundle: str = SHIPPED
) -> RestorationDemo:
    """Hide half of a gather's traces, fill them by several methods, and score them against what was hidden.

    Args:
        out: folder for scores, pictures and the page; what a former demo left there is replaced.
        data: folder with `restoration/viking_small.segy`, whose first shot is taken; None, or one without it, makes a
            gather.
        synthetic: make a gather where there is a recorded one, too.
        bundle: of the network.
    Raises:
        OutputError: if the folder holds something that no demo has made, or cannot be written.
    """
    clear(out)
    opened = open_predictor(bundle).with_changes("goal=fill")
    field = None if data is None or synthetic else data / FIELD
    if field is not None and field.is_file():
        panel = next(iter(opened.task.open(opened.recipe, field, None)))
        notes = [f"{panel.name} of the Mobil AVO Viking Graben line (SEG open data), which no network has seen"]
    else:
        panel, notes = _made(opened.recipe), ["a made gather; with SEISLOOM_DATA, a recorded one"]
    asked = hidden(panel, HIDDEN, generator("demo", HIDDEN), name=panel.name)
    methods = [opened, *(open_predictor(name, recipe=opened.recipe) for name in CLASSICAL)]
    products = products_of(methods, [asked])
    report, files = evaluate(methods, [asked], out, products=products)
    drawn = _draw(asked, {name: products[name][0] for name in (*SHOWN, opened.name, "gate")}, out / "gather.png")
    return RestorationDemo(report, (drawn, *files), tuple(notes))


def _draw(asked: Panel, restored: Mapping[str, Restored], path: Path) -> Path:
    """Draw the gather as it was given, and what some methods made of it."""
    from seisloom.figures.restoration import Line, draw_methods

    assert asked.truth is not None
    assert asked.is_known is not None
    live, truth, known = asked.is_live[0], asked.truth[0], asked.is_known[0]
    line = Line(asked.values[0], asked.values[0], live, truth=truth, is_known=known, fs_hz=asked.fs_hz)
    shown = {"given": asked.values[0]} | {name: one.values[0] for name, one in restored.items()}
    scores = {name: missing_snr_db(one, truth, live) for name, one in shown.items()}
    labels = {name: f"{score:.1f} dB" for name, score in scores.items()}
    title = f"{asked.name}: {(~live).sum()} of {live.size} traces hidden, SNR on these"
    draw_methods(line, shown, labels=labels, title=title).savefig(path, dpi=100)
    return path


def _made(recipe: Any) -> Panel:  # Any: a RestorationRecipe
    """Return a made gather as a panel."""
    made = make_gather(GatherPriors(kinds=("marine_shot",)), SHAPE, seed=1, index=INDEX)
    panel = panel_of("made gather", made.traces[None], recipe.apply, fs_hz=made.fs_hz, offset_m=made.offset_m[None])
    if not panel.is_live.all():
        raise DataError("the made gather has dead traces")
    return panel
