"""Scores of curves against counts by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from seisloom.metrics.curve_training import CurveRecall
from seisloom.metrics.curves import score_curves


def table(rows: list[tuple[str, int, float, float, float, str, bool, bool]]) -> pd.DataFrame:
    """Return a table of (record, mode, frequency, velocity, truth, status, visible, resolved); half-widths are 5 %."""
    names = ["record", "mode", "frequency_hz", "velocity_m_s", "truth_m_s", "status", "visible", "resolved"]
    found = pd.DataFrame(rows, columns=names)
    found["half_90"] = 0.05
    found["low_m_s"], found["high_m_s"] = found["velocity_m_s"] * np.exp(-0.05), found["velocity_m_s"] * np.exp(0.05)
    found["sigma"], found["lengths"], found["picked_lengths"], found["medium"] = 0.02, 0.4, 0.4, found["record"]
    return found


NAN = float("nan")
ROWS = [
    ("a", 0, 10.0, 202.0, 200.0, "picked", True, True),  # 1 % off
    ("a", 0, 20.0, 150.0, 150.0, "abstained", True, True),
    ("a", 0, 30.0, 300.0, 140.0, "picked", True, False),  # on mode 1
    ("a", 1, 10.0, 500.0, NAN, "picked", False, False),  # invented
    ("a", 1, 20.0, 400.0, 400.0, "abstained", False, False),
    ("a", 1, 30.0, 312.0, 300.0, "picked", True, True),  # 4 % off
    ("b", 0, 10.0, 260.0, 250.0, "picked", True, True),  # 4 % off
    ("b", 0, 20.0, 220.0, 180.0, "picked", True, True),  # far off, and no other mode there
]


def test_shares_are_those_counted_by_hand() -> None:
    scores = score_curves(table(ROWS), levels=(0.9,), n_modes=2)
    first, second = scores["mode 0"], scores["mode 1"]
    assert first["n"] == {"visible": 5, "resolved": 4, "picked": 4}
    assert first["recall"] == pytest.approx(1 / 5)
    assert first["recall_5"] == pytest.approx(2 / 5)
    assert first["recall_resolved"] == pytest.approx(1 / 4)
    assert first["swap_share"] == pytest.approx(1 / 4)
    assert first["false_share"] == 0
    assert first["coverage"] == {"90": pytest.approx(2 / 4)}
    assert first["median_error"] == pytest.approx(np.median([0.01, 160 / 140, 0.04, 40 / 180]))
    assert second["false_share"] == pytest.approx(1 / 2)
    assert second["recall"] == 0
    assert second["within_5"] == 1
    assert scores["all modes"]["n"]["picked"] == 6
    assert first["by_length"] == {"0.25 to 0.5": {"n": 5, "recall": pytest.approx(0.2)}}


def test_abstaining_from_all_gains_nothing() -> None:
    silent = table(ROWS).assign(status="abstained")
    score = score_curves(silent, levels=(0.9,), n_modes=1)["mode 0"]
    assert score["recall"] == 0
    assert score["median_error"] is None
    assert score["false_share"] is None


def test_the_interval_of_a_share_is_over_records() -> None:
    rows = [(name, 0, 10.0 + k, 200.0 if name < "k" else 300.0, 200.0, "picked", True, True)
            for name in "abcdefghijklmnopqrst" for k in range(50)]  # fmt: skip
    low, high = score_curves(table(rows), levels=(0.9,), n_modes=1)["mode 0"]["recall_interval"]
    # Ten of twenty records are right throughout: the interval is that of 20 draws, not of 1000
    assert low == pytest.approx(0.3, abs=0.06)
    assert high == pytest.approx(0.7, abs=0.06)


def test_records_of_one_medium_are_one_witness() -> None:
    rows = [(name, 0, 10.0, 200.0 if name < "c" else 300.0, 200.0, "picked", True, True) for name in "abcd"]
    ground = table(rows).assign(medium=["x", "x", "y", "y"])
    scores = score_curves(ground, levels=(0.9,), n_modes=1)["mode 0"]
    # Two draws of two grounds: none, half or all; four records would seldom be all the same
    assert scores["recall_interval"] == [0, 1]
    assert scores["coverage_interval"] == {"90": [0, 1]}
    assert score_curves(ground.assign(medium="x"), levels=(0.9,), n_modes=1)["mode 0"]["recall_interval"] is None


def test_intervals_of_short_and_long_waves_are_counted_apart() -> None:
    names = "abcdefghijklmnopqrst"
    rows = [(name, 0, hz, 200.0 if hz > 8 or name < "k" else 260.0, 200.0, "picked", True, True)
            for name in names for hz in (6.0, 7.0, 12.0)]  # fmt: skip
    ground = table([*rows, ("u", 0, 12.0, 400.0, 200.0, "picked", True, True), ("u", 0, 6.0, 1.0, NAN, "picked", 1, 1)])
    ground["picked_lengths"] = np.where(ground["frequency_hz"] > 8, 0.5, 1.5)
    ground.loc[ground["record"] == "u", "picked_lengths"] = NAN
    ground["half_50"] = 1e-9
    found = score_curves(ground, levels=(0.5, 0.9), n_modes=1, length_edges=(0.5, 1.0))["mode 0"]["coverage_by_length"]
    assert list(found) == ["0.5 to 1", "1 to inf", "array not known"]  # an edge is of the longer waves
    assert {name: one["n"] for name, one in found.items()} == {"0.5 to 1": 20, "1 to inf": 40, "array not known": 1}
    assert found["0.5 to 1"]["coverage"] == {"50": 1, "90": 1}
    assert found["1 to inf"]["coverage"] == {"50": 0.5, "90": 0.5}
    assert found["array not known"]["coverage"]["90"] == 0
    assert found["array not known"]["coverage_interval"]["90"] is None
    assert found["1 to inf"]["median_width"] == pytest.approx(2 * np.sinh(0.05))
    low, high = found["1 to inf"]["coverage_interval"]["90"]
    assert low == pytest.approx(0.3, abs=0.06)
    assert high == pytest.approx(0.7, abs=0.06)


def test_without_intervals_there_is_no_coverage() -> None:
    bare = table(ROWS).drop(columns="half_90").assign(low_m_s=NAN, high_m_s=NAN)
    score = score_curves(bare, levels=(), n_modes=1, length_edges=(0.5,))["mode 0"]
    assert score["coverage"] == score["coverage_interval"] == score["coverage_by_length"] == {}


def test_recall_in_training_counts_visible_points_that_are_near_and_probable() -> None:
    metric = CurveRecall(mode=1).build()
    outputs = {
        "velocity": torch.tensor([[[1.0, 1, 1, 1], [202, 250, 200, 200]]]),
        "presence": torch.tensor([[[0.0, 0, 0, 0], [3, 3, -3, 3]]]),
    }
    batch = {
        "curves": torch.tensor([[[1.0, 1, 1, 1], [200, 200, 200, 200]]]),
        "visible": torch.tensor([[[1, 1, 1, 1], [1, 1, 1, 0]]]),
    }
    metric.update(outputs, batch)
    assert float(metric.compute()) == pytest.approx(1 / 3)
