"""A page of an evaluation beside its `metrics.json`: every number of the one has to be in the other."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest


class Page(HTMLParser):
    """Takes the tables of a page apart by the heading above them, and its list of notes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.notes: list[str] = []
        self._heading = self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "table":
            self.tables[self._heading] = []
        elif tag == "tr":
            self.tables[self._heading].append([])
        elif tag in ("th", "td"):
            self.tables[self._heading][-1].append("")
        elif tag == "li":
            self.notes.append("")
        elif tag == "h2":
            self._heading = ""
        if tag != "b":
            self._open = tag

    def handle_endtag(self, tag: str) -> None:
        if tag != "b":
            self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open == "h2":
            self._heading += data
        elif self._open in ("th", "td"):
            self.tables[self._heading][-1][-1] += data
        elif self._open == "li":
            self.notes[-1] += data


def check_page(folder: Path) -> int:
    """Compare `report.html` of a folder with its `metrics.json`; returns the number of cells that were compared."""
    metrics: dict[str, Any] = json.loads((folder / "metrics.json").read_text())
    page = Page((folder / "report.html").read_text())
    assert set(page.tables) == set(metrics["tables"])
    n = 0
    for heading, (columns, *rows) in page.tables.items():
        assert [row[0] for row in rows] == list(metrics["tables"][heading])
        for name, *cells in rows:
            stored = metrics["tables"][heading][name]
            for column, cell in zip(columns[1:], cells, strict=True):
                _check_cell(cell, stored[column], f"{heading}, {name}, {column}")
                n += 1
    for note in page.notes:
        assert note in (metrics["title"], *metrics["notes"]), note
    return n


def _check_cell(shown: str, stored: Any, where: str) -> None:  # Any: a JSON value
    if stored is None:
        assert shown == "–", where
    elif isinstance(stored, bool) or not isinstance(stored, int | float):
        assert shown == {True: "yes", False: "no"}.get(stored, str(stored)), where
    else:
        assert float(shown) == pytest.approx(stored, rel=0.006, abs=6e-4), where
