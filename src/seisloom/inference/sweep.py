"""A volume of any size through a model that sees tiles: the same bytes whoever computes them, in whatever order.

For every voxel the outputs of its tiles, times their weights, are added in the order of tiles, in float64, and rounded
once. So the result depends on the tiles, the model and the size of batches alone: not on the size of chunks, the number
of workers, or on how often the run was stopped. Memory is that of an owner and a few tiles (see `owners`).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import closing
from dataclasses import dataclass, field
from functools import lru_cache, partial
from math import inf, prod
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from seisloom.compute import InThisProcess
from seisloom.config import Config
from seisloom.errors import DataError
from seisloom.inference.feed import Prepare, Read, batches, in_flight, one_ahead, run_model, tile_inputs
from seisloom.inference.heap import tidy_heap
from seisloom.inference.lattice import Box, Index, Lattice, Window, lattice
from seisloom.inference.owners import Owners, Queue, Step, owner_size
from seisloom.inference.resume import Counts, kept_folder, mark, marked, open_scratch
from seisloom.inference.spill import Kept, Spill, forget_kept
from seisloom.progress import progress
from seisloom.sample import Array, Predictor

Write: TypeAlias = Callable[[Box, Array, str], None]
"""Stores the samples of a box, float32, of a variable; the edges of boxes are multiples of `grain`."""
Derive: TypeAlias = Callable[[Mapping[str, Array]], Mapping[str, Array]]
"""From arrays of one shape by name to others of that shape, float32."""
SUMS_SHARE, READING_SHARE = 0.4, 0.04
"""Of the memory of a worker: the sums of an owner, and a block that is read. Up to three blocks are there at once; the
rest is for batches, their outputs and weights."""


class Tiling(Config):
    """How a volume is cut into tiles for a model, and how they are put together."""

    patch: tuple[int, ...]
    """Samples that the model sees along each axis, slowest axis first; 1 across which it does not look."""
    overlap: float = 0.25
    """Share of a patch by which neighbours overlap; 0 to below 1."""
    window: Window = "cosine"
    """Weight of a tile from its middle to its edge: cosine, gaussian or flat."""
    batch_size: int = 1
    """Tiles that go through the model at once; it decides the last bit of a result."""
    squeeze: bool = False
    """Take axes of length 1 of the patch away for the model: a 2-D model through the sections of a 3-D volume."""


@dataclass(frozen=True, slots=True)
class TileJob:
    """What is computed, from what, and where to. It may be pickled if its functions may."""

    tiling: Tiling
    shape: tuple[int, ...]
    """Of the volume."""
    outputs: tuple[str, ...]
    """Names of the model's outputs that are wanted."""
    read: Read
    """Such as `volume.read`. Called from a thread while the model runs."""
    write: Write
    """Such as `writer.write`."""
    grain: tuple[int, ...]
    """Such as `writer.grain`."""
    open_predictor: Callable[[], Predictor]
    """Called once in each process; it also sets the number of threads, which must be the same everywhere."""
    prepare: Prepare | None = None
    derive: Derive | None = None
    """Makes what is written, by name, from the blended outputs of a box: angles from a normal, say. It works voxel by
    voxel, or the result would depend on the owners. Without it the outputs are written."""
    in_flight: int = 1
    """Batches that are given to the model at once, each from a thread of its own: 2 for a GPU, which then computes one
    while the other is copied; 1 for a model on the cores."""
    identity: Mapping[str, str] = field(default_factory=dict)
    """What else decides the bytes, in words or hashes: model, input, output, threads a worker."""

    def decides(self) -> dict[str, Any]:  # Any: JSON values
        """Return all that decides the bytes of the result, as JSON values."""
        return {
            **self.tiling.model_dump(mode="json"),
            "shape": list(self.shape), "outputs": list(self.outputs), **self.identity,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Swept:
    """What a run did, earlier parts of it included; what was lost when it was killed is not counted."""

    counts: Counts
    forwards_needed: int
    """Number of tiles: the forwards of one pass over the volume."""
    n_owners: int
    n_resumed: int
    """Owners that an earlier run had finished."""


def sweep(
    job: TileJob,
    scratch: Path,
    *,
    pool: Executor | None = None,
    workers: int = 1,
    memory_mb: float = 512,
    spill: bool = True,
    force: bool = False,
) -> Swept:
    """Compute the whole of a volume, or what an earlier run with the same scratch folder has left.

    Args:
        job: what is computed.
        scratch: folder beside the output, or in it; the caller removes it with `forget_run` when the output is in its
            place.
        pool: where it runs, see `seisloom.compute.executor`; this process by default.
        workers: owners that run at once.
        memory_mb: that a worker may take beside the model and its activations, in 10^6 bytes. The default has owners of
            256^3 samples for one output.
        spill: keep outputs of border tiles on disk until all their owners are written; otherwise each owner that they
            touch runs them.
        force: forget what an earlier run left.
    Raises:
        DataError: if patch, overlap, batch size and volume do not fit, or there is no memory or worker.
        OutputError: if `scratch` belongs to another run, or one grain of the output does not fit the memory.
        SchemaError: if the model does not give what is asked.
    """
    tiles, size = plan_owners(job.tiling, job.shape, job.outputs, job.grain, memory_mb=memory_mb, workers=workers)
    size = open_scratch(scratch, job.decides(), size, force=force)
    written, homed = marked(scratch, "written"), marked(scratch, "homed")
    pool = pool or InThisProcess()
    a_tile = prod(job.shape) / tiles.n_tiles
    counts = sum([*written.values(), *homed.values()], Counts())
    n_left = max(tiles.n_tiles - counts.forwards_made, 0)
    with progress(total=a_tile * n_left, what="computing tiles", unit="voxels") as advance:
        # A volume may have one owner that takes hours: in this process each tile is told. Others tell by owners
        tells = isinstance(pool, InThisProcess)
        work = Work(
            job, Owners(tiles, size), scratch, max_voxels=int(READING_SHARE * memory_mb * 1e6 / 4),
            tell=(lambda: advance(a_tile)) if tells else None,
        )  # fmt: skip
        queue = Queue(work.owners, written=set(written), homed=set(homed), workers=workers, keep=spill)
        with closing(_run_owners(work, queue, pool, workers, keep=spill)) as done:
            try:
                for one in done:
                    counts += one
                    advance(0 if tells else a_tile * one.forwards_made)
            finally:
                _opened.cache_clear()
    return Swept(counts, tiles.n_tiles, len(work.owners), len(written))


def plan_owners(
    tiling: Tiling, shape: tuple[int, ...], outputs: Sequence[str], grain: tuple[int, ...], *, memory_mb: float,
    workers: int,
) -> tuple[Lattice, tuple[int, ...]]:  # fmt: skip
    """Return the tiles of a volume and the size of its owners; for what the arguments mean see `TileJob` and `sweep`.

    Raises:
        DataError, OutputError: as `sweep` does, before any work.
    """
    if tiling.batch_size < 1:
        raise DataError(f"batch_size {tiling.batch_size}: at least 1 is needed")
    if not outputs:
        raise DataError("no output of the model is asked for; name at least one")
    if len(grain) != len(shape):
        raise DataError(f"grain {grain} of the output does not fit a volume of {shape}")
    if workers < 1:
        raise DataError(f"--workers {workers}: at least 1 is needed")
    if not 0 < memory_mb < inf:
        raise DataError(f"memory_mb {memory_mb:g}: give the 10^6 bytes that a worker may take; 512 is usual")
    tiles = lattice(shape, tiling.patch, overlap=tiling.overlap, window=tiling.window)
    size = owner_size(
        shape, grain, tiling.patch, n_outputs=len(outputs), memory_mb=memory_mb, workers=workers, share=SUMS_SHARE
    )
    return tiles, size


@dataclass(frozen=True, slots=True)
class Work:
    """A job and how it is parted; it travels to the workers."""

    job: TileJob
    owners: Owners
    scratch: Path
    max_voxels: int
    """Of a block that is read."""
    run: str = field(default_factory=lambda: uuid.uuid4().hex)
    """A name for this run, so that a process opens the model once for it."""
    tell: Callable[[], None] | None = None
    """Called after each tile, where the work is done in the process that shows the progress."""


def _run_owners(work: Work, queue: Queue, pool: Executor, workers: int, *, keep: bool) -> Generator[Counts]:
    """Yield the counts of each step when it has finished."""
    running: dict[Future[Counts], tuple[Index, Step]] = {}
    try:
        while queue or running:
            while len(running) < workers and (now := queue.take()) is not None:
                owner, step = now
                later = sorted(one for one in work.owners.wanted_by(owner) if one in queue) if keep else []
                running[pool.submit(run_step, work, owner, step, later)] = now
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                queue.finish(*running.pop(future))
                yield future.result()
    finally:
        # After an error: whoever clears up, or begins again, must not meet workers that still write
        wait(running)


def run_step(work: Work, owner: Index, step: Step, later: Sequence[Index]) -> Counts:
    """Run the tiles of an owner, sum and write it, or both, and keep the outputs that the owners of `later` want."""
    tidy_heap()
    if step == "home":
        return _run_home(work, owner, later)
    counts = _sum_owner(work, owner, later if step == "whole" else (), counts_input=step == "whole")
    mark(work.scratch, "written", owner, counts)
    forget_kept(kept_folder(work.scratch), work.owners, owner)
    return counts


def _run_home(work: Work, owner: Index, later: Sequence[Index]) -> Counts:
    """Run the tiles that are at home with an owner and keep their outputs, for itself too."""
    tiles = [tile for tile in work.owners.tiles(owner) if work.owners.home(tile) == owner]
    n_not_finite = 0
    with (
        Spill(kept_folder(work.scratch), work.owners, owner, [*later, owner]) as spill,
        closing(_outputs(work, tiles)) as model,
    ):
        for tile, (values, not_finite) in zip(tiles, model, strict=True):
            spill.keep(tile, values)
            n_not_finite += not_finite
    counts = _counts(work, len(tiles), bytes_kept=spill.n_bytes, input_not_finite=n_not_finite)
    mark(work.scratch, "homed", owner, counts)
    return counts


def _sum_owner(work: Work, owner: Index, later: Sequence[Index], *, counts_input: bool) -> Counts:
    """Sum the tiles of an owner in their order, running those that are not kept, and write it."""
    owners, names, folder = work.owners, work.job.outputs, kept_folder(work.scratch)
    box = owners.box(owner)
    sums = {name: np.zeros([side.stop - side.start for side in box]) for name in names}
    n_made = n_not_finite = 0
    with (
        Kept(folder, owners, owner, names) as kept,
        Spill(folder, owners, owner, later) as spill,
        closing(_outputs(work, [tile for tile in owners.tiles(owner) if tile not in kept])) as model,
    ):
        for tile in owners.tiles(owner):
            in_tile, in_owner = owners.overlap(tile, owner)
            if tile in kept:
                values = kept.take(tile)
            else:
                whole, not_finite = next(model)
                n_made += 1
                if owners.home(tile) == owner:
                    spill.keep(tile, whole)
                    n_not_finite += not_finite
                values = {name: one[in_tile] for name, one in whole.items()}
            weight = owners.lattice.weight(tile, in_tile)
            with np.errstate(invalid="ignore", over="ignore"):  # infinite outputs are counted when they are written
                for name, one in values.items():
                    sums[name][in_owner] += weight * one
    return _counts(
        work, n_made, bytes_kept=spill.n_bytes, input_not_finite=n_not_finite if counts_input else 0,
        voxels=prod(side.stop - side.start for side in box), output_not_finite=_write(work.job, box, sums),
    )  # fmt: skip


def _write(job: TileJob, box: Box, sums: dict[str, Array]) -> dict[str, int]:
    """Write the outputs of a box, or what is derived from them, and return how many voxels of each are not finite."""
    tidy_heap()  # of what was read for the tiles: the peak is here, where all chunks are compressed
    with np.errstate(over="ignore"):
        results: Mapping[str, Array] = {name: sums.pop(name).astype(np.float32) for name in job.outputs}
    if job.derive is not None:
        results = job.derive(results)
    not_finite = {}
    for name, result in results.items():
        not_finite[name] = int(result.size - np.isfinite(result).sum())
        job.write(box, result, name)
    return not_finite


def _counts(work: Work, n_made: int, **counted: Any) -> Counts:  # Any: fields of Counts
    return Counts(forwards_made=n_made, forwards_filled=-n_made % work.job.tiling.batch_size, **counted)


def _outputs(work: Work, tiles: Sequence[Index]) -> Generator[tuple[dict[str, Array], int]]:
    """Yield the outputs of each tile, cropped to the volume, and how much of its cell's input was not finite."""
    job, tiling, lattice = work.job, work.job.tiling, work.owners.lattice
    predictor = _opened(_Opening(work.run, job.open_predictor))
    inputs = tile_inputs(lattice, tiles, job.read, job.prepare, max_voxels=work.max_voxels)
    inside = tuple(slice(axis.padding[0], axis.padding[0] + axis.length) for axis in lattice.axes)
    run = partial(_run_batch, predictor, job.outputs, squeeze=tiling.squeeze)
    with (
        closing(one_ahead(batches(inputs, tiling.batch_size))) as ahead,
        closing(in_flight(run, ahead, job.in_flight)) as results,
    ):
        for found, not_finite in results:
            for k, count in enumerate(not_finite):
                if work.tell is not None:
                    work.tell()
                yield {name: values[k][inside] for name, values in found.items()}, count


def _run_batch(
    predictor: Predictor, names: Sequence[str], batch: tuple[Array, list[int]], *, squeeze: bool
) -> tuple[dict[str, Array], list[int]]:
    x, not_finite = batch
    return run_model(predictor, x, names, squeeze=squeeze), not_finite


@dataclass(frozen=True, slots=True)
class _Opening:
    """A predictor to be opened. A pickled function is another one each time it arrives, so the run's name tells."""

    run: str
    open: Callable[[], Predictor] = field(compare=False)


@lru_cache(maxsize=1)
def _opened(opening: _Opening) -> Predictor:
    return opening.open()
