"""Tables of picks, held against MATLAB's layouts as SciPy and h5py write them, and against parsers of this file."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
import segyio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from seisloom.errors import DataError, MissingDataError, OutputError
from seisloom.io.first_breaks import read_first_breaks
from seisloom.io.picks import read_arrivals, read_picks, read_sgt, write_picks
from seisloom.io.segy import write_segy

STATIONS, SHOTS, TIMES = ["R01", "R01", "007"], [1001, 1002, 1001], [0.0125, np.nan, -0.0005]
MANY = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def cell(texts: list[str]) -> np.ndarray[Any, Any]:
    column = np.empty((len(texts), 1), dtype=object)
    column[:, 0] = texts
    return column


def save_73(path: Path, fields: dict[str, Any], *, name: str = "tlArrival", attrs: bool = True) -> None:
    """Write a struct as MATLAB 7.3 does: an HDF5 group behind 512 bytes; cells refer to arrays in #refs#."""
    with h5py.File(path, "w", userblock_size=512) as file:
        refs, group = file.create_group("#refs#"), file.create_group(name)

        def put(where: h5py.Group, key: str, value: Any) -> h5py.Dataset:
            if isinstance(value, str):
                codes = np.frombuffer(value.encode("utf-16-le"), "<u2")
                data = where.create_dataset(key, data=codes[:, None] if value else np.zeros(2, "u8"))
                kind = "char"
            else:
                data, kind = where.create_dataset(key, data=np.asarray(value)), "double"
            if attrs:
                data.attrs["MATLAB_class"] = np.bytes_(kind)
                if value == "" if isinstance(value, str) else np.size(value) == 0:
                    data.attrs["MATLAB_empty"] = 1
            return data

        for field, value in fields.items():
            if isinstance(value, list):
                cells = [put(refs, f"{field}{k}", one).ref for k, one in enumerate(value)]
                group.create_dataset(field, data=np.array(cells, dtype=h5py.ref_dtype)[None, :])
            else:
                put(group, field, value)
    with path.open("r+b") as opened:
        opened.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(116))


def picks_of(path: Path) -> list[tuple[str, int, float]]:
    table = read_arrivals(path)
    assert (table["geometry"] == "").all()
    expected = np.where(table["pick_time_s"].isna(), "unpicked", "picked")
    assert table["pick_status"].tolist() == expected.tolist()
    return list(zip(table["station"], table["shot_id"].tolist(), table["pick_time_s"].tolist(), strict=True))


def same(found: list[tuple[str, int, float]]) -> None:
    assert [one[:2] for one in found] == list(zip(STATIONS, SHOTS, strict=True))
    np.testing.assert_array_equal([one[2] for one in found], TIMES)


# tlArrival.mat


@pytest.mark.parametrize("name", ["tlArrival", "tArrival", "arrivals", "Arrival", "picks", "Picks"])
@pytest.mark.parametrize("shape", [(-1, 1), (1, -1)])
def test_a_struct_of_columns_or_rows_is_read_under_each_of_its_names(
    tmp_path: Path, name: str, shape: tuple[int, int]
) -> None:
    fields = {
        "eventid": np.array(SHOTS).reshape(shape),
        "station": cell(STATIONS).reshape(shape),
        "time": np.array(TIMES).reshape(shape),
    }
    savemat(tmp_path / "a.mat", {"other": 1.0, name: fields})
    same(picks_of(tmp_path / "a.mat"))


def test_an_array_of_structs_has_a_pick_each(tmp_path: Path) -> None:
    structs = np.empty((3, 1), dtype=[("eventid", object), ("station", object), ("time", object)])
    for k, one in enumerate(zip(SHOTS, STATIONS, TIMES, strict=True)):
        structs[k, 0] = one
    savemat(tmp_path / "a.mat", {"tlArrival": structs})
    same(picks_of(tmp_path / "a.mat"))


def test_stations_may_be_a_matrix_of_characters_or_numbers(tmp_path: Path) -> None:
    rest = {"eventid": np.array(SHOTS), "time": np.array(TIMES)}
    savemat(tmp_path / "a.mat", {"tlArrival": {**rest, "station": np.array(STATIONS)}})
    same(picks_of(tmp_path / "a.mat"))
    savemat(tmp_path / "b.mat", {"tlArrival": {**rest, "station": np.array([[101.0], [102.0], [103.0]])}})
    assert [one[0] for one in picks_of(tmp_path / "b.mat")] == ["101", "102", "103"]


def test_the_first_of_several_variables_counts(tmp_path: Path) -> None:
    one = {"eventid": 7, "station": cell(["A"]), "time": 1.0}
    savemat(tmp_path / "a.mat", {"picks": {**one, "time": 2.0}, "tlArrival": one})
    assert picks_of(tmp_path / "a.mat") == [("A", 7, 1.0)]


@pytest.mark.parametrize("save", ["5", "7.3"])
def test_a_field_of_errors_is_the_uncertainty_and_may_be_empty(tmp_path: Path, save: str) -> None:
    for name, error in (("a", np.array([[0.001, 0.002, 0.003]])), ("b", np.zeros((0, 0)))):
        fields = {"eventid": np.array([SHOTS], float), "time": np.array([TIMES]), "error": error}
        if save == "5":
            savemat(tmp_path / f"{name}.mat", {"tlArrival": {**fields, "station": cell(STATIONS)}})
        else:
            save_73(tmp_path / f"{name}.mat", {**fields, "station": STATIONS})
    np.testing.assert_array_equal(read_arrivals(tmp_path / "a.mat")["pick_uncertainty_s"], [0.001, 0.002, 0.003])
    assert read_arrivals(tmp_path / "b.mat")["pick_uncertainty_s"].isna().all()


@pytest.mark.parametrize("shape", [(-1, 1), (1, -1), (-1,)])
@pytest.mark.parametrize("attrs", [True, False])
def test_a_file_of_matlab_7_3_is_read(tmp_path: Path, shape: tuple[int, ...], attrs: bool) -> None:
    fields = {"eventid": np.array(SHOTS, float).reshape(shape), "time": np.array(TIMES).reshape(shape)}
    save_73(tmp_path / "a.mat", {**fields, "station": STATIONS}, attrs=attrs)
    same(picks_of(tmp_path / "a.mat"))


def test_an_array_of_structs_of_matlab_7_3_is_read(tmp_path: Path) -> None:
    singles = [np.array([[float(one)]]) for one in SHOTS], [np.array([[one]]) for one in TIMES]
    save_73(tmp_path / "a.mat", {"eventid": singles[0], "time": singles[1], "station": STATIONS})
    same(picks_of(tmp_path / "a.mat"))


def test_names_outside_of_ascii_and_empty_ones_are_kept(tmp_path: Path) -> None:
    fields = {"eventid": np.array([[1.0, 2.0]]), "time": np.array([[0.1, 0.2]])}
    save_73(tmp_path / "a.mat", {**fields, "station": ["Å12", ""]})
    assert [one[0] for one in picks_of(tmp_path / "a.mat")] == ["Å12", ""]


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"else": 1.0}, "none of the variables"),
        ({"tlArrival": 1.0}, "no field"),
        ({"tlArrival": {"eventid": 1, "station": cell(["A"])}}, "time"),
        ({"tlArrival": {"eventid": [1, 2], "station": cell(["A"]), "time": [0.1]}}, "length"),
        ({"tlArrival": {"eventid": [1.5], "station": cell(["A"]), "time": [0.1]}}, "whole"),
        ({"tlArrival": {"eventid": [np.nan], "station": cell(["A"]), "time": [0.1]}}, "whole"),
        ({"tlArrival": {"eventid": [1], "station": cell(["A"]), "time": cell(["soon"])}}, "number"),
    ],
)
def test_a_struct_that_is_not_as_it_must_be_is_an_error(tmp_path: Path, variables: dict[str, Any], said: str) -> None:
    savemat(tmp_path / "a.mat", variables)
    with pytest.raises(DataError, match=said):
        read_arrivals(tmp_path / "a.mat")


@pytest.mark.parametrize("content", [b"", b"not matlab at all" * 40, b"MATLAB 5.0 MAT-file".ljust(200)])
def test_a_file_that_is_not_of_matlab_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mat").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.mat"):
        read_arrivals(tmp_path / "a.mat")


@pytest.mark.parametrize("n_bytes", [150, 700, 1500])
def test_a_file_of_matlab_that_is_cut_off_is_an_error(tmp_path: Path, n_bytes: int) -> None:
    fields = {"eventid": np.arange(500), "time": np.random.default_rng(0).random(500)}
    savemat(tmp_path / "a.mat", {"tlArrival": {**fields, "station": cell(["A"] * 500)}}, do_compression=True)
    save_73(tmp_path / "b.mat", {"eventid": fields["eventid"], "time": fields["time"], "station": ["A"] * 500})
    for name in ("a.mat", "b.mat"):
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:n_bytes])
        with pytest.raises(DataError, match=name.replace(".", r"\.")):
            read_arrivals(tmp_path / name)


# CSV


def arrivals(tmp_path: Path, text: str) -> pd.DataFrame:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    return read_arrivals(tmp_path / "a.csv")


def test_a_csv_of_arrivals_keeps_names_as_text_and_missing_times_missing(tmp_path: Path) -> None:
    table = arrivals(
        tmp_path,
        "geometry,station,shot_id,pick_time_s,uncertainty_s\nL1,007,1001,0.0125,0.001\nL1,NA,1002,,\n,R1,1003.0,-0.0005,\n",
    )
    assert table["station"].tolist() == ["007", "NA", "R1"]
    assert table["geometry"].tolist() == ["L1", "L1", ""]
    assert table["shot_id"].tolist() == [1001, 1002, 1003]
    np.testing.assert_array_equal(table["pick_time_s"], [0.0125, np.nan, -0.0005])
    np.testing.assert_array_equal(table["pick_uncertainty_s"], [0.001, np.nan, np.nan])
    assert table["pick_status"].tolist() == ["picked", "unpicked", "picked"]


def test_a_csv_may_say_that_there_is_no_arrival(tmp_path: Path) -> None:
    table = arrivals(
        tmp_path, "station,shot_id,pick_time_s,pick_status\nA,1,,no_arrival\nA,2,,\nA,3,0.0,\nA,4,nan,unpicked\n"
    )
    assert table["pick_status"].tolist() == ["no_arrival", "unpicked", "picked", "unpicked"]


def test_a_csv_of_a_spreadsheet_with_its_mark_and_spaces_is_read(tmp_path: Path) -> None:
    table = arrivals(tmp_path, "\ufeffstation, shot_id ,pick_time_s\n R1 , 5 , 0.25 \n")
    assert table.iloc[0].tolist()[1:4] == ["R1", 5, 0.25]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "CSV"),
        ("station,shot_id\nA,1\n", "pick_time_s is missing"),
        ("station,shot_id,pick_time_s\nA,1,0.1\nA,2,soon\n", "line 3: pick_time_s"),
        ("station,shot_id,pick_time_s\nA,one,0.1\n", "line 2: shot_id"),
        ("station,shot_id,pick_time_s\nA,,0.1\n", "line 2: shot_id"),
        ("station,shot_id,pick_time_s\nA,1.5,0.1\n", "line 2: shot_id"),
        ("station,shot_id,pick_time_s\nA,1,inf\n", "line 2: pick_time_s"),
        ("station,shot_id,pick_time_s\n,1,0.1\n", "line 2: station"),
        ("station,shot_id,pick_time_s,pick_status\nA,1,0.1,seen\n", "line 2: pick_status"),
        ("station,shot_id,pick_time_s,pick_status\nA,1,,picked\n", "line 2: pick_status"),
        ("station,shot_id,pick_time_s,pick_status\nA,1,0.1,no_arrival\n", "line 2: pick_status"),
        ('station,shot_id,pick_time_s\n"A,1,0.1\n', "CSV"),
    ],
)
def test_a_csv_with_a_mistake_is_an_error_that_names_the_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        arrivals(tmp_path, text)


@pytest.mark.parametrize("name", ["absent.csv", "absent.mat"])
def test_arrivals_that_are_not_there_are_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(MissingDataError, match=name.replace(".", r"\.")):
        read_arrivals(tmp_path / name)


# What is written


def picks(n: int = 4, **columns: Any) -> pd.DataFrame:
    """A table as `apply` makes it."""
    time_s = np.linspace(0.01, 0.05, n)
    return pd.DataFrame(
        {
            "trace": np.arange(n), "station": [f"00{k}" for k in range(n)], "shot_id": 1001, "phase": "P",
            "time_s": time_s, "sigma_s": 0.0005, "lower_s": time_s - 0.001, "upper_s": time_s + 0.001,
            "probability": 0.9, "snr_db": 12.5, "status": "picked", "reason": "", "path": "",
            "source_x": 0.0, "source_y": 0.0, "group_x": 5.0 * np.arange(1, n + 1), "group_y": 0.0, **columns,
        }
    )  # fmt: skip


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_table_of_picks_comes_back(tmp_path: Path, suffix: str) -> None:
    table = picks(status=["picked", "abstained", "picked", "picked"], reason=["", "dead trace", "", ""])
    table.loc[1, ["time_s", "lower_s", "upper_s", "sigma_s"]] = np.nan
    write_picks(table, tmp_path / "new" / f"a{suffix}")
    found = read_picks(tmp_path / "new" / f"a{suffix}")
    pd.testing.assert_frame_equal(found, table, check_dtype=False, rtol=1e-8)
    assert [one.name for one in (tmp_path / "new").iterdir()] == [f"a{suffix}"]


def parse_sgt(path: Path) -> tuple[list[list[float]], list[dict[str, float]]]:
    """Read a unified data file of pyGIMLi: a count, names behind a hash, rows; twice."""
    lines = iter(path.read_text().splitlines())
    n_points = int(next(lines).split()[0])
    assert next(lines)[0] == "#"
    points = [[float(one) for one in next(lines).split()] for _ in range(n_points)]
    n_data = int(next(lines).split()[0])
    names = next(lines).lstrip("#").split()
    data = [dict(zip(names, map(float, next(lines).split()), strict=True)) for _ in range(n_data)]
    assert next(lines, None) is None
    return points, data


def test_an_sgt_file_is_read_back_by_another_parser_with_half_widths_as_errors(tmp_path: Path) -> None:
    write_picks(picks(), tmp_path / "a.sgt")
    points, data = parse_sgt(tmp_path / "a.sgt")
    assert sorted(point[0] for point in points) == [0, 5, 10, 15, 20]
    for row, (_, expected) in zip(data, picks().iterrows(), strict=True):
        assert points[int(row["s"]) - 1][0] == expected["source_x"]
        assert points[int(row["g"]) - 1][0] == expected["group_x"]
        assert row["t"] == pytest.approx(expected["time_s"], abs=1e-7)
        assert row["err"] == pytest.approx(0.001, abs=1e-7)


@given(
    rows=st.lists(
        st.tuples(*[st.integers(-5000, 5000)] * 4, st.integers(-5000, 10**6), st.integers(1, 10**5)),
        min_size=1, max_size=12,
    )
)  # fmt: skip
@MANY
def test_any_sgt_file_of_ours_comes_back(tmp_path: Path, rows: list[tuple[int, ...]]) -> None:
    sx, sy, gx, gy, t, e = np.array(rows, dtype=float).T
    table = picks(
        len(rows), source_x=sx / 100, source_y=sy / 100, group_x=gx / 100, group_y=gy / 100, time_s=t * 1e-6,
        lower_s=(t - e) * 1e-6, upper_s=(t + e) * 1e-6,
    )  # fmt: skip
    write_picks(table, tmp_path / "a.sgt")
    found = read_sgt(tmp_path / "a.sgt")
    for name in ("source_x", "source_y", "group_x", "group_y", "time_s"):
        np.testing.assert_allclose(found[name], table[name], atol=1e-9)
    np.testing.assert_allclose(found["error_s"], e * 1e-6, atol=1e-7)


def test_an_sgt_file_keeps_what_is_picked_and_placed_and_says_sigma_without_an_interval(tmp_path: Path) -> None:
    table = picks(status=["picked", "abstained", "picked", "picked"], lower_s=np.nan, upper_s=np.nan)
    table.loc[2, "group_x"] = np.nan
    write_picks(table, tmp_path / "a.sgt")
    _, data = parse_sgt(tmp_path / "a.sgt")
    assert [round(row["t"], 6) for row in data] == [0.01, 0.05]
    assert [row["err"] for row in data] == [0.0005, 0.0005]


def test_an_sgt_file_of_picks_without_errors_has_no_such_column(tmp_path: Path) -> None:
    write_picks(picks(lower_s=np.nan, upper_s=np.nan, sigma_s=np.nan), tmp_path / "a.sgt")
    assert "err" not in parse_sgt(tmp_path / "a.sgt")[1][0]
    assert "nan" not in (tmp_path / "a.sgt").read_text()
    assert read_sgt(tmp_path / "a.sgt")["error_s"].isna().all()


def test_an_sgt_file_needs_coordinates(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="coordinates"):
        write_picks(picks(source_x=np.nan), tmp_path / "a.sgt")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "some text\n",
        "2 # points\n#x y\n0 0\n",
        "2\n#x y\n0 0\n5 0\n1\n#s g t\n",
        "2\n#x y\n0 0\n5 0\n1\n#s g\n1 2\n",
        "2\n#x y\n0 0\n5 0\n1\n#s g t\n1 3 0.1\n",
        "2\n#x y\n0 0\n5 0\n1\n#s g t\n0 1 0.1\n",
        "2\n#x y\n0 0\n5 zero\n1\n#s g t\n1 2 0.1\n",
    ],
)
def test_an_sgt_file_with_a_mistake_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.sgt").write_text(text)
    with pytest.raises(DataError, match=r"a\.sgt"):
        read_sgt(tmp_path / "a.sgt")


def test_the_picks_of_a_field_line_are_those_of_its_tl_arrival(field_data: Path) -> None:
    line = field_data / "picking" / "refraction" / "field_example_02" / "field_example_02.sgt"
    found = read_sgt(line)
    points, data = parse_sgt(line)
    assert found["time_s"].tolist() == [row["t"] for row in data]
    assert found["group_x"].tolist() == [points[int(row["g"]) - 1][0] for row in data]
    table = read_arrivals(field_data / "picking" / "ML-feed" / "tlArrival.mat")
    table = table[table["shot_id"].between(3001, 3009)]
    assert len(found) == len(table) == 207
    np.testing.assert_allclose(np.sort(found["time_s"]), np.sort(table["pick_time_s"]), atol=1e-9)


# First breaks in SEG-Y


def records(path: Path, n_traces: int = 5) -> Path:
    traces = np.random.default_rng(0).normal(size=(n_traces, 20))
    write_segy(path, traces, interval_s=0.001, headers={"field_record": np.arange(n_traces)}, text="A line of mine")
    return path


def test_first_breaks_stand_in_a_copy_and_nothing_else_changes(tmp_path: Path) -> None:
    source = records(tmp_path / "in.segy")
    before = source.read_bytes()
    table = picks(4, trace=[0, 1, 3, 4], status=["picked", "abstained", "picked", "picked"], path=str(source))
    write_picks(table, tmp_path / "out.segy")
    after = bytearray((tmp_path / "out.segy").read_bytes())
    assert source.read_bytes() == before
    words = [struct.unpack_from(">i", after, 3600 + k * 320 + 232)[0] for k in range(5)]
    none = -(2**31)
    assert words == [10000, none, none, round(table["time_s"][2] * 1e6), 50000]
    with segyio.open(str(tmp_path / "out.segy"), ignore_geometry=True, strict=False) as opened:
        np.testing.assert_array_equal(opened.attributes(233)[:], words)
    np.testing.assert_allclose(read_first_breaks(tmp_path / "out.segy")[[0, 4]], [0.01, 0.05])
    for k in range(5):
        after[3600 + k * 320 + 232 : 3600 + k * 320 + 236] = bytes(4)
    assert bytes(after) == before


def test_first_breaks_before_the_shot_and_in_little_endian_files_are_kept(tmp_path: Path) -> None:
    raw = bytearray(records(tmp_path / "in.segy", 1).read_bytes())
    struct.pack_into("<H", raw, 3216, 1000)
    struct.pack_into("<H", raw, 3220, 20)
    struct.pack_into("<H", raw, 3224, 5)
    struct.pack_into("<HH", raw, 3600 + 114, 20, 1000)
    (tmp_path / "little.segy").write_bytes(raw)
    write_picks(picks(1, time_s=-0.0005, path=str(tmp_path / "little.segy")), tmp_path / "out.segy")
    assert struct.unpack_from("<i", (tmp_path / "out.segy").read_bytes(), 3600 + 232) == (-500,)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"path": ["a.segy", "b.segy", "a.segy", "a.segy"]}, DataError),
        ({"path": "absent.segy"}, MissingDataError),
        ({"path": ""}, DataError),
        ({"trace": [0, 1, 2, 99]}, DataError),
        ({"trace": [-1, 1, 2, 3]}, DataError),
        ({"time_s": [0.1, 0.2, 0.3, 1e6]}, DataError),
    ],
)
def test_picks_that_do_not_fit_the_file_are_an_error_and_leave_no_copy(
    tmp_path: Path, changes: dict[str, Any], error: type[Exception]
) -> None:
    source = records(tmp_path / "in.segy")
    with pytest.raises(error):
        write_picks(picks(4, **{"path": str(source)} | changes), tmp_path / "out.segy")
    assert [one.name for one in tmp_path.iterdir()] == ["in.segy"]


def test_the_file_that_was_picked_is_never_overwritten(tmp_path: Path) -> None:
    source = records(tmp_path / "in.segy")
    before = source.read_bytes()
    with pytest.raises(OutputError, match=r"in\.segy"):
        write_picks(picks(4, path=str(source)), source)
    assert source.read_bytes() == before


def test_first_breaks_do_not_go_into_records_that_are_no_segy(tmp_path: Path) -> None:
    source = tmp_path / "shot.dat"
    source.write_bytes(b"\x55\x3a" + bytes(2000))
    with pytest.raises(
        DataError, match=r"into a copy of a SEG-Y file, and shot\.dat is none\. Write \.csv, \.parquet or"
    ):
        write_picks(picks(4, path=str(source)), tmp_path / "out.segy")


# Where it cannot be written


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".sgt", ".segy"])
def test_a_place_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path, suffix: str) -> None:
    source = records(tmp_path / "in.segy")
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OutputError, match="file"):
        write_picks(picks(4, path=str(source)), tmp_path / "file" / f"a{suffix}")
    (tmp_path / f"taken{suffix}").mkdir()
    with pytest.raises(OutputError, match="taken"):
        write_picks(picks(4, path=str(source)), tmp_path / f"taken{suffix}")
    assert not list(tmp_path.glob("*.partial"))


def test_a_suffix_without_a_format_is_an_error_that_names_the_formats(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"\.parquet"):
        write_picks(picks(), tmp_path / "a.xlsx")
