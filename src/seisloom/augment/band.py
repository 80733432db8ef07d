"""Limiting the frequency band of records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from pydantic import Field, model_validator

from seisloom.augment.augmentation import Augmentation, Draws
from seisloom.augment.batch import Batch
from seisloom.augment.time import fs_hz, log_uniform
from seisloom.sample import Array


class Bandlimit(Augmentation):
    """Keep a drawn band of frequencies (Butterworth), as another instrument or a preparation would.

    Zero phase by default, forward and backward: picks stay where they are, but an onset gets a forerunner. Forward only
    delays, as an instrument does, and the pick stays at the arrival.
    """

    name: str = "bandlimit"
    low_hz: tuple[float, float] | None = (1.0, 5.0)
    """Range of the lower corner in Hz; null leaves that side open."""
    high_hz: tuple[float, float] | None = (40.0, 200.0)
    """Range of the upper corner in Hz; one above 0.9 of the Nyquist frequency leaves that side open; null too."""
    order: int = Field(2, ge=1, le=8)
    """Order of the filter a pass and side."""
    zero_phase: bool = True
    """Whether it runs forward and backward."""

    @model_validator(mode="after")
    def _in_order(self) -> Bandlimit:
        if self.low_hz is None and self.high_hz is None:
            raise ValueError("needs low_hz, high_hz or both")
        for name in ("low_hz", "high_hz"):
            corners = getattr(self, name)
            if corners is not None and not 0 < corners[0] <= corners[1]:
                raise ValueError(f"{name} {list(corners)} must rise from above 0")
        if self.low_hz is not None and self.high_hz is not None and self.low_hz[1] >= self.high_hz[0]:
            raise ValueError(f"low_hz up to {self.low_hz[1]:g} must lie below high_hz from {self.high_hz[0]:g}")
        return self

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return the corners `low_hz` and `high_hz` (item,), log-uniform."""
        sides = {"low_hz": self.low_hz, "high_hz": self.high_hz}
        return {name: log_uniform(*corners, rows) for name, corners in sides.items() if corners is not None}

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with filtered `x`; zeros are taken to follow the record."""
        x = batch.arrays["x"]
        n_time = x.shape[-1]
        n_padded = 2 * n_time
        cycles = np.arange(n_padded // 2 + 1) / n_padded
        response = np.ones((len(batch), len(cycles)), dtype=complex)
        for side, corner_hz in draws.items():
            corner = corner_hz / fs_hz(batch)
            part = butterworth(cycles, np.minimum(corner, 0.45), order=self.order, high_pass=side == "low_hz")
            if side == "low_hz" and (corner >= 0.45).any():
                raise ValueError(
                    f"augment.bandlimit: low_hz {corner_hz.max():.3g} does not fit a rate of {fs_hz(batch).min():g} Hz"
                )
            response *= np.where((corner < 0.45)[:, None], part, 1.0)
        if self.zero_phase:
            response = np.abs(response) ** 2 + 0j
        gain = torch.as_tensor(response.astype(np.complex64), device=x.device)
        gain = gain.reshape(len(x), *[1] * (x.ndim - 2), -1)
        spectrum = torch.fft.rfft(x.float(), n=n_padded)
        return batch.with_arrays(x=torch.fft.irfft(spectrum * gain, n=n_padded)[..., :n_time].to(x.dtype))


def butterworth(cycles: Array, corner: Array, *, order: int, high_pass: bool) -> Array:
    """Return the response of a digital Butterworth filter (bilinear transform), complex (item, frequency).

    Args:
        cycles: frequencies in cycles a sample, (frequency,), 0 to 0.5.
        corner: -3 dB corners in cycles a sample, (item,), below 0.5.
        order: number of poles.
        high_pass: which side is kept.
    """
    with np.errstate(divide="ignore"):
        s = 1j * np.tan(np.pi * np.minimum(cycles, 0.5 - 1e-12)) / np.tan(np.pi * corner)[:, None]
        s = np.where(s == 0, 1e-30j, s)
        s = 1 / s if high_pass else s
    poles = np.exp(1j * np.pi * (2 * np.arange(1, order + 1) + order - 1) / (2 * order))
    return np.asarray(np.prod(1 / (s[..., None] - poles), axis=-1) * np.prod(-poles))
