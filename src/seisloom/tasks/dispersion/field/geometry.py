"""Sampling interval and offsets of a gather: what a file says, what is given, and that the two agree."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array

SAME_M, SAME = 0.01, 0.02
"""Offsets differ where they do by more than 1 cm and 2 % of the spacing: a tape is not more exact."""
Side = Literal["before", "behind"]


def interval_of(file: Path, said: float | None, given: float | None, override: bool) -> float:
    """Return the sampling interval in s of what a file says and what is given."""
    if said is None and given is None:
        raise DataError(f"{file}: does not say its sampling interval; give it in s (interval_s), 0.001 at 1000 Hz")
    if said is not None and given is not None and abs(said - given) > 1e-3 * said and not override:
        raise DataError(
            f"{file}: the interval is {said:g} s and {given:g} s was given. Leave it out, or override the headers"
        )
    return float(given if given is not None and (said is None or override) else said or 0.0)


def offsets_of(
    file: Path, said: Array, dx_m: float | None, first_m: float | None, override: bool
) -> tuple[Array, str]:  # fmt: skip
    """Return offsets, and a note on where they are from."""
    has_headers = bool(np.isfinite(said).all())
    n = len(said)
    if dx_m is None or (first_m is None and not has_headers):
        if not has_headers:
            missing = "dx_m and first_offset_m" if dx_m is None and first_m is None else (
                "dx_m" if dx_m is None else "first_offset_m"
            )  # fmt: skip
            raise DataError(f"{file}: headers have no offsets. Give the geometry in m: {missing}")
        if first_m is not None and abs(abs(first_m) - abs(said[0])) > SAME_M and not override:
            raise DataError(
                f"{file}: the first trace has offset {said[0]:g} m in its header and {first_m:g} m was given. Leave it "
                "out, or give dx_m too and override the headers"
            )
        return said, "offsets from headers"
    start = float(said[0]) if first_m is None else first_m
    given = start + np.arange(n) * dx_m * (-1 if start < 0 else 1)
    if has_headers and not override:
        wrong = np.flatnonzero(np.abs(np.abs(said) - np.abs(given)) > SAME_M + SAME * dx_m)
        if wrong.size:
            at = int(wrong[0])
            raise DataError(
                f"{file}: trace {at} has offset {said[at]:g} m in its header, and {given[at]:g} m with dx_m {dx_m:g} "
                f"and first offset {start:g} m. Leave them out, or override the headers if these are wrong"
            )
        return said, "offsets from headers, as given"
    return given, f"offsets as given: {n} traces every {dx_m:g} m from {start:g} m"


def one_side(file: Path, traces: Array, offsets: Array, side: Side | None) -> tuple[Array, Array]:
    """Return traces of one side with their distances, the nearest first."""
    if side is None and offsets.min() < 0 < offsets.max():
        raise DataError(
            f"{file}: the shot lies within the spread, offsets {offsets.min():g} to {offsets.max():g} m; say which side"
            " is wanted: before (negative) or behind"
        )
    if side is not None:
        kept = offsets < 0 if side == "before" else offsets > 0
        if kept.sum() < 2:
            raise DataError(f"{file}: {kept.sum()} traces lie {side} the shot; two or more are needed")
        traces, offsets = traces[kept], offsets[kept]
    distance = np.abs(offsets)
    order = np.argsort(distance, kind="stable")
    if (same := np.flatnonzero(np.diff(distance[order]) < SAME_M)).size:
        one, other = sorted((int(order[same[0]]), int(order[same[0] + 1])))
        raise DataError(
            f"{file}: traces {one} and {other} both have offset {distance[one]:g} m. If headers are wrong, give dx_m "
            "and first_offset_m and override them; else stack the traces"
        )
    return traces[order], distance[order]
