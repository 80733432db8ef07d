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
RELIABILITY = "fault probability"
"""Heading of the reliability curve."""
SURE = (
    "On the line a probability means what it says: of the voxels with 0.3, three in ten are fault. Most voxels lie at "
    "the left end. Labels thicker or thinner than those that the calibration saw bend the curve."
)
BEST = {
    **dict.fromkeys(["F1 @0", "F1 @1", "F1 @2", "F1 @3", "ODS", "OIS", "ordering"], "high"),
    **dict.fromkeys(["DHR SSIM", "PSNR dB", "gain dB", "SNR dB"], "high"),
    **dict.fromkeys(["mean distance", "HD95", "ECE", "Brier", "RGT", "falling"], "low"),
    **dict.fromkeys(["angle", "angle 90 %", "dip", "strike", "angle where found"], "low"),
    **dict.fromkeys(["horizon mean", "horizon 95 %", "across mean", "across 95 %"], "low"),
}


def view(recipe: InterpretationRecipe, records: Sequence[VolumeRecord], product: Sequence[VolumeProduct]) -> Figure:
    """Return a picture of a section of the first volume with what was found in it."""
    return draw_product(product[0], threshold=recipe.apply.threshold)


def draw_product(product: VolumeProduct, *, threshold: float, title: str = "") -> Figure:
    """Return a picture of an inline: the image with its faults, and every attribute beside it.

    It is the middle one, or where labels show no fault there, the one nearest to it where they do.

    Args:
        product: what was found in a volume or a section.
        threshold: probability from which on a voxel is drawn as fault.
        title: what is drawn, the volume's name by default; which of its inlines is added.
    """
    from seisloom.figures.attributes import draw_attributes

    values, truth = product.record.values, product.record.truth.get("fault")
    k = _shown(values.shape, truth)
    picked = None if truth is None else _section(truth, k) > 0
    said = ", ".join(one for one in (title or product.record.name, _which(values.shape, k)) if one)
    return draw_attributes(
        _section(values, k), {name: _section(one, k) for name, one in product.attributes.items()},
        threshold=threshold, labels=picked, title=said,
    )  # fmt: skip


def _shown(shape: tuple[int, ...], truth: Array | None) -> int:
    """Return the middle inline, or the one nearest to it with a fault in its labels."""
    middle = shape[0] // 2
    if truth is None or len(shape) == 2:
        return middle
    labelled = np.flatnonzero((truth > 0).any(axis=(1, 2)))
    return int(labelled[np.abs(labelled - middle).argmin()]) if labelled.size else middle


def _section(values: Array, inline: int) -> Array:
    """Return an inline of a volume, (crossline, time), or its only crossline; a section as it is."""
    if values.ndim == 2:
        return values
    return values[:, 0] if values.shape[1] == 1 else np.asarray(values[inline])


def _which(shape: tuple[int, ...], inline: int) -> str:
    """Return which inline is shown, counted from 0 as in raw cubes; nothing where there is only one.

    >>> _which((64, 48, 40), 32), _which((48, 40), 0)
    ('inline 32 of 0 to 63', '')
    """
    if len(shape) == 2 or 1 in shape[:2]:
        return ""
    return f"inline {inline} of 0 to {shape[0] - 1}"


def write_pages(
    recipe: InterpretationRecipe,
    products: Mapping[str, Sequence[VolumeProduct]],
    report: Mapping[str, Any],
    records: Sequence[VolumeRecord],
    out: Path,
) -> list[Path]:  # Any: JSON values
    """Write `evaluate_volumes/*.png` and `report.html`; returns their paths."""
    from seisloom.figures.report import tables_of_methods, write_report

    folder = out / "evaluate_volumes"
    folder.mkdir(parents=True, exist_ok=True)
    first = next(iter(products))
    files: dict[str, Path] = {}
    bins = {name: one["reliability"] for name, one in report["scores"].items() if "reliability" in one}
    if bins:
        files[RELIABILITY] = _write_reliability(folder / "reliability.png", bins)
    for k, one in enumerate(products[first][:PICTURES]):
        file = folder / f"{k}.png"
        draw_product(one, threshold=recipe.apply.threshold, title=f"{first}: {one.record.name}").savefig(file, dpi=DPI)
        files[f"{one.record.name}, as {first} sees it"] = file
    page = write_report(
        out / "report.html", title=report["title"], notes=report["notes"],
        tables=tables_of_methods(report["tables"], best=BEST), figures=files, captions={RELIABILITY: SURE},
    )  # fmt: skip
    return [*files.values(), page]


def _write_reliability(file: Path, bins: Mapping[str, Mapping[str, Any]]) -> Path:  # Any: JSON values
    from seisloom.figures.reliability import draw_probability_reliability

    draw_probability_reliability(bins).savefig(file, dpi=DPI)
    return file
