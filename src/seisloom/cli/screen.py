"""What the command says: tables, notes and errors; JSON where a program reads it."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

out = Console()
err = Console(stderr=True)


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
    for noisy in ("pytorch_lightning", "lightning.pytorch", "lightning"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    if not sys.flags.dev_mode:
        import warnings

        for module in ("pytorch_lightning", "torch", "lightning_fabric", "lightning_utilities"):
            warnings.filterwarnings("ignore", module=rf"{module}(\.|$)")


def table(rows: Sequence[Mapping[str, Any]], *, title: str = "") -> None:  # Any: cells
    """Print rows as a table; columns in the order in which they first appear."""
    if not rows:
        return
    columns = list(dict.fromkeys(name for row in rows for name in row))
    shown = Table(title=title or None, title_justify="left", header_style="bold")
    for name in columns:
        numeric = all(isinstance(row.get(name), int | float | None) for row in rows)
        shown.add_column(name.replace("_", " "), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        shown.add_row(*[_cell(row.get(name)) for name in columns])
    out.print(shown)


def _cell(value: Any) -> str:  # Any: cells
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def say(text: str) -> None:
    """Print a line."""
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def say_json(values: Any) -> None:  # Any: JSON values
    """Print JSON for a program."""
    sys.stdout.write(json.dumps(values, indent=1) + "\n")
