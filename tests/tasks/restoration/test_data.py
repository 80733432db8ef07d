"""Panels to items: volumes are read by chunks, each once; crops, gaps and noise are drawn; workers give the same."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from zarr.storage import LocalStore

from seisloom import plugins
from seisloom.augment.augmentation import augment
from seisloom.convert import create_volume
from seisloom.errors import DataError, LeftOut
from seisloom.io.volumes.grid import Axis, Grid, whole
from seisloom.io.volumes.volume import AMPLITUDE, Spec, Traces, Wanted
from seisloom.recipe import Recipe, recipe_from
from seisloom.sample import Array, Ref
from seisloom.tasks.restoration import boxes as boxes_module
from seisloom.tasks.restoration.recipe import RestorationRecipe
from seisloom.tasks.restoration.task import RESTORATION
from seisloom.training.loader import LiveSource, loader

SHAPE, CHUNK = (12, 20, 50), (4, 8, 32)


def recipe_of(root: Path | None = None, *changes: str) -> RestorationRecipe:
    """Return a small recipe on a file or folder, or on panels that are made."""
    values = {
        "task": "restoration",
        "data": {"root": None if root is None else str(root), "synth": {"shape": [1, 16, 64], "n": 10}},
        "split": {"by": ["panel"], "valid": 0.3, "calibrate": 0.3, "test": 0},
        "corrupt": [{"name": "missing", "p": 1.0}, {"name": "add_noise", "p": 0.5}],
        "model": {"name": "mask_unet", "widths": [4, 8]},
        "loss": [{"name": "relative_error"}],
        "train": {"batch_size": 2, "loggers": ["csv"]},
    }
    found = recipe_from(values, list(changes))
    assert isinstance(found, RestorationRecipe)
    return found


def write_cube(path: Path, values: Array, chunk: tuple[int, ...] | None, live: Array | None = None) -> Path:
    names = ("inline", "crossline", "time")[-values.ndim :] if values.ndim == 3 else ("cdp", "time")
    axes = [Axis.regular(name, n) for name, n in zip(names[:-1], values.shape[:-1], strict=True)]
    grid = Grid((*axes, Axis.regular("time", values.shape[-1], step=0.004, unit="s")))
    writer = create_volume(path, Spec(grid, {AMPLITUDE: np.dtype(np.float32)}), Wanted(chunk=chunk))
    writer.write_traces(
        whole(values.shape[:-1]), Traces(np.ones(values.shape[:-1], dtype=bool) if live is None else live)
    )
    writer.write(whole(values.shape), values)
    writer.finish()
    return path


@pytest.fixture
def values() -> Array:
    return np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)


@pytest.fixture
def cube(tmp_path: Path, values: Array) -> Path:
    """A volume in chunks that do not fit its lengths."""
    return write_cube(tmp_path / "cube.zarr", values, CHUNK)


@pytest.fixture
def chunks_read(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the chunks of amplitudes that are taken from the store."""
    counts: Counter[str] = Counter()
    get = LocalStore.get

    async def counted(self: LocalStore, key: str, *args: Any, **options: Any) -> Any:  # Any: the store's own protocol
        if key.startswith(f"{AMPLITUDE}/c/"):
            counts[key.removeprefix(f"{AMPLITUDE}/c/")] += 1
        return await get(self, key, *args, **options)

    monkeypatch.setattr(LocalStore, "get", counted)
    return counts


def chunks_of(box: list[list[int]], chunk: tuple[int, ...]) -> set[str]:
    """Return the chunks that a box touches, as the store names them."""
    ranges = [range(first // one, -(-last // one)) for (first, last), one in zip(box, chunk, strict=True)]
    return {f"{i}/{j}/{k}" for i in ranges[0] for j in ranges[1] for k in ranges[2]}


def test_planning_reads_no_samples(cube: Path, chunks_read: Counter[str]) -> None:
    assert RESTORATION.plan(recipe_of(cube, "data.crop=[2, 8, 16]"))
    assert not chunks_read


def test_a_sample_reads_the_chunks_of_its_box_once_and_no_others(
    cube: Path, values: Array, chunks_read: Counter[str]
) -> None:
    recipe = recipe_of(cube, "data.crop=[2, 10, 16]")
    refs = RESTORATION.plan(recipe)
    assert len(refs) == 3 * 2 * 2
    every: Counter[str] = Counter()
    for ref in refs:
        chunks_read.clear()
        sample = RESTORATION.read(recipe, ref)
        box = ref.source["box"]
        assert dict(chunks_read) == dict.fromkeys(chunks_of(box, CHUNK), 1), ref.key
        assert all(first % one == 0 for (first, _), one in zip(box, CHUNK, strict=True))
        np.testing.assert_array_equal(sample.arrays["clean"], values[tuple(slice(*one) for one in box)])
        every += chunks_read
    assert len(every) == 3 * 3 * 2
    assert set(every.values()) == {1}, "no chunk is read for two boxes"


def test_an_epoch_over_a_volume_reads_each_chunk_once_a_pass(cube: Path, chunks_read: Counter[str]) -> None:
    recipe = recipe_of(cube, "data.crop=[4, 8, 32]", "train.passes=2")
    source = LiveSource(RESTORATION, recipe)
    for _ in loader(RESTORATION, recipe, source, source.refs, training=True):
        pass
    assert set(chunks_read.values()) == {2}
    assert len(chunks_read) == len(source.refs)


def test_a_volume_stays_open_in_a_process_and_is_opened_anew_when_it_is_written_again(
    cube: Path, values: Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    real = boxes_module.open_volume
    monkeypatch.setattr(boxes_module, "open_volume", lambda path: opened.append(path) or real(path))
    recipe = recipe_of(cube, "data.crop=[4, 8, 32]")
    refs = RESTORATION.plan(recipe)
    for ref in refs:
        RESTORATION.read(recipe, ref)
    assert len(opened) == 1
    cube.rename(cube.with_name("former.zarr"))
    write_cube(cube, 2 * values, CHUNK)
    again = RESTORATION.read(recipe, refs[0]).arrays["clean"]
    np.testing.assert_array_equal(again, 2 * values[tuple(slice(*one) for one in refs[0].source["box"])])
    assert len(opened) == 2


def test_boxes_without_a_crop_are_of_one_size_and_their_ends_are_not_known(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(10, 70, 20)).astype(np.float32)
    recipe = recipe_of(write_cube(tmp_path / "wide.zarr", values, (5, 16, 20)))
    samples = [RESTORATION.read(recipe, ref).arrays for ref in RESTORATION.plan(recipe)]
    assert [one["clean"].shape for one in samples] == [(10, 64, 20)] * 2
    assert samples[1]["known"][:, :6].all()
    assert not samples[1]["known"][:, 6:].any()
    assert not samples[1]["clean"][:, 6:].any()
    source = LiveSource(RESTORATION, recipe)
    (batch,) = loader(RESTORATION, recipe, source, source.refs, training=False)
    assert batch.arrays["x"].shape == (2, 10, 64, 20)


def test_boxes_at_neighbouring_lines_are_never_parted(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(12, 8, 16)).astype(np.float32)
    path = write_cube(tmp_path / "lines.zarr", values, (1, 8, 16))
    refs = RESTORATION.plan(recipe_of(path, "data.crop=[1, 8, 16]", "data.block=5"))
    groups = [ref.groups["panel"] for ref in refs]
    assert [groups.index(one) for one in groups] == [0] * 5 + [5] * 5 + [10] * 2


def test_a_segy_cube_is_not_one_sample(tmp_path: Path, values: Array) -> None:
    write_cube(tmp_path / "cube.sgy", values, None)
    recipe = recipe_of(tmp_path / "cube.sgy", "data.crop=[4, 10, 50]")
    refs = RESTORATION.plan(recipe)
    assert [ref.source["box"][0] for ref in refs] == [[0, 4], [0, 4], [4, 8], [4, 8], [8, 12], [8, 12]]
    np.testing.assert_array_equal(RESTORATION.read(recipe, refs[3]).arrays["clean"], values[4:8, 10:])


def test_a_section_is_a_line_of_traces(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(30, 40)).astype(np.float32)
    recipe = recipe_of(write_cube(tmp_path / "line.zarr", values, (10, 40)), "data.crop=[1, 15, 40]")
    (first, last) = RESTORATION.plan(recipe)
    np.testing.assert_array_equal(RESTORATION.read(recipe, first).arrays["clean"], values[None, :20])
    assert first.groups != last.groups


def test_holes_of_a_volume_are_not_known_and_a_box_of_holes_is_left_out(tmp_path: Path, values: Array) -> None:
    live = np.ones(SHAPE[:2], dtype=bool)
    live[:4, :8], live[5, 3] = False, False
    filled = values * live[..., None]
    recipe = recipe_of(write_cube(tmp_path / "holes.zarr", filled, CHUNK, live), "data.crop=[4, 8, 50]")
    refs = RESTORATION.plan(recipe)
    with pytest.raises(LeftOut, match=r"holes\.zarr/000000: all of its traces are dead"):
        RESTORATION.read(recipe, refs[0])
    known = RESTORATION.read(recipe, next(ref for ref in refs if ref.source["box"][:2] == [[4, 8], [0, 8]])).arrays
    np.testing.assert_array_equal(known["known"], live[4:8, :8])
    assert not known["clean"][1, 3].any()


def test_files_of_one_name_in_two_folders_keep_apart(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        np.save(tmp_path / folder / "shot.npy", np.random.default_rng(0).normal(size=(8, 30)).astype(np.float32))
    assert [ref.key for ref in RESTORATION.plan(recipe_of(tmp_path))] == ["a/shot.npy", "b/shot.npy"]


def test_panels_of_other_sizes_need_a_crop_and_the_error_says_so(tmp_path: Path) -> None:
    for k, n in enumerate((8, 9)):
        np.save(tmp_path / f"{k}.npy", np.random.default_rng(0).normal(size=(n, 30)).astype(np.float32))
    recipe = recipe_of(tmp_path)
    source = LiveSource(RESTORATION, recipe)
    with pytest.raises(DataError, match=r"0\.npy, 1\.npy: .* shapes \(1, 8, 30\) and \(1, 9, 30\)\. Cut .*data\.crop"):
        list(loader(RESTORATION, recipe, source, source.refs, training=False))
    recipe = recipe_of(tmp_path, "data.crop=[1, 12, 30]")
    (batch,) = loader(RESTORATION, recipe, LiveSource(RESTORATION, recipe), source.refs, training=False)
    assert batch.arrays["known"].sum(dim=-1).flatten().tolist() == [8, 9]


def batches(recipe: Recipe, *, training: bool) -> list[dict[str, torch.Tensor]]:
    source = LiveSource(RESTORATION, recipe)
    return [dict(one.arrays) for one in loader(RESTORATION, recipe, source, source.refs, training=training)]


def test_two_workers_give_the_batches_of_none(cube: Path) -> None:
    alone, shared = (
        batches(recipe_of(cube, "data.crop=[2, 8, 32]", f"train.num_workers={n}"), training=True) for n in (0, 2)
    )
    assert len(alone) == len(shared) > 1
    for one, other in zip(alone, shared, strict=True):
        assert one.keys() == other.keys()
        assert all(torch.equal(one[k].nan_to_num(), other[k].nan_to_num()) for k in one)


def test_crops_and_corruption_are_drawn_in_training_and_fixed_elsewhere(cube: Path) -> None:
    recipe = recipe_of(cube, "data.crop=[2, 6, 16]")
    sample = RESTORATION.read(recipe, RESTORATION.plan(recipe)[0])
    fixed = [RESTORATION.join(recipe, [sample], None) for _ in range(2)]
    assert all(np.array_equal(fixed[0][k], fixed[1][k], equal_nan=True) for k in fixed[0])
    drawn = [RESTORATION.join(recipe, [sample], np.random.default_rng(k)) for k in range(12)]
    assert len({one["clean"].tobytes() for one in drawn}) > 6
    assert len({one["live"].tobytes() for one in drawn}) > 6
    for one in [*fixed, *drawn]:
        assert one["x"].shape == (2, 6, 16)
        assert not one["x"][one["live"] == 0].any()
        assert 0 < one["live"].sum() <= one["live"].size


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "polarity_flip", "gather": 0.5, "trace": 0.3},
        {"name": "gain"},
        {"name": "amplitude_scale", "low": 2, "high": 3},
        {"name": "time_shift", "max_shift": 0.2},
        {"name": "time_shift", "max_shift_s": 0.02},
        {"name": "time_stretch", "low": 0.8, "high": 0.9},
        {"name": "trace_flip"},
    ],
    ids=lambda entry: " ".join(map(str, list(entry.values())[:1] + list(entry)[1:2])),
)
def test_augmentations_do_to_the_truth_what_they_do_to_the_data(entry: dict[str, object]) -> None:
    recipe = recipe_of(None, "corrupt=[{name: missing}]", "train.batch_size=8")
    recipe = recipe.model_copy(update={"augment": (plugins.load("augmentations", str(entry["name"]))(p=1, **entry),)})
    source = LiveSource(RESTORATION, recipe)
    batch = next(iter(loader(RESTORATION, recipe, source, source.refs, training=True)))
    changed, _ = augment(batch, recipe.augment, seed=0)
    assert not torch.equal(changed.arrays["clean"], batch.arrays["clean"])
    live = changed.arrays["live"] > 0
    torch.testing.assert_close(changed.arrays["x"][live], changed.arrays["clean"][live], rtol=1e-5, atol=1e-5)
    assert not changed.arrays["x"][~live].any()
    assert float(changed.arrays["live"].sum()) == float(batch.arrays["live"].sum())


def test_a_shift_in_seconds_of_a_section_without_a_rate_says_what_to_give() -> None:
    recipe = recipe_of(
        None, "data.synth={kind: poststack, shape: [1, 16, 32], n: 4}", "augment=[{name: time_shift, p: 1}]"
    )
    source = LiveSource(RESTORATION, recipe)
    batch = next(iter(loader(RESTORATION, recipe, source, source.refs, training=True)))
    with pytest.raises(DataError, match=r"nobody knows the rate of made.*use shares instead"):
        augment(batch, recipe.augment, seed=0)


def test_x_and_truth_are_on_one_scale_whatever_the_unit(cube: Path) -> None:
    recipe = recipe_of(cube, "data.crop=[2, 8, 32]", "corrupt=[{name: missing}]")
    sample = RESTORATION.read(recipe, RESTORATION.plan(recipe)[0])
    loud = sample.with_arrays(clean=1024 * sample.arrays["clean"])
    one, other = (RESTORATION.join(recipe, [some], None) for some in (sample, loud))
    np.testing.assert_allclose(one["x"], other["x"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(one["clean"], other["clean"], rtol=1e-5, atol=1e-6)
    live = one["live"] > 0
    np.testing.assert_array_equal(one["x"][live], one["clean"][live])
    assert np.percentile(np.abs(one["x"][live]), 90) == pytest.approx(1, rel=0.2)


def test_nothing_is_learnt_where_what_is_given_is_silence(cube: Path) -> None:
    recipe = recipe_of(cube, "corrupt=[{name: missing, patterns: [irregular], least: 0.5, most: 0.5}]")
    sample = RESTORATION.read(recipe, RESTORATION.plan(recipe)[0])
    live = RESTORATION.join(recipe, [sample], None)["live"]
    silent = sample.with_arrays(clean=1e6 * sample.arrays["clean"] * (live == 0)[..., None])
    item = RESTORATION.join(recipe, [silent], None)
    np.testing.assert_array_equal(item["live"], live)
    assert not item["x"].any()
    assert not item["known"].any(), "there is no scale that the truth could be on"
    assert not item["clean"].any()


def test_each_panel_says_what_it_holds(cube: Path, tmp_path: Path, values: Array) -> None:
    recipe = recipe_of(cube, "data.crop=[4, 8, 32]")
    refs = RESTORATION.plan(recipe)
    found = RESTORATION.contents(recipe, refs)
    assert len(set(found.tolist())) == len(refs)
    changed = values.copy()
    changed[0, 0, 0] += 1
    other = recipe_of(write_cube(tmp_path / "other.zarr", changed, CHUNK), "data.crop=[4, 8, 32]")
    assert (RESTORATION.contents(other, RESTORATION.plan(other)) != found).tolist() == [True] + [False] * (
        len(refs) - 1
    )
    made = recipe_of()
    first, again = (RESTORATION.contents(made, RESTORATION.plan(made)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert len(set(first.tolist())) == 10
    reseeded = recipe_of(None, "seed=1")
    assert not np.isin(RESTORATION.contents(reseeded, RESTORATION.plan(reseeded)), first).any()


def test_made_panels_of_other_numbers_are_others() -> None:
    recipe = recipe_of(None, "data.synth.n=3")
    later = recipe_of(None, "data.synth.n=2", "data.synth.first=2")
    third, same = RESTORATION.plan(recipe)[2], RESTORATION.plan(later)[0]
    assert third == same
    first = [RESTORATION.read(recipe, ref).arrays["clean"] for ref in RESTORATION.plan(recipe)]
    assert not np.array_equal(first[0], first[1])
    np.testing.assert_array_equal(first[2], RESTORATION.read(later, same).arrays["clean"])


FRESH = """
import sys
from seisloom.recipe import recipe_from
from seisloom.tasks.restoration.task import RESTORATION
from seisloom.training.loader import LiveSource, loader
import json
recipe = recipe_from(json.loads(sys.argv[1]))
source = LiveSource(RESTORATION, recipe)
assert len(list(loader(RESTORATION, recipe, source, source.refs, training=True))) > 1
assert "zarr" in sys.modules
assert not {"dask", "distributed"} & set(sys.modules), "samples are read without dask"
"""


def test_no_dask_is_behind_a_sample(cube: Path) -> None:
    recipe = recipe_of(cube, "data.crop=[4, 8, 32]")
    subprocess.run(
        [sys.executable, "-c", FRESH, recipe.model_dump_json()], check=True, env=os.environ, capture_output=True
    )


def test_a_volume_of_four_axes_is_refused(tmp_path: Path) -> None:
    import zarr

    group = zarr.open_group(tmp_path / "four.zarr", mode="w")
    names = ("inline", "crossline", "offset", "time")
    group.create_array("amplitude", data=np.ones((2, 2, 2, 4), np.float32), dimension_names=names)
    with pytest.raises(DataError, match="has the axes inline, crossline, offset, time; give a cube or a section"):
        RESTORATION.plan(recipe_of(tmp_path / "four.zarr"))


def test_refs_are_plain(cube: Path) -> None:
    for ref in RESTORATION.plan(recipe_of(cube)):
        assert isinstance(ref, Ref)
        assert ref.groups["panel"].startswith("cube.zarr/")
