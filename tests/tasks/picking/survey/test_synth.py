"""A synthetic survey on disk: read back by other readers, the same for any worker count, never over other files."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import segyio
from scipy.io import loadmat

from seisloom.compute import executor
from seisloom.errors import OutputError
from seisloom.physics.survey import SurveyConfig, line_of, synthesise_shot
from seisloom.tasks.picking.survey.synth import first_shot_id, geometry_id, write_survey

CONFIG = SurveyConfig(n_geometries=2, n_stations=4, n_shots=6, record_s=0.1, share_missing=0.2)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def digests(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("synth") / "survey"
    write_survey(CONFIG, out)
    return out


def test_the_layout_is_that_of_a_feed(survey: Path) -> None:
    names = json.loads((survey / "dataset.json").read_text())["geometries"]
    assert names == ["LAND001", "LAND002"]
    for g, name in enumerate(names):
        shots = json.loads((survey / "geometries" / name / "geometry.json").read_text())["assets"]["shots"]
        assert shots["start"] == first_shot_id(CONFIG, g)
        assert shots["stop"] - shots["start"] == CONFIG.n_shots
        assert sorted(p.name for p in (survey / "geometries" / name).glob("*.segy")) == [
            f"R{i:02d}.segy" for i in range(1, 5)
        ]


def test_segyio_reads_back_the_traces_and_headers_that_were_synthesised(survey: Path) -> None:
    n_traces = 0
    for g in range(2):
        line = line_of(CONFIG, g)
        shots = [synthesise_shot(CONFIG, g, s) for s in range(CONFIG.n_shots)]
        for station in range(CONFIG.n_stations):
            there = [s for s, shot in enumerate(shots) if shot.recorded[station]]
            path = survey / "geometries" / geometry_id(CONFIG, g) / f"R{station + 1:02d}.segy"
            with segyio.open(path, ignore_geometry=True) as file:
                np.testing.assert_array_equal(file.trace.raw[:], np.stack([shots[s].traces[station] for s in there]))
                ids = file.attributes(segyio.TraceField.EnergySourcePoint)[:]
                assert ids.tolist() == [first_shot_id(CONFIG, g) + s for s in there]
                assert segyio.tools.dt(file) == pytest.approx(1e6 / line.fs_hz)
                header = file.header[0]
                assert header[segyio.TraceField.SourceGroupScalar] == -100
                source_x = shots[there[0]].source_xy_m[0]
                assert header[segyio.TraceField.SourceX] / 100 == pytest.approx(source_x, abs=0.0051)
                assert header[segyio.TraceField.GroupX] / 100 == pytest.approx(line.station_x_m[station], abs=0.0051)
            n_traces += len(there)
    assert n_traces == len(rows_of(survey / "truth.csv"))


def test_the_truth_has_every_trace_and_the_exact_onset(survey: Path) -> None:
    rows = rows_of(survey / "truth.csv")
    for row in rows:
        g = int(row["geometry"][-3:]) - 1
        shot = synthesise_shot(CONFIG, g, int(row["shot_id"]) - first_shot_id(CONFIG, g))
        station = int(row["station"][1:]) - 1
        assert row["status"] == shot.status[station]
        assert (float(row["onset_s"]) if row["onset_s"] else None) == (
            None if row["status"] == "no_arrival" else float(shot.onset_s[station])
        )


def test_both_tables_of_arrivals_hold_the_picked_traces(survey: Path) -> None:
    rows, truth = rows_of(survey / "arrivals.csv"), rows_of(survey / "truth.csv")
    status = Counter(r["status"] for r in truth)
    assert Counter(r["pick_status"] for r in rows) == {k: n for k, n in status.items() if n and k != "unpicked"}
    picked = [r for r in rows if r["pick_status"] == "picked"]
    picks = {(r["station"], int(r["shot_id"])): float(r["pick_time_s"]) for r in picked}
    struct = loadmat(survey / "tlArrival.mat", squeeze_me=False, struct_as_record=False)["tlArrival"][0, 0]
    assert struct.eventid.shape == struct.station.shape == struct.time.shape == (len(picks), 1)
    stations = [str(cell.ravel()[0]) for cell in struct.station.ravel()]
    in_mat = dict(zip(zip(stations, struct.eventid.ravel().tolist(), strict=True), struct.time.ravel(), strict=True))
    assert in_mat == picks


def test_the_files_are_the_same_for_any_number_of_workers(survey: Path, tmp_path: Path) -> None:
    with executor(workers=2) as pool:
        write_survey(CONFIG, tmp_path / "again", executor=pool)
    assert digests(tmp_path / "again") == digests(survey)


def test_the_summary_counts_every_trace(survey: Path, tmp_path: Path) -> None:
    summary = write_survey(CONFIG, tmp_path / "again")
    assert summary["traces"] + summary["missing"] == 2 * 4 * 6
    assert summary["picked"] + summary["unpicked"] + summary["no_arrival"] == summary["traces"]
    assert summary["missing"] > 0


def test_a_folder_that_is_not_a_survey_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    for force in (False, True):
        with pytest.raises(OutputError, match="no synthetic survey"):
            write_survey(CONFIG, tmp_path / "mine", force=force)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_a_survey_is_replaced_only_when_told_to(tmp_path: Path) -> None:
    write_survey(CONFIG, tmp_path / "survey")
    before = digests(tmp_path / "survey")
    other = CONFIG.model_copy(update={"seed": 5})
    with pytest.raises(OutputError, match="--force"):
        write_survey(other, tmp_path / "survey")
    assert digests(tmp_path / "survey") == before
    write_survey(other, tmp_path / "survey", force=True)
    assert digests(tmp_path / "survey") != before
    assert not (tmp_path / "survey.part").exists()


def test_an_ocean_bottom_survey_is_written_too(tmp_path: Path) -> None:
    config = SurveyConfig(kind="obs", n_geometries=1, n_stations=2, n_shots=5)
    assert write_survey(config, tmp_path / "obs")["traces"] > 0
    assert json.loads((tmp_path / "obs" / "dataset.json").read_text()) == {"geometries": ["OBS001"]}
