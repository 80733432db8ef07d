"""The manifest of a survey: one row a trace, with its shot, its pick, and what its header says. Reads headers only."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seisloom.compute import InThisProcess, run_jobs
from seisloom.errors import DataError, MissingDataError, OutputError
from seisloom.io.picks import STATUSES, read_arrivals
from seisloom.io.segy import read_headers, read_word
from seisloom.progress import track
from seisloom.tasks.picking.align import Alignment, align

if TYPE_CHECKING:
    import pandas as pd

NAME, REPORT = "picks_manifest.csv", "manifest_report.json"
COLUMNS = (
    "geometry", "station", "segy_path", "trace_index", "shot_id", "pick_time_s", "pick_status", "pick_uncertainty_s",
    "sampling_rate_hz", "n_samples", "delay_s", "offset_m", "source_x", "source_y", "group_x", "group_y",
    "header_used", "alignment",
)  # fmt: skip
SEGY_SUFFIXES = (".segy", ".sgy")
LISTED = 20
"""Most examples of one kind of problem that the screen shows; the report file has all."""


@dataclass(slots=True)
class GeometryReport:
    """What became of one geometry."""

    geometry: str
    n_files: int = 0
    n_traces: int = 0
    n_shots: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    """Traces by status and by alignment."""
    scores: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # Any: JSON values
    """How well each header word explains the shot list, by station."""
    problems: dict[str, list[str]] = field(default_factory=dict)
    """Counted warnings by kind, each with all its cases."""

    def note(self, kind: str, case: str) -> None:
        """Remember one case of a problem."""
        self.problems.setdefault(kind, []).append(case)

    def to_json(self) -> dict[str, Any]:  # Any: JSON values
        """Return plain values."""
        return {
            "geometry": self.geometry, "n_files": self.n_files, "n_traces": self.n_traces, "n_shots": self.n_shots,
            "counts": self.counts, "problems": self.problems, "scores": self.scores,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class ManifestReport:
    """What `build_manifest` read, wrote and left out."""

    root: Path
    written: tuple[Path, ...]
    geometries: tuple[GeometryReport, ...]

    def to_json(self) -> dict[str, Any]:  # Any: JSON values
        """Return plain values."""
        return {
            "root": str(self.root), "written": [str(path) for path in self.written],
            "geometries": [one.to_json() for one in self.geometries],
        }  # fmt: skip

    def rows(self) -> list[dict[str, Any]]:  # Any: cells
        """Return a row a geometry, for a table on the screen."""
        columns = ("picked", "unpicked", "no_arrival", "exact", "tolerant", "index")
        return [
            {"geometry": one.geometry, "files": one.n_files, "traces": one.n_traces, "shots": one.n_shots}
            | {name: one.counts.get(name, 0) for name in columns}
            | {"shot number from": _best_header(one)}
            for one in self.geometries
        ]

    def lines(self) -> list[str]:
        """Return problems and what was written, in words."""
        said = []
        for one in self.geometries:
            for kind, cases in one.problems.items():
                shown = "; ".join(cases[:LISTED]) + ("; ..." if len(cases) > LISTED else "")
                said.append(f"{one.geometry}: {len(cases)} x {kind}: {shown}")
        return [*said, *(f"wrote {path}" for path in self.written)]


def _best_header(one: GeometryReport) -> str:
    names = [
        max(rows, key=lambda row: (row["matches"], row["monotone"]))["header"] for rows in one.scores.values() if rows
    ]
    return ", ".join(sorted(set(names)))


def build_manifest(
    root: str | Path,
    *,
    geometries: Sequence[str] | None = None,
    arrivals: str | Path | None = None,
    shot_byte: int | None = None,
    allow_index_alignment: bool = False,
    tolerance: int = 2,
    out: str | Path | None = None,
    executor: Executor | None = None,
) -> ManifestReport:
    """Match every trace of a survey with its shot and its pick; write a manifest and a report a geometry.

    Args:
        root: folder with `geometries/ID/geometry.json` and the stations' SEG-Y, and `dataset.json` if it has one.
        geometries: names; by default those of `dataset.json`, else every folder.
        arrivals: tlArrival.mat or CSV; by default the one found in `root`.
        shot_byte: first byte of the header word with the shot number; by default the one that explains the list best.
        allow_index_alignment: match by order although the counts of traces and shots differ.
        tolerance: largest difference of a shot number that may still be matched; see `align`.
        out: folder for the manifests, in the layout of `root`; by default `root` itself.
        executor: runs one geometry a job.
    Raises:
        MissingDataError: if the folder, a geometry or the arrivals are not there.
        DataError: if geometry.json is missing or contradicts itself.
        OutputError: if the manifest cannot be written.
    """
    folder = Path(root)
    names = list(geometries) if geometries else find_geometries(folder)
    found = Path(arrivals) if arrivals is not None else _find_arrivals(folder)
    target = Path(out) if out is not None else folder
    job = partial(
        _build_one, root=folder, arrivals=found, shot_byte=shot_byte, by_index=allow_index_alignment,
        tolerance=tolerance, out=target,
    )  # fmt: skip
    done = run_jobs(executor or InThisProcess(), job, names)
    reports = list(track(done, total=len(names), what="reading headers", unit="geometries"))
    written = tuple(target / "geometries" / name / file for name in names for file in (NAME, REPORT))
    return ManifestReport(folder, written, tuple(reports))


def find_geometries(root: Path) -> list[str]:
    """Return the names of a survey's geometries."""
    if not root.is_dir():
        raise MissingDataError(f"{root}: no such folder")
    listed = root / "dataset.json"
    if listed.is_file():
        names = _read_json(listed).get("geometries")
        if not isinstance(names, list) or not names:
            raise DataError(f'{listed}: has no list "geometries"')
        missing = [str(name) for name in names if not (root / "geometries" / str(name)).is_dir()]
        if missing:
            raise MissingDataError(f"{listed}: names {missing[0]!r}, and there is no geometries/{missing[0]}")
        return [str(name) for name in names]
    names = sorted(path.parent.name for path in root.glob("geometries/*/geometry.json"))
    if not names:
        raise MissingDataError(f"{root}: no dataset.json and no geometries/*/geometry.json: not a survey's folder")
    return names


def _find_arrivals(root: Path) -> Path:
    # A CSV can say more (uncertainty, no arrival) than the .mat beside it
    for name in ("arrivals.csv", "picks.csv", "tlArrival.mat"):
        if (root / name).is_file():
            return root / name
    raise MissingDataError(f"{root}: no arrivals.csv and no tlArrival.mat. Give the picks: --arrivals FILE")


def _read_json(path: Path) -> dict[str, Any]:  # Any: JSON values
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MissingDataError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise DataError(f"{path}: not JSON: {error}") from error
    if not isinstance(values, dict):
        raise DataError(f"{path}: must be an object in braces")
    return values


def shot_list(folder: Path) -> list[int]:
    """Return the shot numbers that a geometry.json lists.

    Raises:
        DataError: if the list is missing, empty or contradicts the geometry's name.
    """
    path = folder / "geometry.json"
    values = _read_json(path)
    if "id" in values and str(values["id"]) != folder.name:
        raise DataError(f"{path}: id is {values['id']!r} and the folder {folder.name!r}. Correct one of them")
    shots = values.get("assets", {}).get("shots")
    if isinstance(shots, list) and shots:
        return [int(one) for one in shots]
    if not isinstance(shots, dict) or "start" not in shots or "stop" not in shots:
        raise DataError(f"{path}: assets.shots must have start and stop (and step, end_exclusive), or be a list")
    start, stop, step = int(shots["start"]), int(shots["stop"]), int(shots.get("step", 1))
    end = stop if shots.get("end_exclusive", False) else stop + (1 if step > 0 else -1)
    listed = list(range(start, end, step)) if step else []
    if not listed:
        raise DataError(f"{path}: assets.shots from {start} to {stop} by {step} is an empty list")
    return listed


def _build_one(
    name: str, *, root: Path, arrivals: Path, shot_byte: int | None, by_index: bool, tolerance: int, out: Path
) -> GeometryReport:
    import pandas as pd

    folder = root / "geometries" / name
    shots = shot_list(folder)
    picks = _picks_of(arrivals, name)
    report = GeometryReport(name, n_shots=len(shots))
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SEGY_SUFFIXES)
    if not files:
        raise MissingDataError(f"{folder}: no SEG-Y files (*.segy, *.sgy)")
    tables = []
    for file in files:
        try:
            tables.append(_station(file, root, shots, shot_byte, by_index, tolerance, report))
        except DataError as error:
            report.note("file left out", str(error))
    if not tables:
        raise DataError(
            f"{folder}: none of {len(files)} files can be read. The first: {report.problems['file left out'][0]}"
        )
    table = pd.concat(tables, ignore_index=True)
    table = _with_picks(table, picks, report)
    report.n_files, report.n_traces = len(tables), len(table)
    report.counts = {**_counts(table["pick_status"]), **_counts(table["alignment"])}
    _write(table, report, out / "geometries" / name)
    return report


def _counts(column: Any) -> dict[str, int]:  # Any: a pandas Series
    return {str(name): int(count) for name, count in column.value_counts().items()}


def _station(
    file: Path, root: Path, shots: Sequence[int], shot_byte: int | None, by_index: bool, tolerance: int,
    report: GeometryReport,
) -> pd.DataFrame:  # fmt: skip
    """Return the rows of one station's file."""
    import pandas as pd

    headers = read_headers(file)
    candidates = {f"byte_{shot_byte}": read_word(file, shot_byte)} if shot_byte else dict(headers.shots)
    found = align(candidates, shots, tolerance=tolerance, by_index=by_index)
    _note_alignment(file.stem, found, shots, headers.n_traces, report)
    located = bool(np.any(headers.source_x) or np.any(headers.group_x) or np.any(headers.source_y))
    places = {name: getattr(headers, name) for name in ("source_x", "source_y", "group_x", "group_y")}
    return pd.DataFrame(
        {
            "geometry": report.geometry, "station": file.stem, "segy_path": file.relative_to(root).as_posix(),
            "trace_index": np.arange(headers.n_traces), "shot_id": found.shot_id,
            "sampling_rate_hz": np.round(1 / headers.interval_s, 6), "n_samples": headers.n_samples,
            "delay_s": np.round(headers.delay_s, 9), "offset_m": np.round(headers.offset_m, 4),
            **{name: values if located else np.full(headers.n_traces, np.nan) for name, values in places.items()},
            "header_used": found.header or "index", "alignment": found.how,
        }
    )  # fmt: skip


def _note_alignment(
    station: str, found: Alignment, shots: Sequence[int], n_traces: int, report: GeometryReport
) -> None:
    report.scores[station] = [one.to_json() for one in found.scores]
    for trace, number, shot in found.tolerant:
        report.note("tolerant match", f"{station} trace {trace}: header {number} taken for shot {shot}")
    for trace in np.flatnonzero(found.shot_id < 0):
        report.note("trace without a shot of the list", f"{station} trace {trace}")
    for shot in found.duplicates:
        report.note("shot with several traces", f"{station} shot {shot}")
    if found.header == "" and "index" in found.how:
        report.note("matched by order, since no header explains the shot list", f"{station}: {n_traces} traces")
    missing = sorted(set(shots) - set(found.shot_id.tolist()))
    if missing:
        few = ", ".join(map(str, missing[:5])) + (", ..." if len(missing) > 5 else "")
        report.note("station without some of the listed shots", f"{station}: {len(missing)} ({few})")


def _picks_of(arrivals: Path, geometry: str) -> pd.DataFrame:
    picks = read_arrivals(arrivals)
    return picks[(picks["geometry"] == "") | (picks["geometry"] == geometry)]


def _with_picks(table: pd.DataFrame, picks: pd.DataFrame, report: GeometryReport) -> pd.DataFrame:
    """Return the rows with their picks; what cannot be used is noted and leaves the trace unpicked."""
    table = table[table["shot_id"] >= 0]
    here = set(table["shot_id"])
    stations = set(table["station"])
    for station in sorted(set(picks.loc[picks["shot_id"].isin(here), "station"]) - stations):
        report.note("picks of a station without a file", f"{station}: {int((picks['station'] == station).sum())} picks")
    picks = picks[picks["station"].isin(stations) & picks["shot_id"].isin(here)].drop_duplicates()
    double = picks.duplicated(["station", "shot_id"], keep=False)
    for (station, shot), some in picks[double].groupby(["station", "shot_id"]):
        times = ", ".join(f"{one:g}" for one in some["pick_time_s"])
        report.note("several picks of one trace, the first is used", f"{station} shot {shot}: {times} s")
    picks = picks.drop_duplicates(["station", "shot_id"])
    columns = ["station", "shot_id", "pick_time_s", "pick_uncertainty_s", "pick_status"]
    merged = table.merge(picks[columns], on=["station", "shot_id"], how="left")
    merged["pick_status"] = merged["pick_status"].fillna("unpicked")
    first_s = merged["delay_s"]
    last_s = first_s + (merged["n_samples"] - 1) / merged["sampling_rate_hz"]
    outside = merged["pick_time_s"].notna() & ((merged["pick_time_s"] < first_s) | (merged["pick_time_s"] > last_s))
    for row in merged[outside].itertuples():
        report.note(
            "pick outside of its record, taken for unpicked", f"{row.station} shot {row.shot_id}: {row.pick_time_s:g} s"
        )
    merged.loc[outside, "pick_status"] = "unpicked"
    merged.loc[merged["pick_status"] != "picked", ["pick_time_s", "pick_uncertainty_s"]] = np.nan
    return merged[list(COLUMNS)]


def _write(table: pd.DataFrame, report: GeometryReport, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in (
            (NAME, table.to_csv(index=False, float_format="%.9g")),
            (REPORT, json.dumps(report.to_json(), indent=1) + "\n"),
        ):
            partial_file = folder / f"{name}.partial"
            partial_file.write_text(text, encoding="utf-8")
            os.replace(partial_file, folder / name)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror}. Choose another folder: --out DIR") from error


def read_manifest(root: str | Path, geometries: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the rows of a survey's manifests; missing numbers are NaN.

    Raises:
        MissingDataError: if a manifest is not there.
        DataError: if a manifest is not what `build_manifest` writes.
    """
    import pandas as pd

    folder = Path(root)
    names = list(geometries) if geometries else sorted(path.parent.name for path in folder.glob(f"geometries/*/{NAME}"))
    if not names:
        raise MissingDataError(f"{folder}: no geometries/*/{NAME}. Build it: seisloom manifest build {folder}")
    tables = []
    for name in names:
        file = folder / "geometries" / name / NAME
        if not file.is_file():
            there = sorted(path.parent.name for path in folder.glob(f"geometries/*/{NAME}"))
            raise MissingDataError(f"{file}: no such manifest; there are {', '.join(there) or 'none'}")
        tables.append(_read_one(file))
    return pd.concat(tables, ignore_index=True)


def _read_one(file: Path) -> pd.DataFrame:
    import pandas as pd

    table = pd.read_csv(file, dtype={"geometry": str, "station": str, "segy_path": str})
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise DataError(f"{file}: column {missing[0]} is missing. Build it again: seisloom manifest build ROOT")
    unknown = set(table["pick_status"]) - set(STATUSES)
    if unknown:
        raise DataError(f"{file}: pick_status {sorted(map(str, unknown))[0]!r} is not one of {', '.join(STATUSES)}")
    bad = (table["pick_status"] == "picked") != table["pick_time_s"].notna()
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise DataError(f"{file}: line {row + 2}: status {table['pick_status'].iloc[row]} does not fit its pick_time_s")
    return table


def check_manifest(path: str | Path) -> str:
    """Return what a manifest holds, after checking that its files are there and as long as it says.

    Args:
        path: a manifest, or a survey's folder.
    """
    file = Path(path)
    root = file if file.is_dir() else file.parents[2]
    table = read_manifest(root, None if file.is_dir() else [file.parent.name])
    for segy_path, rows in table.groupby("segy_path"):
        headers = read_headers(root / str(segy_path))
        wrong = rows["trace_index"].max() >= headers.n_traces or (rows["n_samples"] != headers.layout.n_samples).any()
        if wrong:
            raise DataError(
                f"{root / str(segy_path)}: has {headers.n_traces} traces of {headers.layout.n_samples} samples, "
                f"the manifest says otherwise. Build it again: seisloom manifest build {root}"
            )
    counts: Mapping[str, int] = _counts(table["pick_status"])
    said = ", ".join(f"{count} {name}" for name, count in counts.items())
    return f"{path}: {len(table)} traces of {table['segy_path'].nunique()} files are as the manifest says: {said}"
