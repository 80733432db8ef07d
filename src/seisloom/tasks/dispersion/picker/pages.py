"""The picker's files and pictures: tables of curves, spectra with picks, and a page that compares methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seisloom.errors import OutputError
from seisloom.io.beside import beside
from seisloom.sample import Array
from seisloom.tasks.dispersion.field.curves_file import COLUMNS, write_curves
from seisloom.tasks.dispersion.field.pick import CurvePicks
from seisloom.tasks.dispersion.picker.evaluate import picked
from seisloom.tasks.dispersion.picker.recipe import DispersionRecipe
from seisloom.tasks.dispersion.picker.records import SpectrumRecord

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURES = 6
"""Spectra that an evaluation draws."""
DPI = 110
BEST = {
    "recall": "high", "resolved": "high", "in 5 %": "high", "false": "low", "swaps": "low", "median %": "low",
    "P90 %": "low",
}  # fmt: skip


def picks_of(table: Any, *, method: str = "") -> CurvePicks:  # Any: rows of one record
    """Return the kept picks of one record as curves."""
    frequency = np.unique(table["frequency_hz"].to_numpy(float))
    n_modes = int(table["mode"].max()) + 1
    columns = ("velocity_m_s", "low_m_s", "high_m_s", "probability")
    arrays = np.full((4, n_modes, len(frequency)), np.nan)
    kept = picked(table)
    at = kept["mode"].to_numpy(int), np.searchsorted(frequency, kept["frequency_hz"].to_numpy(float))
    for k, name in enumerate(columns):
        arrays[k][at] = kept[name].to_numpy(float)
    velocity, low, high, quality = arrays
    return CurvePicks(frequency, velocity, low, high, quality, float(table["level"].iloc[0]))


def write_picks(product: Any, path: Path) -> None:  # Any: a pandas table
    """Write picks: .csv has the kept ones, as `seisloom invert` reads them of one spectrum; .parquet has all rows.

    Of several spectra a .csv has a further column, `record`.

    Raises:
        OutputError: for another suffix, or if the file cannot be written.
    """
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise OutputError(f"{path}: curves are written as .csv or .parquet")
    if path.suffix.lower() == ".csv" and product["record"].nunique() == 1:
        write_curves(picks_of(product), path)
        return
    with beside(path) as partial:
        if path.suffix.lower() == ".parquet":
            product.to_parquet(partial, index=False)
            return
        kept = picked(product).rename(columns={"probability": "quality"}).assign(method="")
        kept[[*COLUMNS, "record"]].to_csv(partial, index=False, float_format="%.8g")


def view(recipe: DispersionRecipe, records: Sequence[SpectrumRecord], product: Any) -> Figure:  # Any: a pandas table
    """Return a picture of the first spectrum with its picks."""
    return draw_record(records[0], product[product["record"] == records[0].key])


def draw_record(record: SpectrumRecord, table: Any, *, title: str = "") -> Figure:  # Any: rows of this record
    """Return a picture of a spectrum with its picks, and with the true curves where they are known."""
    from seisloom.figures.dispersion import draw_dispersion

    found = picks_of(table)
    has_interval = bool(np.isfinite(found.low_m_s).any())
    n = int(np.isfinite(found.velocity_m_s).sum())
    flags = {} if record.resolved is None else {"resolved": record.resolved, "excited": record.visible}
    return draw_dispersion(
        record.panel, frequency_hz=record.frequency_hz, velocity_m_s=record.velocity_m_s, curves=record.curves,
        flags={name: np.asarray(one) for name, one in flags.items() if one is not None}, picks=found.velocity_m_s,
        lower=found.low_m_s if has_interval else None, upper=found.high_m_s if has_interval else None,
        limits=record.limits, interval_label=f"{100 * found.level:g} % interval",
        title=title or f"{record.key}: {n} picks",
    )  # fmt: skip


def write_pages(
    recipe: DispersionRecipe,
    products: Mapping[str, Any],
    report: Mapping[str, Any],
    records: Sequence[SpectrumRecord],
    out: Path,
) -> list[Path]:  # Any: pandas tables, JSON values
    """Write `evaluate_curves/*.png` and `report.html`; returns their paths."""
    from seisloom.figures.curves import draw_recall
    from seisloom.figures.report import tables_of_methods, write_report

    folder = out / "evaluate_curves"
    folder.mkdir(parents=True, exist_ok=True)
    first = next(iter(products))
    figures = {"recall": draw_recall({name: _recall(one) for name, one in report["scores"].items()})}
    chosen = np.unique(np.linspace(0, len(records) - 1, min(PICTURES, len(records))).round().astype(int))
    table = products[first]
    for record in (records[k] for k in chosen):
        rows = table[table["record"] == record.key]
        figures[f"spectrum-{record.key}"] = draw_record(record, rows, title=f"{record.key}, as {first} picks it")
    written = []
    for name, figure in figures.items():
        written.append(folder / f"{name}.png")
        figure.savefig(written[-1], dpi=DPI)
    page = out / "report.html"
    tables = tables_of_methods(report["tables"], best=BEST)
    notes = [report["title"], *report["notes"]]
    write_report(page, title=f"Curves of {first}", tables=tables, figures=figures, notes=notes)
    return [page, *written]


def _recall(scores: Mapping[str, Any]) -> dict[str, tuple[float, Array]]:  # Any: JSON values
    """Return recall and its interval by mode."""
    return {
        part: (one["recall"], np.array(one["recall_interval"] or [np.nan, np.nan]))
        for part, one in scores.items() if one["recall"] is not None
    }  # fmt: skip
