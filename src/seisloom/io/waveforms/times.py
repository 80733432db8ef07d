"""Times of catalogues and headers as NumPy's UTC nanoseconds."""

from __future__ import annotations

import re

import numpy as np

from seisloom.errors import DataError

UNKNOWN = np.datetime64("NaT", "ns")
LANDSLIDES = re.compile(r"(\d{4})_(\d\d)_(\d\d) (\d\d)(\d\d)(\d\d(?:\.\d+)?)")
"""How the exotic seismic events catalogue (ESEC) writes a time: 2014_09_10 192115."""
OFFSET = re.compile(r"(?:Z|[+-]00:?00)$")
OTHER_OFFSET = re.compile(r"T?\d\d:\d\d.*[+-]\d\d:?\d\d$")


def parse_utc(text: str, *, where: str) -> np.datetime64:
    """Return a UTC time of a catalogue, datetime64[ns]; NaT where the cell is empty.

    Args:
        text: ISO 8601 with T or a blank between date and time, Z or no offset; or 2014_09_10 192115.
        where: file and line, for the error.
    Raises:
        DataError: if it is no such time, or has an offset from UTC.

    >>> parse_utc("2014_09_10 192115", where="a test")
    np.datetime64('2014-09-10T19:21:15.000000000')
    """
    said = text.strip()
    if not said:
        return UNKNOWN
    if match := LANDSLIDES.fullmatch(said):
        year, month, day, hour, minute, second = match.groups()
        said = f"{year}-{month}-{day}T{hour}:{minute}:{second}"
    said = OFFSET.sub("", said.replace(" ", "T", 1))
    if OTHER_OFFSET.search(said):
        raise DataError(f"{where}: {text!r} is not in UTC. Write 2014-09-10T19:21:15Z")
    try:
        return np.datetime64(said, "ns")
    except ValueError:
        raise DataError(f"{where}: {text!r} is no time. Write 2014-09-10T19:21:15Z, in UTC") from None


def from_nanoseconds(ns: int) -> np.datetime64:
    """Return the time so many nanoseconds after 1970, datetime64[ns]."""
    return np.datetime64(int(ns), "ns")


def seconds_between(later: np.datetime64, earlier: np.datetime64) -> float:
    """Return later minus earlier in s; NaN where one is not known."""
    if np.isnat(later) or np.isnat(earlier):
        return float("nan")
    return float((later - earlier) / np.timedelta64(1, "ns")) / 1e9


def after(start: np.datetime64, seconds: float) -> np.datetime64:
    """Return the time so many seconds after another, to the nanosecond."""
    return start + np.timedelta64(round(seconds * 1e9), "ns")


def iso(time: np.datetime64) -> str:
    """Return a time as catalogues have it, to the microsecond; empty where it is not known.

    >>> iso(np.datetime64("2014-09-10T19:21:15", "ns"))
    '2014-09-10T19:21:15.000000Z'
    """
    return "" if np.isnat(time) else f"{np.datetime_as_string(time, unit='us')}Z"
