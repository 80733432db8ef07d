"""Records with the picks of a table, and those that somebody asks for."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from seisloom.errors import DataError
from seisloom.tasks.picking.records import PickRecord


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
