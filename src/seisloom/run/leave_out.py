"""Leave one group out: a training without each station (or region, ...) in turn, scored on that group alone."""

from __future__ import annotations

import csv
import logging
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from seisloom.bundle import open_predictor
from seisloom.errors import OutputError, RecipeError, SplitError
from seisloom.io.shards import Shards, write_json
from seisloom.recipe import Recipe
from seisloom.run.train import train
from seisloom.sample import Ref
from seisloom.split import kept, leave_one_out, split
from seisloom.task import Product, Report, task_of

logger = logging.getLogger("seisloom")
POOLED = "all"
"""Row of what all models together say, each of the group that it has not seen."""
Tables = dict[str, dict[str, dict[str, object]]]


def leave_out(
    recipe: Recipe,
    out: Path,
    kind: str,
    *,
    at_most: int | None = None,
    shards: Path | None = None,
    force: bool = False,
) -> tuple[Report, tuple[Path, ...]]:
    """Train once without each group, score each model on the group that it lacks, and pool what they say.

    The other groups are parted as the recipe says, with none kept for the test. What shares a group of `split.by` with
    those that are left out, such as records of the same event at other stations, is in neither.

    Args:
        recipe: what to train.
        out: folder of `leave_out.csv`, `leave_out.json`, and of a bundle for each group, in `leave_out`.
        kind: of group, such as station, region, network or year.
        at_most: so many groups, those with the most samples; None takes all.
        shards: folder of shards to train from.
        force: replace what is there.
    Returns:
        The report, with a row for all and one for each group, and the files. Empty in processes that train along.
    Raises:
        RecipeError: if samples have no such group.
        SplitError: if there is one group only, or without any of them too little is left.
    """
    from seisloom.training.ranks import is_first

    task = task_of(recipe)
    recipe = task.complete(recipe)
    refs = [
        ref for ref in (Shards(shards).refs if shards is not None else task.plan(recipe)) if kept(ref, recipe.split)
    ]
    names = _names(refs, kind, at_most)
    shared = [one for one in recipe.split.by if one != kind]
    dealt = recipe.split.model_copy(update={"test": 0.0, "named": {}})
    tables: Tables = {}
    products: list[Product] = []
    notes, refused = _notes(refs, kind, names, shared), []
    for name, others, own in leave_one_out(refs, kind, apart=shared):
        if name not in names:
            continue
        folder = out / "leave_out" / re.sub(r"[^\w.-]", "_", name)
        logger.info("without %s %s: %d samples, %d are left", kind, name, len(own), len(others))
        try:
            if not others:
                raise SplitError(
                    f"all other samples are of the same {' or '.join(shared)}; split.by=[{kind}] lets these train"
                )
            parts = {**split(others, seed=recipe.seed, config=dealt), "test": own}
        except SplitError as error:
            refused.append(error)
            notes.append(f"{name} is not left out: {error}")
            continue
        trained = train(recipe, folder, shards=shards, parts=parts, force=force)
        if not is_first():
            continue
        _add(tables, name, trained.report)
        opened = open_predictor(folder)
        products.append(task.apply(recipe, opened.predictor, opened.calibration, task.records(recipe, own)))
    if refused and not tables:
        raise refused[0]
    if not is_first():
        return {}, ()
    pooled: Tables = {}
    if (together := _together(products)) is not None:
        _add(pooled, POOLED, task.evaluate(recipe, {POOLED: together}, []))
    merged = {part: {**pooled.get(part, {}), **rows} for part, rows in tables.items()}
    report: Report = {"title": f"Each {kind} scored by a model that has not seen it", "tables": merged, "notes": notes}
    return report, _write(out, report)


def _names(refs: Sequence[Ref], kind: str, at_most: int | None) -> set[str]:
    """Return the groups that are left out, one after the other."""
    there = {one for ref in refs for one in ref.groups}
    if kind not in there:
        raise RecipeError(f"--leave-out {kind}: samples have no such group; they have {', '.join(sorted(there))}")
    counts = Counter(ref.groups[kind] for ref in refs if kind in ref.groups)
    ordered = sorted(counts, key=lambda name: (-counts[name], name))
    return set(ordered if at_most is None else ordered[:at_most])


def _notes(refs: Sequence[Ref], kind: str, names: set[str], shared: Sequence[str]) -> list[str]:
    every = {ref.groups[kind] for ref in refs if kind in ref.groups}
    notes = [f"{POOLED}: what all models say together, each of the {kind} that it has not seen"]
    if shared:
        notes.append(
            f"samples of the same {' or '.join(shared)} as those left out train nothing either; "
            f"split.by=[{kind}] lets them train"
        )
    if len(names) < len(every):
        notes.append(f"{len(names)} of {len(every)} groups, those with the most samples: {', '.join(sorted(names))}")
    return notes


def _add(tables: Tables, name: str, report: Report) -> None:
    """Add the first row of each table of a report, that of the trained network, under another name."""
    for part, rows in report.get("tables", {}).items():
        if rows:
            tables.setdefault(part, {})[name] = next(iter(rows.values()))


def _together(products: Sequence[Product]) -> Product | None:
    """Return tables of several models as one; None where products are no tables."""
    import pandas as pd

    if not products or not all(isinstance(one, pd.DataFrame) for one in products):
        return None
    attrs = products[0].attrs
    table = pd.concat([_without_attrs(one) for one in products], ignore_index=True)
    table.attrs = attrs
    return table


def _without_attrs(table: Product) -> Product:
    """Return a table without what is told of it: pandas compares that of all by `==`, which fails for arrays."""
    bare = table.copy(deep=False)
    bare.attrs = {}
    return bare


def _write(out: Path, report: Report) -> tuple[Path, ...]:
    """Write the tables as JSON, and as rows of part, left_out and scores."""
    rows = [
        {"part": part, "left_out": name, **scores}
        for part, table in report["tables"].items() for name, scores in table.items()
    ]  # fmt: skip
    columns = list(dict.fromkeys(name for row in rows for name in row))
    file = out / "leave_out.csv"
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_json(out / "leave_out.json", report)
        with file.open("w", newline="", encoding="utf-8") as opened:
            writer = csv.DictWriter(opened, columns)
            writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        raise OutputError(f"{file}: cannot be written: {error.strerror or error}. Choose another --out") from error
    return file, out / "leave_out.json"
