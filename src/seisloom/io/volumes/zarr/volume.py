"""Volumes in Zarr v3 with the names and the layout of MDIO v1; other Zarr groups with named axes open too."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.errors import BaseZarrError

from seisloom.errors import DataError, MissingDataError
from seisloom.io.segy.layout import TRACE_HEADER
from seisloom.io.volumes.grid import VERTICAL, Axis, Box, Grid, box_shape
from seisloom.io.volumes.volume import AMPLITUDE, Format, Given, Spec, Traces, Volume, Wanted, Writer
from seisloom.io.volumes.zarr import mdio
from seisloom.io.volumes.zarr.writer import ZarrWriter, quietly
from seisloom.sample import Array


class ZarrVolume:
    """A Zarr group whose arrays have named axes, the last of them time or depth."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._group = _open_group(path)
        attributes: dict[str, Any] = dict(self._group.attrs)  # Any: JSON values
        with quietly():
            arrays = {name: array for name, array in self._group.arrays() if _axes_of(array)}
        main = _main_array(path, arrays, attributes)
        names = _axes_of(main)
        axes = tuple(self._axis(name, n) for name, n in zip(names, main.shape, strict=True))
        order = (attributes.get("attributes") or {}).get("variables", [])
        here = sorted((name for name, array in arrays.items() if _axes_of(array) == names), key=_place_in(order))
        self._arrays = {name: arrays[name] for name in here}
        of_traces = {name for name, array in arrays.items() if _axes_of(array) == names[:-1]}
        frame = None
        if mdio.FILE_HEADER in self._group:
            live = np.asarray(self._array(mdio.MASK)[...]) if mdio.MASK in of_traces else np.ones(main.shape[:-1])
            n_traces = int(np.count_nonzero(live))
            frame = mdio.frame_from(self._array(mdio.FILE_HEADER).attrs, n_traces)
        self.spec = Spec(
            grid=Grid(axes),
            variables={name: np.dtype(array.dtype).newbyteorder("=") for name, array in self._arrays.items()},
            frame=frame,
            has_headers=bool({mdio.RAW_HEADERS, mdio.HEADERS} & of_traces),
            has_xy={mdio.X, mdio.Y} <= of_traces,
            attributes=attributes.get("attributes") or {},
        )
        self.chunks = tuple(main.shards or main.chunks)
        self.notes: tuple[str, ...] = ()
        self._of_traces = of_traces

    def __reduce__(self) -> tuple[type[ZarrVolume], tuple[Path]]:
        return type(self), (self.path,)

    def _array(self, name: str) -> zarr.Array[Any]:  # Any: the kind of its metadata
        with quietly():
            found = self._group[name]
        assert isinstance(found, zarr.Array)
        return found

    def _axis(self, name: str, n: int) -> Axis:
        if name not in self._group:
            return Axis.regular(name, n)
        array = self._array(name)
        return mdio.axis_from(name, np.asarray(array[...], dtype=np.float64), array.attrs)

    def read(self, box: Box, name: str = AMPLITUDE) -> Array:
        """Return the samples of a box, see `Volume`.

        Raises:
            DataError: if there is no such variable, a chunk is missing or damaged.
        """
        if name not in self._arrays:
            raise DataError(f"{self.path}: no variable {name!r}; there are {', '.join(self._arrays)}")
        array = self._arrays[name]
        try:
            values = np.asarray(array[box])
        except (BaseZarrError, RuntimeError, ValueError, OSError) as error:
            raise DataError(f"{self.path}: {name} at {_said(box)} does not read ({error}). Convert it again") from error
        fill = array.fill_value
        empty = np.isnan(values) if isinstance(fill, np.floating) and np.isnan(fill) else values == fill
        if not empty.any():
            return values
        live = np.asarray(self.traces(box[:-1]).live)
        self._check_chunks(array, box, live, empty)
        values[~live] = 0
        return values

    def _check_chunks(self, array: zarr.Array[Any], box: Box, live: Array, empty: Array) -> None:  # Any: its metadata
        """Raise where a chunk with live traces is not there: Zarr itself gives its fill value and says nothing."""
        if not np.any(empty.all(axis=-1) & live) and not np.any(empty[live]):
            return
        for chunk in _chunks_in(array, box):
            place = chunk_path(self.path, array, chunk)
            if place is not None and not place.exists() and self._has_live(array, chunk):
                raise DataError(f"{place}: this chunk is missing, and it has live traces. Convert the volume again")

    def _has_live(self, array: zarr.Array[Any], chunk: tuple[int, ...]) -> bool:  # Any: its metadata
        size = array.shards or array.chunks
        box = tuple(
            slice(k * step, min((k + 1) * step, n)) for k, step, n in zip(chunk, size, array.shape, strict=True)
        )
        return bool(np.any(self.traces(box[:-1]).live))

    def traces(self, box: Box) -> Traces:
        """Return what is known of traces, see `Volume`."""
        shape = box_shape(box)
        live = np.asarray(self._array(mdio.MASK)[box]) if mdio.MASK in self._of_traces else np.ones(shape, dtype=bool)
        headers = number = x = y = None
        if self.spec.has_headers:
            headers = self._headers(box)
            number = np.asarray(self._array(mdio.NUMBER)[box]) if mdio.NUMBER in self._group else self._in_order(box)
        if self.spec.has_xy:
            x, y = (np.asarray(self._array(name)[box]) for name in (mdio.X, mdio.Y))
        return Traces(live, headers, number, x, y)

    def _headers(self, box: Box) -> Array:
        if mdio.RAW_HEADERS not in self._of_traces:
            return mdio.bytes_of(np.asarray(self._array(mdio.HEADERS)[box]))
        stored = np.ascontiguousarray(self._array(mdio.RAW_HEADERS)[box])
        return stored.view(np.uint8).reshape(*box_shape(box), TRACE_HEADER)

    def _in_order(self, box: Box) -> Array:
        """Number live traces in the order of the grid: what multidimio does, which keeps no other."""
        live = (
            np.asarray(self._array(mdio.MASK)[...])
            if mdio.MASK in self._of_traces
            else np.ones(self.spec.grid.trace_shape, bool)
        )
        number = np.cumsum(live).reshape(live.shape) - 1
        return np.asarray(np.where(live, number, -1)[box])


def _open_group(path: Path) -> zarr.Group:
    if not path.exists():
        raise MissingDataError(f"{path}: no such volume")
    try:
        return zarr.open_group(path, mode="r")
    except (BaseZarrError, FileNotFoundError, ValueError, KeyError) as error:
        raise DataError(f"{path}: is no Zarr group ({error}). Name a folder that holds zarr.json") from error


def _axes_of(array: Any) -> tuple[str, ...]:  # Any: a zarr.Array of either version
    names = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS") or ()
    return tuple(names) if all(names) else ()


def _place_in(order: Sequence[str]) -> Callable[[str], tuple[int, str]]:
    """Return a key that sorts names as they were written; others come behind, by the alphabet."""
    return lambda name: (order.index(name) if name in order else len(order), name)


def _main_array(
    path: Path, arrays: Mapping[str, Any], attributes: Mapping[str, Any]
) -> Any:  # Any: arrays, JSON values
    """Return the array whose axes are those of the volume: MDIO's default variable, else the first with a trace."""
    default = (attributes.get("attributes") or {}).get("defaultVariableName", AMPLITUDE)
    volumes = [array for array in arrays.values() if array.ndim > 1 and _axes_of(array)[-1] in VERTICAL]
    if default in arrays and arrays[default].ndim > 1:
        return arrays[default]
    if not volumes:
        raise DataError(
            f"{path}: holds no volume: no array of two axes or more ends with one named {', '.join(VERTICAL)}. "
            f"Arrays: {', '.join(arrays) or 'none with named axes'}"
        )
    return max(volumes, key=lambda array: array.ndim)


def _chunks_in(array: zarr.Array[Any], box: Box) -> Iterator[tuple[int, ...]]:  # Any: the kind of its metadata
    size = array.shards or array.chunks
    return itertools.product(*(range(one.start // k, -(-one.stop // k)) for one, k in zip(box, size, strict=True)))


def chunk_path(group: Path, array: Any, chunk: tuple[int, ...]) -> Path | None:  # Any: a zarr.Array of either version
    """Return the file of a chunk, or of the shard that holds it; None where another store has it."""
    encoding = getattr(array.metadata, "chunk_key_encoding", None)
    return None if encoding is None else group / str(array.basename) / str(encoding.encode_chunk_key(chunk))


def _said(box: Box) -> str:
    return ", ".join(f"{one.start}:{one.stop}" for one in box)


def _open(path: Path, given: Given) -> Volume:
    del given  # a Zarr group says all of it itself
    return ZarrVolume(path)


def _create(path: Path, spec: Spec, wanted: Wanted) -> Writer:
    return ZarrWriter(path, spec, wanted)


ZARR = Format("zarr", (".zarr", ".mdio"), _open, _create, resume=ZarrWriter.resume)
