"""Whole records to classify: from held-out refs with their truth, a catalogue, a file, an array, or an ObsPy Stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seisloom.errors import DataError, LeftOut, MissingDataError
from seisloom.io.waveforms.files import SUFFIXES, read_waveforms
from seisloom.io.waveforms.sources import find_catalogue
from seisloom.io.waveforms.stream import from_stream
from seisloom.io.waveforms.waveform import Waveform
from seisloom.sample import Array, Ref, content_hash
from seisloom.tasks.classification.data import classes_of, load, plan, refs_of
from seisloom.tasks.classification.recipe import ClassificationRecipe
from seisloom.tasks.classification.selection import check_picks, entries_of
from seisloom.tasks.classification.windows import EventRecord, prepare, without_gaps


def records(recipe: ClassificationRecipe, refs: Sequence[Ref]) -> Iterator[EventRecord]:
    """Yield the whole records behind refs, with their truth and their planned windows; one of noise is a record too.

    Those on which nothing was recorded are left out.

    Raises:
        MissingDataError: if the catalogues no longer have them.
    """
    for ref in _planned(recipe, refs):
        try:
            yield load(recipe, ref)
        except LeftOut:
            continue


def contents(recipe: ClassificationRecipe, refs: Sequence[Ref]) -> Array:
    """Return the hashes of the components behind refs as they stand in their files, sorted, each once."""
    found = [record.content for record in records(recipe, refs)]
    return np.unique(np.concatenate(found)) if found else np.zeros(0, dtype=np.uint64)


def _planned(recipe: ClassificationRecipe, refs: Sequence[Ref]) -> list[Ref]:
    """Return refs that tell where their records are; those of shards know their keys only."""
    if all("catalogue" in ref.source for ref in refs):
        return list(refs)
    by_key = {ref.key: ref for ref in plan(recipe)}
    found = [by_key[ref.key] for ref in refs if ref.key in by_key]
    if not found:
        raise MissingDataError(
            f"data.paths: the catalogues have none of the {len(refs)} records that are asked for, such as "
            f"{refs[0].key}. Name those that the shards were cut from"
        )
    return found


def open_records(recipe: ClassificationRecipe, source: Any, fs_hz: float | None = None) -> Iterator[EventRecord]:
    """Yield the records of what a user gives.

    Records of a catalogue come with their class, where they have one, and their planned window; all others have no
    window: an onset and a class are not known.

    Args:
        recipe: says which components are wanted, and how records are prepared.
        source: path of a catalogue or its folder; of a miniSEED or SAC file, or a folder of them; an ObsPy Stream; an
            array (channel, time), with its rows in the recipe's order; records, which are handed on.
        fs_hz: sampling rate in Hz; needed for an array, and only there.
    Raises:
        DataError: if the source is of no known kind, lacks components, or an array comes without its sampling rate.
        MissingDataError: if there is no such file.
    """
    if isinstance(source, EventRecord):
        yield source
    elif isinstance(source, str | Path):
        yield from _from_path(recipe, Path(source))
    elif isinstance(source, np.ndarray):
        yield _of_waveform(recipe, _of_array(recipe, source, fs_hz), "array")
    elif hasattr(source, "traces") and hasattr(source, "select"):
        yield from _of_waveforms(recipe, from_stream(source), "Stream")
    elif isinstance(source, Iterable):
        for one in source:
            yield from open_records(recipe, one, fs_hz)
    else:
        raise DataError(
            f"cannot classify a {type(source).__name__}: give a path, an ObsPy Stream, or an array with fs_hz"
        )


def _from_path(recipe: ClassificationRecipe, path: Path) -> Iterator[EventRecord]:
    if not path.exists():
        raise MissingDataError(f"{path}: no such file or folder")
    files = sorted(one for one in path.iterdir() if one.name.lower().endswith(SUFFIXES)) if path.is_dir() else [path]
    try:
        find_catalogue(path)
    except DataError:
        if path.is_dir() or path.suffix.lower() in (".csv", ".xml", ".pkl", ".pickle"):
            raise
    except MissingDataError:
        if not files:
            raise
    else:
        yield from _from_catalogue(recipe, path)
        return
    for file in files:
        yield from _of_waveforms(recipe, read_waveforms(file), file.name)


def named_records(recipe: ClassificationRecipe) -> tuple[list[EventRecord], list[str]]:
    """Return the records of a recipe's catalogues, and of each the name of its class; empty where nobody knows.

    One class is enough, and none: nothing is to be told apart.

    Raises:
        DataError: see `plan`.
    """
    data = recipe.data
    chosen = check_picks(data, entries_of(data, seed=recipe.seed, need_label=False))
    labels = {one.label for one in chosen if one.label} | set(data.labels_beside())
    classes = tuple(data.classes) or tuple(sorted(labels))
    refs = refs_of(data, chosen, classes, seed=recipe.seed, unlabelled=True)
    found = list(records(recipe, refs))
    return found, [classes[one.truth] if one.truth >= 0 else "" for one in found]


def _from_catalogue(recipe: ClassificationRecipe, path: Path) -> Iterator[EventRecord]:
    """Yield the records of another catalogue with the classes of this recipe; what is of no class has none."""
    data = recipe.data.model_copy(update={"paths": (str(path),)})
    there = recipe.model_copy(update={"data": data})
    chosen = check_picks(data, entries_of(data, need_label=False))
    for ref in refs_of(data, chosen, _classes(recipe), seed=recipe.seed, unlabelled=True):
        try:
            yield load(there, ref)
        except LeftOut:
            continue


def _classes(recipe: ClassificationRecipe) -> tuple[str, ...]:
    """Return the classes, or none where the recipe has neither a list nor the data that it was made for."""
    if not recipe.data.classes and not recipe.data.paths:
        return ()
    return classes_of(recipe)


def _of_waveforms(recipe: ClassificationRecipe, found: Sequence[Waveform], name: str) -> Iterator[EventRecord]:
    for waveform in found:
        yield _of_waveform(recipe, waveform, f"{name}/{waveform.name}")


def _of_waveform(recipe: ClassificationRecipe, waveform: Waveform, key: str) -> EventRecord:
    """Return a record without class and onset."""
    data = recipe.data
    whole = waveform.with_channels(data.channels, missing="zero" if data.missing == "zero" else "refuse")
    content, n_dropped = content_hash(np.nan_to_num(whole.values)), 0
    if data.gaps == "drop":
        whole, _, n_dropped = without_gaps(whole, np.nan)
    if not np.isfinite(whole.values).any():
        raise DataError(f"{key}: all samples are missing")
    x, mask, rate_hz = prepare(recipe, whole)
    met = tuple(f"{n} samples: {what}" for what, n in whole.counts.items())
    station = {"station": f"{whole.network}.{whole.station}"} if whole.station else {}
    return EventRecord(
        key, x, mask, rate_hz, data.channels, station, whole.path, whole.start, content=content, n_dropped=n_dropped,
        notes=(*whole.notes, *met),
    )  # fmt: skip


def _of_array(recipe: ClassificationRecipe, values: Array, fs_hz: float | None) -> Waveform:
    if fs_hz is None:
        raise DataError("an array needs its sampling rate: apply(..., fs_hz=100)")
    rows = np.atleast_2d(np.asarray(values, np.float32))
    wanted = recipe.data.channels
    if rows.ndim != 2 or len(rows) != len(wanted):
        raise DataError(
            f"an array of shape {values.shape}; give (channel, time) with the {len(wanted)} components "
            f"{', '.join(wanted)}"
        )
    return Waveform(np.where(np.isfinite(rows), rows, np.nan), wanted, float(fs_hz))
