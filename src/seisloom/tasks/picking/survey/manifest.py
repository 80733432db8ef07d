"""The manifest of a survey as a file: one row a trace, with its shot, its pick, and what its header says."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seisloom.errors import DataError, MissingDataError, OutputError
from seisloom.io.picks import STATUSES
from seisloom.io.segy import read_headers
from seisloom.tasks.picking.survey.layout import check_geometries, read_json

if TYPE_CHECKING:
    import pandas as pd

NAME, REPORT = "picks_manifest.csv", "manifest_report.json"
COLUMNS = (
    "geometry", "station", "segy_path", "trace_index", "shot_id", "pick_time_s", "pick_status", "pick_uncertainty_s",
    "sampling_rate_hz", "n_samples", "delay_s", "offset_m", "source_x", "source_y", "group_x", "group_y",
    "header_used", "alignment",
)  # fmt: skip
TEXTS = dict.fromkeys(("geometry", "station", "segy_path", "pick_status", "header_used", "alignment"), "str")
WHOLE = ("trace_index", "shot_id", "n_samples")
FLOATS = {name: "float64" for name in COLUMNS if name not in TEXTS and name not in WHOLE}


def write_manifest(table: pd.DataFrame, report: Mapping[str, Any], folder: Path) -> None:  # Any: JSON values
    """Write a manifest and its report to a geometry's folder, each beside and renamed.

    Raises:
        OutputError: if the folder cannot be written.
    """
    partial_file = folder / f"{NAME}.partial"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in ((NAME, _csv(table)), (REPORT, (json.dumps(report, indent=1) + "\n").encode())):
            partial_file = folder / f"{name}.partial"
            partial_file.write_bytes(content)
            os.replace(partial_file, folder / name)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial_file.unlink()
        raise OutputError(f"{folder}: cannot be written: {error.strerror}. Choose another folder: --out DIR") from error


def _csv(table: pd.DataFrame) -> bytes:
    """Return a table as CSV, numbers in the fewest digits that give them back; pandas takes ten times as long."""
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyarrow import csv

    columns = pa.Table.from_pandas(table, preserve_index=False)
    for quoting in ("none", "needed"):  # the latter quotes all text, the former refuses a name with a comma
        text = io.BytesIO((",".join(table.columns) + "\n").encode())
        text.seek(0, io.SEEK_END)
        with contextlib.suppress(pa.ArrowInvalid):
            csv.write_csv(columns, text, csv.WriteOptions(include_header=False, quoting_style=quoting))
            break
    return text.getvalue()


def survey_root(folder: Path) -> Path:
    """Return the folder that a manifest's paths are relative to: its own, or the one that its report names.

    Raises:
        MissingDataError: if the survey is not where the report says.
    """
    for report in sorted(folder.glob(f"geometries/*/{REPORT}")):
        named = read_json(report).get("root")
        if named:
            if not Path(named).is_dir():
                raise MissingDataError(
                    f"{report}: the survey was in {named}, which is not there. Build the manifest again"
                )
            return Path(named)
    return folder


def read_manifest(root: str | Path, geometries: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the rows of a survey's manifests; missing numbers are NaN.

    Raises:
        MissingDataError: if a manifest is not there.
        DataError: if a manifest is not what `build_manifest` writes.
    """
    import pandas as pd

    folder = Path(root)
    names = list(geometries) if geometries else sorted(path.parent.name for path in folder.glob(f"geometries/*/{NAME}"))
    if not names:
        raise MissingDataError(f"{folder}: no geometries/*/{NAME}. Build it: seisloom manifest build {folder}")
    check_geometries(folder, names)
    tables = []
    for name in names:
        file = folder / "geometries" / name / NAME
        if not file.is_file():
            there = sorted(path.parent.name for path in folder.glob(f"geometries/*/{NAME}"))
            raise MissingDataError(f"{file}: no such manifest; there are {', '.join(there) or 'none'}")
        tables.append(_read_one(file))
    return pd.concat(tables, ignore_index=True)


def _read_one(file: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        # A station may be called NA; only numbers can be missing
        empty: dict[str, Any] = {name: [""] for name in FLOATS}  # Any: what pandas-stubs ask for
        table = pd.read_csv(
            file, dtype=TEXTS | FLOATS | dict.fromkeys(WHOLE, "int64"), keep_default_na=False, na_values=empty
        )
    except (ValueError, pd.errors.ParserError) as error:
        raise DataError(f"{file}: not a manifest: {error}. Build it again: seisloom manifest build ROOT") from error
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise DataError(f"{file}: column {missing[0]} is missing. Build it again: seisloom manifest build ROOT")
    unknown = set(table["pick_status"]) - set(STATUSES)
    if unknown:
        raise DataError(f"{file}: pick_status {sorted(map(str, unknown))[0]!r} is not one of {', '.join(STATUSES)}")
    bad = (table["pick_status"] == "picked") != table["pick_time_s"].notna()
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise DataError(f"{file}: line {row + 2}: status {table['pick_status'].iloc[row]} does not fit its pick_time_s")
    return table


def check_manifest(path: str | Path) -> str:
    """Return what a manifest holds, after checking that its files are there and as long as it says.

    Args:
        path: a manifest, or a survey's folder.
    """
    file = Path(path)
    root = file if file.is_dir() else file.absolute().parents[2]
    table = read_manifest(root, None if file.is_dir() else [file.parent.name])
    root = survey_root(root)
    for segy_path, rows in table.groupby("segy_path"):
        headers = read_headers(root / str(segy_path))
        index = rows["trace_index"].to_numpy()
        if np.any((index < 0) | (index >= headers.n_traces)) or np.any(rows["n_samples"] != headers.n_samples[index]):
            raise DataError(
                f"{root / str(segy_path)}: has {headers.n_traces} traces of {headers.layout.n_samples} samples, the "
                f"manifest says otherwise. Build it again: seisloom manifest build {root}"
            )
    said = ", ".join(f"{count} {name}" for name, count in counts(table["pick_status"]).items())
    return f"{path}: {len(table)} traces of {table['segy_path'].nunique()} files are as the manifest says: {said}"


def counts(column: Any) -> dict[str, int]:  # Any: a pandas Series
    """Return how often each value stands in a column."""
    return {str(name): int(count) for name, count in column.value_counts().items()}
