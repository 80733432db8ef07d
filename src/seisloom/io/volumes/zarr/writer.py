"""Writing a Zarr group in MDIO's layout, by boxes and by several processes at once."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np
import zarr
from zarr.codecs import BloscCodec, BloscShuffle
from zarr.errors import UnstableSpecificationWarning

from seisloom.errors import OutputError
from seisloom.io.segy.layout import TRACE_HEADER
from seisloom.io.volumes.begun import begun_with
from seisloom.io.volumes.grid import Box, Grid
from seisloom.io.volumes.volume import AMPLITUDE, Spec, Traces, Wanted, partial_of
from seisloom.io.volumes.zarr import mdio
from seisloom.sample import Array


@contextmanager
def quietly() -> Iterator[None]:
    """Say nothing of structures and raw bytes, MDIO's types of headers: Zarr v3 has no specification of them yet."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnstableSpecificationWarning)
        yield


class ZarrWriter:
    """Writes a Zarr group beside its place; chunks (or shards, where there are) are its grain."""

    def __init__(self, path: Path, spec: Spec, wanted: Wanted, *, begins: bool = True) -> None:
        """Make room for the group.

        Args:
            path: of the group.
            spec: what it is.
            wanted: chunks and shards.
            begins: False to go on with one that is there, see `resume`.
        Raises:
            OutputError: if the folder cannot be written to, or chunks and shards do not fit the grid.
        """
        self.path, self._partial = path, partial_of(path)
        self.spec = spec
        chunk, shard = _sizes(spec.grid, wanted)
        self.grain = shard or chunk
        self._begun = begun_with(path, "zarr", spec, chunk=chunk, shard=shard)
        if begins:
            self._begin(chunk, shard)

    @classmethod
    def resume(cls, path: Path, spec: Spec, wanted: Wanted) -> Self | None:
        """Return a writer that goes on with a partial group, see `Format.resume`.

        zarr writes a chunk beside its place and renames it: one that was being written is not there, or is whole as it
        was before. What was left beside them is removed.
        """
        writer = cls(path, spec, wanted, begins=False)
        if not writer._begun.is_noted() or not writer._partial.is_dir():
            return None
        writer._begun.check()
        if not (writer._partial / "zarr.json").is_file():
            raise OutputError(f"{writer._partial}: is no Zarr group any more. To begin anew, give --force")
        for orphan in writer._partial.rglob("*.partial"):
            if orphan.is_file():
                orphan.unlink(missing_ok=True)
        return writer

    def _begin(self, chunk: tuple[int, ...], shard: tuple[int, ...] | None) -> None:
        try:
            self._begun.forget()
            with quietly():
                self._create(chunk, shard)
            self._begun.note()
        except OSError as error:
            self.abandon()
            why = error.strerror or error
            raise OutputError(f"{self.path}: cannot be written: {why}. Choose another folder") from error

    def _create(self, chunk: tuple[int, ...], shard: tuple[int, ...] | None) -> None:
        grid, spec = self.spec.grid, self.spec
        main = AMPLITUDE if AMPLITUDE in spec.variables else next(iter(spec.variables))
        group = zarr.create_group(
            self._partial, overwrite=True,
            attributes={
                "apiVersion": "1.1.0", "name": "x".join(grid.names),
                "attributes": {**spec.attributes, "defaultVariableName": main, "variables": list(spec.variables)},
            },
        )  # fmt: skip
        for axis in grid.axes:
            values, said = mdio.stored_axis(axis)
            array = group.create_array(
                axis.name, shape=values.shape, chunks=values.shape, dtype=values.dtype,
                dimension_names=[axis.name], attributes=said,
            )  # fmt: skip
            array[...] = values
        xy = {"coordinates": f"{mdio.X} {mdio.Y}"} if spec.has_xy else {}
        for name, kind in spec.variables.items():
            fill = np.nan if kind.kind == "f" else 0
            _room(group, name, grid.names, grid.shape, kind, chunk, shard=shard, fill_value=fill, attributes=xy)
        for name, kind, fill in self._of_traces():
            room = {mdio.X: {"unitsV1": {"length": "m"}}, mdio.Y: {"unitsV1": {"length": "m"}}}.get(name, xy)
            _room(
                group, name, grid.names[:-1], grid.trace_shape, kind, self.grain[:-1],
                shard=None, fill_value=fill, attributes=room,
            )  # fmt: skip
        if spec.frame is not None:
            one = group.create_array(mdio.FILE_HEADER, shape=(), dtype="<U1", dimension_names=[])
            one.attrs.update(mdio.stored_frame(spec.frame))

    def _of_traces(self) -> list[tuple[str, np.dtype[Any], Any]]:  # Any: types and values of several kinds
        found: list[tuple[str, np.dtype[Any], Any]] = [(mdio.MASK, np.dtype(bool), False)]  # Any: as above
        if self.spec.has_headers:
            found += [
                (mdio.RAW_HEADERS, np.dtype(f"V{TRACE_HEADER}"), np.void(bytes(TRACE_HEADER))),
                (mdio.HEADERS, mdio.header_type(), np.zeros((), mdio.header_type())[()]),
                (mdio.NUMBER, np.dtype(np.int64), -1),
            ]
        if self.spec.has_xy:
            found += [(name, np.dtype(np.float64), np.nan) for name in (mdio.X, mdio.Y)]
        return found

    def _array(self, name: str) -> zarr.Array[Any]:  # Any: the kind of its metadata
        with quietly(), zarr.config.set({"array.write_empty_chunks": True}):  # one that is not there is then missing
            found = zarr.open_group(self._partial, mode="r+")[name]
        assert isinstance(found, zarr.Array)
        return found

    def write(self, box: Box, values: Array, name: str = AMPLITUDE) -> None:
        """Store the samples of a box, see `Writer`."""
        self._store(name, box, values)

    def write_traces(self, box: Box, traces: Traces) -> None:
        """Store what is known of traces, see `Writer`."""
        self._store(mdio.MASK, box, traces.live)
        if self.spec.has_headers and traces.headers is not None:
            frame = self.spec.frame
            little = frame is not None and frame.little_endian
            self._store(mdio.RAW_HEADERS, box, np.ascontiguousarray(traces.headers).view(f"V{TRACE_HEADER}")[..., 0])
            self._store(mdio.HEADERS, box, mdio.words_of(traces.headers, little_endian=little))
            assert traces.number is not None
            self._store(mdio.NUMBER, box, traces.number)
        if self.spec.has_xy and traces.x is not None and traces.y is not None:
            self._store(mdio.X, box, traces.x)
            self._store(mdio.Y, box, traces.y)

    def _store(self, name: str, box: Box, values: Array) -> None:
        try:
            self._array(name)[box] = values
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be written: {error.strerror or error}. Free some space") from error

    def finish(self) -> tuple[Path, ...]:
        """Put the group in its place, see `Writer`."""
        if self.path.exists():
            shutil.rmtree(self.path)
        os.replace(self._partial, self.path)
        self._begun.forget()
        return (self.path,)

    def abandon(self) -> None:
        """Remove what was written."""
        self._begun.forget()
        shutil.rmtree(self._partial, ignore_errors=True)


def _room(
    group: zarr.Group, name: str, axes: tuple[str, ...], shape: tuple[int, ...], kind: np.dtype[Any],
    chunk: tuple[int, ...], *, shard: tuple[int, ...] | None, fill_value: Any, attributes: Mapping[str, Any],
) -> None:  # fmt: skip
    """Create an array with MDIO's compression."""
    group.create_array(
        name, shape=shape, dtype=kind, chunks=chunk, shards=shard, fill_value=fill_value,
        dimension_names=list(axes), attributes=dict(attributes),
        compressors=BloscCodec(
            typesize=kind.itemsize, cname="zstd", clevel=5,
            shuffle=BloscShuffle.bitshuffle if kind.kind == "b" else BloscShuffle.shuffle,
        ),
    )  # fmt: skip


def _sizes(grid: Grid, wanted: Wanted) -> tuple[tuple[int, ...], tuple[int, ...] | None]:
    """Return the sizes of chunks and of shards, if there are to be any, cut to the grid."""
    asked = wanted.chunk or mdio.chunks_for(grid)
    for what, size in (("chunk", asked), ("shard", wanted.shard or asked)):
        if len(size) != len(grid.axes) or min(size) < 1:
            raise OutputError(f"--{what} {_said(size)}: give a number above 0 for each of {', '.join(grid.names)}")
    chunk = tuple(map(min, asked, grid.shape))
    if wanted.shard is None:
        return chunk, None
    if any(one % step for one, step in zip(wanted.shard, asked, strict=True)):
        raise OutputError(f"--shard {_said(wanted.shard)}: must be a multiple of the chunk {_said(asked)} on each axis")
    whole_chunks = (
        -(-min(one, n) // step) * step for one, n, step in zip(wanted.shard, grid.shape, chunk, strict=True)
    )
    return chunk, tuple(whole_chunks)


def _said(size: tuple[int, ...]) -> str:
    return ",".join(map(str, size))
