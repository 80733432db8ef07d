"""Event classes on the shared sets: networks beside a random forest, by event, over folds and seeds.

    python benchmarks/event_classes.py pnw --data FOLDER [--models rocket random_forest ...] [--folds 5] [--seeds 3]

`pnw`: earthquake against explosion; `noise`: noise against event, from the first 40 s of the unlabelled records;
`esec`: kinds of mass movements. Every event is scored by a model that saw none of its records: the events are dealt in
folds, each class spread over all of them. Within the training part each recipe is taken as it is, nothing is chosen on
what is scored. Probabilities of the folds are put together; numbers are means over seeds, with the 95 % interval over
events (bootstrap, all records of an event together) of the mean over seeds.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pandas as pd

from seisloom.bundle import Opened
from seisloom.metrics.class_events import Spread, difference_over_events, over_events
from seisloom.recipe import Recipe, read_recipe
from seisloom.run.calibrate import with_calibration
from seisloom.sample import Array
from seisloom.split import deal_class_folds
from seisloom.task import task_of
from seisloom.tasks.classification.evaluate import auc_of, events_in, f1_of, known_rows, labels_of, probabilities_of
from seisloom.training.fit import fit

SETS = {
    "pnw": (
        "data.paths=[{data}/classification/pnw]", "data.classes=[earthquake,explosion]", "data.pick_s=50",
        "data.channels=[Z]", "data.window_s=60", "data.before_s=10",
    ),
    "noise": (
        "data.paths=[{data}/classification/pnw_unlabelled]", "data.classes=[noise,event]", "data.label=null",
        "data.pick_s=50", "data.channels=[Z]", "data.noise_before_s=40", "data.window_s=36", "data.before_s=6",
    ),
    "esec": (
        "data.paths=[{data}/classification/esec]", "data.label=type", "data.classes={classes}", "data.channels=[Z]",
        "data.sampling_rate_hz=20", "data.window_s=160", "data.before_s=0", "data.pick_s=null",
    ),
}  # fmt: skip
NETWORKS = {
    "rocket": ("model.name=rocket", "train.epochs=2"),
    "multirocket": ("model.name=rocket", "model.kind=multi", "train.epochs=2"),
    "random_forest": ("model.name=random_forest", "train.epochs=1"),
    "cnn_spectrogram": ("model.name=cnn_spectrogram", "represent=[{name: stft}]", "train.epochs=30"),
    "cnn_waveform": ("model.name=cnn_waveform", "represent=[]", "train.epochs=30"),
    "lstm": ("model.name=lstm", "represent=[{name: fft}]", "train.epochs=30"),
    "lstm_attention": ("model.name=lstm_attention", "represent=[{name: fft}]", "train.epochs=30"),
}
SCORES = {"AUC": auc_of, "macro F1": f1_of}


def out_of_fold(recipe: Recipe, *, folds: int, seed: int) -> pd.DataFrame:
    """Return what models say of every window that saw none of its event."""
    task = task_of(recipe)
    recipe = task.complete(recipe.model_copy(update={"seed": seed}))
    refs = list(task.plan(recipe))
    parts = deal_class_folds(refs, folds, seed=seed, by=recipe.split.by)
    tables = []
    for number, held_out in enumerate(parts):
        valid = parts[(number + 1) % folds]
        own = {ref.key for ref in [*held_out, *valid]}
        train = [ref for ref in refs if ref.key not in own]
        if recipe.model.is_closed_form:
            train, valid_part = [*train, *valid], []
        else:
            valid_part = valid  # chooses the epoch
        folder = Path(mkdtemp())
        bundle = fit(
            task, recipe, folder / "b", parts={"train": train, "valid": valid_part, "calibrate": [], "test": []}
        )
        opened = Opened("it", task, recipe, bundle.predictor("cpu"), None, bundle)
        if valid_part:
            opened = with_calibration(opened, list(task.records(recipe, valid_part)))
        tables.append(task.apply(recipe, opened.predictor, opened.calibration, task.records(recipe, held_out)))
    return pd.concat(tables, ignore_index=True)


def spread(
    recipe: Any, tables: Sequence[pd.DataFrame], name: str, other: Sequence[pd.DataFrame] | None = None
) -> Spread:
    """Return a score's mean over seeds with its interval over events; of two methods, how much better the first is."""
    label, events = labels_of(recipe, tables[0]), events_in(tables[0])

    def mean_over(some: Sequence[pd.DataFrame]) -> Any:  # Any: a function of rows
        every = [probabilities_of(recipe, one) for one in some]
        return lambda rows: float(np.mean([SCORES[name](one[rows], label[rows]) for one in every]))

    rng = np.random.default_rng(0)
    if other is None:
        return over_events(mean_over(tables), events, rng=rng)
    return difference_over_events(mean_over(tables), mean_over(other), events, rng=rng)


def said(one: Spread) -> str:
    return f"{one.value:6.3f} ({one.lower:+.3f} to {one.upper:+.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=SETS)
    parser.add_argument("changes", nargs="*", help="of the recipe: key=value")
    parser.add_argument("--data", required=True, help="folder with classification/")
    parser.add_argument("--models", nargs="+", default=["random_forest", "rocket"], choices=NETWORKS)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--classes", default="", help="esec: mapping of classes to labels")
    options = parser.parse_args()
    logging.getLogger("seisloom").setLevel(logging.WARNING)
    found: dict[str, list[pd.DataFrame]] = {}
    recipe: Recipe | None = None
    keys: Array | None = None
    for name in options.models:
        given = [one.format(data=options.data, classes=options.classes) for one in SETS[options.set]]
        recipe = read_recipe("classification", [*given, *NETWORKS[name], *options.changes])
        tables = []
        for seed in range(options.seeds):
            table = known_rows(out_of_fold(recipe, folds=options.folds, seed=seed))
            tables.append(table.sort_values(["record", "is_noise"]).reset_index(drop=True))
            print(f"{name}, seed {seed}: " + ", ".join(
                f"{score} {SCORES[score](probabilities_of(recipe, tables[-1]), labels_of(recipe, tables[-1])):.3f}"
                for score in SCORES
            ), flush=True)  # fmt: skip
        keys = keys if keys is not None else tables[0]["record"].to_numpy()
        assert all(np.array_equal(keys, one["record"]) for one in tables), "methods answer other windows"
        found[name] = tables
    assert recipe is not None
    print(f"\n{options.set}: {len(keys)} windows of {len(set(events_in(tables[0])))} events, {options.folds} folds, "
          f"{options.seeds} seeds; 95 % intervals over events")  # fmt: skip
    print(f"{'':18s}" + "".join(f"{score:>28s}" for score in SCORES))
    first = next(iter(found))
    for name, tables in found.items():
        print(f"{name:18s}" + "".join(f"{said(spread(recipe, tables, score)):>28s}" for score in SCORES))
    for name, tables in list(found.items())[1:]:
        row = "".join(f"{said(spread(recipe, tables, score, found[first])):>28s}" for score in SCORES)
        print(f"{name + ' - ' + first:18s}\n{'':18s}{row}")


if __name__ == "__main__":
    main()
