"""The room's pictures and its page: a section with what was found, and how methods compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seisloom.sample import Array
from seisloom.tasks.interpretation.apply import VolumeProduct
from seisloom.tasks.interpretation.recipe import InterpretationRecipe
from seisloom.tasks.interpretation.records import VolumeRecord

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURES = 4
"""Volumes that an evaluation draws."""
DPI = 110
BEST = {
    "F1 @2": "high", "ODS": "high", "HD95": "low", "angle": "low", "ECE": "low", "RGT": "low", "DHR SSIM": "high",
    "gain dB": "high",
}  # fmt: skip


def view(recipe: InterpretationRecipe, records: Sequence[VolumeRecord], product: Sequence[VolumeProduct]) -> Figure:
    """Return a picture of the middle section of the first volume with what was found in it."""
    return draw_product(product[0], threshold=recipe.apply.threshold)


def draw_product(product: VolumeProduct, *, threshold: float, title: str = "") -> Figure:
    """Return a picture of the middle inline: the image with its faults, and every attribute beside it."""
    from seisloom.figures.attributes import draw_attributes

    truth = product.record.truth.get("fault")
    picked = None if truth is None else _middle(truth) > 0
    return draw_attributes(
        _middle(product.record.values), {name: _middle(one) for name, one in product.attributes.items()},
        threshold=threshold, labels=picked, title=title or product.record.name,
    )  # fmt: skip


def _middle(values: Array) -> Array:
    """Return the middle inline of a volume, (crossline, time); a section as it is."""
    return values if values.ndim == 2 else np.asarray(values[values.shape[0] // 2])


def write_pages(
    recipe: InterpretationRecipe,
    products: Mapping[str, Sequence[VolumeProduct]],
    report: Mapping[str, Any],
    records: Sequence[VolumeRecord],
    out: Path,
) -> list[Path]:  # Any: JSON values
    """Write `evaluate_volumes/*.png` and `report.html`; returns their paths."""
    from seisloom.figures.report import Table, write_report

    folder = out / "evaluate_volumes"
    folder.mkdir(parents=True, exist_ok=True)
    first = next(iter(products))
    files: dict[str, Path] = {}
    for k, one in enumerate(products[first][:PICTURES]):
        file = folder / f"{k}.png"
        draw_product(one, threshold=recipe.apply.threshold, title=f"{first}: {one.record.name}").savefig(file, dpi=DPI)
        files[f"{one.record.name}, as {first} sees it"] = file
    table = report["tables"]["volumes"]
    columns = list(next(iter(table.values())))
    rows = [[name, *(row[column] for column in columns)] for name, row in table.items()]
    page = write_report(
        out / "report.html", title=report["title"], notes=report["notes"],
        tables={"volumes": Table(["method", *columns], rows, best=BEST)}, figures=files,
    )  # fmt: skip
    return [*files.values(), page]
