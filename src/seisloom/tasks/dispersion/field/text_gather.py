"""A gather as text: one row a sample, one column a channel, and a few lines of words above."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array

BINARY = re.compile(rb"[\x00-\x08\x0e-\x1f]")
RATE = re.compile(r"frequency\s*\(?\[?\s*hz\s*\)?\]?\s*[:=]\s*([\d.]+)", re.IGNORECASE)
SPACING = re.compile(r"\bdx\s*=\s*([\d.]+)\s*m\b")
FIRST = re.compile(r"\bx1\s*=\s*([\d.]+)\s*m\b")
SPLIT = re.compile(r"[,;\s]+")


@dataclass(frozen=True, slots=True, eq=False)
class TextGather:
    """Columns of a text file, and what the words above them say."""

    columns: Array
    """float32 (channel, time)."""
    interval_s: float | None
    dx_m: float | None
    first_offset_m: float | None
    notes: tuple[str, ...]


def is_text(path: Path) -> bool:
    """Return whether a file begins as text does: without control characters, and with a digit."""
    with path.open("rb") as opened:
        head = opened.read(4096)
    if BINARY.search(head) or not head:
        return False
    try:
        head[:-4].decode("utf-8")
    except UnicodeDecodeError:
        return False
    return bool(re.search(rb"\d", head))


def read_text(path: Path) -> TextGather:
    """Return the columns of a text file.

    Of the words above the numbers `frequency (Hz): 1000`, `dx = 2 m` and `x1 = 10 m` are understood.

    Raises:
        DataError: if rows differ in length, a value is no number, or there are none.
    """
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    first = next((k for k, line in enumerate(lines) if _is_row(line)), None)
    if first is None:
        raise DataError(f"{path}: text without a row of numbers; expected one column a channel")
    n_columns = len(SPLIT.split(lines[first].strip(" \t,;")))
    rows = []
    for number, line in enumerate(lines[first:], start=first + 1):
        if not line.strip():
            continue
        cells = SPLIT.split(line.strip(" \t,;"))
        if len(cells) != n_columns or not _is_row(line):
            raise DataError(
                f"{path}: line {number} has not {n_columns} numbers as the rows above: {line.strip()[:40]!r}"
            )
        rows.append([float(one) for one in cells])
    head = "\n".join(lines[:first])
    rate, dx, x1 = (float(found[1]) if (found := mark.search(head)) else None for mark in (RATE, SPACING, FIRST))
    words = {"rate {:g} Hz": rate, "dx {:g} m": dx, "first offset {:g} m": x1}
    said = [text.format(value) for text, value in words.items() if value is not None]
    notes = (f"of the words above the numbers: {', '.join(said)}",) if said else ()
    return TextGather(np.array(rows, dtype=np.float32).T, 1 / rate if rate else None, dx, x1, notes)


def _is_row(line: str) -> bool:
    try:
        return bool([float(one) for one in SPLIT.split(line.strip(" \t,;"))])
    except ValueError:
        return False
