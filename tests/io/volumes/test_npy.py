"""Arrays that NumPy saved are volumes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from seisloom.convert import convert, open_volume
from seisloom.errors import DataError, OutputError
from seisloom.io.volumes.volume import Given

BOX = (slice(1, 3), slice(0, 4), slice(2, 5))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.uint8, ">f4"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_is_a_volume_of_its_axes(dtype: str, order: str, tmp_path: Path) -> None:
    values = np.arange(60).reshape(3, 4, 5).astype(dtype, order=order)
    np.save(tmp_path / "a.npy", values)
    volume = open_volume(tmp_path / "a.npy")
    assert volume.spec.grid.names == ("inline", "crossline", "sample")
    found = volume.read(BOX)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, values[BOX])
    assert volume.traces(BOX[:2]).live.all()


def test_a_side_car_says_what_the_samples_stand_on(tmp_path: Path) -> None:
    np.save(tmp_path / "line.npy", np.zeros((7, 9)))
    said = {"n": [9, 7], "d": [0.004, 1], "o": [0, 100], "axes": ["time", "trace"], "units": ["s", "1"]}
    (tmp_path / "line.json").write_text(json.dumps(said))
    grid = open_volume(tmp_path / "line.npy").spec.grid
    assert (grid.names, grid.axes[0].first, grid.axes[1].step) == (("trace", "time"), 100, 0.004)
    (tmp_path / "line.json").write_text(json.dumps({"n": [7, 9]}))
    with pytest.raises(DataError, match="Mend the side-car"):
        open_volume(tmp_path / "line.npy")


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 1, 0), (2, 0, 1), (1, 2, 0)])
def test_axes_in_another_order_are_told_by_their_sizes(axes: tuple[int, int, int], tmp_path: Path) -> None:
    values = np.random.default_rng(3).normal(size=(3, 4, 5)).astype(np.float32)
    np.save(tmp_path / "a.npy", values.transpose(axes))
    volume = open_volume(tmp_path / "a.npy", Given(n1=5, n2=4, n3=3))
    np.testing.assert_array_equal(volume.read(BOX), values[BOX])
    with pytest.raises(DataError, match="in any order"):
        open_volume(tmp_path / "a.npy", Given(n1=6, n2=4, n3=3))
    alone = open_volume(tmp_path / "a.npy", Given(n1=5))
    assert alone.spec.grid.shape[-1] == 5


def test_a_section_is_told_by_the_sizes_of_one_inline_too(tmp_path: Path) -> None:
    values = np.random.default_rng(3).normal(size=(9, 4)).astype(np.float32)  # time, trace
    np.save(tmp_path / "a.npy", values)
    box = (slice(0, 4), slice(0, 9))
    for given in (Given(n1=9), Given(n1=9, n2=4), Given(n1=9, n2=4, n3=1)):
        np.testing.assert_array_equal(open_volume(tmp_path / "a.npy", given).read(box), values.T)
    with pytest.raises(DataError, match=r"--n1 \(time or depth\) and --n2 must be these"):
        open_volume(tmp_path / "a.npy", Given(n1=9, n2=4, n3=2))


def test_an_array_becomes_any_volume_and_is_not_written(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(6, 7, 8)).astype(np.float32)
    np.save(tmp_path / "a.npy", values)
    convert(tmp_path / "a.npy", tmp_path / "a.zarr")
    volume = open_volume(tmp_path / "a.zarr")
    np.testing.assert_array_equal(volume.read(tuple(slice(0, n) for n in values.shape)), values)
    with pytest.raises(OutputError, match="npy"):
        convert(tmp_path / "a.zarr", tmp_path / "b.npy")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.zeros(5), r"sizes \[5\] of float64"),
        (np.zeros((2, 3, 4), complex), "of complex128"),
        (np.zeros((2, 0, 4)), r"sizes \[2, 0, 4\]"),
        (np.array({"a": 1}, dtype=object), "is no array of numbers"),
    ],
    ids=["one axis", "complex", "empty", "objects"],
)
def test_what_is_no_volume_is_refused(values: np.ndarray, said: str, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", values, allow_pickle=True)
    with pytest.raises(DataError, match=said):
        open_volume(tmp_path / "a.npy")


def test_a_cut_off_file_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((3, 4, 5)))
    whole = (tmp_path / "a.npy").read_bytes()
    for n in (0, 20, len(whole) - 8):
        (tmp_path / "a.npy").write_bytes(whole[:n])
        with pytest.raises(DataError, match="is no array of numbers"):
            open_volume(tmp_path / "a.npy")
