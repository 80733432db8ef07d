"""The unified data format of pyGIMLi and BERT (`.sgt`): points, then travel times between them with errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seisloom.errors import DataError, MissingDataError

if TYPE_CHECKING:
    import pandas as pd

ENDS = ("source_x", "source_y", "group_x", "group_y")


def read_sgt(path: str | Path) -> pd.DataFrame:
    """Return the measurements of a unified data file, one row each.

    Points are counted from 1 in the file. A second coordinate is returned as y, whether the file calls it y or z.
    Rows that the file marks as not valid (`valid` 0) are left out.

    Returns:
        Columns source_x, source_y, group_x, group_y in m, time_s, error_s (column `err`; NaN without).
    Raises:
        MissingDataError: if there is no such file.
        DataError: if a count, a column or a point is missing; with the line.
    """
    import pandas as pd

    file = Path(path)
    if not file.is_file():
        raise MissingDataError(f"{file}: no such file")
    lines = [(k + 1, line) for k, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines())]
    lines = [(k, line.strip()) for k, line in lines if line.strip()]
    points, _, rest = _block(file, lines, "points")
    if not rest:
        raise DataError(f"{file}: ends behind its points; their measurements are missing. Copy it again")
    body, names, _ = _block(file, rest, "measurements")
    names = names or ["s", "g", "t", "err"][: body.shape[1]]
    columns = dict(zip(names, body.T, strict=False))
    missing = [name for name in ("s", "g", "t") if name not in columns]
    if missing:
        raise DataError(f"{file}: measurements have no column {missing[0]!r}; there are {', '.join(names)}")
    kept = columns.get("valid", np.ones(len(body))) != 0
    ends = {name: columns[name].astype(int) - 1 for name in ("s", "g")}
    for name, number in ends.items():
        wrong = np.flatnonzero((number < 0) | (number >= len(points)))
        if wrong.size:
            raise DataError(
                f"{file}: measurement {wrong[0] + 1}: {name} is {number[wrong[0]] + 1}; points are 1 to {len(points)}"
            )
    xy = np.column_stack([points, np.zeros(len(points))])[:, :2]
    table = pd.DataFrame(
        {
            "source_x": xy[ends["s"], 0], "source_y": xy[ends["s"], 1], "group_x": xy[ends["g"], 0],
            "group_y": xy[ends["g"], 1], "time_s": columns["t"], "error_s": columns.get("err", np.nan),
        }
    )  # fmt: skip
    return table.iloc[np.flatnonzero(kept)].reset_index(drop=True)


def _block(
    file: Path, lines: list[tuple[int, str]], what: str
) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float64]], list[str], list[tuple[int, str]]]:
    """Return the table that a count begins, the names of its columns if a comment has them, and the lines after it."""
    number, first = lines[0] if lines else (1, "")
    count = first.split("#")[0].split()
    if len(count) != 1 or not count[0].isdigit():
        raise DataError(f"{file}: line {number}: {first[:40]!r} is no number of {what}: not a unified data file (.sgt)")
    names = []
    at = 1
    while at < len(lines) and lines[at][1].startswith("#"):
        names = [one.split("/")[0].lower() for one in lines[at][1].lstrip("# ").split()]
        at += 1
    some = lines[at : at + int(count[0])]
    if len(some) < int(count[0]):
        raise DataError(f"{file}: line {number} says {count[0]} {what}, and {len(some)} follow. Copy it again")
    rows = []
    for line_number, line in some:
        try:
            rows.append([float(one) for one in line.split("#")[0].split()])
        except ValueError as error:
            raise DataError(f"{file}: line {line_number}: {line[:40]!r} is no row of {what}: {error}") from error
    if len({len(row) for row in rows}) > 1:
        raise DataError(f"{file}: the {what} behind line {number} have rows of different length")
    width = len(rows[0]) if rows else 1
    return np.array(rows, dtype=np.float64).reshape(len(rows), width), names, lines[at + len(some) :]


def sgt_lines(table: pd.DataFrame) -> Iterator[str]:
    """Yield the lines of a unified data file: points, then `s g t err` with points counted from 1.

    Picks that are not abstained from and have coordinates are kept. `err` is half of the interval in s, or sigma where
    there is no interval, or the picker's own uncertainty.

    Args:
        table: picks with time_s or pick_time_s, status or pick_status, coordinates in m, and if known lower_s and
            upper_s, sigma_s or pick_uncertainty_s.
    Raises:
        DataError: if no pick has coordinates.
    """
    time = "time_s" if "time_s" in table else "pick_time_s"
    status = "status" if "status" in table else "pick_status"
    picked = table[(table[status] == "picked") & table[time].notna()]
    kept = picked[picked.reindex(columns=list(ENDS)).notna().all(axis=1)]
    if kept.empty:
        raise DataError(
            f".sgt needs coordinates of sources and receivers, and none of the {len(picked)} picks has them. "
            "Write .csv, or put coordinates into the trace headers (bytes 73-88)"
        )
    ends = np.concatenate(
        [kept[["source_x", "source_y"]].to_numpy(float), kept[["group_x", "group_y"]].to_numpy(float)]
    )
    points, numbers = np.unique(np.round(ends, 4), axis=0, return_inverse=True)
    numbers = numbers.reshape(2, len(kept)) + 1
    error_s = _error_s(kept)
    n_unknown = int(np.isnan(error_s).sum())
    if 0 < n_unknown < len(kept):
        raise DataError(f".sgt: {n_unknown} of {len(kept)} picks have no error; give all of them one, or none")
    yield f"{len(points)} # shot/geophone points"
    on_a_map = bool(np.any(points[:, 1]))  # in a file with x and y alone, y is the elevation
    yield "#x y z" if on_a_map else "#x y"
    for x, y in points:
        yield f"{x:.4f} {y:.4f}" + (" 0" if on_a_map else "")
    yield f"{len(kept)} # measurements"
    yield "#s g t" if n_unknown else "#s g t err"
    for s, g, t, e in zip(*numbers, kept[time].to_numpy(float), error_s, strict=True):
        yield f"{s} {g} {t:.7f}" + ("" if n_unknown else f" {e:.7f}")


def _error_s(kept: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the error of each pick in s; NaN where nothing is known."""
    columns = kept.reindex(columns=["lower_s", "upper_s", "sigma_s", "pick_uncertainty_s"]).astype(float)
    error = (columns["upper_s"] - columns["lower_s"]) / 2
    return np.asarray(error.fillna(columns["sigma_s"]).fillna(columns["pick_uncertainty_s"]), dtype=np.float64)
