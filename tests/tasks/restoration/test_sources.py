from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seisloom.errors import DataError, MissingDataError
from seisloom.io.segy import write_segy
from seisloom.sample import Array
from seisloom.tasks.restoration.sources import as_volume, cut, find_files, is_volume, read_array

from .conftest import N_TRACES


def test_shots_are_cut_at_their_numbers(shots: tuple[Path, Array, Array]) -> None:
    file, _, _ = shots
    found = list(cut(file, "auto"))
    assert [name for name, _ in found] == ["shots.sgy/shot-101", "shots.sgy/shot-102", "shots.sgy/shot-103"]
    assert [one.traces[0] for _, one in found] == [0, N_TRACES, 2 * N_TRACES]  # type: ignore[index]
    (_, whole), *rest = cut(file, "file")
    assert not rest
    assert len(whole.traces) == 3 * N_TRACES
    assert [len(one.traces) for _, one in cut(file, "50")] == [50, 22]  # type: ignore[arg-type]


def test_shots_that_are_mixed_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "mixed.sgy"
    write_segy(file, np.ones((4, 10)), interval_s=0.004, headers={"energy_source_point": np.array([1, 2, 1, 2])})
    with pytest.raises(DataError, match="traces of one shot do not lie together"):
        list(cut(file, "shot"))


def test_a_folder_gives_its_files_in_order(shots: tuple[Path, Array, Array], tmp_path: Path) -> None:
    file, _, _ = shots
    np.save(tmp_path / "a.npy", np.ones((3, 4)))
    (tmp_path / "notes.txt").write_text("nothing")
    assert find_files(tmp_path) == [tmp_path / "a.npy", file]
    with pytest.raises(MissingDataError, match="no such file or folder"):
        find_files(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingDataError, match="no panels here"):
        find_files(tmp_path / "empty")


def test_only_inlines_and_crosslines_make_a_volume(field_data: Path) -> None:
    gathers = [
        field_data / "restoration" / name for name in ("viking_small.segy", "teapot_dome_lineE.sgy", "gom_cdp_nmo.su")
    ]
    assert [as_volume(one) for one in gathers] == [None] * 3
    assert is_volume(field_data / "interpretation" / "f3_cube_23x18x75.sgy")
    assert not is_volume(field_data / "interpretation" / "penobscot_xl1155.sgy")  # a section


@pytest.mark.parametrize("values", [np.ones(4), np.ones((2, 2, 2, 2, 2)), np.array([["a"]]), np.ones((0, 4))])
def test_arrays_of_other_axes_are_refused(values: Array, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", values)
    with pytest.raises(DataError, match=r"a panel is \(trace, time\)"):
        read_array(tmp_path / "x.npy")
