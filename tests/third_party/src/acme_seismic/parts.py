"""A small network, the hum of a power line, and the bias of picks: built on what seisloom documents, no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torchmetrics import MeanMetric, Metric

from seisloom.augment.augmentation import Augmentation, Draws
from seisloom.augment.batch import Batch
from seisloom.config import MetricConfig, ModelConfig
from seisloom.sample import Schema


class AcmeNet(ModelConfig):
    """Two convolutions along time on each trace by itself."""

    name: str = "acme_net"
    width: int = Field(8, ge=1)
    """Channels between the two."""

    def build(self, schema: Schema) -> nn.Module:
        """Return the network."""
        return _Net(self.width)


class _Net(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.along = nn.Sequential(nn.Conv1d(1, width, 15, padding=7), nn.GELU(), nn.Conv1d(width, 2, 15, padding=7))
        self.spread = nn.Parameter(torch.tensor(1.0))

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        x = batch["x"][:, :, :1]
        logit, after = self.along(torch.asinh(x.flatten(0, 1))).reshape(*x.shape[:2], 2, -1).unbind(2)
        weight = torch.softmax(logit, dim=-1)
        mean = (weight * torch.arange(x.shape[-1], device=x.device)).sum(dim=-1)
        log_sigma = self.spread.expand_as(mean)
        return {"mean": mean, "log_sigma": log_sigma, "presence": logit.amax(dim=-1), "logit": logit, "after": after}


class Hum(Augmentation):
    """Add the hum of a power line, of one level and phase a gather."""

    name: str = "acme_hum"
    hz: float = Field(50.0, gt=0)
    """Frequency of the line in Hz."""
    level: float = Field(0.5, ge=0)
    """Largest amplitude."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return `level` and `phase`, both (item,)."""
        return {
            "level": np.array([row.uniform(0, self.level) for row in rows]),
            "phase": np.array([row.uniform(0, 2 * np.pi) for row in rows]),
        }

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with the hum added to `x`."""
        x = batch.arrays["x"]
        shape = (-1, *[1] * (x.ndim - 1))
        level, phase = (torch.as_tensor(draws[name], dtype=x.dtype).reshape(shape) for name in ("level", "phase"))
        turns = self.hz * torch.arange(x.shape[-1], dtype=x.dtype) / batch.arrays["fs"].reshape(shape)
        return batch.with_arrays(x=x + level * torch.sin(2 * torch.pi * turns + phase))


class Bias(MetricConfig):
    """Mean error of picks in s, with its sign."""

    name: str = "acme_bias_s"

    def build(self) -> Metric:
        """Return the metric."""
        return _Bias()


class _Bias(MeanMetric):
    def update(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> None:  # type: ignore[override]
        error_s = (outputs["mean"] - batch["y_idx"]) / batch["fs"].reshape(-1, 1)
        picked = batch["has_pick"] == 1
        if bool(picked.any()):
            super().update(error_s[picked])
