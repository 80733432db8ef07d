"""Tables of curves: round trip, and those of other programs."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from seisloom.errors import DataError, MissingDataError
from seisloom.tasks.dispersion.field.curves_file import COLUMNS, read_curves, write_curves
from seisloom.tasks.dispersion.field.pick import CurvePicks


def some_picks() -> CurvePicks:
    velocity = np.array([[np.nan, 200.0, 150.0], [400.0, np.nan, 300.0]])
    return CurvePicks(np.array([5.0, 10.0, 20.0]), velocity, velocity * 0.95, velocity * 1.05, velocity / 1000, 0.8)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    picks = some_picks()
    write_curves(picks, tmp_path / "curves.csv", method="ridge")
    again = read_curves(tmp_path / "curves.csv")
    for name in ("frequency_hz", "velocity_m_s", "low_m_s", "high_m_s", "quality"):
        np.testing.assert_allclose(getattr(again, name), getattr(picks, name), rtol=1e-7)
    assert again.level == 0.8
    first = (tmp_path / "curves.csv").read_text().splitlines()
    assert first[0] == ",".join(COLUMNS)
    assert first[1].endswith(",ridge")


def test_a_pick_without_an_interval_keeps_none(tmp_path: Path) -> None:
    picks = some_picks()
    nothing = np.full((2, 3), np.nan)
    write_curves(CurvePicks(picks.frequency_hz, picks.velocity_m_s, nothing, nothing, nothing), tmp_path / "c.csv")
    assert np.isnan(read_curves(tmp_path / "c.csv").low_m_s).all()


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("5,200\n10,150\n", "auto"),
        ("frequency,velocity\n5,200\n10,150\n", "auto"),
        ("# geopsy\n5 0.005\n10 0.0066666666666667\n", "auto"),
        ("5;200\n10;150\n", "frequency"),
        ("15 150\n40 200\n", "wavelength"),
        ("wavelength [m]\tc_mean [m/s]\n15\t150\n40\t200\n", "auto"),
        ("f [Hz], freq comes first, so it is no matter\n5,200\n10,150\n", "frequency"),
    ],
)
def test_tables_of_other_programs_are_the_same_curve(tmp_path: Path, text: str, first: str) -> None:
    file = tmp_path / "curve.txt"
    file.write_text(text)
    curves = read_curves(file, first=first)  # type: ignore[arg-type]
    np.testing.assert_allclose(curves.frequency_hz, [5, 10])
    np.testing.assert_allclose(curves.velocity_m_s, [[200, 150]])


def test_modes_of_a_geopsy_file_begin_at_their_comment(tmp_path: Path) -> None:
    file = tmp_path / "modes.txt"
    file.write_text("# Mode 0\n5 0.005\n10 0.006\n# Mode 1\n10 0.003\n")
    curves = read_curves(file)
    np.testing.assert_allclose(curves.velocity_m_s, [[200, 1 / 0.006], [np.nan, 1 / 0.003]])


def test_bounds_and_standard_deviations(tmp_path: Path) -> None:
    file = tmp_path / "curve.txt"
    file.write_text("10,200,190,212\n")
    assert read_curves(file).high_m_s[0, 0] == 212
    file.write_text("10,200,10\n")
    assert read_curves(file).low_m_s[0, 0] == pytest.approx(190, abs=0.01)
    assert read_curves(file, level=0.95).low_m_s[0, 0] == pytest.approx(200 - 19.6, abs=0.01)
    file.write_text("10,0.005,0.0049,0.0052\n")
    curves = read_curves(file)
    assert curves.low_m_s[0, 0] < curves.velocity_m_s[0, 0] < curves.high_m_s[0, 0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no rows"),
        ("5,200\n5,210\n", "line 2.*second time"),
        ("5,200\n-6,210\n", "line 2.*above 0"),
        ("5,200,190\n6,210\n", "line 2 has 2 columns"),
        ("5,200\nsix,210\n", "line 2"),
        ("5,200,210,220\n", "does not lie within"),
        ("5\n6\n", "1 columns"),
        ("period,velocity\n5,200\n", "first column is called 'period'"),
        ("mode,frequency_hz,velocity_m_s\n0.5,5,200\n", "counted from 0"),
    ],
)
def test_bad_tables_say_what_and_where(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "curve.txt"
    file.write_text(text)
    with pytest.raises(DataError, match=said):
        read_curves(file)


def test_a_missing_or_binary_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="no such file"):
        read_curves(tmp_path / "none.csv")
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(DataError, match="no text"):
        read_curves(tmp_path / "x.csv")


@pytest.mark.skipif("SEISLOOM_DATA" not in os.environ, reason="no recorded data")
def test_published_curve_of_oysand_is_read() -> None:
    curves = read_curves(Path(os.environ["SEISLOOM_DATA"]) / "dispersion" / "oysand" / "Oysand_dc.txt")
    assert curves.velocity_m_s.shape == (1, 30)
    # the first row of the file: wavelength 1.8869 m, 109.622 (108.756 to 110.489) m/s
    assert curves.frequency_hz[-1] == pytest.approx(109.622 / 1.8869)
    assert curves.low_m_s[0, -1] == 108.756
