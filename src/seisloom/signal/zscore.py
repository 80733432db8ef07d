"""Bring records to zero mean and unit deviation: each component alone, or all by one number."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from seisloom.config import Preparation
from seisloom.sample import Array, Sample

Per = Literal["channel", "trace"]
FLAT = 1e-12
"""A component whose deviation is below this share of its largest amplitude is constant: what is left is rounding."""


def zscore(x: Array, *, mask: Array | None = None, per: Per = "channel") -> Array:
    """Return records around 0 with a deviation of 1.

    Args:
        x: amplitudes, shape (..., channel, time), any unit.
        mask: where samples are real, shape (..., time); None takes all that are finite.
        per: `channel` divides each component by its own deviation, as the z-score of scipy.stats does (ddof 0), and
            so makes all components equally strong; `trace` takes off each component's mean and divides all by the
            one deviation of those that are not constant, so that their ratios, which tell P from S energy, survive.
    Returns:
        float32 of the same shape. Samples that are not real become 0 and count in no mean; a constant component
        becomes 0, and so does one without real samples.

    >>> zscore(np.array([[1.0, 3.0], [7.0, 7.0]])).tolist()
    [[-1.0, 1.0], [0.0, 0.0]]
    """
    x = np.asarray(x, dtype=np.float64)
    real = np.isfinite(x) if mask is None else np.isfinite(x) & (np.asarray(mask) != 0)[..., None, :]
    n = real.sum(axis=-1, keepdims=True)
    known = np.where(real, x, 0.0)
    mean = np.divide(known.sum(axis=-1, keepdims=True), n, out=np.zeros(n.shape), where=n > 0)
    centred = np.where(real, x - mean, 0.0)
    square = np.square(centred).sum(axis=-1, keepdims=True)
    constant = is_constant(x, mask=mask)[..., None]
    square, n = np.where(constant, 0.0, square), np.where(constant, 0, n)
    if per == "trace":
        square, n = square.sum(axis=-2, keepdims=True), n.sum(axis=-2, keepdims=True)
    deviation = np.sqrt(np.divide(square, n, out=np.zeros(square.shape), where=n > 0))
    live = (deviation > 0) & ~constant
    scaled = np.divide(centred, deviation, out=np.zeros_like(centred), where=live)
    return np.asarray(scaled, dtype=np.float32)


def is_constant(x: Array, *, mask: Array | None = None) -> Array:
    """Return whether each component has one value only, or none: bool (..., channel) for `x` (..., channel, time)."""
    x = np.asarray(x, dtype=np.float64)
    real = np.isfinite(x) if mask is None else np.isfinite(x) & (np.asarray(mask) != 0)[..., None, :]
    high = np.max(x, axis=-1, where=real, initial=-np.inf)
    low = np.min(x, axis=-1, where=real, initial=np.inf)
    return np.asarray(~(high - low > FLAT * np.maximum(np.abs(high), np.abs(low))) | ~real.any(axis=-1))


class ZScore(Preparation):
    """Zero mean and unit deviation of each record; see `seisloom.signal.zscore.zscore`."""

    on_window: ClassVar[bool] = True
    """A scale that had seen the event would tell a window of noise before it: only the window itself counts."""

    name: str = "zscore"
    per: Per = "channel"
    """channel: each component by its own deviation; trace: all by one, which keeps the ratios of Z, N and E."""

    def __call__(self, sample: Sample) -> Sample:
        """Return the sample with `x` scaled; its `mask`, where it has one, says which samples count.

        `meta` counts the components that are constant, which become 0.
        """
        x, mask = sample.arrays["x"], sample.arrays.get("mask")
        n_constant = int(is_constant(x, mask=mask).sum())
        scaled = sample.with_arrays(x=zscore(x, mask=mask, per=self.per))
        return scaled.with_meta(n_constant_channels=n_constant) if n_constant else scaled
