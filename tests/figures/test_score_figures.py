import numpy as np
import pytest

from seisloom.figures.errors import draw_error_against, draw_error_histogram
from seisloom.figures.history import draw_history
from seisloom.figures.reliability import draw_coverage_by_group, draw_probability_reliability, draw_reliability
from seisloom.figures.risk import draw_risk_coverage


def labels_of(axes) -> list[str]:
    return axes.get_legend_handles_labels()[1]


def test_history_has_a_panel_a_term_with_the_loss_first_and_the_best_epoch_marked() -> None:
    rows = [
        {"epoch": e, "lr": 0.1, "train/nll": 2.0, "train/loss": 3.0 / (e + 1), "valid/loss": abs(e - 2.0)}
        for e in range(5)
    ]
    panels = [axes for axes in draw_history(rows).axes if axes.axison]
    assert [axes.get_title(loc="left") for axes in panels] == ["loss", "nll"]
    assert labels_of(panels[0]) == ["training", "validation", "best: epoch 3"]
    assert panels[0].get_xlabel() == "epoch"
    np.testing.assert_allclose(panels[0].lines[0].get_ydata(), [3 / (e + 1) for e in range(5)])


def test_history_of_no_epoch_and_of_one_can_be_drawn() -> None:
    assert draw_history([]).axes[0].texts
    figure = draw_history([{"epoch": 0, "train/loss": 1.0, "valid/loss": float("nan")}])
    assert labels_of(figure.axes[0]) == ["training"]


@pytest.mark.filterwarnings("error")
def test_a_metric_without_a_value_says_so() -> None:
    rows = [{"epoch": e, "train/loss": 1.0, "valid/f1": float("nan")} for e in range(3)]
    loss, f1 = draw_history(rows).axes
    assert loss.get_legend() is not None
    assert f1.get_legend() is None
    assert [text.get_text() for text in f1.texts] == ["no value in any epoch"]


def test_probabilities_are_drawn_by_bin_and_empty_bins_are_left_out() -> None:
    bins = {
        "ours": {"mean_predicted": [0.1, None, 0.9], "share_true": [0.2, None, 0.7], "count": [90, 0, 10], "ece": 0.11},
        "none": {"mean_predicted": [None], "share_true": [None], "count": [0], "ece": None},
    }
    upper, lower = draw_probability_reliability(bins).axes
    assert labels_of(upper) == ["as promised", "ours: off by 11.0 % on average"]
    np.testing.assert_allclose(upper.lines[1].get_xydata(), [[0.1, 0.2], [0.9, 0.7]])
    np.testing.assert_allclose(lower.lines[0].get_ydata(), [90, 10])


def test_a_huge_first_epoch_does_not_flatten_the_rest() -> None:
    (axes,) = draw_history([{"epoch": e, "train/loss": 1e6 if e == 0 else 1.0 / e} for e in range(40)]).axes[:1]
    assert axes.get_ylim()[1] < 10


def test_reliability_draws_each_method_against_the_promise() -> None:
    coverage = {"ours": {0.5: 0.52, 0.9: 0.91}, "other": {0.5: 0.2, 0.9: 0.6}}
    left, right = draw_reliability(coverage, {"ours": {0.5: 2.0, 0.9: float("inf")}}, n_picks=100).axes
    assert labels_of(left) == ["chance, 100 picks", "as promised", "ours", "other"]
    np.testing.assert_allclose(left.lines[1].get_ydata(), [0.52, 0.91])
    assert left.get_ylim()[0] < 0.2
    np.testing.assert_allclose(right.lines[0].get_ydata(), [2.0])
    assert "(ms)" in right.get_ylabel()


def test_groups_that_fall_short_are_filled() -> None:
    (axes,) = draw_coverage_by_group({"weak": (0.5, 100), "strong": (0.9, 100), "all": (1.0, 3), "none": (0.0, 0)}).axes
    marks = [line for line in axes.lines if line.get_marker() == "o"]
    assert [mark.get_markerfacecolor() != "white" for mark in marks] == [True, False, False]
    assert axes.get_yticklabels()[0].get_text() == "weak  (n = 100)"


def test_risk_curves_are_drawn_in_percent_with_their_mae() -> None:
    share = np.linspace(0.1, 1, 10)
    (axes,) = draw_risk_coverage(
        {"ours": (share, share * 2), "constant": (share, np.full(10, 3.0))}, risk_label="error (ms)"
    ).axes
    assert labels_of(axes) == ["ours: 2 at 100 %", "constant: 3 at 100 %"]
    np.testing.assert_allclose(axes.lines[0].get_xdata(), share * 100)
    assert axes.get_ylabel() == "error (ms)"


def test_the_axis_of_risk_is_that_of_the_first_method() -> None:
    share = np.linspace(0.02, 1, 50)
    curves = {"ours": (share, 1 + share), "bad": (share, 100 + share), "near": (share, 2.2 * share)}
    figure = draw_risk_coverage(curves)
    (axes,) = figure.axes
    assert 2.2 < axes.get_ylim()[1] < 4
    assert labels_of(axes) == [
        "ours: 2 at 100 %", "bad: 101 at 100 % (above the axis)", "near: 2.2 at 100 %",
    ]  # fmt: skip
    assert figure.legends, "beside the curves, not on them"
    assert axes.get_legend() is None
    (axes,) = draw_risk_coverage({"ours": (share, 5 * share), "better": (share, share)}).axes
    assert axes.get_ylim()[1] < 5.5


def test_a_method_without_intervals_has_no_place_in_the_legend_of_coverage() -> None:
    left, right = draw_reliability(
        {"ours": {0.9: 0.91}, "classic": {}}, {"ours": {0.9: 3.0}, "classic": {}}, n_picks=9
    ).axes
    assert labels_of(left) == ["chance, 9 picks", "as promised", "ours"]
    assert labels_of(right) == ["ours"]


def test_a_missing_pick_is_an_error_beyond_every_limit() -> None:
    errors = {"ours": np.array([0.1, -0.2, 0.3, np.nan]), "nothing": np.full(4, np.nan)}
    left, right = draw_error_histogram(errors, limit_ms=1.0).axes
    assert labels_of(left) == ["ours (25% beyond)"]
    assert np.nanmax(right.lines[0].get_ydata()[np.isfinite(right.lines[0].get_xdata())]) == 75


def test_errors_against_offset_show_median_spread_and_interval() -> None:
    offset = np.arange(100.0)
    (axes,) = draw_error_against(offset, np.full(100, 2.0), label="offset (m)", half_width_ms=np.full(100, 3.0)).axes
    assert labels_of(axes) == ["middle 90 % of errors", "median", "median interval"]
    assert axes.get_xlabel() == "offset (m)"
    assert draw_error_against(np.array([np.nan]), np.array([1.0]), label="x").axes[0].texts


def test_errors_of_other_methods_stand_beside_by_their_size() -> None:
    offset, others = np.arange(100.0), {"aic": np.full(100, -4.0), "nothing": np.full(100, np.nan)}
    _, beside = draw_error_against(offset, np.full(100, 2.0), label="offset (m)", others_ms=others, title="ours").axes
    assert labels_of(beside) == ["ours", "aic", "nothing"]
    sizes = {str(line.get_label()): set(np.asarray(line.get_ydata()).tolist()) for line in beside.lines}
    assert sizes == {"ours": {2.0}, "aic": {4.0}, "nothing": set()}


def test_the_first_method_is_filled_and_the_others_are_lines() -> None:
    rng = np.random.default_rng(0)
    left, _ = draw_error_histogram({name: rng.normal(size=400) for name in ("ours", "aic", "sta_lta")}).axes
    assert [one.get_fill() for one in left.patches] == [True, False, False]


@pytest.mark.filterwarnings("error")
def test_a_long_name_leaves_room_for_the_curves() -> None:
    long = {f"/{'very-' * 40}long/{name}": np.linspace(-1, 1, 50) for name in ("a", "b")}
    share = np.linspace(0.02, 1, 50)
    for figure in (
        draw_error_histogram(long), draw_risk_coverage(dict.fromkeys(long, (share, 1 + share))),
        draw_reliability({name: {0.9: 0.8} for name in long}, {name: {0.9: 8.0} for name in long}, n_picks=50),
    ):  # fmt: skip
        figure.draw_without_rendering()
        assert all(axes.get_position().width > 0.3 for axes in figure.axes)
        ends = [label for label in labels_of(figure.axes[0]) if "/" in label]
        assert len(set(ends)) == 2, "still told apart by their ends"
