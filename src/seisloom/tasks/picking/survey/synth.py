"""Write a synthetic survey as a crew would hand it over: SEG-Y files, geometry, arrivals, and the truth beside."""

from __future__ import annotations

import csv
import json
import math
import shutil
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import savemat

from seisloom.compute import InThisProcess, run_jobs
from seisloom.errors import OutputError
from seisloom.io.segy import write_segy
from seisloom.physics.survey import Shot, SurveyConfig, line_of, synthesise_shot
from seisloom.physics.survey_medium import Line
from seisloom.progress import track

MARK = "survey.json"  # the survey's config; a folder that holds it is ours to replace
PICK_COLUMNS = ("geometry", "station", "shot_id", "pick_time_s", "uncertainty_s", "pick_status")
TRUTH_COLUMNS = ("geometry", "station", "shot_id", "onset_s", "status", "snr_db", "branch", "polarity", "offset_m")
MAT_TEXT_BYTES = 116  # of free text at the head of a MAT-file of level 5


@dataclass(frozen=True, slots=True)
class LineTables:
    """The rows of one line for the tables of the survey; what `_write_line` hands back to the main process."""

    picks: list[tuple[Any, ...]]  # Any: text and numbers of a row
    truth: list[tuple[Any, ...]]  # Any: as above
    n_missing: int


def write_survey(
    config: SurveyConfig, out: Path, *, executor: Executor | None = None, force: bool = False
) -> dict[str, Any]:  # Any: JSON values
    """Write a survey and return what was written, as counts.

    Makes `dataset.json`, `geometries/<ID>/geometry.json`, one `<station>.segy` a station with one trace a shot,
    `arrivals.csv` and `tlArrival.mat` with the same picks (the former also names the traces without an arrival),
    `truth.csv` with the exact onset of every trace that was
    recorded, and `survey.json`. All of it is written beside `out` and renamed when complete. The files depend on
    `config` alone, not on the executor; memory holds one line a worker.

    Args:
        config: the survey.
        out: folder that is not there yet; one that a survey was written to before is replaced with `force`.
        executor: where lines are made; this process by default.
        force: replace an earlier survey.
    Raises:
        OutputError: if `out` exists and is not ours to replace, or cannot be written.
    """
    out = Path(out)
    _refuse_what_is_not_ours(out, force=force)
    beside = out.with_name(out.name + ".part")
    try:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written: {error.strerror}. Choose another folder") from error
    names = [geometry_id(config, g) for g in range(config.n_geometries)]
    lines = run_jobs(executor or InThisProcess(), partial(_write_line, config, beside), range(config.n_geometries))
    n_traces = config.n_geometries * config.n_stations * config.n_shots
    per_line = config.n_stations * config.n_shots
    tracked = track(lines, total=n_traces, what="writing survey", unit="traces", size=lambda _: per_line)
    tables = list(tracked)
    picks = [row for table in tables for row in table.picks]
    truth = [row for table in tables for row in table.truth]
    _write_csv(beside / "arrivals.csv", PICK_COLUMNS, picks)
    _write_csv(beside / "truth.csv", TRUTH_COLUMNS, truth)
    write_tl_arrival(beside / "tlArrival.mat", picks)
    _write_json(beside / "dataset.json", {"geometries": names})
    _write_json(beside / MARK, config.model_dump(mode="json"))
    if out.exists():
        shutil.rmtree(out)
    beside.rename(out)
    status = [row[TRUTH_COLUMNS.index("status")] for row in truth]
    return {
        "out": str(out),
        "geometries": config.n_geometries,
        "traces": len(truth),
        **{name: status.count(name) for name in ("picked", "unpicked", "no_arrival")},
        "missing": sum(table.n_missing for table in tables),
    }


def geometry_id(config: SurveyConfig, geometry: int) -> str:
    """Return the name of a line, such as LAND001."""
    return f"{config.kind.upper()}{geometry + 1:03d}"


def station_id(station: int) -> str:
    """Return the name of a station, such as R01; lines share these names, as field lines do."""
    return f"R{station + 1:02d}"


def first_shot_id(config: SurveyConfig, geometry: int) -> int:
    """Return the id of the first shot of a line; no id is used twice in a survey."""
    return int((geometry + 1) * 10 ** max(3, math.ceil(math.log10(config.n_shots + 1))) + 1)


def write_tl_arrival(path: Path, picks: Sequence[tuple[Any, ...]]) -> None:  # Any: text and numbers of a row
    """Write picks in the layout of tlArrival.mat: a struct of columns eventid, station (cell) and time.

    Args:
        path: the file.
        picks: rows in the order of PICK_COLUMNS; those without a pick are left out, as the layout has no word for them.
    """
    picks = [row for row in picks if row[PICK_COLUMNS.index("pick_status")] == "picked"]
    station = np.empty((len(picks), 1), dtype=object)
    station[:, 0] = [row[1] for row in picks]
    savemat(
        path,
        {
            "tlArrival": {
                "eventid": np.array([row[2] for row in picks], dtype=np.int64).reshape(-1, 1),
                "station": station,
                "time": np.array([row[3] for row in picks], dtype=np.float64).reshape(-1, 1),
            }
        },
        do_compression=True,
    )
    with path.open("r+b") as file:  # the time of writing stands in the text of the header: the same picks, other bytes
        file.write(b"MATLAB 5.0 MAT-file, written by seisloom".ljust(MAT_TEXT_BYTES))


def _refuse_what_is_not_ours(out: Path, *, force: bool) -> None:
    """Raise OutputError unless `out` is free, or an earlier survey that is to be replaced."""
    if not out.exists():
        return
    if not (out / MARK).is_file():
        raise OutputError(f"{out} is there already and is no synthetic survey; choose another folder")
    if not force:
        raise OutputError(f"{out} holds a synthetic survey already; choose another folder, or replace it with --force")


def _write_line(config: SurveyConfig, root: Path, geometry: int) -> LineTables:
    """Write the files of one line, and return its rows of the tables."""
    line = line_of(config, geometry)
    shots = [synthesise_shot(config, geometry, shot, line=line) for shot in range(config.n_shots)]
    folder = root / "geometries" / geometry_id(config, geometry)
    folder.mkdir(parents=True)
    first = first_shot_id(config, geometry)
    _write_json(folder / "geometry.json", _geometry_json(config, geometry))
    picks: list[tuple[Any, ...]] = []  # Any: text and numbers of a row
    truth: list[tuple[Any, ...]] = []  # Any: as above
    n_missing = 0
    for station in range(config.n_stations):
        there = [i for i, shot in enumerate(shots) if shot.recorded[station]]
        n_missing += len(shots) - len(there)
        if there:
            _write_station(folder / f"{station_id(station)}.segy", line, station, shots, there, first)
        for i in there:
            key = (geometry_id(config, geometry), station_id(station), first + i)
            shot = shots[i]
            truth.append((*key, *_truth_of(shot, station)))
            if np.isfinite(shot.pick_time_s[station]):
                time_s, error_s = float(shot.pick_time_s[station]), float(shot.pick_uncertainty_s[station])
                picks.append((*key, round(time_s, 7), round(error_s, 7), "picked"))
            elif shot.status[station] == "no_arrival":
                picks.append((*key, "", "", "no_arrival"))
    return LineTables(picks, truth, n_missing)


def _truth_of(shot: Shot, station: int) -> tuple[Any, ...]:  # Any: text and numbers of a row
    """Return what is known of a trace, in the order of TRUTH_COLUMNS after its key."""
    onset_s, snr_db = float(shot.onset_s[station]), float(shot.snr_db[station])
    return (
        "" if math.isnan(onset_s) else repr(onset_s),
        str(shot.status[station]),
        "" if math.isnan(snr_db) else round(snr_db, 2),
        int(shot.branch[station]),
        int(shot.polarity[station]),
        round(float(shot.offset_m[station]), 3),
    )


def _write_station(path: Path, line: Line, station: int, shots: Sequence[Shot], there: list[int], first: int) -> None:
    """Write the SEG-Y file of a station: one trace a shot that was recorded, ids and places in the headers."""
    ids = np.array([first + i for i in there])
    source = np.array([shots[i].source_xy_m for i in there])
    n = len(there)
    write_segy(
        path,
        np.stack([shots[i].traces[station] for i in there]),
        interval_s=1 / line.fs_hz,
        headers={
            "field_record": ids,
            "energy_source_point": ids,
            "trace_number": np.full(n, station + 1),
            "offset": np.array([shots[i].offset_m[station] for i in there]),
            "source_x": source[:, 0],
            "source_y": source[:, 1],
            "group_x": np.full(n, line.station_x_m[station]),
            "group_y": np.zeros(n),
        },
        delay_s=line.delay_s,
        text=f"Synthetic {line.kind} survey made by seisloom. Known onsets: truth.csv",
    )


def _geometry_json(config: SurveyConfig, geometry: int) -> dict[str, Any]:  # Any: JSON values
    """Return the description of a line, with the list of shots that were planned."""
    name, first = geometry_id(config, geometry), first_shot_id(config, geometry)
    return {
        "id": name,
        "assets": {
            "station_desc": f"synthetic_{config.kind}",
            "shotline": name,
            "shots": {"start": first, "stop": first + config.n_shots, "step": 1, "end_exclusive": True},
            "pick_phase": "P",
        },
        "segy_layout": "shotGather",
    }


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:  # Any: text and numbers
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def _write_json(path: Path, content: dict[str, Any]) -> None:  # Any: JSON values
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
