"""Raw cubes: float32 and nothing else, time or depth fastest (n1), then crossline (n2) and inline (n3).

In NumPy `np.fromfile(path, "<f4").reshape(n3, n2, n1)` has the axes inline, crossline and time, as every volume here; a
line is (n2, n1) with the axes trace and time. What the samples stand on is in a JSON side-car, see `sidecar`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from seisloom.errors import DataError, MissingDataError
from seisloom.io.volumes.grid import Box
from seisloom.io.volumes.raw.cube import ORDERS, SAMPLE, Cube, shapes_that_fit
from seisloom.io.volumes.raw.lattice import sidecar_in_folder
from seisloom.io.volumes.raw.plane import xy_on
from seisloom.io.volumes.raw.sidecar import Sidecar, grid_of, places_of, read_sidecar
from seisloom.io.volumes.raw.writer import SUFFIXES, RawWriter, files_for
from seisloom.io.volumes.volume import AMPLITUDE, Format, Given, Spec, Traces, Volume, Wanted, Writer
from seisloom.sample import Array

PROBE = 4096
"""Samples that are looked at in each of three places for a wrong byte order."""
TOO_LARGE, TOO_SMALL = 1e31, 1.2e-38
"""No amplitudes: 1e30 marks undefined samples in OpendTect and others, 1.2e-38 is the least normal float32."""
ABSURD, SANE = 0.05, 0.001
"""Shares of such samples: of random numbers in the wrong byte order every tenth is one, of whole numbers nearly all."""


class RawVolume:
    """Cubes of one grid, a file for each variable."""

    def __init__(self, path: Path, sidecar: Sidecar, cubes: Mapping[str, Cube], notes: tuple[str, ...] = ()) -> None:
        self.path, self.notes = path, notes
        self._cubes, self._xy = dict(cubes), sidecar.cdp_xy
        self.spec = Spec(
            grid=sidecar.grid,
            variables={name: np.dtype(np.float32) for name in cubes},
            has_xy=bool(sidecar.cdp_xy),
            attributes=sidecar.attributes,
        )
        self.chunks = self.spec.grid.shape

    def read(self, box: Box, name: str = AMPLITUDE) -> Array:
        """Return the samples of a box, float32, see `Volume`.

        Raises:
            DataError: if there is no such variable, or its file was made shorter.
        """
        if name not in self._cubes:
            raise DataError(f"{self.path}: no variable {name!r}; there are {', '.join(self._cubes)}")
        return self._cubes[name].read(box)

    def traces(self, box: Box) -> Traces:
        """Return all traces as live, a raw cube has no holes; and CDP coordinates where the side-car has them."""
        return xy_on(self.spec.grid, self._xy, box)


def open_raw(path: Path, given: Given) -> RawVolume:
    """Return the volume of a raw cube, or of all cubes that a side-car names.

    `result.bin` and `result.rgt` are one cube each. `result` is all that `result.json` names, and so is `result.bin`
    where there is no such file.

    Args:
        path: of a cube, or the name that cubes and side-car share.
        given: sizes and byte order; they go before what the side-car says.
    Raises:
        MissingDataError: if nothing is there.
        DataError: if nobody says the sizes, or they do not fit the file; if the byte order is wrong.
    """
    place, sidecar = _described(path)
    named = {} if sidecar is None else sidecar.variables
    if named and (not path.exists() or (not path.suffix and path.name in named.values())):
        files = {name: path.with_name(file) for name, file in named.items()}
    else:
        there = next((name for name, file in named.items() if file == path.name), None)
        files = {there or SUFFIXES.get(path.suffix.lower()) or AMPLITUDE: path}
    notes = [f"{file}, which {place} names, is not there" for file in files.values() if not file.exists()]
    files = {name: file for name, file in files.items() if file.exists()}
    if not files:
        raise MissingDataError(f"{path}: no such volume")
    for file in files.values():
        _count(file)
    found = _settled(next(iter(files.values())), sidecar, given, notes)
    cubes = {name: Cube(file, found.grid.shape, found.byte_order) for name, file in files.items()}
    for cube in cubes.values():
        cube.check_size()
        if given.byte_order is None:
            _check_byte_order(cube)
    if found.n_dead_traces:
        notes.append(f"{found.n_dead_traces} traces were all zero when it was written: dead, or holes of the grid")
    return RawVolume(path, found, cubes, tuple(notes))


def _described(path: Path) -> tuple[Path | None, Sidecar | None]:
    """Return the side-car of a path, and where it stands; one of a shorter name must name the file."""
    own = {path.with_name(path.name + ".json"), path.with_suffix(".json")}
    for place in places_of(path):
        sidecar = read_sidecar(place)
        if sidecar is not None and (place in own or path.name in sidecar.variables.values()):
            return place, sidecar
    return None, sidecar_in_folder(path)


def _settled(path: Path, sidecar: Sidecar | None, given: Given, notes: list[str]) -> Sidecar:
    """Return what is true of a cube: what the user gives, else what the side-car says."""
    sizes = [given.n1, given.n2, given.n3]
    while sizes and sizes[-1] is None:
        sizes.pop()
    if not sizes and sidecar is None:
        raise DataError(_ask_sizes(path, _count(path)))
    if sizes:
        known = [n for n in sizes if n]
        if len(known) < len(sizes) or min(known) < 1:
            raise DataError(f"{path}: sizes are whole numbers above 0: --n1 and --n2 for a line, and --n3 for a cube")
        if sidecar is None or tuple(known) != sidecar.grid.shape[::-1]:
            if sidecar is not None:
                notes.append(f"the side-car says n = {list(sidecar.grid.shape[::-1])}; {known} is taken, as given")
            byte_order = "little" if sidecar is None else sidecar.byte_order
            sidecar = Sidecar(grid_of(known), byte_order, {} if sidecar is None else sidecar.variables)
    assert sidecar is not None
    return replace(sidecar, byte_order=given.byte_order or sidecar.byte_order)


def _count(path: Path) -> int:
    """Return the number of samples in a file.

    Raises:
        DataError: if it is a folder, empty, or no whole number of them.
    """
    if path.is_dir():
        raise DataError(f"{path}: is a folder, and a raw cube is a file. Name one of the files in it")
    n_bytes = path.stat().st_size
    if not n_bytes:
        raise DataError(f"{path}: is empty. Copy it again from its source")
    if n_bytes % SAMPLE:
        raise DataError(
            f"{path}: {n_bytes} bytes are no whole number of float32 ({SAMPLE} bytes each). It is cut off, has "
            "something before or behind the samples, or holds another type of numbers"
        )
    return n_bytes // SAMPLE


def _check_byte_order(cube: Cube) -> None:
    """Raise DataError where samples make sense in the other byte order alone."""
    n = math.prod(cube.shape)
    flat = Cube(cube.path, (n,), cube.byte_order)
    starts = {0, max(0, n // 2 - PROBE // 2), max(0, n - PROBE)}
    values = np.concatenate([flat.read((slice(start, min(start + PROBE, n)),)) for start in sorted(starts)])
    values = values[values != 0]
    turned = values.byteswap()
    turned = turned[~np.isnan(turned)]  # NaN may be data: undefined samples
    if 2 * turned.size > values.size and _absurd(values) > ABSURD and _absurd(turned) < SANE:
        other = next(one for one in ORDERS if one != cube.byte_order)
        raise DataError(
            f"{cube.path}: {_absurd(values):.0%} of the samples are no amplitudes when the byte order is "
            f"{cube.byte_order} (such as {values[_is_absurd(values)][0]:g}), and all are when it is {other}. Give "
            f"--byte-order {other}; or --byte-order {cube.byte_order}, if it is that after all"
        )


def _is_absurd(values: Array) -> Array:
    size = np.abs(values)
    return np.asarray(~((size == 0) | ((size >= TOO_SMALL) & (size <= TOO_LARGE))))


def _absurd(values: Array) -> float:
    return float(_is_absurd(values).mean())


def _ask_sizes(path: Path, n: int) -> str:
    shapes = ", ".join(" x ".join(map(str, shape)) for shape in shapes_that_fit(n))
    return (
        f"{path}: {n} samples, and nothing says the sizes. Give --n1 (time or depth, fastest), --n2 (crosslines) and "
        f"--n3 (inlines); or write {path.with_suffix('.json').name} beside it with "
        f'{{"n": [n1, n2, n3]}}. Among others these fit, in any order: {shapes}'
    )


def _create(path: Path, spec: Spec, wanted: Wanted) -> Writer:
    return RawWriter(path, spec, wanted)


def _open(path: Path, given: Given) -> Volume:
    return open_raw(path, given)


def _files(path: Path, spec: Spec) -> list[Path]:
    return list(files_for(path, spec.variables).values())


RAW = Format(
    "raw", ("", ".bin", ".raw", ".dat", ".f32", *SUFFIXES), _open, _create, files=_files, resume=RawWriter.resume
)
