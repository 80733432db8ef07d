"""The main job on two real lines in a few minutes: fetch, fine-tune, calibrate, pick shots that nothing has seen."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from seisloom.bundle import Bundle, open_predictor, shipped_bundles
from seisloom.demos.fetch import fetch_package
from seisloom.demos.folder import clear
from seisloom.errors import DataError, MissingDataError
from seisloom.physics.survey import SurveyConfig
from seisloom.recipe import read_recipe
from seisloom.run.calibrate import with_calibration
from seisloom.run.evaluate import evaluate
from seisloom.run.train import train
from seisloom.sample import Ref
from seisloom.tasks.picking.data import plan
from seisloom.tasks.picking.recipe import PickingRecipe
from seisloom.tasks.picking.records import records
from seisloom.tasks.picking.survey.build import build_manifest
from seisloom.tasks.picking.survey.import_line import import_line
from seisloom.tasks.picking.survey.synth import write_survey

logger = logging.getLogger("seisloom")
PACKAGE = "refrapy==0.2.4.1"
"""Two land refraction lines with human picks, MIT, by V. Guedes and S. Maciel (github.com/AlgoSismos/Refrapy)."""
LINES = {"REFRAPY1": "field_example_01", "REFRAPY2": "field_example_02"}
SHIPPED = "onset-refraction"


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demo made."""

    report: dict[str, Any]  # Any: JSON values
    files: tuple[Path, ...]
    notes: tuple[str, ...]
    picks: Path


def run_demo(out: Path, *, cache: Path, synthetic: bool = False, epochs: int = 12) -> Demo:
    """Fetch two real lines, fine-tune and calibrate the shipped model on some shots, and score it on others.

    Args:
        out: folder for the survey, the bundle, picks and figures; what a former demo left there is replaced.
        cache: folder for the downloaded package.
        synthetic: use a synthetic survey instead of the real lines.
        epochs: of the fine-tuning.
    Raises:
        OutputError: if the folder holds something that no demo has made, or cannot be written.
    """
    notes: list[str] = []
    root = out / "survey"
    clear(out)
    _write_records(root, cache, notes, synthetic=synthetic)
    build_manifest(root)
    recipe = read_recipe("picking", _changes(root, epochs))
    assert isinstance(recipe, PickingRecipe)
    refs = plan(recipe)
    seen, unseen = _seen(recipe, refs)
    notes.append(_seen_note(seen, unseen))
    named = _parts(unseen, seen)
    recipe = recipe.model_copy(update={"split": recipe.split.model_copy(update={"named": named})})
    trained = train(recipe, out / "bundle")
    report, files = _against_the_shipped(recipe, trained.bundle, refs, named, out)
    picks = out / "picks.csv"
    opened = open_predictor(out / "bundle")
    test = [ref for ref in refs if ref.groups["shot"] in named["test"]]
    table = opened.task.apply(opened.recipe, opened.predictor, opened.calibration, opened.task.records(recipe, test))
    opened.task.write(table.drop(columns=[name for name in table if name.startswith("half_")]), picks)
    return Demo(report, files, tuple(notes), picks)


def _changes(root: Path, epochs: int) -> list[str]:
    changes = [f"data.root={root.resolve()}", f"train.epochs={epochs}", f"train.patience={epochs}", "calibrate.folds=0"]
    if SHIPPED in shipped_bundles():
        changes += [f"train.init_from={SHIPPED}", "train.lr=3e-4"]
    return changes


def _write_records(root: Path, cache: Path, notes: list[str], *, synthetic: bool) -> None:
    """Make a survey of the real lines; of synthetic ones where that is asked for, or no index serves the real ones."""
    if not synthetic:
        try:
            package = fetch_package(PACKAGE, cache)
        except MissingDataError as error:
            notes.append(f"{error}. The demo uses synthetic records instead")
            logger.warning("%s", notes[-1])  # now, and not after minutes: it may not be what the user wants
        else:
            _import_lines(package, root, notes)
            return
    notes.append("the records are synthetic: land lines with known onsets")
    write_survey(SurveyConfig(n_geometries=2, n_stations=24, n_shots=12, seed=1), root)


def _import_lines(package: Path, root: Path, notes: list[str]) -> None:
    for line, name in LINES.items():
        data = package / "refrapy" / "data" / name
        files, picks = sorted((data / "data").glob("*.dat")), data / "picks" / f"{name}.sgt"
        counts = import_line(files, picks, root, geometry=line)
        notes.append(f"{line}: " + ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in counts.items()))


def _seen(recipe: PickingRecipe, refs: Sequence[Ref]) -> tuple[list[str], list[str]]:
    """Return the shots of which a record trained, chose or calibrated the shipped model, by content; and the others."""
    known = np.zeros(0, dtype=np.uint64)
    if SHIPPED in shipped_bundles():
        shipped = Bundle.open(SHIPPED)
        known = np.concatenate([shipped.seen(), shipped.calibrated()])
    seen: set[str] = set()
    shots: set[str] = set()
    for record in records(recipe, refs):
        here = np.isin(record.content, known)
        for line, shot, old in zip(record.geometry, record.shot_id, here, strict=True):
            shots.add(f"{line}/{shot}")
            if old:
                seen.add(f"{line}/{shot}")
    return sorted(seen), sorted(shots - seen)


def _seen_note(seen: Sequence[str], unseen: Sequence[str]) -> str:
    if not seen:
        return f"the shipped model has seen none of the {len(unseen)} shots"
    return (
        f"the shipped model was trained or calibrated with {len(seen)} of the {len(seen) + len(unseen)} shots "
        f"({', '.join(seen)}): they may train, and are never scored"
    )


def _parts(unseen: Sequence[str], seen: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Deal the unseen shots: two to train, one to choose the epoch, a third to calibrate, the rest to score."""
    if len(unseen) < 6:
        raise DataError(f"the demo needs 6 shots that the shipped model has not seen, there are {len(unseen)}")
    order = [unseen[k] for k in np.random.default_rng(0).permutation(len(unseen))]
    n_calibrate = max(len(order) // 3, 2)
    return {
        "train": (*order[:2], *seen),
        "valid": tuple(order[2:3]),
        "calibrate": tuple(order[3 : 3 + n_calibrate]),
        "test": tuple(order[3 + n_calibrate :]),
    }


def _against_the_shipped(
    recipe: PickingRecipe, bundle: Bundle, refs: Sequence[Ref], named: dict[str, tuple[str, ...]], out: Path
) -> tuple[dict[str, Any], tuple[Path, ...]]:  # Any: JSON values
    """Score the fine-tuned model beside the shipped one and the classical pickers, on the same unseen shots."""
    task = bundle.task
    part = {
        name: list(task.records(recipe, [ref for ref in refs if ref.groups["shot"] in named[name]]))
        for name in ("calibrate", "test")
    }
    methods = [replace(open_predictor(bundle.path), name="fine-tuned")]
    if SHIPPED in shipped_bundles():
        methods.append(with_calibration(open_predictor(SHIPPED), part["calibrate"]))
    for name in ("aic", "sta_lta"):
        methods.append(with_calibration(open_predictor(name, recipe=recipe), part["calibrate"]))
    return evaluate(methods, part["test"], out / "evaluation", references=part["calibrate"])
