"""Methods through whole volumes: a classical one and a network, on several workers, and what does not fit."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from seisloom.bundle import Opened, open_predictor, write_weights
from seisloom.convert import create_volume, open_volume
from seisloom.errors import DataError, OutputError, RecipeError, SchemaError
from seisloom.io.volumes.grid import Axis, Grid, whole
from seisloom.io.volumes.volume import Spec, Traces
from seisloom.recipe import read_recipe
from seisloom.run.apply import apply_volume
from seisloom.sample import Array
from seisloom.task import task_of
from seisloom.tiled import Place

SHAPE = (14, 16, 48)
TILES = ("patch=[8, 8, 24]", "overlap=0.5")


def faulted(shape: tuple[int, ...] = SHAPE) -> Array:
    """Flat reflectors that a vertical fault across the crosslines, at the middle one, throws by 5 samples."""
    rng = np.random.default_rng(0)
    n = shape[-1]
    trace = np.convolve(rng.normal(size=n + 30), np.diff(np.exp(-(np.linspace(-3, 3, 13) ** 2)), 2), "same")
    left = np.arange(shape[-2]) < shape[-2] // 2
    values = np.where(left[:, None], trace[10 : 10 + n], trace[15 : 15 + n])
    return np.asarray(np.broadcast_to(values, shape) + 0.02 * rng.normal(size=shape), dtype=np.float32)


def write(path: Path, values: Array) -> Path:
    names = {2: ("trace",), 3: ("inline", "crossline"), 4: ("inline", "crossline", "offset")}[values.ndim]
    lateral = [Axis.regular(name, n, first=1) for name, n in zip(names, values.shape[:-1], strict=True)]
    grid = Grid((*lateral, Axis.regular("time", values.shape[-1], step=0.004, unit="s")))
    writer = create_volume(path, Spec(grid, {"amplitude": np.dtype(np.float32)}))
    writer.write_traces(whole(values.shape[:-1]), Traces(np.ones(values.shape[:-1], dtype=bool)))
    writer.write(whole(values.shape), values)
    writer.finish()
    return path


def make_bundle(folder: Path, *changes: str, seed: int = 0) -> Path:
    """Write a bundle of a network that nobody has trained."""
    recipe = read_recipe("interpretation", ["model.widths=[4, 8]", *changes])
    torch.manual_seed(seed)
    network = recipe.model.build(task_of(recipe).item)
    folder.mkdir()
    (folder / "recipe.yaml").write_text(recipe.to_yaml())
    write_weights(network.state_dict(), folder)
    return folder


def read(path: Path, name: str) -> Array:
    volume = open_volume(path)
    return volume.read(whole(volume.spec.grid.shape), name)


def model_of(path: Path) -> str:
    said = open_volume(path).spec.attributes["seisloom"]
    assert isinstance(said, dict)
    return str(said["model_sha256"])


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A volume with a fault. Not to be written to."""
    return write(tmp_path_factory.mktemp("survey") / "survey.zarr", faulted())


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with a 2-D network. Not to be written to."""
    return make_bundle(tmp_path_factory.mktemp("bundle") / "sections")


def opened(name: str | Path, *changes: str) -> Opened:
    return open_predictor(name).with_changes(*changes)


def test_a_classical_method_finds_the_fault_where_it_is(survey: Path, tmp_path: Path) -> None:
    done = apply_volume(opened("discontinuity", "attributes=fault,dip"), survey, tmp_path / "out.zarr")
    fault = read(tmp_path / "out.zarr", "fault").mean(axis=(0, 2))
    assert fault.argmax() in (SHAPE[1] // 2 - 1, SHAPE[1] // 2)
    assert fault.min() >= 0
    assert fault.max() <= 1
    assert list(open_volume(tmp_path / "out.zarr").spec.variables) == ["fault", "dip"]
    assert done.grid.shape == SHAPE


@pytest.mark.parametrize("method", ["discontinuity", "BUNDLE"])
def test_two_workers_give_the_bytes_of_one(survey: Path, bundle: Path, tmp_path: Path, method: str) -> None:
    tiles = TILES if method == "discontinuity" else ("patch=[8, 24]", "overlap=0.5", "batch_size=2")
    for workers in (1, 2):
        method_opened = opened(bundle if method == "BUNDLE" else method, *tiles)
        done = apply_volume(
            method_opened, survey, tmp_path / f"{workers}", place=Place(workers=workers, device="cpu", memory_mb=1)
        )
        assert done.swept.n_owners > 1
    for ending in (".fsem", ".fdip", ".fstrike"):
        one, two = (tmp_path / f"{workers}{ending}" for workers in (1, 2))
        assert one.read_bytes() == two.read_bytes()
        assert np.isfinite(np.fromfile(one, "<f4")).all()


def test_a_bundle_goes_along_inlines_or_crosslines(bundle: Path, tmp_path: Path) -> None:
    """What a network sees along the crosslines of a volume it sees along the inlines of the volume turned round."""
    values = faulted()
    turned = write(tmp_path / "turned.zarr", values.swapaxes(0, 1))
    straight = write(tmp_path / "straight.zarr", values)
    apply_volume(opened(bundle, "attributes=fault", "along=inline"), straight, tmp_path / "a.zarr")
    apply_volume(opened(bundle, "attributes=fault", "along=crossline"), turned, tmp_path / "b.zarr")
    # To the rounding of float32: the network sees the same sections in the same order
    assert np.allclose(read(tmp_path / "a.zarr", "fault"), read(tmp_path / "b.zarr", "fault").swapaxes(0, 1), atol=1e-6)


def test_the_hash_of_a_model_tells_its_weights_its_checkpoint_and_its_keys(
    survey: Path, bundle: Path, tmp_path: Path
) -> None:
    mine = shutil.copytree(bundle, tmp_path / "mine")
    section = write(tmp_path / "line.zarr", faulted()[0])
    hashes = []

    def run(checkpoint: str | None = None, *changes: str) -> None:
        out = tmp_path / f"{len(hashes)}.zarr"
        apply_volume(opened(mine, "attributes=fault", *changes), section, out, checkpoint=checkpoint)
        hashes.append(model_of(out))

    run()
    run()
    run(None, "overlap=0.5")
    other = make_bundle(tmp_path / "other", seed=1)
    (mine / "checkpoints").mkdir()
    for seed in (1, 2):  # the last epoch is another one after more training
        state = torch.load(make_bundle(tmp_path / f"seed{seed}", seed=seed) / "model.pth", weights_only=True)
        torch.save({"state_dict": state}, mine / "checkpoints" / "last.ckpt")
        run("last")
    for name in ("weights.safetensors", "weights.sha256"):
        shutil.copy(other / name, mine)
    run()
    assert hashes[0] == hashes[1]
    assert len(set(hashes[1:])) == 5


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        (["patch=[8, 8, 24]"], RecipeError, "looks along 2 axes here; give as many numbers"),
        (["patch=[0, 24]"], DataError, "every length must be at least 1"),
        (["along=cube"], SchemaError, "2-D network takes sections"),
        (["attributes=rgt"], RecipeError, "rgt: the network was trained for fault, dip, strike, dhr alone"),
    ],
)
def test_what_does_not_fit_a_network_is_refused_and_leaves_nothing(
    survey: Path, bundle: Path, tmp_path: Path, changes: list[str], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        apply_volume(opened(bundle, *changes), survey, tmp_path / "out.zarr")
    assert not list(tmp_path.iterdir())


def test_a_room_without_volumes_is_refused(survey: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="sta_lta is of the room picking, which does not take volumes"):
        apply_volume(open_predictor("sta_lta"), survey, tmp_path / "out.zarr")


def test_gathers_of_a_pre_stack_volume_are_refused(tmp_path: Path) -> None:
    gathers = write(tmp_path / "gathers.zarr", np.random.default_rng(0).normal(size=(3, 4, 5, 30)).astype(np.float32))
    with pytest.raises(RecipeError, match="a volume of 4 axes"):
        apply_volume(open_predictor("discontinuity"), gathers, tmp_path / "out.zarr")
    assert [one.name for one in tmp_path.iterdir()] == ["gathers.zarr"]


def test_an_unfinished_run_of_other_weights_is_refused_and_names_force(
    survey: Path, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    finish = "seisloom.io.volumes.raw.writer.RawWriter.finish"

    def stopped(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(finish, stopped)
        with pytest.raises(KeyboardInterrupt):
            apply_volume(opened(bundle, "attributes=fault"), survey, out)
    other = make_bundle(tmp_path / "sections", seed=1)
    with pytest.raises(OutputError, match=r"model_sha256 was .* and is now .*--force"):
        apply_volume(opened(other, "attributes=fault"), survey, out)
    done = apply_volume(opened(bundle, "attributes=fault"), survey, out)
    assert done.swept.n_resumed == done.swept.n_owners
    assert out.with_suffix(".fsem").is_file()
