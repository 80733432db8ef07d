"""A volume of any size through a predictor that sees tiles, to a file: streamed, resumed, the same bytes anyhow.

Here the three parts meet that do not know each other: volumes on disk, the survey's fingerprint, and tiles.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from seisloom.convert import create_volume, open_volume, resume_volume
from seisloom.errors import DataError, OutputError
from seisloom.fingerprint import Fingerprint, fingerprint
from seisloom.inference.memory import predict_array
from seisloom.inference.resume import forget_run
from seisloom.inference.sweep import Swept, TileJob, Tiling, sweep
from seisloom.io.volumes.grid import VERTICAL, Box, Grid, boxes
from seisloom.io.volumes.volume import AMPLITUDE, Given, Spec, Volume, Wanted, Writer
from seisloom.sample import Array, Predictor
from seisloom.signal.survey_scale import Scaling, SurveyScale

logger = logging.getLogger("seisloom")
HEADER_BOX = 1 << 16
"""Traces whose headers are copied at once."""


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


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job runs, and what it may take there."""

    pool: Executor | None = None
    workers: int = 1
    threads: int = 1
    """That torch uses in each worker; with the tiles they decide the last bit of a result."""
    memory_mb: float = 512


@dataclass(frozen=True, slots=True)
class Applied:
    """What was written, and what was met."""

    files: tuple[Path, ...]
    grid: Grid
    fingerprint: Fingerprint
    swept: Swept
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

    A run that was killed left `OUT.tiles` beside the partial output; the same call goes on where it stopped, to the
    same bytes.

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
        OutputError: if the output is there already, or an unfinished run was another one.
    """
    place = place or Place()
    volume = open_volume(source, given)
    name = variable or (AMPLITUDE if AMPLITUDE in volume.spec.variables else next(iter(volume.spec.variables)))
    if name not in volume.spec.variables:
        raise DataError(f"{source}: no variable {name!r}; there are {', '.join(volume.spec.variables)}")
    out = Path(out)
    if out.absolute() == Path(source).absolute():
        raise OutputError(f"{out}: is the source itself. Choose another place")
    made = plan(volume.spec.grid)
    spec = _spec(volume, made, source, identity)
    writer, resumed = _writer(out, spec, wanted, force=force)
    scratch = scratch_of(out)
    found = fingerprint(volume, name, pool=place.pool)
    try:
        notes = _looked_at(volume, found, given)
        scaling = made.scale.of(found.percentiles, found.rms_by_window)
    except DataError:
        if not resumed:
            writer.abandon()
        raise
    job = TileJob(
        made.tiling, volume.spec.grid.shape, made.blended,
        read=ReadScaled(volume, name, scaling), write=WriteLive(volume, writer), grain=writer.grain,
        open_predictor=OpenWrapped(open_predictor, made.wrap, place.threads),
        derive=partial(made.derive, scaling=scaling),
        identity={
            **identity, "input": _stamp(volume.path), "variable": name, "output": str(out.absolute()),
            "scaling": repr(scaling), "products": ",".join(made.products), "threads": str(place.threads),
        },
    )  # fmt: skip
    for box in _trace_boxes(volume.spec.grid):
        writer.write_traces(box, volume.traces(box))
    swept = sweep(job, scratch, pool=place.pool, workers=place.workers, memory_mb=place.memory_mb)
    files = writer.finish()
    forget_run(scratch)
    return Applied(files, volume.spec.grid, found, swept, (*notes, *_counted(swept)))


def scratch_of(out: Path) -> Path:
    """Return the folder beside an output that remembers how far it is."""
    return out.with_name(out.name + ".tiles")


def _writer(out: Path, spec: Spec, wanted: Wanted | None, *, force: bool) -> tuple[Writer, bool]:
    """Return what writes the output, and whether it goes on with what a killed run has left."""
    scratch = scratch_of(out)
    if scratch.is_dir() and not force:
        writer = resume_volume(out, spec, wanted)
        if writer is not None:
            logger.info("%s: going on with a run that was not finished", out)
            return writer, True
    forget_run(scratch)  # before: marks of a run without its output would leave holes in another one
    return create_volume(out, spec, wanted, force=force), False


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
class ReadScaled:
    """Reads boxes of a volume on the scale of its survey."""

    volume: Volume
    name: str
    scaling: Scaling

    def __call__(self, box: Box) -> Array:
        return self.scaling(
            self.volume.read(box, self.name), first=box[-1].start, n_time=self.volume.spec.grid.shape[-1]
        )


@dataclass(frozen=True, slots=True)
class WriteLive:
    """Writes boxes, with 0 where the grid has holes: nothing was recorded there."""

    volume: Volume
    writer: Writer

    def __call__(self, box: Box, values: Array, name: str) -> None:
        live = self.volume.traces(box[:-1]).live
        self.writer.write(box, values if live.all() else np.where(live[..., None], values, np.float32(0)), name)


@dataclass(frozen=True, slots=True)
class OpenWrapped:
    """Opens a predictor in a worker: with its number of threads, and the face that tiles need."""

    open: Callable[[], Predictor]
    wrap: Callable[[Predictor], Predictor]
    threads: int

    def __call__(self) -> Predictor:
        import torch

        torch.set_num_threads(self.threads)
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
