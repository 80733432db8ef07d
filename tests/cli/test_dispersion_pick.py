"""From a field gather to curves and to Vs, as it is typed."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from seisloom.cli.main import app
from seisloom.errors import DataError, RecipeError
from seisloom.tasks.dispersion.field.curves_file import read_curves


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [*map(str, words)])


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a gather as text, 24 channels at 200 Hz: a plane wave that slows down from 250 to 120 m/s."""
    offsets, hz = 10 + 2.0 * np.arange(24), np.fft.rfftfreq(400, 0.005)
    c = 120 + 250 * np.exp(-np.maximum(hz, 1) / 8)
    inside = (hz > 4) & (hz < 50)
    traces = np.fft.irfft(inside * np.exp(-2j * np.pi * hz * offsets[:, None] / c), 400)
    path = tmp_path_factory.mktemp("shot") / "shot.dat"
    np.savetxt(path, traces.T, fmt="%.5e", header="", comments="")
    return path


@pytest.mark.parametrize("method", ["dispersion-picker", "ridge", "argmax"])
def test_a_gather_becomes_curves_and_these_a_profile(method: str, shot: Path, tmp_path: Path) -> None:
    said = run("apply", method, shot, "--dx", 2, "--first-offset", 10, "--dt", 0.005, "min_hz=6", "max_hz=45", "--out",
               tmp_path / "curves.csv", "--figure", tmp_path / "curves.png")  # fmt: skip
    assert said.exit_code == 0, said.output
    assert re.search(r"\d+ picked", said.output)
    assert (tmp_path / "curves.png").stat().st_size > 10_000
    found = read_curves(tmp_path / "curves.csv")
    f, c = found.frequency_hz, found.velocity_m_s[0]
    # waves shorter than the line, and slower than ghosts of its spacing
    seen = np.isfinite(c) & (c / f < 46) & (c / f > 4)
    assert seen.sum() > 30
    assert np.median(np.abs(c[seen] / (120 + 250 * np.exp(-f[seen] / 8)) - 1)) < 0.02
    if method == "dispersion-picker":
        assert (found.low_m_s[0][seen] < c[seen]).all()
        said = run("invert", tmp_path / "curves.csv", "--out", tmp_path / "vs.csv", "--layerings", 3, "--steps", 100,
                   "--modes", 1)  # fmt: skip
        assert said.exit_code == 0, said.output
        assert (tmp_path / "vs.csv").is_file()


def test_what_is_missing_or_wrong_is_said(shot: Path, tmp_path: Path) -> None:
    out = ("--out", tmp_path / "curves.csv")
    said = run("apply", "ridge", shot, "--dt", 0.005, *out)
    assert isinstance(said.exception, DataError)
    assert "Give the geometry in m: dx_m and first_offset_m" in str(said.exception)
    said = run("apply", "ridge", shot, "--dx", 2, "--first-offset", 10, *out)
    assert "does not say its sampling interval" in str(said.exception)
    said = run("apply", "ridge", shot, "--dx", 0, "--first-offset", 10, *out)
    assert isinstance(said.exception, RecipeError)
    said = run("apply", "ridge", shot, "--dxx", 2, *out)
    assert "apply.dxx: unknown key" in str(said.exception)
