"""Volumes through models that see tiles: identity first, then the same bytes for any owners, workers and restarts."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.format import open_memmap

from seisloom.compute import executor
from seisloom.errors import DataError, OutputError, SchemaError
from seisloom.inference.lattice import Box
from seisloom.inference.resume import forget_run, kept_folder
from seisloom.inference.sweep import TileJob, Tiling, sweep
from seisloom.sample import Array, Arrays, Predictor

SHAPE, GRAIN = (40, 30, 36), (8, 10, 12)
TILING = Tiling(patch=(16, 12, 16), overlap=0.4, batch_size=2)


@dataclass(frozen=True)
class NpyVolume:
    """Arrays in .npy files, read and written by boxes from any process."""

    folder: Path

    def read(self, box: Box, name: str = "x") -> Array:
        return np.array(np.load(self.folder / f"{name}.npy", mmap_mode="r")[box])

    def write(self, box: Box, values: Array, name: str) -> None:
        open_memmap(self.folder / f"{name}.npy", mode="r+")[box] = values

    def create(self, name: str, values: Array) -> None:
        np.save(self.folder / f"{name}.npy", values)

    def whole(self, name: str) -> Array:
        return np.asarray(np.load(self.folder / f"{name}.npy"))


def identity() -> Predictor:
    return lambda arrays: {"y": arrays["x"][:, 0]}


def tile_dependent() -> Predictor:
    """Adds the tile's own mean, as a network with instance normalisation sees it."""

    def predict(arrays: Arrays) -> Arrays:
        x = arrays["x"][:, 0]
        means = x.mean(axis=tuple(range(1, x.ndim)), keepdims=True)
        return {"y": x + means, "squared": x**2 - means}

    return predict


def convolutions(seconds: float = 0.0) -> Predictor:
    """A small network of torch, with zero padding: it sees the edges of its tile."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    nn = torch.nn
    network = nn.Sequential(
        nn.Conv3d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv3d(8, 8, 3, padding=1), nn.ReLU(),
        nn.Conv3d(8, 2, 3, padding=1),
    ).eval()  # fmt: skip

    def predict(arrays: Arrays) -> Arrays:
        time.sleep(seconds)
        with torch.inference_mode():
            y = network(torch.from_numpy(arrays["x"])).numpy()
        return {"y": y[:, 0], "squared": y[:, 1]}

    return predict


@pytest.fixture(autouse=True)
def _same_threads_afterwards() -> Iterator[None]:
    n_threads = torch.get_num_threads()
    yield
    torch.set_num_threads(n_threads)


@pytest.fixture
def volume(tmp_path: Path) -> NpyVolume:
    made = NpyVolume(tmp_path)
    made.create("x", np.random.default_rng(5).normal(size=SHAPE).astype(np.float32))
    return made


def job_on(volume: NpyVolume, model: Callable[[], Predictor], **changes: Any) -> TileJob:  # Any: fields of a job
    for name in ("y", "squared"):
        volume.create(name, np.full(SHAPE, np.nan, np.float32))
    job = TileJob(
        tiling=TILING, shape=SHAPE, outputs=("y", "squared"), read=volume.read, write=volume.write, grain=GRAIN,
        open_predictor=model,
    )  # fmt: skip
    return replace(job, **changes)


def one_pass(x: Array, tiling: Tiling, predictor: Predictor, name: str) -> Array:
    """Return the blend by plain loops over the whole volume, a tile at a time, each in a batch of its own copies."""
    starts, vectors = [], []
    for n, patch in zip(x.shape, tiling.patch, strict=True):
        stride = max(int(patch * (1 - tiling.overlap)), 1)
        first = [*range(0, n - patch, stride), n - patch]
        window = np.sin(np.pi * (np.arange(patch) + 0.5) / patch) ** 2
        total = np.zeros(n)
        for start in first:
            total[start : start + patch] += window
        starts.append(first)
        vectors.append([window / total[start : start + patch] for start in first])
    result = np.zeros(x.shape)
    for tile in itertools.product(*(range(len(first)) for first in starts)):
        box = tuple(slice(s[k], s[k] + p) for s, k, p in zip(starts, tile, tiling.patch, strict=True))
        weight = np.ones(())
        for vector, k in zip(vectors, tile, strict=True):
            weight = weight[..., None] * vector[k]
        batch = np.stack([x[box]] * tiling.batch_size)[:, None]
        result[box] += weight * predictor({"x": batch})[name][0]
    return result.astype(np.float32)


def check(volume: NpyVolume, model: Callable[[], Predictor]) -> None:
    for name in ("y", "squared"):
        assert np.array_equal(volume.whole(name), one_pass(volume.whole("x"), TILING, model(), name))


@settings(max_examples=80, deadline=None)
@given(
    axes=st.lists(st.tuples(st.integers(1, 20), st.integers(1, 12), st.integers(1, 9)), min_size=1, max_size=3),
    overlap=st.floats(0, 0.85), window=st.sampled_from(["cosine", "gaussian", "flat"]), batch_size=st.integers(1, 5),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_an_identity_model_gives_the_volume_back(
    tmp_path_factory: pytest.TempPathFactory, axes: list[tuple[int, int, int]], overlap: float, window: Any,
    batch_size: int, seed: int,
) -> None:  # fmt: skip
    shape, patch, grain = zip(*axes, strict=True)
    x = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    y = np.full(shape, np.nan, np.float32)

    def write(box: Box, values: Array, _: str) -> None:
        assert all(side.start % g == 0 for side, g in zip(box, grain, strict=True))
        y[box] = values

    job = TileJob(
        Tiling(patch=patch, overlap=overlap, window=window, batch_size=batch_size), shape, ("y",),
        lambda box: x[box], write, grain, identity,
    )  # fmt: skip
    done = sweep(job, tmp_path_factory.mktemp("scratch"), memory_mb=0.03)
    assert np.abs(y - x).max() <= 1e-6 * max(np.ptp(x), np.abs(x).max())
    assert done.counts.forwards_made == done.forwards_needed
    assert done.counts.voxels == x.size


@pytest.mark.parametrize("model", [tile_dependent, convolutions])
def test_the_result_is_that_of_one_pass_by_plain_loops(
    volume: NpyVolume, tmp_path: Path, model: Callable[[], Predictor]
) -> None:
    done = sweep(job_on(volume, model), tmp_path / "s", memory_mb=0.2)
    check(volume, model)
    assert done.n_owners > 8
    assert done.counts.forwards_made == done.forwards_needed


@pytest.mark.parametrize(
    ("grain", "memory_mb", "spill"),
    [((40, 30, 36), 512, True), ((7, 11, 36), 0.5, True), ((5, 5, 5), 0.02, True), ((8, 8, 8), 0.05, False)],
)
def test_owners_of_any_size_give_the_same_bytes(
    volume: NpyVolume, tmp_path: Path, grain: tuple[int, ...], memory_mb: float, spill: bool
) -> None:
    done = sweep(job_on(volume, convolutions, grain=grain), tmp_path / "s", memory_mb=memory_mb, spill=spill)
    check(volume, convolutions)
    assert (done.counts.forwards_made == done.forwards_needed) == spill
    assert not list(kept_folder(tmp_path / "s").iterdir())


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_any_number_of_workers_gives_the_same_bytes(volume: NpyVolume, tmp_path: Path, workers: int) -> None:
    with executor(workers=workers) as pool:
        done = sweep(job_on(volume, convolutions), tmp_path / "s", pool=pool, workers=workers, memory_mb=0.5)
    check(volume, convolutions)
    assert done.counts.forwards_made == done.forwards_needed


def test_a_dask_cluster_of_two_workers_gives_the_same_bytes(volume: NpyVolume, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        executor(cluster.scheduler_address) as pool,
    ):
        sweep(job_on(volume, convolutions), tmp_path / "s", pool=pool, workers=2, memory_mb=0.5)
    check(volume, convolutions)


def _run_slowly(job: TileJob, scratch: Path) -> None:
    sweep(job, scratch, memory_mb=0.2)


def test_a_run_that_is_killed_goes_on_where_it_stopped(volume: NpyVolume, tmp_path: Path) -> None:
    job, scratch = job_on(volume, partial(convolutions, 0.05)), tmp_path / "s"
    for _ in range(2):
        process = multiprocessing.get_context("spawn").Process(target=_run_slowly, args=(job, scratch))
        process.start()
        before = len(list(scratch.glob("written/*.json")))
        while len(list(scratch.glob("written/*.json"))) < before + 2 and process.is_alive():
            time.sleep(0.01)
        time.sleep(random.uniform(0, 0.3))
        process.kill()
        process.join()
        assert process.exitcode == -9
    done = sweep(replace(job, open_predictor=convolutions), scratch, memory_mb=1)
    assert 4 <= done.n_resumed < done.n_owners
    assert done.counts.voxels == np.prod(SHAPE)
    assert done.forwards_needed <= done.counts.forwards_made <= 1.5 * done.forwards_needed
    check(volume, convolutions)
    assert not list(kept_folder(scratch).iterdir())
    forget_run(scratch)
    assert not scratch.exists()


def test_a_run_that_is_finished_computes_nothing_again(volume: NpyVolume, tmp_path: Path) -> None:
    job = job_on(volume, tile_dependent)
    first = sweep(job, tmp_path / "s", memory_mb=0.2)

    def never() -> Predictor:
        raise AssertionError("the model was opened")

    again = sweep(replace(job, open_predictor=never), tmp_path / "s", memory_mb=0.2)
    assert again.n_resumed == first.n_owners
    assert again.counts == first.counts


def test_a_torn_file_of_border_tiles_costs_time_and_nothing_else(volume: NpyVolume, tmp_path: Path) -> None:
    """Files that lack their end, as after a power failure, are run again; so are those that are not there."""
    job, scratch = job_on(volume, convolutions), tmp_path / "s"
    tried = 0

    def stop_in_the_middle(box: Box, values: Array, name: str) -> None:
        nonlocal tried
        tried += 1
        if tried == 6:
            raise OSError(28, "No space left on device")
        volume.write(box, values, name)

    with pytest.raises(OSError, match="No space left"):
        sweep(replace(job, write=stop_in_the_middle), scratch, memory_mb=0.2)
    kept = sorted(kept_folder(scratch).glob("*.f32"))
    assert len(kept) > 2
    kept[0].write_bytes(kept[0].read_bytes()[:-4])
    kept[1].unlink()
    done = sweep(job, scratch, memory_mb=0.2)
    assert done.counts.forwards_made > done.forwards_needed
    check(volume, convolutions)


def test_a_full_scratch_disk_does_not_stop_a_run(
    volume: NpyVolume, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_on(volume, tile_dependent)
    opened = Path.open

    def full(path: Path, mode: str = "r", *rest: Any, **more: Any) -> Any:  # Any: whatever `open` takes and gives
        if path.suffix == ".part" and "b" in mode:
            raise OSError(28, "No space left on device")
        return opened(path, mode, *rest, **more)

    monkeypatch.setattr(Path, "open", full)
    done = sweep(job, tmp_path / "s", memory_mb=0.2)
    assert done.counts.bytes_kept == 0
    assert done.counts.forwards_made > done.forwards_needed
    check(volume, tile_dependent)


def test_another_run_in_the_same_scratch_is_refused_unless_forced(volume: NpyVolume, tmp_path: Path) -> None:
    job = job_on(volume, tile_dependent, identity={"model": "a"})
    sweep(job, tmp_path / "s", memory_mb=0.2)
    other = replace(job, identity={"model": "b"}, tiling=TILING.model_copy(update={"overlap": 0.5}))
    with pytest.raises(OutputError, match=r"overlap 0.4 \(now 0.5\), model a \(now b\)"):
        sweep(other, tmp_path / "s", memory_mb=0.2)
    assert sweep(other, tmp_path / "s", memory_mb=0.2, force=True).n_resumed == 0


def test_a_folder_that_is_not_a_runs_is_refused(volume: NpyVolume, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="not empty and not a run's"):
        sweep(job_on(volume, tile_dependent), tmp_path)
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "plan.json").write_text("{")
    with pytest.raises(OutputError, match=r"plan.json: is damaged"):
        sweep(job_on(volume, tile_dependent), tmp_path / "s")


def test_samples_that_are_not_finite_are_zero_for_the_model_and_counted_once(volume: NpyVolume, tmp_path: Path) -> None:
    x = volume.whole("x")
    x[3:9, 5:28, ::7] = np.nan
    x[20, 20, 20] = np.inf
    volume.create("x", x)
    done = sweep(job_on(volume, identity, outputs=("y",)), tmp_path / "s", memory_mb=0.2)
    assert done.counts.input_not_finite == (~np.isfinite(x)).sum()
    assert done.counts.output_not_finite == {"y": 0}
    y = volume.whole("y")
    assert np.allclose(y, np.where(np.isfinite(x), x, 0), atol=1e-6)


def test_outputs_that_are_not_finite_are_counted(volume: NpyVolume, tmp_path: Path) -> None:
    def diverging() -> Predictor:
        return lambda arrays: {"y": np.where(arrays["x"][:, 0] > 3, np.inf, 0), "squared": arrays["x"][:, 0]}

    done = sweep(job_on(volume, diverging), tmp_path / "s", memory_mb=0.2)
    assert done.counts.output_not_finite == {"y": (volume.whole("x") > 3).sum(), "squared": 0}


def test_a_2d_model_goes_through_the_sections_of_a_3d_volume_along_either_axis(
    volume: NpyVolume, tmp_path: Path
) -> None:
    def section_model() -> Predictor:
        def predict(arrays: Arrays) -> Arrays:
            assert arrays["x"].ndim == 4
            return {"y": arrays["x"][:, 0] + arrays["x"].mean(axis=(1, 2, 3))[:, None, None]}

        return predict

    x = volume.whole("x")
    for patch, axis in (((1, 30, 36), 0), ((40, 1, 36), 1)):
        tiling = Tiling(patch=patch, batch_size=4, squeeze=True)
        job = job_on(volume, section_model, tiling=tiling, outputs=("y",))
        sweep(job, tmp_path / f"s{axis}", memory_mb=0.2)
        mean = x.mean(axis=tuple(k for k in range(3) if k != axis), keepdims=True)
        assert np.allclose(volume.whole("y"), x + mean, atol=1e-6)


def test_several_channels_and_a_survey_wide_scale_reach_the_model(volume: NpyVolume, tmp_path: Path) -> None:
    def difference() -> Predictor:
        return lambda arrays: {"y": arrays["x"][:, 1] - arrays["x"][:, 0]}

    job = job_on(
        volume, difference, outputs=("y",), read=lambda box: np.stack([volume.read(box), 3 * volume.read(box)]),
        prepare=lambda x: x / 2,
    )  # fmt: skip
    sweep(job, tmp_path / "s", memory_mb=0.2)
    assert np.allclose(volume.whole("y"), volume.whole("x"), atol=1e-5)


def test_short_axes_are_reflected_and_axes_of_one_sample_repeated(tmp_path: Path) -> None:
    seen: list[Array] = []

    def looking() -> Predictor:
        def predict(arrays: Arrays) -> Arrays:
            seen.append(arrays["x"])
            return {"y": arrays["x"][:, 0]}

        return predict

    x = np.arange(3, dtype=np.float32)[None]
    y = np.zeros_like(x)
    job = TileJob(
        Tiling(patch=(2, 7)), (1, 3), ("y",), lambda box: x[box], lambda box, v, _: y.__setitem__(box, v), (1, 3),
        looking,
    )  # fmt: skip
    sweep(job, tmp_path / "s")
    assert seen[0][0, 0].tolist() == [[2, 1, 0, 1, 2, 1, 0]] * 2
    assert np.array_equal(x, y)


@pytest.mark.parametrize("batch_size", [2, 3])
def test_a_convolution_does_not_depend_on_the_place_in_the_batch_nor_on_the_others_in_it(batch_size: int) -> None:
    model = convolutions()
    tiles = np.random.default_rng(0).normal(size=(batch_size, 1, 16, 16, 16)).astype(np.float32)
    alone = [model({"x": np.stack([tile] * batch_size)})["y"][0] for tile in tiles]
    for order in itertools.permutations(range(batch_size)):
        found = model({"x": tiles[list(order)]})["y"]
        assert all(np.array_equal(found[place], alone[k]) for place, k in enumerate(order))


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        (lambda x: {"other": x[:, 0]}, "the model does not give 'y'; it gives other"),
        (lambda x: {"y": x}, r"shape \(2, 1, 16, 12, 16\) for an input of .* must be \(2, 16, 12, 16\)"),
        (lambda x: {"y": x[:, 0, 1:]}, r"shape \(2, 15, 12, 16\)"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(
    volume: NpyVolume, tmp_path: Path, outputs: Callable[[Array], Arrays], said: str
) -> None:
    job = job_on(volume, lambda: lambda arrays: outputs(arrays["x"]), outputs=("y",))
    with pytest.raises(SchemaError, match=said):
        sweep(job, tmp_path / "s")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tiling": Tiling(patch=(8, 8))}, "patch .8, 8. has 2 numbers"),
        ({"tiling": Tiling(patch=(8, 8, 8), overlap=1)}, "overlap 1"),
        ({"tiling": Tiling(patch=(8, 8, 8), batch_size=0)}, "batch_size 0"),
        ({"outputs": ()}, "no output"),
        ({"grain": (8, 8)}, "grain"),
    ],
)
def test_a_job_that_does_not_fit_is_refused_before_any_work(
    volume: NpyVolume, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        sweep(job_on(volume, identity, **changes), tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_a_read_of_another_shape_is_refused(volume: NpyVolume, tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="gave the shape"):
        sweep(job_on(volume, identity, read=lambda box: np.zeros((2, 2, 2))), tmp_path / "s")


def test_a_process_opens_the_model_once_a_run(volume: NpyVolume, tmp_path: Path) -> None:
    opened: list[str] = []

    def opening(name: str) -> Predictor:
        opened.append(name)
        return tile_dependent()

    for name in ("first", "second"):
        sweep(job_on(volume, partial(opening, name)), tmp_path / name, memory_mb=0.2)
    assert opened == ["first", "second"]


def test_two_batches_in_flight_give_the_same_bytes(volume: NpyVolume, tmp_path: Path) -> None:
    most, now, lock = [0], [0], threading.Lock()

    def slow() -> Predictor:
        model = tile_dependent()

        def predict(arrays: Arrays) -> Arrays:
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            time.sleep(0.01)
            with lock:
                now[0] -= 1
            return model(arrays)

        return predict

    results = []
    for n in (1, 2):
        most[0] = 0
        sweep(replace(job_on(volume, slow), in_flight=n), tmp_path / str(n), memory_mb=0.2)
        assert most[0] == n
        results.append(volume.whole("y").copy())
    np.testing.assert_array_equal(*results)


def test_a_model_is_asked_for_batches_of_one_size(volume: NpyVolume, tmp_path: Path) -> None:
    sizes: Sequence[int] = []

    def counting() -> Predictor:
        def predict(arrays: Arrays) -> Arrays:
            sizes.append(len(arrays["x"]))  # type: ignore[attr-defined]
            return tile_dependent()(arrays)

        return predict

    done = sweep(job_on(volume, counting), tmp_path / "s", memory_mb=0.2)
    assert set(sizes) == {2}
    assert sum(sizes) == done.counts.forwards_made + done.counts.forwards_filled
    assert json.loads((tmp_path / "s" / "plan.json").read_text())["decides"]["batch_size"] == 2
