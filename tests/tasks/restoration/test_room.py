"""The restoration room keeps the contract of a room on what is made, on gathers in a file and on volumes; it trains."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from seisloom.bundle import Bundle, open_predictor
from seisloom.convert import create_volume
from seisloom.errors import BundleError, OutputError
from seisloom.io.volumes.grid import Axis, Grid, whole
from seisloom.io.volumes.volume import AMPLITUDE, Spec, Traces, Wanted
from seisloom.recipe import recipe_from
from seisloom.run.train import train
from seisloom.sample import Array
from seisloom.tasks.restoration.recipe import RestorationRecipe
from seisloom.tasks.restoration.task import RESTORATION
from seisloom.testing import check_task

VALUES = {
    "task": "restoration",
    "data": {"synth": {"shape": [1, 16, 64], "n": 12}},
    "split": {"by": ["panel"], "valid": 0.2, "calibrate": 0.25, "test": 0.2},
    "corrupt": [{"name": "missing", "p": 1.0}, {"name": "add_noise", "p": 0.5}],
    "augment": [{"name": "polarity_flip", "p": 0.5}],
    "model": {"name": "mask_unet", "widths": [4, 8]},
    "loss": [{"name": "relative_error"}],
    "train": {"epochs": 1, "batch_size": 2, "loggers": ["csv"], "accelerator": "cpu", "threads": 1},
    "calibrate": {"min_n": 2},
    "apply": {"hide": ["irregular 50"], "hide_seeds": 1, "hidings": 1},
}


def small(*changes: str) -> RestorationRecipe:
    recipe = recipe_from(VALUES, list(changes))
    assert isinstance(recipe, RestorationRecipe)
    return recipe


def waves(shape: tuple[int, int, int]) -> Array:
    """Return a cube of dipping waves with a little noise."""
    line, trace, time = np.indices(shape)
    noise = np.random.default_rng(0).normal(size=shape)
    return np.asarray(50 * np.sin(0.5 * (time - 0.4 * trace - 0.2 * line)) + noise, dtype=np.float32)


@pytest.fixture(scope="module")
def cube(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A volume in Zarr."""
    path, values = tmp_path_factory.mktemp("cube") / "cube.zarr", waves((10, 16, 40))
    axes = Axis.regular("inline", 10), Axis.regular("crossline", 16), Axis.regular("time", 40, step=0.004, unit="s")
    writer = create_volume(path, Spec(Grid(axes), {AMPLITUDE: np.dtype(np.float32)}), Wanted(chunk=(2, 8, 40)))
    writer.write_traces(whole((10, 16)), Traces(np.ones((10, 16), dtype=bool)))
    writer.write(whole(values.shape), values)
    writer.finish()
    return path


def test_the_room_keeps_the_contract_on_made_gathers() -> None:
    check_task(RESTORATION, small(), n_read=3)


def test_the_room_keeps_the_contract_on_made_sections() -> None:
    made = "data.synth={kind: poststack, shape: [2, 16, 48], n: 6}"
    check_task(RESTORATION, small(made, "model={name: denoising_unet, widths: [4, 8]}", "apply.goal=denoise"), n_read=2)


def test_the_room_keeps_the_contract_on_shots_of_a_file(shots: tuple[Path, Array, Array]) -> None:
    file, _, live = shots
    recipe = small(f"data.root={file}", "data.block=1", "data.crop=[1, 16, 64]")
    check_task(RESTORATION, recipe)
    refs = RESTORATION.plan(recipe)
    assert [ref.key for ref in refs] == [f"shots.sgy/shot-{k}" for k in (101, 102, 103)]
    np.testing.assert_array_equal(RESTORATION.read(recipe, refs[0]).arrays["known"], live[None].astype(np.float32))


@pytest.mark.parametrize("dims", [2, 3])
def test_the_room_keeps_the_contract_on_a_volume(cube: Path, dims: int) -> None:
    crop = "[1, 8, 32]" if dims == 2 else "[4, 8, 32]"
    recipe = small(f"data.root={cube}", f"data.crop={crop}", f"model.dims={dims}", "data.block=1")
    check_task(RESTORATION, recipe, n_read=3)
    assert all(RESTORATION.read(recipe, ref).arrays["clean"].ndim == 3 for ref in RESTORATION.plan(recipe)[:2])


@pytest.mark.parametrize("model", ["denoising_autoencoder", "guess_unet"])
def test_the_other_networks_keep_the_contract(model: str) -> None:
    keys = ", levels: 2" if model == "denoising_autoencoder" else ", guess: linear"
    check_task(RESTORATION, small(f"model={{name: {model}, widths: [4, 8]{keys}}}", "data.synth.n=6"), n_read=2)


def test_it_trains_on_a_volume_calibrates_evaluates_and_applies(cube: Path, tmp_path: Path) -> None:
    recipe = small(f"data.root={cube}", "data.crop=[1, 8, 32]", "data.block=1", "train.passes=2")
    trained = train(recipe, tmp_path / "b")
    assert trained.bundle.calibration is not None
    tables = trained.report["tables"]
    assert tables
    assert all("b" in rows for rows in tables.values())
    assert json.loads((tmp_path / "b" / "metrics.json").read_text())["tables"] == json.loads(json.dumps(tables))
    seen = trained.bundle.seen()
    assert len(seen)
    assert np.isin(seen, RESTORATION.contents(recipe, RESTORATION.plan(recipe))).all()
    values = waves((1, 16, 40))[0]
    values[[3, 4, 9]] = 0
    (restored,) = open_predictor(tmp_path / "b").apply(values, fs_hz=250)
    live = np.any(values != 0, axis=-1)
    np.testing.assert_array_equal(restored.values[0][live], values[live])
    assert restored.values[0][~live].any()


def test_an_output_folder_that_is_there_and_changed_weights_are_refused(tmp_path: Path) -> None:
    train(small(), tmp_path / "b")
    before = (tmp_path / "b" / "weights.safetensors").read_bytes()
    with pytest.raises(
        OutputError, match=r"holds a bundle of another recipe \(seed was 0, is now 1\)\. Choose another"
    ):
        train(small("seed=1"), tmp_path / "b")
    assert (tmp_path / "b" / "weights.safetensors").read_bytes() == before
    (tmp_path / "b" / "weights.safetensors").write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    with pytest.raises(BundleError, match=r"damaged or replaced, its hash is not the one in weights\.sha256"):
        Bundle.open(tmp_path / "b").network()
