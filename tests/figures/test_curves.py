"""Bars of recall: as high as they are told, with their intervals."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.container import BarContainer

from seisloom.figures.curves import draw_recall


def test_bars_are_as_high_as_recall_and_modes_stand_in_their_places() -> None:
    recall = {
        "ours": {"mode 0": (0.9, np.array([0.85, 0.95])), "mode 1": (0.6, np.array([np.nan, np.nan]))},
        "ridge": {"mode 0": (0.5, np.array([0.4, 0.6]))},
    }
    figure = draw_recall(recall)
    axes = figure.axes[0]
    bars = [one for one in axes.containers if isinstance(one, BarContainer)]
    assert [[bar.get_height() for bar in one] for one in bars] == [[90, 60], [50]]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["mode 0", "mode 1"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["ours", "ridge"]
    ours, ridge = bars
    assert ours[0].get_x() < ridge[0].get_x() < ours[1].get_x()
    segments = ours.errorbar.lines[2][0].get_segments()
    assert [segments[0][:, 1].min(), segments[0][:, 1].max()] == pytest.approx([85, 95])


def test_nothing_to_score_is_said() -> None:
    assert draw_recall({}).axes[0].texts[0].get_text() == "nothing to score"
