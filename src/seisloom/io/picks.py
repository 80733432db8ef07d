"""Tables of picks: arrivals that people made, and what goes to inversion and processing.

Reads tlArrival.mat, CSV, Parquet and .sgt; writes CSV, Parquet, .sgt and first breaks into SEG-Y headers.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seisloom.errors import DataError, MissingDataError
from seisloom.io.beside import beside
from seisloom.io.first_breaks import write_first_breaks
from seisloom.io.segy.layout import read_layout
from seisloom.io.sgt import read_sgt, sgt_lines
from seisloom.io.tl_arrival import read_tl_arrival

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "ARRIVAL_COLUMNS", "STATUSES", "read_arrivals", "read_arrivals_csv", "read_picks", "read_sgt", "read_tl_arrival",
    "write_picks",
]  # fmt: skip

STATUSES = ("picked", "unpicked", "no_arrival")
ARRIVAL_COLUMNS = ("geometry", "station", "shot_id", "pick_time_s", "pick_uncertainty_s", "pick_status")
TEXT_COLUMNS = ("station", "geometry", "path", "phase", "status", "reason", "pick_status")


def read_arrivals(path: str | Path) -> pd.DataFrame:
    """Return picks by station and shot, one row each, as the file has them (duplicates included).

    Args:
        path: tlArrival.mat, or a CSV; see `read_tl_arrival` and `read_arrivals_csv`.
    Returns:
        Columns geometry ("" if not given), station, shot_id, pick_time_s (s after the shot, NaN without),
        pick_uncertainty_s (NaN unknown), pick_status (picked, unpicked or no_arrival).
    Raises:
        MissingDataError: if there is no such file.
        DataError: if columns or variables are missing, or a value is not a number.
    """
    return read_arrivals_csv(path) if Path(path).suffix.lower() == ".csv" else read_tl_arrival(path)


def read_arrivals_csv(path: str | Path) -> pd.DataFrame:
    """Return the picks of a CSV with the columns station, shot_id, pick_time_s; see `read_arrivals`.

    Further columns: geometry, uncertainty_s (or pick_uncertainty_s), pick_status. An empty time is a trace that nobody
    picked, unless its status says no_arrival.
    """
    import pandas as pd

    file = Path(path)
    if not file.is_file():
        raise MissingDataError(f"{file}: no such file of arrivals. Give one: --arrivals picks.csv")
    try:
        # As text: a station may be called 007 or NA
        table = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig", skipinitialspace=True)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: not a CSV of picks: {str(error).strip()}") from error
    table = table.rename(columns=str.strip).rename(columns={"uncertainty_s": "pick_uncertainty_s"})
    missing = [name for name in ("station", "shot_id", "pick_time_s") if name not in table]
    if missing:
        raise DataError(f"{file}: column {missing[0]} is missing; there are {', '.join(map(str, table.columns))}")
    for name in ("geometry", "station", "pick_uncertainty_s", "pick_status"):
        table[name] = table[name].str.strip() if name in table else ""
    for name in ("shot_id", "pick_time_s", "pick_uncertainty_s"):
        table[name] = _numbers(file, table[name])
    _first_wrong(file, (table["station"] == "").to_numpy(), "station is empty")
    shots = table["shot_id"].to_numpy(float)
    _first_wrong(file, ~(np.isfinite(shots) & (shots == np.round(shots))), "shot_id is no whole number")
    is_time = table["pick_time_s"].notna()
    table.loc[table["pick_status"] == "", "pick_status"] = np.where(is_time, "picked", "unpicked")[
        table["pick_status"] == ""
    ]
    known = table["pick_status"].isin(STATUSES)
    _first_wrong(file, ~known.to_numpy(), f"pick_status is not one of {', '.join(STATUSES)}")
    _first_wrong(
        file, ((table["pick_status"] == "picked") != is_time).to_numpy(), "pick_status contradicts pick_time_s"
    )
    table["shot_id"] = table["shot_id"].astype(np.int64)
    return table[list(ARRIVAL_COLUMNS)]


def _numbers(file: Path, column: pd.Series[str]) -> pd.Series[float]:
    import pandas as pd

    text = column.str.strip()
    numbers = pd.to_numeric(text.where(~text.str.lower().isin(("", "nan", "na"))), errors="coerce").astype(float)
    bad = numbers.isna() & ~text.str.lower().isin(("", "nan", "na"))
    _first_wrong(file, (bad | np.isinf(numbers)).to_numpy(), f"{column.name} is not a number")
    return numbers


def _first_wrong(file: Path, wrong: np.ndarray[tuple[int], np.dtype[np.bool_]], what: str) -> None:
    """Raise an error that names the first line that is wrong, counted as an editor does."""
    lines = np.flatnonzero(wrong) + 2
    if lines.size:
        more = f" ({lines.size} lines in all)" if lines.size > 1 else ""
        raise DataError(f"{file}: line {lines[0]}: {what}{more}. Correct it, or leave the cell empty where unknown")


def read_picks(path: str | Path) -> pd.DataFrame:
    """Return a table of picks that `write_picks` wrote: .csv, .parquet or .sgt (columns of `read_sgt`)."""
    import pandas as pd

    file = Path(path)
    if not file.is_file():
        raise MissingDataError(f"{file}: no such file of picks")
    try:
        if file.suffix == ".csv":
            numbers = [name for name in pd.read_csv(file, nrows=0).columns if name not in TEXT_COLUMNS]
            # A station may be called NA; only numbers can be missing
            missing: dict[str, list[str]] = {name: [""] for name in numbers}
            texts = dict.fromkeys(TEXT_COLUMNS, str)
            return pd.read_csv(file, dtype=texts, keep_default_na=False, na_values=missing)
        if file.suffix == ".parquet":
            return pd.read_parquet(file)
    except (ValueError, OSError) as error:
        raise DataError(f"{file}: not a table of picks: {error}") from error
    if file.suffix == ".sgt":
        return read_sgt(file)
    raise DataError(f"{file}: no such format of picks. Use .csv, .parquet or .sgt")


def write_picks(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table of picks, beside and renamed; the suffix chooses .csv, .parquet, .sgt or SEG-Y (.segy, .sgy).

    .sgt keeps picks that are not abstained from and have coordinates, see `sgt_lines`. SEG-Y is a copy of the one file
    that was picked (column path), with times in its trace headers, see `write_first_breaks`.

    Raises:
        DataError: for an unknown suffix, or a table that lacks what the format needs.
        OutputError: if the file cannot be written.
    """
    file = Path(path)
    if file.suffix.lower() in (".segy", ".sgy"):
        _write_first_breaks(table, file)
        return
    with beside(file) as partial:
        if file.suffix == ".csv":
            table.to_csv(partial, index=False, float_format="%.9g")
        elif file.suffix == ".parquet":
            table.to_parquet(partial, index=False)
        elif file.suffix == ".sgt":
            partial.write_text("\n".join(sgt_lines(table)) + "\n", encoding="utf-8")
        else:
            raise DataError(f"{file}: no such format of picks. Use .csv, .parquet, .sgt, .segy or .sgy")


def _write_first_breaks(table: pd.DataFrame, out: Path) -> None:
    """Write the picks that are not abstained from into a copy of the file that they were made on."""
    sources = [str(one) for one in table["path"].unique()] if "path" in table else []
    if len(sources) != 1 or not sources[0]:
        raise DataError(
            f"{out}: first breaks go into a copy of one SEG-Y file, and these picks are of {len(sources)} files. "
            "Apply to one file at a time, or write .csv"
        )
    source = Path(sources[0])
    if not source.is_file():
        raise MissingDataError(f"{source}: is not there, and first breaks go into a copy of it. Write .csv")
    try:
        n_traces = read_layout(source).n_traces
    except DataError as error:
        raise DataError(
            f"{out}: first breaks go into a copy of a SEG-Y file, and {source.name} is none. Write .csv, .parquet or "
            ".sgt"
        ) from error
    times = np.full(n_traces, np.nan)
    kept = table[table["status"] == "picked"]
    trace = kept["trace"].to_numpy(int)
    if np.any((trace < 0) | (trace >= n_traces)):
        raise DataError(f"{source}: has {n_traces} traces, and trace {trace.max()} is picked. Apply to this file again")
    times[trace] = kept["time_s"].to_numpy(float)
    write_first_breaks(source, out, times)
