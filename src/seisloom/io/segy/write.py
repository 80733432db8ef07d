"""Traces with header words to a new file."""

from __future__ import annotations

import contextlib
import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from seisloom.errors import DataError, OutputError
from seisloom.io.segy.layout import BINARY, IEEE, TEXT, TRACE_HEADER, WORDS
from seisloom.io.segy.places import PLACES, scale
from seisloom.sample import Array


def write_segy(
    path: str | Path,
    traces: Array,
    *,
    interval_s: float,
    headers: Mapping[str, Array] | None = None,
    delay_s: Array | float = 0.0,
    coordinate_scalar: int = -100,
    text: str = "",
) -> None:
    """Write traces as IEEE floats, big-endian SEG-Y rev 1, beside and renamed.

    Args:
        path: file to write.
        traces: amplitudes, shape (trace, time).
        interval_s: sample interval in s; a whole number of microseconds up to 65535.
        headers: values by the names of `WORDS`, shape (trace,); coordinates in m, scaled here. A column that is NaN
            throughout is not known, and written as 0.
        delay_s: time of the first sample after the shot in s; shape (trace,) or one for all.
        coordinate_scalar: as SEG-Y has it; a negative one divides what is stored: -100 stores centimeters.
        text: for the text header, at most 39 lines.
    Raises:
        DataError: if a value does not fit its header word, or would be rounded by more than 1 % of a sample.
        OutputError: if the file cannot be written.
    """
    file, data = Path(path), np.atleast_2d(np.asarray(traces, dtype=np.float32))
    n_traces, n_samples = data.shape
    interval_us = whole_interval_us(file, data.shape, interval_s)
    delay, time_scalar = delay_words(file, np.broadcast_to(np.asarray(delay_s, dtype=np.float64), n_traces), interval_s)
    counted = np.arange(1, n_traces + 1)
    words: dict[str, Array] = {
        "trace_sequence_line": counted, "trace_sequence_file": counted, "trace_id": np.ones(n_traces),
        "coordinate_scalar": np.full(n_traces, coordinate_scalar), "coordinate_units": np.ones(n_traces),
        "delay": delay, "time_scalar": np.full(n_traces, time_scalar),
        "n_samples": np.full(n_traces, n_samples), "interval": np.full(n_traces, interval_us),
        **{name: _whole(file, name, values, n_traces, coordinate_scalar) for name, values in (headers or {}).items()},
    }  # fmt: skip
    kind = np.dtype(
        {
            "names": [*words, "x"],
            "formats": [*(">" + WORDS[name][1] for name in words), (">f4", (n_samples,))],
            "offsets": [*(WORDS[name][0] - 1 for name in words), TRACE_HEADER],
            "itemsize": TRACE_HEADER + 4 * n_samples,
        }
    )
    body = np.zeros(n_traces, dtype=kind)
    for name, values in words.items():
        limits = np.iinfo(WORDS[name][1])
        if np.any(values < limits.min) or np.any(values > limits.max):
            largest = values[np.abs(values).argmax()]
            raise DataError(f"{file}: {name} {largest:g} overflows its header word ({limits.min} to {limits.max})")
        body[name] = values
    body["x"] = data
    _write_beside(file, file_headers(interval_us, n_samples, text), body)


def whole_interval_us(file: Path, shape: tuple[int, ...], interval_s: float) -> int:
    """Return the sample interval in us, for traces of shape (trace, time).

    Raises:
        DataError: if it is no whole number, or it or the number of samples is more than SEG-Y rev 1 holds.
    """
    n_traces, n_samples = shape
    interval_us = round(interval_s * 1e6)
    if n_traces == 0 or n_samples == 0:
        raise DataError(f"{file}: {n_traces} traces of {n_samples} samples; a SEG-Y file needs at least one of each")
    if n_samples > np.iinfo(np.int16).max or not 0 < interval_us <= np.iinfo(np.uint16).max:
        raise DataError(
            f"{file}: {n_samples} samples at {interval_s:g} s overflow the 16-bit words of SEG-Y rev 1 "
            "(32767 samples, 65535 us). Cut the record, or resample it"
        )
    if abs(interval_s * 1e6 - interval_us) * n_samples > 0.01 * interval_us:
        raise DataError(
            f"{file}: a sample interval of {interval_s * 1e6:g} us is no whole number of microseconds, and that is "
            "what SEG-Y rev 1 holds. Resample to a rate that divides 1,000,000 Hz"
        )
    return interval_us


def delay_words(file: Path, delay_s: Array, interval_s: float) -> tuple[Array, int]:
    """Return the delay of each trace and the one scalar (bytes 215-216) that keeps it to 1 % of a sample."""
    limit = np.iinfo(np.int16).max
    for divisor in (1, 10, 100, 1000, 10000):
        words = np.round(delay_s * 1e3 * divisor)
        if np.all(np.abs(words / divisor * 1e-3 - delay_s) <= 0.01 * interval_s) and np.all(np.abs(words) <= limit):
            return words, -divisor if divisor > 1 else 1
    worst = delay_s[np.abs(delay_s).argmax()]
    raise DataError(
        f"{file}: delays up to {worst:g} s do not fit 16 bits at 1 % of a sample of {interval_s:g} s. "
        "Cut the records to begin at a whole millisecond"
    )


def _whole(file: Path, name: str, values: Array, n_traces: int, coordinate_scalar: int) -> Array:
    """Return the values of a header word as whole numbers, scaled if they are coordinates."""
    if name not in WORDS:
        near = difflib.get_close_matches(name, WORDS, 1)
        raise DataError(f"{file}: no header word {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.shape != (n_traces,):
        raise DataError(f"{file}: {name} has shape {numbers.shape}, and there are {n_traces} traces")
    if np.isnan(numbers).all():
        return np.zeros(n_traces)
    if not np.isfinite(numbers).all():
        bad = np.flatnonzero(~np.isfinite(numbers))
        raise DataError(f"{file}: {name} of trace {bad[0]} is {numbers[bad[0]]}, and a header word holds whole numbers")
    return np.asarray(np.round(numbers / (scale(np.array(coordinate_scalar)) if name in PLACES else 1.0)))


def file_headers(interval_us: int, n_samples: int, text: str, format_code: int = IEEE) -> bytes:
    """Return the text header in EBCDIC and the binary header: meters, rev 1, one trace length."""
    lines = [*[*text.splitlines(), *[""] * 39][:39], "END TEXTUAL HEADER"]
    said = "".join(f"C{k + 1:2d} {line[:76]}".ljust(80) for k, line in enumerate(lines))
    binary = np.zeros(BINARY // 2, dtype=">u2")
    for byte, value in (
        (3217, interval_us),
        (3221, n_samples),
        (3225, format_code),
        (3255, 1),
        (3501, 0x0100),
        (3503, 1),
    ):
        binary[(byte - TEXT - 1) // 2] = value
    return said.encode("cp037", errors="replace") + binary.tobytes()


def _write_beside(file: Path, head: bytes, body: Any) -> None:  # Any: a structured array
    partial = file.with_name(file.name + ".partial")
    try:
        with partial.open("wb") as opened:
            opened.write(head)
            body.tofile(opened)
        os.replace(partial, file)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise OutputError(f"{file}: cannot be written: {error.strerror or error}. Choose another folder") from error
