"""First-break times in the trace headers of a SEG-Y file, where processing software looks for them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from seisloom.errors import DataError, OutputError
from seisloom.io.beside import beside
from seisloom.io.segy.layout import TRACE_HEADER, WORDS, SegyLayout, read_layout
from seisloom.sample import Array

BYTE, N_BYTES, UNIT_S = 233, 4, 1e-6
"""Microseconds in 32 bits at bytes 233-236, which SEG-Y rev 1 leaves unassigned. A lag word such as 105-106 holds
milliseconds in 16 bits: four samples of a refraction record would become one."""


def write_first_breaks(
    source: str | Path,
    out: str | Path,
    time_s: Array,
    *,
    byte: int = BYTE,
    n_bytes: int = N_BYTES,
    unit_s: float = UNIT_S,
) -> None:
    """Copy a SEG-Y file and write a time into every trace header; all else stays as it is, byte for byte.

    A trace without a pick gets the smallest number of the word (-2147483648 or -32768): 0 is a time, and -1 too.

    Args:
        source: SEG-Y file, left as it is.
        out: the copy.
        time_s: first breaks in s after the shot, shape (trace,); NaN for none.
        byte: first byte of the word in the trace header.
        n_bytes: 4 or 2.
        unit_s: what 1 in the word means, in s; 1e-3 with `n_bytes=2` is the custom of many programs.
    Raises:
        DataError: if the number of times is not that of the traces, a time does not fit, or the word is one that says
            where and when the trace was recorded.
        OutputError: if the copy cannot be written.
    """
    layout, file = read_layout(source), Path(out)
    words = _whole_words(layout, time_s, byte, n_bytes, unit_s)
    if file.exists() and file.samefile(layout.path):
        raise OutputError(f"{file}: is the source itself. Choose another name for the copy")
    with beside(file) as partial:
        shutil.copyfile(layout.path, partial)
        view = read_layout(partial).view({"word": (byte, f"i{n_bytes}")}, mode="r+")
        view["word"] = words
        view.flush()  # type: ignore[attr-defined]  # a mapped array


def read_first_breaks(path: str | Path, *, byte: int = BYTE, n_bytes: int = N_BYTES, unit_s: float = UNIT_S) -> Array:
    """Return the times that `write_first_breaks` wrote, in s after the shot, shape (trace,); NaN for none."""
    words = read_layout(path).view({"word": (byte, f"i{n_bytes}")})["word"]
    return np.where(words == np.iinfo(f"i{n_bytes}").min, np.nan, words * unit_s)


def _whole_words(layout: SegyLayout, time_s: Array, byte: int, n_bytes: int, unit_s: float) -> Array:
    if n_bytes not in (2, 4) or not 1 <= byte <= TRACE_HEADER - n_bytes + 1:
        raise DataError(f"first breaks of {n_bytes} bytes at byte {byte}: use 2 or 4 bytes within 1 to {TRACE_HEADER}")
    taken = [
        f"{name} ({first})"
        for name, (first, kind) in WORDS.items()
        if first < byte + n_bytes and byte < first + np.dtype(kind).itemsize
    ]
    if taken:
        raise DataError(f"byte {byte} would overwrite {', '.join(taken)}. Use a free word, such as byte {BYTE}")
    if np.shape(time_s) != (layout.n_traces,):
        raise DataError(f"{layout.path}: {np.size(time_s)} first breaks for {layout.n_traces} traces")
    limits = np.iinfo(f"i{n_bytes}")
    words = np.round(np.asarray(time_s, dtype=np.float64) / unit_s)
    large = np.flatnonzero((words > limits.max) | (words <= limits.min))
    if large.size:
        raise DataError(
            f"{layout.path}: {np.asarray(time_s)[large[0]]:g} s of trace {large[0]} overflows {n_bytes} bytes in units "
            f"of {unit_s:g} s. Use 4 bytes, or a larger unit"
        )
    return np.where(np.isnan(words), limits.min, words).astype(np.int64)
