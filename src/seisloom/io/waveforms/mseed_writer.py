"""miniSEED that holds amplitudes as they are, bit for bit; gaps between its records where samples are missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from seisloom.errors import DataError, OutputError
from seisloom.sample import Array

ENCODINGS = {"f4": "FLOAT32", "f8": "FLOAT64", "i4": "INT32"}
RECORD_BYTES = 4096
"""Of a miniSEED record: fewer bytes go to headers than with 512, and all readers take it (SEED manual, chapter 8)."""


def write_mseed(
    path: Path, components: dict[str, Array], *, fs_hz: float, start_ns: int, codes: tuple[str, str, str]
) -> dict[str, tuple[int, int, int]]:
    """Write the components of a record to a miniSEED file.

    Args:
        path: the file.
        components: amplitudes (time,) by channel code; runs of NaN are left out, and so are gaps for all readers.
        fs_hz: sampling rate in Hz.
        start_ns: UTC nanoseconds after 1970 of the first sample.
        codes: network, station and location.
    Returns:
        By channel code: samples from the first to the last that is known, segments, samples that are missing between
        and around them. A component of NaN alone is not written and has 0 segments.
    Raises:
        DataError: if integers are too large for any encoding.
        OutputError: if the file cannot be written.
    """
    from obspy import Stream

    stream, found = Stream(), {}
    for channel, values in components.items():
        exact = _encodable(values, f"{path.name}: {channel}")
        runs = _known_runs(exact)
        for first, last in runs:
            stream.append(_trace(exact[first:last], first, fs_hz, start_ns, (*codes, channel)))
        n_known = sum(last - first for first, last in runs)
        span = runs[-1][1] - runs[0][0] if runs else 0
        found[channel] = (span, len(runs), len(values) - n_known)
    if len(stream) == 0:
        return found
    try:
        # Each trace by its own encoding: components may be of several types
        with path.open("wb") as file:
            for trace in stream:
                trace.write(file, format="MSEED", encoding=ENCODINGS[trace.data.dtype.str[1:]], reclen=RECORD_BYTES)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}. Choose another folder") from error
    return found


def _trace(values: Array, first: int, fs_hz: float, start_ns: int, codes: tuple[str, str, str, str]) -> Any:
    """Return an ObsPy Trace. Any: ObsPy has no types."""
    from obspy import Trace, UTCDateTime

    start = UTCDateTime(ns=start_ns + round(first * 1e9 / fs_hz))
    network, station, location, channel = codes
    header = {
        "network": network, "station": station, "location": location, "channel": channel, "sampling_rate": fs_hz,
        "starttime": start,
    }  # fmt: skip
    return Trace(np.ascontiguousarray(values), header)


def _encodable(values: Array, where: str) -> Array:
    """Return the same numbers in a type that miniSEED has, in this machine's byte order."""
    kind, size = values.dtype.kind, values.dtype.itemsize
    if kind == "f":
        if size > 8:
            raise DataError(f"{where}: amplitudes of {8 * size} bits, and miniSEED holds 64. Convert them to float64")
        return values.astype(np.float32 if size <= 4 else np.float64)
    if kind == "b" or values.size == 0 or (values.min() >= -(2**31) and values.max() < 2**31):
        return values.astype(np.int32)
    if np.abs(values.astype(np.float64)).max() > 2.0**53:
        raise DataError(f"{where}: integers above 2**53, which no encoding of miniSEED holds. Scale them")
    return values.astype(np.float64)


def _known_runs(values: Array) -> list[tuple[int, int]]:
    """Return first and last (exclusive) place of each run that holds no NaN."""
    known = ~np.isnan(values) if values.dtype.kind == "f" else np.ones(len(values), dtype=bool)
    edges = np.flatnonzero(np.diff(np.r_[False, known, False].astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
