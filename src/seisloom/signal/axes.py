"""Which axis of a volume is time or depth, as far as its samples tell, and how long a period is along each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from seisloom.sample import Array

Verdict: TypeAlias = Literal["fits", "does not fit", "undecided"]
FEW = 8
"""Samples of an axis below which it is not judged."""
TIME_MEAN, TIME_LOBE = 0.1, -0.2
"""A trace swings around 0: its mean is below this share of the RMS, and its autocorrelation falls below this."""
APART = 4.0
"""By how many times the mean share of two axes must differ to be confident."""


@dataclass(frozen=True, slots=True)
class AxisLook:
    """How samples behave along an axis; NaN where it is too short."""

    period: float
    """2 pi / arccos(r1) in samples, r1 the autocorrelation at a lag of one: the period of the mean square frequency
    (Rice, 1944, Mathematical analysis of random noise, eq. 3.3-11, for discrete samples)."""
    mean_share: float
    """RMS of the means along the axis over the RMS of the samples. Near 0 along time, since a wavelet has no zero
    frequency; laterally flat reflectors keep their mean."""
    lobe: float
    """Lowest autocorrelation up to half the axis: below 0 where samples oscillate."""


def look_along(boxes: Sequence[Array], n_axes: int) -> list[AxisLook]:
    """Return the look along each axis of boxes of a volume; samples that are not finite count as 0.

    Args:
        boxes: arrays of `n_axes` axes.
    """
    values = [np.nan_to_num(box.astype(np.float64), posinf=0, neginf=0) for box in boxes]
    return [_look([np.moveaxis(one, axis, -1) for one in values]) for axis in range(n_axes)]


def _look(boxes: Sequence[Array]) -> AxisLook:
    power = sum(float(np.sum(one**2)) for one in boxes)
    count = sum(one.size for one in boxes)
    if min(one.shape[-1] for one in boxes) < FEW or not power:
        return AxisLook(np.nan, np.nan, np.nan)
    means = sum(float(np.sum(one.mean(axis=-1) ** 2)) * one.shape[-1] for one in boxes)
    correlation = _autocorrelation(boxes)
    r1 = np.clip(correlation[1], -1.0, 1.0 - 1e-12)
    return AxisLook(
        period=float(2 * np.pi / np.arccos(r1)),
        mean_share=float(np.sqrt(means / power)) if count else np.nan,
        lobe=float(correlation[: max(2, len(correlation) // 2)].min()),
    )


def _autocorrelation(boxes: Sequence[Array]) -> Array:
    """Return the mean product of samples by lag over that at no lag, up to the shortest box."""
    n_lags = min(one.shape[-1] for one in boxes)
    products, counts = np.zeros(n_lags), np.zeros(n_lags)
    for one in boxes:
        n = one.shape[-1]
        spectrum = np.abs(np.fft.rfft(one.reshape(-1, n), 2 * n)) ** 2
        products += np.fft.irfft(spectrum.sum(axis=0))[:n_lags]
        counts += (n - np.arange(n_lags)) * (one.size // n)
    mean = products / counts
    return np.asarray(mean / mean[0])


def axis_verdict(looks: Sequence[AxisLook]) -> Verdict:
    """Return whether the last axis is time or depth: it does not fit only where another one clearly looks like it.

    Probabilities, times and other attributes look alike along all axes: they are undecided.
    """
    *others, last = looks
    known = [one for one in others if np.isfinite(one.mean_share)]
    if not known or not np.isfinite(last.mean_share):
        return "undecided"
    best = min(known, key=lambda one: one.mean_share)
    if (
        _like_time(best)
        and not _like_time(last)
        and last.mean_share > APART * best.mean_share
        and last.lobe > best.lobe
    ):
        return "does not fit"
    return "fits" if _like_time(last) and best.mean_share > last.mean_share else "undecided"


def _like_time(look: AxisLook) -> bool:
    return look.mean_share < TIME_MEAN and look.lobe < TIME_LOBE
