import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from seisloom.errors import OutputError
from seisloom.figures.report import Table, write_report
from seisloom.figures.style import new_figure

VOID = {"meta", "img", "br"}


class Balanced(HTMLParser):
    """Reads a page and fails on tags that do not close; keeps the cells, the bold ones, and every address."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[str] = []
        self.bold: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.addresses += [value for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "td":
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "td" in self.open:
            self.cells[-1] += data
        if "b" in self.open:
            self.bold.append(data)


def read(path: Path) -> Balanced:
    page = Balanced()
    page.feed(path.read_text(encoding="utf-8"))
    assert page.open == []
    return page


TABLE = Table(
    ("method", "hit at 5", "MAE (ms)", "n"),
    [("ours", 0.5, 1.234, 1200), ("STA/LTA", 0.2, None, 1200), ("<b>&evil", float("nan"), 123.4, 3)],
    caption="a < b",
    best={"hit at 5": "high", "MAE (ms)": "low"},
)


def test_a_report_is_one_file_that_loads_nothing(tmp_path: Path) -> None:
    png = tmp_path / "one.png"
    new_figure(2, 1).savefig(png)
    path = write_report(
        tmp_path / "deep" / "report.html",
        title="Line <1>",
        tables={"Picks": TABLE},
        figures={"drawn": new_figure(2, 1), "file": png, "bytes": png.read_bytes()},
        notes=["5 < 6 & more"],
    )
    page = read(path)
    assert len(page.addresses) == 3
    for address in page.addresses:
        assert base64.b64decode(address.removeprefix("data:image/png;base64,")).startswith(b"\x89PNG")
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"https?://|@import|url\(", text)
    assert "<title>Line &lt;1&gt;</title>" in text
    assert "5 &lt; 6 &amp; more" in text
    assert [one.name for one in path.parent.iterdir()] == ["report.html"]


def test_cells_are_escaped_rounded_and_the_best_is_bold(tmp_path: Path) -> None:
    page = read(write_report(tmp_path / "r.html", title="t", tables={"T": TABLE}, figures={}))
    assert page.cells == [
        "ours",
        "0.500",
        "1.23",
        "1,200",
        "STA/LTA",
        "0.200",
        "–",
        "1,200",
        "<b>&evil",
        "–",
        "123",
        "3",
    ]
    assert page.bold == ["0.500", "1.23"]


def test_numpy_numbers_are_printed_like_ours(tmp_path: Path) -> None:
    table = Table(("a", "b", "c"), [(np.float32(0.25), np.int64(5), np.inf)])
    assert read(write_report(tmp_path / "r.html", title="t", tables={"T": table}, figures={})).cells == [
        "0.250",
        "5",
        "inf",
    ]


def test_a_report_that_cannot_be_written_says_where(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"file/report\.html"):
        write_report(tmp_path / "file" / "report.html", title="t", tables={}, figures={})


def test_a_figure_has_its_caption_and_others_none(tmp_path: Path) -> None:
    figures = {"a": new_figure(1, 1), "b": new_figure(1, 1)}
    page = write_report(tmp_path / "r.html", title="t", tables={}, figures=figures, captions={"a": "what <a> shows"})
    text = page.read_text()
    Balanced().feed(text)
    assert text.count("<figcaption>") == 1
    assert "<figcaption>what &lt;a&gt; shows</figcaption></figure>" in text
