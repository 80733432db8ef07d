"""Whole volumes in memory: held-out ones with their labels, and what a user gives from Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from seisloom.convert import open_volume
from seisloom.errors import DataError, LeftOut
from seisloom.io.volumes.grid import whole
from seisloom.io.volumes.raw.writer import ENDING
from seisloom.io.volumes.volume import AMPLITUDE
from seisloom.sample import Array, Ref, content_hash
from seisloom.split import unit_hash
from seisloom.tasks.interpretation.data import arrays_of, cubes_of, plan, targets_beside, targets_of
from seisloom.tasks.interpretation.labels import finite, labels_with
from seisloom.tasks.interpretation.recipe import InterpretationRecipe
from seisloom.tasks.interpretation.refining.guess import parted


@dataclass(frozen=True, slots=True, eq=False)
class VolumeRecord:
    """A volume or a section with what is known of it."""

    name: str
    values: Array
    """Amplitudes, (inline, crossline, time) or (trace, time)."""
    content: Array
    """Hash of the amplitudes, uint64 (1,)."""
    truth: Mapping[str, Array] = field(default_factory=dict)
    """Labels of the same shape by attribute; empty where there are none."""
    guess: Mapping[str, Array] = field(default_factory=dict)
    """A first guess of attributes, for a network that refines it; see the folder `refining`."""

    @property
    def n_traces(self) -> int:
        """Number of traces."""
        return int(np.prod(self.values.shape[:-1]))


def record_of(name: str, values: Array) -> VolumeRecord:
    """Return the record of an array, without labels."""
    return VolumeRecord(name, finite(values, name), content_hash(values.reshape(1, -1)))


def records(recipe: InterpretationRecipe, refs: Sequence[Ref]) -> Iterator[VolumeRecord]:
    """Yield the volumes behind refs, with their labels; those that do not qualify are left out."""
    for ref in refs:
        try:
            arrays, guess = parted(arrays_of(recipe, ref))
        except LeftOut:
            continue
        yield VolumeRecord(ref.key, arrays.pop("seismic"), _content(recipe, ref), arrays, guess)


def contents(recipe: InterpretationRecipe, refs: Sequence[Ref]) -> Array:
    """Return the hash of the image behind each ref."""
    return np.concatenate([np.zeros(0, dtype=np.uint64), *(_content(recipe, ref) for ref in refs)])


def _content(recipe: InterpretationRecipe, ref: Ref) -> Array:
    """Return the hash of an image, or of all that a synthetic one is made from: making thousands anew takes minutes."""
    if "image" in ref.source:
        return content_hash(arrays_of(recipe, ref)["seismic"].reshape(1, -1))
    said = f"{ref.seed} {recipe.data.synth.shape} {recipe.data.synth.priors.model_dump_json()}"
    return np.array([int(unit_hash(said) * 2.0**53) + 1], dtype=np.uint64)


def open_records(recipe: InterpretationRecipe, source: Any, fs_hz: float | None = None) -> Iterator[VolumeRecord]:
    """Yield the volume of a path or of an array.

    Args:
        recipe: of the room.
        source: path of a volume in any format, with the labels that lie with it, see `labels_with`; of a folder of
            numbered cubes with their targets beside them, in it or in `target_train` beside `data_train`; an array
            (inline, crossline, time) or (trace, time); or records, which are handed on.
        fs_hz: not needed: nothing here depends on it.
    Raises:
        DataError: if an array has another number of axes.
        MissingDataError: if there is no such file.
    """
    if isinstance(source, VolumeRecord):
        yield source
    elif isinstance(source, str | Path) and _holds_cubes(Path(source)):
        yield from _in_folder(recipe, Path(source))
    elif isinstance(source, str | Path) and not _is_cut(Path(source)) and (numbers := cubes_of(Path(source))):
        raise DataError(
            f"{source}: has cubes {numbers[0]}.bin, ..., and no labels: {numbers[0]}_fsem.bin and the like lie neither "
            f"in it nor in {targets_beside(Path(source))}. To find something in a cube: seisloom apply BUNDLE {source}/"
            f"{numbers[0]}.bin --out found.zarr"
        )
    elif isinstance(source, str | Path):
        volume = open_volume(source)
        names = volume.spec.variables
        name = AMPLITUDE if AMPLITUDE in names else next(iter(names))
        values = np.asarray(volume.read(whole(volume.spec.grid.shape), name), np.float32)
        yield replace(record_of(Path(source).name, values), truth=labels_with(Path(source), volume))
    elif isinstance(source, np.ndarray):
        if source.ndim not in (2, 3):
            raise DataError(
                f"an array of {source.ndim} axes; a volume is (inline, crossline, time), a section (trace, time)"
            )
        yield record_of("array", np.asarray(source, dtype=np.float32))
    else:
        raise DataError(f"{type(source).__name__}: give a path of a volume, or an array")


def _is_cut(folder: Path) -> bool:
    """Return whether numbered cubes are parts of one volume."""
    return (folder / "patches.json").is_file()


def _holds_cubes(folder: Path) -> bool:
    """Return whether a folder has numbered cubes for this room: with targets, or in the folders of a training."""
    beside = any((folder / f"0_{ending.removeprefix('.')}.bin").is_file() for ending in ENDING.values())
    return folder.is_dir() and (beside or (folder / "data_train").is_dir() or targets_of(folder) != folder)


def _in_folder(recipe: InterpretationRecipe, folder: Path) -> Iterator[VolumeRecord]:
    keys: dict[str, str | None] = {"root": None, "data": None, "target": None, "data_valid": None, "target_valid": None}
    if (folder / "data_train").is_dir():
        keys |= {"root": str(folder)}
    else:
        keys |= {"data": str(folder), "target": str(targets_of(folder))}
    changed = recipe.model_copy(update={"data": recipe.data.model_copy(update=keys)})
    for ref in plan(changed):
        image = Path(ref.source["image"])
        for one in records(changed, [ref]):
            yield replace(one, name=f"{image.parent.name}/{image.stem}")
