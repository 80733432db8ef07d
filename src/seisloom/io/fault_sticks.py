"""Fault sticks in the text formats of interpretation packages, a row or a line for each node.

A table of nodes has the columns patch, stick, node (numbers from 1, sticks within their patch, nodes from the upper end
down), the names of the lateral axes (inline, crossline or trace), one of `VERTICAL` downwards, and, where known, x_m,
y_m, probability, dip_deg, strike_deg.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seisloom.errors import DataError, MissingDataError, OutputError
from seisloom.io.beside import beside

if TYPE_CHECKING:
    import pandas as pd

VERTICAL = {"time_s": 1e3, "depth_m": 1.0, "sample": 1.0}
"""Columns of the third coordinate, and what it is multiplied by in the formats of other packages: ms, m, samples."""
NUMBERS = ("patch", "stick", "node")
LATERAL = ("inline", "crossline", "trace")
NAME = "fault_{}"
XY_DECIMALS, Z_DECIMALS = 2, 3


def vertical_of(nodes: pd.DataFrame) -> str:
    """Return the name of the third coordinate of a table of nodes."""
    for name in VERTICAL:
        if name in nodes:
            return name
    raise DataError(f"no column {' or '.join(VERTICAL)}; there are {', '.join(map(str, nodes.columns))}")


def check_suffix(path: str | Path, *, has_xy: bool) -> None:
    """Raise before any work if sticks cannot be written to a path.

    Raises:
        OutputError: if no format has its suffix.
        DataError: if the format needs x and y, and they are not known.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in WRITERS:
        raise OutputError(f"{path}: fault sticks are written to {' '.join(WRITERS)}; choose one of these suffixes")
    if suffix == ".dat" and not has_xy:
        raise DataError(
            f"{path}: Charisma fault sticks need x and y, which the volume does not have. Take them from the survey "
            "(seisloom convert VOLUME with_xy.zarr --like survey.sgy), or write .csv, .geojson or .txt"
        )


def write_fault_sticks(path: str | Path, nodes: pd.DataFrame, patches: pd.DataFrame | None = None) -> None:
    """Write sticks; the suffix chooses the format: .csv, .geojson, .txt for OpendTect, .dat for Charisma and Petrel.

    Args:
        path: replaced if it is there.
        nodes: a table as above; without rows an empty file of the format is written.
        patches: one row a patch with the column patch; its other columns become properties in GeoJSON.
    Raises:
        OutputError, DataError: see `check_suffix`; or if the file cannot be written.
    """
    file = Path(path)
    check_suffix(file, has_xy="x_m" in nodes)
    text = WRITERS[file.suffix.lower()](nodes, patches)
    with beside(file) as partial:
        partial.write_text(text, encoding="utf-8")


def read_fault_sticks(path: str | Path) -> pd.DataFrame:
    """Return the nodes of a file that `write_fault_sticks` wrote, as far as its format keeps them.

    The texts of OpendTect and Charisma do not say their third unit: it is returned as they have it, in the column z,
    and the two lateral coordinates of OpendTect's as `first` and `second`.

    Raises:
        MissingDataError: if there is no such file.
        DataError: if it is none of the formats, or a line has another number of columns or no number; with the line.
    """
    file = Path(path)
    if not file.is_file():
        raise MissingDataError(f"{file}: no such file of fault sticks")
    if file.suffix.lower() not in _READERS:
        raise DataError(f"{file}: fault sticks are read from {' '.join(_READERS)}")
    return _READERS[file.suffix.lower()](file)


def csv_text(nodes: pd.DataFrame, patches: pd.DataFrame | None = None) -> str:
    """Return a CSV with a row for each node and the table's columns; patches are not in it."""
    decimals = {
        "time_s": 6, "depth_m": 3, "sample": 3, "x_m": XY_DECIMALS, "y_m": XY_DECIMALS, "probability": 4,
        "dip_deg": 2, "strike_deg": 2,
    }  # fmt: skip
    return str(nodes.round({name: n for name, n in decimals.items() if name in nodes}).to_csv(index=False))


def geojson_text(nodes: pd.DataFrame, patches: pd.DataFrame | None = None) -> str:
    """Return GeoJSON with a LineString for each stick and the properties of its patch.

    Coordinates are x, y in m, or inline, crossline where x and y are not known, and the third one downwards, each as
    the member `coordinates` of the collection says. They are those of the survey: unlike what RFC 7946 asks for, no
    longitudes and latitudes.
    """
    z = vertical_of(nodes)
    place = ["x_m", "y_m"] if "x_m" in nodes else _two_lateral(nodes)
    of_patch = {} if patches is None else {int(row["patch"]): _plain(row) for row in patches.to_dict("records")}
    features = [
        {
            "type": "Feature",
            "properties": {**of_patch.get(patch, {}), "patch": patch, "stick": stick},
            "geometry": {
                "type": "LineString",
                "coordinates": [
                    [round(float(one), 6) for one in row]
                    for row in zip(*(_column(part, name) for name in (*place, z)), strict=True)
                ],
            },
        }
        for patch, stick, part in _sticks_of(nodes)
    ]
    whole = {"type": "FeatureCollection", "coordinates": [name or "line" for name in (*place, z)], "features": features}
    return json.dumps(whole, indent=1, allow_nan=False) + "\n"


def opendtect_text(nodes: pd.DataFrame, patches: pd.DataFrame | None = None) -> str:
    r"""Return the columns of OpendTect's import of several faults or fault stick sets from one file.

    A line for each node, with tabs: name of the fault, x, y (or inline, crossline where x and y are not known), time in
    ms or depth in m downwards, index of the stick and of the node, each from 0.

        fault_1\t500125.00\t6700300.00\t1204.000\t0\t0

    There is no header. In OpendTect: Survey, Import, Faults (or FaultStickSets), Bulk; the columns are named there.
    Source: `src/uiEarthModel/uibulkfaultimp.cc` of OpendTect, which asks for name, position, z, stick index, node
        index; and `uiexpfault.cc`, whose export of one fault is the same without the name.
    """
    z, is_xy = vertical_of(nodes), "x_m" in nodes
    columns = [_column(nodes, name) for name in (("x_m", "y_m") if is_xy else _two_lateral(nodes))]
    said = [[f"{one:.{XY_DECIMALS}f}" if is_xy else f"{one:g}" for one in column] for column in columns]
    heights = [f"{one:.{Z_DECIMALS}f}" for one in _column(nodes, z) * VERTICAL[z]]
    patch, stick, node = (nodes[name].to_numpy(int) for name in NUMBERS)
    rows = zip(map(NAME.format, patch), *said, heights, stick - 1, node - 1, strict=True)
    return "".join("\t".join(map(str, row)) + "\n" for row in rows)


def charisma_text(nodes: pd.DataFrame, patches: pd.DataFrame | None = None) -> str:
    """Return Charisma fault sticks, which Petrel and others read.

    A line for each node, with blanks: the word INLINE-, inline, crossline, x, y, time in ms or depth in m downwards,
    name of the fault, number of the stick in it from 1.

        INLINE-    120    300    500125.00   6700300.00    1204.000 fault_1    1

    A 2-D line has inline 0 and its trace number as crossline.
    Source: the columns that readers of such files take: seismiQB's `FAULT_STICKS_SPEC`, GemPy's
        `read_fault_sticks_charisma` (exports of Petrel 2017); no document of the format's owner was found.
    """
    z = vertical_of(nodes)
    columns = [_column(nodes, name) for name in (*_two_lateral(nodes), "x_m", "y_m")]
    patch, stick = nodes["patch"].to_numpy(int), nodes["stick"].to_numpy(int)
    rows = zip(*columns, _column(nodes, z) * VERTICAL[z], map(NAME.format, patch), stick, strict=True)
    return "".join(
        f"INLINE- {inline:>6g} {crossline:>6g} {x:>12.{XY_DECIMALS}f} {y:>12.{XY_DECIMALS}f} "
        f"{height:>11.{Z_DECIMALS}f} {name} {number:>4d}\n"
        for inline, crossline, x, y, height, name, number in rows
    )


def _two_lateral(nodes: pd.DataFrame) -> list[str]:
    """Return the names of inline and crossline; of a 2-D line none and that of its traces."""
    there = [name for name in LATERAL if name in nodes]
    return there if len(there) == 2 else ["", *there]


def _sticks_of(nodes: pd.DataFrame) -> Iterator[tuple[int, int, pd.DataFrame]]:
    """Yield the nodes of each stick with the numbers of its patch and its own."""
    for _, part in nodes.groupby(["patch", "stick"], sort=False):
        yield int(part["patch"].iloc[0]), int(part["stick"].iloc[0]), part


def _column(nodes: pd.DataFrame, name: str) -> np.ndarray[Any, Any]:  # Any: any shape, numbers
    return nodes[name].to_numpy(float) if name else np.zeros(len(nodes))


def _plain(row: dict[Any, Any]) -> dict[str, Any]:  # Any: values of a table
    """Return JSON values: null for what is not a number."""
    return {
        str(name): None if isinstance(value, float) and not np.isfinite(value) else value for name, value in row.items()
    }


def _read_csv(file: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        nodes = pd.read_csv(file)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: not a CSV of fault sticks: {str(error).strip()}") from error
    missing = [name for name in NUMBERS if name not in nodes]
    if missing:
        raise DataError(f"{file}: column {missing[0]} is missing; there are {', '.join(map(str, nodes.columns))}")
    vertical_of(nodes)
    return nodes


def _read_geojson(file: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        whole = json.loads(file.read_text(encoding="utf-8"))
        names = whole["coordinates"]
        rows = [
            (one["properties"]["patch"], one["properties"]["stick"], k + 1, *point)
            for one in whole["features"]
            for k, point in enumerate(one["geometry"]["coordinates"])
        ]
        return pd.DataFrame(rows, columns=[*NUMBERS, *names])
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{file}: not GeoJSON of fault sticks ({error}). Write it again") from error


def _read_opendtect(file: Path) -> pd.DataFrame:
    names = ("name", "first", "second", "z", "stick", "node")
    found = _read_columns(file, names, "\t")
    return found.assign(stick=found["stick"].astype(int) + 1, node=found["node"].astype(int) + 1)


def _read_charisma(file: Path) -> pd.DataFrame:
    names = ("marker", "inline", "crossline", "x_m", "y_m", "z", "name", "stick")
    found = _read_columns(file, names, None).drop(columns="marker")
    return found.assign(stick=found["stick"].astype(int))


def _read_columns(file: Path, names: tuple[str, ...], mark: str | None) -> pd.DataFrame:
    """Return lines of so many columns, with numbers in all but name and marker."""
    import pandas as pd

    rows: list[list[str | float]] = []
    for k, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        if not line.strip():
            continue
        words = line.split(mark)
        try:
            rows.append(
                [word if name in ("name", "marker") else float(word) for name, word in zip(names, words, strict=True)]
            )
        except ValueError:
            raise DataError(f"{file}: line {k}: {line.strip()!r} is not {' '.join(names)}") from None
    return pd.DataFrame(rows, columns=list(names))


WRITERS: dict[str, Callable[[pd.DataFrame, pd.DataFrame | None], str]] = {
    ".csv": csv_text, ".geojson": geojson_text, ".txt": opendtect_text, ".dat": charisma_text,
}  # fmt: skip
"""By suffix: the text of a file."""
_READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".csv": _read_csv, ".geojson": _read_geojson, ".txt": _read_opendtect, ".dat": _read_charisma,
}  # fmt: skip
