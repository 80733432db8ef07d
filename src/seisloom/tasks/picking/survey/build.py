"""Building manifests: every trace matched with its shot and its pick. Reads headers only."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seisloom.compute import InThisProcess, run_jobs
from seisloom.errors import DataError
from seisloom.io.picks import read_arrivals
from seisloom.io.segy import PLACES, read_headers, read_word
from seisloom.io.segy.layout import WORDS
from seisloom.progress import track
from seisloom.tasks.picking.survey.align import ENOUGH, Alignment, align, score
from seisloom.tasks.picking.survey.layout import check_geometries, files_of, find_arrivals, find_geometries, shot_list
from seisloom.tasks.picking.survey.manifest import COLUMNS, NAME, REPORT, counts, write_manifest
from seisloom.tasks.picking.survey.report import (
    AT_ZERO,
    LISTED,
    NO_HEADER,
    UNMATCHED,
    UNREAD,
    GeometryReport,
    ManifestReport,
    why_refused,
)

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger("seisloom")
ROUNDING_S = 1e-9
"""Times are kept to the nanosecond: a pick on the last sample is inside."""


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

    A geometry of which no trace was matched is not written, so that a good manifest is never replaced by an empty one.

    Args:
        root: folder with `geometries/ID/geometry.json` and the stations' SEG-Y, and `dataset.json` if it has one.
        geometries: names; by default those of `dataset.json`, else every folder.
        arrivals: tlArrival.mat or CSV; by default the one found in `root`.
        shot_byte: first byte of the header word with the shot number; by default the one that explains the list best.
            A geometry of which it explains less than half of the traces is not written.
        allow_index_alignment: match by order although the counts of traces and shots differ; with `shot_byte`, where
            that word explains nothing.
        tolerance: largest difference of a shot number that may still be matched; see `align`.
        out: folder for the manifests, in the layout of `root`; by default `root` itself.
        executor: runs one geometry a job.
    Raises:
        MissingDataError: if the folder, a geometry or the arrivals are not there.
        DataError: if geometry.json is missing or contradicts itself, or if no geometry was matched.
        OutputError: if the manifest cannot be written.
    """
    folder = Path(root)
    names = list(geometries) if geometries else find_geometries(folder)
    check_geometries(folder, names)
    found = Path(arrivals) if arrivals is not None else find_arrivals(folder)
    target = Path(out) if out is not None else folder
    read = {name: shot_list(folder / "geometries" / name) for name in names}
    lists = {name: shots for name, (shots, _) in read.items()}
    files = {name: files_of(folder / "geometries" / name) for name in names}
    parts, unclaimed = _parted(read_arrivals(found), lists, files, found)
    notes = [] if geometries else unclaimed
    job = partial(
        _build_one, root=folder, shot_byte=shot_byte, by_index=allow_index_alignment, tolerance=tolerance, out=target
    )
    jobs = [(name, *read[name], files[name], parts[name]) for name in names]
    done = run_jobs(executor or InThisProcess(), job, jobs)
    reports = list(track(done, total=len(names), what="reading headers", unit="geometries"))
    refused = [one for one in reports if one.refused]
    if len(refused) == len(reports):
        said = [f"{folder / 'geometries' / one.geometry}: {one.refused}" for one in refused[:LISTED]]
        more = [f"and {len(refused) - LISTED} geometries more"] if len(refused) > LISTED else []
        raise DataError("\n".join([*said, *more, "No manifest was written"]))
    for one in refused:
        earlier = (target / "geometries" / one.geometry / NAME).is_file()
        kept = "Its earlier manifest is kept, as it was" if earlier else "No manifest is written"
        logger.warning("%s: %s. %s", one.geometry, one.refused, kept)
    good = [one.geometry for one in reports if not one.refused]
    written = tuple(target / "geometries" / name / file for name in good for file in (NAME, REPORT))
    return ManifestReport(folder, written, tuple(reports), tuple(notes))


def _parted(
    picks: pd.DataFrame, lists: Mapping[str, Sequence[int]], files: Mapping[str, Sequence[Path]], source: Path
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Return the picks of each geometry, and a note on those of none.

    Picks that name no geometry belong to the one that lists their shot; where several do, to the one with the station.
    """
    unnamed = picks["geometry"] == ""
    listed = {name: unnamed & picks["shot_id"].isin(shots) for name, shots in lists.items()}
    contested = unnamed & (sum(mask.astype(int) for mask in listed.values()) > 1)
    claimed = {}
    for name, mask in listed.items():
        has_file = picks["station"].isin([path.stem for path in files[name]])
        claimed[name] = (picks["geometry"] == name) | (mask & (~contested | has_file))
    n_claims = sum(mask.astype(int) for mask in claimed.values())
    if np.any(n_claims > 1):
        row = int(np.flatnonzero(n_claims > 1)[0])
        one, several = picks.iloc[row], [name for name, mask in claimed.items() if mask.iloc[row]]
        raise DataError(
            f"{source}: station {one['station']} and shot {one['shot_id']} are in {' and '.join(several)}, and the "
            "pick does not say which is meant. Give the arrivals as CSV with a column geometry"
        )
    notes = []
    for (geometry, station), some in picks[n_claims == 0].groupby(["geometry", "station"]):
        of = f"geometry {geometry}" if geometry else "shots that no geometry lists"
        few = ", ".join(map(str, some["shot_id"].iloc[:5])) + (", ..." if len(some) > 5 else "")
        notes.append(f"{source.name}: {len(some)} picks left out, of {of}, station {station}: shots {few}")
    if len(notes) > LISTED:
        n_more = int(np.count_nonzero(n_claims == 0))
        notes[LISTED:] = [
            f"{source.name}: and so of {len(notes) - LISTED} stations more; {n_more} picks left out in all"
        ]
    return {name: picks[mask] for name, mask in claimed.items()}, notes


def _build_one(
    given: tuple[str, Sequence[int], Sequence[str], Sequence[Path], pd.DataFrame], *, root: Path, shot_byte: int | None,
    by_index: bool, tolerance: int, out: Path,
) -> GeometryReport:  # fmt: skip
    import pandas as pd

    name, shots, assumed, files, picks = given
    report = GeometryReport(name, n_shots=len(shots))
    for note in assumed:
        report.note("assumed", note)
    tables = []
    for file in files:
        try:
            tables.append(_station(file, root, shots, shot_byte, by_index, tolerance, report))
        except DataError as error:
            report.note("file left out", str(error))
    if not tables:
        raise DataError(
            f"{root / 'geometries' / name}: none of {len(files)} files can be read. The first: "
            f"{report.problems['file left out'][0]}"
        )
    every = pd.concat(tables, ignore_index=True)
    table = _with_picks(every[every["shot_id"] >= 0], picks, set(every["station"]), report)
    report.n_files, report.n_traces = len(tables), len(every)
    report.root = "" if out.resolve() == root.resolve() else str(root.resolve())
    report.headers_used = tuple(sorted(set(every["header_used"])))
    report.counts = {**counts(table["pick_status"]), **counts(every["alignment"])}
    report.refused = why_refused(report, 0 if by_index else shot_byte)
    if not report.refused:
        write_manifest(table, report.to_json(), out / "geometries" / name)
    return report


def _station(
    file: Path, root: Path, shots: Sequence[int], shot_byte: int | None, by_index: bool, tolerance: int,
    report: GeometryReport,
) -> pd.DataFrame:  # fmt: skip
    """Return the rows of one station's file."""
    import pandas as pd

    headers = read_headers(file)
    candidates = {f"byte_{shot_byte}": read_word(file, shot_byte)} if shot_byte else dict(headers.shots)
    # A byte that the user names is believed as soon as it explains anything; order does not step in for it unasked
    found = align(
        candidates, shots, tolerance=tolerance, by_index=by_index or (False if shot_byte else None),
        enough=0 if shot_byte else ENOUGH,
    )  # fmt: skip
    others = {name for name in headers.shots if name not in candidates and WORDS[name][0] != shot_byte}
    scores = [*found.scores, *(score(name, headers.shots[name], np.asarray(shots)) for name in sorted(others))]
    report.scores[file.stem] = [one.to_json() for one in scores]
    for note in headers.notes:
        report.note("assumed", f"{file.stem}: {note}")
    _note_alignment(file.stem, found, shots, headers.n_traces, report)
    places = {name: np.round(getattr(headers, name), 6) for name in PLACES}
    return pd.DataFrame(
        {
            "geometry": report.geometry, "station": file.stem, "segy_path": file.relative_to(root).as_posix(),
            "trace_index": np.arange(headers.n_traces), "shot_id": found.shot_id,
            "sampling_rate_hz": np.round(1 / headers.interval_s, 6), "n_samples": headers.n_samples,
            "delay_s": np.round(headers.delay_s, 9), "offset_m": np.round(headers.offset_m, 4),
            **places, "header_used": found.header or ("index" if "index" in found.how else "none"),
            "alignment": found.how, "doubtful": np.isin(found.shot_id, found.duplicates),
        }
    )  # fmt: skip


def _note_alignment(
    station: str, found: Alignment, shots: Sequence[int], n_traces: int, report: GeometryReport
) -> None:
    for trace, number, shot in found.tolerant:
        report.note("tolerant match", f"{station} trace {trace}: header {number} taken for shot {shot}")
    for trace in np.flatnonzero(found.shot_id < 0).tolist():
        report.note("trace without a shot of the list", f"{station} trace {trace}")
    for shot in found.duplicates:
        report.note("shot with several traces, of which none gets its pick", f"{station} shot {shot}")
    if found.why_none:
        report.note(NO_HEADER, f"{station}: {found.why_none}")
    if found.header == "" and "index" in found.how:
        report.note("matched by order, since no header explains the shot list", f"{station}: {n_traces} traces")
    missing = sorted(set(shots) - set(found.shot_id.tolist()))
    if missing:
        few = ", ".join(map(str, missing[:5])) + (", ..." if len(missing) > 5 else "")
        report.note("station without some of the listed shots", f"{station}: {len(missing)} ({few})")


def _with_picks(table: pd.DataFrame, picks: pd.DataFrame, read: set[str], report: GeometryReport) -> pd.DataFrame:
    """Return the rows with their picks; what cannot be used is noted and leaves the trace unpicked."""
    key = ["station", "shot_id"]
    stations = set(table["station"])
    for station, some in picks[~picks["station"].isin(stations)].groupby("station"):
        kind = UNMATCHED if station in read else UNREAD
        report.note(kind, f"{station}: {len(some)} picks")
    picks = _one_pick_a_trace(picks[picks["station"].isin(stations)], report)
    columns = [*key, "pick_time_s", "pick_uncertainty_s", "pick_status"]
    merged = table.merge(picks[columns], on=key, how="left")
    merged["pick_status"] = merged["pick_status"].fillna("unpicked")
    without = picks[["station", "shot_id"]].merge(table[key].drop_duplicates(), on=key, how="left", indicator=True)
    for row in without[without["_merge"] == "left_only"].itertuples():
        report.note("pick without a trace", f"{row.station} shot {row.shot_id}")
    first_s = merged["delay_s"]
    last_s = first_s + (merged["n_samples"] - 1) / merged["sampling_rate_hz"]
    outside = (merged["pick_time_s"] < first_s - ROUNDING_S) | (merged["pick_time_s"] > last_s + ROUNDING_S)
    for row in merged[outside].itertuples():
        report.note(
            "pick outside of its record, taken for unpicked", f"{row.station} shot {row.shot_id}: {row.pick_time_s:g} s"
        )
    merged.loc[outside | merged["doubtful"], "pick_status"] = "unpicked"
    for row in merged[(merged["pick_status"] == "picked") & (merged["pick_time_s"] == 0)].itertuples():
        report.note(AT_ZERO, f"{row.station} shot {row.shot_id}")
    merged.loc[merged["pick_status"] != "picked", ["pick_time_s", "pick_uncertainty_s"]] = np.nan
    return merged[list(COLUMNS)]


def _one_pick_a_trace(picks: pd.DataFrame, report: GeometryReport) -> pd.DataFrame:
    """Return picks without repeats: the first of a trace that has a time, else the first."""
    key = ["station", "shot_id"]
    for (station, shot), some in picks[picks.duplicated(key, keep=False)].groupby(key):
        times = ", ".join(
            f"{one.pick_time_s:g} s" if one.pick_status == "picked" else str(one.pick_status)
            for one in some.itertuples()
        )
        report.note("several picks of one trace, the first with a time is used", f"{station} shot {shot}: {times}")
    timed_first = picks.iloc[np.argsort(picks["pick_status"].to_numpy() != "picked", kind="stable")]
    return timed_first.drop_duplicates(key)
