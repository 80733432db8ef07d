"""The room's pictures and its certificate: panels before and after, what they lost, and all methods side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seisloom.tasks.restoration.apply import Restored
from seisloom.tasks.restoration.certificate import line_number, line_of, pictures_of
from seisloom.tasks.restoration.compare import Scores
from seisloom.tasks.restoration.evaluate import by_row
from seisloom.tasks.restoration.recipe import RestorationRecipe
from seisloom.tasks.restoration.records import Panel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 100
BEST = {"SNR dB": "high", "gain": "high", "SSIM": "high", "PSNR dB": "high", "leak in": "low"}


def view(recipe: RestorationRecipe, panels: Sequence[Panel], product: Iterable[Restored]) -> Figure:
    """Return a picture of the first panel: given, restored and their difference, its truth or its intervals."""
    from seisloom.figures.restoration import draw_restored

    one = next(iter(product))
    k = line_number(recipe, one.panel)
    where = f", line {k + 1} of {len(one.values)}" if len(one.values) > 1 else ""
    return draw_restored(line_of(one, k), title="; ".join([f"{one.panel.name}{where}", *one.notes]))


def write_pages(
    recipe: RestorationRecipe,
    products: Mapping[str, Sequence[Restored]],
    report: Mapping[str, Any],
    records: Sequence[Panel],
    out: Path,
) -> list[Path]:  # Any: JSON values
    """Write `evaluate_panels/*.png` and the certificate `report.html`; returns their paths."""
    from seisloom.figures.fidelity import draw_scores
    from seisloom.figures.report import Table, tables_of_methods, write_report

    folder = out / "evaluate_panels"
    folder.mkdir(parents=True, exist_ok=True)
    first = next(iter(products))
    given = {name: by_row(some) for name, some in products.items()}
    figures: dict[str, Figure] = {"All rows": draw_scores(_by_pattern(report["scores"]))}
    captions = {"All rows": "SNR of each row, a bar at the median of those that did not fail."}
    for shown in report["shown"]:
        for heading, figure, caption in pictures_of(recipe, given, report["scores"], first, shown["row"]):
            name = f"{shown['why'].capitalize()} row: {heading}"
            figures[name] = figure
            captions[name] = f"The {shown['why']} row of {first} by SNR: {shown['row']}. {caption}"
    written = []
    for k, figure in enumerate(figures.values()):
        written.append(folder / f"{k}.png")
        figure.savefig(written[-1], dpi=DPI)
    tables = tables_of_methods(report["tables"], best=BEST)
    for name, lines in report["panels"].items():
        columns = [*next(iter(lines.values()))]
        tables[name] = Table(["panel", *columns], [[row, *line.values()] for row, line in lines.items()])
    page = write_report(
        out / "report.html", title=f"Restoration certificate: {first}", tables=tables,
        figures=dict(zip(figures, written, strict=True)), captions=captions,
        notes=[report["title"], *report["notes"]],
    )  # fmt: skip
    return [page, *written]


def _by_pattern(scores: Mapping[str, Scores]) -> dict[str, dict[str, list[float]]]:
    """Return SNR by pattern and method; NaN of rows that failed."""
    found: dict[str, dict[str, list[float]]] = {}
    for name, one in scores.items():
        for row in one["panels"].values():
            snr = float("nan") if row.get("snr_db") is None else row["snr_db"]
            found.setdefault(row["pattern"] or "panels", {}).setdefault(name, []).append(snr)
    return found
