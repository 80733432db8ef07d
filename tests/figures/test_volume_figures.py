"""Pictures of volumes: what is drawn is what was given, with the axes that it has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from matplotlib.contour import ContourSet
from typer.testing import CliRunner

from seisloom.cli.main import app
from seisloom.errors import DataError
from seisloom.figures.attributes import TITLES, draw_attributes
from seisloom.figures.volumes import Plane, draw_planes, named_by_file

Volume = npt.NDArray[np.float64]
RNG = np.random.default_rng(0)
SECTION = RNG.normal(size=(30, 20))


def test_every_attribute_has_its_picture_and_strike_none_of_its_own() -> None:
    fault = np.zeros(SECTION.shape)
    fault[12:14] = 0.9
    found = {
        "fault": fault,
        "dip": 80 * fault,
        "strike": 0 * fault,
        "rgt": np.cumsum(np.ones(SECTION.shape), 1),
        "dhr": SECTION,
    }
    figure = draw_attributes(SECTION, found, labels=fault > 0, title="a line")
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.axison and axes.get_title(loc="left")]
    assert titles == ["section", *(TITLES[name] for name in ("fault", "dip", "rgt", "dhr"))]
    assert sum(bool(axes.images) for axes in figure.axes) >= 5
    assert figure.get_suptitle() == "a line"


@pytest.mark.parametrize("shape", [(48, 40), (40, 128), (128, 64), (600, 1500), (900, 100)])
def test_no_picture_of_a_section_is_taller_than_two_screens(shape: tuple[int, int]) -> None:
    found = {name: RNG.uniform(size=shape) for name in ("fault", "dip", "rgt", "dhr")}
    width, height = draw_attributes(RNG.normal(size=shape), found).get_size_inches()
    assert width >= 8
    assert height < 22


def test_voxels_of_a_small_section_are_about_as_high_as_wide() -> None:
    shape = (48, 40)
    figure = draw_attributes(RNG.normal(size=shape), {"fault": RNG.uniform(size=shape), "dhr": RNG.normal(size=shape)})
    figure.draw_without_rendering()
    box = figure.axes[0].get_window_extent()
    assert 0.6 < (box.height / shape[1]) / (box.width / shape[0]) < 1.6


def test_dips_span_what_faults_have_around_upright() -> None:
    fault = np.zeros(SECTION.shape)
    fault[12:14] = 0.9
    dip = np.where(fault > 0, 65.0, 5.0)  # off the faults it is not looked at
    figure = draw_attributes(SECTION, {"fault": fault, "dip": dip})
    (panel,) = (axes for axes in figure.axes if axes.get_title(loc="left") == TITLES["dip"])
    assert panel.images[-1].get_clim() == (65, 115)
    assert np.isfinite(panel.images[-1].get_array().filled(np.nan)).sum() == (fault > 0).sum()


def test_horizons_below_zero_are_drawn_as_those_above() -> None:
    rgt = np.cumsum(np.ones(SECTION.shape), 1) - 10
    figure = draw_attributes(SECTION, {"rgt": rgt})
    (panel,) = (axes for axes in figure.axes if axes.get_title(loc="left") == TITLES["rgt"])
    (contours,) = (one for one in panel.collections if isinstance(one, ContourSet))
    assert {dashes for _, dashes in contours.get_linestyle()} == {None}


def test_a_name_of_a_file_tells_its_attribute_where_its_variable_does_not() -> None:
    assert named_by_file("a/found_fault.sgy", "amplitude") == "fault"
    assert named_by_file("a/found_rgt.zarr", "dip") == "dip"
    assert named_by_file("a/near_stack.sgy", "amplitude") == "amplitude"


def planes_of(shape: tuple[int, int, int], overlay: Volume | None = None) -> tuple[Plane, Plane, Plane]:
    """Slice, inline and crossline of a volume (inline, crossline, time), as the command cuts them."""
    values = RNG.normal(size=shape)
    middle = [n // 2 for n in shape]

    def plane(held: int, down: int, across: int) -> Plane:
        cut = [np.take(one, middle[held], axis=held) for one in (values, overlay) if one is not None]
        cut = cut if held == 2 else [one.T for one in cut]
        return Plane(
            cut[0], (0, shape[across] - 1), (0, shape[down] - 1), "across", "down", f"plane {held}",
            None if overlay is None else cut[1], cuts=(0.0, 0.0),
        )  # fmt: skip

    return plane(2, 0, 1), plane(0, 2, 1), plane(1, 2, 0)


@pytest.mark.parametrize(("shape", "held"), [((1, 8, 10), 0), ((8, 1, 10), 1), ((7, 8, 1), 2)])
@pytest.mark.filterwarnings("error")
def test_a_volume_of_one_line_is_one_section(shape: tuple[int, int, int], held: int) -> None:
    figure = draw_planes(planes_of(shape, np.zeros(shape)), label="amplitude", overlay_label="fault", title="a line")
    figure.draw_without_rendering()
    (drawn,) = (axes for axes in figure.axes if axes.images)
    assert drawn.get_title(loc="left") == f"plane {held}"
    assert not drawn.lines
    box = drawn.get_window_extent()
    assert box.width * box.height > 0.6 * figure.bbox.width * figure.bbox.height
    assert {axes.get_ylabel() for axes in figure.axes} == {"down", "amplitude", "fault"}


@pytest.mark.filterwarnings("error")
def test_a_single_trace_and_an_overlay_of_no_value_can_be_drawn() -> None:
    shape = (1, 1, 10)
    draw_planes(planes_of(shape, np.full(shape, np.nan)), label="amplitude").draw_without_rendering()


@pytest.mark.parametrize(
    ("name", "hidden"), [("fault", 0.25), ("dip", 0.0), ("rgt", 0.0), ("dhr", 0.0), ("amplitude", 0.0)]
)
def test_only_what_is_hardly_a_fault_is_hidden(name: str, hidden: float) -> None:
    over = np.tile(np.array([0.01, 0.3, 0.6, 1.0]), (6, 8, 3))
    figure = draw_planes(planes_of(over.shape, over), label="amplitude", overlay_label=name)
    shares = {np.mean(axes.images[1].get_array().mask) for axes in figure.axes[1:3] if len(axes.images) > 1}
    assert shares == {hidden}


def test_an_overlay_without_a_name_that_is_mostly_near_zero_is_drawn_as_a_probability() -> None:
    over = np.zeros((6, 8, 10))
    over[:, 3] = 0.7
    figure = draw_planes(planes_of(over.shape, over), label="amplitude", overlay_label="amplitude")
    assert figure.axes[0].images[1].get_array().mask.any()


def test_the_angle_of_no_fault_is_not_drawn() -> None:
    over = np.zeros((6, 8, 10))
    over[3] = 70.0
    image = draw_planes(planes_of(over.shape, over), label="amplitude", overlay_label="dip").axes[0].images[1]
    assert image.get_clim() == (70, 110)
    assert (~image.get_array().mask).sum() == 8


def test_three_sections_share_their_colours_and_show_where_they_cut() -> None:
    def plane(title: str, overlay: np.ndarray[tuple[int, int], np.dtype[np.float64]] | None) -> Plane:
        return Plane(SECTION.T, (100, 129), (0, 19), "crossline", "time", title, overlay, cuts=(110.0, 5.0))

    over = np.full(SECTION.T.shape, np.nan)
    over[3, 3] = 0.7
    figure = draw_planes((plane("slice", over), plane("inline", over), plane("crossline", None)), label="amplitude")
    drawn = [axes for axes in figure.axes if axes.images]
    limits = {axes.images[0].get_clim() for axes in drawn}
    assert len(limits) == 1
    assert [len(axes.images) for axes in drawn[:3]] == [2, 2, 1]
    assert all(len(axes.lines) == 2 for axes in drawn[:3])
    assert drawn[0].images[1].get_clim() == (0, 1)


@pytest.fixture
def cube(tmp_path: Path) -> Path:
    RNG.normal(size=(6, 8, 10)).astype("<f4").tofile(tmp_path / "v.bin")
    return tmp_path / "v.bin"


def test_the_command_draws_the_middle_and_what_is_asked(cube: Path, tmp_path: Path) -> None:
    sizes = ["--n1", "10", "--n2", "8", "--n3", "6"]
    run = CliRunner().invoke(app, ["view", "volume", str(cube), "--out", str(tmp_path / "a.png"), *sizes])
    assert run.exit_code == 0, run.output
    assert (tmp_path / "a.png").stat().st_size > 10_000
    wrong = CliRunner().invoke(
        app, ["view", "volume", str(cube), "--out", str(tmp_path / "b.png"), "--inline", "99", *sizes]
    )
    assert isinstance(wrong.exception, DataError)
    assert "no inline 99" in str(wrong.exception)


def test_a_line_has_no_three_sections(tmp_path: Path) -> None:
    RNG.normal(size=(8, 10)).astype("<f4").tofile(tmp_path / "l.bin")
    line = ["view", "volume", str(tmp_path / "l.bin"), "--out", str(tmp_path / "l.png"), "--n1", "10", "--n2", "8"]
    run = CliRunner().invoke(app, line)
    assert isinstance(run.exception, DataError)
    assert "view section" in str(run.exception)


def test_a_section_that_lies_on_its_side_is_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    layers = np.convolve(rng.normal(size=200), np.diff(np.hanning(13), 2), "same")
    line = layers + 0.1 * layers.std() * rng.normal(size=(60, 200))
    np.save(tmp_path / "line.npy", line)
    np.save(tmp_path / "turned.npy", line.T)
    said = {}
    for name in ("line", "turned"):
        words = ["view", "section", str(tmp_path / f"{name}.npy"), "--out", str(tmp_path / f"{name}.png")]
        run = CliRunner().invoke(app, words)
        assert run.exit_code == 0, run.output
        said[name] = run.output
    assert "may lie on its side" in said["turned"]
    assert "may lie on its side" not in said["line"]


def test_colours_of_no_sample_are_refused(cube: Path, tmp_path: Path) -> None:
    words = ["view", "section", str(cube), "--n1", "10", "--n2", "8", "--n3", "6", "--inline", "2", "--clip", "0"]
    run = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "a.png")])
    assert isinstance(run.exception, DataError)
    assert "clip is 0 per cent" in str(run.exception)


def test_a_fault_is_the_fainter_the_less_likely() -> None:
    over = np.zeros((6, 8, 10))
    over[:, 3], over[:, 5] = 0.2, 0.9
    image = draw_planes(planes_of(over.shape, over), label="amplitude", overlay_label="fault").axes[0].images[1]
    alpha = np.asarray(image.get_alpha())
    assert set(np.unique(alpha.round(3))) == {0.0, 0.18, 0.81}
