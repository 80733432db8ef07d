"""tlArrival.mat: travel times by station and shot, in MATLAB 5 and 7.3 files."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seisloom.errors import DataError, MissingDataError
from seisloom.sample import Array

if TYPE_CHECKING:
    import pandas as pd

VARIABLES = ("tlArrival", "tArrival", "arrivals", "Arrival", "picks", "Picks")
"""Names of the struct, the first that is there counts."""
FIELDS = {"station": "station", "eventid": "shot_id", "time": "pick_time_s"}
"""Needed fields of the struct, in any case, and the columns that they become; `error` may follow."""


def read_tl_arrival(path: str | Path) -> pd.DataFrame:
    """Return the picks of a MATLAB file, one row each, as the file has them (duplicates included).

    The variable is a struct with the fields `eventid` (shot number), `station` (cell of text) and `time` (s after the
    shot; NaN without), each N long; or an array of N such structs. A field `error` in s is read where it is there; one
    number stands for all picks.

    Returns:
        Columns geometry (""), station, shot_id, pick_time_s, pick_uncertainty_s (NaN unknown), pick_status.
    Raises:
        MissingDataError: if there is no such file.
        DataError: if it is no MATLAB file, or variable, fields or lengths are not as above.
    """
    import pandas as pd

    file = Path(path)
    if not file.is_file():
        raise MissingDataError(f"{file}: no such file of arrivals. Give one: --arrivals picks.csv")
    fields = _read_73(file) if _is_hdf5(file) else _read_5(file)
    if len(fields.get("error", ())) == 1:
        fields["error"] = fields["error"] * len(fields["time"])
    lengths = {name: len(values) for name, values in fields.items()}
    if len(set(lengths.values())) != 1:
        said = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise DataError(f"{file}: the fields differ in length: {said}. Each must have one value a pick")
    shots = _numbers(file, "eventid", fields["eventid"])
    wrong = np.flatnonzero(~np.isfinite(shots) | (shots != np.round(shots)))
    if wrong.size:
        raise DataError(f"{file}: eventid of pick {wrong[0] + 1} is {shots[wrong[0]]}, no whole number")
    time_s = _numbers(file, "time", fields["time"])
    return pd.DataFrame(
        {
            "geometry": "", "station": [_name(one) for one in fields["station"]], "shot_id": shots.astype(np.int64),
            "pick_time_s": time_s,
            "pick_uncertainty_s": _numbers(file, "error", fields["error"]) if "error" in fields else np.nan,
            "pick_status": np.where(np.isnan(time_s), "unpicked", "picked"),
        }
    )  # fmt: skip


def _name(value: Any) -> str:  # Any: text or a number
    """Return the name of a station; a number is a name without decimals."""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()


def _numbers(file: Path, name: str, values: list[Any]) -> Array:  # Any: MATLAB's values
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{file}: field {name} holds something that is no number: {error}") from error


def _is_hdf5(file: Path) -> bool:
    """MATLAB 7.3 is HDF5 behind 512 bytes of text."""
    with file.open("rb") as opened:
        return b"\x89HDF\r\n\x1a\n" in opened.read(1024)


def _chosen(file: Path, stored: Mapping[str, Any]) -> str:  # Any: the variables of either reader
    for name in VARIABLES:
        if name in stored:
            return name
    there = ", ".join(sorted(name for name in stored if not name.startswith(("_", "#"))))
    raise DataError(
        f"{file}: none of the variables {', '.join(VARIABLES)} is there, but {there or 'nothing'}. Rename it"
    )


def _wanted(file: Path, name: str, there: Sequence[str]) -> dict[str, str]:
    """Return the fields to read and how the file spells them."""
    spelt = {field.lower(): field for field in there}
    missing = [field for field in FIELDS if field not in spelt]
    if missing:
        raise DataError(
            f"{file}: {name} has no field {missing[0]}; it needs {', '.join(FIELDS)}, and has "
            f"{', '.join(there) or 'none'}"
        )
    return {field: spelt[field] for field in (*FIELDS, "error") if field in spelt}


def _read_5(file: Path) -> dict[str, list[Any]]:  # Any: text or numbers, as MATLAB has them
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        stored = loadmat(file, squeeze_me=False, struct_as_record=True)
    except (MatReadError, ValueError, TypeError, NotImplementedError, OSError, IndexError, zlib.error) as error:
        raise DataError(f"{file}: not a MATLAB file that can be read: {error}. Save it with -v7 or -v7.3") from error
    name = _chosen(file, stored)
    structs = stored[name]
    there = _wanted(file, name, structs.dtype.names or ())
    found: dict[str, list[Any]] = {}  # Any: see above
    for field, own in there.items():
        found[field] = [one for struct in structs.flat for one in _flat(struct[own])]
    return _without_empty_error(found)


def _flat(value: Any) -> list[Any]:  # Any: MATLAB's nested cells
    """Return the values of an array or cell, text as text."""
    array = np.asarray(value)
    if array.dtype == object:
        return [(inner[0] if (inner := _flat(one)) else "") for one in array.flat]
    return list(array.ravel().tolist())


def _read_73(file: Path) -> dict[str, list[Any]]:  # Any: text or numbers, as MATLAB has them
    import h5py

    try:
        with h5py.File(file, "r") as stored:
            name = _chosen(file, stored)
            group = stored[name]
            there = _wanted(file, name, list(group) if isinstance(group, h5py.Group) else [])
            return _without_empty_error({field: _values_73(stored, group[own]) for field, own in there.items()})
    except (OSError, KeyError, RuntimeError) as error:
        raise DataError(f"{file}: a damaged MATLAB 7.3 file: {error}. Copy it again from its source") from error


def _values_73(stored: Any, values: Any) -> list[Any]:  # Any: h5py has no types
    """Return the values of a field, or of all that a cell or an array of structs refers to."""
    array = values[()]
    if values.attrs.get("MATLAB_empty", 0):  # an empty array is stored as its size
        return []
    if array.dtype == object:
        return [one for reference in array.ravel() for one in _values_73(stored, stored[reference]) or [""]]
    kind = values.attrs.get("MATLAB_class")
    if kind == b"char" or (kind is None and array.dtype == np.uint16):
        # UTF-16 units; rows of text of one length, stored transposed
        rows = np.atleast_2d(array).T if array.ndim != 1 else array[None]
        return [row.astype("<u2").tobytes().decode("utf-16-le", errors="replace") for row in rows]
    return list(array.ravel().tolist())


def _without_empty_error(fields: dict[str, list[Any]]) -> dict[str, list[Any]]:  # Any: see above
    """Drop `error` where the struct has the field and nothing in it."""
    return {name: values for name, values in fields.items() if name != "error" or values}
