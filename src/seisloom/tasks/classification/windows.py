"""Whole records on one sampling rate, and windows of them as a network sees them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from seisloom.errors import LeftOut
from seisloom.io.waveforms.times import UNKNOWN, iso
from seisloom.io.waveforms.waveform import Waveform
from seisloom.sample import Array, Sample
from seisloom.signal.filters import resample
from seisloom.signal.noise import snr_db
from seisloom.signal.zscore import is_constant
from seisloom.tasks.classification.recipe import ClassificationRecipe

WHOLE = ("bandpass",)
"""Steps that, at the head of `prepare`, run on the whole record, so that their run-in lies outside of windows. All
others see the window alone: a scale that had seen the event would tell a window of noise before it."""
LONG_S, RUN_IN_S = 600.0, 60.0
"""Of records longer than LONG_S only the window is prepared, with so much at either side."""


@dataclass(frozen=True, slots=True, eq=False)
class EventRecord:
    """A record of one station, resampled and filtered but not scaled, and what is known of it."""

    key: str
    x: Array
    """Amplitudes, float32 (channel, time); 0 where nothing was recorded."""
    mask: Array
    """int8 (time,): 1 where all components were recorded."""
    fs_hz: float
    channels: tuple[str, ...]
    groups: Mapping[str, str] = field(default_factory=dict)
    """What it belongs to: event, station, network, year, ..."""
    path: str = ""
    start: np.datetime64 = UNKNOWN
    """UTC time of the first sample."""
    onset_s: float = math.nan
    """Onset in s after the first sample; NaN where not known."""
    first_s: float | None = None
    """Start of the planned window in s after the first sample; None where none is planned: a stream, which windows are
    slid over."""
    truth: int = -1
    """Index of the class; -1 where nobody knows."""
    is_noise: bool = False
    """Whether the planned window is one of noise, before the onset."""
    is_behind: bool = False
    """Whether the planned window begins behind the onset."""
    content: Array = field(default_factory=lambda: np.zeros(0, np.uint64))
    """Hash of each component as it stands in its file, uint64 (channel,): tells whether a bundle has seen it."""
    n_dropped: int = 0
    """Samples that `data.gaps: drop` took out."""
    notes: tuple[str, ...] = ()
    """What was met and assumed in reading it."""

    @property
    def n_samples(self) -> int:
        """Samples along time."""
        return int(self.x.shape[-1])

    @property
    def n_traces(self) -> int:
        """Number of components."""
        return int(self.x.shape[0])


def window_samples(recipe: ClassificationRecipe, fs_hz: float, window_s: float | None = None) -> int:
    """Return the samples of a window that a network sees, without what is stored around it.

    Args:
        recipe: its `data.window_s` counts.
        fs_hz: sampling rate in Hz.
        window_s: another length in s.
    """
    return max(round((window_s or recipe.data.window_s) * fs_hz), 1)


def margin_samples(recipe: ClassificationRecipe, fs_hz: float) -> int:
    """Return the samples that a window is stored longer at either end."""
    return round(recipe.data.shift_s * fs_hz)


def window_start_s(recipe: ClassificationRecipe, *, onset_s: float, duration_s: float) -> float:
    """Return where the stored window of an event begins, in s after the first sample; it may lie before that.

    Args:
        recipe: its `data.window_s`, `before_s` and `shift_s` count.
        onset_s: onset in s after the first sample; NaN takes the middle of the record.
        duration_s: length of the record in s.
    """
    data = recipe.data
    if math.isnan(onset_s):
        return (duration_s - data.window_s) / 2 - data.shift_s
    return onset_s - data.before_s - data.shift_s


def without_gaps(waveform: Waveform, onset_s: float) -> tuple[Waveform, float, int]:
    """Return a record whose gaps are taken out, its onset moved along, and how many samples that are.

    What the older scripts do; times behind a gap are wrong then.
    """
    real: Array = np.asarray(np.isfinite(waveform.values).all(axis=0))
    n_dropped = int(np.count_nonzero(~real))
    if not n_dropped:
        return waveform, onset_s, 0
    if not math.isnan(onset_s):
        before = round(onset_s * waveform.fs_hz)
        onset_s -= int(np.count_nonzero(~real[: max(before, 0)])) / waveform.fs_hz
    return replace(waveform, values=waveform.values[:, real]), onset_s, n_dropped


def prepare(recipe: ClassificationRecipe, waveform: Waveform) -> tuple[Array, Array, float]:
    """Return a record on the recipe's sampling rate, and filtered where `prepare` begins with a filter.

    Gaps are bridged by straight lines for filters, since a step would ring, and are 0 and masked in the result.

    Returns:
        x, float32 (channel, time); mask, int8 (time,), 1 where all components were recorded; sampling rate in Hz.
    """
    values, fs_hz = waveform.values, waveform.fs_hz
    real = np.isfinite(values)
    target_hz = recipe.data.sampling_rate_hz or fs_hz
    x = resample(_bridged(values, real), fs_hz=fs_hz, target_fs_hz=target_hz)
    mask = _resampled_mask(np.asarray(real.all(axis=0)), x.shape[-1], fs_hz / target_hz)
    sample = Sample("prepare", {}, {"x": x, "mask": mask, "fs": np.asarray(target_hz)})
    for step in recipe.prepare[: n_whole(recipe)]:
        sample = step(sample)
    x = np.where(mask != 0, sample.arrays["x"], 0).astype(np.float32)
    return x, mask, target_hz


def n_whole(recipe: ClassificationRecipe) -> int:
    """Return how many of the first steps of `prepare` run on whole records."""
    names = [step.name for step in recipe.prepare]
    return next((k for k, name in enumerate(names) if name not in WHOLE), len(names))


def _bridged(values: Array, real: Array) -> Array:
    """Return rows whose gaps are straight lines; a row without a real sample is 0."""
    if real.all():
        return values
    filled = np.zeros_like(values)
    places = np.arange(values.shape[-1])
    for row, known, out in zip(values, real, filled, strict=True):
        if known.any():
            out[:] = np.interp(places, places[known], row[known])
    return filled


def _resampled_mask(real: Array, n: int, step: float) -> Array:
    """Return which samples of the new rate lie between two recorded ones; `step` is in samples of the old rate."""
    if real.all():
        return np.ones(n, np.int8)
    place = np.arange(n) * step
    low = np.clip(np.floor(place + 1e-9).astype(int), 0, len(real) - 1)
    high = np.clip(np.ceil(place - 1e-9).astype(int), 0, len(real) - 1)
    return np.asarray(real[low] & real[high], dtype=np.int8)


def cut(recipe: ClassificationRecipe, record: EventRecord, first_s: float, n_samples: int) -> Sample:
    """Return a window as the network sees it, the sample of a record.

    Args:
        recipe: its `prepare`, `data.min_real` and the windows of the SNR count.
        record: a whole record.
        first_s: start of the window in s after the record's first sample; what lies outside is masked.
        n_samples: its length, of the record's rate.
    Raises:
        LeftOut: if too little of the window was recorded, or all components are constant in it.
    """
    first = round(first_s * record.fs_hz)
    x, mask = _window(record.x, first, n_samples), _window(record.mask, first, n_samples)
    share = float(np.mean(mask != 0))
    if share < recipe.data.min_real or not mask.any():
        raise LeftOut(f"less than {100 * recipe.data.min_real:g} % of the window was recorded (data.min_real)")
    if is_constant(x, mask=mask).all():
        raise LeftOut("all components are constant in the window")
    onset = record.onset_s * record.fs_hz
    has_pick = not record.is_noise and 0 <= onset - first <= n_samples - 1
    sample = Sample(
        record.key, record.groups, {"x": x, "mask": mask, "fs": np.asarray(record.fs_hz)},
        meta_of(record, first_s=round(first_s, 9)),
    )  # fmt: skip
    for step in recipe.prepare[n_whole(recipe) :]:
        sample = step(sample)
    return sample.with_arrays(
        x=np.where(mask != 0, sample.arrays["x"], 0).astype(np.float32),
        mask=mask,
        label=np.asarray(record.truth, np.int64),
        fs=np.asarray(record.fs_hz, np.float32),
        has_pick=np.asarray(1 if has_pick else 0 if record.is_noise else -1, np.int8),
        y_idx=np.asarray(onset - first if has_pick else -1, np.float32),
        snr_db=np.asarray(_snr(recipe, record, onset) if has_pick else math.nan, np.float32),
    )


def _window(values: Array, first: int, n: int) -> Array:
    """Return samples (..., time) from a place on, 0 outside of the record."""
    out = np.zeros((*values.shape[:-1], n), values.dtype)
    low, high = max(first, 0), min(first + n, values.shape[-1])
    if high > low:
        out[..., low - first : high - first] = values[..., low:high]
    return out


def _snr(recipe: ClassificationRecipe, record: EventRecord, onset: float) -> Array:
    known = np.where(record.mask != 0, record.x[0], np.nan)
    data = recipe.data
    return snr_db(known, onset, fs_hz=record.fs_hz, signal_s=data.snr_signal_s, noise_s=data.snr_noise_s)


def meta_of(record: EventRecord, **more: Any) -> dict[str, Any]:  # Any: JSON values
    """Return what is told of a record beside its arrays, as JSON values."""
    said = {
        "path": record.path, "channels": list(record.channels), "start": iso(record.start),
        "notes": list(record.notes), **more,
    }  # fmt: skip
    return {**said, "n_dropped": record.n_dropped} if record.n_dropped else said
