"""The manifest of a survey: small surveys whose labels are known, every bad input, and the synthetic survey's truth."""

from __future__ import annotations

import csv
import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seisloom.compute import executor
from seisloom.errors import DataError, MissingDataError, OutputError
from seisloom.io.segy import write_segy
from seisloom.physics.survey import SurveyConfig
from seisloom.recipe import read_recipe
from seisloom.tasks.picking.data import plan
from seisloom.tasks.picking.survey.build import build_manifest
from seisloom.tasks.picking.survey.layout import shot_list
from seisloom.tasks.picking.survey.manifest import COLUMNS, NAME, REPORT, check_manifest, read_manifest
from seisloom.tasks.picking.survey.report import ManifestReport
from seisloom.tasks.picking.survey.synth import write_survey

N_SAMPLES, INTERVAL_S = 100, 0.001
SEED_COLUMNS = ["geometry", "station", "segy_path", "trace_index", "shot_id", "pick_time_s"]


def station(folder: Path, name: str, shots: Sequence[int], *, word: str = "field_record", **options: Any) -> Path:
    """Write a station's file with one trace a shot, its number in one header word."""
    folder.mkdir(parents=True, exist_ok=True)
    headers = {word: np.array(shots)} | options.pop("headers", {})
    path = folder / f"{name}.segy"
    write_segy(path, np.zeros((len(shots), N_SAMPLES)), interval_s=INTERVAL_S, headers=headers, **options)
    return path


def geometry(root: Path, name: str = "L1", shots: Any = None) -> Path:
    """Write geometry.json; by default with shots 1 to 8."""
    folder = root / "geometries" / name
    folder.mkdir(parents=True, exist_ok=True)
    said = shots if shots is not None else {"start": 1, "stop": 9, "step": 1, "end_exclusive": True}
    (folder / "geometry.json").write_text(json.dumps({"id": name, "assets": {"shots": said}}))
    return folder


def arrivals(root: Path, rows: Sequence[str], columns: str = "station,shot_id,pick_time_s") -> None:
    (root / "arrivals.csv").write_text("\n".join([columns, *rows]) + "\n")


def small(root: Path, shots: Sequence[int] = range(1, 9), **options: Any) -> Path:
    """One line, one station; the pick of shot k is at k/100 s."""
    station(geometry(root), "R01", shots, **options)
    arrivals(root, [f"R01,{k},{k / 100}" for k in range(1, 9)])
    return root


def times(root: Path) -> dict[int, float]:
    table = read_manifest(root)
    return dict(zip(table["shot_id"].tolist(), table["pick_time_s"].tolist(), strict=True))


def problems(report: ManifestReport) -> dict[str, list[str]]:
    assert len(report.geometries) == 1
    return report.geometries[0].problems


# What it says


def test_a_manifest_has_the_columns_of_the_seed_first_and_paths_below_the_root(tmp_path: Path) -> None:
    build_manifest(small(tmp_path))
    with (tmp_path / "geometries" / "L1" / NAME).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(COLUMNS)
    assert list(rows[0])[:6] == SEED_COLUMNS
    assert rows[0]["segy_path"] == "geometries/L1/R01.segy"
    assert [int(row["shot_id"]) for row in rows] == list(range(1, 9))
    assert [float(row["pick_time_s"]) for row in rows] == [k / 100 for k in range(1, 9)]


def test_a_missing_pick_is_empty_and_a_pick_at_zero_is_a_pick(tmp_path: Path) -> None:
    small(tmp_path)
    arrivals(tmp_path, ["R01,1,0.0", "R01,2,0.02", "R01,3,", "R01,4,nan"])
    report = build_manifest(tmp_path)
    with (tmp_path / "geometries" / "L1" / NAME).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["pick_time_s"] for row in rows[:5]] == ["0", "0.02", "", "", ""]
    assert [row["pick_status"] for row in rows[:5]] == ["picked", "picked", "unpicked", "unpicked", "unpicked"]
    (said,) = [cases for what, cases in problems(report).items() if what.startswith("pick at exactly 0 s, kept; if 0")]
    assert said == ["R01 shot 1"]
    stored = json.loads((tmp_path / "geometries" / "L1" / REPORT).read_text())
    assert said in stored["problems"].values()
    assert any(line.startswith("L1: 1 x pick at exactly 0 s") for line in report.lines())


def test_headers_are_in_the_manifest(tmp_path: Path) -> None:
    places = {"source_x": np.arange(8) * 2.5, "group_x": np.full(8, 10.0), "group_y": np.full(8, 7.25)}
    small(tmp_path, headers=places, delay_s=-0.02)
    build_manifest(tmp_path)
    table = read_manifest(tmp_path)
    np.testing.assert_allclose(table["source_x"], places["source_x"])
    np.testing.assert_allclose(table["group_y"], 7.25)
    np.testing.assert_allclose(table["offset_m"], np.hypot(places["source_x"] - 10, 7.25), atol=1e-4)
    assert set(table["delay_s"]) == {-0.02}
    assert set(table["sampling_rate_hz"]) == {1000.0}
    assert set(table["n_samples"]) == {N_SAMPLES}
    assert set(table["header_used"]) == {"field_record"}
    assert set(table["alignment"]) == {"exact"}


def test_unknown_places_are_empty(tmp_path: Path) -> None:
    build_manifest(small(tmp_path))
    table = read_manifest(tmp_path)
    assert table[["offset_m", "source_x", "source_y", "group_x", "group_y"]].isna().all(axis=None)


def test_names_that_look_like_numbers_or_like_nothing_stay_names(tmp_path: Path) -> None:
    folder = geometry(tmp_path)
    for name in ("007", "NA", "a,b"):
        station(folder, name, range(1, 9))
    arrivals(tmp_path, ["007,1,0.01", "NA,2,0.02", '"a,b",3,0.03'])
    build_manifest(tmp_path)
    table = read_manifest(tmp_path)
    assert table["station"].unique().tolist() == ["007", "NA", "a,b"]
    picked = table[table["pick_status"] == "picked"]
    assert list(zip(picked["station"], picked["shot_id"], strict=True)) == [("007", 1), ("NA", 2), ("a,b", 3)]


def test_uncertainty_and_no_arrival_come_from_the_csv(tmp_path: Path) -> None:
    small(tmp_path)
    arrivals(
        tmp_path,
        ["R01,1,0.01,0.002,picked", "R01,2,,,no_arrival", "R01,3,,,", "R01,4,,,unpicked"],
        "station,shot_id,pick_time_s,uncertainty_s,pick_status",
    )
    report = build_manifest(tmp_path)
    table = read_manifest(tmp_path)
    assert table["pick_status"].tolist()[:4] == ["picked", "no_arrival", "unpicked", "unpicked"]
    assert table["pick_uncertainty_s"][0] == 0.002
    assert report.geometries[0].counts["no_arrival"] == 1


def test_a_geometry_of_the_csv_keeps_equal_names_apart(tmp_path: Path) -> None:
    for name in ("L1", "L2"):
        station(geometry(tmp_path, name), "R01", range(1, 9))
    rows = [f"{name},R01,{k},{t}" for name, t in (("L1", 0.01), ("L2", 0.02)) for k in range(1, 9)]
    arrivals(tmp_path, rows, "geometry,station,shot_id,pick_time_s")
    build_manifest(tmp_path)
    table = read_manifest(tmp_path)
    assert {name: set(some["pick_time_s"]) for name, some in table.groupby("geometry")} == {"L1": {0.01}, "L2": {0.02}}


def test_picks_that_two_geometries_could_claim_are_an_error(tmp_path: Path) -> None:
    for name in ("L1", "L2"):
        station(geometry(tmp_path, name), "R01", range(1, 9))
    arrivals(tmp_path, ["R01,1,0.01"])
    with pytest.raises(DataError, match="L1 and L2"):
        build_manifest(tmp_path)


def test_picks_go_to_the_geometry_that_has_the_station_where_shots_are_shared(tmp_path: Path) -> None:
    """Ocean-bottom stations may record the same shots in two geometries."""
    for name, one in (("L1", "R01"), ("L2", "R02")):
        station(geometry(tmp_path, name), one, range(1, 9))
    arrivals(tmp_path, ["R01,1,0.01", "R02,1,0.02"])
    report = build_manifest(tmp_path)
    assert all(not one.problems for one in report.geometries)
    table = read_manifest(tmp_path)
    assert table.groupby("station")["pick_time_s"].max().tolist() == [0.01, 0.02]


# Whose shot


def test_one_shot_missing_in_the_middle_shifts_no_label(tmp_path: Path) -> None:
    report = build_manifest(small(tmp_path, [1, 2, 4, 5, 6, 7, 8]))
    assert times(tmp_path) == {k: k / 100 for k in (1, 2, 4, 5, 6, 7, 8)}
    assert problems(report)["station without some of the listed shots"] == ["R01: 1 (3)"]
    assert problems(report)["pick without a trace"] == ["R01 shot 3"]


@given(there=st.lists(st.booleans(), min_size=8, max_size=8).filter(any))
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_shots_are_missing_each_trace_has_its_own_pick(tmp_path: Path, there: list[bool]) -> None:
    shots = [k for k, one in enumerate(there, start=1) if one]
    build_manifest(small(tmp_path, shots))
    assert times(tmp_path) == {k: k / 100 for k in shots}


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("field_record", "field_record"),  # byte 9
        ("energy_source_point", "energy_source_point"),  # byte 17
        ("ensemble", "ensemble"),  # byte 21
        ("shot_point", "shot_point"),  # byte 197
    ],
)
def test_the_shot_number_is_found_in_the_words_of_the_seed_and_of_vendors(tmp_path: Path, word: str, name: str) -> None:
    report = build_manifest(small(tmp_path, [1, 2, 4, 5, 6, 7, 8], word=word))
    assert set(read_manifest(tmp_path)["header_used"]) == {name}
    assert report.rows()[0]["shot number from"] == name
    scores = report.geometries[0].scores["R01"]
    assert {one["header"] for one in scores} == {
        "energy_source_point", "field_record", "shot_point", "ensemble", "trace_sequence_line",
    }  # fmt: skip
    assert next(one["matches"] for one in scores if one["header"] == name) == 7


def test_the_table_of_scores_has_byte_and_share_marks_the_word_and_folds_what_is_equal(tmp_path: Path) -> None:
    for name in ("L1", "L2"):
        folder = geometry(tmp_path, name, list(range(1, 9)))
        for k in (1, 2):
            station(folder, f"R0{k}", [1, 2, 3, 4, 5, 6], headers={"energy_source_point": np.array([1, 1, 1, 2, 2, 2])})
    arrivals(tmp_path, [])
    report = build_manifest(tmp_path)
    rows = {row["header"]: row for row in report.score_rows()}
    assert len(rows) == len(report.score_rows()) == 5
    assert rows["field_record*"] == {
        "geometry": "L1, L2", "header": "field_record*", "byte": 9, "shots explained %": 75, "traces in list %": 100,
        "monotone": 1.0,
    }  # fmt: skip
    assert rows["energy_source_point"]["shots explained %"] == 25
    assert rows["energy_source_point"]["traces in list %"] == 100
    lines = [line for line in report.lines() if not line.startswith("wrote")]
    assert lines == ["L1, L2: 2 x station without some of the listed shots: R01, R02: 2 (7, 8)"]
    named = {row["header"]: row["byte"] for row in build_manifest(tmp_path, shot_byte=9).score_rows()}
    assert named["byte_9*"] == 9


def test_a_byte_that_the_user_names_is_used(tmp_path: Path) -> None:
    """The field record says something else, and explains the list just as well."""
    other = {"trace_number": np.array([8, 7, 6, 5, 4, 3, 2, 1])}
    small(tmp_path, headers=other)
    build_manifest(tmp_path, shot_byte=13)
    table = read_manifest(tmp_path)
    assert table["shot_id"].tolist() == [8, 7, 6, 5, 4, 3, 2, 1]
    assert set(table["header_used"]) == {"byte_13"}


def test_a_named_byte_that_explains_less_than_half_is_an_error_and_order_does_not_step_in(tmp_path: Path) -> None:
    build_manifest(small(tmp_path))
    before = (tmp_path / "geometries" / "L1" / NAME).read_bytes()
    with pytest.raises(DataError) as caught:
        build_manifest(tmp_path, shot_byte=115)
    assert "byte 115 has the number of a listed shot in 0 of 8 traces (0 of 8 shots). Half" in str(caught.value)
    assert "field_record, byte 9: 8 (8 of 8 shots), --shot-byte 9" in str(caught.value)
    assert "energy_source_point" not in str(caught.value)
    assert (tmp_path / "geometries" / "L1" / NAME).read_bytes() == before
    build_manifest(tmp_path, shot_byte=115, allow_index_alignment=True)
    assert set(read_manifest(tmp_path)["alignment"]) == {"index"}


def test_of_a_geometry_without_a_match_the_earlier_manifest_is_kept_and_it_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, first in (("L1", 1), ("L2", 11), ("L3", 21)):
        station(geometry(tmp_path, name, list(range(first, first + 8))), "R01", range(first, first + 8))
    arrivals(tmp_path, ["R01,1,0.01", "R01,11,0.05"])
    build_manifest(tmp_path, geometries=["L1", "L2"])
    before = (tmp_path / "geometries" / "L2" / NAME).read_bytes()
    for name in ("L2", "L3"):
        station(tmp_path / "geometries" / name, "R01", [0] * 7)
    monkeypatch.setattr(logging.getLogger("seisloom"), "propagate", True)
    report = build_manifest(tmp_path)
    assert [path.parent.name for path in report.written] == ["L1", "L1"]
    assert (tmp_path / "geometries" / "L2" / NAME).read_bytes() == before
    assert not (tmp_path / "geometries" / "L3" / NAME).exists()
    kept, none = (
        next(said for said in caplog.messages if said.startswith(f"{name}: no trace matched. R01: 7 traces"))
        for name in ("L2", "L3")
    )
    assert kept.endswith("Its earlier manifest is kept, as it was")
    assert none.endswith("No manifest is written")


def test_order_decides_only_where_counts_agree_or_it_is_allowed(tmp_path: Path) -> None:
    report = build_manifest(small(tmp_path, [0] * 8))
    assert times(tmp_path) == {k: k / 100 for k in range(1, 9)}
    assert "matched by order, since no header explains the shot list" in problems(report)
    assert set(read_manifest(tmp_path)["alignment"]) == {"index"}
    with pytest.raises(DataError, match=r"no trace matched\. R01: 7 traces, 8 shots listed"):
        build_manifest(small(tmp_path, [0] * 7))
    assert len(read_manifest(tmp_path)) == 8  # the earlier one
    build_manifest(tmp_path, allow_index_alignment=True)
    assert times(tmp_path) == {k: k / 100 for k in range(1, 8)}


def test_a_list_that_no_header_fits_is_told_with_what_was_tried_and_what_to_give(tmp_path: Path) -> None:
    small(tmp_path)
    folder = geometry(tmp_path, shots=[1, 2, 3])  # 3 of 8 traces, and 4 are half
    station(folder, "R02", [1, 2, 3])
    report = build_manifest(tmp_path)
    (said,) = problems(report)["no header explains the shot list, so that no trace has a shot"]
    assert said.startswith("R01: 8 traces, 3 shots listed. Traces whose number is in the list: ")
    assert "field_record, byte 9: 3 (3 shots)" in said
    assert "energy_source_point, byte 17: 0 (0 shots)" in said
    assert "; 4 are needed" in said
    assert "--shot-byte BYTE; or --allow-index-alignment" in said
    assert json.loads((folder / REPORT).read_text())["problems"] == problems(report)
    assert any(said in line for line in report.lines())
    assert problems(report)["picks of a station of which no trace matched"] == ["R01: 3 picks"]
    named = build_manifest(tmp_path, shot_byte=9)  # 6 of 11 traces
    assert "no header explains the shot list, so that no trace has a shot" not in problems(named)
    table = read_manifest(tmp_path)
    assert table.loc[table["station"] == "R01", "shot_id"].tolist() == [1, 2, 3]


def test_a_tolerant_match_is_marked_counted_and_listed(tmp_path: Path) -> None:
    folder = geometry(tmp_path, shots=[10, 20, 30, 40])
    station(folder, "R01", [10, 20, 31, 40])
    arrivals(tmp_path, [f"R01,{k},{k / 1000}" for k in (10, 20, 30, 40)])
    report = build_manifest(tmp_path)
    table = read_manifest(tmp_path)
    assert table["shot_id"].tolist() == [10, 20, 30, 40]
    assert table["alignment"].tolist() == ["exact", "exact", "tolerant", "exact"]
    assert problems(report)["tolerant match"] == ["R01 trace 2: header 31 taken for shot 30"]
    stored = json.loads((folder / REPORT).read_text())
    assert stored["problems"] == problems(report)
    assert stored["counts"]["tolerant"] == 1


def test_an_ambiguous_number_gets_no_shot_and_no_pick(tmp_path: Path) -> None:
    station(geometry(tmp_path, shots=[10, 20, 30, 32, 40, 50]), "R01", [10, 20, 31, 40, 50])
    arrivals(tmp_path, [f"R01,{k},{k / 1000}" for k in (10, 20, 30, 32, 40, 50)])
    report = build_manifest(tmp_path)
    assert times(tmp_path) == {k: k / 1000 for k in (10, 20, 40, 50)}
    assert problems(report)["trace without a shot of the list"] == ["R01 trace 2"]


def test_two_traces_of_one_shot_get_no_pick_since_it_is_one_of_theirs(tmp_path: Path) -> None:
    report = build_manifest(small(tmp_path, [1, 2, 3, 3, 4, 5, 6, 7, 8]))
    table = read_manifest(tmp_path)
    assert len(table) == 9
    assert table.loc[table["shot_id"] == 3, "pick_status"].tolist() == ["unpicked", "unpicked"]
    assert problems(report)["shot with several traces, of which none gets its pick"] == ["R01 shot 3"]


def test_three_components_share_the_pick_of_their_shot(tmp_path: Path) -> None:
    build_manifest(small(tmp_path, [1, 1, 1, 2, 2, 2, 3, 3, 3]))
    assert read_manifest(tmp_path)["pick_time_s"].tolist() == [0.01] * 3 + [0.02] * 3 + [0.03] * 3


@pytest.mark.parametrize(
    ("stop", "missing"),
    [(7, None), (12, "R01: 3 (9, 10, 11)")],
)
def test_a_shot_list_shorter_or_longer_than_the_file_is_told_and_shifts_nothing(
    tmp_path: Path, stop: int, missing: str | None
) -> None:
    small(tmp_path)
    geometry(tmp_path, shots={"start": 1, "stop": stop, "step": 1, "end_exclusive": True})
    report = build_manifest(tmp_path)
    assert times(tmp_path) == {k: k / 100 for k in range(1, min(stop, 9))}
    if missing:
        assert problems(report)["station without some of the listed shots"] == [missing]
    else:
        assert problems(report)["trace without a shot of the list"] == ["R01 trace 6", "R01 trace 7"]
        assert "shots 7, 8" in report.notes[0]


# What picks may be wrong


def test_several_picks_of_one_trace_are_told_with_their_times(tmp_path: Path) -> None:
    small(tmp_path)
    arrivals(tmp_path, ["R01,1,0.01", "R01,1,0.03", "R01,2,0.02", "R01,2,0.02", "R01,3,", "R01,3,0.04"])
    report = build_manifest(tmp_path)
    table = read_manifest(tmp_path)
    assert len(table) == 8
    assert table["pick_time_s"].tolist()[:3] == [0.01, 0.02, 0.04]
    assert problems(report)["several picks of one trace, the first with a time is used"] == [
        "R01 shot 1: 0.01 s, 0.03 s", "R01 shot 2: 0.02 s, 0.02 s", "R01 shot 3: unpicked, 0.04 s",
    ]  # fmt: skip


def test_picks_outside_of_the_record_are_told_and_not_used(tmp_path: Path) -> None:
    small(tmp_path, delay_s=0.02)
    last = 0.02 + (N_SAMPLES - 1) * INTERVAL_S
    arrivals(tmp_path, ["R01,1,0.0199", "R01,2,0.02", f"R01,3,{last}", f"R01,4,{last + 1e-4}", "R01,5,-1"])
    report = build_manifest(tmp_path)
    table = read_manifest(tmp_path)
    assert table["pick_status"].tolist()[:5] == ["unpicked", "picked", "picked", "unpicked", "unpicked"]
    assert table["pick_time_s"].isna().sum() == 6
    assert len(problems(report)["pick outside of its record, taken for unpicked"]) == 3


def test_a_negative_delay_lets_picks_lie_before_the_shot(tmp_path: Path) -> None:
    """A near-offset pick at -0.5 ms is real where the trigger is late."""
    small(tmp_path, delay_s=-0.01)
    arrivals(tmp_path, ["R01,1,-0.0005", "R01,2,-0.011"])
    build_manifest(tmp_path)
    table = read_manifest(tmp_path)
    assert table["pick_time_s"][0] == -0.0005
    assert table["pick_status"].tolist()[:2] == ["picked", "unpicked"]
    assert set(table["delay_s"]) == {-0.01}


def test_picks_without_a_file_or_a_geometry_are_told(tmp_path: Path) -> None:
    small(tmp_path)
    arrivals(tmp_path, ["R01,1,0.01", "R02,1,0.01", "R02,2,0.01", "R01,4711,0.01"])
    report = build_manifest(tmp_path)
    said = problems(report)["picks of a station whose file was left out (see above) or is not there"]
    assert said == ["R02: 2 picks"]
    assert report.notes == ("arrivals.csv: 1 picks left out, of shots that no geometry lists, station R01: shots 4711",)
    assert any("4711" in line for line in report.lines())


def test_picks_of_another_line_are_told_in_a_few_lines(tmp_path: Path) -> None:
    small(tmp_path)
    arrivals(tmp_path, ["R01,1,0.01", *(f"S{k:02d},{shot},0.01" for k in range(30) for shot in (4711, 4712))])
    notes = build_manifest(tmp_path).notes
    assert len(notes) == 6
    assert notes[-1] == "arrivals.csv: and so of 25 stations more; 60 picks left out in all"


def test_picks_of_a_geometry_that_is_not_there_are_told(tmp_path: Path) -> None:
    small(tmp_path)
    arrivals(tmp_path, ["L1,R01,1,0.01", "L9,R01,1,0.01"], "geometry,station,shot_id,pick_time_s")
    assert "geometry L9" in build_manifest(tmp_path).notes[0]
    assert times(tmp_path)[1] == 0.01


# Bad files


def damaged(kind: str) -> Callable[[Path], None]:
    def cut(path: Path) -> None:
        path.write_bytes(path.read_bytes()[:-10])

    def longer(path: Path) -> None:
        path.write_bytes(path.read_bytes() + b"\0" * 7)

    def empty(path: Path) -> None:
        path.write_bytes(b"")

    def text(path: Path) -> None:
        path.write_text("shot,time\n" * 1000)

    def length(path: Path) -> None:
        raw = bytearray(path.read_bytes())
        for at in (3220, *(3600 + 114 + k * (240 + 4 * N_SAMPLES) for k in range(8))):
            raw[at : at + 2] = (N_SAMPLES + 1).to_bytes(2, "big")
        path.write_bytes(raw)

    return {"cut": cut, "longer": longer, "empty": empty, "text": text, "length": length}[kind]


@pytest.mark.parametrize("kind", ["cut", "longer", "empty", "text", "length"])
def test_a_damaged_file_is_left_out_by_name_and_the_others_are_kept(tmp_path: Path, kind: str) -> None:
    small(tmp_path)
    damaged(kind)(station(tmp_path / "geometries" / "L1", "R02", range(1, 9)))
    report = build_manifest(tmp_path)
    assert set(read_manifest(tmp_path)["station"]) == {"R01"}
    (said,) = problems(report)["file left out"]
    assert "R02.segy" in said
    assert ("It looks like text. " in said) == (kind == "text")
    assert report.geometries[0].n_files == 1


def test_when_no_file_can_be_read_the_first_reason_is_given(tmp_path: Path) -> None:
    small(tmp_path)
    damaged("cut")(tmp_path / "geometries" / "L1" / "R01.segy")
    with pytest.raises(DataError, match="none of 1 files can be read"):
        build_manifest(tmp_path)


def test_a_trace_length_that_one_header_has_wrong_is_told_and_the_file_kept(tmp_path: Path) -> None:
    lengths = np.full(8, N_SAMPLES)
    lengths[3] = 90
    report = build_manifest(small(tmp_path, headers={"n_samples": lengths}))
    assert times(tmp_path) == {k: k / 100 for k in range(1, 9)}
    assert "trace 3 with 90" in problems(report)["assumed"][0]


def test_a_geometry_without_its_file_is_named(tmp_path: Path) -> None:
    small(tmp_path)
    (tmp_path / "geometries" / "L1" / "geometry.json").unlink()
    with pytest.raises(MissingDataError, match="not a survey"):
        build_manifest(tmp_path)
    with pytest.raises(
        MissingDataError, match=r'L1/geometry\.json: is missing; it needs the shot list: {"id": "L1", "ass'
    ):
        build_manifest(tmp_path, geometries=["L1"])


def test_a_geometry_that_is_not_there_is_named_beside_those_that_are(tmp_path: Path) -> None:
    build_manifest(small(tmp_path))
    geometry(tmp_path, "L2")
    with pytest.raises(MissingDataError, match="no geometry NOPE; there are L1, L2"):
        build_manifest(tmp_path, geometries=["L1", "NOPE"])
    with pytest.raises(MissingDataError, match="no geometry NOPE; there are L1, L2"):
        read_manifest(tmp_path, ["NOPE"])
    with pytest.raises(MissingDataError, match=r"no such manifest; there are L1"):
        read_manifest(tmp_path, ["L2"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "not JSON"),
        ("[1, 2]", "braces"),
        ('{"id": "L1"}', "assets.shots"),
        ('{"id": "L1", "assets": "none"}', "assets.shots"),
        ('{"id": "L1", "assets": {"shots": {"start": 1}}}', "assets.shots"),
        ('{"id": "L2", "assets": {"shots": [1, 2]}}', "L2"),
        ('{"assets": {"shots": {"start": 9, "stop": 1, "end_exclusive": true}}}', "empty"),
        ('{"assets": {"shots": {"start": 1, "stop": 9, "step": 0}}}', "empty"),
        ('{"assets": {"shots": {"start": "one", "stop": 9}}}', "whole number"),
        ('{"assets": {"shots": {"start": 1.5, "stop": 9}}}', "whole number"),
        ('{"assets": {"shots": []}}', "empty"),
        ('{"assets": {"shots": [1, 2, 2]}}', "different"),
        ('{"assets": {"shots": [-1, 2]}}', "different"),
        ('{"assets": {"shots": [1, null]}}', "whole number"),
    ],
)
def test_a_geometry_file_that_contradicts_itself_is_an_error(tmp_path: Path, content: str, said: str) -> None:
    small(tmp_path)
    (tmp_path / "geometries" / "L1" / "geometry.json").write_text(content)
    with pytest.raises(DataError, match=said) as caught:
        build_manifest(tmp_path)
    assert "geometry.json" in str(caught.value)


@pytest.mark.parametrize(
    ("shots", "expected"),
    [
        ({"start": 3, "stop": 9, "step": 3, "end_exclusive": True}, [3, 6]),
        ({"start": 3, "stop": 9, "step": 3, "end_exclusive": False}, [3, 6, 9]),
        ({"start": 3, "stop": 5}, [3, 4, 5]),
        ({"start": 5, "stop": 2, "step": -1, "end_exclusive": True}, [5, 4, 3]),
        ([7, 5, 6], [7, 5, 6]),
    ],
)
def test_a_shot_list_is_a_range_or_a_list(tmp_path: Path, shots: Any, expected: list[int]) -> None:
    assert shot_list(geometry(tmp_path, shots=shots))[0] == expected


def test_a_range_that_does_not_say_whether_its_stop_is_a_shot_is_told(tmp_path: Path) -> None:
    folder = geometry(small(tmp_path), shots={"start": 1, "stop": 8})
    report = build_manifest(tmp_path)
    (said,) = problems(report)["assumed"]
    assert said == (
        "geometry.json: assets.shots does not say end_exclusive, and its stop, 8, is taken for a shot of the list. "
        'Write "end_exclusive": false if it is one, else true'
    )
    assert json.loads((folder / REPORT).read_text())["problems"]["assumed"] == [said]
    assert any(said in line for line in report.lines()), "on the screen too"
    assert times(tmp_path) == {k: k / 100 for k in range(1, 9)}
    geometry(tmp_path, shots={"start": 1, "stop": 8, "end_exclusive": False})
    assert "assumed" not in problems(build_manifest(tmp_path))


def test_what_is_missing_of_a_survey_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="absent"):
        build_manifest(tmp_path / "absent")
    with pytest.raises(MissingDataError, match="not a survey"):
        build_manifest(tmp_path)
    folder = geometry(tmp_path)
    with pytest.raises(MissingDataError, match="arrivals"):
        build_manifest(tmp_path)
    arrivals(tmp_path, [])
    with pytest.raises(MissingDataError, match="no SEG-Y files"):
        build_manifest(tmp_path)
    station(folder, "R01", range(1, 9))
    build_manifest(tmp_path)
    (tmp_path / "dataset.json").write_text('{"geometries": ["L1", "L2"]}')
    with pytest.raises(MissingDataError, match="L2"):
        build_manifest(tmp_path)


def test_two_files_of_one_station_are_an_error(tmp_path: Path) -> None:
    small(tmp_path)
    folder = tmp_path / "geometries" / "L1"
    (folder / "R01.sgy").write_bytes((folder / "R01.segy").read_bytes())
    with pytest.raises(DataError, match="several files of the station R01"):
        build_manifest(tmp_path)


def test_a_folder_that_cannot_be_written_is_an_error_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    small(tmp_path)
    (tmp_path / "file").write_text("no folder")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OutputError, match="--out"):
            build_manifest(tmp_path, out=out)
    taken = tmp_path / "taken" / "geometries" / "L1" / NAME
    taken.mkdir(parents=True)
    with pytest.raises(OutputError, match="taken"):
        build_manifest(tmp_path, out=tmp_path / "taken")
    assert not list(tmp_path.rglob("*.partial"))


# Reading and checking


def test_a_manifest_elsewhere_leaves_the_survey_as_it_was(tmp_path: Path) -> None:
    small(tmp_path / "survey")
    before = sorted(tmp_path.rglob("*"))
    report = build_manifest(tmp_path / "survey", out=tmp_path / "out")
    assert report.written[0] == tmp_path / "out" / "geometries" / "L1" / NAME
    assert [one for one in sorted((tmp_path / "survey").rglob("*")) if one not in before] == []
    assert len(read_manifest(tmp_path / "out")) == 8
    assert "8 traces of 1 files" in check_manifest(tmp_path / "out")


def test_the_manifest_is_the_same_for_any_number_of_workers(tmp_path: Path) -> None:
    for name, first in (("L1", 1), ("L2", 11)):
        shots = list(range(first, first + 8))
        station(geometry(tmp_path, name, shots), "R01", shots)
    arrivals(tmp_path, [f"R01,{k},0.05" for k in (1, 2, 11)])
    build_manifest(tmp_path, out=tmp_path / "one")
    with executor(workers=2) as pool:
        build_manifest(tmp_path, out=tmp_path / "two", executor=pool)
    for name in ("L1", "L2"):
        one, two = (tmp_path / out / "geometries" / name / NAME for out in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


def test_a_manifest_that_fits_its_files_passes_the_check_and_another_does_not(tmp_path: Path) -> None:
    build_manifest(small(tmp_path))
    file = tmp_path / "geometries" / "L1" / NAME
    assert "8 traces of 1 files" in check_manifest(tmp_path)
    assert "8 picked" in check_manifest(file)
    station(tmp_path / "geometries" / "L1", "R01", range(1, 8))
    with pytest.raises(DataError, match="7 traces"):
        check_manifest(file)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("pick_status", "status", 1), "pick_status is missing"),
        (lambda text: text.replace("picked", "seen", 1), "seen"),
        (lambda text: text.replace(",picked,", ",unpicked,", 1), "line 2"),
        (lambda text: text.replace("0.01,", "soon,", 1), "not a manifest"),
        (lambda text: "", "not a manifest"),
    ],
)
def test_a_manifest_that_was_changed_wrongly_is_an_error(
    tmp_path: Path, change: Callable[[str], str], said: str
) -> None:
    build_manifest(small(tmp_path))
    file = tmp_path / "geometries" / "L1" / NAME
    text = file.read_text().replace("pick_status", "@", 1)
    file.write_text(change(text.replace("@", "pick_status", 1)))
    with pytest.raises(DataError, match=said):
        read_manifest(tmp_path)


def test_a_manifest_that_is_not_there_says_how_to_build_it(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="manifest build"):
        read_manifest(tmp_path)
    build_manifest(small(tmp_path))
    with pytest.raises(MissingDataError, match="there are L1"):
        read_manifest(tmp_path, ["L2"])


# Whole surveys


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("synthetic") / "survey"
    config = SurveyConfig(
        n_geometries=2, n_stations=4, n_shots=8, record_s=0.1, share_missing=0.2, share_no_arrival=0.2, share_dead=0.1,
        delay_s=(-0.02,),
    )  # fmt: skip
    write_survey(config, out)
    return out


@pytest.mark.parametrize("source", ["arrivals.csv", "tlArrival.mat"])
def test_the_manifest_of_a_synthetic_survey_is_its_truth(synthetic: Path, tmp_path: Path, source: str) -> None:
    report = build_manifest(synthetic, arrivals=synthetic / source, out=tmp_path)
    table = read_manifest(tmp_path).set_index(["geometry", "station", "shot_id"])
    truth = pd.read_csv(synthetic / "truth.csv").set_index(["geometry", "station", "shot_id"])
    assert sorted(table.index) == sorted(truth.index)
    status = truth["status"].loc[table.index]
    if source == "tlArrival.mat":  # it has no word for a trace without an arrival
        status = status.replace("no_arrival", "unpicked")
    assert table["pick_status"].tolist() == status.tolist()
    picked = table[table["pick_status"] == "picked"]
    error_s = picked["pick_time_s"] - truth["onset_s"].loc[picked.index]
    sigma_s = pd.read_csv(synthetic / "arrivals.csv").set_index(["geometry", "station", "shot_id"])["uncertainty_s"]
    assert np.all(np.abs(error_s) <= 3.01 * sigma_s.loc[picked.index])  # the analyst's error, cut at 3 sigma
    np.testing.assert_allclose(table["offset_m"], truth["offset_m"].loc[table.index], atol=0.02)
    kinds = {kind for one in report.geometries for kind in one.problems}
    assert kinds <= {"station without some of the listed shots"}


def test_the_plan_of_a_synthetic_survey_has_its_picks_and_its_negatives(synthetic: Path, tmp_path: Path) -> None:
    build_manifest(synthetic, out=tmp_path)
    truth = pd.read_csv(synthetic / "truth.csv")
    recipe = read_recipe("picking", [f"data.root={tmp_path}", "shards.win_mode=pick", "shards.neg_k=0"])
    refs = plan(recipe)
    found = sorted((ref.source["pick_status"], *ref.key.split("-trace-")[0].split("/")) for ref in refs)
    expected = sorted(
        (row.status, row.geometry, row.station, f"shot-{row.shot_id:06d}")
        for row in truth.itertuples()
        if row.status in ("picked", "no_arrival")
    )
    assert found == expected
    assert any(ref.source["kind"] == "noise" for ref in refs)


def test_the_field_survey_is_read_whole(field_data: Path, tmp_path: Path) -> None:
    """Counts as the notes on the data have them: 960 + 120 + 207 picks; station names repeat between lines."""
    report = build_manifest(field_data / "picking" / "ML-feed", out=tmp_path)
    table = read_manifest(tmp_path)
    assert len(table) == 48 * 20 + 24 * 5 + 24 * 9
    assert (table["pick_status"] == "picked").sum() == 1287
    assert set(table["alignment"]) == {"exact"}
    assert all(not one.problems for one in report.geometries)
    assert report.notes == ()
    assert table.loc[table["geometry"] == "GEOSTACK", "offset_m"].isna().all()
    far = table[(table["geometry"] == "REFRAPY2") & (table["station"] == "R01")]
    assert far["offset_m"].notna().all()
