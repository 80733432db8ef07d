"""Calibration and scores of restored panels: who counts, what failed, and a page whose numbers are in metrics.json."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from seisloom.calibration.residuals import ResidualCalibration
from seisloom.errors import CalibrationError, DataError
from seisloom.recipe import Recipe
from seisloom.sample import Array
from seisloom.signal.restoration.along_traces import linear
from seisloom.tasks.restoration.apply import Restored
from seisloom.tasks.restoration.compare import with_best_other
from seisloom.tasks.restoration.evaluate import AS_GIVEN, by_row, calibrate, evaluate
from seisloom.tasks.restoration.pages import view, write_pages
from seisloom.tasks.restoration.records import Panel
from seisloom.tasks.restoration.tables import AGAINST, shown_rows

PATTERNS = ("irregular 50", "regular 2")


def panels(n: int = 4, *, n_traces: int = 20, n_time: int = 64) -> list[Panel]:
    """Return panels of two events with traces missing in two patterns each, two draws of the first."""
    found = []
    for k in range(n):
        rng = np.random.default_rng(k)
        trace, time = np.arange(n_traces)[:, None], np.arange(n_time)
        away = [time - first - slope * trace for first, slope in ((15, rng.uniform(0, 1)), (45, rng.uniform(-0.6, 0)))]
        clean = sum((1 - 0.03 * one**2) * np.exp(-0.015 * one**2) for one in away)[None]
        clean = np.asarray(100 * clean + rng.normal(size=clean.shape), dtype=np.float32)
        for pattern, draws in zip(PATTERNS, (2, 1), strict=True):
            for draw in range(draws):
                live = (rng.random(n_traces) < 0.5 if pattern == PATTERNS[0] else np.arange(n_traces) % 2 == 0)[None]
                live[0, draw] = True
                found.append(
                    Panel(
                        f"line.sgy/shot-{k} #{draw + 1}", np.where(live[..., None], clean, np.float32(0)), live,
                        np.array([k + 1], dtype=np.uint64), truth=clean, is_known=np.ones_like(live), pattern=pattern,
                        fs_hz=250.0, offset_m=25.0 * np.arange(n_traces)[None],
                    )
                )  # fmt: skip
    return found


def lines(panel: Panel) -> Array:
    return np.stack([linear(a, b) for a, b in zip(panel.values, panel.is_live, strict=True)])


def toward(share: float) -> Callable[[Panel], Array]:
    """Return a method that gets so near to the truth from zero."""
    return lambda panel: np.where(panel.is_live[..., None], panel.values, np.float32(share) * np.asarray(panel.truth))


def restored(method: Callable[[Panel], Array], some: list[Panel]) -> list[Restored]:
    return [Restored(panel, method(panel)) for panel in some]


@pytest.fixture
def report(recipe: Recipe) -> tuple[dict[str, list[Restored]], dict[str, Any]]:
    some = panels()
    products = {
        "ours": restored(toward(0.9), some),
        "linear": restored(lines, some),
        "half": restored(toward(0.5), some),
    }
    return products, evaluate(recipe, products, [])


def test_every_pattern_has_a_row_a_method_and_doing_nothing_is_one(report: Any) -> None:
    _, found = report
    assert list(found["tables"]) == [
        "irregular 50", "irregular 50: fidelity", "regular 2", "regular 2: fidelity", AGAINST,
    ]  # fmt: skip
    for table in found["tables"].values():
        assert list(table) == ["ours", "linear", "half", AS_GIVEN]
    table = found["tables"]["irregular 50"]
    assert table["ours"]["SNR dB"] == pytest.approx(20, abs=1e-4)
    assert table["ours"]["gain"] == pytest.approx(20, abs=1e-4)
    assert table["half"]["SNR dB"] == pytest.approx(20 * np.log10(2), abs=1e-4)
    assert table[AS_GIVEN]["SNR dB"] == pytest.approx(0)
    assert table["half"]["slope"] == pytest.approx(0.5)
    assert (table["ours"]["rows"], found["tables"]["regular 2"]["ours"]["rows"]) == (8, 4)
    assert table["linear"]["from"] <= table["linear"]["SNR dB"] <= table["linear"]["to"]
    json.dumps(found, allow_nan=False)


def test_panels_are_drawn_and_not_their_patterns(recipe: Recipe, report: Any) -> None:
    one = panels(1)
    found = evaluate(recipe, {"linear": restored(lines, one)}, [])
    assert found["scores"]["linear"]["all"]["snr_db_interval"] == [None, None]  # one panel says nothing of others
    assert found["title"].endswith("1 panels, 3 rows")
    assert report[1]["scores"]["linear"]["all"]["snr_db_interval"][0] is not None


def test_rows_that_failed_stay_with_their_reason(recipe: Recipe) -> None:
    some = panels(3)
    broken = restored(toward(0.9), some)
    broken[1] = replace(broken[1], values=np.full_like(broken[1].values, np.nan), notes=("LinAlgError: singular",))
    broken[4] = replace(broken[4], values=np.full_like(broken[4].values, np.nan))
    found = evaluate(recipe, {"ours": broken[:-1], "half": restored(toward(0.5), some)}, [])
    rows = found["scores"]["ours"]["panels"]
    reasons = [one["failed"] for one in rows.values()]
    assert len(reasons) == 9
    assert reasons[1] == "LinAlgError: singular"
    assert "not finite" in reasons[4]
    assert reasons[8] == "the method gave nothing"
    table = found["tables"]["irregular 50"]["ours"]
    assert (table["rows"], table["failed"]) == (6, 2)
    assert table["SNR dB"] == pytest.approx(20, abs=1e-4)
    against = found["tables"][AGAINST]["ours"]
    assert against["rows"] == 9
    assert against["within 0.3 dB %"] == pytest.approx(100 * 6 / 9)  # a failed row is not as good
    assert found["scores"]["half"]["panels"][list(rows)[1]]["best_other"] == AS_GIVEN
    page = found["panels"]["irregular 50, panel by panel"]
    assert page[list(rows)[1]]["failed"] == "ours: LinAlgError: singular"
    assert page[list(rows)[1]]["ours dB"] is None


def test_the_best_other_method_is_told_row_by_row() -> None:
    rows = {
        "ours": {"a": {"snr_db": 5.0}, "b": {"snr_db": 1.0}, "c": {"snr_db": None}},
        "x": {"a": {"snr_db": 4.0}, "b": {"snr_db": 3.0}, "c": {"snr_db": 2.0}},
        "y": {"a": {"snr_db": 4.5}, "b": {"snr_db": None}, "c": {"snr_db": None}},
    }
    found = with_best_other(rows)
    assert [one["best_other"] for one in found["ours"].values()] == ["y", "x", "x"]
    assert [one["to_best_db"] for one in found["ours"].values()] == [
        0.5,
        -2.0,
        pytest.approx(float("nan"), nan_ok=True),
    ]
    assert found["x"]["c"]["best_other"] is None


def test_rows_to_be_drawn_are_chosen_by_rule() -> None:
    rows = {name: {"snr_db": snr} for name, snr in (("a", 3.0), ("b", None), ("c", 9.0), ("d", 5.0), ("e", 4.0))}
    assert shown_rows(rows) == [
        {"why": "median", "row": "d"},
        {"why": "best", "row": "c"},
        {"why": "worst", "row": "a"},
    ]
    assert shown_rows({"a": {"snr_db": 1.0}}) == [{"why": "median", "row": "a"}]
    assert shown_rows({"a": {"snr_db": None}}) == []


def test_denoised_panels_are_scored_on_all_traces(recipe: Recipe) -> None:
    recipe = recipe.model_copy(update={"apply": recipe.apply.model_copy(update={"goal": "denoise"})})
    rng = np.random.default_rng(0)
    some = [
        replace(one, values=one.truth + rng.normal(size=one.values.shape) * 30, is_live=np.ones_like(one.is_live))
        for one in panels(2)
    ]
    found = evaluate(recipe, {"ours": restored(toward(0.9), [replace(one, is_live=~one.is_live) for one in some])}, [])
    row = found["tables"]["irregular 50"]
    given = [20 * np.log10(np.linalg.norm(one.truth) / np.linalg.norm(one.truth - one.values)) for one in some]
    assert row["ours"]["SNR dB"] == pytest.approx(20, abs=1e-4)
    by_hand = np.median([snr for snr, one in zip(given, some, strict=True) if one.pattern == "irregular 50"])
    assert row[AS_GIVEN]["SNR dB"] == pytest.approx(by_hand)
    assert row["ours"]["gain"] == pytest.approx(20 - by_hand, abs=0.2)
    assert any("noisy panel" in note for note in found["notes"])


def test_what_nobody_can_score_is_said(recipe: Recipe) -> None:
    some = panels(1)
    whole = replace(some[0], name="whole", is_live=np.ones_like(some[0].is_live))
    found = evaluate(recipe, {"linear": restored(lines, [*some, whole])}, [])
    assert any("1 rows are not scored" in note and "whole, irregular 50" in note for note in found["notes"])
    with pytest.raises(DataError, match="nothing to score"):
        evaluate(recipe, {"linear": restored(lines, [replace(one, truth=None, is_known=None) for one in some])}, [])


def test_names_that_come_twice_are_told_apart() -> None:
    one = restored(lines, panels(1))[0]
    assert list(by_row([one, one])) == ["line.sgy/shot-0 #1, irregular 50", "line.sgy/shot-0 #1, irregular 50 (2)"]


def test_intervals_cover_panels_that_did_not_calibrate(recipe: Recipe) -> None:
    made = calibrate(recipe, [restored(lines, panels(24))])
    assert isinstance(made, ResidualCalibration)
    assert made.every.n_groups == 24  # panels, however many patterns
    new = panels(48)[24 * 3 :]
    products = [
        replace(one, half_width=made.half_width(one.values, one.panel.is_live, level=0.9))
        for one in restored(lines, new)
    ]
    found = evaluate(recipe, {"linear": products}, [])
    covered = [one["coverage"] for one in found["scores"]["linear"]["panels"].values()]
    # Of 24 panels the quantile of 90 % is the 23rd score: 92 % on average, with the error of both sets
    assert np.mean(covered) == pytest.approx(0.92, abs=3 * np.sqrt(2) * np.std(covered) / np.sqrt(24))
    assert found["tables"]["irregular 50"]["linear"]["in 90 %"] == pytest.approx(90, abs=10)
    with pytest.raises(CalibrationError, match="nothing to calibrate on"):
        calibrate(recipe, [restored(lines, [replace(new[0], truth=None)])])


def page_of(folder: Path) -> Any:
    """Return the tables of a page, taken apart."""
    file = Path(__file__).parents[2] / "page.py"
    spec = importlib.util.spec_from_file_location("page", file)
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module, module.Page((folder / "report.html").read_text())


def test_every_number_of_the_certificate_is_in_the_metrics(report: Any, recipe: Recipe, tmp_path: Path) -> None:
    products, found = report
    found = found | {"shown": found["shown"][:1]}  # three pictures, not nine
    (tmp_path / "metrics.json").write_text(json.dumps(found))
    written = write_pages(recipe, products, found, [], tmp_path)
    assert {one.name for one in written} == {"report.html", *(f"{k}.png" for k in range(4))}
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    stored = metrics["tables"] | metrics["panels"]
    module, page = page_of(tmp_path)
    assert set(page.tables) == set(stored)
    n = 0
    for heading, (columns, *rows) in page.tables.items():
        assert [row[0] for row in rows] == list(stored[heading])
        for name, *cells in rows:
            for column, cell in zip(columns[1:], cells, strict=True):
                module._check_cell(cell, stored[heading][name][column], f"{heading} {name} {column}")
                n += 1
    assert n > 150
    assert page.notes == [metrics["title"], *metrics["notes"]]
    text = (tmp_path / "report.html").read_text()
    assert "Restoration certificate: ours" in text
    for shown in metrics["shown"]:
        assert f"The {shown['why']} row of ours by SNR: {shown['row']}" in text
    assert text.count("<figure>") == 4


def test_the_first_panel_is_drawn(recipe: Recipe) -> None:
    one = restored(lines, panels(1))[0]
    figure = view(recipe, [one.panel], [replace(one, notes=("as it is",))])
    assert figure.get_suptitle() == "line.sgy/shot-0 #1; as it is"
    without = replace(one.panel, truth=None, is_known=None)
    figure = view(recipe, [without], iter([Restored(without, one.values, np.ones_like(one.values))]))
    assert "half of the interval" in [axes.get_title(loc="left") for axes in figure.axes]
