"""Changing amplitudes: gain, polarity, clipping, noise. Labels stay where they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from seisloom.augment.augmentation import Augmentation, Draws
from seisloom.augment.batch import Batch
from seisloom.sample import Array


class Gain(Augmentation):
    """Multiply each trace by its own factor."""

    name: str = "gain"
    spread: float = Field(0.3, ge=0)
    """Standard deviation of the factor's natural logarithm."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return `factor` (item, trace)."""
        n = lengths.get("trace", 1)
        return {"factor": np.exp(self.spread * np.stack([row.standard_normal(n) for row in rows]))}

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with scaled `x`."""
        return batch.with_arrays(x=batch.arrays["x"] * per_trace(batch, draws["factor"]))


class PolarityFlip(Augmentation):
    """Turn a whole gather upside down, and single traces of it against their neighbours."""

    name: str = "polarity_flip"
    gather: float = Field(0.5, ge=0, le=1)
    """Probability that all traces of a sample are flipped together."""
    trace: float = Field(0.03, ge=0, le=1)
    """Probability that a single trace is flipped."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return `sign` (item, trace), 1 or -1."""
        n = lengths.get("trace", 1)
        whole = np.array([1.0 if row.random() >= self.gather else -1.0 for row in rows])
        single = np.stack([np.where(row.random(n) >= self.trace, 1.0, -1.0) for row in rows])
        return {"sign": whole[:, None] * single}

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with `x` flipped."""
        return batch.with_arrays(x=batch.arrays["x"] * per_trace(batch, draws["sign"]))


class Clip(Augmentation):
    """Clip amplitudes as a recorder that is set too high does."""

    name: str = "clip"
    low: float = Field(1.5, gt=0)
    """Least clipping amplitude, in units of `x`."""
    high: float = Field(16.0, gt=0)
    """Largest clipping amplitude."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return `limit` (item,), log-uniform."""
        return {"limit": np.exp([row.uniform(np.log(self.low), np.log(self.high)) for row in rows])}

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with `x` clipped."""
        x = batch.arrays["x"]
        limit = as_rows(draws["limit"], x)
        return batch.with_arrays(x=torch.minimum(torch.maximum(x, -limit), limit))


class AddNoise(Augmentation):
    """Add Gaussian noise, white or reddened by a moving average, of its own level on each trace."""

    name: str = "add_noise"
    low_db: float = -70.0
    """Least level in dB relative to x = 1."""
    high_db: float = -14.0
    """Largest level in dB."""
    spread_db: float = Field(6.0, ge=0)
    """Standard deviation of the level between the traces of a sample, in dB."""
    max_smooth: int = Field(11, ge=1)
    """Longest moving average in samples; 1 keeps the noise white."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return `level` (item, trace), `n_smooth` (item,) and `noise_key` (item,), from which the noise is made."""
        n = lengths.get("trace", 1)
        level_db = np.stack(
            [row.uniform(self.low_db, self.high_db) + self.spread_db * row.standard_normal(n) for row in rows]
        )
        return {
            "level": 10 ** (level_db / 20),
            "n_smooth": np.array([row.integers(1, self.max_smooth + 1) for row in rows]),
            "noise_key": np.array([row.integers(0, 2**62) for row in rows]),
        }

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with noise added to `x`; bit-equal on a CPU for any batching."""
        x = batch.arrays["x"]
        noise = torch.stack(
            [_noise(key, k, x[0]) for key, k in zip(draws["noise_key"], draws["n_smooth"], strict=True)]
        )
        return batch.with_arrays(x=x + noise * per_trace(batch, draws["level"]))


def _noise(key: int, n_smooth: int, like: Tensor) -> Tensor:
    """Return noise of unit deviation for one sample, from its own key."""
    device = torch.Generator(device=like.device)
    device.manual_seed(int(key))
    shape = (*like.shape[:-1], like.shape[-1] + int(n_smooth) - 1)
    white = torch.randn(shape, generator=device, device=like.device, dtype=like.dtype)
    if n_smooth == 1:
        return white
    flat = white.reshape(-1, 1, shape[-1])
    smooth = torch.nn.functional.avg_pool1d(flat, int(n_smooth), stride=1) * float(n_smooth) ** 0.5
    shaped: Tensor = smooth.reshape(like.shape)
    return shaped


def as_rows(values: Array, like: Tensor) -> Tensor:
    """Return values (item, ...) as a tensor that broadcasts over `like` from the left."""
    tensor = torch.as_tensor(np.asarray(values), dtype=like.dtype, device=like.device)
    return tensor.reshape(*tensor.shape, *[1] * (like.ndim - tensor.ndim))


def per_trace(batch: Batch, values: Array) -> Tensor:
    """Return values (item, trace) as a factor of `x`; for samples without a trace axis the first one of each."""
    x = batch.arrays["x"]
    return as_rows(values if "trace" in batch.schema["x"].axes else values[:, 0], x)
