"""Spectra to pick: from held-out refs with their truth, stored records, or field gathers."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seisloom.errors import DataError, RecipeError
from seisloom.sample import Array, Arrays, Ref, content_hash
from seisloom.signal.velocity_spectra.limits import ArrayLimits
from seisloom.signal.velocity_spectra.recorded import spectra_at
from seisloom.signal.velocity_spectra.transforms import find_transform
from seisloom.tasks.dispersion.field.gathers import Gather, read_gather
from seisloom.tasks.dispersion.picker.data import (
    arrays_of,
    as_planned,
    contents,
    limits_in,
    manifest_in,
    refs_of,
    sample_arrays,
)
from seisloom.tasks.dispersion.picker.grid import SAME, log_axis, ratios_of
from seisloom.tasks.dispersion.picker.recipe import DispersionRecipe
from seisloom.tasks.dispersion.store.record_file import read_record

logger = logging.getLogger("seisloom")


@dataclass(frozen=True, slots=True, eq=False)
class TraceSpectra:
    """Spectra of the live traces of a gather."""

    values: Array
    """complex (trace, frequency), sum of samples times exp(-i omega t), any unit."""
    offsets_m: Array
    """(trace,), from the source, positive."""


@dataclass(frozen=True, slots=True, eq=False)
class SpectrumRecord:
    """A velocity spectrum, what is known of its array, and of its modes if they are known."""

    key: str
    panel: Array
    """float32 (velocity, frequency), 0 to 1."""
    velocity_m_s: Array
    frequency_hz: Array
    limits: ArrayLimits | None
    """Of the array; None where it is not known."""
    n_receivers: int
    content: Array
    """Hash of the record, uint64 (1,): tells whether a bundle has seen it."""
    curves: Array | None = None
    """True phase velocities in m/s, (mode, frequency), NaN where a mode does not exist."""
    visible: Array | None = None
    """Where modes are in the window, excited and heard, of the same shape."""
    resolved: Array | None = None
    """Where they are farther from all others than the array's resolution, of the same shape."""
    medium: str = ""
    """What records of the same ground share; empty where each record stands for itself."""
    traces: TraceSpectra | None = None
    """What the traces recorded at the frequencies; None where it is not known."""
    context: tuple[Array, Array] | None = None
    """The spectrum with frequencies on both sides, and these, where a network may look at more than is asked for."""


def records(recipe: DispersionRecipe, refs: Sequence[Ref]) -> Iterator[SpectrumRecord]:
    """Yield the records behind refs with their curves."""
    refs = as_planned(recipe, refs)
    for ref, content in zip(refs, contents(recipe, refs), strict=True):
        yield _known(ref.key, arrays_of(recipe, ref), content, ref.groups["model"])


def _known(key: str, arrays: Arrays, content: Any, medium: str = "") -> SpectrumRecord:  # Any: a NumPy integer
    sample = sample_arrays(arrays)
    limits, n_receivers = limits_in(arrays)
    return SpectrumRecord(
        key, np.asarray(sample["spectrum"], np.float32), sample["phase_velocity"], sample["freq"], limits, n_receivers,
        np.array([content], dtype=np.uint64), sample["curves"].astype(np.float64), sample["visible"] > 0,
        sample["resolved"] > 0, medium, _stored_traces(key, arrays),
    )  # fmt: skip


def _stored_traces(key: str, arrays: Arrays) -> TraceSpectra | None:
    """Return the spectra of a record's traces; None for one of another maker, or one that was augmented.

    Raises:
        DataError: if they do not fit the other arrays.
    """
    if "trace_spectra" not in arrays or "offsets" not in arrays:
        return None
    stored, shape = arrays["trace_spectra"], (2, len(arrays["offsets"]), len(arrays["freq"]))
    if stored.shape != shape or np.iscomplexobj(stored):
        raise DataError(
            f"{key}: trace_spectra is {stored.dtype} {stored.shape}; real and imaginary parts of these offsets and "
            f"frequencies are {shape}"
        )
    real, imaginary = np.asarray(stored, dtype=np.float64)
    return _live(real + 1j * imaginary, np.asarray(arrays["offsets"], dtype=np.float64))


def _live(spectra: Array, offsets_m: Array) -> TraceSpectra | None:
    """Return the traces that hold something, away from the source; None for fewer than two."""
    kept = spectra.any(axis=1) & np.isfinite(spectra).all(axis=1) & (offsets_m > 0)
    return TraceSpectra(spectra[kept], offsets_m[kept]) if kept.sum() > 1 else None


def open_records(recipe: DispersionRecipe, source: Any, fs_hz: float | None) -> Iterator[SpectrumRecord]:
    """Yield what a user gives.

    Args:
        recipe: its `apply` says the geometry and the axes of a gather.
        source: a folder that `synth dispersion` wrote, its manifest (.jsonl), or a record (.npz), with curves; or one
            shot: a SEG-2, SEG-Y, SU, miniSEED or text file, an ObsPy Stream, or an array (trace, time).
        fs_hz: sampling rate in Hz of an array.
    Raises:
        MissingDataError: if there is no such file.
        DataError: if it cannot be read, or its geometry is not known.
        RecipeError: if the axes that are asked for are empty.
    """
    if isinstance(source, str | Path):
        path = Path(source)
        if path.is_dir() or path.suffix.lower() == ".jsonl":
            refs = list(refs_of(manifest_in(path)))
            yield from records(recipe, refs)
            return
        if path.suffix.lower() == ".npz":
            arrays = read_record(path)
            yield _known(path.stem, arrays, content_hash(np.asarray(arrays["spectrum"]).reshape(1, -1))[0])
            return
    yield gather_record(recipe, _gather(recipe, source, fs_hz))


def _gather(recipe: DispersionRecipe, source: Any, fs_hz: float | None) -> Gather:  # Any: see open_records
    said = recipe.apply
    interval_s = said.interval_s if fs_hz is None else 1 / fs_hz
    gather = read_gather(
        source, dx_m=said.dx_m, first_offset_m=said.first_offset_m, interval_s=interval_s, shot=said.shot,
        side=said.side, lowest_hz=said.min_hz, override=said.override,
    )  # fmt: skip
    for note in gather.notes:
        logger.info("%s: %s", gather.name, note)
    return gather


def gather_record(recipe: DispersionRecipe, gather: Gather) -> SpectrumRecord:
    """Return the spectrum of a field gather on axes as the network knows them."""
    said, data = recipe.apply, recipe.data
    frequency, velocity = axes_for(recipe, gather.traces.shape[1], gather.interval_s)
    lowest, nyquist = 1 / (gather.traces.shape[1] * gather.interval_s), 0.5 / gather.interval_s
    wide, asked = with_context(frequency, said.context, lowest_hz=lowest, highest_hz=nyquist)
    transform = find_transform(said.transform or data.simulation.transform)
    seen = transform(
        gather.traces, gather.interval_s, gather.offsets_m, wide, velocity, normalise=data.simulation.normalise
    )
    for n, what in ((seen.n_dead, "dead traces"), (seen.n_nan, "traces with samples that are not finite")):
        if n:
            logger.warning("%s: %d %s are left out", gather.name, n, what)
    content = content_hash(gather.traces.reshape(1, -1))
    moving = gather.traces - gather.traces[:, :1]  # what never changes recorded nothing
    moving = np.where(np.isfinite(moving).all(axis=1)[:, None], moving, 0)
    traces = _live(spectra_at(moving, gather.interval_s, frequency), np.abs(gather.offsets_m))
    return SpectrumRecord(
        gather.name, seen.panel[:, asked], velocity, frequency, seen.limits, seen.n_traces, content,
        traces=traces, context=(seen.panel, wide) if len(wide) > len(frequency) else None,
    )  # fmt: skip


def axes_for(recipe: DispersionRecipe, n_time: int, interval_s: float) -> tuple[Array, Array]:
    """Return frequencies and velocities for a gather, at the ratios of the network.

    Raises:
        RecipeError: if nothing of what is asked for lies between a period in the record and half the sampling rate.
    """
    said, data, ratios = recipe.apply, recipe.data, ratios_of(recipe.data)
    lowest, nyquist = 1 / (n_time * interval_s), 0.5 / interval_s
    first = said.min_hz or max(data.frequency.min_hz, lowest)
    last = said.max_hz or min(data.frequency.max_hz, nyquist)
    if not lowest * (1 - 1e-9) <= first < last <= nyquist * (1 + 1e-9):
        raise RecipeError(
            f"frequencies {first:g} to {last:g} Hz: a record of {n_time * interval_s:g} s every {interval_s:g} s tells "
            f"{lowest:.3g} to {nyquist:.4g} Hz. Give min_hz and max_hz in it, or check the interval"
        )
    slow, fast = said.min_m_s or data.phase_velocity.min_m_s, said.max_m_s or data.phase_velocity.max_m_s
    if slow >= fast:
        raise RecipeError(f"velocities {slow:g} to {fast:g} m/s: give min_m_s below max_m_s")
    return _axis("min_hz, max_hz", first, last, ratios.frequency), _axis(
        "min_m_s, max_m_s", slow, fast, ratios.velocity
    )


def with_context(frequency_hz: Array, context: float, *, lowest_hz: float, highest_hz: float) -> tuple[Array, slice]:
    """Return frequencies at equal ratios with more of them on both sides, and where the given ones are among them.

    Args:
        frequency_hz: at equal ratios, rising.
        context: they begin at the first over this, and end at the last times this.
        lowest_hz, highest_hz: that a record tells; there is nothing beyond.

    >>> with_context(np.array([8.0, 16.0, 32.0]), 4.0, lowest_hz=3.0, highest_hz=1000.0)[0].round(6).tolist()
    [4.0, 8.0, 16.0, 32.0, 64.0, 128.0]
    """
    n = len(frequency_hz)
    step = float(np.log(frequency_hz[-1] / frequency_hz[0])) / (n - 1)

    def steps(beyond: float) -> int:
        """Return the whole steps in a ratio; one is whole, whatever its last bit."""
        return max(int(np.log(min(context, beyond)) / step + SAME), 0)

    below, above = steps(float(frequency_hz[0]) / lowest_hz), steps(highest_hz / float(frequency_hz[-1]))
    lower = frequency_hz[0] * np.exp(-step * np.arange(below, 0, -1))
    upper = frequency_hz[-1] * np.exp(step * np.arange(1, above + 1))
    return np.concatenate([lower, frequency_hz, upper]), slice(below, below + n)


def _axis(keys: str, first: float, last: float, ratio: float) -> Array:
    try:
        return log_axis(first, last, ratio)
    except DataError as error:
        raise RecipeError(f"{keys}: {error}") from error
