"""Formats of volumes by name and suffix, and what opens a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from seisloom import plugins
from seisloom.errors import DataError, MissingDataError
from seisloom.io.volumes.volume import Format, Given, Volume


def formats() -> dict[str, Format]:
    """Return the formats of volumes by name, ours and those of other packages."""
    return {name: plugins.load("formats", name) for name in plugins.names("formats")}


def format_of(path: Path) -> Format:
    """Return the format that a path is in, or is to be written in, by its suffix; folders by what they hold.

    Raises:
        DataError: if no format has the suffix.
    """
    known = formats()
    if path.is_dir():
        if any((path / name).exists() for name in ("zarr.json", ".zgroup")):
            return known["zarr"]
        if not path.suffix:
            return known["patches"]
    for one in known.values():
        if path.suffix.lower() in one.suffixes:
            return one
    suffixes = sorted({suffix for one in known.values() for suffix in one.suffixes if suffix.startswith(".")})
    raise DataError(f"{path}: no format of volumes ends with {path.suffix!r}; there are {' '.join(suffixes)}")


def open_volume(path: str | Path, given: Given | None = None) -> Volume:
    """Return the volume of a file or folder; its samples are read when they are asked for.

    Args:
        path: SEG-Y, Zarr, raw cube, folder of numbered cubes, or what other packages add.
        given: what the file does not say itself, such as the sizes of a raw cube.
    Raises:
        MissingDataError: if it is not there.
        DataError: if it is no such file, or does not say enough.
    """
    file = Path(path)
    if not file.exists() and not file.with_suffix(".json").exists():  # raw cubes under one name, which it describes
        raise MissingDataError(f"{file}: no such volume")
    return format_of(file).open(file, given or Given())


def report(volume: Volume) -> dict[str, Any]:  # Any: JSON values
    """Return what is known of a volume without reading its samples."""
    spec = volume.spec
    return {
        "file": str(volume.path),
        "axes": [
            {
                "axis": axis.name, "n": len(axis), "first": axis.first, "last": float(axis.values[-1]),
                "step": axis.step, "unit": axis.unit,
            }
            for axis in spec.grid.axes
        ],
        "variables": {name: dtype.name for name, dtype in spec.variables.items()},
        "chunks": list(volume.chunks),
        "trace_headers": spec.has_headers,
        "coordinates": spec.has_xy,
        "notes": list(volume.notes),
    }  # fmt: skip
