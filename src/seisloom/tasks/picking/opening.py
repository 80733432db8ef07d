"""Records of whatever a user gives: a survey, a file, an ObsPy Stream, an array."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from seisloom.errors import DataError, MissingDataError
from seisloom.io.gather import Gather, read_gather, read_stream
from seisloom.io.segy.layout import FEET
from seisloom.sample import Array, Ref
from seisloom.tasks.picking.data import manifest_of, trace_key
from seisloom.tasks.picking.recipe import PickingRecipe
from seisloom.tasks.picking.records import PickRecord, plausible_offsets, record_of, records, warn_of_rate
from seisloom.tasks.picking.survey.manifest import NAME as MANIFEST

logger = logging.getLogger("seisloom")


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
    warn_of_rate(recipe, gather.fs_hz, source)
    for some, part in _segments(np.asarray(gather.shot_id), gather.n_traces, size):
        yield record_of(
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
