"""Make a shipped bundle of a trained one: weights as float16, then calibrated and scored anew with what they became.

    python tools/ship_bundle.py runs/onset-refraction src/seisloom/weights/onset-refraction
    python tools/ship_bundle.py runs/interpretation-sections src/seisloom/weights/interpretation-sections

Needs the data that it was trained on, as its recipe names them; synthetic ones are made anew. Paths of one machine do
not go along.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
from pathlib import Path

import numpy as np
from safetensors.torch import load_file, save_file

from seisloom.bundle import CALIBRATED, SEEN, WEIGHTS, Bundle, Opened, shipped_bundles, write_hashes
from seisloom.card import write_card
from seisloom.io.shards import write_json
from seisloom.recipe import Json
from seisloom.recipe.paths import change_paths
from seisloom.run.calibrate import with_calibration
from seisloom.run.evaluate import evaluate
from seisloom.run.train import calibrated_methods
from seisloom.seal import seal
from seisloom.split import split
from seisloom.training.loader import LiveSource

MOST_NAMES = 50_000
KEPT = ("split.json", "history.csv", "loss_plot.png", SEEN)


def main() -> None:
    """Write the bundle, and say how large it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trained", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--most", type=int, help="score so many records of the test part")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    trained = Bundle.open(given.trained)
    shutil.rmtree(given.out, ignore_errors=True)
    given.out.mkdir(parents=True)
    for name in KEPT:
        shutil.copyfile(trained.path / name, given.out / name)
    state = load_file(trained.path / WEIGHTS)
    save_file(
        {name: one.half() if one.is_floating_point() else one for name, one in state.items()}, given.out / WEIGHTS
    )
    (given.out / WEIGHTS).chmod(0o644)
    seal(given.out, [WEIGHTS])
    shipped = trained.recipe
    said: dict[str, Json] = json.loads(shipped.model_dump_json())
    change_paths(type(shipped), said, _portable)
    shipped = type(shipped).model_validate(said)
    if shipped.train.init_from and shipped.train.init_from not in shipped_bundles():
        shipped = shipped.model_copy(update={"train": shipped.train.model_copy(update={"init_from": None})})
    (given.out / "recipe.yaml").write_text(shipped.to_yaml(), encoding="utf-8")

    rounded = Bundle.open(given.out)
    task, recipe = trained.task, trained.recipe  # with this machine's folder, to read the records
    parts = split(LiveSource(task, recipe).refs, seed=recipe.seed, config=recipe.split)
    held = list(task.records(recipe, parts["calibrate"]))
    opened = Opened(given.out.name, task, recipe, rounded.predictor(), None)
    calibrated = with_calibration(opened, held)
    assert calibrated.calibration is not None
    write_json(given.out / "calibration.json", calibrated.calibration.to_json())
    write_hashes(given.out / CALIBRATED, np.concatenate([record.content for record in held]))
    classics = calibrated_methods(task, recipe, held)
    test = list(task.records(recipe, parts["test"][: given.most]))
    report, files = evaluate([calibrated, *classics], test, given.out, references=held)
    for file in files:
        if file.name != "metrics.json":
            file.unlink()
    for folder in given.out.glob("evaluate_*"):
        folder.rmdir()
    write_card(Bundle.open(given.out), report)
    _shorten(given.out / "split.json")
    size = sum(file.stat().st_size for file in given.out.iterdir())
    logging.info("%s: %.2f MB; %s", given.out, size / 1e6, calibrated.calibration.note)


def _shorten(split_file: Path) -> None:
    """Leave out the names of a part of very many groups: all that no other part has are in it."""
    stored = json.loads(split_file.read_text(encoding="utf-8"))
    for part, names in list(stored["groups"].items()):
        if len(names) > MOST_NAMES:
            del stored["groups"][part]
            stored["others"] = {"part": part, "n": len(names)}
    write_json(split_file, stored)


def _portable(path: Json) -> Json:
    """Return a path without what is this machine's own.

    The shared data are named by their variable, and a file by its folder's name and its own. None stands for a folder
    that was only made for the training.
    """
    if not isinstance(path, str) or not Path(path).is_absolute():
        return path  # a variable, or the name of a shipped bundle
    shared, place = os.environ.get("SEISLOOM_DATA"), Path(path)
    if shared and place.is_relative_to(shared):
        return f"${{SEISLOOM_DATA}}/{place.relative_to(shared)}"
    return f"{place.parent.name}/{place.name}" if place.suffix else None


if __name__ == "__main__":
    main()
