"""Fault sticks as text: the layouts letter by letter, and back again."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from seisloom.errors import DataError, MissingDataError, OutputError
from seisloom.io.fault_sticks import WRITERS, check_suffix, read_fault_sticks, write_fault_sticks

NODES = pd.DataFrame(
    {
        "patch": [1, 1, 1, 2, 2],
        "stick": [1, 1, 2, 1, 1],
        "node": [1, 2, 1, 1, 2],
        "inline": [120.0, 120.0, 130.0, 200.0, 200.0],
        "crossline": [300.0, 305.0, 301.0, 410.0, 400.0],
        "time_s": [1.204, 1.3, 1.2, 0.4, 0.48],
        "x_m": [500125.0, 500130.5, 500126.0, 500200.0, 500190.0],
        "y_m": [6700300.0, 6700312.25, 6700301.0, 6700410.0, 6700400.0],
        "probability": [0.9, 0.8, 0.7, 0.95, 0.9],
        "dip_deg": [70.0, 71.0, 70.5, 110.0, 111.0],
        "strike_deg": [10.0, 11.0, 10.5, 170.0, 171.0],
    }
)
PATCHES = pd.DataFrame({"patch": [1, 2], "n_voxels": [900, 400], "dip_earth_deg": [51.5, float("nan")]})
NO_XY = NODES.drop(columns=["x_m", "y_m"])


def test_opendtect_has_name_x_y_ms_and_indices_from_0_between_tabs(tmp_path: Path) -> None:
    write_fault_sticks(tmp_path / "f.txt", NODES)
    assert (tmp_path / "f.txt").read_text() == (
        "fault_1\t500125.00\t6700300.00\t1204.000\t0\t0\n"
        "fault_1\t500130.50\t6700312.25\t1300.000\t0\t1\n"
        "fault_1\t500126.00\t6700301.00\t1200.000\t1\t0\n"
        "fault_2\t500200.00\t6700410.00\t400.000\t0\t0\n"
        "fault_2\t500190.00\t6700400.00\t480.000\t0\t1\n"
    )


def test_opendtect_has_inline_and_crossline_where_x_and_y_are_not_known(tmp_path: Path) -> None:
    write_fault_sticks(tmp_path / "f.txt", NO_XY[:1])
    assert (tmp_path / "f.txt").read_text() == "fault_1\t120\t300\t1204.000\t0\t0\n"


def test_charisma_has_the_marker_lines_x_y_ms_name_and_stick(tmp_path: Path) -> None:
    write_fault_sticks(tmp_path / "f.dat", NODES[:3])
    assert (tmp_path / "f.dat").read_text() == (
        "INLINE-    120    300    500125.00   6700300.00    1204.000 fault_1    1\n"
        "INLINE-    120    305    500130.50   6700312.25    1300.000 fault_1    1\n"
        "INLINE-    130    301    500126.00   6700301.00    1200.000 fault_1    2\n"
    )


def test_depths_and_samples_keep_their_unit(tmp_path: Path) -> None:
    for name in ("depth_m", "sample"):
        write_fault_sticks(tmp_path / "f.txt", NODES[:1].rename(columns={"time_s": name}))
        assert (tmp_path / "f.txt").read_text().split("\t")[3] == "1.204"


def test_a_csv_comes_back_as_it_was(tmp_path: Path) -> None:
    write_fault_sticks(tmp_path / "f.csv", NODES, PATCHES)
    pd.testing.assert_frame_equal(read_fault_sticks(tmp_path / "f.csv"), NODES)


def test_texts_come_back_with_the_places_of_all_nodes(tmp_path: Path) -> None:
    write_fault_sticks(tmp_path / "f.txt", NODES)
    found = read_fault_sticks(tmp_path / "f.txt")
    assert found["name"].tolist() == ["fault_1"] * 3 + ["fault_2"] * 2
    assert found[["stick", "node"]].to_numpy().tolist() == NODES[["stick", "node"]].to_numpy().tolist()
    assert found[["first", "second"]].to_numpy().tolist() == NODES[["x_m", "y_m"]].to_numpy().tolist()
    assert found["z"].to_numpy() == pytest.approx(1e3 * NODES["time_s"].to_numpy())
    write_fault_sticks(tmp_path / "f.dat", NODES)
    found = read_fault_sticks(tmp_path / "f.dat")
    for name in ("inline", "crossline", "x_m", "y_m", "stick"):
        assert found[name].tolist() == NODES[name].tolist()


@pytest.mark.parametrize(("nodes", "place"), [(NODES, ["x_m", "y_m"]), (NO_XY, ["inline", "crossline"])])
def test_geojson_is_a_line_a_stick_and_comes_back(tmp_path: Path, nodes: pd.DataFrame, place: list[str]) -> None:
    write_fault_sticks(tmp_path / "f.geojson", nodes, PATCHES)
    whole = json.loads((tmp_path / "f.geojson").read_text())
    assert whole["coordinates"] == [*place, "time_s"]
    assert [one["geometry"]["type"] for one in whole["features"]] == ["LineString"] * 3
    assert whole["features"][0]["properties"] == {"patch": 1, "n_voxels": 900, "dip_earth_deg": 51.5, "stick": 1}
    assert whole["features"][2]["properties"]["dip_earth_deg"] is None
    found = read_fault_sticks(tmp_path / "f.geojson")
    wanted = nodes[["patch", "stick", "node", *place, "time_s"]]
    pd.testing.assert_frame_equal(found, wanted, check_dtype=False)


@pytest.mark.parametrize("suffix", sorted(WRITERS))
def test_no_sticks_make_an_empty_file_that_reads(tmp_path: Path, suffix: str) -> None:
    write_fault_sticks(tmp_path / f"f{suffix}", NODES[:0], PATCHES[:0])
    assert len(read_fault_sticks(tmp_path / f"f{suffix}")) == 0


def test_a_line_of_traces_has_the_trace_as_its_one_place(tmp_path: Path) -> None:
    line = NODES.drop(columns=["inline"]).rename(columns={"crossline": "trace"})
    write_fault_sticks(tmp_path / "f.dat", line[:1])
    assert (tmp_path / "f.dat").read_text().split()[:3] == ["INLINE-", "0", "300"]
    write_fault_sticks(tmp_path / "f.geojson", line.drop(columns=["x_m", "y_m"])[:2])
    assert json.loads((tmp_path / "f.geojson").read_text())["coordinates"] == ["line", "trace", "time_s"]


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"\.csv \.geojson \.txt \.dat"):
        check_suffix("faults.shp", has_xy=True)
    with pytest.raises(DataError, match="--like survey"):
        write_fault_sticks(tmp_path / "f.dat", NO_XY)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="Choose another folder"):
        write_fault_sticks(tmp_path / "file" / "f.csv", NODES)


def test_what_cannot_be_read_is_said_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="no such file"):
        read_fault_sticks(tmp_path / "none.csv")
    (tmp_path / "f.txt").write_text("fault_1\t1\t2\t3\t0\t0\nfault_1\t1\t2\tthree\t0\t1\n")
    with pytest.raises(DataError, match="line 2"):
        read_fault_sticks(tmp_path / "f.txt")
    (tmp_path / "f.csv").write_text("patch,stick\n1,2\n")
    with pytest.raises(DataError, match="column node is missing"):
        read_fault_sticks(tmp_path / "f.csv")
    (tmp_path / "f.geojson").write_text("{}")
    with pytest.raises(DataError, match="not GeoJSON"):
        read_fault_sticks(tmp_path / "f.geojson")
