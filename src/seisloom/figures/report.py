"""A report as one HTML file: tables and figures in it, nothing loaded from elsewhere."""

from __future__ import annotations

import base64
import io
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TypeAlias

import numpy as np
from matplotlib.figure import Figure

from seisloom.errors import OutputError

Cell: TypeAlias = str | float | int | bool | None


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a report: methods (or groups) as rows, measures as columns."""

    columns: Sequence[str]
    """Names with units; the first is that of the row names."""
    rows: Sequence[Sequence[Cell]]
    """As many cells as columns; None and NaN are printed as a dash."""
    caption: str = ""
    best: Mapping[str, str] | None = None
    """By column "high" or "low": the best row is printed bold."""


def tables_of_methods(
    tables: Mapping[str, Mapping[str, Mapping[str, Cell]]], *, best: Mapping[str, str]
) -> dict[str, Table]:
    """Return the tables of an evaluation, by part of the data, with a row a method.

    Args:
        tables: by part, by method, the cells by column; methods of a part have the same columns.
        best: as in `Table`.
    """
    return {
        part: Table(
            ["method", *next(iter(rows.values()))], [[name, *row.values()] for name, row in rows.items()], best=best
        )
        for part, rows in tables.items()
    }


_STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; margin: 0 auto; padding: 1rem;
       max-width: 62rem; }
h1 { font-size: 1.6rem; line-height: 1.2; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .92rem; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap; }
th { border-bottom: 2px solid #1a1a1a; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: #fff; }
tr:hover td { background: #f4f4f4; }
.caption, figcaption { color: #555; max-width: 46rem; }
figure { margin: 1rem 0; } img { max-width: 100%; height: auto; }
ul { padding-left: 1.2rem; } li { overflow-wrap: anywhere; }
@media print { body { max-width: none; padding: 0; font-size: 11px; } .scroll { overflow: visible; }
  table, figure { break-inside: avoid; } th, td { padding: .2rem .4rem; white-space: normal; } }
"""


def write_report(
    path: str | Path,
    *,
    title: str,
    tables: Mapping[str, Table],
    figures: Mapping[str, Figure | Path | bytes],
    notes: Sequence[str] = (),
    captions: Mapping[str, str] | None = None,
) -> Path:
    """Write a report as one HTML file, readable on a phone and in print; all text is escaped.

    Args:
        path: the file to write; written beside and renamed, so that it is whole or not there.
        title: what was evaluated.
        tables: by heading, in order.
        figures: by heading, in order; a figure, a PNG file, or the bytes of one.
        notes: what a reader must know to judge the numbers, as a list at the top.
        captions: of figures, by heading; those without one have none.
    Returns:
        The path.
    Raises:
        OutputError: if the file cannot be written.
    """
    path = Path(path)
    parts = [_notes(notes)]
    parts += [f"<h2>{escape(name)}</h2>{_table(table)}" for name, table in tables.items()]
    parts += [
        f"<h2>{escape(name)}</h2>{_image(figure, name, (captions or {}).get(name, ''))}"
        for name, figure in figures.items()
    ]
    text = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><h1>{escape(title)}</h1>\n" + "\n".join(parts) + "\n</body></html>\n"
    )
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        raise OutputError(f"{path}: the report cannot be written ({error.strerror}); choose another folder") from error
    return path


def _notes(notes: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(note)}</li>" for note in notes) + "</ul>" if notes else ""


def _table(table: Table) -> str:
    """The table with its caption; it scrolls by itself where the page is narrow."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.columns)
    best = {
        table.columns.index(name): _best_row(table, table.columns.index(name), which)
        for name, which in (table.best or {}).items()
        if name in table.columns
    }
    body = ""
    for idx, row in enumerate(table.rows):
        cells = [escape(_text(cell)) for cell in row]
        cells = [f"<b>{cell}</b>" if best.get(column) == idx else cell for column, cell in enumerate(cells)]
        body += "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>\n"
    caption = f'<p class="caption">{escape(table.caption)}</p>' if table.caption else ""
    return f'{caption}<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _best_row(table: Table, column: int, which: str) -> int | None:
    """The row with the largest or smallest number of a column; None if there is none, or nothing to compare."""
    values = {
        idx: float(cell)
        for idx, row in enumerate(table.rows)
        if isinstance(cell := row[column], int | float) and math.isfinite(cell)
    }
    if len(values) < 2:
        return None
    return max(values, key=lambda idx: values[idx] if which == "high" else -values[idx])


def _text(cell: Cell) -> str:
    """A cell as text: three digits that count, a dash for nothing."""
    if cell is None or (isinstance(cell, float | np.floating) and math.isnan(cell)):
        return "–"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float | np.floating):
        size = abs(cell)
        if math.isinf(cell) or (size and (size >= 1e5 or size < 1e-3)):
            return f"{cell:.3g}"
        digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
        return f"{cell:.{digits}f}"
    return f"{cell:,}" if isinstance(cell, int | np.integer) else str(cell)


def _image(figure: Figure | Path | bytes, name: str, caption: str) -> str:
    """The figure as PNG within the page."""
    if isinstance(figure, Figure):
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=120)
        data = buffer.getvalue()
    else:
        data = figure if isinstance(figure, bytes) else Path(figure).read_bytes()
    encoded = base64.b64encode(data).decode("ascii")
    said = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure><img alt="{escape(name, quote=True)}" src="data:image/png;base64,{encoded}">{said}</figure>'
