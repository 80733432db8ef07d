"""What an import loads: the command and the contracts stay light, a room needs torch only when it trains."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "pandas", "xarray", "matplotlib", "pytorch_lightning", "obspy", "scipy", "h5py", "segyio")


def loaded_by(code: str) -> set[str]:
    """Return the top-level packages that are loaded after the code ran in a fresh process."""
    said = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint('|'.join({{name.split('.')[0] for name in sys.modules}}))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(said.stdout.strip().splitlines()[-1].split("|"))


@pytest.mark.parametrize("code", ["import seisloom", "import seisloom.cli", "import seisloom.cli.main"])
def test_the_command_loads_nothing_heavy(code: str) -> None:
    assert loaded_by(code) & set(HEAVY) == set()


def test_a_recipe_is_read_without_pandas_obspy_and_lightning() -> None:
    code = "from seisloom.recipe import read_recipe\nread_recipe('picking').to_yaml()"
    assert loaded_by(code) & {"pandas", "pytorch_lightning", "obspy"} == set()


@pytest.mark.parametrize(
    "module", ["io.shards", "io.segy", "split", "calibration.conformal", "inference.windows", "run"]
)
def test_what_is_numpy_does_not_load_torch(module: str) -> None:
    assert "torch" not in loaded_by(f"import seisloom.{module}")


def test_importing_writes_nothing_and_starts_no_logging(tmp_path: object) -> None:
    code = "import os, logging\nos.chdir(%r)\nimport seisloom.cli.main\nassert not os.listdir('.')" % str(tmp_path)  # noqa: UP031
    assert "seisloom" in loaded_by(f"{code}\nassert not logging.getLogger('seisloom').handlers")
