"""Pictures of classes: what is drawn is what was given."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.figures.classes import draw_class_reliability, draw_confusion
from seisloom.figures.fans import align, draw_fans

RNG = np.random.default_rng(0)


def test_a_fan_has_the_quantiles_of_each_class_and_channel() -> None:
    values = RNG.normal(size=(200, 2, 50))
    time = np.arange(50) / 10 - 1
    figure = draw_fans(
        {"quake": values, "blast": 2 * values}, time, channels=("Z", "N"), axis_label="time (s)", value_label="counts",
        mark=0.0, title="data",
    )  # fmt: skip
    panels = figure.axes
    assert [one.get_title(loc="left") for one in panels] == ["Z", "N", "", ""]
    assert [panels[k].get_ylabel() for k in (0, 2)] == ["quake\n(n = 200)", "blast\n(n = 200)"]
    np.testing.assert_allclose(panels[3].lines[0].get_ydata(), np.median(2 * values[:, 1], axis=0))
    outer, inner = (one.get_paths()[0].vertices for one in panels[0].collections[:2])
    at = outer[np.isclose(outer[:, 0], time[20]), 1]
    np.testing.assert_allclose([at.min(), at.max()], np.quantile(values[:, 0, 20], [0.1, 0.9]), rtol=1e-6)
    assert np.ptp(inner[np.isclose(inner[:, 0], time[20]), 1]) < np.ptp(at)
    assert panels[0].get_ylim() == panels[2].get_ylim(), "classes are compared on one scale"
    assert [text.get_text() for text in figure.legends[0].texts] == ["10-90 %", "25-75 %", "median", "onset"]
    assert figure.get_suptitle() == "data"


@pytest.mark.parametrize("scale", ["symlog", "log"])
def test_weak_and_strong_parts_have_a_scale_for_both(scale: str) -> None:
    figure = draw_fans(
        {"a": np.abs(RNG.normal(size=(20, 1, 30))) + 0.1}, np.arange(30), channels=("Z",), axis_label="Hz",
        value_label="power", scale=scale,  # type: ignore[arg-type]
    )  # fmt: skip
    assert figure.axes[0].get_yscale() == scale


def test_records_of_any_length_are_cut_about_their_onsets() -> None:
    records = [np.arange(10.0)[None], np.arange(4.0)[None], np.arange(9.0)[None]]
    cut = align(records, [5, 1, float("nan")], n_before=2, n_after=3)
    assert cut.shape == (2, 1, 5)
    np.testing.assert_array_equal(cut[0, 0], [3, 4, 5, 6, 7])
    np.testing.assert_array_equal(cut[1, 0], [np.nan, 0, 1, 2, 3])
    assert np.isnan(align(records[:1], [100], n_before=2, n_after=2)).all()
    assert align([], [], n_before=2, n_after=2).shape == (0, 1, 4)
    with pytest.raises(DataError, match="3 records and 1 onsets"):
        align(records, [1], n_before=1, n_after=1)


def test_quantiles_are_not_drawn_where_hardly_a_record_reaches() -> None:
    values = RNG.normal(size=(20, 1, 10))
    values[1:, :, 6:] = np.nan
    figure = draw_fans({"a": values}, np.arange(10), channels=("Z",), axis_label="s", value_label="1")
    assert np.isnan(figure.axes[0].lines[0].get_ydata()[6:]).all()
    nothing = draw_fans({"a": values[:0]}, np.arange(10), channels=("Z",), axis_label="s", value_label="1")
    assert nothing.axes[0].texts[0].get_text() == "no records"
    assert draw_fans({}, np.arange(10), channels=("Z",), axis_label="s", value_label="1").axes[0].texts
    with pytest.raises(DataError, match="1 channels and 9 steps"):
        draw_fans({"a": values}, np.arange(9), channels=("Z",), axis_label="s", value_label="1")


def test_confusion_shows_shares_and_counts() -> None:
    figure = draw_confusion(np.array([[9, 1], [0, 0]]), ["quake", "blast"], title="data")
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["90%", "9", "10%", "1", "-", "0", "-", "0"]
    assert [one.get_text() for one in axes.get_yticklabels()] == ["quake\n(n = 10)", "blast\n(n = 0)"]
    np.testing.assert_allclose(axes.images[0].get_array()[0], [0.9, 0.1])
    with pytest.raises(DataError, match="one name a class"):
        draw_confusion(np.zeros((2, 3)), ["a", "b"])


def test_reliability_of_classes_is_drawn_with_its_error() -> None:
    bins = {"mean_confidence": np.array([0.6, 0.9]), "share_right": np.array([0.5, 1.0]), "count": np.array([100, 100])}
    figure = draw_class_reliability({"before": bins, "nothing": {k: v[:0] for k, v in bins.items()}})
    axes = figure.axes[0]
    assert axes.get_legend_handles_labels()[1] == ["as promised", "before: off by 10.0 % on average"]
    np.testing.assert_allclose(axes.lines[1].get_ydata(), [0.5, 1.0])
    assert axes.get_ylim()[0] < 0.42
