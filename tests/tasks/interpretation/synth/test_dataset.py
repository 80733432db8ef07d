"""Sets and single volumes on disk: what the generator made, read back; the same bytes however they were written."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from seisloom.compute import executor
from seisloom.convert import open_volume
from seisloom.errors import DataError, OutputError, RecipeError
from seisloom.io.volumes.grid import whole
from seisloom.io.volumes.volume import Wanted
from seisloom.physics.volumes.box import make_box
from seisloom.physics.volumes.corruption import corrupt_attributes
from seisloom.physics.volumes.draw import draw_volume
from seisloom.physics.volumes.priors import VolumePriors
from seisloom.recipe import config_from, read_recipe
from seisloom.tasks.interpretation.data import arrays_of, join, plan, read
from seisloom.tasks.interpretation.recipe import UNITS, InterpretationRecipe
from seisloom.tasks.interpretation.synth import volume as one_volume
from seisloom.tasks.interpretation.synth.config import SynthVolumes
from seisloom.tasks.interpretation.synth.dataset import CARD, VolumeFiles, write_dataset
from seisloom.tasks.interpretation.synth.volume import is_one_volume, write_volume

CONFIG = SynthVolumes(n_train=3, n_valid=1, shape=(12, 20, 32), seed=7, refinement=True)
PLANAR = VolumePriors(styles=("planar",), n_faults=(1, 1), strike_degrees=(0.1, 0.9), throw_samples=(4, 6))


def digests(folder: Path) -> dict[str, str]:
    files = sorted(one for one in folder.rglob("*") if one.is_file())
    return {str(one.relative_to(folder)): hashlib.sha256(one.read_bytes()).hexdigest() for one in files}


def recipe_for(root: Path) -> InterpretationRecipe:
    found = read_recipe("interpretation", [f"data.root={root}", "model.dims=3"])
    assert isinstance(found, InterpretationRecipe)
    return found


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("volumes") / "set"
    write_dataset(CONFIG, out)
    return out


def test_two_workers_write_the_same_bytes_as_one(dataset: Path, tmp_path: Path) -> None:
    with executor(workers=2) as pool:
        write_dataset(CONFIG, tmp_path / "set", pool=pool)
    assert digests(tmp_path / "set") == digests(dataset)


def test_cubes_are_what_the_generator_makes(dataset: Path) -> None:
    job = VolumeFiles(dataset, CONFIG, "train", 1)
    model = draw_volume(CONFIG.shape, job.seed, CONFIG.priors)
    truth, guess = make_box(model), corrupt_attributes(model)

    def cube(place: str) -> np.ndarray:  # time fastest in the file, then crossline and inline
        return np.fromfile(dataset / place, "<f4").reshape(CONFIG.shape)

    np.testing.assert_array_equal(cube("data_train/1.bin"), truth["seismic"])
    for name, ending in {"fault": "fsem", "dip": "fdip", "strike": "fstrike", "rgt": "rgt", "dhr": "dhr"}.items():
        np.testing.assert_array_equal(cube(f"target_train/1_{ending}.bin"), truth[name])
        np.testing.assert_array_equal(cube(f"data_train/1_{ending}.bin"), guess[f"i_{ending}"])


def test_the_training_reads_the_generator_s_arrays_back_without_being_told_sizes(dataset: Path) -> None:
    recipe = recipe_for(dataset)
    refs = plan(recipe)
    assert [ref.key for ref in refs] == ["train/000000", "train/000001", "train/000002", "valid/000000"]
    files = [*(VolumeFiles(dataset, CONFIG, "train", n) for n in range(3)), VolumeFiles(dataset, CONFIG, "valid", 0)]
    for ref, job in zip(refs, files, strict=True):
        truth = make_box(draw_volume(CONFIG.shape, job.seed, CONFIG.priors))
        arrays = arrays_of(recipe, ref)
        for name in ("seismic", *UNITS):
            np.testing.assert_array_equal(arrays[name], truth[name])
        sample = read(recipe, ref)
        item = join(recipe, [sample], None)
        assert item["x"].shape == (1, *CONFIG.shape)
        np.testing.assert_array_equal(item["x"][0], sample.arrays["seismic"])
        for name in ("fault", "dip", "strike", "rgt"):
            np.testing.assert_array_equal(item[name], truth[name])


@pytest.mark.parametrize("angles", ["degree", "share"])
def test_angles_come_back_in_degrees_whatever_they_are_stored_in(tmp_path: Path, angles: str) -> None:
    # strikes below 1 degree would pass for shares of 180 degrees if the side-car did not say what they are
    config = SynthVolumes(n_train=1, n_valid=0, shape=(16, 24, 32), priors=PLANAR, angles=angles)
    write_dataset(config, tmp_path / "set")
    truth = make_box(draw_volume(config.shape, VolumeFiles(tmp_path, config, "train", 0).seed, config.priors))
    assert 0 < truth["strike"].max() < 1
    stored = np.fromfile(tmp_path / "set/target_train/0_fdip.bin", "<f4")
    assert stored.max() <= (1 if angles == "share" else 180)
    recipe = recipe_for(tmp_path / "set")
    arrays = arrays_of(recipe, plan(recipe)[0])
    for name in ("dip", "strike"):
        # one division and one product, each rounded to float32
        np.testing.assert_allclose(arrays[name], truth[name], rtol=2.5e-7 if angles == "share" else 0)


def test_radians_are_refused_though_a_side_car_says_degrees(tmp_path: Path) -> None:
    write_dataset(SynthVolumes(n_train=1, n_valid=0, shape=(16, 24, 32), priors=PLANAR), tmp_path / "set")
    for name in ("fdip", "fstrike"):
        file = tmp_path / f"set/target_train/0_{name}.bin"
        np.radians(np.fromfile(file, "<f4")).astype("<f4").tofile(file)
    recipe = recipe_for(tmp_path / "set")
    with pytest.raises(DataError, match="looks like radians"):
        arrays_of(recipe, plan(recipe)[0])
    told = recipe.model_copy(update={"data": recipe.data.model_copy(update={"angles": "degree"})})
    assert arrays_of(told, plan(told)[0])["dip"].max() < np.pi


def test_each_file_says_its_sizes_axes_and_units(dataset: Path) -> None:
    for place in ("data_train/0.bin", "data_valid/0_rgt.bin", "target_train/2_fsem.bin"):
        volume = open_volume(dataset / place)
        assert volume.spec.grid.names == ("inline", "crossline", "time")
        assert volume.spec.grid.shape == CONFIG.shape
        assert volume.spec.grid["time"].step == pytest.approx(CONFIG.interval_s)
        assert volume.spec.attributes["units"]["dip"] == "degree"
    assert list(open_volume(dataset / "target_train/0").spec.variables) == list(UNITS)


def test_the_manifest_names_every_volume_once_with_its_hashes(dataset: Path) -> None:
    lines = [json.loads(line) for line in (dataset / "manifest.jsonl").read_text().splitlines()]
    assert [(one["part"], one["number"]) for one in lines] == [("train", 0), ("train", 1), ("train", 2), ("valid", 0)]
    assert len({one["seed"] for one in lines}) == 4
    found = digests(dataset)
    named = {place: value for one in lines for place, value in one["sha256"].items()}
    assert named == {place: value for place, value in found.items() if place.endswith(".bin")}


def killed_when(command: list[str], ready: Path) -> None:
    """Start a command, and kill it as soon as a file is there."""
    running = subprocess.Popen([sys.executable, "-c", *command], env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"})
    try:
        for _ in range(6000):
            if ready.exists() or running.poll() is not None:
                break
            time.sleep(0.01)
        assert running.poll() is None, "it was done before it could be killed"
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait()


def test_a_run_that_was_killed_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    config = SynthVolumes(n_train=12, n_valid=2, shape=(24, 32, 48))
    code = (
        "import sys; from seisloom.tasks.interpretation.synth.dataset import write_dataset; "
        "from seisloom.tasks.interpretation.synth.config import SynthVolumes; "
        "write_dataset(SynthVolumes.model_validate_json(sys.argv[1]), sys.argv[2])"
    )
    out = tmp_path / "cut"
    killed_when([code, config.model_dump_json(), str(out)], out / "data_train/1.bin")
    assert not (out / "manifest.jsonl").exists()
    (out / "data_train/0.bin").unlink()  # as if it had been killed while this one was put in its place
    summary = write_dataset(config, out)
    assert summary["kept"] > 0
    write_dataset(config, tmp_path / "whole")
    assert digests(out) == digests(tmp_path / "whole")


def test_more_volumes_may_be_asked_for_and_another_set_not(tmp_path: Path) -> None:
    few = SynthVolumes(n_train=1, n_valid=0, shape=(1, 16, 16))
    more = few.model_copy(update={"n_train": 2, "n_valid": 1})
    write_dataset(few, tmp_path / "set")
    assert write_dataset(more, tmp_path / "set")["kept"] == 1
    before = digests(tmp_path / "set")
    for other in (few, more.model_copy(update={"seed": 1}), more.model_copy(update={"priors": PLANAR})):
        with pytest.raises(OutputError, match="holds another set: "):
            write_dataset(other, tmp_path / "set")
    assert digests(tmp_path / "set") == before
    (tmp_path / "set/data_train/notes.txt").write_text("mine")
    write_dataset(few, tmp_path / "set", force=True)
    assert (tmp_path / "set/data_train/notes.txt").read_text() == "mine"
    assert not (tmp_path / "set/data_valid").exists()
    assert len((tmp_path / "set/manifest.jsonl").read_text().splitlines()) == 1


def test_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/x.txt").write_text("x")
    for place in ("file", "folder"):
        with pytest.raises(OutputError, match=r"is a file|is no set of synthetic volumes"):
            write_dataset(CONFIG, tmp_path / place, force=True)
    large = SynthVolumes(shape=(100_000, 100_000, 10_000))
    with pytest.raises(OutputError, match="GB are needed"):
        write_dataset(large, tmp_path / "large")
    assert not (tmp_path / "large").exists()


def test_mistakes_in_the_config_are_named() -> None:
    with pytest.raises(RecipeError, match=r"shape: \[64, 64, 8\] is too small"):
        config_from(SynthVolumes, ["shape=[64,64,8]"], where="volumes")
    with pytest.raises(RecipeError, match="n_trian: unknown key; did you mean 'n_train'"):
        config_from(SynthVolumes, ["n_trian=4"], where="volumes")
    assert all(field.description for field in SynthVolumes.model_fields.values())


def test_a_zarr_volume_is_the_whole_box_by_box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = SynthVolumes(shape=(20, 36, 50), seed=5, angles="share")
    write_volume(config, tmp_path / "big.zarr", wanted=Wanted(chunk=(8, 16, 32)))
    truth = make_box(draw_volume(config.shape, 5, config.priors))
    volume = open_volume(tmp_path / "big.zarr")
    assert list(volume.spec.variables) == ["amplitude", *UNITS]
    assert volume.traces(whole(config.shape)[:-1]).live.all()
    for name in volume.spec.variables:
        want = truth["seismic" if name == "amplitude" else name]
        want = want / np.float32(180) if name in ("dip", "strike") else want
        np.testing.assert_array_equal(volume.read(whole(config.shape), name), want)
    monkeypatch.setattr(one_volume, "BOX_VOXELS", 1000)
    with executor(workers=2) as pool:
        write_volume(config, tmp_path / "again.zarr", wanted=Wanted(chunk=(8, 16, 32)), pool=pool)
    assert digests(tmp_path / "again.zarr") == digests(tmp_path / "big.zarr")


@pytest.mark.parametrize(
    ("name", "files"), [("big.sgy", {"fault": "big_fault.sgy"}), ("big.bin", {"fault": "big.fsem"})]
)
def test_formats_of_one_variable_get_a_file_for_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, files: dict[str, str]
) -> None:
    monkeypatch.setattr(one_volume, "BOX_VOXELS", 1000)
    config = SynthVolumes(shape=(5, 7, 40), seed=2)
    assert len(write_volume(config, tmp_path / name)["files"]) >= 6
    truth = make_box(draw_volume(config.shape, 2, config.priors))
    volume = open_volume(tmp_path / files["fault"])
    stored = volume.read(whole(config.shape), next(iter(volume.spec.variables)))
    np.testing.assert_array_equal(stored, truth["fault"])


def test_a_volume_that_was_cut_off_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_volume, "BOX_VOXELS", 1000)
    config, out = SynthVolumes(shape=(12, 16, 40), seed=2), tmp_path / "big.bin"
    made = make_box
    calls = []

    def fails_at_the_third(*args: object, **options: object) -> object:
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return made(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(one_volume, "make_box", fails_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        write_volume(config, out)
    assert not out.exists()
    with pytest.raises(OutputError, match="was begun by another run"):
        write_volume(config.model_copy(update={"seed": 3}), out)
    assert write_volume(config, out)["kept"] > 0
    np.testing.assert_array_equal(
        np.fromfile(out, "<f4").reshape(config.shape), make_box(draw_volume(config.shape, 2))["seismic"]
    )
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "big.bin", "big.dhr", "big.fdip", "big.fsem", "big.fstrike", "big.json", "big.rgt",
    ]  # fmt: skip


def test_keys_of_a_set_are_refused_for_one_volume(tmp_path: Path) -> None:
    config = config_from(SynthVolumes, ["n_train=4", "shape=[8,8,16]"], where="volumes")
    with pytest.raises(RecipeError, match=r"n_train: .*big.zarr is one volume"):
        write_volume(config, tmp_path / "big.zarr")
    assert is_one_volume(tmp_path / "big.zarr")
    assert not is_one_volume(tmp_path / "set")
    (tmp_path / "set.v1").mkdir()
    (tmp_path / "set.v1" / CARD).write_text("{}")
    assert not is_one_volume(tmp_path / "set.v1")
