"""Whole records to pick: from held-out refs with their truth, a file, an array, or an ObsPy Stream."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from seisloom.errors import DataError, MissingDataError
from seisloom.io.gather import Gather, read_gather, read_stream
from seisloom.io.segy import cached_traces
from seisloom.io.segy.layout import FEET
from seisloom.sample import Array, Ref, content_hash
from seisloom.tasks.picking.data import (
    gathers,
    groups_of,
    manifest_of,
    prepare,
    reachable_m,
    record_key,
    root_of,
    trace_key,
)
from seisloom.tasks.picking.recipe import PickingRecipe
from seisloom.tasks.picking.survey.manifest import NAME as MANIFEST

logger = logging.getLogger("seisloom")
LEAST_RATE = 0.5
"""Of the network's sampling rate; records with a lower one are unlike those that it learnt from."""


@dataclass(frozen=True, slots=True)
class PickRecord:
    """A gather of whole prepared traces, and what is known of each. One column an attribute, all of shape (trace,)."""

    key: str
    x: Array
    """Prepared traces, shape (trace, channel, time)."""
    fs_hz: float
    t0_s: Array
    """Time of the first sample after the shot, in s."""
    offset_m: Array
    """NaN where not known, or where no first arrival could have come so far within the record."""
    trace: Array
    """Number of the trace in its file, from 0."""
    station: Array
    shot_id: Array
    geometry: Array
    path: Array
    record_fs_hz: float
    """Sampling rate of the file: errors in samples are in these."""
    truth_s: Array
    """Time of the human pick after the shot; NaN without."""
    pick_status: Array
    """What a person found: picked, unpicked (nobody knows) or no_arrival."""
    pick_uncertainty_s: Array
    """The person's own +- bound in s; NaN where not given."""
    source_x: Array
    source_y: Array
    group_x: Array
    group_y: Array
    content: Array
    """Hash of each trace as it stands in its file, uint64: tells whether a bundle has seen it."""
    n_non_finite: int = 0
    part: tuple[int, int] = (0, 0)
    """Number of the first trace in its shot (or whatever is gathered), from 0, and how many that has; (0, 0) where
    not known."""
    pick_shift_s: float = 0.0
    """What was added to the human picks: `data.pick_shift_s` of the geometry."""

    @property
    def n_traces(self) -> int:
        """Number of traces."""
        return int(self.x.shape[0])


def records(recipe: PickingRecipe, refs: Sequence[Ref]) -> Iterator[PickRecord]:
    """Yield the whole records behind refs with their human picks, gathered as the recipe says first.

    The windows of the refs play no part: what is judged here is what a user gets for whole records.

    Raises:
        MissingDataError: if the survey's files are not there any more.
    """
    wanted = {record_key(ref) for ref in refs}
    root = root_of(recipe)
    rows: dict[str, Any] = {}  # Any: a table's row
    whole: list[Ref] = []
    for row in manifest_of(recipe).to_dict("records"):
        name = trace_key(row)
        if name in wanted:
            rows[name] = row
            whole.append(Ref(name, groups_of(row)))
    if not whole:
        raise MissingDataError(f"{root}: the manifests have none of the {len(wanted)} traces that are held out")
    _without_far_offsets(list(rows.values()), str(root))
    _warn_of_rate(recipe, min(float(row["sampling_rate_hz"]) for row in rows.values()), str(root))
    way = recipe.data.gather[0]
    shot_of = {ref.key: ref.key if way == "none" else ref.groups[way] for ref in whole}
    n_of, begun = Counter(shot_of.values()), Counter[str]()
    for some in gathers(whole, way, size=recipe.data.gather_size):
        shot = shot_of[some[0].key]
        yield from _from_rows(recipe, root, [rows[ref.key] for ref in some], part=(begun[shot], n_of[shot]))
        begun[shot] += len(some)


def _warn_of_rate(recipe: PickingRecipe, fs_hz: float, source: str) -> None:
    """Say so where records hold less than half of the band that the network works in: it has not learnt from such."""
    wanted_hz = recipe.shards.target_fs
    if wanted_hz is not None and fs_hz < LEAST_RATE * wanted_hz:
        logger.warning(
            "%s: records of %g Hz hold nothing above %g Hz, and the network was made for %g Hz. Its picks and "
            "intervals are not to be relied on here: score it on shots of your own, or train for these records",
            source, fs_hz, fs_hz / 2, wanted_hz,
        )  # fmt: skip


def _without_far_offsets(rows: Sequence[Any], source: str) -> None:  # Any: a table's rows
    """Make NaN the offsets of a manifest's rows that cannot be, in place."""
    offset_m, delay_s, n_time, fs_hz = (
        np.array([row[name] for row in rows], dtype=float)
        for name in ("offset_m", "delay_s", "n_samples", "sampling_rate_hz")
    )
    likely_m = plausible_offsets(offset_m, np.nan_to_num(delay_s) + n_time / fs_hz, source=source)
    for row, likely in zip(rows, likely_m.tolist(), strict=True):
        row["offset_m"] = likely


def plausible_offsets(offset_m: Array, end_s: Array, *, source: str) -> Array:
    """Return offsets with NaN where no first arrival could have come so far within the record; says so once.

    Headers may hold coordinates in another unit, or a source at (0, 0); a network that is told of 2000 km in a record
    of 0.2 s picks nothing, while it does well where the offset is not known.

    Args:
        offset_m: distance from source to receiver in m, shape (trace,); either sign, NaN where not known.
        end_s: time of the end of each record after the shot in s, shape (trace,).
        source: what they are of, for the warning.
    """
    near_m = reachable_m(offset_m, end_s)
    far = np.isnan(near_m) & ~np.isnan(offset_m)
    if far.any():
        logger.warning(
            "%s: offsets of %d of %d traces are taken as not known: no first arrival comes as far as %.4g km within "
            "the record. Check the coordinates and their scalar in the headers",
            source, int(far.sum()), len(far), np.abs(offset_m)[far].max() / 1e3,
        )  # fmt: skip
    return near_m


def _from_rows(
    recipe: PickingRecipe, root: Path, rows: Sequence[Any], *, part: tuple[int, int]
) -> Iterator[PickRecord]:  # Any: table's rows
    """Yield a record for each set of rows that share sampling rate and length."""
    shapes = sorted({(float(row["sampling_rate_hz"]), int(row["n_samples"])) for row in rows})
    for shape in shapes:
        some = [row for row in rows if (float(row["sampling_rate_hz"]), int(row["n_samples"])) == shape]
        traces = np.stack([cached_traces(root / row["segy_path"]).read(int(row["trace_index"])) for row in some])

        def column(name: str, of: Sequence[Any] = some) -> Array:  # Any: table's rows
            return np.array([row[name] for row in of])

        yield _record(
            recipe, traces, shape[0], part=part if len(shapes) == 1 else (0, 0),
            pick_shift_s=recipe.data.pick_shift_s.get(str(some[0]["geometry"]), 0.0),
            t0_s=np.nan_to_num(column("delay_s").astype(float)), offset_m=column("offset_m").astype(float),
            trace=column("trace_index"), station=column("station").astype(str), shot_id=column("shot_id"),
            geometry=column("geometry").astype(str), path=column("segy_path").astype(str),
            truth_s=column("pick_time_s").astype(float), pick_status=column("pick_status").astype(str),
            pick_uncertainty_s=column("pick_uncertainty_s").astype(float),
            **{name: column(name).astype(float) for name in ("source_x", "source_y", "group_x", "group_y")},
        )  # fmt: skip


def _record(
    recipe: PickingRecipe, traces: Array, fs_hz: float, *,
    part: tuple[int, int], pick_shift_s: float = 0.0, **columns: Array,
) -> PickRecord:  # fmt: skip
    x, prepared_fs_hz, n_bad = prepare(recipe, traces, fs_hz=fs_hz)
    key = f"{columns['geometry'][0]}/{columns['station'][0]}/{columns['shot_id'][0]}+{len(traces)}"
    return PickRecord(
        key=key,
        x=x,
        fs_hz=prepared_fs_hz,
        record_fs_hz=fs_hz,
        n_non_finite=int(n_bad.sum()),
        content=content_hash(traces),
        part=part,
        pick_shift_s=pick_shift_s,
        **columns,
    )


def contents(recipe: PickingRecipe, refs: Sequence[Ref]) -> Array:
    """Return the hashes of the traces behind refs, sorted; raw traces are read, nothing is prepared."""
    root = root_of(recipe)
    keys = {record_key(ref) for ref in refs}
    found = [
        content_hash(cached_traces(root / row["segy_path"]).read(int(row["trace_index"]))[None])
        for row in manifest_of(recipe).to_dict("records")
        if trace_key(row) in keys
    ]
    return np.unique(np.concatenate(found)) if found else np.zeros(0, dtype=np.uint64)


def open_records(recipe: PickingRecipe, source: Any, fs_hz: float | None = None) -> Iterator[PickRecord]:
    """Yield the records of what a user gives.

    Args:
        recipe: says how traces are prepared and gathered.
        source: path of a SEG-Y, SEG-2 or SU file, of a manifest CSV or of a survey's folder; a Gather; an ObsPy
            Stream; an array of shape (trace, time) or (time,).
        fs_hz: sampling rate in Hz; needed for an array, and only there.
    Raises:
        DataError: if the source is of no known kind, or an array comes without its sampling rate.
        MissingDataError: if there is no such file.
    """
    if isinstance(source, Gather):
        yield from _from_gather(recipe, source)
    elif isinstance(source, np.ndarray):
        if fs_hz is None:
            raise DataError("an array needs its sampling rate: apply(..., fs_hz=4000)")
        yield from _from_gather(recipe, _gather_of_array(source, fs_hz))
    elif isinstance(source, str | Path):
        yield from _from_path(recipe, Path(source))
    elif hasattr(source, "traces") and hasattr(source, "select"):
        yield from _from_stream(recipe, source)
    else:
        raise DataError(
            f"cannot pick on a {type(source).__name__}: give a path, an ObsPy Stream, or an array with fs_hz"
        )


def _from_path(recipe: PickingRecipe, path: Path) -> Iterator[PickRecord]:
    if not path.exists():
        raise MissingDataError(f"{path}: no such file")
    if path.is_dir() or path.suffix == ".csv":
        yield from _from_survey(recipe, path)
    else:
        yield from _from_gather(recipe, read_gather(path))


def _from_survey(recipe: PickingRecipe, path: Path) -> Iterator[PickRecord]:
    """A folder in the ML-feed layout, or one manifest of it (ROOT/geometries/ID/picks_manifest.csv)."""
    root, geometries = (path, ()) if path.is_dir() else _place_of_manifest(path)
    data = recipe.data.model_copy(update={"root": str(root), "geometries": geometries})
    there = recipe.model_copy(update={"data": data})
    rows = manifest_of(there).to_dict("records")
    yield from records(there, [Ref(trace_key(row), {}) for row in rows])


def _place_of_manifest(path: Path) -> tuple[Path, tuple[str, ...]]:
    """Return the survey's folder and the geometry of a manifest, which its place in the layout tells."""
    # As it is written first: a geometry's folder may be a link to somewhere else
    for whole in (path.absolute(), path.resolve()):
        if whole.name == MANIFEST and whole.parent.parent.name == "geometries":
            return whole.parents[2], (whole.parent.name,)
    raise DataError(
        f"{path}: a CSV can be picked on only if it is a manifest in its place, ROOT/geometries/ID/{MANIFEST}. "
        "Give that, the survey's folder ROOT, or a file of records"
    )


def _from_stream(recipe: PickingRecipe, stream: Any) -> Iterator[PickRecord]:  # Any: an ObsPy Stream
    """An ObsPy Stream; its traces are neighbours in their order."""
    by_shape: dict[tuple[float, int], list[tuple[int, Any]]] = {}
    for number, trace in enumerate(stream):
        if np.ma.isMaskedArray(trace.data):
            raise DataError(f"trace {trace.id} has gaps; split or fill it: stream.merge(fill_value=0)")
        by_shape.setdefault((float(trace.stats.sampling_rate), trace.stats.npts), []).append((number, trace))
    if not by_shape:
        raise DataError("the Stream has no traces")
    file_header = getattr(getattr(stream, "stats", None), "binary_file_header", None)
    in_feet = getattr(file_header, "measurement_system", 0) == FEET
    for some in by_shape.values():
        gather = read_stream([trace for _, trace in some], in_feet=in_feet)
        for note in gather.notes:
            logger.warning("Stream: %s", note)
        numbers = np.array([number for number, _ in some])
        for record in _from_gather(recipe, gather):
            yield replace(record, trace=numbers[record.trace])


def with_picks(
    records: Iterable[PickRecord], *, picks: str | Path | None = None, shots: str | None = None
) -> list[PickRecord]:
    """Return the records of some shots, with picks of a file in place of the survey's.

    Args:
        records: whole records.
        picks: CSV or .mat of arrivals, matched by station and shot; by default the records keep their own.
        shots: numbers such as "3001,3004"; all by default.
    Raises:
        DataError: if shots are not numbers, a shot is not there, or none of the records has a pick.
    """
    kept = list(records)
    if shots is not None:
        wanted = _shot_numbers(shots)
        there = {int(shot) for record in kept for shot in record.shot_id}
        if wanted - there:
            raise DataError(f"shot {min(wanted - there)} is not in the records; they have {_few(sorted(there))}")
        kept = [_of_shots(record, wanted) for record in kept if wanted & {int(shot) for shot in record.shot_id}]
    if picks is not None:
        from seisloom.io.picks import read_arrivals

        table = read_arrivals(picks)
        keys = zip(table["station"].astype(str), table["shot_id"].astype(int), strict=True)
        columns = (table[name] for name in ("pick_time_s", "pick_status", "pick_uncertainty_s"))
        found = dict(zip(keys, zip(*columns, strict=True), strict=True))
        kept = [_with_found(record, found) for record in kept]
    n_picks = sum(int(np.isfinite(record.truth_s).sum()) for record in kept)
    if n_picks == 0:
        raise DataError("none of the records has a human pick. Build a manifest with arrivals, or give --picks FILE")
    return kept


def select(
    records: Iterable[PickRecord], picks: str | Path | None, shots: str | None
) -> tuple[list[PickRecord], list[PickRecord]]:
    """Return the records of some shots, see `with_picks`, and those of the other shots that have picks."""
    every = list(records)
    every = every if picks is None else with_picks(every, picks=picks)
    chosen = with_picks(every, shots=shots)
    known = {int(shot) for record in every for shot in record.shot_id[np.isfinite(record.truth_s)]}
    others = sorted(known - {int(shot) for record in chosen for shot in record.shot_id})
    return chosen, with_picks(every, shots=",".join(map(str, others))) if others else []


def _with_found(record: PickRecord, found: Mapping[tuple[str, int], Any]) -> PickRecord:  # Any: a table's cells
    """The record with time, status and uncertainty of a file in place of its own; what is not there is unpicked."""
    none = (math.nan, "unpicked", math.nan)
    rows = [
        found.get((str(station), int(shot)), none) for station, shot in zip(record.station, record.shot_id, strict=True)
    ]
    time_s, status, uncertainty_s = zip(*rows, strict=True)
    return replace(
        record,
        truth_s=np.array(time_s, dtype=float),
        pick_status=np.array(status, dtype=str),
        pick_uncertainty_s=np.array(uncertainty_s, dtype=float),
        pick_shift_s=0.0,
    )


def _shot_numbers(shots: str) -> set[int]:
    named = shots.replace(",", " ").split()
    wrong = [one for one in named if not one.removeprefix("-").isdecimal()]
    if wrong:
        raise DataError(f"{wrong[0]!r} is not a shot number. Give numbers such as 3001,3004")
    if not named:
        raise DataError("no shot is named. Give numbers such as 3001,3004, or leave shots out to take all")
    return {int(one) for one in named}


def _few(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:8])) + (", ..." if len(numbers) > 8 else "")


def _of_shots(record: PickRecord, shots: set[int]) -> PickRecord:
    """The traces of some shots; a gather of one shot stays whole."""
    here = np.isin(record.shot_id, list(shots))
    columns = {
        name: getattr(record, name)[here] for name in record.__slots__ if isinstance(getattr(record, name), np.ndarray)
    }
    return replace(record, **columns, part=record.part if here.all() else (0, 0))


def _gather_of_array(array: Array, fs_hz: float) -> Gather:
    traces = np.atleast_2d(np.asarray(array))
    if traces.ndim != 2:
        raise DataError(f"an array of shape {array.shape}: it must be (trace, time) or (time,)")
    if traces.size == 0:
        raise DataError(f"an array of shape {array.shape} is empty: there is nothing to pick")
    if not (math.isfinite(fs_hz) and fs_hz > 0):
        raise DataError(f"fs_hz must be above 0, it is {fs_hz}")
    with np.errstate(over="ignore"):  # what float32 cannot hold is counted with what is not finite
        return Gather.from_array(traces.astype(np.float32), fs_hz=fs_hz)


def _from_gather(recipe: PickingRecipe, gather: Gather) -> Iterator[PickRecord]:
    """Traces of a file by shot where it holds several of each, else in the file's order."""
    size = recipe.data.gather_size if recipe.data.gather[0] != "none" else 1
    n_time = gather.take(np.arange(min(1, gather.n_traces))).shape[-1]
    end_s = gather.delay_s + n_time / gather.fs_hz
    source = gather.path or "the array"
    offset_m = plausible_offsets(np.abs(gather.offset_m), end_s, source=source)
    _warn_of_rate(recipe, gather.fs_hz, source)
    for some, part in _segments(np.asarray(gather.shot_id), gather.n_traces, size):
        yield _record(
            recipe, gather.take(some), gather.fs_hz, part=part,
            t0_s=gather.delay_s[some], offset_m=offset_m[some], trace=some,
            station=np.asarray(gather.station)[some].astype(str), shot_id=np.asarray(gather.shot_id)[some],
            geometry=np.full(len(some), ""), path=np.full(len(some), str(gather.path or "")),
            truth_s=np.full(len(some), np.nan), pick_status=np.full(len(some), "unpicked"),
            pick_uncertainty_s=np.full(len(some), np.nan),
            source_x=gather.source_x[some], source_y=gather.source_y[some],
            group_x=gather.group_x[some], group_y=gather.group_y[some],
        )  # fmt: skip


def _segments(shot_id: Array, n_traces: int, size: int) -> Iterable[tuple[Array, tuple[int, int]]]:
    """Yield the trace numbers of each gather: runs of one shot if shots have several traces, else even parts.

    Beside them the place of the first in its run, and how many traces that has.
    """
    numbers = np.arange(n_traces)
    changes = np.flatnonzero(shot_id[1:] != shot_id[:-1]) + 1
    runs = np.split(numbers, changes)
    if len(runs) > n_traces / 2:
        runs = [numbers]
    for run in runs:
        for some in np.array_split(run, -(-len(run) // size)):
            yield some, (int(some[0] - run[0]), len(run))
