"""Cross-conformal calibration: where few groups are held out, every group is scored by a model trained without it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seisloom.progress import track
from seisloom.recipe import Recipe
from seisloom.sample import Ref
from seisloom.split import folds_for
from seisloom.task import Product, Task
from seisloom.training.fit import fit
from seisloom.training.loader import Source
from seisloom.training.ranks import is_first

logger = logging.getLogger("seisloom")
FOLDS = "folds"
"""Folder of a bundle that the models of the folds stand in."""


def cross_products(
    task: Task[Any],  # Any: any room
    recipe: Recipe,
    out: Path,
    source: Source,
    parts: Mapping[str, Sequence[Ref]],
    *,
    n_folds: int,
    force: bool,
) -> list[Product]:
    """Train a model for each fold on the other folds, and return what each says of its own.

    Those that choose the best epoch choose it in every fold. With these products `Task.calibrate` uses every group
    that the final model was trained on.

    Args:
        task, recipe, source: as `fit`.
        out: folder of the bundle; the models of the folds go to its `folds`.
        parts: the samples that train, and that choose the best epoch (valid).
        n_folds: at most so many folds, and no more than there are groups, or groups of the rarest class.
        force: replace other folds.
    Returns:
        A product a fold; none in the processes that only train along.
    Source: Vovk (2015), Cross-conformal predictors, Ann. Math. Artif. Intell. 74; Barber et al. (2021), Predictive
        inference with the jackknife+, Ann. Stat. 49.
    """
    folds = folds_for(parts["train"], n_folds, seed=recipe.seed, config=recipe.split)
    products = []
    for number, held_out in enumerate(folds):
        if is_first():
            logger.info("fold %d of %d, to calibrate", number + 1, len(folds))
        others = [ref for other in folds if other is not held_out for ref in other]
        bundle = fit(
            task, recipe, out / FOLDS / str(number), source=source, force=force,
            parts={"train": others, "valid": parts["valid"], "calibrate": held_out},
        )  # fmt: skip
        if is_first():
            records = list(task.records(recipe, held_out))
            shown = track(records, total=len(records), what="scoring the fold", unit=task.noun)
            products.append(task.apply(recipe, bundle.predictor(), None, shown))
    return products
