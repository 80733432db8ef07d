"""Which axis of a volume is time or depth, as far as its samples tell, and how long a period is along each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from seisloom.sample import Array

Verdict: TypeAlias = Literal["fits", "does not fit", "undecided"]
FEW = 8
"""Samples of an axis below which it is not judged."""
TIME_MEAN, TIME_LOBE = 0.1, -0.2
"""A trace swings around 0: its mean is below this share of the RMS, and its autocorrelation falls below this."""
APART = 4.0
"""By how many times the mean share of two axes must differ to be confident."""
LINES = 1024
"""Lines that are transformed at once: their spectra stay in the cache."""


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
        boxes: arrays of `n_axes` axes, all of one shape.
    """
    shape = boxes[0].shape
    power = [np.zeros(_padded(n) // 2 + 1) for n in shape]
    for box in boxes:
        values = np.nan_to_num(box.astype(np.float64), posinf=0, neginf=0)
        for axis in range(n_axes):
            power[axis] += _power_spectrum(np.moveaxis(values, axis, -1))
    return [_look(one, n) for one, n in zip(power, shape, strict=True)]


def _padded(n: int) -> int:
    """Return a length for transforms of lines of `n` samples: no lag below half a line comes round."""
    return next_fast_len(n + n // 2, real=True)


def _power_spectrum(values: Array) -> Array:
    """Return the power by frequency of lines along the last axis, summed over all of them."""
    n = values.shape[-1]
    lines = values.reshape(-1, n)
    power = np.zeros(_padded(n) // 2 + 1)
    for start in range(0, len(lines), LINES):
        spectrum = rfft(lines[start : start + LINES], _padded(n))
        power += np.sum(spectrum.real**2 + spectrum.imag**2, axis=0)
    return power


def _look(power: Array, n: int) -> AxisLook:
    """Return the look along an axis of `n` samples from the power spectrum of its lines."""
    products = irfft(power, _padded(n))[: n // 2]  # by lag: Wiener and Khinchin
    if n < FEW or not products[0]:
        return AxisLook(np.nan, np.nan, np.nan)
    correlation = products / products[0] * n / (n - np.arange(n // 2))
    r1 = np.clip(correlation[1], -1.0, 1.0 - 1e-12)
    return AxisLook(
        period=float(2 * np.pi / np.arccos(r1)),
        mean_share=float(np.sqrt(power[0] / n / products[0])),  # no frequency: the sums of the lines, squared
        lobe=float(correlation.min()),
    )


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
