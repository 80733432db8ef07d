"""From one format of volumes to another, or to numbered cubes."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

from seisloom.convert.boxes import copy
from seisloom.convert.formats import open_volume
from seisloom.convert.outputs import create_volume
from seisloom.errors import DataError, OutputError
from seisloom.io.volumes.raw.patches import write_patches
from seisloom.io.volumes.volume import Given, Spec, Volume, Wanted

logger = logging.getLogger("seisloom")


@dataclass(frozen=True, slots=True)
class Converted:
    """What a conversion wrote, and what it met."""

    files: tuple[Path, ...]
    spec: Spec
    counts: Mapping[str, int]
    """Of traces (live, holes, dead: all zero) and of samples that are not finite."""
    notes: tuple[str, ...]


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
