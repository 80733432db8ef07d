"""The steps of a recipe's `prepare:`; each is one of this folder's functions with its parameters."""

from __future__ import annotations

from pydantic import Field

from seisloom.config import Preparation
from seisloom.sample import Sample
from seisloom.signal.features import seed_features
from seisloom.signal.filters import bandpass
from seisloom.signal.scaling import robust_scale


class RobustScale(Preparation):
    """Bring each trace to one scale; see `seisloom.signal.scaling.robust_scale`."""

    name: str = "robust_scale"
    percentile: float = Field(99.0, gt=0, le=100)
    """Percentile of the absolute amplitude that becomes 1."""
    clip: float | None = Field(100.0, gt=0)
    """Largest absolute value of the result; null does not clip."""

    def __call__(self, sample: Sample) -> Sample:
        """Return the sample with `x` scaled along time."""
        return sample.with_arrays(x=robust_scale(sample.arrays["x"], percentile=self.percentile, clip=self.clip))


class Bandpass(Preparation):
    """Keep a band of frequencies; see `seisloom.signal.filters.bandpass`."""

    name: str = "bandpass"
    low_hz: float | None = Field(None, gt=0)
    """Lower corner in Hz; null keeps all below."""
    high_hz: float | None = Field(None, gt=0)
    """Upper corner in Hz; null keeps all above."""
    order: int = Field(2, ge=1)
    """Order of the Butterworth filter, run once each way if zero_phase."""
    zero_phase: bool = False
    """Whether the filter runs both ways: no delay, but energy ahead of the onset, which makes picks early."""

    def __call__(self, sample: Sample) -> Sample:
        """Return the sample with `x` filtered along time."""
        filtered = bandpass(
            sample.arrays["x"], fs_hz=float(sample.arrays["fs"]), low_hz=self.low_hz, high_hz=self.high_hz,
            order=self.order, zero_phase=self.zero_phase,
        )  # fmt: skip
        return sample.with_arrays(x=filtered)


class SeedFeatures(Preparation):
    """Seven channels in place of one: band-passed trace, STA/LTA stacks, envelopes, deviation, contrast."""

    name: str = "seed_features"

    def __call__(self, sample: Sample) -> Sample:
        """Return the sample whose first channel became the seven of `seisloom.signal.features.seed_features`."""
        features = seed_features(sample.arrays["x"][..., 0, :], fs_hz=float(sample.arrays["fs"]))
        return sample.with_arrays(x=features)
