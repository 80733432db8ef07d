"""From one format of volumes to another, box by box: memory is that of a few boxes, whatever the volume."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from seisloom import plugins
from seisloom.compute import InThisProcess, run_jobs
from seisloom.errors import DataError, MissingDataError, OutputError
from seisloom.io.volumes.begun import Begun, begun_with
from seisloom.io.volumes.grid import Box, box_size, boxes
from seisloom.io.volumes.raw.patches import write_patches
from seisloom.io.volumes.volume import AMPLITUDE, Format, Given, Spec, Traces, Volume, Wanted, Writer
from seisloom.progress import track
from seisloom.sample import Array

logger = logging.getLogger("seisloom")
BOX_BYTES = 1 << 26
"""Of samples that are on their way at once, for each process: 64 MiB hide the cost of a call to the file system."""


@dataclass(frozen=True, slots=True)
class Converted:
    """What a conversion wrote, and what it met."""

    files: tuple[Path, ...]
    spec: Spec
    counts: Mapping[str, int]
    """Of traces (live, holes, dead: all zero) and of samples that are not finite."""
    notes: tuple[str, ...]


def formats() -> dict[str, Format]:
    """Return the formats of volumes by name, ours and those of other packages."""
    return {name: plugins.load("formats", name) for name in plugins.names("formats")}


def format_of(path: Path) -> Format:
    """Return the format that a path is in, or is to be written in, by its suffix; folders by what they hold.

    Raises:
        DataError: if no format has the suffix.
    """
    known = formats()
    if path.is_dir():
        if any((path / name).exists() for name in ("zarr.json", ".zgroup")):
            return known["zarr"]
        if not path.suffix:
            return known["patches"]
    for one in known.values():
        if path.suffix.lower() in one.suffixes:
            return one
    suffixes = sorted({suffix for one in known.values() for suffix in one.suffixes if suffix.startswith(".")})
    raise DataError(f"{path}: no format of volumes ends with {path.suffix!r}; there are {' '.join(suffixes)}")


def open_volume(path: str | Path, given: Given | None = None) -> Volume:
    """Return the volume of a file or folder; its samples are read when they are asked for.

    Args:
        path: SEG-Y, Zarr, raw cube, folder of numbered cubes, or what other packages add.
        given: what the file does not say itself, such as the sizes of a raw cube.
    Raises:
        MissingDataError: if it is not there.
        DataError: if it is no such file, or does not say enough.
    """
    file = Path(path)
    if not file.exists() and not file.with_suffix(".json").exists():  # raw cubes under one name, which it describes
        raise MissingDataError(f"{file}: no such volume")
    return format_of(file).open(file, given or Given())


def create_volume(path: str | Path, spec: Spec, wanted: Wanted | None = None, *, force: bool = False) -> Writer:
    """Return a writer of a volume; the suffix chooses the format.

    Args:
        path: what is to be written; where the format holds one variable and there are several, their names are
            added: result.sgy becomes result_fault.sgy, result_dip.sgy, ...
        spec: what the volume is.
        wanted: how it is to be stored.
        force: replace what is there.
    Raises:
        OutputError: if it is there already, the format is only read, or the folder cannot be written to.
    """
    file = Path(path)
    kind = format_of(file)
    if kind.create is None:
        writable = sorted(name for name, one in formats().items() if one.create is not None)
        raise OutputError(f"{file}: {kind.name} is only read. Formats that are written: {', '.join(writable)}")
    if kind.holds_many or len(spec.variables) == 1:
        _check_place(kind, file, spec, force=force)
        return kind.create(file, spec, wanted or Wanted())
    each = _one_file_each(file, spec)
    for place, one in each.values():
        _check_place(kind, place, one, force=force)
    finishing = _finishing(file, spec)
    finishing.forget()  # of a run that was killed
    alone = {name: kind.create(place, one, wanted or Wanted()) for name, (place, one) in each.items()}
    return _OneFileEach(file, alone, finishing)


def resume_volume(path: str | Path, spec: Spec, wanted: Wanted | None = None) -> Writer | None:
    """Return a writer that goes on with the partial output of a run that was killed, see `Format.resume`.

    Boxes that were written are there still, and any may be written again. An output that is in its place already is
    replaced when the writer finishes: whoever began the run had leave to.

    Args:
        path: what is to be written, as it was given to `create_volume`.
        spec: what the volume is, as it was then.
        wanted: how it is to be stored, as it was then.
    Returns:
        None where there is no partial output that can be gone on with, or the format begins anew; `create_volume` then
        begins it, and no box of it is written.
    Raises:
        OutputError: if what is there was begun with another spec, chunk or shard, or is not whole.
        DataError: if no format has the suffix.
    """
    file, wanted = Path(path), wanted or Wanted()
    kind = format_of(file)
    if kind.resume is None:
        return None
    if kind.holds_many or len(spec.variables) == 1:
        return kind.resume(file, spec, wanted)
    finishing, alone = _finishing(file, spec), dict[str, Writer]()
    was_finishing = finishing.is_noted()
    if was_finishing:
        finishing.check()
    for name, (place, one) in _one_file_each(file, spec).items():
        writer = kind.resume(place, one, wanted)
        if writer is None and was_finishing and place.exists():
            writer = _Finished(place, spec)
        if writer is None:
            return None
        alone[name] = writer
    return _OneFileEach(file, alone, finishing)


def _one_file_each(file: Path, spec: Spec) -> dict[str, tuple[Path, Spec]]:
    """Return the file of each variable, and what it is."""
    return {
        name: (file.with_name(f"{file.stem}_{name}{file.suffix}"), replace(spec, variables={name: dtype}))
        for name, dtype in spec.variables.items()
    }


def _finishing(file: Path, spec: Spec) -> Begun:
    """Return what is noted while the files of several variables are put in their places, one after the other."""
    return begun_with(file, "a file for each variable", spec)


def _check_place(kind: Format, file: Path, spec: Spec, *, force: bool) -> None:
    """Raise OutputError if something is there that is not to be replaced, or there is no folder."""
    there = [one for one in (kind.files(file, spec) if kind.files else [file]) if one.exists()]
    if there and not force:
        raise OutputError(f"{there[0]}: is there already. Choose another place, or replace it with --force")
    if not file.parent.is_dir():
        raise OutputError(f"{file.parent}: no such folder. Make it first")


class _OneFileEach:
    """Several variables in a format that holds one: a file each.

    From when the first is finished until the last one is, this is noted: a run that goes on then knows that a file
    without a partial one is whole.
    """

    def __init__(self, path: Path, alone: Mapping[str, Writer], finishing: Begun) -> None:
        self.path, self._alone, self._finishing = path, dict(alone), finishing
        self.grain = tuple(map(math.lcm, *(one.grain for one in self._alone.values())))

    def write(self, box: Box, values: Array, name: str = AMPLITUDE) -> None:
        self._alone[name].write(box, values, name)

    def write_traces(self, box: Box, traces: Traces) -> None:
        for one in self._alone.values():
            one.write_traces(box, traces)

    def finish(self) -> tuple[Path, ...]:
        try:
            self._finishing.note()
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be written: {error.strerror or error}. Free some space") from error
        files = tuple(file for one in self._alone.values() for file in one.finish())
        self._finishing.forget()
        return files

    def abandon(self) -> None:
        self._finishing.forget()
        for one in self._alone.values():
            one.abandon()


class _Finished:
    """A file of several that was put in its place before the run was killed: it has all its boxes."""

    def __init__(self, path: Path, spec: Spec) -> None:
        self.path, self.grain = path, (1,) * len(spec.grid.axes)

    def write(self, box: Box, values: Array, name: str = AMPLITUDE) -> None:
        """Do nothing: the same values are there."""

    def write_traces(self, box: Box, traces: Traces) -> None:
        """Do nothing: the same headers are there."""

    def finish(self) -> tuple[Path, ...]:
        return (self.path,)

    def abandon(self) -> None:
        """Do nothing: what is in its place stays, as that of any writer that has finished."""


def convert(
    source: str | Path,
    out: str | Path,
    *,
    given: Given | None = None,
    wanted: Wanted | None = None,
    like: str | Path | None = None,
    variables: Iterable[str] = (),
    pool: Executor | None = None,
    force: bool = False,
) -> Converted:
    """Write a volume in another format; the suffix of `out` chooses it.

    Args:
        source: what is read.
        out: what is written.
        given: what the source does not say itself.
        wanted: how the output is to be stored.
        like: a volume of the same shape that gives grid, headers and coordinates, such as the SEG-Y file that a
            prediction was made from.
        variables: of the source; all by default.
        pool: where the boxes are copied; in this process by default.
        force: replace what is there.
    Raises:
        MissingDataError, DataError: see `open_volume`; and if `like` has another shape.
        OutputError: see `create_volume`.
    """
    volume = open_volume(source, given)
    if Path(out).resolve() == Path(source).resolve():
        raise OutputError(f"{out}: is the source itself. Choose another place")
    for note in volume.notes:
        logger.info("%s: %s", source, note)
    if like is not None:
        volume = _Dressed(volume, open_volume(like, given))
    if chosen := tuple(variables):
        volume = _Chosen(volume, chosen)
    writer = create_volume(out, volume.spec, wanted, force=force)
    try:
        counts = copy(volume, writer, pool)
        files = writer.finish()
    except BaseException:
        writer.abandon()
        raise
    return Converted(files, volume.spec, counts, volume.notes)


def cut(
    source: str | Path,
    out: str | Path,
    *,
    patch: Sequence[int],
    stride: Sequence[int] | None = None,
    targets: Mapping[str, str | Path] | None = None,
    given: Given | None = None,
    force: bool = False,
) -> tuple[Path, ...]:
    """Write a volume as numbered raw cubes, and its targets alike; `convert` joins them again.

    Args:
        source: what is cut.
        out: folder.
        patch: samples of a cube, n1, n2, n3: time or depth first.
        stride: distance of cubes in the same order; by default they meet.
        targets: paths of volumes of the same shape, by the name that their cubes get.
        given: what source and targets do not say themselves.
        force: write into a folder that holds something.
    Returns:
        The folder; see `write_patches` for what is in it.
    Raises:
        MissingDataError, DataError: see `open_volume` and `write_patches`.
        OutputError: if the folder holds something, or cannot be written to.
    """
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: is a file, and --patch writes a folder. Choose another place")
    if folder.resolve() in (Path(source).resolve(), *Path(source).resolve().parents) and force:
        raise OutputError(f"{folder}: holds the source itself. Choose another folder")
    volume = open_volume(source, given)
    others = {name: open_volume(path, given) for name, path in (targets or {}).items()}
    for one in (volume, *others.values()):
        for note in one.notes:
            logger.info("%s: %s", one.path, note)
    write_patches(volume, folder, patch=patch, stride=stride, targets=others, force=force)
    return (folder,)


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


class _Chosen:
    """Some variables of a volume."""

    def __init__(self, volume: Volume, names: tuple[str, ...]) -> None:
        for name in names:
            if name not in volume.spec.variables:
                there = ", ".join(volume.spec.variables)
                raise DataError(f"{volume.path}: no variable {name!r}; there are {there}")
        self.path, self.chunks, self.notes = volume.path, volume.chunks, volume.notes
        self.spec = replace(volume.spec, variables={name: volume.spec.variables[name] for name in names})
        self.read, self.traces = volume.read, volume.traces


class _Dressed:
    """The samples of one volume with the grid, the headers and the coordinates of another."""

    def __init__(self, volume: Volume, like: Volume) -> None:
        ours, theirs = volume.spec.grid, like.spec.grid
        if ours.shape != theirs.shape:
            raise DataError(f"{volume.path} is {ours.lengths}, and {like.path} is {theirs.lengths}: they must be alike")
        self.path, self.chunks, self.notes = volume.path, volume.chunks, (*volume.notes, *like.notes)
        self.spec: Spec = replace(like.spec, variables=volume.spec.variables, attributes=volume.spec.attributes)
        self.read, self.traces = volume.read, like.traces


def report(volume: Volume) -> dict[str, Any]:  # Any: JSON values
    """Return what is known of a volume without reading its samples."""
    spec = volume.spec
    return {
        "file": str(volume.path),
        "axes": [
            {
                "axis": axis.name, "n": len(axis), "first": axis.first, "last": float(axis.values[-1]),
                "step": axis.step, "unit": axis.unit,
            }
            for axis in spec.grid.axes
        ],
        "variables": {name: dtype.name for name, dtype in spec.variables.items()},
        "chunks": list(volume.chunks),
        "trace_headers": spec.has_headers,
        "coordinates": spec.has_xy,
        "notes": list(volume.notes),
    }  # fmt: skip
