"""Raw cubes: what we write is what NumPy reads, sizes come from side-cars or are asked for, and bad files are named."""

from __future__ import annotations

import errno
import json
import os
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seisloom.convert import convert, create_volume, open_volume
from seisloom.errors import DataError, MissingDataError, OutputError
from seisloom.io.volumes.grid import Axis, Grid, boxes, whole
from seisloom.io.volumes.raw.cube import Cube, shapes_that_fit
from seisloom.io.volumes.raw.plane import fitted_plane
from seisloom.io.volumes.raw.sidecar import grid_of
from seisloom.io.volumes.raw.volume import open_raw
from seisloom.io.volumes.raw.writer import RawWriter
from seisloom.io.volumes.volume import Given, Spec, Traces, Wanted, partial_of
from seisloom.sample import Array

SURVEY = Path(__file__).parents[3] / "data" / "mdio_v1" / "small.sgy"
GRID = Grid(
    (
        Axis.regular("inline", 4, first=100, step=2),
        Axis.regular("crossline", 5, first=300),
        Axis.regular("time", 6, first=0.1, step=0.004, unit="s"),
    )
)
F4 = np.dtype(np.float32)


def noise(shape: tuple[int, ...], seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def stored(path: Path, values: Array, grid: Grid = GRID, name: str = "amplitude") -> Path:
    writer = RawWriter(path, Spec(grid, {name: F4}), Wanted())
    writer.write(whole(grid.shape), values, name)
    writer.finish()
    return path


@st.composite
def shapes_and_boxes(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[slice, ...]]:
    shape = tuple(draw(st.lists(st.integers(1, 7), min_size=1, max_size=4)))
    edges = [sorted(draw(st.lists(st.integers(0, n), min_size=2, max_size=2, unique=True))) for n in shape]
    return shape, tuple(slice(*one) for one in edges)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(shapes_and_boxes(), st.sampled_from(["little", "big"]), st.integers(0, 3), st.booleans())
def test_any_box_is_read_and_written_where_numpy_has_it(
    tmp_path: Path, drawn: tuple[tuple[int, ...], tuple[slice, ...]], order: str, offset: int, is_long: bool
) -> None:
    shape, box = drawn
    cube = Cube(tmp_path / "one", shape, order, offset)
    cube.path.unlink(missing_ok=True)
    cube.make_room()
    expected = np.zeros(shape, np.float32)
    expected[box] = noise(expected[box].shape)
    with pytest.MonkeyPatch.context() as patch:
        if is_long:  # traces that are read in part
            patch.setattr("seisloom.io.volumes.raw.cube.SKIP_BYTES", 0)
        cube.write(box, expected[box])
        there = np.fromfile(cube.path, {"little": "<f4", "big": ">f4"}[order], offset=offset).reshape(shape)
        np.testing.assert_array_equal(there, expected)
        found = cube.read(box)
    assert found.dtype == F4
    assert found.dtype.isnative
    np.testing.assert_array_equal(found, expected[box])


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.lists(st.integers(1, 4), min_size=4, max_size=4))
def test_a_cube_comes_back_with_its_axes(tmp_path: Path, sizes: list[int], steps: list[int]) -> None:
    grid = grid_of(sizes, {"o": [k + 0.5 for k in range(len(sizes))], "d": [0.1 * (k + 1) for k in range(len(sizes))]})
    writer = RawWriter(tmp_path / "c.bin", Spec(grid, {"amplitude": F4}), Wanted())
    values = noise(grid.shape)
    for box in boxes(grid.shape, steps[: len(sizes)]):
        writer.write(box, values[box])
    assert [file.name for file in writer.finish()] == ["c.bin", "c.json"]
    assert {file.name for file in tmp_path.iterdir()} == {"c.bin", "c.json"}
    volume = pickle.loads(pickle.dumps(open_volume(tmp_path / "c.bin")))
    np.testing.assert_array_equal(volume.read(whole(grid.shape)), values)
    assert volume.spec.grid.names == grid.names
    for ours, theirs in zip(volume.spec.grid.axes, grid.axes, strict=True):
        np.testing.assert_allclose(ours.values, theirs.values, rtol=1e-12)


def test_the_side_car_says_what_the_cube_does_not(tmp_path: Path) -> None:
    values = noise(GRID.shape)
    values[1, 2] = 0
    stored(tmp_path / "survey", values)
    said = json.loads((tmp_path / "survey.json").read_text())
    assert said == {
        "n": [6, 5, 4], "d": [0.004, 1.0, 2.0], "o": [0.1, 300.0, 100.0], "axes": ["time", "crossline", "inline"],
        "units": ["s", "1", "1"], "byte_order": "little", "order": "fastest first",
        "variables": {"amplitude": "survey"}, "n_dead_traces": 1,
    }  # fmt: skip
    np.testing.assert_array_equal(np.fromfile(tmp_path / "survey", "<f4").reshape(4, 5, 6), values)
    assert "1 traces were all zero" in open_volume(tmp_path / "survey").notes[0]


def test_axes_of_uneven_steps_come_back(tmp_path: Path) -> None:
    grid = Grid((Axis("offset", np.array([100.0, 150, 350])), Axis.regular("depth", 4, step=5, unit="m")))
    stored(tmp_path / "line.f32", noise(grid.shape), grid)
    assert open_volume(tmp_path / "line.f32").spec.grid == grid


def test_sizes_may_be_given_for_cubes_and_lines(tmp_path: Path) -> None:
    path = tmp_path / "cube.dat"
    values = noise((2, 3, 4))
    values.astype(">f4").tofile(path)
    volume = open_volume(path, Given(n1=4, n2=3, n3=2, byte_order="big"))
    assert volume.spec.grid.names == ("inline", "crossline", "sample")
    np.testing.assert_array_equal(volume.read(whole((2, 3, 4))), values)
    line = open_volume(path, Given(n1=4, n2=6, byte_order="big"))
    assert line.spec.grid.names == ("trace", "sample")
    np.testing.assert_array_equal(line.read(whole((6, 4))), values.reshape(6, 4))
    with pytest.raises(DataError, match=r"96 bytes, and n1=4 x n2=3 x n3=3 float32 need 144 \(-48\)"):
        open_volume(path, Given(n1=4, n2=3, n3=3))
    with pytest.raises(DataError, match="--n1 and --n2 for a line"):
        open_volume(path, Given(n1=4, n3=3))


def test_a_hand_written_side_car_needs_sizes_alone(tmp_path: Path) -> None:
    noise((2, 3, 4)).tofile(tmp_path / "x.raw")
    (tmp_path / "x.raw.json").write_text('{"n": [4, 3, 2]}')
    assert open_volume(tmp_path / "x.raw").spec.grid.shape == (2, 3, 4)
    (tmp_path / "x.raw.json").write_text('{"n": [4, 3, 2], "d": [1, 2]}')
    with pytest.raises(DataError, match=r"x\.raw\.json: 'd' must be a list of 3 values"):
        open_volume(tmp_path / "x.raw")
    (tmp_path / "x.raw.json").write_text('{"n": [4, 3.5, 2]}')
    with pytest.raises(DataError, match="'n' must be a list of whole numbers"):
        open_volume(tmp_path / "x.raw")


def test_given_sizes_go_before_the_side_car(tmp_path: Path) -> None:
    stored(tmp_path / "c.bin", noise(GRID.shape))
    volume = open_volume(tmp_path / "c.bin", Given(n1=5, n2=6, n3=4))
    assert volume.spec.grid.shape == (4, 6, 5)
    assert "is taken, as given" in volume.notes[0]


@pytest.mark.parametrize("shape", [(8, 8, 8), (4, 5, 6)])
def test_sizes_that_nobody_says_are_asked_for(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    noise(shape).tofile(tmp_path / "c.bin")
    with pytest.raises(DataError, match=rf"{np.prod(shape)} samples.*--n1.*c\.json.*{' x '.join(map(str, shape))}"):
        open_volume(tmp_path / "c.bin")


@pytest.mark.parametrize(
    ("sizes", "fitting"),
    [
        ({"n1": 6, "n2": 5, "n3": 3}, "These fit: .*--n1 6 --n2 5 --n3 4"),
        ({"n1": 6, "n2": 4, "n3": 4}, "These fit: .*--n1 6 --n2 5 --n3 4"),
        ({"n1": 7, "n2": 7, "n3": 7}, "These fit: .*--n1 6 --n2 5 --n3 4"),
        ({"n1": 7}, "These fit: .*--n1 6 --n2 5 --n3 4"),
    ],
)
def test_wrong_sizes_are_told_with_those_that_fit(tmp_path: Path, sizes: dict[str, int], fitting: str) -> None:
    noise((4, 5, 6)).tofile(tmp_path / "c.bin")
    with pytest.raises(DataError, match=fitting):
        open_volume(tmp_path / "c.bin", Given(**sizes))


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 10**7))
def test_shapes_that_fit_have_the_samples(n: int) -> None:
    shapes = shapes_that_fit(n)
    assert shapes
    assert all(a * b * c == n and a <= b <= c for a, b, c in shapes)


def test_a_wrong_byte_order_is_refused_unless_it_is_given(tmp_path: Path) -> None:
    path = tmp_path / "c.bin"
    sizes = {"n1": 6, "n2": 5, "n3": 4}
    for values in (noise((4, 5, 6)), np.round(100 * noise((4, 5, 6)))):
        values.astype(">f4").tofile(path)
        with pytest.raises(DataError, match="--byte-order big"):
            open_volume(path, Given(**sizes))
        open_volume(path, Given(**sizes, byte_order="little"))
    values = noise((4, 5, 6))
    values[:2] = np.nan
    values[2] = 1e30
    values.tofile(path)
    open_volume(path, Given(**sizes))


def test_several_variables_share_a_side_car_and_open_together(tmp_path: Path) -> None:
    names = ["fault", "dip", "strike", "rgt", "dhr", "phase"]
    writer = create_volume(tmp_path / "result", Spec(GRID, dict.fromkeys(names, F4)))
    for k, name in enumerate(names):
        writer.write(whole(GRID.shape), noise(GRID.shape, k), name)
    files = [file.name for file in writer.finish()]
    assert files == [*(f"result.{one}" for one in ("fsem", "fdip", "fstrike", "rgt", "dhr")), "result_phase.bin",
                     "result.json"]  # fmt: skip
    together = open_volume(tmp_path / "result")
    assert list(together.spec.variables) == names
    for k, name in enumerate(names):
        np.testing.assert_array_equal(together.read(whole(GRID.shape), name), noise(GRID.shape, k))
    alone = open_volume(tmp_path / "result.rgt")
    assert list(alone.spec.variables) == ["rgt"]
    assert list(open_volume(tmp_path / "result_phase.bin").spec.variables) == ["phase"]
    (tmp_path / "result.dhr").unlink()
    assert any("result.dhr" in note for note in open_volume(tmp_path / "result").notes)
    with pytest.raises(OutputError, match=r"result\.fsem: is there already"):
        create_volume(tmp_path / "result", Spec(GRID, dict.fromkeys(names, F4)))
    create_volume(tmp_path / "result", Spec(GRID, dict.fromkeys(names, F4)), force=True).abandon()
    with pytest.raises(OutputError, match="is for rgt alone"):
        create_volume(tmp_path / "other.rgt", Spec(GRID, dict.fromkeys(names, F4)))
    with pytest.raises(DataError, match="no variable 'horizon'"):
        alone.read(whole(GRID.shape), "horizon")


def test_side_cars_of_other_volumes_are_left_alone(tmp_path: Path) -> None:
    stored(tmp_path / "a.fsem", noise(GRID.shape), name="fault")
    stored(tmp_path / "a.rgt", noise(GRID.shape), name="rgt")
    assert json.loads((tmp_path / "a.json").read_text())["variables"] == {"fault": "a.fsem", "rgt": "a.rgt"}
    other = Grid(GRID.axes[1:])
    stored(tmp_path / "a.bin", noise(other.shape), other)
    assert open_volume(tmp_path / "a.bin").spec.grid == other
    assert open_volume(tmp_path / "a").spec.grid == GRID
    (tmp_path / "b.json").write_text('{"what": "mine"}')
    stored(tmp_path / "b.bin", noise(GRID.shape))
    assert json.loads((tmp_path / "b.json").read_text()) == {"what": "mine"}
    assert open_volume(tmp_path / "b.bin").spec.grid == GRID


def test_segy_goes_through_a_raw_cube_and_back(tmp_path: Path) -> None:
    done = convert(SURVEY, tmp_path / "cube")
    assert done.counts["holes"] == 2
    survey, cube = open_volume(SURVEY), open_volume(tmp_path / "cube")
    all_of_it = whole(survey.spec.grid.shape)
    np.testing.assert_array_equal(cube.read(all_of_it), survey.read(all_of_it))
    assert json.loads((tmp_path / "cube.json").read_text())["n_dead_traces"] == 2
    ours, theirs = (one.traces(all_of_it[:-1]) for one in (cube, survey))
    assert ours.x is not None
    assert ours.y is not None
    np.testing.assert_allclose(
        np.array([ours.x, ours.y])[:, theirs.live], np.array([theirs.x, theirs.y])[:, theirs.live]
    )
    convert(tmp_path / "cube", tmp_path / "back.sgy", like=SURVEY)
    assert (tmp_path / "back.sgy").read_bytes() == SURVEY.read_bytes()
    convert(tmp_path / "cube", tmp_path / "new.sgy")
    new = open_volume(tmp_path / "new.sgy")
    assert new.spec.grid == survey.spec.grid
    np.testing.assert_array_equal(new.read(all_of_it), survey.read(all_of_it))


def test_crooked_coordinates_have_no_plane() -> None:
    x, y = np.meshgrid(GRID["inline"].values, GRID["crossline"].values, indexing="ij")
    assert fitted_plane(GRID, np.array([1000 + 3 * x - y, 7 + 2 * y])) == ((1000, 3, -1), (7, 0, 2))
    assert fitted_plane(GRID, np.array([x**2, y])) == ()
    assert fitted_plane(GRID, np.zeros((2, 4, 5))) == ()


def _write_line(writer: RawWriter, k: int) -> None:
    box = (slice(k, k + 1), *whole(GRID.shape[1:]))
    writer.write(box, noise(GRID.shape)[box])
    writer.write_traces(box[:-1], Traces(np.ones((1, 5), bool)))


def test_several_processes_write_one_cube(tmp_path: Path) -> None:
    writer = RawWriter(tmp_path / "c.bin", Spec(GRID, {"amplitude": F4}), Wanted())
    with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
        for one in [pool.submit(_write_line, writer, k) for k in range(3)]:
            one.result()
    writer.finish()
    expected = noise(GRID.shape)
    expected[3] = 0
    np.testing.assert_array_equal(np.fromfile(tmp_path / "c.bin", "<f4").reshape(GRID.shape), expected)
    assert json.loads((tmp_path / "c.json").read_text())["n_dead_traces"] == 5


def test_a_full_disk_is_told_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OutputError, match=r"No space left.*Free some space"):
        create_volume(tmp_path / "c.bin", Spec(GRID, {"amplitude": F4}))
    assert not list(tmp_path.iterdir())


def test_abandoned_cubes_leave_nothing(tmp_path: Path) -> None:
    writer = RawWriter(tmp_path / "c.bin", Spec(GRID, {"amplitude": F4}), Wanted())
    assert partial_of(tmp_path / "c.bin").stat().st_size == 4 * 4 * 5 * 6
    writer.abandon()
    assert not list(tmp_path.iterdir())


def test_numbers_beyond_float32_are_refused(tmp_path: Path) -> None:
    cube = Cube(tmp_path / "c", (2,))
    cube.make_room()
    cube.write((slice(0, 2),), np.array([np.inf, np.nan]))
    with pytest.raises(DataError, match="1e\\+200 do not fit float32"):
        cube.write((slice(0, 2),), np.array([np.nan, 1e200]))


def test_bad_files_are_named(tmp_path: Path) -> None:
    sizes = Given(n1=6, n2=5, n3=4)
    path = stored(tmp_path / "c.bin", noise(GRID.shape))
    content = path.read_bytes()
    path.write_bytes(content[:-8])
    with pytest.raises(DataError, match=r"472 bytes.*need 480 \(-8\). It is cut off"):
        open_volume(path)
    path.write_bytes(content + bytes(4))
    with pytest.raises(DataError, match=r"\(\+4\). It is longer"):
        open_volume(path)
    path.write_bytes(content[:-1])
    with pytest.raises(DataError, match="479 bytes are no whole number of float32"):
        open_volume(path, sizes)
    path.write_bytes(b"")
    with pytest.raises(DataError, match="is empty"):
        open_volume(path, sizes)
    path.write_bytes(content)
    volume = open_volume(path)
    path.write_bytes(content[:100])
    with pytest.raises(DataError, match="ends after 100 bytes, and 480"):
        volume.read(whole(GRID.shape))
    (tmp_path / "d.bin").mkdir()
    with pytest.raises(DataError, match="is a folder"):
        open_raw(tmp_path / "d.bin", sizes)
    with pytest.raises(MissingDataError, match="no such volume"):
        open_volume(tmp_path / "nothing")
    path.unlink()
    with pytest.raises(MissingDataError, match="no such volume"):
        open_volume(path)


@pytest.mark.parametrize(
    ("said", "step", "unit"),
    [
        ({"axes": ["time", "trace"], "d": [0.004, 1]}, 0.004, "s"),
        ({"axes": ["time", "trace"], "d": [4, 1], "units": ["ms", "1"]}, 0.004, "s"),
        ({"axes": ["depth", "trace"], "d": [5, 1]}, 5.0, "m"),
        ({"axes": ["depth", "trace"], "d": [10, 1], "units": ["ft", "1"]}, 3.048, "m"),
        ({}, 1.0, "1"),
    ],
)
def test_units_are_si_and_those_of_the_name_where_nobody_says_them(
    tmp_path: Path, said: dict[str, object], step: float, unit: str
) -> None:
    (tmp_path / "line").write_bytes(noise((3, 8)).tobytes())
    (tmp_path / "line.json").write_text(json.dumps({"n": [8, 3], **said}))
    convert(tmp_path / "line", tmp_path / "line.zarr")
    for path in ("line", "line.zarr"):
        axis = open_volume(tmp_path / path).spec.grid.axes[-1]
        assert axis.step == pytest.approx(step)
        assert axis.unit == unit or path.endswith(".zarr")


def test_undefined_samples_do_not_hide_a_wrong_byte_order(tmp_path: Path) -> None:
    values = noise((20, 30, 40))
    values[:, :1] = np.nan
    (tmp_path / "big.bin").write_bytes(values.astype(">f4").tobytes())
    with pytest.raises(DataError, match="--byte-order big"):
        open_raw(tmp_path / "big.bin", Given(n1=40, n2=30, n3=20))
    big = open_raw(tmp_path / "big.bin", Given(n1=40, n2=30, n3=20, byte_order="big"))
    np.testing.assert_array_equal(big.read(whole(values.shape)), values)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{'n': [8, 3]}", r"line\.json: is no JSON that can be read .*Mend it"),
        ('{"n": [8, 3], "cdp_xy": {"x": [1, 2]}}', r"line\.json: 'cdp_xy' must have x and y, each a list of 2 numbers"),
    ],
)
def test_a_side_car_that_is_damaged_is_named(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "line").write_bytes(noise((3, 8)).tobytes())
    (tmp_path / "line.json").write_text(text)
    with pytest.raises(DataError, match=says):
        open_raw(tmp_path / "line", Given())


def test_attributes_may_hold_numbers_of_numpy(tmp_path: Path) -> None:
    spec = Spec(GRID, {"amplitude": F4}, attributes={"q": np.float32(1.5), "many": np.arange(2), "file": Path("a")})
    writer = RawWriter(tmp_path / "v", spec, Wanted())
    writer.write(whole(GRID.shape), noise(GRID.shape))
    writer.finish()
    assert open_volume(tmp_path / "v").spec.attributes == {"q": 1.5, "many": [0, 1], "file": "a"}
