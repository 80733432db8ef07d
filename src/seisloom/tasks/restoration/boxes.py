"""Volumes as training panels: boxes that begin where chunks do, read when they are asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from seisloom.convert import open_volume
from seisloom.errors import DataError
from seisloom.io.volumes.volume import AMPLITUDE, Volume
from seisloom.sample import Array, Ref
from seisloom.tasks.restoration.recipe import RestorationData
from seisloom.tasks.restoration.sources import in_lines

BOX = (64, 64, 256)
"""Lines, traces and samples of what is read of a volume at once, where the recipe has no crop."""
Stamp = tuple[int, int, int]


def box_refs(label: str, file: Path, volume: Volume, data: RestorationData) -> Iterator[Ref]:
    """Yield a ref for each box of a volume, in the order of its axes; their keys begin with the label.

    Each begins where a chunk does and is as large as the crop, or a part of a chunk more, so that no chunk is read for
    two boxes. Boxes at neighbouring lines are near copies: those of `data.block` lines are one group.

    Raises:
        DataError: if it has other than two or three axes.
    """
    shape = volume.spec.grid.shape
    if len(shape) not in (2, 3):
        raise DataError(f"{file}: has the axes {', '.join(volume.spec.grid.names)}; give a cube or a section")
    size = (data.crop or BOX)[-len(shape) :]
    # A format without chunks says its whole shape; any box of it may be read alone
    grain = size if tuple(volume.chunks) == tuple(shape) else volume.chunks
    steps = [min(-(-want // one) * one, n) for want, one, n in zip(size, grain, shape, strict=True)]
    together = -(-data.block // steps[0]) if len(shape) == 3 else 1
    counts = [-(-n // step) for n, step in zip(shape, steps, strict=True)]
    for k, place in enumerate(np.ndindex(*counts)):
        box = [[one * step, min((one + 1) * step, n)] for one, step, n in zip(place, steps, shape, strict=True)]
        group = "-".join(str(one) for one in (place[0] // together, *place[1:]))
        # Boxes that are taken whole are of one size, so that they make batches: those at an end are padded
        fill = None if data.crop else steps
        yield Ref(f"{label}/{k:06d}", {"panel": f"{label}/{group}"}, 0, {"path": str(file), "box": box, "fill": fill})


def read_box(ref: Ref) -> Array:
    """Return the amplitudes of a box, float32 (line, trace, time); only its chunks are read."""
    path = str(ref.source["path"])
    volume = _opened(path, stamp_of(path))
    names = volume.spec.variables
    name = AMPLITUDE if AMPLITUDE in names else next(iter(names))
    return in_lines(np.asarray(volume.read(tuple(slice(*one) for one in ref.source["box"]), name)), path)


def filled(ref: Ref, values: Array) -> Array:
    """Return a box at the end of a volume, made as large as the others with NaN, which nobody knows."""
    fill = ref.source.get("fill")
    if fill is None:
        return values
    wanted = (1, *fill)[-3:]
    short = [(0, want - have) for have, want in zip(values.shape, wanted, strict=True)]
    return np.pad(values, short, constant_values=np.nan) if np.any(short) else values


@lru_cache(maxsize=8)
def _opened(path: str, stamp: Stamp) -> Volume:
    """Return a volume that stays open in this process, so that a sample costs its chunks and no more."""
    return open_volume(path)


def stamp_of(path: str) -> Stamp:
    """Return what changes when a file or folder is written again: a process may live longer than its files."""
    said = os.stat(path)
    return said.st_mtime_ns, said.st_size, said.st_ino
