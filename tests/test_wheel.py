"""The built wheel, in an environment of its own and away from the checkout, does what the README says."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the wheel; its dependencies are those of the test environment, without the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder / "dist"), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    venv.create(folder / "env", with_pip=False, symlinks=True)
    python = folder / "env" / "bin" / "python"
    (site,) = (folder / "env" / "lib").glob("python*/site-packages")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(pip, check=True, capture_output=True)
    # A plain path line adds the dependencies behind the wheel; the editable checkout's own .pth is not followed
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def run(python: Path, code: str, folder: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "SEISLOOM_DATA")}
    done = subprocess.run(
        [str(python), "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_the_wheel_is_what_is_imported_and_it_ships_recipes_and_weights(installed: Path, tmp_path: Path) -> None:
    code = (
        "import seisloom, seisloom.bundle as b, seisloom.recipe as r; "
        "print(seisloom.__file__); print(b.shipped_bundles()); print(r.packaged_recipes())"
    )
    where, bundles, recipes = run(installed, code, tmp_path).splitlines()
    assert str(installed.parents[1]) in where
    assert "onset-refraction" in bundles
    assert "picking" in recipes


def test_a_shipped_model_picks_an_array_a_stream_and_a_file_alike(installed: Path, tmp_path: Path) -> None:
    code = """
import numpy as np, obspy, seisloom
from seisloom.io.segy import write_segy
rng = np.random.default_rng(0)
time = np.arange(1000) / 2000
onset = 0.1 + 0.002 * np.arange(12)
late = np.maximum(time - onset[:, None], 0)
array = (np.sin(2 * np.pi * 60 * late) * np.exp(-40 * late) + 0.01 * rng.standard_normal((12, 1000))).astype("f4")
picker = seisloom.open_predictor("onset-refraction")
picks = picker.apply(array, fs_hz=2000)
assert list(picks.columns[:6]) == ["trace", "station", "shot_id", "phase", "time_s", "sigma_s"], picks.columns
assert (picks.upper_s > picks.lower_s).all()
stream = obspy.Stream([obspy.Trace(one, {"sampling_rate": 2000.0, "station": f"R{k}"}) for k, one in enumerate(array)])
np.testing.assert_array_equal(picks.time_s, picker.apply(stream).time_s)
write_segy("gather.segy", array, interval_s=1 / 2000)
np.testing.assert_allclose(picks.time_s, picker.apply("gather.segy").time_s, atol=1e-6)
picker.view(array, fs_hz=2000).savefig("picks.png")
print(float(np.median(np.abs(picks.time_s - onset))))
"""
    assert float(run(installed, code, tmp_path)) < 0.005
    assert (tmp_path / "picks.png").stat().st_size > 10_000


def test_the_demo_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    words = ["seisloom", "demo", "--synthetic", "--epochs", "1"]
    code = f"import sys, seisloom.cli.main as command; sys.argv = {words!r}; command.main()"
    said = run(installed, code, tmp_path)
    assert "fine-tuned" in said
    assert "sta_lta" in said
    for name in ("picks.csv", "bundle/calibration.json", "bundle/loss_plot.png", "evaluation/report.html"):
        assert (tmp_path / "demo" / name).is_file(), name
