from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.collections import LineCollection, QuadMesh
from matplotlib.figure import Figure

from seisloom.errors import DataError
from seisloom.figures.gathers import draw_gather
from seisloom.figures.picks import draw_pick

FS_HZ = 1000.0


def made_gather(n_traces: int) -> dict:
    rng = np.random.default_rng(0)
    onset = 0.1 + 0.002 * np.arange(n_traces) % 0.2
    time = np.arange(1000) / FS_HZ
    traces = np.where(time > onset[:, None], np.sin(300 * (time - onset[:, None])), 0) + 0.01 * rng.normal(
        size=(n_traces, 1000)
    )
    return {
        "traces": traces,
        "fs_hz": FS_HZ,
        "time_s": onset,
        "lower_s": onset - 0.01,
        "upper_s": onset + 0.02,
        "kept": np.arange(n_traces) % 4 > 0,
    }


def legend_of(figure: Figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_a_gather_shows_picks_intervals_abstentions_and_human_picks() -> None:
    data = made_gather(12)
    figure = draw_gather(**data, human_s=data["time_s"], title="LINE, shot 1", position_label="receiver")
    (axes,) = figure.axes
    lines = {line.get_label(): line for line in axes.lines}
    np.testing.assert_allclose(lines["pick"].get_ydata(), data["time_s"][data["kept"]])
    np.testing.assert_allclose(lines["abstained"].get_ydata(), data["time_s"][~data["kept"]])
    np.testing.assert_allclose(lines["human pick"].get_ydata(), data["time_s"])
    bars = [one for one in axes.collections if isinstance(one, LineCollection) and one.get_label() == "90 % interval"]
    ends = np.array([segment[:, 1] for segment in bars[0].get_segments()])
    np.testing.assert_allclose(ends, np.c_[data["lower_s"], data["upper_s"]][data["kept"]])
    assert legend_of(figure) == ["human pick", "90 % interval", "pick", "abstained"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("receiver", "time (s)")


def test_time_runs_down_and_is_zoomed_to_the_picks() -> None:
    (axes,) = draw_gather(**made_gather(12)).axes
    bottom, top = axes.get_ylim()
    assert 0 <= top < 0.1 < 0.122 < bottom < 0.3


def test_many_traces_become_shades_and_few_are_wiggles() -> None:
    many, few = draw_gather(**made_gather(200)).axes[0], draw_gather(**made_gather(10)).axes[0]
    assert any(isinstance(one, QuadMesh) for one in many.collections)
    assert not any(isinstance(one, QuadMesh) for one in few.collections)
    assert draw_gather(**made_gather(10), kind="shades").axes[0].get_xlim() == few.get_xlim()


def test_every_trace_starts_at_its_own_time() -> None:
    traces = np.zeros((2, 100))
    traces[:, 50] = 1.0
    figure = draw_gather(traces, fs_hz=FS_HZ, t0_s=np.array([0.0, 0.02]))
    peaks = [line.get_ydata()[np.argmax(line.get_xdata())] for line in figure.axes[0].lines]
    np.testing.assert_allclose(peaks, [0.05, 0.07])


def test_dead_traces_nan_and_missing_picks_are_drawn_without_warnings(recwarn: pytest.WarningsRecorder) -> None:
    data = made_gather(6)
    data["traces"][0] = 0
    data["traces"][1] = np.nan
    data["traces"][2, :200] = np.nan
    data["time_s"] = data["time_s"].copy()
    data["time_s"][:4] = np.nan
    for kind in ("wiggle", "shades"):
        draw_gather(**data, kind=kind).canvas.draw()
    draw_gather(data["traces"], fs_hz=FS_HZ).canvas.draw()
    assert not recwarn.list


@pytest.mark.parametrize("kind", ["wiggle", "shades"])
def test_picks_stay_with_their_traces_whatever_the_order_of_positions(kind: str) -> None:
    data = made_gather(8)
    position = np.array([70.0, 10, 30, 20, 50, 40, 60, 60])
    figure = draw_gather(**data, position=position, position_label="offset (m)", kind=kind)
    figure.canvas.draw()
    picks = next(line for line in figure.axes[0].lines if line.get_label() == "pick")
    drawn = dict(zip(picks.get_ydata(), picks.get_xdata(), strict=True))
    assert drawn == {
        time: place for time, place, kept in zip(data["time_s"], position, data["kept"], strict=True) if kept
    }


def test_positions_that_are_not_known_are_refused() -> None:
    with pytest.raises(DataError, match="leave position out"):
        draw_gather(np.ones((2, 5)), fs_hz=FS_HZ, position=np.array([0, np.nan]))


def test_something_else_than_a_gather_is_refused() -> None:
    with pytest.raises(DataError, match="trace, time"):
        draw_gather(np.zeros(5), fs_hz=FS_HZ)


@pytest.mark.parametrize(
    ("reason", "heading"), [("", "picked"), ("SNR 1.0 dB < 3.0 dB", "abstained: SNR 1.0 dB < 3.0 dB")]
)
def test_a_single_trace_says_whether_and_why(reason: str, heading: str) -> None:
    trace = np.sin(np.arange(1000) / 9)
    figure = draw_pick(
        trace, fs_hz=FS_HZ, time_s=0.5, lower_s=0.49, upper_s=0.51, snr_db=1.0, human_s=0.502, reason=reason, title="R1"
    )
    whole, near = figure.axes
    assert near.get_title(loc="left") == heading
    assert "half-width 10.00 ms" in near.get_title(loc="right")
    assert "-2.00 ms from the human pick" in near.get_title(loc="right")
    assert near.get_xlim()[0] < 0.49 < 0.51 < near.get_xlim()[1]
    assert whole.get_xlim() == (0.0, pytest.approx(0.999))
    assert near.get_xlabel() == "time (s)"


def test_a_dead_trace_without_pick_is_drawn() -> None:
    figure = draw_pick(np.zeros(100), fs_hz=FS_HZ, reason="dead trace")
    assert "no signal in view" in [text.get_text() for text in figure.axes[1].texts]


def test_a_figure_is_1000_pixels_wide_and_leaves_the_settings_of_others_alone(tmp_path: Path) -> None:
    before = dict(mpl.rcParams)
    figure = draw_gather(**made_gather(5))
    assert dict(mpl.rcParams) == before
    figure.savefig(tmp_path / "gather.png")
    assert mpl.image.imread(tmp_path / "gather.png").shape[1] == 1000
