"""Pictures of volumes: what is drawn is what was given, with the axes that it has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from seisloom.cli.main import app
from seisloom.errors import DataError
from seisloom.figures.attributes import draw_attributes
from seisloom.figures.volumes import Plane, draw_planes

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
    titles = [axes.get_title(loc="left") or axes.get_title() for axes in figure.axes]
    assert sum(bool(axes.images) for axes in figure.axes) >= 5
    assert any("a line" in title for title in titles)


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
