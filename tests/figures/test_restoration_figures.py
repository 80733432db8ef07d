"""Pictures of restorations: one scale for all, missing traces marked, the fan where events of its slopes lie."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from seisloom.errors import DataError
from seisloom.figures.fidelity import draw_fidelity, draw_scores
from seisloom.figures.fk import DEEPEST_DB, draw_spectrum, strongest
from seisloom.figures.restoration import DEAD, Line, draw_methods, draw_restored
from seisloom.figures.style import new_figure

RNG = np.random.default_rng(0)
TRUTH = RNG.normal(size=(24, 60))
LIVE = np.arange(24) % 3 > 0
GIVEN = np.where(LIVE[:, None], TRUTH, 0.0)
LINE = Line(GIVEN, 0.9 * TRUTH, LIVE, TRUTH, half_width=np.full(TRUTH.shape, 0.5), fs_hz=250.0)


def titled(axes: list[Axes]) -> dict[str, Axes]:
    return {one.get_title(loc="left"): one for one in axes if one.images}


def test_input_output_truth_and_difference_share_one_scale_and_axes() -> None:
    figure = draw_restored(LINE, slopes=(-1.0, 2.0), title="a shot")
    found = titled(figure.axes)
    sections = [found[name] for name in ("input", "output", "truth", "truth − output")]
    assert {one.images[0].get_clim() for one in sections} == {(-LINE.clip, LINE.clip)}
    np.testing.assert_allclose(sections[3].images[0].get_array(), 0.1 * TRUTH.T)
    for one in sections:
        low, high = one.get_ylim()
        assert low > high  # time downwards
        assert low == pytest.approx(59.5 / 250)
        assert len(one.collections[0].get_paths()) == (~LIVE).sum()
    shown = sections[0].images[0].get_array()
    assert np.ma.getmaskarray(shown).any(axis=0).tolist() == (~LIVE).tolist()
    assert sections[0].get_facecolor() == to_rgba(DEAD)
    assert sum(one.get_ylim()[1] == 125 for one in figure.axes) == 4
    assert figure.get_suptitle() == "a shot"


def test_around_a_narrow_gap_only_its_surroundings_are_drawn() -> None:
    live = np.ones(200, dtype=bool)
    live[100:104] = False
    truth = np.where(np.arange(200)[:, None] < 50, 1000.0, 1.0) * RNG.normal(size=(200, 30))
    gap = Line(np.where(live[:, None], truth, 0), truth, live, truth)
    assert gap.shown == (92, 112)
    assert gap.clip < 10  # by what is drawn, not by what is loud elsewhere
    assert draw_restored(gap).axes[0].get_xlim() == (92.5, 112.5)
    assert LINE.shown == (0, 24)
    assert Line(truth, truth, np.ones(200, dtype=bool)).shown == (0, 200)


def test_without_truth_the_interval_is_drawn_instead() -> None:
    line = Line(GIVEN, TRUTH, LIVE, half_width=np.where(LIVE[:, None], 0 * TRUTH, 1.0))
    figure = draw_restored(line)
    assert set(titled(figure.axes)) == {"input", "output", "input − output", "half of the interval"}
    assert titled(figure.axes)["input"].get_ylabel() == "time (samples)"
    with pytest.raises(DataError, match="cannot be drawn beside"):
        Line(GIVEN, TRUTH[:, :5], LIVE)


def test_the_fan_lies_on_the_event_and_decibels_below_the_strongest() -> None:
    trace, time = np.arange(32)[:, None], np.arange(128)
    event = np.sin(2 * np.pi * (time - 2.0 * trace) / 16)  # 2 samples a trace, 1/16 cycles a sample
    axes = new_figure().subplots()
    image = draw_spectrum(axes, event, reference=strongest(event), fs_hz=500.0, slopes=(2.0, 6.0))
    level = np.asarray(image.get_array())
    assert level.max() == 0
    assert level.min() >= DEEPEST_DB
    at_f, at_k = np.unravel_index(level.argmax(), level.shape)
    left, right, bottom, top = image.get_extent()
    k = left + (at_k + 0.5) / level.shape[1] * (right - left)
    f = bottom + (at_f + 0.5) / level.shape[0] * (top - bottom)
    line, steep = axes.lines
    at = np.argmin(np.abs(line.get_ydata() - f))
    assert f == pytest.approx(500 / 16)
    assert line.get_xdata()[at] == pytest.approx(k, abs=1e-9)
    assert np.isnan(steep.get_xdata()).any()  # it aliases, and is not drawn across
    assert np.nanmax(np.abs(steep.get_xdata())) <= 0.5


def test_methods_stand_side_by_side_with_their_differences() -> None:
    figure = draw_methods(LINE, {"ours": TRUTH, "linear": GIVEN}, labels={"ours": "9 dB"}, title="a shot")
    images = [one for one in figure.axes if one.images]
    assert [one.get_title(loc="left") for one in images] == ["ours\n9 dB", "linear", *["truth − output"] * 2]
    assert not np.asarray(images[2].images[0].get_array()).any()
    assert len({one.images[0].get_clim() for one in images}) == 1
    with pytest.raises(DataError, match="truth"):
        draw_methods(Line(GIVEN, TRUTH, LIVE), {"ours": TRUTH}, labels={})


def test_amplitudes_by_band_and_a_trace_with_its_interval() -> None:
    similarity = np.where(LIVE[:, None], np.nan, 0.4)
    slopes = {"0-1 s": 0.9, "1-2 s": float("nan"), "far": 7.0}
    figure = draw_fidelity(LINE, similarity, slopes, overall=0.9, trace=3, similarity_label="s", interval_label="90 %")
    left, middle, right = figure.axes[:3]
    assert left.images[0].get_clim() == (0, 1)
    assert [one.get_text() for one in middle.get_yticklabels()] == list(slopes)
    assert [one.get_text() for one in middle.texts] == ["0.90", "silent", "7.00"]
    points = [one.get_xdata()[0] for one in middle.lines if len(one.get_xdata()) == 1]
    assert points == [0.9, middle.get_xlim()[1]]  # what lies beyond is drawn at the edge, its number beside it
    assert right.get_title(loc="left") == "trace 4"
    truth, output = right.lines
    np.testing.assert_allclose(output.get_xdata(), 0.9 * truth.get_xdata())
    assert right.get_ylim()[0] > right.get_ylim()[1]
    assert {one.get_text() for one in right.get_legend().get_texts()} == {"90 %", "truth", "output"}
    nothing = draw_fidelity(LINE, similarity, slopes, overall=0.9, trace=None, similarity_label="s")
    assert nothing.axes[2].texts[0].get_text() == "no trace to compare"


def test_scores_of_all_rows_with_their_medians() -> None:
    rows = {"irregular 50": {"ours": [1.0, 2.0, 9.0], "linear": [0.0, float("nan")]}, "gap 5": {"linear": [1.0]}}
    figure = draw_scores(rows)
    axes = figure.axes[0]
    assert [one.get_text() for one in axes.get_xticklabels()] == list(rows)
    bars = [one.get_ydata()[0] for one in axes.lines if one.get_linewidth() == 3]
    assert bars == [2.0, 0.0, 1.0]
    assert [one.get_text() for one in figure.legends[0].get_texts()] == ["ours", "linear"]
