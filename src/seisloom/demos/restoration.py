"""A gather with half of its traces hidden, filled by the network that ships, by classical methods, and by the gate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seisloom.augment.augmentation import generator
from seisloom.bundle import open_predictor
from seisloom.demos.folder import clear
from seisloom.errors import DataError
from seisloom.physics.gathers.make import make_gather
from seisloom.physics.gathers.priors import GatherPriors
from seisloom.run.evaluate import evaluate
from seisloom.tasks.restoration.records import Panel, hidden, panel_of

SHIPPED = "restoration-prestack"
CLASSICAL = ("gate", "linear", "pocs", "mssa", "plane_wave")
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
    np.save(out / "given.npy", asked.values[0])
    methods = [opened, *(open_predictor(name, recipe=opened.recipe) for name in CLASSICAL)]
    report, files = evaluate(methods, [asked], out)
    return RestorationDemo(report, (out / "given.npy", *files), tuple(notes))


def _made(recipe: Any) -> Panel:  # Any: a RestorationRecipe
    """Return a made gather as a panel."""
    made = make_gather(GatherPriors(kinds=("marine_shot",)), SHAPE, seed=1, index=INDEX)
    panel = panel_of("made gather", made.traces[None], recipe.apply, fs_hz=made.fs_hz, offset_m=made.offset_m[None])
    if not panel.is_live.all():
        raise DataError("the made gather has dead traces")
    return panel
