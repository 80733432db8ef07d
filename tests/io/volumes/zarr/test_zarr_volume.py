"""Zarr in MDIO's layout: a file that multidimio made opens, and what we write comes back."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import segyio
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from seisloom.errors import DataError, MissingDataError, OutputError
from seisloom.io.volumes.grid import Axis, Grid, boxes, whole
from seisloom.io.volumes.volume import SegyFrame, Spec, Traces, Wanted
from seisloom.io.volumes.zarr import mdio
from seisloom.io.volumes.zarr.volume import ZarrVolume
from seisloom.io.volumes.zarr.writer import ZarrWriter
from seisloom.sample import Array

MADE = Path(__file__).parents[3] / "data" / "mdio_v1"
"""small.sgy, and small.mdio that multidimio 1.1.3 made of it; see tools/mdio_fixture.py."""


@pytest.fixture(scope="module")
def traces_of_the_file() -> Array:
    with segyio.open(MADE / "small.sgy", ignore_geometry=True) as opened:
        return np.asarray(opened.trace.raw[:])


def test_a_file_of_multidimio_opens_as_its_segy(traces_of_the_file: Array) -> None:
    volume = ZarrVolume(MADE / "small.mdio")
    grid = volume.spec.grid
    assert grid.names == ("inline", "crossline", "time")
    assert grid["inline"].values.tolist() == [10, 12, 14, 16]
    assert grid["time"].unit == "s"
    np.testing.assert_allclose(grid["time"].values, 0.004 * np.arange(16))
    traces = volume.traces(whole(grid.trace_shape))
    assert traces.live.sum() == 18
    values = volume.read(whole(grid.shape))
    np.testing.assert_array_equal(values[traces.live], traces_of_the_file)
    assert not values[~traces.live].any()
    content = (MADE / "small.sgy").read_bytes()
    assert volume.spec.frame is not None
    assert volume.spec.frame.head == content[:3600]
    assert traces.headers is not None
    stored = np.frombuffer(content[3600:], np.uint8).reshape(18, -1)[:, :240]
    np.testing.assert_array_equal(traces.headers[traces.live], stored)
    assert traces.number is not None
    np.testing.assert_array_equal(traces.number[traces.live], np.arange(18))
    assert traces.x is not None
    assert traces.x[0].tolist() == [1000 + 25 * k for k in range(100, 105)]


def test_headers_come_back_from_the_words_where_the_bytes_were_not_kept(tmp_path: Path) -> None:
    copy = tmp_path / "words.mdio"
    shutil.copytree(MADE / "small.mdio", copy)
    shutil.rmtree(copy / "raw_headers")
    box = whole((4, 5))
    np.testing.assert_array_equal(
        ZarrVolume(copy).traces(box).headers,  # type: ignore[arg-type]
        ZarrVolume(MADE / "small.mdio").traces(box).headers,  # type: ignore[arg-type]
    )


def spec_of(shape: tuple[int, ...], kind: str = "f4", *, segy: bool = True) -> Spec:
    lateral = ("inline", "crossline", "offset")[: len(shape) - 1] if len(shape) > 2 else ("cdp",)
    axes = [Axis.regular(name, n, first=7, step=3) for name, n in zip(lateral, shape, strict=False)]
    grid = Grid((*axes, Axis.regular("time", shape[-1], first=0.1, step=0.00025, unit="s")))
    frame = SegyFrame(bytes(range(250)) * 15, b"end", 5, little_endian=False, n_traces=3) if segy else None
    return Spec(grid, {"amplitude": np.dtype(kind)}, frame, has_headers=segy, has_xy=segy)


def some_traces(shape: tuple[int, ...], rng: np.random.Generator) -> Traces:
    live = rng.random(shape) < 0.7
    number = np.where(live, rng.permutation(live.size).reshape(shape), -1)
    headers = rng.integers(0, 256, (*shape, 240), dtype=np.uint8) * live[..., None]
    x, y = (np.where(live, rng.normal(size=shape), np.nan) for _ in "xy")
    return Traces(live, headers.astype(np.uint8), number, x, y)


@settings(max_examples=25, deadline=None)
@given(
    shape=st.lists(st.integers(1, 7), min_size=2, max_size=4),
    chunk=st.lists(st.integers(1, 5), min_size=4, max_size=4),
    shards=st.booleans(),
    kind=st.sampled_from(["f4", "f8", "i2", "u1"]),
    seed=st.integers(0, 99),
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, shape: list[int], chunk: list[int], shards: bool, kind: str, seed: int
) -> None:
    path = tmp_path_factory.mktemp("zarr") / "one.zarr"
    rng, n = np.random.default_rng(seed), len(shape)
    spec = spec_of(tuple(shape), kind)
    values = (100 * rng.normal(size=shape)).astype(kind)
    traces = some_traces(tuple(shape[:-1]), rng)
    small = tuple(chunk[:n])
    writer = ZarrWriter(path, spec, Wanted(chunk=small, shard=tuple(2 * k for k in small) if shards else None))
    for box in boxes(shape, writer.grain):
        writer.write(box, values[box])
    again = pickle.loads(pickle.dumps(writer))
    for box in boxes(shape[:-1], writer.grain[:-1]):
        columns = (traces.live, traces.headers, traces.number, traces.x, traces.y)
        again.write_traces(box, Traces(*(one[box] for one in columns)))  # type: ignore[index]
    assert writer.finish() == (path,)

    volume = pickle.loads(pickle.dumps(ZarrVolume(path)))
    assert volume.spec.frame == spec.frame or volume.spec.frame.n_traces == traces.live.sum()
    assert volume.spec.grid.names == spec.grid.names
    np.testing.assert_allclose(volume.spec.grid["time"].values, spec.grid["time"].values)
    assert volume.spec.variables == {"amplitude": np.dtype(kind)}
    cut = tuple(slice(n // 3, n) for n in shape)
    found, read = volume.read(cut), volume.traces(cut[:-1])
    live = traces.live[cut[:-1]]
    np.testing.assert_array_equal(found[live], values[cut][live])
    for name in ("live", "headers", "number", "x", "y"):
        np.testing.assert_array_equal(getattr(read, name), getattr(traces, name)[cut[:-1]])


def written(path: Path, values: Array, live: Array) -> ZarrVolume:
    writer = ZarrWriter(path, spec_of(values.shape, values.dtype.str, segy=False), Wanted(chunk=(2, 2, 4)))
    writer.write(whole(values.shape), values)
    writer.write_traces(whole(live.shape), Traces(live))
    writer.finish()
    return ZarrVolume(path)


@pytest.mark.parametrize("kind", ["f4", "i2"])
def test_a_missing_chunk_with_live_traces_is_named_and_one_without_is_a_hole(tmp_path: Path, kind: str) -> None:
    live = np.ones((4, 4), dtype=bool)
    live[2:, 2:] = False
    values = np.where(live[..., None], 1, np.nan if kind == "f4" else 0).repeat(8, axis=2).astype(kind)
    volume = written(tmp_path / "one.zarr", values, live)
    (volume.path / "amplitude/c/1/1/0").unlink()
    assert not volume.read((slice(2, 4), slice(2, 4), slice(0, 4))).any()
    (volume.path / "amplitude/c/0/1/1").unlink()
    assert volume.read((slice(0, 4), slice(0, 2), slice(0, 8))).all()
    with pytest.raises(DataError, match=r"amplitude/c/0/1/1: this chunk is missing, and it has live traces"):
        volume.read(whole(values.shape))


def test_a_damaged_chunk_is_an_error_with_its_place(tmp_path: Path) -> None:
    volume = written(tmp_path / "one.zarr", np.ones((2, 2, 8), np.float32), np.ones((2, 2), bool))
    chunk = volume.path / "amplitude/c/0/0/1"
    chunk.write_bytes(chunk.read_bytes()[:7])
    with pytest.raises(DataError, match=r"amplitude at 0:2, 0:2, 0:8 does not read"):
        volume.read(whole((2, 2, 8)))


def test_live_zeros_and_nans_are_data(tmp_path: Path) -> None:
    values = np.zeros((2, 2, 8), np.float32)
    values[0] = np.nan
    volume = written(tmp_path / "one.zarr", values, np.ones((2, 2), bool))
    np.testing.assert_array_equal(volume.read(whole(values.shape)), values)


def test_the_same_volume_is_the_same_bytes(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(3, 4, 9)).astype(np.float32)
    one, two = (written(tmp_path / name, values, np.ones((3, 4), bool)).path for name in ("one.zarr", "two.zarr"))
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert len(files) > 10
    for file in files:
        assert (one / file).read_bytes() == (two / file).read_bytes(), file


def test_groups_of_others_open_by_the_names_of_their_axes(tmp_path: Path) -> None:
    group = zarr.create_group(tmp_path / "plain.zarr")
    group.create_array("fault", shape=(2, 3, 4), dtype="f4", dimension_names=["y", "x", "depth"])[...] = 1
    group.create_array("dip", shape=(2, 3, 4), dtype="f4", dimension_names=["y", "x", "depth"])[...] = 2
    volume = ZarrVolume(tmp_path / "plain.zarr")
    assert sorted(volume.spec.variables) == ["dip", "fault"]
    assert volume.read(whole((2, 3, 4)), "dip").tolist() == np.full((2, 3, 4), 2).tolist()
    assert volume.traces(whole((2, 3))).live.all()
    with pytest.raises(DataError, match="no variable 'rgt'; there are "):
        volume.read(whole((2, 3, 4)), "rgt")


def test_what_is_no_volume_says_so(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=r"absent\.zarr: no such volume"):
        ZarrVolume(tmp_path / "absent.zarr")
    (tmp_path / "empty.zarr").mkdir()
    with pytest.raises(DataError, match=r"empty\.zarr: is no Zarr group .*zarr\.json"):
        ZarrVolume(tmp_path / "empty.zarr")
    zarr.create_group(tmp_path / "bare.zarr").create_array("one", shape=(3,), dtype="f4")
    with pytest.raises(DataError, match=r"bare\.zarr: holds no volume"):
        ZarrVolume(tmp_path / "bare.zarr")


def test_chunks_and_shards_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"--chunk 8,8: give a number above 0 for each of inline, crossline, time"):
        ZarrWriter(tmp_path / "a.zarr", spec_of((4, 4, 4)), Wanted(chunk=(8, 8)))
    with pytest.raises(OutputError, match=r"--shard 3,4,4: must be a multiple of the chunk 2,2,2"):
        ZarrWriter(tmp_path / "a.zarr", spec_of((4, 4, 4)), Wanted(chunk=(2, 2, 2), shard=(3, 4, 4)))


def test_the_words_of_multidimio_are_ours() -> None:
    made = json.loads((MADE / "small.mdio" / "headers" / "zarr.json").read_text())
    fields = made["data_type"]["configuration"]["fields"]
    kind = mdio.header_type()
    assert [(name, np.dtype(one).str) for name, one in fields] == [(name, kind[name].str) for name in kind.names or ()]
    said = json.loads((MADE / "small.mdio" / "segy_file_header" / "zarr.json").read_text())["attributes"]
    frame = ZarrVolume(MADE / "small.mdio").spec.frame
    assert frame is not None
    ours = mdio.stored_frame(frame)
    assert {name: ours[name] for name in said} == said
