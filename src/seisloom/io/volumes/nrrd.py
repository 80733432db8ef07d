"""Detached NRRD headers of raw cubes, written and read. Source: teem.sourceforge.net/nrrd/format.html, NRRD0004."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from seisloom.errors import DataError
from seisloom.io.volumes.grid import Grid
from seisloom.io.volumes.raw.cube import ORDERS
from seisloom.io.volumes.raw.sidecar import grid_of


def header_of(cube: str, grid: Grid, variable: str) -> str:
    """Return the header of a cube that holds a variable, in the same folder."""
    axes = grid.axes[::-1]
    fields = {
        "type": "float",
        "dimension": str(len(axes)),
        "sizes": " ".join(str(len(axis)) for axis in axes),
        "spacings": " ".join(repr(float(f"{axis.step or 1.0:.12g}")) for axis in axes),
        "axis mins": " ".join(repr(axis.first) for axis in axes),
        "centerings": " ".join("node" for _ in axes),
        "labels": " ".join(f'"{axis.name}"' for axis in axes),
        "units": " ".join(f'"{axis.unit}"' for axis in axes),
        "endian": "little",
        "encoding": "raw",
    }
    rows = [f"{key}: {value}" for key, value in fields.items()]
    return "\n".join(["NRRD0004", *rows, f"variable:={variable}", f"data file: {cube}", ""])


def read_header(path: Path) -> tuple[Grid, Mapping[str, str]]:
    """Return the grid that a header describes, and its fields: `data file`, `endian` and `byte skip` among them.

    Raises:
        DataError: if it is of another kind than raw float in one file beside it, or damaged.
    """
    said = {"byte skip": "0", "endian": "little", **_fields(path)}
    for key, value in {"type": "float", "encoding": "raw"}.items():
        if said.get(key) != value:
            raise DataError(f"{path}: {key} is {said.get(key)!r}, and only {value!r} is read. Save it anew as that")
    try:
        grid = grid_of([int(n) for n in said["sizes"].split()], _lists(said))
        if not said["data file"].strip() or int(said["byte skip"]) < 0 or said["endian"] not in ORDERS:
            raise DataError("it names no data file, or 'byte skip' or 'endian' are none")
    except (KeyError, ValueError) as error:
        raise DataError(f"{path}: is no detached NRRD header of one raw cube ({error})") from error
    return grid, said


def _fields(path: Path) -> Mapping[str, str]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    if not lines or not lines[0].startswith("NRRD"):
        raise DataError(f"{path}: does not begin with NRRD: it is no such header")
    pairs = [line.replace(":=", ": ", 1).partition(": ") for line in lines[1:] if line and not line.startswith("#")]
    said = {key.strip().lower(): value.strip() for key, _, value in pairs}
    return {"data file": said.get("datafile", ""), **said}


def _lists(said: Mapping[str, str]) -> dict[str, list[float] | list[str]]:
    """Return steps, origins, names and units as a side-car has them; `space directions` of others are not read."""
    numbers = {ours: said[key].split() for ours, key in (("d", "spacings"), ("o", "axis mins")) if key in said}
    words = {ours: said[key].split('"')[1::2] for ours, key in (("axes", "labels"), ("units", "units")) if key in said}
    return {**{key: [float(one) for one in row] for key, row in numbers.items()}, **words}
