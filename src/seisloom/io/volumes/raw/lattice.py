"""Where numbered cubes lie in the volume they were cut from: what `patches.json` says.

It has the keys of a side-car for the whole grid, and `patch` (size of the cubes) and `starts` (their first indices on
each axis), the fastest axis first as everywhere in it. Cubes are numbered along n1 first, then n2, then n3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seisloom.errors import DataError
from seisloom.io.volumes.grid import Axis, Box, Grid
from seisloom.io.volumes.raw.cube import Cube
from seisloom.io.volumes.raw.sidecar import Sidecar, read_json, sidecar_from

INDEX = "patches.json"


@dataclass(frozen=True, slots=True)
class Lattice:
    """Which cubes a volume is cut into; axes in the order of the grid, the slowest first."""

    sidecar: Sidecar
    """Of the whole; the names of its files have {} in place of the number."""
    patch: tuple[int, ...]
    starts: tuple[tuple[int, ...], ...]
    """First indices of cubes on each axis."""

    @property
    def n_cubes(self) -> int:
        """Number of cubes of each variable."""
        return math.prod(map(len, self.starts))

    def to_json(self) -> dict[str, Any]:  # Any: JSON values
        """Return what is stored, the fastest axis first."""
        starts = [list(one) for one in self.starts[::-1]]
        return {**self.sidecar.to_json(), "patch": list(self.patch[::-1]), "starts": starts, "n_cubes": self.n_cubes}

    def box(self, number: int) -> Box:
        """Return where a cube lies in the grid."""
        index = np.unravel_index(number, tuple(map(len, self.starts)))
        firsts = [starts[int(k)] for starts, k in zip(self.starts, index, strict=True)]
        return tuple(slice(first, first + size) for first, size in zip(firsts, self.patch, strict=True))

    def cube(self, folder: Path, number: int, name: str) -> Cube:
        """Return the cube of a variable."""
        file = self.sidecar.variables[name].replace("{}", str(number))
        return Cube(folder / file, self.patch, self.sidecar.byte_order)


def starts_on(n: int, size: int, step: int) -> tuple[int, ...]:
    """Return first indices of cubes along an axis; the last one ends where the axis does.

    >>> starts_on(10, 4, 4)
    (0, 4, 6)
    """
    return tuple(dict.fromkeys([*range(0, n - size + 1, step), n - size]))


def read_lattice(path: Path) -> Lattice | None:
    """Return what a `patches.json` says; None if it is not there, or none of JSON.

    Raises:
        DataError: if it is damaged.
    """
    said = read_json(path)
    if said is None:
        return None
    try:
        sidecar = sidecar_from(said)
        patch = tuple(int(n) for n in said["patch"][::-1])
        starts = tuple(tuple(int(one) for one in row) for row in said["starts"][::-1])
        if not len(patch) == len(starts) == len(sidecar.grid.axes) or not all(starts):
            raise DataError("'patch' and 'starts' need an entry for each axis")
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: is damaged ({error}). Cut the volume again") from error
    return Lattice(sidecar, patch, starts)


def sidecar_in_folder(path: Path) -> Sidecar | None:
    """Return what the `patches.json` of a folder says of one cube in it; None where it says nothing."""
    lattice = read_lattice(path.parent / INDEX)
    for name, file in () if lattice is None else lattice.sidecar.variables.items():
        number = path.name.removesuffix(file.replace("{}", ""))
        if lattice is not None and number.isdecimal() and int(number) < lattice.n_cubes:
            whole_one, box = lattice.sidecar, lattice.box(int(number))
            axes = [
                Axis(axis.name, axis.values[one], axis.unit) for axis, one in zip(whole_one.grid.axes, box, strict=True)
            ]
            return Sidecar(
                Grid(tuple(axes)), whole_one.byte_order, {name: path.name}, None, whole_one.cdp_xy,
                whole_one.attributes,
            )  # fmt: skip
    return None
