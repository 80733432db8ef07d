"""What a survey's folder holds: geometries, shot lists, record files and arrivals."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seisloom.errors import DataError, MissingDataError

SEGY_SUFFIXES = (".segy", ".sgy")


def find_geometries(root: Path) -> list[str]:
    """Return the names of a survey's geometries."""
    if not root.is_dir():
        raise MissingDataError(f"{root}: no such folder")
    listed = root / "dataset.json"
    if listed.is_file():
        names = read_json(listed).get("geometries")
        if not isinstance(names, list) or not names:
            raise DataError(f'{listed}: has no list "geometries"')
        missing = [str(name) for name in names if not (root / "geometries" / str(name)).is_dir()]
        if missing:
            raise MissingDataError(f"{listed}: names {missing[0]!r}, and there is no geometries/{missing[0]}")
        return [str(name) for name in names]
    names = sorted(path.parent.name for path in root.glob("geometries/*/geometry.json"))
    if not names:
        raise MissingDataError(f"{root}: no dataset.json and no geometries/*/geometry.json: not a survey's folder")
    return names


def check_geometries(root: Path, names: Sequence[str]) -> None:
    """Raise MissingDataError unless a survey has all these geometries; the error names those that there are."""
    folder = root / "geometries"
    there = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    unknown = [name for name in names if name not in there]
    if unknown:
        raise MissingDataError(f"{root}: no geometry {', '.join(unknown)}; there are {', '.join(there) or 'none'}")


def find_arrivals(root: Path) -> Path:
    """Return the file of arrivals that a survey has; a CSV before a .mat."""
    # A CSV can say more (uncertainty, no arrival) than the .mat beside it
    for name in ("arrivals.csv", "picks.csv", "tlArrival.mat"):
        if (root / name).is_file():
            return root / name
    raise MissingDataError(f"{root}: no arrivals.csv and no tlArrival.mat. Give the picks: --arrivals FILE")


def read_json(path: Path) -> dict[str, Any]:  # Any: JSON values
    """Return the object that a JSON file holds."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MissingDataError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise DataError(f"{path}: not JSON: {error}") from error
    if not isinstance(values, dict):
        raise DataError(f"{path}: must be an object in braces")
    return values


def shot_list(folder: Path) -> tuple[list[int], list[str]]:
    """Return the shot numbers that a geometry.json lists, and notes on what was assumed.

    Raises:
        MissingDataError: if there is no such file.
        DataError: if the list is missing, empty, has repeats, or the file contradicts the folder's name.
    """
    path = folder / "geometry.json"
    if not path.is_file():
        raise MissingDataError(
            f"{path}: is missing; it needs the shot list: "
            f'{{"id": "{folder.name}", "assets": {{"shots": {{"start": 1001, "stop": 1030, "end_exclusive": false}}}}}}'
        )
    values = read_json(path)
    if "id" in values and str(values["id"]) != folder.name:
        raise DataError(f"{path}: id is {values['id']!r} and the folder {folder.name!r}. Correct one of them")
    assets = values.get("assets")
    shots = assets.get("shots") if isinstance(assets, dict) else None
    notes = []
    if isinstance(shots, dict) and {"start", "stop"} <= set(shots):
        listed = _shot_range(path, shots)
        if "end_exclusive" not in shots:
            notes.append(
                f"{path.name}: assets.shots does not say end_exclusive, and its stop, {shots['stop']:g}, is taken for "
                'a shot of the list. Write "end_exclusive": false if it is one, else true'
            )
    elif isinstance(shots, list):
        listed = [_whole(path, "assets.shots", one) for one in shots]
    else:
        raise DataError(f"{path}: assets.shots must have start and stop (and step, end_exclusive), or be a list")
    if not listed:
        raise DataError(f"{path}: assets.shots {json.dumps(shots)} is an empty list")
    if len(set(listed)) < len(listed) or min(listed) < 0:
        raise DataError(f"{path}: assets.shots must be different numbers from 0 up")
    return listed, notes


def _shot_range(path: Path, shots: Mapping[str, Any]) -> list[int]:  # Any: JSON values
    names = ("start", "stop", "step")
    start, stop, step = (_whole(path, f"assets.shots.{name}", shots.get(name, 1)) for name in names)
    end = stop if shots.get("end_exclusive", False) else stop + (1 if step > 0 else -1)
    return list(range(start, end, step)) if step else []


def _whole(path: Path, name: str, value: Any) -> int:  # Any: a JSON value
    if isinstance(value, bool) or not isinstance(value, int | float) or not float(value).is_integer():
        raise DataError(f"{path}: {name} is {value!r}, not a whole number")
    return int(value)


def files_of(folder: Path) -> list[Path]:
    """Return the SEG-Y files of a geometry, one a station."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SEGY_SUFFIXES)
    if not files:
        raise MissingDataError(f"{folder}: no SEG-Y files (*.segy, *.sgy)")
    stations = [path.stem for path in files]
    twice = next((path for path in files if stations.count(path.stem) > 1), None)
    if twice is not None:
        raise DataError(f"{folder}: several files of the station {twice.stem}. Rename or remove all but one")
    return files
