"""Tables of picks: arrivals that people made, and what goes to inversion and processing.

Reads tlArrival.mat (MATLAB 5 and 7.3), CSV and .sgt; writes CSV, Parquet, .sgt and first breaks into SEG-Y headers.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seisloom.errors import DataError, MissingDataError, OutputError
from seisloom.io.segy import TRACE_HEADER, read_layout
from seisloom.sample import Array

if TYPE_CHECKING:
    import pandas as pd

ARRIVAL_NAMES = ("tlArrival", "tArrival", "arrivals", "Arrival", "picks", "Picks")
STATUSES = ("picked", "unpicked", "no_arrival")
FIRST_BREAK_BYTE = 233
"""First of four bytes that SEG-Y rev 1 leaves unassigned at the end of a trace header."""
NO_FIRST_BREAK = -2147483648
"""Stands for a trace without a pick: 0 is a time, and so is -1 ms."""


def read_arrivals(path: str | Path) -> pd.DataFrame:
    """Return picks by station and shot, one row each, as the file has them (duplicates included).

    Args:
        path: tlArrival.mat or a CSV with columns station, shot_id, pick_time_s and, if known, geometry,
            uncertainty_s and pick_status.
    Returns:
        Columns geometry ("" if not given), station, shot_id, pick_time_s (s after the shot, NaN without),
        pick_uncertainty_s (NaN unknown), pick_status (picked, unpicked or no_arrival).
    Raises:
        MissingDataError: if there is no such file.
        DataError: if columns or variables are missing, or a value is not a number.
    """
    file = Path(path)
    if not file.is_file():
        raise MissingDataError(f"{file}: no such file of arrivals. Give one: --arrivals picks.csv")
    return _read_csv(file) if file.suffix.lower() == ".csv" else _read_mat(file)


def _read_csv(file: Path) -> pd.DataFrame:
    import pandas as pd

    table = pd.read_csv(file, dtype={"geometry": str, "station": str}, keep_default_na=True)
    missing = [name for name in ("station", "shot_id", "pick_time_s") if name not in table]
    if missing:
        raise DataError(f"{file}: column {missing[0]} is missing; there are {', '.join(map(str, table.columns))}")
    if "uncertainty_s" in table and "pick_uncertainty_s" not in table:
        table = table.rename(columns={"uncertainty_s": "pick_uncertainty_s"})
    for name in ("shot_id", "pick_time_s", "pick_uncertainty_s"):
        if name not in table:
            table[name] = np.nan
        numbers = pd.to_numeric(table[name], errors="coerce")
        bad = table[name].notna() & numbers.isna()
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise DataError(f"{file}: line {row + 2}: {name} is {table[name].iloc[row]!r}, not a number")
        table[name] = numbers
    if table["shot_id"].isna().any():
        raise DataError(f"{file}: line {int(np.flatnonzero(table['shot_id'].isna())[0]) + 2}: shot_id is empty")
    if "geometry" not in table:
        table["geometry"] = ""
    table["geometry"] = table["geometry"].fillna("")
    if "pick_status" not in table:
        table["pick_status"] = np.where(table["pick_time_s"].notna(), "picked", "unpicked")
    unknown = set(table["pick_status"]) - set(STATUSES)
    if unknown:
        raise DataError(f"{file}: pick_status {sorted(map(str, unknown))[0]!r} is not one of {', '.join(STATUSES)}")
    table["shot_id"] = table["shot_id"].astype(np.int64)
    return table[["geometry", "station", "shot_id", "pick_time_s", "pick_uncertainty_s", "pick_status"]]


def _read_mat(file: Path) -> pd.DataFrame:
    import pandas as pd

    columns = _mat_73(file) if _is_hdf5(file) else _mat_5(file)
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) != 1:
        raise DataError(f"{file}: eventid, station and time differ in length: {lengths}")
    table = pd.DataFrame(columns)
    table["shot_id"] = table["shot_id"].astype(np.int64)
    table["geometry"] = ""
    table["pick_uncertainty_s"] = table.get("pick_uncertainty_s", np.nan)
    table["pick_status"] = np.where(table["pick_time_s"].notna(), "picked", "unpicked")
    return table[["geometry", "station", "shot_id", "pick_time_s", "pick_uncertainty_s", "pick_status"]]


def _is_hdf5(file: Path) -> bool:
    with file.open("rb") as opened:
        head = opened.read(1024)
    return b"\x89HDF\r\n\x1a\n" in head


def _mat_5(file: Path) -> dict[str, Any]:  # Any: columns of a table
    from scipy.io import loadmat

    try:
        stored = loadmat(file, squeeze_me=False, struct_as_record=False)
    except (ValueError, TypeError, NotImplementedError, OSError) as error:
        raise DataError(f"{file}: not a MATLAB file: {error}") from error
    name = _variable(file, stored)
    found = stored[name].flat[0]
    fields = {field: getattr(found, field, None) for field in ("eventid", "station", "time", "error")}
    _require(file, name, fields)
    columns = {
        "station": [_text(one) for one in np.ravel(fields["station"])],
        "shot_id": np.ravel(fields["eventid"]),
        "pick_time_s": np.ravel(fields["time"]).astype(float),
    }
    if fields["error"] is not None and np.size(fields["error"]) == np.size(fields["time"]):
        columns["pick_uncertainty_s"] = np.ravel(fields["error"]).astype(float)
    return columns


def _mat_73(file: Path) -> dict[str, Any]:  # Any: columns of a table
    import h5py

    with h5py.File(file, "r") as stored:
        name = _variable(file, stored)
        group = stored[name]
        fields = {field: group.get(field) for field in ("eventid", "station", "time", "error")}
        _require(file, name, fields)
        stations = np.ravel(fields["station"][()])
        columns: dict[str, Any] = {
            # A cell array holds references to arrays of UTF-16 code units
            "station": ["".join(chr(int(code)) for code in np.ravel(stored[one][()])) for one in stations],
            "shot_id": np.ravel(fields["eventid"][()]),
            "pick_time_s": np.ravel(fields["time"][()]).astype(float),
        }
        if fields["error"] is not None:
            columns["pick_uncertainty_s"] = np.ravel(fields["error"][()]).astype(float)
    return columns


def _variable(file: Path, stored: Any) -> str:  # Any: a mapping of either reader
    for name in ARRIVAL_NAMES:
        if name in stored:
            return name
    there = ", ".join(sorted(name for name in stored if not name.startswith(("_", "#"))))
    raise DataError(f"{file}: none of the variables {', '.join(ARRIVAL_NAMES)}; there are {there or 'none'}")


def _require(file: Path, name: str, fields: dict[str, Any]) -> None:  # Any: arrays of either reader
    missing = [field for field in ("eventid", "station", "time") if fields[field] is None]
    if missing:
        raise DataError(f"{file}: variable {name} has no field {missing[0]}; it needs eventid, station and time")


def _text(value: Any) -> str:  # Any: MATLAB's nested cells
    while isinstance(value, np.ndarray):
        if value.size == 0:
            return ""
        value = value.flat[0]
    return str(value).strip()


def write_picks(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table of picks; the suffix chooses .csv, .parquet, .sgt or SEG-Y (.segy, .sgy).

    .sgt keeps picks that are not abstained from, with `err` = half of the interval, or sigma without one.

    Raises:
        DataError: for an unknown suffix, or a table that lacks what the format needs.
        OutputError: if the file cannot be written.
    """
    file = Path(path)
    partial = file.with_name(file.name + ".partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".csv":
            table.to_csv(partial, index=False, float_format="%.9g")
        elif file.suffix == ".parquet":
            table.to_parquet(partial, index=False)
        elif file.suffix == ".sgt":
            partial.write_text("\n".join(sgt_lines(table)) + "\n", encoding="utf-8")
        elif file.suffix.lower() in (".segy", ".sgy"):
            _write_first_breaks(table, partial)
        else:
            raise DataError(f"{file}: no such format of picks. Use .csv, .parquet, .sgt, .segy or .sgy")
        os.replace(partial, file)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OutputError(f"{file}: cannot be written: {error.strerror or error}") from error


def sgt_lines(table: pd.DataFrame) -> Iterator[str]:
    """Yield the lines of a pyGIMLi unified data file: points, then `s g t err` with points counted from 1."""
    needed = ("source_x", "source_y", "group_x", "group_y")
    kept = table[(table["status"] == "picked") & table["time_s"].notna()]
    known = kept.reindex(columns=list(needed)).notna().all(axis=1)
    if kept.empty or not known.any():
        raise DataError(
            ".sgt needs coordinates of sources and receivers, and the records have none. Write .csv, or put "
            "coordinates into the headers (bytes 73-88)"
        )
    kept = kept[known]
    ends = np.concatenate([kept[["source_x", "source_y"]].to_numpy(), kept[["group_x", "group_y"]].to_numpy()])
    points, number = np.unique(np.round(ends, 4), axis=0, return_inverse=True)
    number = np.ravel(number)
    half = (kept["upper_s"] - kept["lower_s"]).to_numpy(float) / 2
    error = np.where(np.isfinite(half), half, kept["sigma_s"].to_numpy(float))
    yield f"{len(points)} # shot/geophone points"
    yield "#x y"
    for x, y in points:
        yield f"{x:.4f} {y:.4f}"
    yield f"{len(kept)} # measurements"
    yield "#s g t err"
    for s, g, t, e in zip(number[: len(kept)], number[len(kept) :], kept["time_s"], error, strict=True):
        yield f"{s + 1} {g + 1} {t:.7f} {e:.7f}"


def read_sgt(path: str | Path) -> pd.DataFrame:
    """Return the measurements of a unified data file: source_x, source_y, group_x, group_y, time_s, error_s (or NaN).

    Raises:
        DataError: if a count or a column is missing.
    """
    import pandas as pd

    file = Path(path)
    rows = [
        line.split("#")[0].split() if not line.startswith("#") else line.split()
        for line in file.read_text().splitlines()
    ]
    lines = [row for row in rows if row]
    try:
        n_points = int(lines[0][0])
        start = 2 if lines[1][0].startswith("#") else 1
        points = np.array([[float(value) for value in row[:2]] for row in lines[start : start + n_points]])
        n_data = int(lines[start + n_points][0])
        names = [name.lstrip("#") for name in lines[start + n_points + 1] if name != "#"]
        body = np.array([[float(v) for v in row] for row in lines[start + n_points + 2 :][:n_data]])
        columns = dict(zip(names, body.T, strict=True))
        s, g = columns["s"].astype(int) - 1, columns["g"].astype(int) - 1
        time_s = columns["t"]
    except (IndexError, ValueError, KeyError) as error:
        raise DataError(f"{file}: not a unified data file (points, then columns s g t): {error!r}") from error
    if len(body) != n_data:
        raise DataError(f"{file}: says {n_data} measurements and has {len(body)}")
    return pd.DataFrame(
        {
            "source_x": points[s, 0], "source_y": points[s, 1], "group_x": points[g, 0], "group_y": points[g, 1],
            "time_s": time_s, "error_s": columns.get("err", np.full(n_data, np.nan)),
        }
    )  # fmt: skip


def _write_first_breaks(table: pd.DataFrame, out: Path) -> None:
    """Copy the one SEG-Y file of the table and write times, in microseconds, into its trace headers."""
    sources = table["path"].unique()
    if len(sources) != 1 or not Path(sources[0]).is_file():
        raise DataError(f"first breaks go into a copy of one SEG-Y file; these picks are of {len(sources)} files")
    microseconds = np.full(read_layout(sources[0]).n_traces, np.nan)
    kept = table[table["status"] == "picked"]
    microseconds[kept["trace"].to_numpy(int)] = kept["time_s"].to_numpy(float) * 1e6
    shutil.copyfile(sources[0], out)
    write_header_word(out, microseconds)


def write_header_word(path: Path, values: Array, *, byte: int = FIRST_BREAK_BYTE) -> None:
    """Write a four-byte integer into every trace header of a file, in place; NaN becomes NO_FIRST_BREAK.

    First breaks go in microseconds into bytes 233-236, which SEG-Y rev 1 leaves free: milliseconds in a 16-bit word
    such as 105-106 would round to 1 ms, four samples of a refraction record.

    Args:
        path: SEG-Y file that is changed.
        values: shape (trace,).
        byte: first byte of the word, 1 to 237.
    """
    layout = read_layout(path)
    if np.shape(values) != (layout.n_traces,) or not 1 <= byte <= TRACE_HEADER - 3:
        raise DataError(f"{path}: {np.shape(values)} values at byte {byte} for {layout.n_traces} traces")
    order = "<" if layout.little_endian else ">"
    kind = np.dtype(
        {"names": ["word"], "formats": [order + "i4"], "offsets": [byte - 1], "itemsize": layout.trace_bytes}
    )
    view = np.memmap(path, dtype=kind, mode="r+", offset=layout.first_trace, shape=(layout.n_traces,))
    whole = np.where(np.isfinite(values), np.round(np.nan_to_num(values)), NO_FIRST_BREAK)
    view["word"] = whole.astype(np.int64)
    view.flush()
