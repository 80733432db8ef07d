"""Segments of one channel on one time axis: gaps are masked and overlaps resolved, nothing is spliced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array

MOST_EMPTY = 1000
"""Samples of gap for each recorded one from which on a date is more likely to be wrong than a gap so long."""
EXACT = 2**24
"""float32 holds each whole number up to here."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Samples of a channel without a gap."""

    start_ns: int
    """UTC time of the first sample, nanoseconds after 1970."""
    values: Array
    """Amplitudes, (time,)."""


def merge(
    segments: Sequence[Segment], *, fs_hz: float, start_ns: int, n_samples: int
) -> tuple[Array, Mapping[str, int]]:
    """Return a channel on a time axis, float32 (time,), NaN where it was not recorded, and what was met.

    Samples that were recorded twice alike count as `overlap`. Where two recordings differ nobody knows which is right:
    they become NaN and count as `conflict`. NaN in a segment is a gap like any other.

    Args:
        segments: in any order; each sample goes to the nearest place of the axis.
        fs_hz: sampling rate in Hz.
        start_ns: time of the first place of the axis.
        n_samples: places.

    >>> values, counts = merge([Segment(0, np.array([1.0, 2.0])), Segment(3_000_000_000, np.array([5.0]))],
    ...                        fs_hz=1.0, start_ns=0, n_samples=4)
    >>> values.tolist(), counts["gap"]
    ([1.0, 2.0, nan, 5.0], 1)
    """
    values = np.full(n_samples, np.nan, np.float32)
    conflict = np.zeros(n_samples, dtype=bool)
    n_overlap = n_rounded = 0
    for segment in sorted(segments, key=lambda one: one.start_ns):
        first = place_of(segment.start_ns, start_ns=start_ns, fs_hz=fs_hz)
        low, high = max(first, 0), min(first + len(segment.values), n_samples)
        if high <= low:
            continue
        whole = segment.values[low - first : high - first]
        new = whole.astype(np.float32)
        if whole.dtype.kind in "iu":
            n_rounded += int(np.count_nonzero(np.abs(whole.astype(np.int64)) > EXACT))
        known = values[low:high]
        both = ~np.isnan(known) & ~np.isnan(new)
        differ = both & (known != new)
        n_overlap += int(np.count_nonzero(both & ~differ))
        conflict[low:high] |= differ
        values[low:high] = np.where(np.isnan(new), known, new)
    values[conflict] = np.nan
    n_conflict = int(conflict.sum())
    n_gap = int(np.count_nonzero(np.isnan(values))) - n_conflict
    return values, {"gap": n_gap, "overlap": n_overlap, "conflict": n_conflict, "rounded": n_rounded}


def place_of(time_ns: int, *, start_ns: int, fs_hz: float) -> int:
    """Return the place of a time on an axis, the nearest."""
    return round((time_ns - start_ns) * fs_hz / 1e9)


def time_axis(segments: Sequence[Segment], *, fs_hz: float, where: str) -> tuple[int, int]:
    """Return start in nanoseconds and number of samples of the axis that holds all segments.

    Raises:
        DataError: if they lie so far apart that a date must be wrong.
    """
    start_ns = min(one.start_ns for one in segments)
    ends = [place_of(one.start_ns, start_ns=start_ns, fs_hz=fs_hz) + len(one.values) for one in segments]
    n_recorded = sum(len(one.values) for one in segments)
    if max(ends) > MOST_EMPTY * n_recorded:
        raise DataError(
            f"{where}: its {len(segments)} segments hold {n_recorded} samples and lie {max(ends) / fs_hz:.4g} s apart. "
            "If a date is wrong, correct the header; else split the file"
        )
    return start_ns, max(ends)
