"""Evaluate: methods side by side on whole records that nothing was chosen or calibrated on."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from seisloom.bundle import Opened
from seisloom.errors import OutputError
from seisloom.io.shards import write_json
from seisloom.progress import track
from seisloom.run.calibrate import contents_of
from seisloom.task import Product, Record, Report

logger = logging.getLogger("seisloom")


def products_of(methods: Sequence[Opened], records: Sequence[Record]) -> dict[str, Product]:
    """Return what methods make of the same records, by the names that scores have."""
    products: dict[str, Product] = {}
    for one in _with_names_of_their_own(methods):
        shown = track(records, total=len(records), what=f"scoring {one.name}", unit=one.task.noun)
        products[one.name] = one.task.apply(one.recipe, one.predictor, one.calibration, shown)
    return products


def evaluate(
    methods: Sequence[Opened],
    records: Sequence[Record],
    out: Path,
    *,
    references: Sequence[Record] = (),
    products: Mapping[str, Product] | None = None,
) -> tuple[Report, tuple[Path, ...]]:
    """Score methods side by side on the same whole records, and write metrics, tables, figures and a page.

    Args:
        methods: the first one is the one in question.
        records: with truth; of groups that nothing was chosen or calibrated on.
        out: folder for `metrics.json`, `report.html` and pictures.
        references: records with truth that a baseline without waveforms may learn from: the leak alarm.
        products: what `products_of` gave for these methods and records; None makes them.
    Raises:
        OutputError: if `out` is a file.
    """
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: is a file. Choose another --out")
    task, recipe = methods[0].task, methods[0].recipe
    methods = _with_names_of_their_own(methods)
    products = products_of(methods, records) if products is None else products
    report = task.evaluate(recipe, products, references)
    report["notes"] += [note for one in methods for note in _seen_notes(one, records)]
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "metrics.json", report)
    files = task.report(recipe, products, report, records, out)
    return report, (out / "metrics.json", *files)


def _with_names_of_their_own(methods: Sequence[Opened]) -> list[Opened]:
    """Two bundles may be called alike, a/model and b/model: then their folders name them."""
    names = [one.name for one in methods]
    return [
        replace(one, name=str(one.bundle.path)) if names.count(one.name) > 1 and one.bundle is not None else one
        for one in methods
    ]


def _seen_notes(opened: Opened, records: Sequence[Record]) -> list[str]:
    """Say how many of the records a bundle was trained, chosen or calibrated on; nothing for none."""
    if opened.bundle is None:
        return []
    contents = contents_of(records)
    n_seen = int(np.isin(contents, opened.bundle.seen()).sum())
    n_calibrated = 0 if opened.calibration is None else int(np.isin(contents, opened.bundle.calibrated()).sum())
    notes = []
    if n_seen:
        notes.append(
            f"{opened.name} was trained or chosen on {n_seen} of these {contents.size} records: its scores flatter it"
        )
    if n_calibrated:
        notes.append(
            f"{n_calibrated} of these {contents.size} records calibrated {opened.name}: its coverage flatters it"
        )
    for note in notes:
        logger.warning(note)
    return notes
