"""Tiles on their way through the model: read in blocks ahead of it, prepared, and run in batches of one size."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from math import prod
from typing import TypeAlias, TypeVar

import numpy as np

from seisloom.errors import SchemaError, SeisloomError
from seisloom.inference.lattice import Box, Index, Lattice, within
from seisloom.sample import Array, Arrays, Predictor

T = TypeVar("T")
U = TypeVar("U")
Read: TypeAlias = Callable[[Box], Array]
"""Returns the samples of a box, (*box) or (channel, *box)."""
Prepare: TypeAlias = Callable[[Array], Array]
"""Scales the input of one tile, float32 (channel, *patch), by numbers of the survey: never by the tile's own."""


def blocks(lattice: Lattice, tiles: Iterable[Index], *, max_voxels: int) -> Iterator[tuple[Box, list[Index]]]:
    """Yield boxes to read and the tiles in each, in order: as many tiles at once as a box of `max_voxels` holds.

    Tiles overlap and stored chunks are larger than their strides: to read each by itself would read and decompress
    everything several times.
    """
    some: list[Index] = []
    around: Box = ()
    for tile in tiles:
        box = lattice.box(tile)
        larger = tuple(
            slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(around or box, box, strict=True)
        )
        if some and prod(side.stop - side.start for side in larger) > max_voxels:
            yield around, some
            some, larger = [], box
        some.append(tile)
        around = larger
    if some:
        yield around, some


def tile_inputs(
    lattice: Lattice, tiles: Iterable[Index], read: Read, prepare: Prepare | None, *, max_voxels: int
) -> Iterator[tuple[Array, int]]:
    """Yield what the model sees of each tile, float32 (channel, *patch), and how many of its cell are not finite.

    Those are 0 for the model. Cells fill the volume once, so the counts of all tiles are those of the volume. An axis
    that is shorter than the patch is reflected at its ends, or repeated where it has one sample.
    """
    reading = ((_read(read, box), box, some) for box, some in blocks(lattice, tiles, max_voxels=max_voxels))
    with closing(one_ahead(reading)) as read_ahead:
        for block, box, some in read_ahead:
            finite = bool(np.isfinite(block).all())
            for tile in some:
                values = block[(slice(None), *within(lattice.box(tile), box))]
                yield (
                    _for_model(lattice, values, prepare),
                    0 if finite else _not_finite(block[(slice(None), *within(lattice.cell(tile), box))]),
                )


def _read(read: Read, box: Box) -> Array:
    """Return a block as float32 (channel, *box)."""
    block = np.asarray(read(box), dtype=np.float32)
    if block.ndim == len(box):
        block = block[None]
    if block.shape[1:] != tuple(side.stop - side.start for side in box):
        raise SchemaError(f"reading the box {box} gave the shape {block.shape}; it must be that of the box")
    return block


def _for_model(lattice: Lattice, values: Array, prepare: Prepare | None) -> Array:
    for axis, (before, behind) in enumerate(lattice.padding, 1):
        if before or behind:
            width = [(before, behind) if k == axis else (0, 0) for k in range(values.ndim)]
            values = np.pad(values, width, mode="reflect" if values.shape[axis] > 1 else "edge")
    if prepare is not None:
        values = np.asarray(prepare(values), dtype=np.float32)
    # After scaling, so that 0 is what the survey's mean is to the model
    finite = np.isfinite(values)
    return values if finite.all() else np.where(finite, values, np.float32(0))


def _not_finite(values: Array) -> int:
    return int((~np.isfinite(values)).any(axis=0).sum())


def batches(inputs: Iterator[tuple[Array, int]], batch_size: int) -> Iterator[tuple[Array, list[int]]]:
    """Yield the input of each batch, (batch_size, channel, *patch), and the counts of those tiles that are not filling.

    The last one repeats a tile: a convolution's last bit depends on the size of the batch.
    """
    while some := list(islice(inputs, batch_size)):
        filled = [x for x, _ in some] + [some[-1][0]] * (batch_size - len(some))
        yield np.stack(filled), [count for _, count in some]


def one_ahead(items: Iterator[T]) -> Generator[T]:
    """Yield items while a thread makes the next one; to be closed, since a thread of garbage may be joined anywhere."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, items, None)
        while (now := coming.result()) is not None:
            coming = thread.submit(next, items, None)
            yield now


def in_flight(fn: Callable[[T], U], items: Iterator[T], n: int) -> Generator[U]:
    """Yield what `fn` makes of each item, in order, with n of them under way at once; with 1 in this thread."""
    if n == 1:
        yield from map(fn, items)
        return
    with ThreadPoolExecutor(n) as threads:
        under_way: deque[Future[U]] = deque()
        for item in items:
            under_way.append(threads.submit(fn, item))
            if len(under_way) == n:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


def _answers(predictor: Predictor, x: Array) -> Arrays:
    try:
        return predictor({"x": x})
    except (SeisloomError, MemoryError):
        raise
    except Exception as error:  # a network raises whatever its layers say of a shape that they were not made for
        said = next(iter(str(error).splitlines()), "")
        raise SchemaError(
            f"the model fails on an input of {x.shape}, (batch, channel, *patch), with {type(error).__name__}: {said}. "
            "Look whether patch, batch size and device fit it"
        ) from error


def run_model(predictor: Predictor, x: Array, names: Sequence[str], *, squeeze: bool) -> dict[str, Array]:
    """Return the named outputs of a batch, float32 (batch, *patch).

    Args:
        predictor: takes {"x": (batch, channel, *patch)} and returns each output as (batch, *patch).
        x: the input of the batch.
        names: of the outputs; others are left aside.
        squeeze: take axes of length 1 away for the model: a 2-D model through sections of a 3-D volume.
    Raises:
        SchemaError: if the model fails, an output is missing, or does not have the input's shape.
    """
    batch, channel, *patch = x.shape
    seen = [n for n in patch if n > 1] if squeeze else patch
    found = _answers(predictor, x.reshape(batch, channel, *seen))
    outputs = {}
    for name in names:
        if name not in found:
            raise SchemaError(f"the model does not give {name!r}; it gives {', '.join(sorted(found)) or 'nothing'}")
        values = np.asarray(found[name], dtype=np.float32)
        if values.shape != (batch, *seen):
            raise SchemaError(
                f"the model gives {name!r} with the shape {values.shape} for an input of {(batch, channel, *seen)}; "
                f"it must be {(batch, *seen)}, a value for each sample"
            )
        outputs[name] = values.reshape(batch, *patch)
    return outputs
