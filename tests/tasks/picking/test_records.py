"""Whole records from what a user gives: an array, an ObsPy Stream, a file, a survey; all give the same picks."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import obspy
import pandas as pd
import pytest

from seisloom.errors import DataError, MissingDataError, SeisloomError
from seisloom.io.gather import Gather, read_gather
from seisloom.io.segy import write_segy
from seisloom.recipe import Recipe, read_recipe
from seisloom.sample import content_hash
from seisloom.tasks.picking.data import plan
from seisloom.tasks.picking.opening import open_records
from seisloom.tasks.picking.picked import with_picks
from seisloom.tasks.picking.records import contents, plausible_offsets, records

Tiny = Callable[..., Recipe]
TRACES = np.random.default_rng(0).normal(size=(5, 300)).astype(np.float32)
FS_HZ = 2000.0


def stream(traces: np.ndarray = TRACES) -> obspy.Stream:
    return obspy.Stream(
        [obspy.Trace(one, {"sampling_rate": FS_HZ, "station": f"R{k}"}) for k, one in enumerate(traces)]
    )


def test_array_stream_and_file_are_the_same_records(tmp_path: Path) -> None:
    recipe = read_recipe("picking")
    write_segy(tmp_path / "a.segy", TRACES, interval_s=1 / FS_HZ)
    stream().write(tmp_path / "a.su", format="SU")
    for source, fs_hz in ((TRACES, FS_HZ), (stream(), None), (tmp_path / "a.segy", None), (tmp_path / "a.su", None)):
        found = list(open_records(recipe, source, fs_hz))
        x = np.concatenate([record.x for record in found])
        first = np.concatenate([record.x for record in open_records(recipe, TRACES, FS_HZ)])
        assert np.allclose(x, first, atol=1e-6)
        assert {record.fs_hz for record in found} == {2000.0}
        assert np.concatenate([record.trace for record in found]).tolist() == list(range(5))
        hashes = np.concatenate([record.content for record in found])
        assert np.array_equal(hashes, content_hash(TRACES)), "the same record is known in any format"


def test_one_trace_may_be_given_alone() -> None:
    [record] = open_records(read_recipe("picking"), TRACES[0], FS_HZ)
    assert record.n_traces == 1


def test_traces_of_a_stream_keep_their_names() -> None:
    found = list(open_records(read_recipe("picking"), stream()))
    assert [name for record in found for name in record.station] == [f".R{k}.." for k in range(5)]


def test_a_stream_of_two_rates_loses_no_trace() -> None:
    mixed = stream()
    mixed[1].decimate(2, no_filter=True)
    found = list(open_records(read_recipe("picking"), mixed))
    assert sorted(int(k) for record in found for k in record.trace) == list(range(5))
    assert sorted({record.record_fs_hz for record in found}) == [1000.0, 2000.0]


@pytest.mark.parametrize("size", [1, 2, 5, 64])
def test_long_gathers_are_parted_evenly(size: int) -> None:
    found = list(open_records(read_recipe("picking", [f"data.gather_size={size}"]), TRACES, FS_HZ))
    lengths = [record.n_traces for record in found]
    assert sum(lengths) == 5
    assert max(lengths) <= size
    assert max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize(
    ("source", "fs_hz", "says"),
    [
        (TRACES, None, "needs its sampling rate"), (TRACES, 0.0, "must be above 0"),
        (TRACES, float("nan"), "must be above 0"), (TRACES[None], FS_HZ, r"must be \(trace, time\)"),
        ({"x": 1}, None, "cannot pick on a dict"), (obspy.Stream(), None, "no traces"),
        (Path("/nowhere.segy"), None, "no such file"), (np.zeros((0, 10), np.float32), FS_HZ, "is empty"),
        (np.zeros((3, 0), np.float32), FS_HZ, "is empty"),
    ],
)  # fmt: skip
def test_what_cannot_be_picked_on_says_why(source: object, fs_hz: float | None, says: str) -> None:
    with pytest.raises(SeisloomError, match=says):
        list(open_records(read_recipe("picking"), source, fs_hz))


def test_a_stream_with_gaps_is_refused() -> None:
    gappy = stream()
    gappy[0].data = np.ma.masked_array(gappy[0].data, mask=np.arange(300) == 4)
    with pytest.raises(DataError, match="has gaps"):
        list(open_records(read_recipe("picking"), gappy))


def test_the_records_behind_refs_are_whole_whatever_the_windows_were(tiny: Tiny) -> None:
    whole = tiny()
    windows = tiny("win_mode=pick", "pre_s=0.005", "post_s=0.005")
    picked = [ref for ref in plan(windows) if ref.source["pick_status"] == "picked"]  # type: ignore[arg-type]
    a = {key for one in records(windows, picked) for key in one.content.tolist()}  # type: ignore[arg-type]
    b = set(contents(whole, plan(whole)).tolist())  # type: ignore[arg-type]
    assert a <= b
    found = list(records(windows, picked))  # type: ignore[arg-type]
    assert {record.x.shape[-1] for record in found} == {200}
    assert sum(int(np.isfinite(record.truth_s).sum()) for record in found) == len(
        {r.key.split("-noise")[0] for r in picked}
    )


def test_survey_manifest_and_refs_give_the_same_picks_of_people(tiny: Tiny, tiny_survey: Path) -> None:
    recipe = tiny("geom=LAND001")
    file = tiny_survey / "geometries" / "LAND001" / "picks_manifest.csv"
    by_refs = np.sort(np.concatenate([one.truth_s for one in records(recipe, plan(recipe))]))  # type: ignore[arg-type]
    by_file = np.sort(np.concatenate([one.truth_s for one in open_records(recipe, file)]))  # type: ignore[arg-type]
    assert np.array_equal(by_refs, by_file, equal_nan=True)
    everything = np.concatenate([one.truth_s for one in open_records(recipe, tiny_survey)])  # type: ignore[arg-type]
    assert len(everything) > len(by_file)


def test_the_hash_of_a_record_knows_one_changed_sample() -> None:
    changed = TRACES.copy()
    changed[3, 7] += 1e-3
    assert (content_hash(TRACES) == content_hash(changed)).tolist() == [True, True, True, False, True]


def test_picks_of_a_table_take_the_place_of_the_survey_s(tiny: Tiny, tiny_survey: Path, tmp_path: Path) -> None:
    recipe = tiny("geom=LAND001")
    found = list(open_records(recipe, tiny_survey / "geometries" / "LAND001" / "picks_manifest.csv"))  # type: ignore[arg-type]
    shot, station = int(found[0].shot_id[0]), str(found[0].station[0])
    file = tmp_path / "p.csv"
    file.write_text(f"geometry,station,shot_id,pick_time_s\nLAND001,{station},{shot},0.0123\n")
    mine = with_picks(found, picks=file)
    times = np.concatenate([record.truth_s for record in mine])
    assert times[np.isfinite(times)].tolist() == [0.0123]
    status = np.concatenate([record.pick_status for record in mine])
    assert (status == "picked").tolist() == np.isfinite(times).tolist()
    assert set(status[np.isnan(times)]) == {"unpicked"}
    few = with_picks(found, shots=f"{shot}")
    assert {int(one) for record in few for one in record.shot_id} == {shot}
    with pytest.raises(DataError, match="shot 9 is not in the records"):
        with_picks(found, shots="9")
    with pytest.raises(MissingDataError, match="no such file"):
        with_picks(found, picks=tmp_path / "none.csv")


def test_dead_traces_have_no_content_and_others_have_their_own() -> None:
    rng = np.random.default_rng(0)
    traces = rng.normal(size=(4, 50)).astype(np.float32)
    traces[1], traces[2] = 0.0, 7.0
    hashes = content_hash(traces)
    assert hashes[1] == hashes[2] == 0
    assert hashes[0] != hashes[3]
    assert np.all(hashes[[0, 3]] > 0)


@pytest.mark.parametrize("inside", ["", "geometries/LAND001"])
def test_a_manifest_may_be_named_from_any_folder(
    tiny: Tiny, tiny_survey: Path, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    monkeypatch.chdir(tiny_survey / inside)
    path = Path("picks_manifest.csv") if inside else Path("geometries/LAND001/picks_manifest.csv")
    found = list(open_records(tiny(), path))  # type: ignore[arg-type]
    assert {str(one) for record in found for one in record.geometry} == {"LAND001"}


@pytest.mark.parametrize("name", ["arrivals.csv", "picks_manifest.csv"])
def test_a_table_that_is_no_manifest_in_its_place_is_refused(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / name).write_text("geometry,station\n")
    monkeypatch.chdir(tmp_path)
    for path in (Path(name), tmp_path / name):
        with pytest.raises(DataError, match=r"ROOT/geometries/ID/picks_manifest\.csv"):
            list(open_records(tiny(), path))  # type: ignore[arg-type]


@pytest.mark.parametrize(("shots", "says"), [("abc", "'abc' is not a shot number"), (" ", "no shot is named")])
def test_shots_must_be_numbers(tiny: Tiny, tiny_survey: Path, shots: str, says: str) -> None:
    found = list(open_records(tiny("geom=LAND001"), tiny_survey))  # type: ignore[arg-type]
    with pytest.raises(DataError, match=says):
        with_picks(found, shots=shots)


def test_offsets_that_no_arrival_can_reach_are_not_known_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    # 300 samples at 2 kHz that begin at 0 s end at 0.15 s: 1500 m at 10 km/s
    offset_m = np.array([-100.0, 1499.0, 1501.0, 2_380_000.0, np.nan])
    gather = replace(Gather.from_array(TRACES, fs_hz=FS_HZ), offset_m=offset_m)
    with caplog.at_level(logging.WARNING):
        found = list(open_records(read_recipe("picking", ["data.gather_size=2"]), gather))
    seen = np.concatenate([record.offset_m for record in found])
    assert np.array_equal(seen, [100.0, 1499.0, np.nan, np.nan, np.nan], equal_nan=True)
    [said] = caplog.messages
    assert "2 of 5 traces" in said
    assert "2380 km" in said


def test_plausible_offsets_stay_as_they_are_and_nothing_is_said(
    tiny: Tiny, tiny_survey: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        found = list(open_records(tiny("geom=LAND001"), tiny_survey))  # type: ignore[arg-type]
    assert np.isfinite(np.concatenate([record.offset_m for record in found])).all()
    assert not caplog.messages
    assert np.isnan(plausible_offsets(np.array([5.0]), np.array([-0.1]), source="before the shot")).all()


def test_offsets_of_a_manifest_are_held_to_the_same_bound(
    tiny: Tiny, tiny_survey: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = shutil.copytree(tiny_survey, tmp_path / "far")
    manifest = root / "geometries" / "LAND001" / "picks_manifest.csv"
    table = pd.read_csv(manifest, keep_default_na=False)
    table["offset_m"] = 1e6
    table.to_csv(manifest, index=False)
    with caplog.at_level(logging.WARNING):
        found = list(open_records(tiny(), root))  # type: ignore[arg-type]
    by_line = {str(one.geometry[0]): bool(np.isfinite(one.offset_m).any()) for one in found}
    assert by_line == {"LAND001": False, "LAND002": True}
    assert sum("1000 km" in said for said in caplog.messages) == 1


def test_a_real_gather_with_coordinates_in_another_unit_has_no_offsets(
    field_data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = field_data / "picking" / "refraction" / "daloroat_gather.sgy"
    if not path.is_file():
        pytest.skip(f"{path.name} is not there")
    assert np.abs(read_gather(path).offset_m).max() > 1e6
    with caplog.at_level(logging.WARNING):
        found = list(open_records(read_recipe("picking"), path))
    assert np.isnan(np.concatenate([record.offset_m for record in found])).all()
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("unpack", [False, True])
def test_a_stream_of_a_segy_is_the_file(tmp_path: Path, unpack: bool) -> None:
    rng = np.random.default_rng(0)
    file = tmp_path / "R01.segy"
    headers = {
        "field_record": np.repeat([7, 9], 12), "source_x": np.repeat([0.0, 50.0], 12),
        "group_x": np.tile(5.0 * np.arange(12), 2), "group_y": np.full(24, 3.25),
    }  # fmt: skip
    delay_s = np.linspace(-0.05, 0.4, 24).round(3)
    write_segy(file, rng.normal(size=(24, 300)), interval_s=0.0005, headers=headers, delay_s=delay_s)
    recipe = read_recipe("picking", ["target_fs=null"])
    stream = obspy.read(str(file), format="SEGY", unpack_trace_headers=unpack)
    for one, two in zip(open_records(recipe, file), open_records(recipe, stream), strict=True):
        for name in ("x", "t0_s", "offset_m", "trace", "shot_id", "source_x", "group_x", "group_y", "content"):
            np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=name)


def test_traces_that_start_apart_are_picked_from_their_own_start_and_it_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stream = obspy.Stream([obspy.Trace(np.ones(50, np.float32)) for _ in range(2)])
    stream[1].stats.starttime += 2.5
    [record] = open_records(read_recipe("picking", ["target_fs=null"]), stream)
    assert record.t0_s.tolist() == [0, 0]
    assert "traces start up to 2.5 s apart; times count from the start of each" in caplog.text


def test_records_below_the_network_s_band_are_warned_of(caplog: pytest.LogCaptureFixture, tiny_survey: Path) -> None:
    recipe = read_recipe("picking", ["target_fs=2000"])
    list(open_records(recipe, np.ones((2, 100)), 1000.0))
    assert not caplog.records
    list(open_records(recipe, np.ones((2, 100)), 250.0))
    assert "records of 250 Hz hold nothing above 125 Hz, and the network was made for 2000 Hz" in caplog.text
    caplog.clear()
    list(open_records(read_recipe("picking", ["target_fs=100000"]), tiny_survey))
    assert "the network was made for 100000 Hz" in caplog.text
