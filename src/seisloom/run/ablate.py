"""Ablate: a training without each augmentation in turn, all scored on the same held-out groups."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from seisloom.errors import RecipeError
from seisloom.io.shards import write_json
from seisloom.recipe import Recipe
from seisloom.run.train import Trained, train
from seisloom.task import Report

logger = logging.getLogger("seisloom")


def ablate(recipe: Recipe, out: Path, *, shards: Path | None = None, force: bool = False) -> Trained:
    """Train with all augmentations, with none, and without each; the table goes to `ablation.json`.

    What is held out is the same for all, and so is the seed, so that rows can be compared; a difference within the
    interval of the scores, or smaller than that of two seeds, says nothing.

    Args:
        recipe: has the list.
        out: folder of a bundle for each, and of the table; the bundle with all of them is `out` itself.
        shards: folder of shards to train from.
        force: replace what is there.
    Returns:
        The training with all augmentations, its report with a row for each training.
    Raises:
        RecipeError: if there are no augmentations.
    """
    if not recipe.augment:
        raise RecipeError("--ablate augment: the recipe has no augmentations; give some: 'augment=[{name: gain}]'")
    whole = train(recipe, out, shards=shards, force=force)
    tables: dict[str, dict[str, dict[str, object]]] = {}
    _add(tables, "all", whole.report)
    for name, changed in _variants(recipe):
        logger.info("without %s", name.removeprefix("without "))
        _add(tables, name, train(changed, out / "ablation" / name.replace(" ", "-"), shards=shards, force=force).report)
    report: Report = {
        "title": "Augmentations left out, one at a time", "tables": tables,
        "notes": ["the same seed and the same held-out groups in each row"],
    }  # fmt: skip
    write_json(out / "ablation.json", report)
    return replace(whole, report=report, files=(*whole.files, out / "ablation.json"))


def _variants(recipe: Recipe) -> Iterator[tuple[str, Recipe]]:
    yield "none", recipe.model_copy(update={"augment": ()})
    names = [one.name for one in recipe.augment]
    for k, name in enumerate(names) if len(names) > 1 else ():
        kept = tuple(one for i, one in enumerate(recipe.augment) if i != k)
        number = f" {names[:k].count(name) + 1}" if names.count(name) > 1 else ""
        yield f"without {name}{number}", recipe.model_copy(update={"augment": kept})


def _add(tables: dict[str, dict[str, dict[str, object]]], name: str, report: Report) -> None:
    """Add the first row of each table of a report, that of the trained network, under another name."""
    for part, rows in report.get("tables", {}).items():
        tables.setdefault(part, {})[name] = next(iter(rows.values()))
