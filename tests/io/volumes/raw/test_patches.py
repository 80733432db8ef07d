"""Numbered patches: cut as NumPy cuts, joined as the volume was, and each one opens alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seisloom.convert import convert, cut, open_volume
from seisloom.errors import DataError, OutputError
from seisloom.io.volumes.grid import Grid, whole
from seisloom.io.volumes.raw.patches import PatchFolder, write_patches
from seisloom.io.volumes.raw.sidecar import grid_of
from seisloom.io.volumes.raw.writer import RawWriter
from seisloom.io.volumes.volume import Spec, Volume, Wanted
from seisloom.sample import Array

SURVEY = Path(__file__).parents[3] / "data" / "mdio_v1" / "small.sgy"


def volume_of(path: Path, values: Array, name: str = "amplitude", grid: Grid | None = None) -> Volume:
    grid = grid or grid_of(values.shape[::-1])
    writer = RawWriter(path, Spec(grid, {name: np.dtype(np.float32)}), Wanted())
    writer.write(whole(grid.shape), values, name)
    writer.finish()
    return open_volume(path)


@st.composite
def lattices(draw: st.DrawFn) -> tuple[list[int], list[int], list[int], tuple[slice, ...]]:
    shape = draw(st.lists(st.integers(1, 7), min_size=1, max_size=3))
    patch = [draw(st.integers(1, n)) for n in shape]
    stride = [draw(st.integers(1, n)) for n in patch]
    edges = [sorted(draw(st.lists(st.integers(0, n), min_size=2, max_size=2, unique=True))) for n in shape]
    return shape, patch, stride, tuple(slice(*one) for one in edges)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(lattices())
def test_cubes_are_what_numpy_cuts_and_join_to_the_volume(
    tmp_path: Path, drawn: tuple[list[int], list[int], list[int], tuple[slice, ...]]
) -> None:
    shape, patch, stride, box = drawn
    values = np.arange(np.prod(shape), dtype=np.float32).reshape(shape) + 1
    volume = volume_of(tmp_path / "v.bin", values)
    target = volume_of(tmp_path / "t.rgt", -values)
    write_patches(volume, tmp_path / "cut", patch=patch[::-1], stride=stride[::-1], targets={"rgt": target}, force=True)
    said = json.loads((tmp_path / "cut" / "patches.json").read_text())
    firsts = np.stack(np.meshgrid(*said["starts"][::-1], indexing="ij"), -1).reshape(-1, len(shape))
    assert said["n_cubes"] == len(firsts)
    for number, first in enumerate(firsts):
        expected = values[tuple(slice(a, a + n) for a, n in zip(first, patch, strict=True))]
        for name, sign in (("", 1), ("_rgt", -1)):
            found = np.fromfile(tmp_path / "cut" / f"{number}{name}.bin", "<f4").reshape(patch)
            np.testing.assert_array_equal(found, sign * expected)
    joined = open_volume(tmp_path / "cut")
    np.testing.assert_array_equal(joined.read(box), values[box])
    np.testing.assert_array_equal(joined.read(box, "rgt"), -values[box])


def test_segy_to_patches_to_zarr_gives_the_volume_back(tmp_path: Path) -> None:
    convert(SURVEY, tmp_path / "target.rgt")
    wrote = cut(SURVEY, tmp_path / "cubes", patch=(8, 2, 3), stride=(4, 2, 2), targets={"rgt": tmp_path / "target.rgt"})
    assert wrote == (tmp_path / "cubes",)
    convert(tmp_path / "cubes", tmp_path / "joined.zarr")
    survey, joined = open_volume(SURVEY), open_volume(tmp_path / "joined.zarr")
    all_of_it = whole(survey.spec.grid.shape)
    assert joined.spec.grid == survey.spec.grid
    assert list(joined.spec.variables) == ["amplitude", "rgt"]
    for name in joined.spec.variables:
        np.testing.assert_array_equal(joined.read(all_of_it, name), survey.read(all_of_it))
    ours, theirs = joined.traces(all_of_it[:-1]), survey.traces(all_of_it[:-1])
    assert ours.x is not None
    assert theirs.x is not None
    np.testing.assert_allclose(ours.x[theirs.live], theirs.x[theirs.live])


def test_each_cube_opens_without_asking(tmp_path: Path) -> None:
    cut(SURVEY, tmp_path / "cubes", patch=(8, 3, 2))
    survey = open_volume(SURVEY)
    cube = open_volume(tmp_path / "cubes" / "3.bin")  # n1 first: 0 and 1 stand above each other
    assert cube.spec.grid["time"].first == pytest.approx(0.032)
    assert cube.spec.grid["crossline"].values.tolist() == [102, 103, 104]  # clamped: 5 crosslines
    assert cube.spec.grid["inline"].values.tolist() == [10, 12]
    box = (slice(0, 2), slice(2, 5), slice(8, 16))
    np.testing.assert_array_equal(cube.read(whole((2, 3, 8))), survey.read(box))


def test_other_variables_are_targets_too(tmp_path: Path) -> None:
    grid = grid_of([4, 3, 2])
    names = dict.fromkeys(["amplitude", "fault"], np.dtype(np.float32))
    writer = RawWriter(tmp_path / "v", Spec(grid, names), Wanted())
    for name in names:
        writer.write(whole(grid.shape), np.full(grid.shape, len(name)), name)
    writer.finish()
    files = write_patches(open_volume(tmp_path / "v"), tmp_path / "cubes", patch=(4, 3, 1))
    assert [one.name for one in files] == ["0.bin", "0_fsem.bin", "1.bin", "1_fsem.bin", "patches.json"]
    assert list(open_volume(tmp_path / "cubes" / "1_fsem.bin").spec.variables) == ["fault"]


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    volume = volume_of(tmp_path / "v.bin", np.ones((4, 5, 6)))
    other = volume_of(tmp_path / "o.bin", np.ones((4, 5, 5)))
    with pytest.raises(DataError, match=r"inline has 4 samples, fewer than the 5.*at most 6,5,4"):
        write_patches(volume, tmp_path / "p", patch=(5, 5, 5))
    with pytest.raises(DataError, match=r"--patch 4,4: give a whole number above 0 for each of sample, crossline, inl"):
        write_patches(volume, tmp_path / "p", patch=(4, 4))
    with pytest.raises(DataError, match=r"o\.bin is 4 x 5 x 5, and .*v\.bin is 4 x 5 x 6"):
        write_patches(volume, tmp_path / "p", patch=(4, 4, 4), targets={"rgt": other})
    with pytest.raises(DataError, match="letters, digits"):
        write_patches(volume, tmp_path / "p", patch=(4, 4, 4), targets={"../rgt": volume})
    assert not (tmp_path / "p").exists()
    with pytest.raises(OutputError, match="cannot be written"):
        write_patches(volume, tmp_path / "no" / "p", patch=(4, 4, 4))
    with pytest.raises(OutputError, match="is a file"):
        cut(tmp_path / "v.bin", tmp_path / "o.bin", patch=(4, 4, 4), force=True)
    with pytest.raises(OutputError, match="holds the source"):
        cut(tmp_path / "v.bin", tmp_path, patch=(4, 4, 4), force=True)


def test_a_folder_that_holds_something_is_replaced_when_asked(tmp_path: Path) -> None:
    volume = volume_of(tmp_path / "v.bin", np.ones((4, 5, 6)))
    write_patches(volume, tmp_path / "p", patch=(2, 2, 2))
    (tmp_path / "p" / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="Choose another folder, or give --force"):
        write_patches(volume, tmp_path / "p", patch=(6, 5, 4))
    write_patches(volume, tmp_path / "p", patch=(6, 5, 4), force=True)
    assert {one.name for one in (tmp_path / "p").iterdir()} == {"0.bin", "notes.txt", "patches.json"}
    with pytest.raises(OutputError, match="--patch 128,128,128"):
        convert(tmp_path / "v.bin", tmp_path / "p", force=True)


def test_bad_folders_are_named(tmp_path: Path) -> None:
    volume = volume_of(tmp_path / "v.bin", np.ones((4, 5, 6)))
    write_patches(volume, tmp_path / "p", patch=(3, 5, 4))
    joined = PatchFolder(tmp_path / "p")
    cube = tmp_path / "p" / "1.bin"
    content = cube.read_bytes()
    joined.read((slice(0, 4), slice(0, 5), slice(0, 6)))
    cube.write_bytes(content[:-4])
    joined.read((slice(0, 4), slice(0, 5), slice(0, 3)))
    with pytest.raises(DataError, match=r"1\.bin: has 236 bytes"):
        joined.read((slice(0, 4), slice(0, 5), slice(2, 6)))
    cube.unlink()
    with pytest.raises(DataError, match=r"1\.bin: is missing"):
        joined.read((slice(0, 1), slice(0, 1), slice(3, 4)))
    with pytest.raises(DataError, match="no variable 'rgt'"):
        joined.read((slice(0, 1), slice(0, 1), slice(3, 4)), "rgt")
    write_patches(volume, tmp_path / "p", patch=(1, 5, 4), stride=(3, 5, 4), force=True)
    with pytest.raises(DataError, match="gaps along sample"):
        PatchFolder(tmp_path / "p")
    index = tmp_path / "p" / "patches.json"
    index.write_text('{"n": [6, 5, 4]}')
    with pytest.raises(DataError, match=r"patches\.json: is damaged"):
        open_volume(tmp_path / "p")
    index.unlink()
    with pytest.raises(DataError, match=r"patches\.json is missing"):
        open_volume(tmp_path / "p")


def test_an_empty_folder_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is an empty folder"):
        open_volume(tmp_path)
