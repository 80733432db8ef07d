"""Dispersion curves as text: our table, and those of other programs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import numpy as np
from scipy.stats import norm

from seisloom.errors import DataError, MissingDataError
from seisloom.io.beside import beside
from seisloom.tasks.dispersion.field.pick import CurvePicks

COLUMNS = ("mode", "frequency_hz", "velocity_m_s", "low_m_s", "high_m_s", "level", "quality", "method")
ONE_SIGMA = 0.6827
"""What programs that write a mean and two bounds mean by them, as a share of a normal distribution."""
SLOWEST_M_S = 10.0
"""Slownesses without a name are told from velocities by this: nothing in the ground is as slow."""
First = Literal["auto", "frequency", "wavelength"]
NUMBERS = re.compile(r"[,;\s]+")
MODE = re.compile(r"^\s*#?\s*mode\s*[:=]?\s*(\d+)", re.IGNORECASE)
Row = tuple[int, float, float, float, float, float]
"""Mode, frequency, velocity, low, high, quality."""


def write_curves(picks: CurvePicks, path: str | Path, *, method: str = "") -> None:
    """Write curves as CSV, a row a pick, beside and renamed; columns are `COLUMNS`, and where it abstained is no row.

    Raises:
        OutputError: if the file cannot be written.
    """
    file = Path(path)
    lines = [",".join(COLUMNS)]
    for m, j in np.argwhere(np.isfinite(picks.velocity_m_s)):
        cells = (picks.frequency_hz[j], picks.velocity_m_s[m, j], picks.low_m_s[m, j], picks.high_m_s[m, j])
        numbers = ["" if np.isnan(one) else f"{one:.8g}" for one in (*cells, picks.level, picks.quality[m, j])]
        lines.append(",".join([str(m), *numbers, method]))
    with beside(file) as partial:
        partial.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_curves(path: str | Path, *, first: First = "auto", level: float = ONE_SIGMA) -> CurvePicks:
    """Return the curves of a text file: ours, or two to four columns of another program.

    Columns without names are frequency in Hz or wavelength in m; velocity in m/s or slowness in s/m, where all values
    are below 0.1; then the standard deviation of the second, or its lower and upper bound. Commas, semicolons, blanks
    and tabs part them. Lines that begin with # are comments, but `# Mode 1` begins a mode.

    Args:
        path: the file.
        first: what the first column is; told by its name, else taken for frequency, by default.
        level: share of true values between the bounds, where the file does not say; one standard deviation by default.
    Raises:
        MissingDataError: if there is no such file.
        DataError: if it is no table of curves; it says in which line.
    """
    file = Path(path)
    if not file.is_file():
        raise MissingDataError(f"{file}: no such file")
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: is no text: {error.reason}. A table of curves is needed") from error
    names: list[str] = []
    rows: list[tuple[int, int, list[float]]] = []
    mode = 0
    for number, line in enumerate(lines, start=1):
        if marked := MODE.match(line):
            mode = int(marked[1])
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not rows and not names and re.search(r"[a-df-z]{3}", line.lower()):
            names = _names(line)
            continue
        rows.append((number, mode, _cells(file, number, line, names)))
    if not rows:
        raise DataError(f"{file}: has no rows with numbers; columns are {', '.join(COLUMNS)}")
    if names[:3] == list(COLUMNS[:3]):
        return _ours(file, rows, names)
    return _table(file, rows, names, first, level)


def _names(line: str) -> list[str]:
    """Return the names of columns in small letters; those in our table have no blanks, others may."""
    split = next((mark for mark in (",", ";", "\t") if mark in line), None)
    return [one.strip().lower() for one in line.split(split)]


def _cells(file: Path, number: int, line: str, names: list[str]) -> list[float]:
    cells = line.split(",") if names[:1] == ["mode"] else NUMBERS.split(line.strip().strip(",;"))
    wanted = cells[: len(COLUMNS) - 1]
    try:
        return [float(one) if one.strip() else np.nan for one in wanted]
    except ValueError as error:
        raise DataError(f"{file}: line {number}: {error}. Comments begin with #") from error


def _ours(file: Path, rows: list[tuple[int, int, list[float]]], names: list[str]) -> CurvePicks:
    found, levels = [], set()
    for number, _, cells in rows:
        have = dict(zip(names, cells, strict=False))
        mode, frequency, velocity, low, high = (have.get(name, np.nan) for name in COLUMNS[:5])
        if not (mode >= 0 and mode == int(mode)):
            raise DataError(f"{file}: line {number}: mode is {mode:g}; modes are counted from 0, the fundamental one")
        if np.isfinite(have.get("level", np.nan)):
            levels.add(have["level"])
        found.append((number, (int(mode), frequency, velocity, low, high, have.get("quality", np.nan))))
    if len(levels) > 1:
        raise DataError(f"{file}: intervals are of several levels, {sorted(levels)}; give them one")
    return _picks(file, found, levels.pop() if levels else 0.9)


def _table(
    file: Path, rows: list[tuple[int, int, list[float]]], names: list[str], first: First, level: float
) -> CurvePicks:
    width = len(rows[0][2])
    if wrong := next((row for row in rows if len(row[2]) != width), None):
        raise DataError(f"{file}: line {wrong[0]} has {len(wrong[2])} columns, the first row has {width}")
    if not 2 <= width <= 4:
        raise DataError(f"{file}: has {width} columns; curves have 2 (frequency, velocity) to 4 (with two bounds)")
    named_wavelength = bool(names) and "wavelength" in names[0]
    if names and not any(word in names[0] for word in ("freq", "wavelength", "hz")) and first == "auto":
        raise DataError(f"{file}: the first column is called {names[0]!r}. Say whether it is frequency or wavelength")
    values = np.array([row[2] for row in rows])
    is_slowness = "slow" in names[1] if len(names) > 1 else bool((values[:, 1] < 1 / SLOWEST_M_S).all())
    sigma = float(norm.ppf(0.5 + level / 2))
    middle = values[:, 1]
    low, high = np.full((2, len(middle)), np.nan)
    if width == 3:
        low, high = middle - sigma * values[:, 2], middle + sigma * values[:, 2]
    elif width == 4:
        low, high = values[:, 2], values[:, 3]
    if is_slowness:
        with np.errstate(divide="ignore"):
            middle, low, high = 1 / middle, 1 / high, 1 / low
    x = middle / values[:, 0] if first == "wavelength" or (first == "auto" and named_wavelength) else values[:, 0]
    found = [
        (row[0], (row[1], float(x[i]), float(middle[i]), float(low[i]), float(high[i]), np.nan))
        for i, row in enumerate(rows)
    ]
    return _picks(file, found, level)


def _picks(file: Path, rows: list[tuple[int, Row]], level: float) -> CurvePicks:
    """Return rows on one axis of frequencies; modes are filled with NaN where they have none."""
    for number, (_, f, velocity, low, high, _) in rows:
        if not (0 < f < np.inf and 0 < velocity < np.inf):
            raise DataError(f"{file}: line {number}: {f:g} Hz and {velocity:g} m/s; both must be above 0")
        if low > velocity or high < velocity or low <= 0:
            raise DataError(f"{file}: line {number}: {velocity:g} m/s does not lie within {low:g} to {high:g} m/s")
    frequency = np.unique([row[1] for _, row in rows])
    shape = (max(row[0] for _, row in rows) + 1, len(frequency))
    arrays = np.full((4, *shape), np.nan)
    for number, (mode, at, *values) in rows:
        j = int(np.searchsorted(frequency, at))
        if np.isfinite(arrays[0, mode, j]):
            raise DataError(f"{file}: line {number}: mode {mode} has {at:g} Hz a second time; keep one")
        arrays[:, mode, j] = values
    velocities, lows, highs, quality = arrays
    return CurvePicks(frequency, velocities, lows, highs, quality, level)
