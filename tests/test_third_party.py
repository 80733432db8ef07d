"""A package of somebody else's adds a network, an augmentation and a metric: a few lines of YAML, no line of ours."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from seisloom.recipe import Recipe

Tiny = Callable[..., Recipe]
PACKAGE = Path(__file__).parent / "third_party"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process that has the package installed."""
    folder = tmp_path_factory.mktemp("third_party")
    source, target = folder / "source", folder / "site"
    shutil.copytree(PACKAGE, source)  # building leaves files behind
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*command, "--target", str(target), str(source)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(target), os.environ.get("PYTHONPATH", "")])}


def python(code: str, *arguments: object, env: dict[str, str]) -> str:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_the_package_its_names_are_unknown_and_with_it_they_are_checked(installed: dict[str, str]) -> None:
    code = "from seisloom import plugins; print('acme_net' in plugins.names('models'))"
    assert python(code, env=dict(os.environ)).strip() == "False"
    assert python(code, env=installed).strip() == "True"
    python(
        "from seisloom.plugins import load\nfrom seisloom.testing import check_augmentation\n"
        "check_augmentation(load('augmentations', 'acme_hum')(level=2.0))",
        env=installed,
    )


TRAIN = """
import sys
from pathlib import Path
from seisloom.recipe import read_recipe
from seisloom.run.train import train
from seisloom.testing import check_model
recipe = read_recipe(sys.argv[1])
check_model(recipe.model, recipe)
train(recipe, Path(sys.argv[2]))
"""
APPLY = """
import sys
import numpy as np
from seisloom.bundle import open_predictor
opened = open_predictor(sys.argv[1])
opened.apply(np.load(sys.argv[2]), fs_hz=2000).to_csv(sys.argv[3], index=False)
print(opened.recipe.model.name, type(opened.bundle.network()).__module__)
"""


def test_a_network_of_somebody_else_trains_calibrates_and_applies(
    installed: dict[str, str], tiny: Tiny, tmp_path: Path
) -> None:
    file = tmp_path / "recipe.yaml"
    changed = json.loads(tiny("metrics=[]").model_dump_json())
    changed["model"] = {"name": "acme_net", "width": 4}
    changed["augment"] = [{"name": "acme_hum", "p": 0.5}]
    changed["metrics"] = ["acme_bias_s"]
    file.write_text(json.dumps(changed))  # JSON is YAML
    python(TRAIN, file, tmp_path / "bundle", env=installed)
    with (tmp_path / "bundle" / "history.csv").open() as opened:
        assert "valid/acme_bias_s" in next(csv.reader(opened))

    record = tmp_path / "record.npy"
    np.save(record, np.random.default_rng(0).normal(size=(4, 200)).astype(np.float32))
    said = python(APPLY, tmp_path / "bundle", record, tmp_path / "picks.csv", env=installed)
    assert said.split() == ["acme_net", "acme_seismic.parts"]
    table = pd.read_csv(tmp_path / "picks.csv")
    assert len(table) == 4
    assert table["upper_s"].notna().all()


def test_without_the_package_its_bundle_says_what_is_missing(tmp_path: Path, tiny: Tiny) -> None:
    values = json.loads(tiny().model_dump_json())
    values["model"] = {"name": "acme_net"}
    (tmp_path / "recipe.yaml").write_text(json.dumps(values))
    code = "import sys; from seisloom.bundle import Bundle; Bundle.open(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert "no model is named 'acme_net'" in done.stderr
