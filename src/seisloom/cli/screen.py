"""What the command says: tables, notes and errors; JSON where a program reads it."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from seisloom.card import cell

# A file or a pipe has no width of its own; tables of a dozen numbers need about this one
out = Console(width=None if sys.stdout.isatty() else 110)
err = Console(stderr=True)
MOST_WIDE = 1000
"""Columns of the widest table that is measured."""


class _Lines(logging.Handler):
    """Sends the package's log to the screen: notes plain, warnings marked."""

    def emit(self, record: logging.LogRecord) -> None:
        style = "yellow" if record.levelno >= logging.WARNING else None
        mark = "warning: " if record.levelno >= logging.WARNING else ""
        err.print(mark + record.getMessage(), style=style, markup=False, highlight=False, soft_wrap=True)


def listen(*, quiet: bool) -> None:
    """Show notes, or warnings alone."""
    logger = logging.getLogger("seisloom")
    logger.handlers[:] = [_Lines()]
    logger.setLevel(logging.WARNING if quiet else logging.INFO)
    logger.propagate = False
    if not sys.flags.dev_mode:
        # Advice to programmers (workers, mixed precision) that a user of the command can do nothing about
        for module in ("pytorch_lightning", "torch", "lightning_fabric", "lightning_utilities"):
            warnings.filterwarnings("ignore", module=rf"{module}(\.|$)")


def table(rows: Sequence[Mapping[str, Any]], *, title: str = "") -> None:  # Any: cells
    """Print rows as a table; columns in the order in which they first appear.

    On a screen that is too narrow for it, rows become columns if that fits, else lines run over: no number is cut.
    """
    if not rows:
        return
    shown, width = _table_of(rows, title)
    if width > out.width and (turned := _turned(rows)):
        upright, needed = _table_of(turned, title)
        if needed <= out.width:
            shown, width = upright, needed
    (out if width <= out.width else Console(width=width)).print(shown)


def _table_of(rows: Sequence[Mapping[str, Any]], title: str) -> tuple[Table, int]:  # Any: cells
    """Return a table, and how wide it must be where only text is wrapped."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    shown = Table(title=title or None, title_justify="left", header_style="bold", box=SIMPLE, padding=(0, 1, 0, 0))
    for name in columns:
        numeric = all(isinstance(row.get(name), int | float | None) for row in rows)
        no_wrap = numeric or name == columns[0]
        shown.add_column(
            name.replace("_", " "),
            justify="right" if numeric else "left",
            overflow="fold",
            no_wrap=no_wrap,
            min_width=max(map(cell_len, [name, *(cell(row.get(name)) for row in rows)])) if no_wrap else None,
        )
    for row in rows:
        shown.add_row(*[cell(row.get(name)) for name in columns])
    return shown, out.measure(shown, options=out.options.update(width=MOST_WIDE)).minimum


def _turned(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:  # Any: cells
    """Return rows as columns, headed by the first cell of each; nothing where two have the same."""
    first, *others = dict.fromkeys(name for row in rows for name in row)
    heads = [cell(row.get(first)) for row in rows]
    if len(set(heads)) < len(heads):
        return []
    return [{first: name, **{head: row.get(name) for head, row in zip(heads, rows, strict=True)}} for name in others]


def say(text: str) -> None:
    """Print a line."""
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def say_json(values: Any) -> None:  # Any: JSON values
    """Print JSON for a program."""
    sys.stdout.write(json.dumps(values, indent=1) + "\n")
