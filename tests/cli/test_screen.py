"""Tables on screens of any width."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from seisloom.cli import screen

ROWS = [
    {"method": "interpretation-sections", "F1": 0.811, "precision": 0.91, "recall": 0.72, "distance": 33.25},
    {"method": "discontinuity", "F1": 0.517, "precision": None, "recall": 0.63, "distance": 12.5},
]


def shown(width: int, rows: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    file = io.StringIO()
    monkeypatch.setattr("sys.stdout", file)  # what a console takes that is given no file
    monkeypatch.setattr(screen, "out", Console(width=width))
    screen.table(rows)
    return [line.rstrip() for line in file.getvalue().splitlines() if line.strip()]


@pytest.mark.parametrize("width", [200, 60, 20])
def test_no_number_is_cut(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    words = " ".join(shown(width, ROWS, monkeypatch)).split()
    for row in ROWS:
        assert {*row, *(screen.cell(value) for value in row.values())} <= set(words)


def test_rows_become_columns_where_a_screen_is_narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(60, ROWS, monkeypatch)
    assert lines[0].split() == ["method", "interpretation-sections", "discontinuity"]
    assert lines[-1].split() == ["distance", "33.2", "12.5"]


def test_long_text_is_wrapped_in_its_column(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(40, [{"name": "a", "what": "many words " * 20, "n": 7}], monkeypatch)
    assert lines[0].split() == ["name", "what", "n"]
    assert max(map(len, lines)) <= 40
