"""Records as the room sees them, from the manifest of a survey."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seisloom.errors import MissingDataError
from seisloom.io.segy import cached_traces
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
    warn_of_rate(recipe, min(float(row["sampling_rate_hz"]) for row in rows.values()), str(root))
    way = recipe.data.gather[0]
    shot_of = {ref.key: ref.key if way == "none" else ref.groups[way] for ref in whole}
    n_of, begun = Counter(shot_of.values()), Counter[str]()
    for some in gathers(whole, way, size=recipe.data.gather_size):
        shot = shot_of[some[0].key]
        yield from _from_rows(recipe, root, [rows[ref.key] for ref in some], part=(begun[shot], n_of[shot]))
        begun[shot] += len(some)


def warn_of_rate(recipe: PickingRecipe, fs_hz: float, source: str) -> None:
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

        yield record_of(
            recipe, traces, shape[0], part=part if len(shapes) == 1 else (0, 0),
            pick_shift_s=recipe.data.pick_shift_s.get(str(some[0]["geometry"]), 0.0),
            t0_s=np.nan_to_num(column("delay_s").astype(float)), offset_m=column("offset_m").astype(float),
            trace=column("trace_index"), station=column("station").astype(str), shot_id=column("shot_id"),
            geometry=column("geometry").astype(str), path=column("segy_path").astype(str),
            truth_s=column("pick_time_s").astype(float), pick_status=column("pick_status").astype(str),
            pick_uncertainty_s=column("pick_uncertainty_s").astype(float),
            **{name: column(name).astype(float) for name in ("source_x", "source_y", "group_x", "group_y")},
        )  # fmt: skip


def record_of(
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
