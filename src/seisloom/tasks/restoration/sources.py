"""Files cut into panels: shots, ensembles, or all traces together; volumes, which are no gathers, by boxes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from seisloom.convert import formats, open_volume
from seisloom.errors import DataError, MissingDataError
from seisloom.io.gather import read_gather
from seisloom.io.segy import SegyHeaders, headers_of
from seisloom.io.segy.layout import read_layout, read_su_layout
from seisloom.io.volumes.volume import Volume
from seisloom.sample import Array

SEGY, SU, SEG2, NUMPY = (".sgy", ".segy"), (".su",), (".sg2", ".seg2", ".dat"), (".npy",)
GATHERS = (*SEGY, *SU, *SEG2, *NUMPY)
LATERAL = ("inline", "crossline")
BY_AXIS = {"shot_point": "shot", "cdp": "cdp"}
"""How panels are cut where the headers show a first axis of this name."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a panel lies in a file."""

    path: Path
    traces: Array | None = None
    """Numbers of its traces in the file, from 0, int64 (trace,); None for an array file or a volume."""


def find_files(path: Path) -> list[Path]:
    """Return a file, or the files of a folder and its folders whose suffix somebody reads, in order of their names.

    Raises:
        MissingDataError: if there is none.
    """
    if path.is_file() or (path.is_dir() and not is_folder_of_files(path)):
        return [path]
    if not path.exists():
        raise MissingDataError(f"{path}: no such file or folder")
    found: list[Path] = []
    for one in sorted(path.iterdir()) if path.is_dir() else ():
        if one.is_dir() and is_folder_of_files(one):
            found += find_files(one)
        elif one.suffix.lower() in (*GATHERS, *_volume_suffixes()):
            found.append(one)
    if not found:
        raise MissingDataError(f"{path}: no panels here; files end with {' '.join((*GATHERS, *_volume_suffixes()))}")
    return found


def is_folder_of_files(path: Path) -> bool:
    """Return whether a folder is no volume itself."""
    return not any((path / name).exists() for name in ("zarr.json", ".zgroup"))


def _volume_suffixes() -> tuple[str, ...]:
    every = {suffix for one in formats().values() for suffix in one.suffixes if suffix.startswith(".")}
    return tuple(sorted(every - set(GATHERS)))


def as_volume(path: Path) -> Volume | None:
    """Return the volume of a file with inlines and crosslines, several of both; None for gathers and sections.

    Raises:
        MissingDataError: if it is not there.
    """
    suffix = path.suffix.lower()
    if suffix in (*SU, *SEG2, *NUMPY):
        return None
    try:
        volume = open_volume(path)
    except DataError:
        if suffix in SEGY:  # headers that make no grid are those of gathers
            return None
        raise
    shape = volume.spec.grid.shape
    if suffix in SEGY and (volume.spec.grid.names[:2] != LATERAL or min(shape[:2]) == 1):
        return None
    return volume


def cut(path: Path, how: str) -> Iterator[tuple[str, Source]]:
    """Yield a name and a place for each panel of a file of gathers, in the order of the file.

    Args:
        path: the file.
        how: auto, file, shot, cdp, or a number of traces; see `RestorationApply.panels`.
    Raises:
        DataError: if traces of one shot or ensemble do not lie together, or the file has no such numbers.
    """
    if path.suffix.lower() in NUMPY:
        yield path.name, Source(path)
        return
    n = read_gather(path).n_traces
    how = _chosen(path) if how == "auto" else how
    if how == "file":
        yield path.name, Source(path, np.arange(n))
        return
    if how.isdigit():
        for first in range(0, n, int(how)):
            yield f"{path.name}/{first + 1}", Source(path, np.arange(first, min(first + int(how), n)))
        return
    number = _numbers(path, how)
    edges = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), n]
    if len(np.unique(number)) < len(edges) - 1:
        raise DataError(
            f"{path}: traces of one {how} do not lie together. Sort the file, or say panels=file or a number of traces"
        )
    for first, last in pairwise(edges):
        yield f"{path.name}/{how}-{int(number[first])}", Source(path, np.arange(first, last))


@lru_cache(maxsize=32)
def _chosen(path: Path) -> str:
    """Return how the traces of a file are cut: by its first axis, where the headers show one."""
    try:
        grid = open_volume(path).spec.grid
    except DataError:
        return "file"
    return BY_AXIS.get(grid.names[0], "file") if len(grid.shape) == 3 and grid.shape[0] > 1 else "file"


def _numbers(path: Path, how: str) -> Array:
    """Return the number of the shot or ensemble of each trace."""
    if how == "cdp" and path.suffix.lower() in (*SEGY, *SU):
        return headers(path).shots["ensemble"]
    if how == "cdp":
        raise DataError(f"{path}: only SEG-Y and SU number ensembles. Say panels=shot, file or a number of traces")
    return read_gather(path).shot_id


def headers(path: Path) -> SegyHeaders:
    """Return the trace headers of a SEG-Y or SU file."""
    return headers_of(read_su_layout(path) if path.suffix.lower() in SU else read_layout(path))


def read_array(path: Path) -> Array:
    """Return the array of an .npy as float32 (line, trace, time).

    Raises:
        DataError: if it is none, or has other than two or three axes.
    """
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path}: is not an .npy of numbers: {error}") from error
    return in_lines(values, str(path))


def in_lines(values: Array, where: str) -> Array:
    """Return numbers (trace, time) or (line, trace, time) as float32 (line, trace, time).

    Raises:
        DataError: if there are other axes, or none of its samples.
    """
    if values.ndim not in (2, 3) or values.size == 0 or not np.issubdtype(values.dtype, np.number):
        raise DataError(
            f"{where}: an array of shape {values.shape} and type {values.dtype}; a panel is (trace, time), a cube "
            "(line, trace, time), of numbers"
        )
    return np.ascontiguousarray(values[None] if values.ndim == 2 else values, dtype=np.float32)


def is_volume(path: Path) -> bool:
    """Return whether a path is a volume of inlines and crosslines, which is taken through a method by tiles."""
    is_there = path.exists() or path.with_suffix(".json").exists()  # raw cubes under one name, which it describes
    if not is_there or (path.is_dir() and is_folder_of_files(path)):
        return False
    # Only SEG-Y may be either; a raw cube cannot be opened before its sizes are given
    return as_volume(path) is not None if path.suffix.lower() in GATHERS else True
