"""A survey from shot gathers and picks: SEG-2, SU or SEG-Y files and a .sgt become the layout that trains."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from seisloom.errors import DataError, MissingDataError, OutputError
from seisloom.io.gather import Gather, read_gather
from seisloom.io.picks import read_sgt
from seisloom.io.segy import write_segy
from seisloom.io.shards import write_json
from seisloom.sample import Array

SAME_PLACE_M = 0.05
"""Places in headers and in a .sgt that are this near are one place: both are written with two decimals or more."""


def import_line(
    files: Sequence[Path], picks: Path, root: Path, *, geometry: str, pick_error_s: float | None = None
) -> dict[str, int]:
    """Add a line to a survey's folder: one SEG-Y a receiver, geometry.json, and its picks in arrivals.csv.

    Picks are matched by the x of source and receiver. A shot's number is the number in its file's name, so that a
    line keeps its own; numbers must differ between the lines of a survey.

    Args:
        files: one shot gather each, of the same receivers or of parts of a spread.
        picks: .sgt of the line.
        root: the survey's folder; made if it is not there.
        geometry: name of the line.
        pick_error_s: uncertainty of picks whose .sgt has no `err`; unknown by default.
    Returns:
        Counts: shots, stations, traces, picks, picks_without_trace.
    Raises:
        DataError: if files differ in rate or length, have no coordinates, or share a shot number.
        OutputError: if the line is there already.
    """
    folder = root / "geometries" / geometry
    if folder.exists():
        raise OutputError(f"{folder}: is there already. Choose another name: --geom NAME")
    shots = _shots(files)
    first = next(iter(shots.values()))
    for number, gather in shots.items():
        if (gather.fs_hz, gather.traces.shape[1]) != (first.fs_hz, first.traces.shape[1]):
            raise DataError(f"shot {number}: {gather.traces.shape[1]} samples at {gather.fs_hz:g} Hz, others differ")
        if not np.isfinite(gather.group_x).all() or not np.isfinite(gather.source_x).all():
            raise DataError(f"shot {number}: its file has no coordinates, and picks are matched by place")
    places = np.unique(np.round(np.concatenate([gather.group_x for gather in shots.values()]), 3))
    rows, n_traces = _write_stations(folder, shots, places)
    listed = sorted(shots)
    write_json(folder / "geometry.json", {"id": geometry, "assets": {"shots": listed, "pick_phase": "P"}})
    matched, n_lost = _match(picks, rows, pick_error_s)
    _append(root, geometry, matched)
    return {
        "shots": len(shots), "stations": len(places), "traces": n_traces, "picks": len(matched),
        "picks_without_trace": n_lost,
    }  # fmt: skip


def _shots(files: Sequence[Path]) -> dict[int, Gather]:
    shots: dict[int, Gather] = {}
    for file in files:
        if not file.is_file():
            raise MissingDataError(f"{file}: no such file")
        numbers = re.findall(r"\d+", file.stem)
        if not numbers:
            raise DataError(f"{file}: no number in its name to call the shot by")
        number = int(numbers[-1])
        if number in shots:
            raise DataError(f"{file}: a second file of shot {number}")
        shots[number] = read_gather(file)
    if not shots:
        raise DataError("no shot files are given")
    return dict(sorted(shots.items()))


def _write_stations(
    folder: Path, shots: dict[int, Gather], places: Array
) -> tuple[list[tuple[str, int, float, float]], int]:
    """Write a file a receiver; return station, shot, source x and receiver x of every trace."""
    folder.mkdir(parents=True)
    rows: list[tuple[str, int, float, float]] = []
    digits = len(str(len(places)))
    for k, place in enumerate(places):
        station = f"R{k + 1:0{max(digits, 2)}d}"
        found = [
            (number, gather, int(trace))
            for number, gather in shots.items()
            for trace in np.flatnonzero(np.abs(gather.group_x - place) < SAME_PLACE_M)
        ]
        columns = {
            name: np.array([getattr(gather, name)[trace] for _, gather, trace in found])
            for name in ("source_x", "source_y", "group_x", "group_y")
        }
        numbers = np.array([number for number, _, _ in found])
        write_segy(
            folder / f"{station}.segy", np.stack([gather.take(np.array([trace]))[0] for _, gather, trace in found]),
            interval_s=1 / found[0][1].fs_hz,
            headers={"energy_source_point": numbers, "field_record": numbers, **columns},
            delay_s=np.array([gather.delay_s[trace] for _, gather, trace in found]),
            text=f"Receiver {station} of line {folder.name}, one trace a shot",
        )  # fmt: skip
        rows += [
            (station, number, float(x), float(place)) for number, x in zip(numbers, columns["source_x"], strict=True)
        ]
    return rows, len(rows)


def _match(
    picks: Path, rows: list[tuple[str, int, float, float]], pick_error_s: float | None
) -> tuple[list[tuple[str, int, float, float]], int]:
    """Return station, shot, time and uncertainty of each pick, and how many picks have no trace."""
    table = read_sgt(picks)
    matched: list[tuple[str, int, float, float]] = []
    n_lost = 0
    sources = np.array([row[2] for row in rows])
    groups = np.array([row[3] for row in rows])
    columns = [table[name].to_numpy(float) for name in ("source_x", "group_x", "time_s", "error_s")]
    for source_x, group_x, time_s, stored_s in zip(*columns, strict=True):
        near = np.flatnonzero((np.abs(sources - source_x) < SAME_PLACE_M) & (np.abs(groups - group_x) < SAME_PLACE_M))
        if len(near) != 1:
            n_lost += 1
            continue
        station, number = rows[near[0]][:2]
        error_s = float(stored_s) if np.isfinite(stored_s) else (pick_error_s or float("nan"))
        matched.append((station, number, float(time_s), error_s))
    return matched, n_lost


def _append(root: Path, geometry: str, matched: list[tuple[str, int, float, float]]) -> None:
    """Add the picks to arrivals.csv and the line to dataset.json."""
    arrivals, dataset = root / "arrivals.csv", root / "dataset.json"
    is_new = not arrivals.is_file()
    with arrivals.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        if is_new:
            writer.writerow(["geometry", "station", "shot_id", "pick_time_s", "uncertainty_s"])
        for station, number, time_s, error_s in matched:
            writer.writerow([geometry, station, number, f"{time_s:.9g}", "" if np.isnan(error_s) else f"{error_s:.9g}"])
    lines = json.loads(dataset.read_text(encoding="utf-8"))["geometries"] if dataset.is_file() else []
    write_json(dataset, {"geometries": [*lines, geometry]})
