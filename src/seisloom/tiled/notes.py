"""What a user is told of a survey and of a run."""

from __future__ import annotations

from collections.abc import Iterator

from seisloom.errors import DataError
from seisloom.fingerprint import Fingerprint
from seisloom.inference.sweep import Swept
from seisloom.io.volumes.grid import VERTICAL
from seisloom.io.volumes.volume import Given, Volume


def looked_at(volume: Volume, found: Fingerprint, given: Given | None) -> list[str]:
    """Return remarks on a survey, and refuse one whose axes are clearly others than it is taken for."""
    notes = [f"{volume.path}: {note}" for note in (*volume.notes, *found.notes)]
    last = volume.spec.grid.names[-1]
    if found.axis_order == "does not fit":
        said = f"{volume.path}: the samples do not look as if {last}, the last axis, were time or depth"
        is_named = last in VERTICAL and last != "sample"
        if not is_named and (given is None or given.n1 is None):
            others = "--n2 (trace)" if len(volume.spec.grid.shape) == 2 else "--n2 (crossline) --n3 (inline)"
            raise DataError(
                f"{said}, and nobody said which axis is which. Give --n1 (time or depth, fastest in the file) "
                f'{others}, or "axes" in the side-car'
            )
        notes.append(f"{said}; it is taken as given")
    if found.n_not_finite:
        notes.append(f"{volume.path}: {found.n_not_finite} samples are NaN or infinite; the model sees 0 there")
    if found.n_dead or found.n_padded:
        notes.append(f"{volume.path}: {found.n_dead} dead traces, {found.n_padded} padded with zeros")
    return notes


def padded(patch: tuple[int, ...], volume: Volume) -> Iterator[str]:
    grid = volume.spec.grid
    short = [name for name, n, size in zip(grid.names, grid.shape, patch, strict=True) if n < size]
    if short:
        yield (
            f"{volume.path}: {grid.lengths} is shorter than the patch {patch} along {', '.join(short)}; the model sees "
            "it reflected at its ends there"
        )


def counted(swept: Swept) -> Iterator[str]:
    for name, count in swept.counts.output_not_finite.items():
        if count:
            yield f"{count} voxels of {name} are not finite: the model gave no number there"
