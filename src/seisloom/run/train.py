"""Train: fit, then calibrate on groups that neither trained nor chose the model, then evaluate on yet others."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from seisloom import plugins
from seisloom.bundle import Bundle, Opened, as_predictor, began_from, names_beside, open_predictor
from seisloom.card import write_card
from seisloom.errors import DataError
from seisloom.io.shards import Shards
from seisloom.recipe import Recipe
from seisloom.run.calibrate import with_calibration, write_calibration
from seisloom.run.evaluate import evaluate
from seisloom.sample import Ref
from seisloom.split import n_groups, split
from seisloom.task import Record, Report, Task, task_of

logger = logging.getLogger("seisloom")
ENOUGH_GROUPS = 9
"""Groups from which on a quantile at 90 % is finite by itself."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What `train` ends with; in processes that only trained along, the report is empty."""

    bundle: Bundle
    report: Report
    files: tuple[Path, ...]


def train(
    recipe: Recipe,
    out: Path,
    *,
    shards: Path | None = None,
    parts: Mapping[str, Sequence[Ref]] | None = None,
    force: bool = False,
) -> Trained:
    """Train, calibrate on groups that neither trained nor chose the model, and evaluate on yet others.

    Args:
        recipe: what to do.
        out: folder of the bundle.
        shards: folder of shards; without, samples are read from the files each epoch.
        parts: which samples train, choose the best epoch (valid), calibrate and test; by default as the recipe splits
            them.
        force: replace another bundle in `out`.
    """
    from seisloom.training.check import check_shards
    from seisloom.training.cross import cross_products
    from seisloom.training.fit import fit
    from seisloom.training.loader import LiveSource, Source
    from seisloom.training.ranks import is_first

    task = task_of(recipe)
    recipe = task.complete(recipe)
    source: Source = Shards(shards) if shards is not None else LiveSource(task, recipe)
    parts = parts if parts is not None else split(source.refs, seed=recipe.seed, config=recipe.split)
    if shards is not None:
        check_shards(task, recipe, source, [*parts["calibrate"], *parts["test"]])
    n_folds = _folds_for(recipe, parts)
    if n_folds:
        parts = {**parts, "train": [*parts["train"], *parts["calibrate"]], "calibrate": []}
    bundle = fit(task, recipe, out, source=source, parts=parts, force=force)
    products = cross_products(task, recipe, out, source, parts, n_folds=n_folds, force=force) if n_folds else []
    if not is_first():
        return Trained(bundle, {}, ())
    bundle.remember(task.contents(recipe, [*parts["train"], *parts["valid"]]))
    opened = Opened(out.name, task, recipe, bundle.predictor(), None, bundle)
    # Classical methods have not learnt from the training part, so they may be calibrated on it
    known = parts["train"] if n_folds else parts["calibrate"]
    records = list(task.records(recipe, known)) if known else []
    before = began_from(recipe)  # its calibration knows how far groups differ from each other
    if n_folds:
        opened = replace(opened, calibration=task.calibrate(recipe, products, None))
    elif records:
        opened = with_calibration(replace(opened, calibration=before and before.calibration), records)
    else:
        logger.warning("no groups to calibrate on: nothing that is said is calibrated. See: seisloom calibrate --help")
    if opened.calibration is not None:
        write_calibration(opened, out, [] if n_folds else records, None if n_folds else before)
    report: Report = {}
    files: tuple[Path, ...] = ()
    if parts["test"]:
        methods = [opened, *calibrated_methods(task, recipe, records)]
        report, files = evaluate(methods, list(task.records(recipe, parts["test"])), out, references=records)
    bundle = Bundle.open(out)
    write_card(bundle, report)
    return Trained(bundle, report, files)


def check(recipe: Recipe, out: Path) -> tuple[Report, tuple[Path, ...]]:
    """Score the weights that `train.check` names on the validation part; nothing is trained.

    Args:
        recipe: of the training; its split says what the validation part is.
        out: folder for scores, pictures and the page.
    Raises:
        MissingDataError, BundleError, RecipeError: if there are no such weights, or they do not fit the model.
        DataError: if there is no validation part.
    """
    from seisloom.training.fit import load_weights

    task = task_of(recipe)
    recipe = task.complete(recipe)
    network = recipe.network(task.item)
    load_weights(network, recipe, "check")
    refs = split(task.plan(recipe), seed=recipe.seed, config=recipe.split)["valid"]
    if not refs:
        raise DataError("train.check: the split has no validation part; give split.valid, or data_valid")
    opened = Opened(Path(str(recipe.train.check)).stem, task, recipe, as_predictor(network.eval()), None)
    return evaluate([opened], list(task.records(recipe, refs)), out)


def _folds_for(recipe: Recipe, parts: Mapping[str, Sequence[Ref]]) -> int:
    """Return how many folds are to calibrate, 0 where the groups that are held out for it suffice."""
    n_folds = getattr(recipe.calibrate, "folds", 0)
    n_held_out = n_groups(parts["calibrate"], recipe.split.by)
    if not n_folds or not n_held_out or n_held_out >= ENOUGH_GROUPS:
        return 0
    logger.info(
        "%d groups to calibrate on are fewer than %d: cross-conformal over %d folds, so %d trainings more "
        "(calibrate.folds=0 for none)", n_held_out, ENOUGH_GROUPS, n_folds, n_folds,
    )  # fmt: skip
    return int(n_folds)


def calibrated_methods(task: Task[Any], recipe: Recipe, records: Sequence[Record]) -> list[Opened]:
    """Return the classical methods of the room, calibrated on the same groups as the network where they need it."""
    methods = []
    for name in names_beside(task.name, recipe):
        opened = open_predictor(name, recipe=recipe)
        fits = bool(records) and not plugins.load("methods", name).is_calibrated
        methods.append(with_calibration(opened, records) if fits else opened)
    return methods
