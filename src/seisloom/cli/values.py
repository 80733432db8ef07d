"""Values of options that are checked before any work, and lines that say what a calibration holds."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from seisloom.errors import OutputError, RecipeError, SeisloomError

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""Errors of a disk that can only come from writing, whichever file they name."""


def shot_numbers(shots: str | None) -> str | None:
    """Return the numbers of `--shots` as they were given.

    Raises:
        RecipeError: if one of them is not a whole number, or there is none.

    >>> shot_numbers("3001,3004")
    '3001,3004'
    """
    if shots is None:
        return None
    words = shots.replace(",", " ").split()
    for word in words or [shots]:
        try:
            int(word)
        except ValueError:
            raise RecipeError(f"--shots: {word!r} is not a number; give numbers such as 3001,3004") from None
    return shots


def numbers(option: str, text: str | None) -> tuple[int, ...] | None:
    """Return the numbers of an option such as 128,128,128."""
    if text is None:
        return None
    words = text.replace(",", " ").split()
    if not words or not all(word.isdecimal() and int(word) > 0 for word in words):
        raise RecipeError(f"{option} {text}: give whole numbers above 0, such as {option} 128,128,128")
    return tuple(map(int, words))


def folder_for(out: Path, option: str = "--out") -> Path:
    """Return a folder that can be written to, not yet made.

    Raises:
        OutputError: if it, or a folder above it, is a file.
    """
    there = next(one for one in (out, *out.absolute().parents) if one.exists())
    if not there.is_dir():
        raise OutputError(f"{there}: is a file. Choose another {option}")
    return out


@contextmanager
def writing(out: Path, option: str = "--out") -> Iterator[None]:
    """Make the folder that `out` lies in, and run what writes it.

    Raises:
        OutputError: if the disk is full or read-only, or `out` or a folder above it is not ours or is a file.
    """
    place = str(out.absolute())
    folder_for(out.parent, option)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        named = error.filename if isinstance(error.filename, str | os.PathLike) else ""
        file = str(Path(named).absolute()) if named else ""
        is_ours = file.startswith(place) or (file != "" and place.startswith(file + os.sep))
        if isinstance(error, SeisloomError) or not (is_ours or error.errno in NO_ROOM):
            raise
        raise OutputError(
            f"{named if is_ours else out}: cannot be written: {error.strerror or error}. Choose another {option}"
        ) from error


def picture_for(figure: Path, option: str = "--out") -> Path:
    """Return the path of a picture after making its folder.

    Raises:
        OutputError: if Matplotlib knows no such suffix, it is a folder, or its folder cannot be made.
    """
    from matplotlib.backend_bases import FigureCanvasBase

    known = sorted(FigureCanvasBase.get_supported_filetypes())
    if figure.suffix.lower().removeprefix(".") not in known:
        raise OutputError(
            f"{option} {figure}: the suffix chooses the format; give one of {', '.join(f'.{one}' for one in known)}"
        )
    if figure.is_dir():
        raise OutputError(f"{option} {figure}: is a folder. Give a file in it")
    with writing(figure, option):
        return figure


def quantile_lines(calibration: Any, level: float) -> list[str]:  # Any: the room's calibration
    """Return lines with the factor q on sigma, or on strength, at a level and at all: one, or one for each part."""
    from seisloom.calibration.intervals import IntervalCalibration
    from seisloom.calibration.modes import ModeCalibration
    from seisloom.calibration.residuals import ResidualCalibration
    from seisloom.calibration.strength import NAMES

    if isinstance(calibration, ModeCalibration):
        ends = [f"to {one:g} lengths" for one in calibration.edges] + ["longer", "unknown array"]
        of_both = [("", calibration), ("fitted, ", calibration.fitted)]
        return [
            f"{how}mode {m}, {name}: {line}"
            for how, both in of_both
            if both is not None
            for m, some in enumerate(both.modes)
            for name, one in zip(ends, some, strict=True)
            for line in quantile_lines(one, level)
        ]
    if isinstance(calibration, ResidualCalibration):
        parts = zip(NAMES, calibration.by_distance, calibration.n_units, strict=True)
        return [f"{name}: {line}" for name, one, n in parts if n for line in quantile_lines(one, level)]
    if not isinstance(calibration, IntervalCalibration):
        return []
    at = calibration.levels.index(level)

    def line(row: tuple[float, ...]) -> str:
        by_level = (f"{100 * one:g} % {q:.3g}" for one, q in zip(calibration.levels, row, strict=True))
        return f"q = {row[at]:.3g} ({100 * level:g} %), by level: {', '.join(by_level)}"

    edges = calibration.edges_db
    if not edges:
        return [line(calibration.pooled)]
    names = [f"SNR below {edges[0]:.1f} dB"]
    names += [f"SNR {low:.1f} to {high:.1f} dB" for low, high in pairwise(edges)]
    names.append(f"SNR from {edges[-1]:.1f} dB")
    lines = [f"{name}: {line(row)}" for name, row in zip(names, calibration.quantiles, strict=True)]
    return [*lines, f"SNR not known: {line(calibration.unknown_snr or calibration.pooled)}"]
