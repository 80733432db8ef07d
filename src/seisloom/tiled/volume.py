"""A volume of any size through a predictor that sees tiles, to a file: streamed, resumed, the same bytes anyhow."""

from __future__ import annotations

import logging
import math
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from seisloom.compute import OnCluster, executor, n_cores
from seisloom.convert import open_volume
from seisloom.errors import DataError
from seisloom.fingerprint import fingerprint
from seisloom.inference.heap import tidy_heap
from seisloom.inference.owners import Owners
from seisloom.inference.pace import Pace, choose_pace
from seisloom.inference.resume import decided, forget_run, held
from seisloom.inference.sweep import TileJob, Tiling, plan_owners, sweep
from seisloom.io.volumes.grid import Grid, boxes_of
from seisloom.io.volumes.swept import ReadScaled, WriteLive
from seisloom.io.volumes.volume import AMPLITUDE, Given, Spec, Volume, Wanted, Writer
from seisloom.sample import Predictor
from seisloom.tiled.integrated import Integrated
from seisloom.tiled.notes import counted, looked_at, padded
from seisloom.tiled.output import check_not_source, left_in_order, scratch_of, steps_of, writer_of
from seisloom.tiled.plan import Applied, OpenWrapped, Place, Tiled

logger = logging.getLogger("seisloom")
HEADER_BOX = 1 << 16
"""Traces whose headers are copied at once."""
ON_DEVICE = 2
"""Batches that are under way at once where a GPU runs them: one is copied while the other is computed."""


def apply_to_volume(
    plan: Callable[[Grid], Tiled],
    open_predictor: Callable[[], Predictor],
    source: str | Path,
    out: str | Path,
    *,
    identity: Mapping[str, str],
    variable: str | None = None,
    given: Given | None = None,
    wanted: Wanted | None = None,
    place: Place | None = None,
    force: bool = False,
) -> Applied:
    """Take a volume through a predictor by tiles, and write what comes out with its grid, headers and holes.

    A run that was killed or stopped has left `OUT.tiles` beside the partial output; the same call goes on where it
    stopped, to the same bytes. Only the survey's fingerprint is taken anew: one pass over the input, which takes as
    long as reading it once. A run that fails before anything is written leaves nothing.

    Args:
        plan: what the room makes of a volume with these axes.
        open_predictor: called once in each process that runs tiles; it can be pickled.
        source: SEG-Y, Zarr, raw cube, or what other packages add.
        out: what is written; the suffix chooses the format.
        identity: what else decides the result, in words or hashes: the model.
        variable: of the source; amplitudes, or else its first one, by default.
        given: what the source does not say itself.
        wanted: how the output is to be stored.
        place: where it runs.
        force: replace an output that is there, and forget a run that was not finished.
    Raises:
        MissingDataError, DataError: if the source cannot be read, is constant, does not fit the model's tiles, or
            clearly has its time axis elsewhere and nobody said which axis is which.
        SchemaError: if the model fails on a tile, or does not give what is asked.
        OutputError: if the output is there already, is the source, cannot be written, or an unfinished run was another
            one.
        SeisloomError: if the memory does not suffice, or a worker dies.
    """
    tidy_heap()  # before the fingerprint's threads begin
    place = place or Place()
    volume = open_volume(source, given)
    name = variable or (AMPLITUDE if AMPLITUDE in volume.spec.variables else next(iter(volume.spec.variables)))
    if name not in volume.spec.variables:
        raise DataError(f"{source}: no variable {name!r}; there are {', '.join(volume.spec.variables)}")
    out = Path(out)
    made = plan(volume.spec.grid)
    _check_memory(made.tiling, len(made.blended), place.memory_mb)
    spec = _spec(volume, made, source, identity)
    check_not_source(out, spec, Path(source))
    with held(out), left_in_order(out, writer := writer_of(out, spec, wanted, force=force)):
        # What does not fit is said before anything takes long
        plan_for = partial(_owners, made, volume.spec.grid.shape, writer.grain, place.memory_mb)
        plan_for(1 if place.workers is None else place.workers)
        opening = OpenWrapped(open_predictor, made.wrap)
        with _running(_as_begun(place, scratch_of(out)), opening, made.tiling, plan_for) as running:
            return _applied(made, opening, volume, name, out, writer, identity=identity, given=given, running=running)


@dataclass(frozen=True, slots=True)
class _Running:
    """A place where nothing is left open."""

    pool: Executor
    pace: Pace
    memory_mb: float
    device: str


@contextmanager
def _running(
    place: Place, opening: OpenWrapped, tiling: Tiling, plan_for: Callable[[int], Owners]
) -> Iterator[_Running]:
    """Open what runs the tiles; how fast they go in which way is measured where nobody said it."""
    pace = Pace(place.workers or 1, place.threads or 1, place.batch_size or tiling.batch_size)
    if place.workers is None and place.cluster is None and place.device == "cpu":
        pace = choose_pace(
            opening, tiling, plan_for(1).lattice.n_tiles, threads=place.threads, batch_size=place.batch_size,
            memory_mb=place.memory_mb, most_workers=max(n for n in range(1, n_cores() + 1) if n <= len(plan_for(n))),
        )  # fmt: skip
    if isinstance(place.cluster, Executor):
        yield _Running(place.cluster, pace, place.memory_mb, place.device)
        return
    with executor(place.cluster, pace.workers) as pool:
        if place.workers is None and isinstance(pool, OnCluster):
            pace = replace(pace, workers=pool.n_workers)
        yield _Running(pool, pace, place.memory_mb, place.device)


def _owners(made: Tiled, shape: tuple[int, ...], grain: tuple[int, ...], memory_mb: float, workers: int) -> Owners:
    return Owners(*plan_owners(made.tiling, shape, made.blended, grain, memory_mb=memory_mb, workers=workers))


def _as_begun(place: Place, scratch: Path) -> Place:
    """Return the place with what an unfinished run has chosen, which decides the last bits of its result."""
    begun = decided(scratch)
    if not begun:
        return place
    threads, batch_size = place.threads or int(begun["threads"]), place.batch_size or int(begun["batch_size"])
    return replace(place, threads=threads, batch_size=batch_size)


def _applied(
    made: Tiled, opening: OpenWrapped, volume: Volume, name: str, out: Path, writer: Writer, *,
    identity: Mapping[str, str], given: Given | None, running: _Running,
) -> Applied:  # fmt: skip
    """Look at the survey, run its tiles, and put the output in its place."""
    scratch, shape, pool, pace = scratch_of(out), volume.spec.grid.shape, running.pool, running.pace
    found = fingerprint(volume, name, pool=pool)
    notes = [*looked_at(volume, found, given), *padded(made.tiling.patch, volume), *made.advise(found)]
    try:
        scaling = made.scale.of(found.percentiles, found.rms_by_window)
    except DataError as error:
        raise DataError(f"{volume.path}: {error}") from error
    integrated = [
        Integrated(variable, names, steps_of(out), shape, made.rising) for variable, names in made.integrated.items()
    ]
    steps = {name: cube for one in integrated for name, cube in one.steps.items()}
    job = TileJob(
        made.tiling.model_copy(update={"batch_size": pace.batch_size}), shape, made.blended,
        read=ReadScaled(volume, name, scaling), grain=writer.grain,
        write=WriteLive(volume, writer, steps, kept=dict.fromkeys(made.recorded, name)),
        open_predictor=partial(opening, pace.threads), derive=partial(made.derive, scaling=scaling),
        in_flight=1 if running.device == "cpu" else ON_DEVICE,
        identity={
            **identity, "input": _stamp(volume.path), "variable": name, "output": str(out.absolute()),
            "scaling": repr(scaling), "products": ",".join(made.products), "threads": str(pace.threads),
            "device": running.device,
        },
    )  # fmt: skip
    for box in boxes_of(HEADER_BOX, volume.spec.grid.trace_shape):
        writer.write_traces(box, volume.traces(box))
    for one in integrated:
        one.make_room()
    swept = sweep(job, scratch, pool=pool, workers=pace.workers, memory_mb=running.memory_mb)
    for one in integrated:
        logger.info("%s: integrating %s over the whole volume", out, one.variable)
        one.write(job.write, writer.grain, memory_mb=running.memory_mb, pool=pool)
    files = writer.finish()
    forget_run(scratch)
    shutil.rmtree(steps_of(out), ignore_errors=True)
    return Applied(files, volume.spec.grid, found, swept, pace, (*notes, *counted(swept)))


def _check_memory(tiling: Tiling, n_outputs: int, memory_mb: float) -> None:
    """Raise DataError where one batch does not fit, of which three may be on their way."""
    needed = 4 * (1 + n_outputs) * tiling.batch_size * math.prod(tiling.patch) / 1e6
    if needed > memory_mb:
        raise DataError(
            f"a batch of {tiling.batch_size} tiles of {tiling.patch} takes {needed:.2f} MB with what the model gives, "
            f"and a worker may take {memory_mb:g} MB. Give a smaller patch or batch_size, or more memory (--memory-mb)"
        )


def _spec(volume: Volume, made: Tiled, source: str | Path, identity: Mapping[str, str]) -> Spec:
    kinds = dict.fromkeys(made.products, np.dtype(np.float32))
    remarks = {**identity, "source": Path(source).name, "units": dict(made.products)}
    return replace(volume.spec, variables=kinds, attributes={**volume.spec.attributes, "seisloom": remarks})


def _stamp(path: Path) -> str:
    """Return what tells a file from one that was changed: place, size, time of the last change."""
    inner = path / "zarr.json"
    file = inner if inner.is_file() else path
    if not file.exists():  # raw cubes under one name
        return str(path.absolute())
    stat = os.stat(file)
    return f"{path.absolute()}, {stat.st_size} bytes, {stat.st_mtime_ns}"
