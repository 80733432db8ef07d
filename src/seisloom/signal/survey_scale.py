"""Amplitudes of a survey on the scale that a network knows, by numbers of the whole survey, never of a part of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field, field_validator

from seisloom.config import Preparation
from seisloom.errors import DataError
from seisloom.sample import Array

KNOWN = (75.0, 95.0, 99.0, 99.5, 99.9)
"""Percentiles that a fingerprint has, with those that mirror them."""


class SurveyScale(Preparation):
    """How amplitudes of volumes are brought to one scale."""

    name: str = "survey_scale"
    percentile: float = 95.0
    """Half of the distance between this percentile of the samples and the one that mirrors it becomes 1. Bright spots
    move 99.9 and not 95."""
    equal_depths: bool = False
    """Whether the RMS of 16 windows along the trace, over the whole survey, is made equal too."""
    clip: float | None = Field(8.0, gt=0)
    """Largest absolute value of the result; null does not clip."""

    @field_validator("percentile")
    @classmethod
    def _known(cls, value: float) -> float:
        if value not in KNOWN:
            raise ValueError(f"a survey's fingerprint has {', '.join(f'{one:g}' for one in KNOWN)}")
        return value

    def of(self, percentiles: Mapping[str, float], rms_by_window: Sequence[float] = ()) -> Scaling:
        """Return the scaling of a survey from its fingerprint.

        Args:
            percentiles: amplitude by per cent, as `Fingerprint.percentiles`.
            rms_by_window: as `Fingerprint.rms_by_window`; needed with `equal_depths`.
        Raises:
            DataError: if all samples are alike, 0 or not finite: there is nothing to scale by.
        """
        low, high = percentiles[f"{100 - self.percentile:g}"], percentiles[f"{self.percentile:g}"]
        if np.isnan(low) or np.isnan(high):
            raise DataError("all samples are 0 or not finite: there is nothing to look at")
        if not high > low:
            raise DataError(
                f"{self.percentile - (100 - self.percentile):g} % of the samples are {high:.3g}, or too near to it to "
                "be told apart: the volume is constant, there is nothing to look at. Give amplitudes, which swing "
                "around 0"
            )
        levels = np.ones(1)
        if self.equal_depths:
            levels = np.asarray(rms_by_window, dtype=np.float64)
            usual = np.median(levels[levels > 0])
            # A window that is empty or almost silent (water) is not blown up to the level of the others
            levels = np.maximum(np.nan_to_num(levels / usual, nan=1.0), 0.1)
        return Scaling(float(percentiles["50"]), 2 / (high - low), tuple(levels.tolist()), self.clip)

    def of_values(self, values: Array) -> Scaling:
        """Return the scaling of an array that is a survey of its own, from its finite samples that are not 0.

        Args:
            values: (..., time).
        """
        known = values[np.isfinite(values) & (values != 0)]
        if not known.size:
            raise DataError("all samples are 0 or not finite: there is nothing to look at")
        places = (100 - self.percentile, 50.0, self.percentile)
        percentiles = {f"{p:g}": float(v) for p, v in zip(places, np.percentile(known, places), strict=True)}
        return self.of(percentiles, _rms_by_window(values) if self.equal_depths else ())


def _rms_by_window(values: Array, n_windows: int = 16) -> list[float]:
    parts = np.array_split(np.nan_to_num(values), n_windows, axis=-1)
    return [float(np.sqrt(np.mean(part[part != 0] ** 2))) if np.any(part != 0) else float("nan") for part in parts]


@dataclass(frozen=True, slots=True)
class Scaling:
    """Scales any part of one survey alike."""

    shift: float
    """Amplitude that becomes 0: the survey's median, an offset that it should not have."""
    gain: float
    levels: tuple[float, ...]
    """RMS of equal windows along the trace over the usual one; (1,) where depths are not treated apart."""
    clip: float | None

    def __call__(self, values: Array, *, first: int = 0, n_time: int | None = None) -> Array:
        """Return scaled samples, float32.

        Args:
            values: (..., time); samples that are exactly 0 were never recorded, and stay 0. What is not finite comes
                out as NaN, also where it is infinite: it has no amplitude that could be clipped.
            first: index along the trace of the first sample.
            n_time: samples of a whole trace; by default `values` has whole traces.
        """
        values = np.asarray(values, dtype=np.float32)
        gain = self._gains(first, values.shape[-1], n_time or values.shape[-1])
        values = np.where(np.isfinite(values), values, np.float32(np.nan))
        with np.errstate(over="ignore"):  # spikes near the end of float32
            scaled = np.where(values == 0, np.float32(0), (values - np.float32(self.shift)) * gain)
        return scaled if self.clip is None else np.clip(scaled, -self.clip, self.clip)

    def _gains(self, first: int, n: int, n_time: int) -> Array:
        """Return the gain at each sample, float32 (n,): levels belong to the middles of their windows."""
        middles = (np.arange(len(self.levels)) + 0.5) * n_time / len(self.levels)
        level = np.interp(first + np.arange(n) + 0.5, middles, self.levels)
        return np.asarray(self.gain / level, dtype=np.float32)
