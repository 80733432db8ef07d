"""A volume cut into numbered raw cubes, `0.bin`, `1.bin`, ..., and its targets alike, `0_rgt.bin`, ...

Where they lie is in `patches.json`, see `lattice`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from seisloom.errors import DataError, OutputError
from seisloom.io.volumes.grid import Axis, Box, Grid, box_shape, whole
from seisloom.io.volumes.raw.cube import cannot_write
from seisloom.io.volumes.raw.lattice import INDEX, Lattice, read_lattice, starts_on
from seisloom.io.volumes.raw.plane import plane_of, xy_on
from seisloom.io.volumes.raw.sidecar import Sidecar, write_json
from seisloom.io.volumes.raw.writer import ENDING
from seisloom.io.volumes.volume import AMPLITUDE, Format, Given, Spec, Traces, Volume, Wanted, Writer
from seisloom.progress import track
from seisloom.sample import Array

NUMBERED = re.compile(r"\d+(_\w+)?\.bin")


def write_patches(
    volume: Volume,
    folder: Path,
    *,
    patch: Sequence[int],
    stride: Sequence[int] | None = None,
    targets: Mapping[str, Volume] | None = None,
    force: bool = False,
) -> tuple[Path, ...]:
    """Cut a volume and its targets into numbered cubes of float32.

    Args:
        volume: what is cut; its amplitudes (its first variable where it has none) become 0.bin, its other variables
            are targets too.
        folder: where the cubes go; made if need be.
        patch: samples of a cube, fastest axis first: n1, n2, n3.
        stride: distance of cubes, fastest axis first; by default that of `patch`, so that they meet.
        targets: volumes of the same shape, by the name in their files; of each the variable of that name is cut, or
            else its first.
        force: write into a folder that holds something: numbered cubes in it are removed, other files stay.
    Returns:
        All files, `patches.json` last.
    Raises:
        DataError: if a cube does not fit in the volume, or a target has another shape.
        OutputError: if the folder holds something, or cannot be written to.
    """
    grid, folder = volume.spec.grid, Path(folder)
    size, step = _on_axes(grid, "patch", patch), _on_axes(grid, "stride", stride or patch)
    for axis, n in zip(grid.axes, size, strict=True):
        if n > len(axis):
            raise DataError(
                f"{volume.path}: {axis.name} has {len(axis)} samples, fewer than the {n} of a cube. Give a smaller "
                f"--patch: at most {','.join(map(str, grid.shape[::-1]))}"
            )
    sources = _sources(volume, targets or {})
    sidecar = Sidecar(
        grid, variables={name: file for name, (file, *_) in sources.items()}, cdp_xy=plane_of(volume),
        attributes={"source": volume.path.name, **volume.spec.attributes},
    )  # fmt: skip
    starts = tuple(starts_on(*one) for one in zip(grid.shape, size, step, strict=True))
    lattice = Lattice(sidecar, size, starts)
    _make_folder(folder, force=force)
    files = []
    try:
        for number in track(range(lattice.n_cubes), total=lattice.n_cubes, what="cutting", unit="cubes"):
            for name, (_, source, variable) in sources.items():
                cube = lattice.cube(folder, number, name)
                files.append(cube.path)
                cube.make_room()
                cube.write(whole(size), source.read(lattice.box(number), variable))
    except BaseException:
        for file in files:
            file.unlink(missing_ok=True)
        raise
    # Last: a folder without it was not finished
    write_json(folder / INDEX, lattice.to_json())
    return (*files, folder / INDEX)


def _on_axes(grid: Grid, what: str, sizes: Sequence[int]) -> tuple[int, ...]:
    """Return sizes that are given with the fastest axis first, in the order of the grid."""
    if len(sizes) != len(grid.axes) or min(sizes) < 1:
        raise DataError(
            f"--{what} {','.join(map(str, sizes))}: give a whole number above 0 for each of "
            f"{', '.join(grid.names[::-1])}, in this order"
        )
    return tuple(sizes)[::-1]


def _sources(volume: Volume, targets: Mapping[str, Volume]) -> dict[str, tuple[str, Volume, str]]:
    """Return by variable the name of its files, the volume and the variable in it that is cut."""
    own = volume.spec.variables
    main = AMPLITUDE if AMPLITUDE in own else next(iter(own))
    sources = {main: ("{}.bin", volume, main)}
    there = [(name, volume) for name in own if name != main] + list(targets.items())
    for name, target in there:
        if name in sources:
            raise DataError(f"two targets are named {name!r}. Name one otherwise: --target NAME=FILE")
        if not re.fullmatch(r"\w+", name):
            raise DataError(f"a target is named {name!r}, and becomes part of file names: letters, digits and _ alone")
        if target.spec.grid.shape != volume.spec.grid.shape:
            raise DataError(
                f"{target.path} is {' x '.join(map(str, target.spec.grid.shape))}, and {volume.path} is "
                f"{' x '.join(map(str, volume.spec.grid.shape))}: a target must be alike"
            )
        variables = target.spec.variables
        sources[name] = (
            f"{{}}_{ENDING.get(name, name).removeprefix('.')}.bin",
            target,
            name if name in variables else next(iter(variables)),
        )
    return sources


def _make_folder(folder: Path, *, force: bool) -> None:
    try:
        folder.mkdir(exist_ok=True)
        found = list(folder.iterdir())
        if found and not force:
            raise OutputError(f"{folder}: holds {len(found)} files already. Choose another folder, or give --force")
        for file in found:
            if file.name == INDEX or NUMBERED.fullmatch(file.name):
                file.unlink()
    except OutputError:
        raise
    except OSError as error:
        raise cannot_write(folder, error) from error


class PatchFolder:
    """Numbered cubes as the volume they were cut from; where they overlap, the first one counts."""

    def __init__(self, path: Path) -> None:
        """Open a folder: `patches.json` is read.

        Raises:
            DataError: if it is not there or damaged, or the cubes leave gaps.
        """
        lattice = read_lattice(path / INDEX)
        if lattice is None and not any(path.iterdir()):
            raise DataError(f"{path}: is an empty folder")
        if lattice is None:
            raise DataError(
                f"{path}: is no folder of numbered cubes: {INDEX} is missing, which says where they lie. Cut the "
                "volume again with seisloom convert VOLUME FOLDER --patch n1,n2,n3"
            )
        self.path, self._lattice = path, lattice
        grid = lattice.sidecar.grid
        self._owned = [
            _owned(path, axis, starts, size)
            for axis, starts, size in zip(grid.axes, lattice.starts, lattice.patch, strict=True)
        ]
        self.spec = Spec(
            grid, {name: np.dtype(np.float32) for name in lattice.sidecar.variables},
            has_xy=bool(lattice.sidecar.cdp_xy), attributes=lattice.sidecar.attributes,
        )  # fmt: skip
        self.chunks = lattice.patch
        self.notes: tuple[str, ...] = (f"joined from {lattice.n_cubes} cubes of {' x '.join(map(str, lattice.patch))}",)

    def read(self, box: Box, name: str = AMPLITUDE) -> Array:
        """Return the samples of a box, float32, see `Volume`.

        Raises:
            DataError: if there is no such variable, or a cube is missing or has another size.
        """
        if name not in self.spec.variables:
            raise DataError(f"{self.path}: no variable {name!r}; there are {', '.join(self.spec.variables)}")
        values = np.empty(box_shape(box), dtype=np.float32)
        for number, part in self._cubes_of(box):
            cube = self._lattice.cube(self.path, number, name)
            cube.check_size()
            values[_within(box, part)] = cube.read(_within(self._lattice.box(number), part))
        return values

    def _cubes_of(self, box: Box) -> Iterator[tuple[int, Box]]:
        """Yield numbers of cubes, and what each has to give to a box, in indices of the grid."""
        choices = [
            [(k, slice(max(own.start, one.start), min(own.stop, one.stop))) for k, own in enumerate(owned)
             if own.start < one.stop and one.start < own.stop]
            for one, owned in zip(box, self._owned, strict=True)
        ]  # fmt: skip
        counts = tuple(map(len, self._lattice.starts))
        for chosen in itertools.product(*choices):
            number = int(np.ravel_multi_index(tuple(k for k, _ in chosen), counts))
            yield number, tuple(part for _, part in chosen)

    def traces(self, box: Box) -> Traces:
        """Return all traces as live; and CDP coordinates where they are known."""
        return xy_on(self.spec.grid, self._lattice.sidecar.cdp_xy, box)


def _within(outer: Box, inner: Box) -> Box:
    return tuple(slice(b.start - a.start, b.stop - a.start) for a, b in zip(outer, inner, strict=True))


def _owned(path: Path, axis: Axis, starts: Sequence[int], size: int) -> list[slice]:
    """Return what is read from each cube along an axis: what those before it do not have."""
    ends = [start + size for start in starts]
    owned = [slice(low, high) for low, high in zip([0, *ends], ends, strict=False)]
    if ends[-1] != len(axis) or any(start > own.start for start, own in zip(starts, owned, strict=True)):
        raise DataError(
            f"{path}: cubes leave gaps along {axis.name}, and cannot be joined. Cut the volume again with a --stride "
            "no larger than --patch"
        )
    return owned


def _open(path: Path, given: Given) -> Volume:
    del given  # patches.json says all of it
    return PatchFolder(path)


def _create(path: Path, spec: Spec, wanted: Wanted) -> Writer:
    del spec, wanted
    raise OutputError(f"{path}: is a folder. Give the size of the cubes: --patch 128,128,128; or name a file")


def _files(path: Path, spec: Spec) -> list[Path]:
    del path, spec
    return []  # nothing is written without --patch, and `_create` says so


PATCHES = Format("patches", ("/",), _open, _create, files=_files)
