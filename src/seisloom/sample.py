"""What flows through seisloom: a reference, the sample it stands for, and the fields that both promise."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from seisloom.errors import SchemaError

Array: TypeAlias = npt.NDArray[Any]  # Any: the element type is data, it stands in Field.dtype
Arrays: TypeAlias = Mapping[str, Array]
Predictor: TypeAlias = Callable[[Arrays], Arrays]


@dataclass(frozen=True, slots=True)
class Ref:
    """A sample that is planned and not yet read: cheap, serialisable, with a unique key.

    >>> Ref("LINE/R01/shot-001001", {"geometry": "LINE", "shot": "LINE/1001"}).groups["shot"]
    'LINE/1001'
    """

    key: str
    groups: Mapping[str, str]
    """What it belongs to, by kind (geometry, station, shot, event, cube, model): splits never part a group."""
    seed: int = 0
    source: Mapping[str, Any] = field(default_factory=dict)  # Any: JSON values, each room has its own
    """What `read` needs to find or to make it; plain JSON values."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample: arrays by name, and where they come from. Never changed in place."""

    key: str
    groups: Mapping[str, str]
    arrays: Arrays
    meta: Mapping[str, Any] = field(default_factory=dict)  # Any: JSON values: source file, drawn parameters

    def with_arrays(self, **changes: Array) -> Sample:
        """Return a copy in which these arrays are replaced or added."""
        return replace(self, arrays={**self.arrays, **changes})

    def with_meta(self, **changes: Any) -> Sample:  # Any: JSON values
        """Return a copy with these remarks added."""
        return replace(self, meta={**self.meta, **changes})


@dataclass(frozen=True, slots=True)
class Field:
    """One array that is promised: its name, the names of its axes, its type and unit."""

    name: str
    axes: tuple[str, ...] = ()
    dtype: str = "float32"
    unit: str = "1"
    doc: str = ""
    label: str | None = None
    """None for what is measured; for labels how they move with the data: point, curve, mask, dense, class, image, or
    amplitude, which is the data's own without noise or gaps: an image that is scaled and flipped with it, too."""
    optional: bool = False
    """Whether it may be missing: what a network gives for tasks that can be off."""


@dataclass(frozen=True, slots=True)
class Schema:
    """The arrays that flow between two parts. Contracts are data: they can be printed, stored and checked."""

    fields: tuple[Field, ...]

    def __getitem__(self, name: str) -> Field:
        for one in self.fields:
            if one.name == name:
                return one
        raise SchemaError(f"no field {name!r}; there are {', '.join(f.name for f in self.fields)}")

    def check(self, arrays: Arrays, *, where: str) -> None:
        """Raise SchemaError if a field is missing, of another type, or if axes of one name differ in length."""
        lengths: dict[str, tuple[int, str]] = {}
        for promised in self.fields:
            if promised.name not in arrays:
                if promised.optional:
                    continue
                raise SchemaError(
                    f"{where}: field {promised.name!r} is missing; there are {', '.join(sorted(arrays)) or 'none'}"
                )
            array = np.asarray(arrays[promised.name])
            if array.ndim != len(promised.axes):
                raise SchemaError(
                    f"{where}: {promised.name} has shape {array.shape}, "
                    f"it must have the axes ({', '.join(promised.axes)})"
                )
            if array.dtype != np.dtype(promised.dtype):
                raise SchemaError(f"{where}: {promised.name} is {array.dtype}, it must be {promised.dtype}")
            for axis, length in zip(promised.axes, array.shape, strict=True):
                known, first = lengths.setdefault(axis, (length, promised.name))
                if known != length:
                    raise SchemaError(
                        f"{where}: axis {axis!r} has length {length} in {promised.name} and {known} in {first}"
                    )

    def to_json(self) -> list[dict[str, Any]]:  # Any: JSON values
        """Return the fields as plain values, for an index or a card."""
        return [
            {"name": f.name, "axes": list(f.axes), "dtype": f.dtype, "unit": f.unit, "doc": f.doc} for f in self.fields
        ]


def content_hash(traces: Array) -> Array:
    """Return a hash of each row's samples as float32, uint64 (trace,); the same for any file format.

    Dead traces are all alike and tell nothing: theirs is 0.

    Args:
        traces: (trace, time); a volume that is known as a whole has one row.
    """
    rows = np.ascontiguousarray(traces, dtype="<f4")
    digests = [hashlib.blake2b(row.tobytes(), digest_size=8).digest() for row in rows]
    hashes = np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)
    return np.where(np.ptp(rows, axis=1) == 0, np.uint64(0), hashes)
