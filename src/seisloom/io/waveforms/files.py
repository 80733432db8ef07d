"""miniSEED and SAC files as records of stations."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from seisloom.errors import DataError, MissingDataError
from seisloom.io.waveforms.stream import from_stream
from seisloom.io.waveforms.waveform import Waveform

SUFFIXES = (".mseed", ".ms", ".miniseed", ".seed", ".sac")
"""Of files that a folder of waveforms is searched for."""
KEPT = 4
"""Records that stay in memory: several windows are cut from each, one after the other; one may be a day long."""


def read_waveforms(path: str | Path) -> list[Waveform]:
    """Return the records of a miniSEED or SAC file, told by its content; see `from_stream`.

    Raises:
        MissingDataError: if there is no such file.
        DataError: if it is neither, or damaged.
    """
    file = Path(path)
    return from_stream(_read([file]), path=str(file))


def read_files(paths: Sequence[str | Path]) -> list[Waveform]:
    """Return the records that several files hold together, such as one file a component.

    Files that were read lately, and have not changed, are not read again.
    """
    files = tuple((str(one), _changed_ns(Path(one))) for one in paths)
    return list(_together(files))


@lru_cache(maxsize=KEPT)
def _together(files: tuple[tuple[str, int], ...]) -> tuple[Waveform, ...]:
    return tuple(from_stream(_read([Path(path) for path, _ in files]), path=files[0][0]))


def _changed_ns(file: Path) -> int:
    try:
        return os.stat(file).st_mtime_ns
    except OSError as error:
        raise MissingDataError(f"{file}: no such waveforms. Correct the catalogue, or bring the file") from error


def read_headers(path: str | Path) -> list[Any]:  # Any: ObsPy Traces
    """Return the traces of a file without their samples."""
    return _read([Path(path)], headonly=True)


def _read(files: Sequence[Path], *, headonly: bool = False) -> list[Any]:  # Any: ObsPy Traces
    traces: list[Any] = []  # Any: ObsPy Traces
    for file in files:
        kind = format_of(file)
        try:
            traces += _reader(kind)(str(file), headonly=headonly).traces
        except Exception as error:  # ObsPy raises bare and various errors on damaged files
            said = " ".join(str(error).split()) or type(error).__name__
            raise DataError(f"{file}: {kind} that cannot be read: {said}. Copy it again from its source") from error
    if not any(trace.stats.npts for trace in traces):
        raise DataError(f"{files[0]}: holds no samples. Copy it again from its source")
    return traces


def _reader(kind: str) -> Callable[..., Any]:  # Any: an ObsPy Stream
    """Return ObsPy's reader of a format.

    `obspy.read` would try all formats that it knows, of which one is Python's pickle, and look for archives first,
    which takes three times as long as reading.
    """
    if kind == "MSEED":
        from obspy.io.mseed.core import _read_mseed as read
    else:
        from obspy.io.sac.core import _read_sac as read
    reader: Callable[..., Any] = read  # Any: ObsPy has no types
    return reader


def format_of(file: Path) -> str:
    """Return ObsPy's name of the format of a file: MSEED or SAC.

    Raises:
        MissingDataError: if there is no such file.
        DataError: if it is neither.
    """
    if not file.is_file():
        raise MissingDataError(f"{file}: no such file of waveforms")
    with file.open("rb") as opened:
        head = opened.read(8)
    # SEED manual 2.4, chapter 8: six digits, then the quality D, R, Q or M; a full SEED volume begins with V
    if len(head) == 8 and head[:6].replace(b" ", b"0").isdigit() and head[6:7] in (b"D", b"R", b"Q", b"M", b"V"):
        return "MSEED"
    if _is_sac(file):
        return "SAC"
    raise DataError(f"{file}: neither miniSEED nor SAC. Convert it: obspy.read(FILE).write('x.mseed', format='MSEED')")


def _is_sac(file: Path) -> bool:
    from obspy.io.sac.core import _is_sac as is_sac

    return bool(is_sac(str(file)))
