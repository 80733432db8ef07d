"""The demo where no package index answers, and its care for what is in its way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from seisloom.demos.picking import PACKAGE, run_demo
from seisloom.errors import OutputError

RUN = "import sys; from seisloom.cli.main import main; sys.argv[0] = 'seisloom'; main()"


def test_without_an_index_and_with_half_a_download_the_demo_says_so_and_is_synthetic(tmp_path: Path) -> None:
    half = tmp_path / "cache" / "seisloom" / PACKAGE.replace("==", "-") / "refrapy" / "data" / "field_example_01"
    half.mkdir(parents=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    environment |= {
        "PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "XDG_CACHE_HOME": str(tmp_path / "cache"), "OMP_WAIT_POLICY": "PASSIVE",
    }  # fmt: skip
    command = [sys.executable, "-c", RUN, "demo", "--epochs", "1"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    warning = f"warning: {PACKAGE} could not be fetched from a package index"
    assert done.stderr.index(warning) < done.stderr.index("train: "), "it is said before the work, not after"
    assert "The demo uses synthetic records instead" in done.stderr
    assert "the records are synthetic: land lines with known onsets" in done.stdout
    assert "LAND001" in done.stdout
    for name in ("picks.csv", "survey/arrivals.csv", "bundle/calibration.json", "evaluation/report.html"):
        assert (tmp_path / "demo" / name).is_file(), name


def test_a_folder_that_no_demo_has_made_is_left_as_it_is(tmp_path: Path) -> None:
    mine = tmp_path / "survey" / "notes.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    with pytest.raises(OutputError, match="is not empty and not a former demo's"):
        run_demo(tmp_path, cache=tmp_path / "cache", synthetic=True)
    assert mine.read_text() == "mine"
    with pytest.raises(OutputError, match="cannot be written"):
        run_demo(mine, cache=tmp_path / "cache", synthetic=True)
