"""The demo of the interpretation room: real sections where they are, synthetic ones elsewhere, and a cube."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from seisloom.bundle import write_weights
from seisloom.convert import open_volume
from seisloom.demos import interpretation as demo
from seisloom.errors import OutputError
from seisloom.recipe import read_recipe
from seisloom.task import task_of

CheckPage = Callable[[Path], int]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained network that sees sections."""
    folder = tmp_path_factory.mktemp("untrained")
    recipe = read_recipe("interpretation", ["model.widths=[4, 8]"])
    torch.manual_seed(0)
    write_weights(recipe.model.build(task_of(recipe).item).state_dict(), folder)
    (folder / "recipe.yaml").write_text(recipe.to_yaml())
    return folder


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "SECTION_SHAPE", (1, 64, 48))
    monkeypatch.setattr(demo, "CUBE_SHAPE", (12, 40, 48))


def test_without_real_sections_it_makes_some_and_knows_all_of_them(
    bundle: Path, tmp_path: Path, check_page: CheckPage
) -> None:
    made = demo.run_volume_demo(tmp_path / "demo", data=tmp_path / "nowhere", bundle=str(bundle))
    table = made.report["tables"]["volumes"]
    assert list(table) == [bundle.name, "discontinuity"]
    assert table[bundle.name]["angle"] is not None
    assert "the sections are synthetic" in made.notes[0]
    for path in made.files:
        assert path.exists(), path
    assert list(made.report["tables"]) == ["volumes", "faults", "fault planes", "image"]
    assert {"F1 @0", "F1 @1", "F1 @2", "F1 @3", "ODS", "OIS"} <= set(made.report["tables"]["faults"][bundle.name])
    assert check_page(tmp_path / "demo") >= 2 * (10 + 10 + 5 + 6)
    assert (tmp_path / "demo" / "evaluate_volumes" / "reliability.png").is_file()
    assert open_volume(tmp_path / "demo" / "cube.zarr").spec.grid.shape == (12, 40, 48)
    assert json.loads((tmp_path / "demo" / "metrics.json").read_text())["tables"]["volumes"] == table


def test_real_sections_are_scored_against_their_picks(bundle: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "interpretation"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in demo.SECTIONS[:2]:
        picks = np.zeros((40, 64), dtype=bool)
        picks[:, 30] = True
        np.save(folder / f"gsb_{name}_seis.npy", rng.normal(size=(40, 64)))
        np.save(folder / f"gsb_{name}_fault.npy", picks)
    made = demo.run_volume_demo(tmp_path / "demo", data=tmp_path / "data", bundle=str(bundle))
    assert "2 sections of the Great South Basin" in made.notes[0]
    volumes = made.report["scores"]["discontinuity"]["volumes"]
    assert sorted(volumes) == ["0: crl_2700", "1: crl_2800"]
    assert made.report["tables"]["volumes"][bundle.name]["angle"] is None, "people picked no angles"
    again = demo.run_volume_demo(tmp_path / "demo", data=tmp_path / "data", bundle=str(bundle), synthetic=True)
    assert "the sections are synthetic" in again.notes[0]


def test_a_folder_that_no_demo_has_made_is_left_as_it_is(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="is not empty and not a former demo's"):
        demo.run_volume_demo(tmp_path, data=tmp_path, bundle=str(bundle))
    assert (tmp_path / "mine.txt").read_text() == "mine"
