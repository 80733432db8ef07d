"""Networks that never saw a style of faulting, tested on that style: what they learnt beyond their generator.

    python benchmarks/cross_generator.py --out runs/cross
    python benchmarks/cross_generator.py --bundle curved=runs/faults:views=4 --styles curved
    python benchmarks/cross_generator.py train.threads=4 'data.synth.shape=[1,256,256]' --steps 10000

For each style the 2-D network (recipe `interpretation` with relative time) is trained on the other two and tested on
sections of the style that is left out. A row has the mean over sections and its 95 % interval, by resampling sections.
F1: thinned prediction at the bundle's threshold against labels one voxel thick, within 2 voxels. Normal: median over
the true fault voxels of a section of the angle between planes. RGT: distance of horizons in samples, 3 voxels and more
from faults as the room's evaluation has it. SSIM, gain: of the clean image, PSNR over that of the input.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from methods import opened
from seisloom.bundle import Opened
from seisloom.physics.volumes.box import make_box
from seisloom.physics.volumes.draw import draw_volume
from seisloom.physics.volumes.priors import Style, VolumePriors
from seisloom.recipe import Recipe, read_values, recipe_from, with_changes
from seisloom.run.train import train
from seisloom.sample import Array
from seisloom.tasks.interpretation.records import VolumeRecord, record_of

STYLES: tuple[Style, ...] = get_args(Style)
UNSEEN = 20_000_000
"""Number of the first tested section; trainings count from 0."""
N_RESAMPLES = 2000
WIDE = 26
TARGETS: Mapping[str, tuple[tuple[str, ...], str, float]] = {
    "F1 @2": (("fault", "tolerant", "f1", "2"), ">=", 0.80),
    "normal deg": (("angle", "true", "normal_median"), "<=", 8.0),
    "RGT samples": (("rgt", "horizons", "away", "mean"), "<=", 1.5),
    "DHR SSIM": (("dhr", "ssim"), ">=", 0.85),
    "gain dB": (("dhr", "psnr_gain_db"), ">=", 4.0),
}
"""Where a score stands in those of a section, and its target."""


def recipe_without(style: Style, steps: int, changes: Sequence[str]) -> Recipe:
    """Return the recipe of a network that never sees a style, for about so many steps of training."""
    others = [one for one in STYLES if one != style]
    values = with_changes(
        read_values("interpretation"),
        ["model.rgt=true", f"data.synth.priors.styles=[{','.join(others)}]", "split.test=0", *changes],
    )
    recipe = recipe_from(values)
    settled = type(recipe).settle(values)  # puts in the loss of relative time
    config = recipe.train
    share = 1 - recipe.split.valid - recipe.split.calibrate
    epochs = min(config.epochs, steps)
    n = max(math.ceil(steps * config.batch_size / epochs / share), 24)  # some for each part of the split
    return recipe_from(settled, [f"train.epochs={epochs}", f"data.synth.n={n}"])


def unseen(style: Style, priors: VolumePriors, n: int, shape: tuple[int, int, int]) -> list[VolumeRecord]:
    """Return volumes of a style with their truth, otherwise from these priors, that no training has seen."""
    priors = priors.model_copy(update={"styles": (style,), "style_weights": None})
    records = []
    for k in range(n):
        arrays = dict(make_box(draw_volume(shape, UNSEEN + k, priors)))
        records.append(replace(record_of(f"{style}/{k}", arrays.pop("seismic")), truth=arrays))
    return records


def scores_of(method: Opened, records: Sequence[VolumeRecord]) -> dict[str, Array]:
    """Return each score by section, NaN where the network does not give it."""
    products = method.task.apply(method.recipe, method.predictor, method.calibration, records)
    found = method.task.evaluate(method.recipe, {"it": products}, [])["scores"]["it"]["volumes"].values()
    return {name: np.array([_at(one, path) for one in found]) for name, (path, *_) in TARGETS.items()}


def _at(scores: Any, path: Sequence[str]) -> float:  # Any: JSON values
    for key in path:
        scores = scores.get(key) if scores is not None else None
    return math.nan if scores is None else float(scores)


def interval(values: Array) -> tuple[float, float, float]:
    """Return the mean and its 95 % interval, by drawing sections anew with replacement."""
    known = values[np.isfinite(values)]
    if not known.size:
        return math.nan, math.nan, math.nan
    drawn = np.random.default_rng(0).integers(0, known.size, (N_RESAMPLES, known.size))
    low, high = np.quantile(known[drawn].mean(axis=1), [0.025, 0.975])
    return float(known.mean()), float(low), float(high)


def cell(values: Array, sense: str, target: float) -> str:
    mean, low, high = interval(values)
    if math.isnan(mean):
        return "-"
    reached = mean >= target if sense == ">=" else mean <= target
    return f"{mean:.2f} ({low:.2f} to {high:.2f}){'' if reached else ' *'}"


def heading(first: str, width: int) -> str:
    """Return the two lines above a table of scores, whose first column is so wide: names and targets."""
    names = "".join(f"{name:>{WIDE}s}" for name in TARGETS)
    goals = "".join(f"{sense + f' {goal:g}':>{WIDE}s}" for _, sense, goal in TARGETS.values())
    return f"{first:{width}s}{names}\n{'target':{width}s}{goals}"


def row(scores: Mapping[str, Array]) -> str:
    return "".join(f"{cell(scores[name], sense, goal):>{WIDE}s}" for name, (_, sense, goal) in TARGETS.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("changes", nargs="*", help="of the recipe: key=value")
    parser.add_argument("--out", type=Path, default=Path("runs/cross"), help="folder for a bundle of each style")
    parser.add_argument("--steps", type=int, default=4650, help="of each training; 4650 is the recipe's own length")
    parser.add_argument("--styles", nargs="+", choices=STYLES, default=STYLES, help="that are left out, each in turn")
    parser.add_argument("--bundle", action="append", default=[], help="STYLE=DIR: tested, not trained; repeated")
    parser.add_argument("--sections", type=int, default=40, help="tested of each style")
    parser.add_argument("--shape", type=int, nargs=2, default=(192, 192), help="their traces and samples")
    options = parser.parse_args()
    given = dict(one.split("=", 1) for one in options.bundle)
    print(heading("never seen", 12))
    for style in options.styles:
        if style not in given:
            folder = options.out / f"without-{style}"
            train(recipe_without(style, options.steps, options.changes), folder, force=True)
        method = opened(given.get(style, str(options.out / f"without-{style}")))
        sections = unseen(style, method.recipe.data.synth.priors, options.sections, (1, *options.shape))
        scores = scores_of(method, sections)
        note = " (it trained on this style)" if style in method.recipe.data.synth.priors.styles else ""
        print(f"{style:12s}{row(scores)}{note}", flush=True)
    print(f"* below target. Means of {options.sections} sections; 95 % intervals")


if __name__ == "__main__":
    main()
