"""Changing amplitudes: gain, polarity, clipping. Labels stay where they are; a polarity turns with its trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor

from seisloom.augment.augmentation import Augmentation, Draws
from seisloom.augment.batch import Batch
from seisloom.sample import Array


class Gain(Augmentation):
    """Multiply each trace by its own factor."""

    in_order: ClassVar[tuple[str, ...]] = ("spread",)
    name: str = "gain"
    spread: float = Field(0.3, ge=0)
    """Standard deviation of the factor's natural logarithm."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return `factor` (item, trace)."""
        n = lengths.get("trace", 1)
        return {"factor": np.exp(self.spread * np.stack([row.standard_normal(n) for row in rows]))}

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with scaled `x`, and labels of its amplitudes."""
        return batch.with_arrays(**_times_per_trace(batch, draws["factor"]))


class PolarityFlip(Augmentation):
    """Turn a whole gather upside down, and single traces of it against their neighbours.

    A field `polarity`, 1 up, -1 down, 0 unknown, of a sample or of each trace, is negated with them. The magnitude of
    the Fourier transform of a trace stays as it is: before such a transform this does nothing.
    """

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
        """Return the batch with `x`, and labels of its amplitudes, flipped."""
        changes = _times_per_trace(batch, draws["sign"])
        if "polarity" in batch.arrays:
            polarity = batch.arrays["polarity"]
            sign = draws["sign"] if "trace" in batch.schema["polarity"].axes else draws["sign"][:, 0]
            changes["polarity"] = polarity * as_rows(sign, polarity)
        return batch.with_arrays(**changes)


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


class AmplitudeScale(Augmentation):
    """Multiply a whole sample by one factor, so that its channels and traces keep their ratios."""

    in_order: ClassVar[tuple[str, ...]] = ("low", "high")
    name: str = "amplitude_scale"
    low: float = Field(0.9, gt=0)
    """Least factor."""
    high: float = Field(1.1, gt=0)
    """Largest factor."""

    @model_validator(mode="after")
    def _in_order(self) -> AmplitudeScale:
        if self.low > self.high:
            raise ValueError(f"low {self.low:g} must not be above high {self.high:g}")
        return self

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return `factor` (item,), uniform in [low, high]."""
        return {"factor": np.array([row.uniform(self.low, self.high) for row in rows])}

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with scaled `x`, and labels of its amplitudes."""
        arrays = {name: batch.arrays[name] for name in batch.of_amplitude()}
        return batch.with_arrays(**{name: one * as_rows(draws["factor"], one) for name, one in arrays.items()})

    def change_rows(self, x: Array, rows: Array, draws: Draws) -> bool:
        """Scale rows of `x`."""
        for row, factor in zip(rows, draws["factor"].astype(np.float32), strict=True):
            x[row] *= factor
        return True


def as_rows(values: Array, like: Tensor) -> Tensor:
    """Return values (item, ...) as a tensor that broadcasts over `like` from the left."""
    tensor = torch.as_tensor(np.asarray(values), dtype=like.dtype, device=like.device)
    return tensor.reshape(*tensor.shape, *[1] * (like.ndim - tensor.ndim))


def _times_per_trace(batch: Batch, factor: Array) -> dict[str, Tensor]:
    """Return `x`, and labels of its amplitudes, times a factor (item, trace)."""
    return {name: batch.arrays[name] * per_trace(batch, factor, name) for name in batch.of_amplitude()}


def per_trace(batch: Batch, values: Array, name: str = "x") -> Tensor:
    """Return values (item, trace) as a factor of a field; for samples without a trace axis the first one of each."""
    x = batch.arrays[name]
    if "trace" not in batch.schema[name].axes:
        return as_rows(values[:, 0], x)
    shape = [len(values), *[1] * (x.ndim - 1)]
    shape[batch.axis(name, "trace")] = values.shape[1]
    return torch.as_tensor(np.asarray(values), dtype=x.dtype, device=x.device).reshape(shape)
