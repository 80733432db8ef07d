"""Volumes through predictors to files: the input back, the same bytes however it is run, and what is refused."""

from __future__ import annotations

import errno
import hashlib
import itertools
import logging
import multiprocessing
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from seisloom.compute import executor
from seisloom.convert import create_volume, open_volume
from seisloom.errors import DataError, OutputError, SchemaError, SeisloomError
from seisloom.inference.integrate import increments, integrate, rising
from seisloom.inference.pace import Pace
from seisloom.inference.sweep import Tiling
from seisloom.io.volumes.grid import Axis, Box, Grid, whole
from seisloom.io.volumes.raw.cube import Cube
from seisloom.io.volumes.volume import Given, Spec, Traces, Wanted
from seisloom.sample import Array, Arrays, Predictor
from seisloom.signal.survey_scale import Scaling, SurveyScale
from seisloom.tiled import Applied, Place, Tiled, apply_to_array, apply_to_volume, scratch_of
from seisloom.tiled.integrated import Integrated

SHAPE = (24, 22, 40)
TILING = Tiling(patch=(8, 8, 12), overlap=0.4, batch_size=2)
LATE = 45
"""Batch at which it has written something, of 63 in this process."""
SMALL_MB = 0.2
"""With it the volume has many owners."""
CHUNKS = Wanted(chunk=(8, 8, 8))
MODEL = {"model": "test", "model_sha256": "1"}


def layers(shape: tuple[int, ...] = SHAPE, seed: int = 0) -> Array:
    """Reflectors that dip, with noise: amplitudes of RMS 100."""
    rng = np.random.default_rng(seed)
    n = shape[-1]
    wavelet = np.diff(np.exp(-(np.linspace(-3, 3, 13) ** 2)), 2)
    trace = np.convolve(rng.normal(size=n + 20), wavelet, "same")[:n]
    dips = sum(0.1 * (k + 1) * np.arange(m).reshape([-1 if j == k else 1 for j in range(len(shape))])
               for k, m in enumerate(shape[:-1]))  # fmt: skip
    values = np.interp(np.arange(n) + dips, np.arange(n), trace) + 0.05 * trace.std() * rng.normal(size=shape)
    return np.asarray(100 * values / values.std(), dtype=np.float32)


def grid_of(shape: tuple[int, ...], names: tuple[str, ...] = ("inline", "crossline", "offset")) -> Grid:
    lateral = [Axis.regular(name, n, first=100) for name, n in zip(names, shape[:-1], strict=False)]
    return Grid((*lateral, Axis.regular("time", shape[-1], step=0.004, unit="s")))


def write(path: Path, values: Array, live: Array | None = None) -> Path:
    """Write a volume, SEG-Y, Zarr or a raw cube with its side-car."""
    writer = create_volume(path, Spec(grid_of(values.shape), {"amplitude": np.dtype(np.float32)}))
    writer.write_traces(
        whole(values.shape[:-1]), Traces(np.ones(values.shape[:-1], dtype=bool) if live is None else live)
    )
    writer.write(whole(values.shape), values)
    writer.finish()
    return path


def identity() -> Predictor:
    return lambda arrays: {"y": arrays["x"][:, 0]}


def tile_dependent(seconds: float = 0.0) -> Predictor:
    """Adds the tile's own mean: a voxel's answer depends on where tiles lie."""

    def predict(arrays: Arrays) -> Arrays:
        time.sleep(seconds)
        x = arrays["x"][:, 0]
        return {"y": x + x.mean(axis=tuple(range(1, x.ndim)), keepdims=True)}

    return predict


def convolutions() -> Predictor:
    """A network of random weights with zero padding: it sees the edges of its tile."""
    torch.manual_seed(0)
    nn = torch.nn
    network = nn.Sequential(nn.Conv3d(1, 6, 3, padding=1), nn.ReLU(), nn.Conv3d(6, 1, 3, padding=1)).eval()

    def predict(arrays: Arrays) -> Arrays:
        with torch.inference_mode():
            return {"y": network(torch.from_numpy(arrays["x"])).numpy()[:, 0]}

    return predict


def failing(error: type[BaseException], after: int) -> Predictor:
    """Fails at a batch."""
    batch = itertools.count()

    def predict(arrays: Arrays) -> Arrays:
        if next(batch) >= after:
            raise error("mat1 and mat2 shapes cannot be multiplied")
        return {"y": arrays["x"][:, 0] + arrays["x"].mean(axis=(1, 2, 3, 4))[:, None, None, None]}

    return predict


def dying() -> Predictor:
    def predict(arrays: Arrays) -> Arrays:
        os._exit(9)

    return predict


def as_it_is(predictor: Predictor) -> Predictor:
    return predictor


def on_its_scale(outputs: Mapping[str, Array], *, scaling: Scaling) -> dict[str, Array]:
    return {
        "back": outputs["y"] / np.float32(scaling.gain) + np.float32(scaling.shift),
        "strength": np.abs(outputs["y"]),
    }


def plan(tiling: Tiling, grid: Grid) -> Tiled:
    return Tiled(tiling, SurveyScale(clip=None), ("y",), {"back": "1", "strength": "1"}, on_its_scale, as_it_is)


def applied(
    source: Path, out: Path, model: Callable[[], Predictor] = convolutions, *, tiling: Tiling = TILING,
    identity: Mapping[str, str] = MODEL, memory_mb: float = SMALL_MB, workers: int | None = 1,
    pool: Executor | None = None, wanted: Wanted | None = CHUNKS, **more: Any,
) -> Applied:  # fmt: skip
    return apply_to_volume(
        partial(plan, tiling), model, source, out, identity=identity, wanted=wanted,
        place=Place(workers, pool, memory_mb=memory_mb), **more,
    )  # fmt: skip


def read(path: Path, name: str) -> Array:
    volume = open_volume(path)
    return volume.read(whole(volume.spec.grid.shape), name)


def digests(folder: Path) -> dict[str, str]:
    files = [one for one in folder.rglob("*") if one.is_file()]
    return {str(one.relative_to(folder)): hashlib.sha256(one.read_bytes()).hexdigest() for one in files}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A volume of reflectors. Not to be written to."""
    return write(tmp_path_factory.mktemp("source") / "survey.zarr", layers())


@pytest.fixture(autouse=True)
def _notes_are_heard(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(logging.getLogger("seisloom"), "propagate", True)  # the command stops it
    caplog.set_level(logging.INFO, "seisloom")


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    """Processes that load torch once for all tests; `workers` says how many of them are used."""
    with executor(workers=4) as running:
        yield running


@settings(max_examples=25)
@given(
    axes=st.lists(st.tuples(st.integers(1, 14), st.integers(1, 9)), min_size=0, max_size=2),
    time=st.tuples(st.integers(8, 30), st.integers(1, 40)), overlap=st.floats(0, 0.8),
    window=st.sampled_from(["cosine", "gaussian", "flat"]), batch_size=st.integers(1, 3),
    memory_mb=st.floats(0.05, 1), offset=st.sampled_from([0, 50]),
)  # fmt: skip
def test_an_identity_predictor_gives_the_volume_back(
    tmp_path_factory: pytest.TempPathFactory, axes: list[tuple[int, int]], time: tuple[int, int], overlap: float,
    window: Any, batch_size: int, memory_mb: float, offset: int,
) -> None:  # fmt: skip
    shape, patch = zip(*axes, time, strict=True)
    folder = tmp_path_factory.mktemp("identity")
    x = (np.random.default_rng(0).normal(size=shape) + offset).astype(np.float32)
    x.tofile(folder / "x.bin")
    n1, n2, n3 = (*shape[::-1], None, None)[:3]
    tiling = Tiling(patch=patch, overlap=overlap, window=window, batch_size=batch_size)
    assume(4 * 2 * batch_size * np.prod(patch) < memory_mb * 1e6)
    if len(shape) == 1:
        (folder / "x.json").write_text(f'{{"n": [{n1}], "axes": ["time"]}}')
        n1 = None
    done = applied(
        folder / "x.bin", folder / "y", identity, tiling=tiling, memory_mb=memory_mb,
        given=Given(n1=n1, n2=n2, n3=n3),
    )  # fmt: skip
    back = read(folder / "y_back.bin", "back")
    # Two roundings on the way to the survey's scale and back are relative to the offset too
    assert np.abs(back - x).max() <= 1e-6 * np.ptp(x) + 2**-22 * offset
    assert done.swept.counts.voxels == x.size
    assert not scratch_of(folder / "y").exists()
    assert any("reflected at its ends" in note for note in done.notes) == any(
        n < p for n, p in zip(shape, patch, strict=True)
    )


@pytest.mark.parametrize("model", [tile_dependent, convolutions])
def test_chunks_of_the_output_do_not_change_a_value(
    source: Path, tmp_path: Path, model: Callable[[], Predictor]
) -> None:
    n_owners = set()
    for k, wanted in enumerate((Wanted(chunk=(8, 8, 8)), Wanted(chunk=(5, 22, 7)), Wanted(chunk=(24, 11, 40)))):
        memory_mb = SMALL_MB if k < 2 else 512
        done = applied(source, tmp_path / f"{k}.zarr", model, wanted=wanted, memory_mb=memory_mb)
        n_owners.add(done.swept.n_owners)
    assert len(n_owners) == 3
    for name in ("back", "strength"):
        found = [read(tmp_path / f"{k}.zarr", name).tobytes() for k in range(3)]
        assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("suffix", [".zarr", ".sgy", ""])
def test_any_number_of_workers_gives_the_same_files(source: Path, tmp_path: Path, suffix: str, pool: Executor) -> None:
    for workers in (1, 2, 4):
        (tmp_path / str(workers)).mkdir()
        many = pool if workers > 1 else None
        done = applied(source, tmp_path / str(workers) / f"out{suffix}", workers=workers, pool=many)
        assert done.swept.n_owners > 4
    one = digests(tmp_path / "1")
    assert len(one) > 1
    assert one == digests(tmp_path / "2") == digests(tmp_path / "4")


def test_more_workers_than_there_are_parts_give_the_same_files(source: Path, tmp_path: Path, pool: Executor) -> None:
    for workers, many in ((1, None), (3, pool)):
        (tmp_path / str(workers)).mkdir()
        wanted = Wanted(chunk=SHAPE)
        done = applied(
            source, tmp_path / str(workers) / "out.zarr", workers=workers, pool=many, memory_mb=512, wanted=wanted
        )
        assert done.swept.n_owners == 1
    assert digests(tmp_path / "1") == digests(tmp_path / "3")


def test_a_dask_cluster_of_two_workers_gives_the_same_files(source: Path, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    applied(source, tmp_path / "one.zarr")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        executor(cluster.scheduler_address) as dask,
    ):
        applied(source, tmp_path / "dask.zarr", workers=2, pool=dask)
    assert digests(tmp_path / "one.zarr") == digests(tmp_path / "dask.zarr")


def test_a_survey_in_any_format_gives_the_same_values(tmp_path: Path) -> None:
    values = layers()
    for suffix in (".zarr", ".sgy", ".bin"):
        survey = write(tmp_path / f"survey{suffix}", values)
        applied(survey, tmp_path / f"out_of{suffix}.zarr", tile_dependent)
    for name in ("back", "strength"):
        found = [read(tmp_path / f"out_of{suffix}.zarr", name).tobytes() for suffix in (".zarr", ".sgy", ".bin")]
        assert found[0] == found[1] == found[2]


def test_an_array_gives_what_its_file_gives(tmp_path: Path) -> None:
    """To a few 1e-3 of the survey's scale: a file's percentiles come from a sketch, those of an array from sorting."""
    values = layers()
    applied(write(tmp_path / "survey.sgy", values), tmp_path / "out.zarr", tile_dependent)
    found, blended = apply_to_array(plan(TILING, grid_of(SHAPE)), tile_dependent(), values)
    for name in ("back", "strength"):
        assert np.allclose(found[name], read(tmp_path / "out.zarr", name), rtol=0, atol=5e-3 * np.ptp(found[name]))
    assert blended.keys() == {"y"}


def test_holes_of_the_grid_stay_empty(tmp_path: Path) -> None:
    live = np.random.default_rng(1).random(SHAPE[:-1]) > 0.2
    values = np.where(live[..., None], layers(), np.float32(0))
    applied(write(tmp_path / "survey.zarr", values, live), tmp_path / "out.zarr", tile_dependent)
    written = open_volume(tmp_path / "out.zarr")
    assert np.array_equal(written.traces(whole(SHAPE[:-1])).live, live)
    for name in ("back", "strength"):
        found = written.read(whole(SHAPE), name)
        assert not found[~live].any()
        assert found[live].any(axis=-1).all()


def _run(source: Path, out: Path, seconds: float) -> None:
    applied(source, out, partial(tile_dependent, seconds))


@pytest.mark.parametrize(("suffix", "kills"), [(".zarr", (0, 1)), (".sgy", (1,)), ("", (1,))])
def test_a_run_that_is_killed_at_any_moment_goes_on_to_the_same_files(
    source: Path, tmp_path: Path, suffix: str, kills: tuple[int, ...], pool: Executor
) -> None:
    for folder in ("undisturbed", "killed"):
        (tmp_path / folder).mkdir()
    applied(source, tmp_path / "undisturbed" / f"out{suffix}", tile_dependent)
    out = tmp_path / "killed" / f"out{suffix}"
    for n_more in kills:
        before = len(list(scratch_of(out).glob("written/*.json")))
        process = multiprocessing.get_context("spawn").Process(target=_run, args=(source, out, 0.02))
        process.start()
        while process.is_alive() and not (
            scratch_of(out).is_dir() and len(list(scratch_of(out).glob("written/*.json"))) >= before + n_more
        ):
            time.sleep(0.01)
        time.sleep(random.uniform(0, 0.5))
        process.kill()
        process.join()
        assert process.exitcode == -9
    done = applied(source, out, tile_dependent, workers=2, pool=pool)
    assert done.swept.n_resumed > 0
    assert digests(tmp_path / "killed") == digests(tmp_path / "undisturbed")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_predictor_that_fails_leaves_a_run_that_goes_on_to_the_same_files(
    source: Path, tmp_path: Path, workers: int, pool: Executor, caplog: pytest.LogCaptureFixture
) -> None:
    for folder in ("undisturbed", "failed"):
        (tmp_path / folder).mkdir()
    applied(source, tmp_path / "undisturbed" / "out.zarr", tile_dependent)
    out, many = tmp_path / "failed" / "out.zarr", pool if workers > 1 else None
    with pytest.raises(SchemaError, match=r"model fails on an input of \(2, 1, 8, 8, 12\).*RuntimeError: mat1 and"):
        # Whichever worker has more to do reaches half of its share
        applied(source, out, partial(failing, RuntimeError, LATE // workers**2), workers=workers, pool=many)
    assert scratch_of(out).is_dir()
    assert "out.zarr: not finished. The command that began it goes on" in caplog.text
    applied(source, out, tile_dependent)
    assert "going on with a run that was not finished" in caplog.text
    assert digests(tmp_path / "failed") == digests(tmp_path / "undisturbed")


def test_what_was_chosen_for_a_run_is_kept_when_it_goes_on(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another choice would change the last bits between the parts of a result."""
    asked: list[dict[str, Any]] = []

    def choose(*args: Any, **given: Any) -> Pace:
        asked.append(given)
        return Pace(1, given["threads"] or 2, given["batch_size"] or 3)

    monkeypatch.setattr("seisloom.tiled.volume.choose_pace", choose)
    for folder in ("undisturbed", "failed"):
        (tmp_path / folder).mkdir()
    done = applied(source, tmp_path / "undisturbed" / "out.zarr", tile_dependent, workers=None)
    assert done.pace == Pace(1, 2, 3)
    with pytest.raises(SchemaError, match=r"\(3, 1, 8, 8, 12\)"):
        applied(source, tmp_path / "failed" / "out.zarr", partial(failing, RuntimeError, LATE * 2 // 3), workers=None)
    applied(source, tmp_path / "failed" / "out.zarr", tile_dependent, workers=None)
    assert [(one["threads"], one["batch_size"]) for one in asked] == [(None, None), (None, None), (2, 3)]
    assert digests(tmp_path / "failed") == digests(tmp_path / "undisturbed")


def test_nothing_is_measured_where_workers_are_given(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seisloom.tiled.volume.choose_pace", failing)
    assert applied(source, tmp_path / "out.zarr", workers=1).pace == Pace(1, 1, TILING.batch_size)


def test_a_second_run_on_one_output_is_refused_and_the_first_goes_on(source: Path, tmp_path: Path) -> None:
    for folder in ("alone", "met"):
        (tmp_path / folder).mkdir()
    out, said = tmp_path / "met" / "out.zarr", []

    def meddling() -> Predictor:
        model = tile_dependent()

        def predict(arrays: Arrays) -> Arrays:
            if len(said) < 2:  # before anything is written, and as a second try
                with pytest.raises(OutputError, match="another run is writing it") as caught:
                    applied(source, out, tile_dependent)
                said.append(str(caught.value))
            return model(arrays)

        return predict

    applied(source, out, meddling)
    applied(source, tmp_path / "alone" / "out.zarr", tile_dependent)
    assert len(said) == 2
    assert digests(tmp_path / "met") == digests(tmp_path / "alone")


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, DataError, MemoryError])
def test_a_run_that_fails_before_anything_is_written_leaves_nothing(
    source: Path, tmp_path: Path, error: type[BaseException]
) -> None:
    with pytest.raises((SeisloomError, KeyboardInterrupt)) as caught:
        applied(source, tmp_path / "out.zarr", partial(failing, error, 0))
    assert not list(tmp_path.iterdir())
    assert error is not MemoryError or "out of memory" in str(caught.value)


def test_ctrl_c_says_that_the_run_can_be_gone_on_with(
    source: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(KeyboardInterrupt):
        applied(source, tmp_path / "out.sgy", partial(failing, KeyboardInterrupt, LATE))
    assert "out.sgy: not finished. The command that began it goes on" in caplog.text
    applied(source, tmp_path / "out.sgy", tile_dependent)
    assert {one.name for one in tmp_path.iterdir()} == {"out_back.sgy", "out_strength.sgy"}


def test_a_worker_that_dies_is_an_error_that_says_what_helps(source: Path, tmp_path: Path) -> None:
    with executor(workers=2) as pool, pytest.raises(SeisloomError, match=r"a worker has died .* fewer --workers"):
        applied(source, tmp_path / "out.zarr", dying, workers=2, pool=pool)
    assert not list(tmp_path.iterdir())


def test_a_disk_that_is_full_in_the_middle_leaves_a_run_that_goes_on(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("undisturbed", "full"):
        (tmp_path / folder).mkdir()
    applied(source, tmp_path / "undisturbed" / "out", tile_dependent)
    stored, boxes = Cube.write, itertools.count()

    def full(cube: Cube, *box_and_values: Any) -> None:
        if next(boxes) == 5:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(cube.path))
        stored(cube, *box_and_values)

    with monkeypatch.context() as patched:
        patched.setattr(Cube, "write", full)
        with pytest.raises(OSError, match="No space left"):
            applied(source, tmp_path / "full" / "out", tile_dependent)
    done = applied(source, tmp_path / "full" / "out", tile_dependent)
    assert done.swept.n_resumed == 2
    assert digests(tmp_path / "full") == digests(tmp_path / "undisturbed")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"identity": {**MODEL, "model_sha256": "2"}}, r'model_sha256 was "1" and is now "2".*--force'),
        ({"tiling": TILING.model_copy(update={"overlap": 0.5})}, r"overlap 0\.4 \(now 0\.5\).*--force"),
        ({"wanted": Wanted(chunk=(12, 8, 8))}, r"chunk was \[8, 8, 8\] and is now \[12, 8, 8\].*--force"),
    ],
)
def test_an_unfinished_run_of_something_else_is_refused_and_left_alone(
    source: Path, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    out = tmp_path / "out.zarr"
    with pytest.raises(SchemaError):
        applied(source, out, partial(failing, ValueError, LATE))
    before = digests(tmp_path)
    with pytest.raises(OutputError, match=said):
        applied(source, out, tile_dependent, **changes)
    assert digests(tmp_path) == before
    assert applied(source, out, tile_dependent, force=True, **changes).swept.n_resumed == 0


def test_an_input_that_was_changed_meanwhile_is_another_run(source: Path, tmp_path: Path) -> None:
    survey = write(tmp_path / "survey.sgy", layers())
    with pytest.raises(SchemaError):
        applied(survey, tmp_path / "out.zarr", partial(failing, ValueError, LATE))
    survey.unlink()
    write(survey, layers(seed=1))
    with pytest.raises(OutputError, match=r"input .*survey\.sgy.*--force"):
        applied(survey, tmp_path / "out.zarr", tile_dependent)


def test_an_output_that_is_there_is_not_replaced_unasked(source: Path, tmp_path: Path) -> None:
    applied(source, tmp_path / "out", tile_dependent)
    before = digests(tmp_path)
    with pytest.raises(OutputError, match=r"out_back\.bin: is there already.*--force"):
        applied(source, tmp_path / "out", tile_dependent)
    assert digests(tmp_path) == before


@pytest.mark.parametrize(
    ("name", "out"),
    [
        ("a.zarr", "a.zarr"), ("a.zarr", "../NAME/a.zarr"), ("a.zarr", "link.zarr"), ("a_back.sgy", "a.sgy"),
        ("a_strength.bin", "a.bin"),
    ],
)  # fmt: skip
def test_a_source_is_never_replaced_by_its_own_result(tmp_path: Path, name: str, out: str) -> None:
    survey = write(tmp_path / name, layers((6, 6, 20)))
    (tmp_path / "link.zarr").symlink_to(survey)
    before = digests(tmp_path)
    with pytest.raises(OutputError, match="is the source itself"):
        applied(survey, tmp_path / out.replace("NAME", tmp_path.name), tile_dependent, force=True)
    assert digests(tmp_path) == before


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"memory_mb": 0}, "smaller patch or batch_size, or more memory"),
        ({"memory_mb": float("nan")}, "memory_mb nan: give the 10.6 bytes"),
        ({"memory_mb": -5}, "more memory"),
        ({"memory_mb": 0.02, "wanted": Wanted(chunk=SHAPE)}, r"takes 0.25 MB .* Allow at least 1 MB \(--memory-mb\)"),
        (
            {"tiling": Tiling(patch=(300, 300, 300)), "memory_mb": 100},
            r"takes 216\.00 MB .* more memory \(--memory-mb\)",
        ),
        ({"tiling": Tiling(patch=(8, 8))}, "patch .8, 8. has 2 numbers, .* 3 axes"),
        ({"tiling": Tiling(patch=(8, 8, 0))}, "every length must be at least 1"),
        ({"tiling": Tiling(patch=(8, 8, 8), overlap=1)}, "overlap 1: it is the share"),
        ({"variable": "velocity"}, "no variable 'velocity'; there are amplitude"),
    ],
)
def test_what_does_not_fit_is_refused_before_the_survey_is_read(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any], said: str
) -> None:
    monkeypatch.setattr("seisloom.tiled.volume.fingerprint", None)
    with pytest.raises((DataError, OutputError), match=said):
        applied(source, tmp_path / "out.zarr", tile_dependent, **more)
    assert not list(tmp_path.iterdir())


def transposed(folder: Path, sidecar: str | None) -> Path:
    """A raw cube whose fastest axis is not time."""
    layers((20, 24, 60)).transpose(2, 1, 0).tofile(folder / "cube.bin")
    if sidecar:
        (folder / "cube.json").write_text(sidecar)
    return folder / "cube.bin"


def test_a_raw_cube_with_its_time_axis_elsewhere_is_refused_unless_somebody_named_its_axes(tmp_path: Path) -> None:
    cube = transposed(tmp_path, '{"n": [20, 24, 60]}')
    with pytest.raises(DataError, match=r"nobody said which axis is which. Give --n1"):
        applied(cube, tmp_path / "out.zarr", tile_dependent)
    assert {one.name for one in tmp_path.iterdir()} == {"cube.bin", "cube.json"}
    done = applied(cube, tmp_path / "a.zarr", tile_dependent, given=Given(n1=20, n2=24, n3=60))
    assert any("it is taken as given" in note for note in done.notes)
    transposed(tmp_path, '{"n": [20, 24, 60], "axes": ["time", "crossline", "inline"]}')
    done = applied(cube, tmp_path / "b.zarr", tile_dependent)
    assert any("it is taken as given" in note for note in done.notes)


@pytest.mark.parametrize("name", ["interpretation/f3_cube_23x18x75.sgy", "restoration/teapot_dome_lineE.sgy"])
def test_real_surveys_pass_the_axis_check(field_data: Path, tmp_path: Path, name: str) -> None:
    patch = open_volume(field_data / name).spec.grid.shape
    done = applied(
        field_data / name, tmp_path / "out.zarr", tile_dependent, tiling=Tiling(patch=patch), memory_mb=512, wanted=None
    )  # fmt: skip
    assert done.fingerprint.axis_order != "does not fit"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"to": 0.0}, "survey.zarr: all samples are 0 or not finite"),
        ({"to": np.nan}, "survey.zarr: all samples are 0 or not finite"),
        ({"to": 3.0}, "survey.zarr: 90 % of the samples are 3.* the volume is constant"),
    ],
)
def test_a_volume_without_anything_to_see_is_refused_and_leaves_nothing(
    tmp_path: Path, change: dict[str, float], said: str
) -> None:
    survey = write(tmp_path / "survey.zarr", np.full(SHAPE, change["to"], dtype=np.float32))
    with pytest.raises(DataError, match=said):
        applied(survey, tmp_path / "out.zarr", tile_dependent)
    assert [one.name for one in tmp_path.iterdir()] == ["survey.zarr"]


def test_samples_that_are_not_finite_are_zero_for_the_model_and_counted(tmp_path: Path) -> None:
    values = layers()
    values[5:9, :, 10:14] = np.nan
    values[20, 20, :3] = np.inf, -np.inf, 1e38
    done = applied(write(tmp_path / "survey.zarr", values), tmp_path / "out.zarr", identity)
    n_bad = 4 * SHAPE[1] * 4 + 2
    assert f"{n_bad} samples are NaN or infinite; the model sees 0 there" in "\n".join(done.notes)
    assert done.swept.counts.input_not_finite == n_bad
    assert not read(tmp_path / "out.zarr", "strength")[~np.isfinite(values)].any()


def test_dead_and_padded_traces_are_counted(tmp_path: Path) -> None:
    values = layers()
    values[:2] = 0
    values[4:, :, 30:] = 0
    done = applied(write(tmp_path / "survey.zarr", values), tmp_path / "out.zarr", identity)
    assert f"{2 * SHAPE[1]} dead traces, {20 * SHAPE[1]} padded with zeros" in "\n".join(done.notes)


def test_outputs_that_are_not_finite_are_counted(source: Path, tmp_path: Path) -> None:
    def diverging() -> Predictor:
        return lambda arrays: {"y": np.where(arrays["x"][:, 0] > 0.5, np.inf, 0)}

    done = applied(source, tmp_path / "out.zarr", diverging, tiling=Tiling(patch=(8, 8, 12), overlap=0))
    said = [note for note in done.notes if "are not finite" in note]
    assert [note.split(":")[0].split(" voxels of ")[1] for note in said] == [
        "back are not finite",
        "strength are not finite",
    ]
    n_above = int((read(tmp_path / "out.zarr", "strength") > 0).sum())
    assert said[0].startswith(f"{n_above} voxels of back")


def test_a_run_with_one_part_shows_how_far_it_is(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("seisloom.progress.LINE_EVERY_S", 0.0)
    done = applied(source, tmp_path / "out.zarr", tile_dependent, memory_mb=512, wanted=Wanted(chunk=SHAPE))
    lines = [one for one in caplog.messages if one.startswith("computing tiles")]
    assert done.swept.n_owners == 1
    assert len(lines) >= done.swept.forwards_needed
    n_voxels = int(np.prod(SHAPE))
    assert lines[-1].startswith(f"computing tiles: {n_voxels} of {n_voxels} voxels")


def test_a_result_says_what_made_it(source: Path, tmp_path: Path) -> None:
    applied(source, tmp_path / "out.zarr", tile_dependent)
    said = open_volume(tmp_path / "out.zarr").spec
    assert said.attributes["seisloom"] == {**MODEL, "source": "survey.zarr", "units": {"back": "1", "strength": "1"}}
    assert said.grid == replace(grid_of(SHAPE))


def put_rgt(box: Box, values: Array, name: str, *, cube: Cube) -> None:
    """Write a box, and see that it may be written: no two processes share a chunk of 8 samples."""
    assert name == "rgt"
    for side, n in zip(box, cube.shape, strict=True):
        assert side.start % 8 == 0
        assert side.stop % 8 == 0 or side.stop == n
    cube.write(box, values)


@pytest.mark.parametrize(("memory_mb", "workers"), [(512, 1), (6.5, 1), (6.5, 2)])
def test_what_is_integrated_rises_along_every_trace(tmp_path: Path, memory_mb: float, workers: int) -> None:
    shape, names = (96, 80, 96), ("a", "b", "c")
    knot = 20 * np.exp(-((np.indices(shape) - 30.0) ** 2).sum(axis=0) / 18)  # below it time falls
    rgt = np.arange(shape[2]) + 0.1 * np.arange(shape[0])[:, None, None] + knot
    steps = increments(rgt)
    found = {}
    for rises in (True, False):
        made = Integrated("rgt", names, tmp_path / f"steps-{rises}", shape, rises)
        made.make_room()
        for name, one in zip(names, steps, strict=True):
            made.steps[name].write(whole(shape), one)
        out = Cube(tmp_path / f"out-{rises}", shape)
        out.make_room()
        with executor(workers=workers) as pool:
            made.write(partial(put_rgt, cube=out), (8, 8, 8), memory_mb=memory_mb, pool=pool)
        found[rises] = out.read(whole(shape))
    exact = integrate(steps)
    assert (np.diff(exact) < -1).any()
    tolerance = 2e-6 if memory_mb > 100 else 0.005 * 20 / shape[2]  # see `integrate_volume`
    np.testing.assert_allclose(found[False], exact / shape[2] + 0.5, atol=tolerance)
    np.testing.assert_allclose(found[True], rising(exact) / shape[2] + 0.5, atol=tolerance)
    assert (np.diff(found[True]) > 0).all()
