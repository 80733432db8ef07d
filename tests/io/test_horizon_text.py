"""Horizons as text: the layouts letter by letter, and back again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seisloom.errors import DataError, MissingDataError, OutputError
from seisloom.io.horizon_text import Horizons, read_horizons, write_horizons
from seisloom.io.volumes.grid import Axis, Grid

TIME = Axis.regular("time", 100, first=1.0, step=0.004, unit="s")
GRID = Grid((Axis.regular("inline", 2, first=10), Axis.regular("crossline", 2, first=20, step=2), TIME))
NAN = float("nan")
HORIZONS = Horizons(
    GRID,
    levels=np.array([0.25, 0.5]),
    depth=np.array([[[10.0, 10.5], [NAN, 12.0]], [[20.0, NAN], [NAN, NAN]]]),
    x=np.array([[1000.0, 1025.0], [1000.5, 1025.5]]),
    y=np.array([[5000.0, 5000.0], [5012.5, 5012.5]]),
)


def test_xyz_has_a_block_a_horizon(tmp_path: Path) -> None:
    write_horizons(tmp_path / "h.xyz", HORIZONS)
    assert (tmp_path / "h.xyz").read_text() == (
        "# horizon 1 level 0.25 x_m y_m time_s\n"
        "1000.00 5000.00 1.040000\n1025.00 5000.00 1.042000\n1025.50 5012.50 1.048000\n"
        "# horizon 2 level 0.5 x_m y_m time_s\n1000.00 5000.00 1.080000\n"
    )


def test_ijk_has_inline_crossline_and_the_sample_from_0(tmp_path: Path) -> None:
    write_horizons(tmp_path / "h.dat", HORIZONS)
    assert (tmp_path / "h.dat").read_text() == (
        "# horizon 1 level 0.25 inline crossline sample\n10 20 10.000\n10 22 10.500\n11 22 12.000\n"
        "# horizon 2 level 0.5 inline crossline sample\n10 20 20.000\n"
    )


def test_csv_has_all_that_is_known(tmp_path: Path) -> None:
    write_horizons(tmp_path / "h.csv", HORIZONS)
    lines = (tmp_path / "h.csv").read_text().splitlines()
    assert lines[0] == "horizon,level,inline,crossline,sample,time_s,x_m,y_m"
    assert lines[2] == "1,0.25,10,22,10.5,1.042,1025,5000"
    assert len(lines) == 5


@pytest.mark.parametrize("suffix", ["csv", "xyz", "dat"])
def test_points_come_back(tmp_path: Path, suffix: str) -> None:
    write_horizons(tmp_path / f"h.{suffix}", HORIZONS)
    found = read_horizons(tmp_path / f"h.{suffix}")
    assert found["horizon"].tolist() == [1, 1, 1, 2]
    assert found["level"].tolist() == [0.25, 0.25, 0.25, 0.5]
    down = {"csv": "time_s", "xyz": "time_s", "dat": "sample"}[suffix]
    wanted = {"time_s": [1.04, 1.042, 1.048, 1.08], "sample": [10, 10.5, 12, 20]}[down]
    assert found[down].to_numpy() == pytest.approx(wanted)


def test_horizons_without_points_make_an_empty_table_that_reads(tmp_path: Path) -> None:
    empty = Horizons(GRID, np.array([0.9]), np.full((1, 2, 2), NAN), HORIZONS.x, HORIZONS.y)
    for suffix in ("csv", "xyz", "dat"):
        write_horizons(tmp_path / f"h.{suffix}", empty)
        assert len(read_horizons(tmp_path / f"h.{suffix}")) == 0


def test_a_line_of_depth_says_metres(tmp_path: Path) -> None:
    grid = Grid((Axis.regular("trace", 2, first=1), Axis.regular("depth", 50, step=5.0, unit="m")))
    write_horizons(tmp_path / "h.csv", Horizons(grid, np.array([0.5]), np.array([[2.0, 3.5]])))
    assert (tmp_path / "h.csv").read_text() == ("horizon,level,trace,sample,depth_m\n1,0.5,1,2,10\n1,0.5,2,3.5,17.5\n")


def test_what_cannot_be_written_or_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"\.csv \.xyz \.dat"):
        write_horizons(tmp_path / "h.grd", HORIZONS)
    without = Horizons(GRID, HORIZONS.levels, HORIZONS.depth)
    with pytest.raises(DataError, match="XYZ needs x and y"):
        write_horizons(tmp_path / "h.xyz", without)
    holes = Horizons(GRID, HORIZONS.levels, HORIZONS.depth, np.full((2, 2), NAN), HORIZONS.y)
    with pytest.raises(DataError, match="3 of its traces have no x and y"):
        write_horizons(tmp_path / "h.xyz", holes)
    assert not list(tmp_path.iterdir())
    with pytest.raises(MissingDataError, match="no such file"):
        read_horizons(tmp_path / "none.dat")
    (tmp_path / "h.dat").write_text("# horizon 1 level 0.5 inline crossline sample\n1 2\n")
    with pytest.raises(DataError, match="line 2"):
        read_horizons(tmp_path / "h.dat")
