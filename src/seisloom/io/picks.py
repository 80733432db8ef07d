"""Tables of picks: arrivals that people made, and what goes to inversion and processing.

Reads tlArrival.mat (MATLAB 5 and 7.3), CSV and .sgt; writes CSV, Parquet, .sgt and first breaks into SEG-Y headers.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seisloom.errors import DataError, MissingDataError, OutputError
from seisloom.io.segy import TRACE_HEADER, read_layout
from seisloom.sample import Array

if TYPE_CHECKING:
    import pandas as pd

ARRIVAL_NAMES = ("tlArrival", "tArrival", "arrivals", "Arrival", "picks", "Picks")
FIELDS = ("eventid", "station", "time", "error")
"""Fields of the struct, in any case; error is uncertainty in s and may be missing."""
ARRIVAL_COLUMNS = ("geometry", "station", "shot_id", "pick_time_s", "pick_uncertainty_s", "pick_status")
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

    try:
        # As text: a station may be called 007, or NA
        table = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: not a CSV table: {str(error).strip()}") from error
    table.columns = table.columns.str.strip()
    missing = [name for name in ("station", "shot_id", "pick_time_s") if name not in table]
    if missing:
        raise DataError(f"{file}: column {missing[0]} is missing; there are {', '.join(map(str, table.columns))}")
    if "uncertainty_s" in table and "pick_uncertainty_s" not in table:
        table = table.rename(columns={"uncertainty_s": "pick_uncertainty_s"})
    for name in ("geometry", "station", "pick_status"):
        table[name] = table[name].str.strip() if name in table else ""
    for name in ("shot_id", "pick_time_s", "pick_uncertainty_s"):
        table[name] = _numbers(file, table[name]) if name in table else np.nan
    _refuse(file, table["station"] == "", "station is empty")
    _refuse(file, table["shot_id"].isna(), "shot_id is empty")
    _refuse(file, table["shot_id"] % 1 != 0, "shot_id is not a whole number")
    table["shot_id"] = table["shot_id"].astype(np.int64)
    known, said = table["pick_time_s"].notna(), table["pick_status"]
    table["pick_status"] = said.where(said != "", np.where(known, "picked", "unpicked"))
    _refuse(file, ~table["pick_status"].isin(STATUSES), f"pick_status is none of {', '.join(STATUSES)}")
    _refuse(file, (table["pick_status"] == "picked") & ~known, "pick_status is picked, and there is no pick_time_s")
    _refuse(file, (table["pick_status"] != "picked") & known, "there is a pick_time_s, and pick_status is not picked")
    return table[list(ARRIVAL_COLUMNS)]


def _numbers(file: Path, column: pd.Series[str]) -> pd.Series[float]:
    import pandas as pd

    text = column.str.strip()
    empty = text.str.lower().isin(("", "nan", "na", "null", "none"))
    numbers = pd.to_numeric(text.where(~empty, "nan"), errors="coerce").astype(np.float64)
    _refuse(file, (numbers.isna() & ~empty) | np.isinf(numbers), f"{column.name} is not a number")
    return numbers


def _refuse(file: Path, bad: pd.Series[bool], what: str) -> None:
    if bad.any():
        raise DataError(
            f"{file}: line {int(np.flatnonzero(bad)[0]) + 2}: {what} ({int(bad.sum())} of {len(bad)} lines)"
        )


def _read_mat(file: Path) -> pd.DataFrame:
    import pandas as pd

    columns = _mat_73(file) if _is_hdf5(file) else _mat_5(file)
    n_picks = len(columns["time"])
    if len(columns["error"]) <= 1:  # left empty, or one error for all
        columns["error"] = np.full(n_picks, columns["error"][0] if len(columns["error"]) else np.nan)
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) != 1:
        raise DataError(f"{file}: its fields differ in length: {lengths}")
    shot_id = columns["eventid"]
    if np.any(shot_id % 1 != 0):  # NaN and Inf too
        raise DataError(f"{file}: eventid {shot_id[shot_id % 1 != 0][0]} is not a whole number")
    time_s = np.where(np.isfinite(columns["time"]), columns["time"], np.nan)
    table = pd.DataFrame(
        {
            "geometry": "", "station": columns["station"], "shot_id": shot_id.astype(np.int64), "pick_time_s": time_s,
            "pick_uncertainty_s": columns["error"], "pick_status": np.where(np.isnan(time_s), "unpicked", "picked"),
        }
    )  # fmt: skip
    return table[list(ARRIVAL_COLUMNS)]


def _is_hdf5(file: Path) -> bool:
    with file.open("rb") as opened:
        head = opened.read(1024)
    return b"\x89HDF\r\n\x1a\n" in head


def _mat_5(file: Path) -> dict[str, Any]:  # Any: arrays of numbers, lists of text
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        stored = loadmat(file, squeeze_me=False, struct_as_record=False)
    except (MatReadError, ValueError, TypeError, NotImplementedError, OSError, zlib.error) as error:
        raise DataError(f"{file}: not a MATLAB file, or a damaged one: {error}") from error
    name = _variable(file, stored)
    # One struct of columns, or a struct array with a pick each
    structs = np.ravel(stored[name])
    there = {field.lower(): field for field in getattr(structs[0], "_fieldnames", ())} if structs.size else {}
    _require(file, name, there)
    columns: dict[str, Any] = {"error": np.empty(0)}  # Any: as above
    for field in set(FIELDS) & set(there):
        values = [np.ravel(getattr(one, there[field])) for one in structs]
        columns[field] = (
            [_text(cell) for some in values for cell in some]
            if field == "station"
            else np.concatenate(values).astype(np.float64)
        )
    return columns


def _mat_73(file: Path) -> dict[str, Any]:  # Any: arrays of numbers, lists of text
    import h5py

    try:
        with h5py.File(file, "r") as stored:
            name = _variable(file, stored)
            group = stored[name]
            there = {field.lower(): field for field in group} if isinstance(group, h5py.Group) else {}
            _require(file, name, there)
            columns: dict[str, Any] = {"error": np.empty(0)}  # Any: as above
            for field in set(FIELDS) & set(there):
                values = _cells_73(stored, group[there[field]])
                columns[field] = _texts_73(values) if field == "station" else _floats_73(values)
            return columns
    except (OSError, KeyError, RuntimeError) as error:
        raise DataError(f"{file}: a damaged MATLAB 7.3 file: {error}") from error


def _cells_73(stored: Any, dataset: Any) -> list[Array]:  # Any: h5py's objects, which have no types
    """Return the arrays that a cell array or a struct array refers to, or the one array that it is."""
    import h5py

    cells = [dataset]
    if h5py.check_ref_dtype(dataset.dtype) is not None:
        cells = [stored[reference] for reference in np.ravel(dataset[()])]
    # An empty array is stored as its size
    return [np.empty(0) if cell.attrs.get("MATLAB_empty", 0) else np.asarray(cell[()]) for cell in cells]


def _floats_73(cells: list[Array]) -> Array:
    return np.concatenate([np.ravel(cell).astype(np.float64) for cell in cells]) if cells else np.empty(0)


def _texts_73(cells: list[Array]) -> list[str]:
    """Return names: of each cell, of the rows of one matrix of characters, or of numbers."""
    if len(cells) == 1 and cells[0].dtype.kind == "u" and cells[0].ndim == 2:
        cells = list(cells[0].T)  # HDF5 has MATLAB's columns as rows
    texts = []
    for cell in cells:
        if cell.dtype.kind == "u":  # UTF-16 code units
            texts.append(np.ravel(cell).astype("<u2").tobytes().decode("utf-16-le", errors="replace").strip())
        else:
            texts += [_text(number) for number in np.ravel(cell)] or [""]
    return texts


def _variable(file: Path, stored: Any) -> str:  # Any: a mapping of either reader
    for name in ARRIVAL_NAMES:
        if name in stored:
            return name
    there = ", ".join(sorted(name for name in stored if not name.startswith(("_", "#"))))
    raise DataError(f"{file}: none of the variables {', '.join(ARRIVAL_NAMES)}; there are {there or 'none'}")


def _require(file: Path, name: str, there: Mapping[str, str]) -> None:
    missing = [field for field in FIELDS[:3] if field not in there]
    if missing:
        raise DataError(f"{file}: variable {name} has no field {missing[0]}; it needs eventid, station and time")


def _text(value: Any) -> str:  # Any: MATLAB's nested cells
    while isinstance(value, np.ndarray):
        if value.size == 0:
            return ""
        value = value.flat[0]
    whole = isinstance(value, float | np.floating) and float(value).is_integer()
    return str(int(value) if whole else value).strip()


def write_picks(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table of picks; the suffix chooses .csv, .parquet, .sgt or SEG-Y (.segy, .sgy).

    .sgt keeps picks that are not abstained from and have coordinates, with `err` = half of the interval, or sigma
    without one; no such column where a pick has neither.

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
            _write_first_breaks(table, file, partial)
        else:
            raise DataError(f"{file}: no such format of picks. Use .csv, .parquet, .sgt, .segy or .sgy")
        os.replace(partial, file)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
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
    number = np.ravel(number) + 1
    half = (kept["upper_s"] - kept["lower_s"]).to_numpy(float) / 2
    error = np.where(np.isfinite(half), half, kept["sigma_s"].to_numpy(float))
    has_error = bool(np.all(np.isfinite(error)))
    # In a file with x and y alone, y is the elevation
    on_a_map = bool(np.any(points[:, 1]))
    yield f"{len(points)} # shot/geophone points"
    yield "#x y z" if on_a_map else "#x y"
    for x, y in points:
        yield f"{x:.4f} {y:.4f}" + (" 0" if on_a_map else "")
    yield f"{len(kept)} # measurements"
    yield "#s g t err" if has_error else "#s g t"
    for s, g, t, e in zip(number[: len(kept)], number[len(kept) :], kept["time_s"], error, strict=True):
        yield f"{s} {g} {t:.7f}" + (f" {e:.7f}" if has_error else "")


def read_sgt(path: str | Path) -> pd.DataFrame:
    """Return the measurements of a unified data file: source_x, source_y, group_x, group_y, time_s, error_s (or NaN).

    Raises:
        DataError: if a count or a column is missing.
    """
    import pandas as pd

    file = Path(path)
    if not file.is_file():
        raise MissingDataError(f"{file}: no such file of picks")
    try:
        lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        points, rest = _sgt_block(lines)
        body, _ = _sgt_block(rest)
        place = np.column_stack(list(points.values())[:2])
        if place.shape[1] < 2:
            raise ValueError("points have no x and y")
        source, group = (place[_point_numbers(body[end], len(place))] for end in ("s", "g"))
        time_s = body["t"]
    except (IndexError, ValueError, KeyError) as error:
        raise DataError(f"{file}: not a unified data file (points, then columns s g t): {error}") from error
    return pd.DataFrame(
        {
            "source_x": source[:, 0], "source_y": source[:, 1], "group_x": group[:, 0], "group_y": group[:, 1],
            "time_s": time_s, "error_s": body.get("err", np.full(len(time_s), np.nan)),
        }
    )  # fmt: skip


def _sgt_block(lines: list[str]) -> tuple[dict[str, Array], list[str]]:
    """Return the columns of one block (a count, a line of names, so many rows), and the lines behind it."""
    count = next((k for k, line in enumerate(lines) if not line.startswith("#")), len(lines))
    n_rows, names = int(lines[count].split()[0]), ["x", "y", "z"]
    first = count + 1
    if first < len(lines) and lines[first].startswith("#"):
        names, first = lines[first].lstrip("#").split(), first + 1
    rows = [[float(value) for value in line.split("#")[0].split()] for line in lines[first : first + n_rows]]
    if len(rows) != n_rows:
        raise ValueError(f"{n_rows} rows are announced and {len(rows)} there")
    width = min([len(names), *map(len, rows)])
    table = np.array([row[:width] for row in rows], dtype=np.float64).reshape(n_rows, width)
    return dict(zip(names, table.T, strict=False)), lines[first + n_rows :]


def _point_numbers(column: Array, n_points: int) -> Array:
    """Return the numbers of points from 0; in the file they count from 1."""
    if np.any((column < 1) | (column > n_points) | (column % 1 != 0)):
        raise ValueError(f"point numbers from {column.min():g} to {column.max():g}, and there are {n_points} points")
    return column.astype(np.intp) - 1


def _write_first_breaks(table: pd.DataFrame, out: Path, partial: Path) -> None:
    """Copy the one SEG-Y file of the table and write times, in microseconds, into its trace headers."""
    sources = [Path(one) for one in table["path"].unique()]
    if len(sources) != 1:
        raise DataError(
            f"{out}: first breaks go into a copy of one SEG-Y file; these picks are of {len(sources)} files"
        )
    if not sources[0].is_file():
        raise MissingDataError(f"{sources[0]}: no such SEG-Y file, of which {out} would be a copy")
    if out.exists() and out.samefile(sources[0]):
        raise OutputError(f"{out}: is the file that was picked, and stays as it is. Choose another name")
    kept = table[table["status"] == "picked"]
    trace, n_traces = kept["trace"].to_numpy(int), read_layout(sources[0]).n_traces
    if np.any((trace < 0) | (trace >= n_traces)):
        raise DataError(f"{sources[0]}: has {n_traces} traces, and trace {trace.max()} is picked")
    microseconds = np.full(n_traces, np.nan)
    microseconds[trace] = kept["time_s"].to_numpy(float) * 1e6
    shutil.copyfile(sources[0], partial)
    write_header_word(partial, microseconds)


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
    whole = np.where(np.isfinite(values), np.round(np.nan_to_num(values)), NO_FIRST_BREAK)
    limits = np.iinfo(np.int32)
    if np.any((whole < limits.min) | (whole > limits.max)):
        raise DataError(f"{path}: {np.abs(values).max():g} does not fit a word of four bytes")
    words = whole.astype("<i4" if layout.little_endian else ">i4")
    starts = layout.starts
    if starts is None:
        starts = layout.first_trace + layout.trace_bytes * np.arange(layout.n_traces)
    view = np.memmap(path, np.uint8, mode="r+")
    view[starts[:, None] + (byte - 1 + np.arange(4))] = words.view(np.uint8).reshape(-1, 4)
    view.flush()
