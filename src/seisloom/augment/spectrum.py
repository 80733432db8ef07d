"""Changing dispersion spectra, panels of energy over phase velocity and frequency: curves move with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from seisloom.augment.augmentation import Augmentation, Draws, Kind
from seisloom.augment.batch import Batch
from seisloom.augment.labels import coordinate
from seisloom.augment.masks import draw_bands, in_bands
from seisloom.augment.noise import make_noise, with_snr
from seisloom.augment.resample import warp_axis
from seisloom.augment.time import draw_waves, log_uniform, warped_places


class SpectrumNoise(Augmentation):
    """Add noise to a panel, smooth along velocity as that of a slant stack is."""

    kind: ClassVar[Kind] = "spectrum"
    name: str = "spectrum_noise"
    snr_min: float = 10.0
    """Least signal-to-noise ratio in dB, of the mean squares of panel and noise, reached exactly."""
    snr_max: float = 30.0
    """Largest ratio in dB."""
    max_smooth: int = Field(9, ge=1)
    """Longest moving average along velocity, in bins; 1 keeps the noise white."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return `snr_db`, `n_smooth` and `noise_key`, (item,)."""
        return {
            "snr_db": np.array([row.uniform(self.snr_min, self.snr_max) for row in rows]),
            "n_smooth": np.array([row.integers(1, self.max_smooth + 1) for row in rows]),
            "noise_key": np.array([row.integers(0, 2**62) for row in rows]),
        }

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with noise added to `x`."""
        along = _last(batch, "velocity")
        made = zip(draws["noise_key"], draws["n_smooth"], strict=True)
        noise = torch.stack([make_noise(key, k, along[0]) for key, k in made])
        x = with_snr(along, noise, draws["snr_db"])
        return batch.with_arrays(x=x.movedim(-1, batch.axis("x", "velocity")).contiguous())


class ArrayNoise(Augmentation):
    """Smear a panel along velocity as a short or sparse array does, side lobes included.

    At a frequency f each velocity c spreads to c' by the array's response to the wavenumber difference
    dk = 2 pi f (1 / c' - 1 / c): |sin(n dx dk / 2) / (n sin(dx dk / 2))| for n receivers at a distance dx. The largest
    value of each frequency stays. Needs `velocity_m_s` and `frequency_hz`. Curves stay.

    Source: Johnson & Dudgeon (1993), Array Signal Processing, section 3.3.
    """

    kind: ClassVar[Kind] = "spectrum"
    name: str = "array_noise"
    low_m: float = Field(20.0, gt=0)
    """Shortest array in m."""
    high_m: float = Field(100.0, gt=0)
    """Longest array in m."""
    n_receivers: int = Field(24, ge=2)
    """Receivers of the array."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return `length_m` (item,), log-uniform."""
        return {"length_m": log_uniform(self.low_m, self.high_m, rows)}

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with smeared `x`."""
        velocity, frequency = coordinate(batch, "velocity"), coordinate(batch, "frequency")
        if velocity is None or frequency is None:
            raise ValueError(
                "augment.array_noise: the batch must have velocity_m_s and frequency_hz; leave it out here"
            )
        panel = _last(batch, "velocity")
        inner = [axis for axis in batch.schema["x"].axes if axis != "velocity"]
        panel = panel.movedim(inner.index("frequency") + 1, -2)
        found = []
        for one, c, f, length_m in zip(panel, velocity, frequency, draws["length_m"], strict=True):
            response = array_response(c, f, float(length_m), self.n_receivers).to(one.dtype)
            smeared = torch.einsum("...fc,fcd->...fd", one, response)
            largest, now = (values.abs().amax(dim=-1, keepdim=True) for values in (one, smeared))
            found.append(smeared * torch.where(now > 0, largest / torch.where(now > 0, now, 1.0), 0.0))
        x = torch.stack(found).movedim(-2, inner.index("frequency") + 1)
        return batch.with_arrays(x=x.movedim(-1, batch.axis("x", "velocity")).contiguous())


def array_response(velocity_m_s: Tensor, frequency_hz: Tensor, length_m: float, n_receivers: int) -> Tensor:
    """Return how much of a wave with velocity c an even line array shows at c', (frequency, c, c'), 1 where c' = c.

    Args:
        velocity_m_s: (velocity,), above 0.
        frequency_hz: (frequency,).
        length_m: from the first receiver to the last.
        n_receivers: 2 at least.
    """
    slowness = 1.0 / velocity_m_s.double()
    turns = frequency_hz.double()[:, None, None] * (slowness[None, None] - slowness[None, :, None])
    half = torch.pi * turns * length_m / (n_receivers - 1)  # dx dk / 2
    below = n_receivers * half.sin()
    together = below.abs() < 1e-9  # dk = 0, or a whole alias of it
    return torch.where(together, 1.0, (n_receivers * half).sin() / torch.where(together, 1.0, below)).abs()


class Occlusion(Augmentation):
    """Take bands of frequencies away, as a source or a notch does; curves go on behind them."""

    kind: ClassVar[Kind] = "spectrum"
    name: str = "occlusion"
    n_bands: int = Field(1, ge=1)
    """Bands."""
    share: float = Field(0.2, gt=0, lt=1)
    """Widest band as a share of the axis; a tenth of it at least."""
    keep: float = Field(0.2, ge=0, lt=1)
    """Largest factor on what is left in a band."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return `first` and `stop` in bins, (item, band), and `factor` (item,)."""
        first, stop = draw_bands(lengths["frequency"], self.share, self.n_bands, rows)
        return {"first": first, "stop": stop, "factor": np.array([row.uniform(0, self.keep) for row in rows])}

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with weak bands in `x`."""
        x = batch.arrays["x"]
        factor = torch.as_tensor(draws["factor"], dtype=x.dtype, device=x.device).reshape(-1, *[1] * (x.ndim - 1))
        return batch.with_arrays(
            x=torch.where(in_bands(draws["first"], draws["stop"], batch, "frequency"), x * factor, x)
        )


class AxisWarp(Augmentation):
    """Stretch the velocity or the frequency axis smoothly; curves and masks move with the panel.

    Bin j shows the place j + d(j), d a sum of a few sines; both ends stay. The map is not affine, so it is not
    composed with others: what waits before it is resampled first.
    """

    kind: ClassVar[Kind] = "spectrum"
    name: str = "axis_warp"
    axes: tuple[str, ...] = Field(("velocity", "frequency"), min_length=1)
    """Axes that are warped, each by a map of its own."""
    strength: float = Field(0.1, gt=0, le=0.5)
    """Largest change of distances along an axis: 0.1 presses and stretches by up to 10 %."""
    n_waves: int = Field(2, ge=1)
    """Half-waves of the fastest sine over an axis."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return by axis `wave_<axis>` (item, n_waves), amplitudes in shares of the axis."""
        return {f"wave_{axis}": draw_waves(self.strength, self.n_waves, rows) for axis in self.axes}

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the warped batch."""
        for axis in self.axes:
            if axis not in batch.lengths():
                raise ValueError(f"augment.axis_warp: no axis {axis!r}; there are {', '.join(batch.lengths())}")
            batch = warp_axis(batch, axis, warped_places(draws[f"wave_{axis}"], batch.lengths()[axis]))
        return batch


def _last(batch: Batch, axis: str) -> Tensor:
    """Return `x` with an axis moved to the end."""
    return batch.arrays["x"].movedim(batch.axis("x", axis), -1)
