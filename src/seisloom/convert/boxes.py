"""Samples and traces of a volume to a writer, box by box: memory is that of a few boxes, whatever the volume."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor
from functools import partial

import numpy as np

from seisloom.compute import InThisProcess, run_jobs
from seisloom.io.volumes.grid import Box, box_size, boxes
from seisloom.io.volumes.volume import Volume, Writer
from seisloom.progress import track

BOX_BYTES = 1 << 26
"""Of samples that are on their way at once, for each process: 64 MiB hide the cost of a call to the file system."""


def copy(volume: Volume, writer: Writer, pool: Executor | None = None) -> dict[str, int]:
    """Copy all samples and traces of a volume to a writer; returns counts of what was met."""
    todo = list(_steps(volume, writer.grain))
    done = run_jobs(pool or InThisProcess(), partial(_copy_box, volume=volume, writer=writer), todo, ahead=8)
    n_samples = sum(map(box_size, todo))
    pairs = zip(todo, done, strict=True)
    counts: Counter[str] = Counter()
    for _, one in track(pairs, total=n_samples, what="converting", unit="samples", size=lambda pair: box_size(pair[0])):
        counts.update(one)
    return dict(counts)


def _steps(volume: Volume, grain: tuple[int, ...]) -> Iterator[Box]:
    """Yield boxes that end where the writer's do, hold whole traces where they are small enough, and come in the
    order of the file."""
    grid = volume.spec.grid
    itemsize = sum(dtype.itemsize for dtype in volume.spec.variables.values())
    size = [-(-min(chunk, n) // step) * step for chunk, n, step in zip(volume.chunks, grid.shape, grain, strict=True)]
    if volume.chunks == grid.shape:
        size = list(grain)
    for k in reversed(range(len(size))):
        room = BOX_BYTES // (itemsize * int(np.prod(size)))
        size[k] *= max(1, min(room, -(-grid.shape[k] // size[k])))
    return boxes(grid.shape, size)


def _copy_box(box: Box, *, volume: Volume, writer: Writer) -> Counter[str]:
    found: Counter[str] = Counter()
    traces = volume.traces(box[:-1])
    if box[-1].start == 0:
        writer.write_traces(box[:-1], traces)
        found["live traces"] += int(np.count_nonzero(traces.live))
        found["holes"] += int(np.count_nonzero(~traces.live))
    dead = np.ones(traces.live.shape, dtype=bool)
    for name, dtype in volume.spec.variables.items():
        values = volume.read(box, name)
        if dtype.kind == "f":
            found["samples that are not finite"] += int(np.count_nonzero(~np.isfinite(values)))
        dead &= ~values.any(axis=-1)
        writer.write(box, values, name)
    if box[-1] == slice(0, volume.spec.grid.shape[-1]):
        found["dead traces"] += int(np.count_nonzero(dead & traces.live))
    return found
