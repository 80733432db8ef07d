"""Writing raw cubes and their side-car, by boxes and by several processes at once."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import numpy as np

from seisloom.errors import DataError, OutputError
from seisloom.io.volumes.begun import begun_with
from seisloom.io.volumes.grid import Box
from seisloom.io.volumes.raw.cube import Cube, cannot_write
from seisloom.io.volumes.raw.plane import fitted_plane
from seisloom.io.volumes.raw.sidecar import Sidecar, place_for, write_json
from seisloom.io.volumes.volume import AMPLITUDE, Spec, Traces, Wanted, partial_of
from seisloom.sample import Array

SUFFIXES = {".fsem": "fault", ".fdip": "dip", ".fstrike": "strike", ".rgt": "rgt", ".dhr": "dhr"}
"""Endings of cubes that say their variable."""
ENDING = {name: suffix for suffix, name in SUFFIXES.items()}


def files_for(path: Path, variables: Iterable[str]) -> dict[str, Path]:
    """Return the file of each variable.

    One variable goes to the path as it is; but without a suffix an attribute gets its own. Of several each attribute
    has its own suffix, amplitudes the path as it is, and others their name in it.

    Raises:
        OutputError: if several are to go to a name that says its variable.

    >>> {name: str(file) for name, file in files_for(Path("result"), ["fault", "rgt", "phase"]).items()}
    {'fault': 'result.fsem', 'rgt': 'result.rgt', 'phase': 'result_phase.bin'}
    """
    names, suffix = list(variables), path.suffix.lower()
    if len(names) > 1 and suffix in SUFFIXES:
        raise OutputError(
            f"{path}: is for {SUFFIXES[suffix]} alone, and there are {', '.join(names)}. "
            f"Choose variables, or the name {path.with_suffix('')}"
        )
    if len(names) == 1 and (suffix or names[0] not in ENDING):
        return {names[0]: path}
    return {name: _file_of(path, name) for name in names}


def _file_of(path: Path, name: str) -> Path:
    if name in ENDING:
        return path.with_suffix(ENDING[name])
    return path if name == AMPLITUDE else path.with_name(f"{path.stem}_{name}{path.suffix or '.bin'}")


class RawWriter:
    """Writes cubes beside their places, each of full size from the start, little-endian.

    Holes of the grid and traces that nobody writes are zeros. A byte for each trace says whether it has a sample that
    is not: processes only ever set it, so they need not wait for each other.
    """

    def __init__(self, path: Path, spec: Spec, wanted: Wanted, *, begins: bool = True) -> None:
        """Make room for the cubes.

        Args:
            path: of the cube, or of the first of them, see `files_for`.
            spec: what they are.
            wanted: nothing that raw cubes have.
            begins: False to go on with those that are there, see `resume`.
        Raises:
            OutputError: if there is no room, the folder cannot be written to, or the side-car's place is taken.
        """
        del wanted  # a raw cube has no chunks
        self.path, self.spec = Path(path), spec
        self.grain = (1,) * len(spec.grid.axes)
        self.files = files_for(self.path, spec.variables)
        said = SUFFIXES.get(self.path.suffix.lower())
        names = {said if name == AMPLITUDE and said else name: file.name for name, file in self.files.items()}
        self._sidecar = Sidecar(spec.grid, variables=names, attributes=spec.attributes)
        place_for(self.path, self._sidecar)
        self._cubes = {name: Cube(partial_of(file), spec.grid.shape) for name, file in self.files.items()}
        self._traces = partial_of(self.path).with_name(partial_of(self.path).name + ".traces")
        self._begun = begun_with(self.path, "raw", spec)
        if begins:
            self._begin()

    @classmethod
    def resume(cls, path: Path, spec: Spec, wanted: Wanted) -> Self | None:
        """Return a writer that goes on with partial cubes, see `Format.resume`."""
        writer = cls(path, spec, wanted, begins=False)
        cubes = list(writer._cubes.values())
        if not writer._begun.is_noted() or not any(cube.path.exists() for cube in cubes):
            return None
        sizes = {cube.path: cube.n_bytes for cube in cubes}
        writer._begun.check({**sizes, writer._traces: writer._n_trace_bytes})
        return writer

    @property
    def _n_trace_bytes(self) -> int:
        """Bytes of what is remembered of traces: whether they have samples, and x and y."""
        return math.prod(self.spec.grid.trace_shape) * (17 if self.spec.has_xy else 1)

    def _begin(self) -> None:
        try:
            self._make_room()
        except OutputError:
            self.abandon()
            raise

    def _make_room(self) -> None:
        try:
            self._begun.forget()
        except OSError as error:
            raise cannot_write(self.path, error) from error
        for cube in self._cubes.values():
            cube.path.unlink(missing_ok=True)  # of a run that was killed
            cube.make_room()
        try:
            self._traces.unlink(missing_ok=True)
            with self._traces.open("wb") as opened:  # not sparse: a full disk would end a mapped write with a signal
                os.posix_fallocate(opened.fileno(), 0, self._n_trace_bytes)
            self._begun.note()
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def _alive(self) -> Array:
        """Return the mapped bytes that say which traces have samples that are not 0."""
        shape = self.spec.grid.trace_shape
        return np.asarray(np.memmap(self._traces, np.uint8, mode="r+", shape=(math.prod(shape),))).reshape(shape)

    def _xy(self) -> Array:
        """Return mapped coordinates, float64 (2, ...); both 0 where nobody said them."""
        shape = self.spec.grid.trace_shape
        n_traces = math.prod(shape)
        mapped = np.memmap(self._traces, np.float64, mode="r+", offset=n_traces, shape=(2 * n_traces,))
        return np.asarray(mapped).reshape(2, *shape)

    def write(self, box: Box, values: Array, name: str = AMPLITUDE) -> None:
        """Store the samples of a box, see `Writer`.

        Raises:
            OutputError: if the file cannot be written.
            DataError: if there is no such variable, or a finite number is beyond float32.
        """
        if name not in self._cubes:
            raise DataError(f"{self.path}: no variable {name!r}; it is made for {', '.join(self._cubes)}")
        self._cubes[name].write(box, values)
        alive = self._alive()
        some = alive[box[:-1]] if box[:-1] else alive  # a view; of an array without axes it would be a number
        some[np.asarray(values).any(axis=-1)] = 1

    def write_traces(self, box: Box, traces: Traces) -> None:
        """Keep CDP coordinates for the side-car, see `Writer`."""
        if self.spec.has_xy and traces.x is not None and traces.y is not None:
            known = traces.live & np.isfinite(traces.x) & np.isfinite(traces.y)
            self._xy()[(slice(None), *box)] = np.where(known, (traces.x, traces.y), 0)

    def finish(self) -> tuple[Path, ...]:
        """Put cubes and side-car in their places, see `Writer`.

        Raises:
            OutputError: if they cannot be written.
        """
        n_dead = int(np.count_nonzero(self._alive() == 0))
        xy = fitted_plane(self.spec.grid, self._xy()) if self.spec.has_xy else ()
        said = Sidecar(
            self.spec.grid, variables=self._sidecar.variables, n_dead_traces=n_dead, cdp_xy=xy,
            attributes=self.spec.attributes,
        )  # fmt: skip
        place, said = place_for(self.path, said)
        for file in self.files.values():
            try:
                os.replace(partial_of(file), file)
            except OSError as error:
                raise cannot_write(file, error) from error
        write_json(place, said.to_json())
        self._traces.unlink(missing_ok=True)
        self._begun.forget()
        return (*self.files.values(), place)

    def abandon(self) -> None:
        """Remove what was written."""
        self._begun.forget()
        for cube in self._cubes.values():
            cube.path.unlink(missing_ok=True)
        self._traces.unlink(missing_ok=True)
