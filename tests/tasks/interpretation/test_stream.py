"""A trained network over a volume on disk gives what it gives in memory, relative time included, in any format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seisloom.bundle import Opened, open_predictor
from seisloom.convert import open_volume
from seisloom.io.volumes.grid import whole
from seisloom.io.volumes.volume import Given, Wanted
from seisloom.metrics.horizons import edge_ratio
from seisloom.run.apply import apply_volume
from seisloom.run.train import train
from seisloom.sample import Array
from seisloom.tasks.interpretation.recipe import InterpretationRecipe
from seisloom.tiled import Place

Small = Callable[..., InterpretationRecipe]
SHAPE = (24, 28, 40)
KEYS = {"along": "both", "patch": [16, 16, 24], "overlap": 0.5}


@pytest.fixture(scope="module")
def opened(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Opened:
    """A network that hardly trained, with all tasks: what it says differs from tile to tile."""
    out = tmp_path_factory.mktemp("bundle") / "b"
    loss = "loss=[{name: dice}, {name: fault_normal}, {name: ssim_l2}, {name: relative_time}]"
    train(small("model.rgt=true", loss, "data.synth.n=10", "metrics=[]"), out)
    return open_predictor(out, device="cpu").with_changes(**KEYS)


@pytest.fixture(scope="module")
def cube(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("volume") / "in.bin"
    rng = np.random.default_rng(3)
    values = np.cumsum(rng.normal(size=SHAPE), axis=0) + 3 * np.sin(np.arange(SHAPE[-1]))
    values.astype("<f4").tofile(path)
    return path


GIVEN = Given(n1=SHAPE[2], n2=SHAPE[1], n3=SHAPE[0])


def attributes_of(path: Path) -> dict[str, Array]:
    volume = open_volume(path)
    return {name: volume.read(whole(SHAPE), name) for name in volume.spec.variables}


def test_a_volume_on_disk_gives_what_it_gives_in_memory(opened: Opened, cube: Path, tmp_path: Path) -> None:
    values = np.fromfile(cube, "<f4").reshape(SHAPE)
    expected = opened.apply(values)[0].attributes
    apply_volume(opened, cube, tmp_path / "out.zarr", given=GIVEN, wanted=Wanted(chunk=(8, 16, 16)))
    found = attributes_of(tmp_path / "out.zarr")
    assert set(found) == set(expected) == {"fault", "dip", "strike", "rgt", "dhr"}
    scale = float(np.abs(expected["dhr"]).max())
    # The survey's percentiles are told from a sketch on disk and from all samples in memory
    for name, room in (("fault", 1e-3), ("rgt", 1e-2), ("dhr", 1e-2 * scale)):
        np.testing.assert_allclose(found[name], expected[name], atol=room, err_msg=name)
        assert np.abs(found[name] - expected[name]).mean() < 0.1 * room
    assert sorted(one.name for one in tmp_path.iterdir()) == ["out.zarr"]


def test_workers_and_chunks_change_no_byte(opened: Opened, cube: Path, tmp_path: Path) -> None:
    plans = {
        "a.zarr": (Wanted(chunk=(8, 16, 16)), 1), "b.zarr": (Wanted(chunk=(24, 7, 40)), 2), "c.zarr": (Wanted(), 1),
    }  # fmt: skip
    for name, (wanted, workers) in plans.items():
        apply_volume(opened, cube, tmp_path / name, given=GIVEN, wanted=wanted, place=Place(workers))
    one, *others = (attributes_of(tmp_path / name) for name in plans)
    for other in others:
        for name, values in one.items():
            np.testing.assert_array_equal(other[name], values, err_msg=name)


def test_relative_time_has_no_step_at_the_edges_of_tiles(opened: Opened, cube: Path, tmp_path: Path) -> None:
    alone = opened.with_changes(attributes=["rgt"])
    apply_volume(alone, cube, tmp_path / "out.rgt", given=GIVEN)
    found = open_volume(tmp_path / "out.rgt")
    rgt = found.read(whole(SHAPE), "rgt")
    edges = {0: [8, 16], 1: [8, 12, 16, 24], 2: [12, 16, 24, 36]}
    for axis, ratio in edge_ratio(rgt, edges).items():
        assert ratio < 1.25, f"axis {axis}: steps at edges of tiles are {ratio:.2f} of those elsewhere"
