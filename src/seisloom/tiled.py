"""A volume of any size through a predictor that sees tiles, to a file: streamed, resumed, the same bytes anyhow.

Here the three parts meet that do not know each other: volumes on disk, the survey's fingerprint, and tiles.
"""

from __future__ import annotations

import logging
import math
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, Executor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from seisloom.compute import OnCluster, executor, n_cores
from seisloom.convert import create_volume, format_of, open_volume, resume_volume
from seisloom.errors import DataError, OutputError, SeisloomError
from seisloom.fingerprint import Fingerprint, fingerprint
from seisloom.inference.heap import tidy_heap
from seisloom.inference.integrate import integrate_volume
from seisloom.inference.memory import predict_array
from seisloom.inference.owners import Owners
from seisloom.inference.pace import Pace, choose_pace
from seisloom.inference.resume import decided, forget_run, held, marked
from seisloom.inference.sweep import Swept, TileJob, Tiling, plan_owners, sweep
from seisloom.io.volumes.grid import VERTICAL, Box, Grid, boxes
from seisloom.io.volumes.raw.cube import Cube
from seisloom.io.volumes.swept import ReadScaled, ReadSteps, WriteLive
from seisloom.io.volumes.volume import AMPLITUDE, Given, Spec, Volume, Wanted, Writer
from seisloom.sample import Array, Predictor
from seisloom.signal.survey_scale import SurveyScale

logger = logging.getLogger("seisloom")
HEADER_BOX = 1 << 16
"""Traces whose headers are copied at once."""
ON_DEVICE = 2
"""Batches that are under way at once where a GPU runs them: one is copied while the other is computed."""


def no_advice(found: Fingerprint) -> Iterable[str]:
    """Say nothing: any survey fits."""
    return ()


@dataclass(frozen=True, slots=True)
class Tiled:
    """What a room makes of a volume: how it is cut, scaled, predicted and put together."""

    tiling: Tiling
    scale: SurveyScale
    blended: tuple[str, ...]
    """Outputs of the predictor that are blended."""
    products: Mapping[str, str]
    """Variables that are written, and their units."""
    derive: Callable[..., Mapping[str, Array]]
    """Makes the variables from the blended outputs, voxel by voxel: `derive(outputs, scaling=...)`, with the survey's
    scaling for what has its unit. It can be pickled."""
    wrap: Callable[[Predictor], Predictor]
    """Brings a network to the face that tiles need, {"x": (batch, channel, *patch)} to (batch, *patch) for each of
    `blended`; it can be pickled."""
    integrated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Variables that no tile knows by itself, and what `derive` gives in place of each: its steps along every axis, ""
    for an axis of one sample. Steps stand on disk until all tiles are done, and are then integrated."""
    recorded: tuple[str, ...] = ()
    """Products that are the volume itself, filled: traces that are not dead are written there as they were read."""
    advise: Callable[[Fingerprint], Iterable[str]] = no_advice
    """What is said of how a survey fits the predictor, and how to mend it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job runs, and what it may take there.

    What is None is chosen: on the cores of this machine by measurement, see `seisloom.inference.pace`, where the volume
    takes long and the number of workers is not given; else it is 1, and on a cluster there are as many as it has.
    """

    workers: int | None = None
    cluster: str | Executor | None = None
    """Address of a Dask scheduler, or what is open already; None takes processes of this machine."""
    threads: int | None = None
    """That torch uses in each worker; with the tiles they decide the last bit of a result."""
    batch_size: int | None = None
    """Tiles that go through the model at once; they too decide the last bit. None begins with that of the tiling."""
    memory_mb: float = 512
    """That a worker may take beside the model, in 10^6 bytes."""
    device: str = "cpu"
    """That the predictor runs on, such as cpu or cuda; it too decides the last bit."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What was written, and what was met."""

    files: tuple[Path, ...]
    grid: Grid
    fingerprint: Fingerprint
    swept: Swept
    pace: Pace
    """Workers, threads and batch that it was done with."""
    notes: tuple[str, ...] = ()


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
    _check_not_source(out, spec, Path(source))
    with held(out), _left_in_order(out, writer := _writer(out, spec, wanted, force=force)):
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
    notes = [*_looked_at(volume, found, given), *_padded(made.tiling.patch, volume), *made.advise(found)]
    try:
        scaling = made.scale.of(found.percentiles, found.rms_by_window)
    except DataError as error:
        raise DataError(f"{volume.path}: {error}") from error
    steps = {step: Cube(steps_of(out) / step, shape) for names in made.integrated.values() for step in names if step}
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
    for box in _trace_boxes(volume.spec.grid):
        writer.write_traces(box, volume.traces(box))
    for cube in steps.values():
        cube.path.parent.mkdir(exist_ok=True)
        cube.make_room()
    swept = sweep(job, scratch, pool=pool, workers=pace.workers, memory_mb=running.memory_mb)
    for variable, names in made.integrated.items():
        logger.info("%s: integrating %s over the whole volume", out, variable)
        integrate_volume(
            ReadSteps(steps), names, shape, partial(_write_integrated, write=job.write, name=variable, shape=shape),
            writer.grain, memory_mb=running.memory_mb, pool=pool,
        )  # fmt: skip
    files = writer.finish()
    forget_run(scratch)
    shutil.rmtree(steps_of(out), ignore_errors=True)
    return Applied(files, volume.spec.grid, found, swept, pace, (*notes, *_counted(swept)))


def scratch_of(out: Path) -> Path:
    """Return the folder beside an output that remembers how far it is."""
    return out.with_name(out.name + ".tiles")


def steps_of(out: Path) -> Path:
    """Return the folder beside an output in which steps wait to be integrated."""
    return out.with_name(out.name + ".steps")


def _write_integrated(
    box: Box, values: Array, *, write: Callable[[Box, Array, str], None], name: str, shape: tuple[int, ...]
) -> None:
    """Write a box of a variable, in samples around 0, as a share of the trace around a half: about 0 to 1."""
    write(box, (values / shape[-1] + 0.5).astype(np.float32), name)


def _check_memory(tiling: Tiling, n_outputs: int, memory_mb: float) -> None:
    """Raise DataError where one batch does not fit, of which three may be on their way."""
    needed = 4 * (1 + n_outputs) * tiling.batch_size * math.prod(tiling.patch) / 1e6
    if needed > memory_mb:
        raise DataError(
            f"a batch of {tiling.batch_size} tiles of {tiling.patch} takes {needed:.2f} MB with what the model gives, "
            f"and a worker may take {memory_mb:g} MB. Give a smaller patch or batch_size, or more memory (--memory-mb)"
        )


def _check_not_source(out: Path, spec: Spec, source: Path) -> None:
    """Raise OutputError where the source itself would be replaced, by whatever name."""
    kind = format_of(out)
    written = {out, *(kind.files(out, spec) if kind.files else ())}
    if not kind.holds_many and len(spec.variables) > 1:
        written = {out.with_name(f"{out.stem}_{name}{out.suffix}") for name in spec.variables}
    if source.resolve() in {one.resolve() for one in written}:
        raise OutputError(f"{out}: is the source itself. Choose another place")


@contextmanager
def _left_in_order(out: Path, writer: Writer) -> Iterator[None]:
    """Whatever stops a run, leave one that the same call goes on with, or nothing where nothing was done."""
    scratch = scratch_of(out)
    try:
        yield
    except BaseException as error:
        if marked(scratch, "written") or marked(scratch, "homed"):
            logger.warning("%s: not finished. The command that began it goes on where it stopped", out)
        else:
            writer.abandon()
            forget_run(scratch)
        if isinstance(error, BrokenExecutor) or type(error).__name__ == "KilledWorker":  # the latter is Dask's
            raise SeisloomError(
                f"{out}: a worker has died ({error}), most often for want of memory. Give fewer --workers, a smaller "
                "patch or less --memory-mb"
            ) from error
        if isinstance(error, MemoryError):
            raise SeisloomError(
                f"{out}: out of memory ({error}). Give a smaller patch or batch_size, fewer --workers or less "
                "--memory-mb"
            ) from error
        raise


def _writer(out: Path, spec: Spec, wanted: Wanted | None, *, force: bool) -> Writer:
    """Return what writes the output, or goes on with what a killed run has left."""
    scratch = scratch_of(out)
    if scratch.is_dir() and not force:
        writer = resume_volume(out, spec, wanted)
        if writer is not None:
            logger.info("%s: going on with a run that was not finished; the input is looked through once more", out)
            return writer
    forget_run(scratch)  # before: marks of a run without its output would leave holes in another one
    shutil.rmtree(steps_of(out), ignore_errors=True)
    return create_volume(out, spec, wanted, force=force)


def _spec(volume: Volume, made: Tiled, source: str | Path, identity: Mapping[str, str]) -> Spec:
    kinds = dict.fromkeys(made.products, np.dtype(np.float32))
    remarks = {**identity, "source": Path(source).name, "units": dict(made.products)}
    return replace(volume.spec, variables=kinds, attributes={**volume.spec.attributes, "seisloom": remarks})


def _looked_at(volume: Volume, found: Fingerprint, given: Given | None) -> list[str]:
    """Return remarks on a survey, and refuse one whose axes are clearly others than it is taken for."""
    notes = [f"{volume.path}: {note}" for note in (*volume.notes, *found.notes)]
    last = volume.spec.grid.names[-1]
    if found.axis_order == "does not fit":
        said = f"{volume.path}: the samples do not look as if {last}, the last axis, were time or depth"
        is_named = last in VERTICAL and last != "sample"
        if not is_named and (given is None or given.n1 is None):
            raise DataError(
                f"{said}, and nobody said which axis is which. Give --n1 (time or depth, fastest in the file) --n2 "
                '(crossline) --n3 (inline), or "axes" in the side-car'
            )
        notes.append(f"{said}; it is taken as given")
    if found.n_not_finite:
        notes.append(f"{volume.path}: {found.n_not_finite} samples are NaN or infinite; the model sees 0 there")
    if found.n_dead or found.n_padded:
        notes.append(f"{volume.path}: {found.n_dead} dead traces, {found.n_padded} padded with zeros")
    return notes


def _padded(patch: tuple[int, ...], volume: Volume) -> Iterator[str]:
    grid = volume.spec.grid
    short = [name for name, n, size in zip(grid.names, grid.shape, patch, strict=True) if n < size]
    if short:
        yield (
            f"{volume.path}: {grid.lengths} is shorter than the patch {patch} along {', '.join(short)}; the model sees "
            "it reflected at its ends there"
        )


def _counted(swept: Swept) -> Iterator[str]:
    for name, count in swept.counts.output_not_finite.items():
        if count:
            yield f"{count} voxels of {name} are not finite: the model gave no number there"


def _trace_boxes(grid: Grid) -> Iterator[Box]:
    shape = grid.trace_shape
    size, room = [], HEADER_BOX
    for n in shape[::-1]:
        size.append(max(min(n, room), 1))
        room = max(room // n, 1)
    return boxes(shape, size[::-1])


def _stamp(path: Path) -> str:
    """Return what tells a file from one that was changed: place, size, time of the last change."""
    inner = path / "zarr.json"
    file = inner if inner.is_file() else path
    if not file.exists():  # raw cubes under one name
        return str(path.absolute())
    stat = os.stat(file)
    return f"{path.absolute()}, {stat.st_size} bytes, {stat.st_mtime_ns}"


@dataclass(frozen=True, slots=True)
class OpenWrapped:
    """Opens a predictor in a worker: with a number of threads, and the face that tiles need."""

    open: Callable[[], Predictor]
    wrap: Callable[[Predictor], Predictor]

    def __call__(self, threads: int) -> Predictor:
        import torch

        torch.set_num_threads(threads)
        return self.wrap(self.open())


def apply_to_array(made: Tiled, predictor: Predictor, values: Array) -> tuple[Mapping[str, Array], Mapping[str, Array]]:
    """Return the products of an array that is a survey of its own, and the blended outputs that they were made from.

    Args:
        made: what the room makes of it.
        predictor: of the room.
        values: amplitudes, (inline, crossline, time) or (trace, time).
    Returns:
        Both by name, float32 of the array's shape.
    """
    scaling = made.scale.of_values(values)
    blended = predict_array(made.tiling, made.blended, scaling(values), made.wrap(predictor))
    return made.derive(blended, scaling=scaling), blended
