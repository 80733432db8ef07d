"""Panels in memory: what a user gives, with dead traces found, and held-out ones with their truth."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from seisloom.augment.augmentation import generator
from seisloom.errors import DataError
from seisloom.io.gather import Gather, read_gather, read_stream
from seisloom.io.volumes.grid import whole
from seisloom.io.volumes.volume import AMPLITUDE
from seisloom.sample import Array, Ref, content_hash
from seisloom.tasks.restoration.corrupt import corrupted, words_for
from seisloom.tasks.restoration.data import content_of, read
from seisloom.tasks.restoration.patterns import draw_pattern
from seisloom.tasks.restoration.recipe import RestorationApply, RestorationRecipe
from seisloom.tasks.restoration.sources import Source, as_volume, cut, find_files, in_lines, read_array

logger = logging.getLogger("seisloom")


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """A gather or a section (one line), or a cube, with what is known of it."""

    name: str
    values: Array
    """Amplitudes as they are given, float32 (line, trace, time); 0 in dead traces."""
    is_live: Array
    """bool (line, trace)."""
    content: Array
    """Hash of the amplitudes, uint64 (1,)."""
    truth: Array | None = None
    """What the panel should become, of the shape of `values`, where anybody knows it."""
    is_known: Array | None = None
    """Where the truth is known, bool (line, trace)."""
    pattern: str = ""
    """What was hidden or added, in words."""
    source: Source | None = None
    """Where it came from, to write it back."""
    fs_hz: float | None = None
    offset_m: Array | None = None
    """float (line, trace); NaN unknown."""

    @property
    def n_traces(self) -> int:
        """Number of traces."""
        return int(self.is_live.size)

    @property
    def missing(self) -> Array:
        """Traces that are dead here and whose truth is known, bool (line, trace)."""
        known = np.zeros_like(self.is_live) if self.is_known is None else self.is_known
        return np.asarray(known & ~self.is_live)


def panel_of(
    name: str, values: Array, said: RestorationApply, *, numbers: Array | None = None, **known: Any
) -> Panel:  # Any: other fields
    """Return a panel with its dead traces found: all zero, constant, or with samples that are not finite.

    Args:
        name: of the panel.
        values: (line, trace, time).
        said: has the traces that are dead or live whatever they hold.
        numbers: of its traces in their file, from 0; by default as they come.
        known: other fields of `Panel`.
    """
    values = np.array(values, dtype=np.float32)
    finite = np.isfinite(values).all(axis=-1)
    number = (np.arange(finite.size) if numbers is None else np.asarray(numbers)).reshape(finite.shape) + 1
    # One sample is constant, and yet a sample
    constant = (values == values[..., :1]).all(axis=-1) & ((values.shape[-1] > 1) | (values[..., 0] == 0))
    live = finite & ~constant & ~np.isin(number, said.dead) | (finite & np.isin(number, said.live))
    if not finite.all():
        logger.warning("%s: %d traces have samples that are not finite; they count as dead", name, (~finite).sum())
    return Panel(
        name, np.where(live[..., None], values, np.float32(0)), live, content_hash(values.reshape(1, -1)), **known
    )


def open_records(recipe: RestorationRecipe, source: Any, fs_hz: float | None = None) -> Iterator[Panel]:
    """Yield the panels of what a user gives, one after the other.

    Args:
        recipe: of the room.
        source: path of a file, or of a folder with files; an array (trace, time) or (line, trace, time), in which
            traces of NaN are dead; an ObsPy Stream; or panels, which are handed on.
        fs_hz: sampling rate of an array, where it matters.
    Raises:
        MissingDataError: if there is no such file.
        DataError: if it is no such thing.
    """
    said = recipe.apply
    if isinstance(source, Panel):
        yield source
    elif isinstance(source, str | Path):
        for file in find_files(Path(source)):
            yield from _of_file(file, said)
    elif isinstance(source, np.ndarray):
        yield panel_of("array", in_lines(source, "array"), said, fs_hz=fs_hz)
    elif hasattr(source, "traces") and len(source.traces):
        yield _of_gather("Stream", read_stream(source.traces), said, None)
    else:
        raise DataError(f"{type(source).__name__}: give a path, an array (trace, time) or (line, trace, time)")


def _of_file(file: Path, said: RestorationApply) -> Iterator[Panel]:
    volume = as_volume(file)
    if volume is not None:
        names = volume.spec.variables
        name = AMPLITUDE if AMPLITUDE in names else next(iter(names))
        values = np.asarray(volume.read(whole(volume.spec.grid.shape), name))
        yield panel_of(file.name, in_lines(values, str(file)), said, source=Source(file))
        return
    for name, source in cut(file, said.panels):
        if source.traces is None:
            yield panel_of(name, read_array(file), said, source=source)
        else:
            yield _of_gather(name, read_gather(file), said, source)


def _of_gather(name: str, gather: Gather, said: RestorationApply, source: Source | None) -> Panel:
    numbers = np.arange(gather.n_traces) if source is None or source.traces is None else source.traces
    return panel_of(
        name, gather.take(numbers)[None], said, numbers=numbers, source=source, fs_hz=gather.fs_hz,
        offset_m=gather.offset_m[numbers][None],
    )  # fmt: skip


def records(recipe: RestorationRecipe, refs: Sequence[Ref]) -> Iterator[Panel]:
    """Yield the panels behind refs as `corrupt` leaves them, with their truth."""
    for ref in refs:
        sample = read(recipe, ref)
        arrays = sample.arrays
        x, live, drawn = corrupted(recipe, ref.key, arrays, epoch=0)
        fs_hz = float(arrays["fs_hz"])
        yield Panel(
            ref.key, x, live > 0, content_of(recipe, ref), truth=np.asarray(arrays["clean"]),
            is_known=arrays["known"] > 0, pattern=words_for(drawn), fs_hz=fs_hz if np.isfinite(fs_hz) else None,
            offset_m=arrays["offset_m"],
        )  # fmt: skip


def with_questions(recipe: RestorationRecipe, panels: Iterable[Panel]) -> Iterator[Panel]:
    """Yield panels with a truth: those that have none several times, with live traces hidden by the recipe's patterns.

    What is hidden depends on the panel's samples, the pattern and the recipe's seed alone.
    """
    for panel in panels:
        if panel.truth is not None:
            yield panel
            continue
        for words in recipe.apply.hide:
            for number in range(recipe.apply.hide_seeds):
                rng = generator("hide", recipe.seed, int(panel.content[0]), words, number)
                yield hidden(panel, words, rng, name=f"{panel.name} #{number + 1}")


def hidden(panel: Panel, words: str, rng: np.random.Generator, *, name: str) -> Panel:
    """Return a panel in which live traces are hidden in a pattern, line by line; they are its truth then."""
    live = panel.is_live.copy()
    for row in live:
        row &= draw_pattern(words, len(row), rng)
    if not live.any():
        raise DataError(f"{panel.name}: {words} leaves no live trace of {panel.is_live.sum()}")
    values = np.where(live[..., None], panel.values, np.float32(0))
    return replace(
        panel, name=name, values=values, is_live=live, truth=panel.values, is_known=panel.is_live, pattern=words
    )
