"""Losses of curves over frequency: where each mode is, and whether it is to be seen.

All take a batch with `curves` (item, mode, frequency) in m/s, NaN where a mode does not exist, `visible` of that shape,
1 where it is in the window, excited and heard, and `velocity_m_s` (item, velocity) at equal ratios.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from seisloom.config import LossTerm


def mode_weights(batch: Mapping[str, Tensor], hidden: float) -> Tensor:
    """Return 1 where a mode is visible, `hidden` where it exists in the window all the same, 0 elsewhere."""
    curves, velocity = batch["curves"], batch["velocity_m_s"]
    inside = (curves >= velocity[:, :1, None]) & (curves <= velocity[:, -1:, None])
    return torch.where(batch["visible"] > 0, 1.0, hidden) * inside


def balanced(weight: Tensor, balance: float) -> Tensor:
    """Return weights (item, mode, frequency) that a mode's share in all of them, to the power `balance`, divides.

    0 leaves them, 1 makes modes count alike: the higher ones are seen at fewer frequencies. The sum stays.
    """
    by_mode = weight.sum(dim=(0, 2), keepdim=True)
    total = by_mode.sum()
    factor = torch.where(by_mode > 0, (total / by_mode.clamp(min=1e-6)) ** balance, torch.zeros_like(by_mode))
    return weight * factor * (total / (by_mode * factor).sum().clamp(min=1e-6))


def weighted_mean(values: Tensor, weight: Tensor) -> Tensor:
    """Return the mean of values where the weight is above 0; 0, with a gradient, where it is nowhere."""
    kept = torch.where(weight > 0, values, torch.zeros_like(values))
    return (kept * weight).sum() / weight.sum().clamp(min=1.0)


class CurveDistribution(LossTerm):
    """Cross-entropy between a mode's distribution over velocity and a narrow one around its curve."""

    name: str = "curve_distribution"
    width: float = Field(0.012, gt=0)
    """Standard deviation of the narrow one, as a share of the velocity."""
    hidden: float = Field(0.1, ge=0, le=1)
    """Weight of a mode that exists and is hardly excited: it can be told from the others alone."""
    balance: float = Field(0.0, ge=0, le=1)
    """How far modes count alike: 0 for each point alike, 1 for each mode alike, however few points it has."""

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the cross-entropy of the output `logit` (item, mode, frequency, velocity), in nats."""
        logit, velocity = outputs["logit"], batch["velocity_m_s"]
        weight = balanced(mode_weights(batch, self.hidden), self.balance)
        curve = torch.where(weight > 0, batch["curves"], velocity[:, :1, None])
        distance = (velocity.log()[:, None, None] - curve.log()[..., None]) / self.width
        wanted = torch.softmax(-0.5 * distance.square(), dim=-1)
        entropy = -(wanted * torch.log_softmax(logit, dim=-1)).sum(dim=-1)
        return weighted_mean(entropy, weight)


class CurveError(LossTerm):
    """Absolute error of ln velocity, up to a limit: a far miss is the distribution's to mend, not a shift's."""

    name: str = "curve_error"
    unit: float = Field(0.02, gt=0)
    """Relative error that counts as 1."""
    limit: float = Field(0.1, gt=0)
    """Relative error from which on the term is flat."""
    balance: float = Field(0.0, ge=0, le=1)
    """As of `curve_distribution`."""

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the mean of min(|ln velocity - ln curve|, limit) / unit over visible modes."""
        weight = balanced(mode_weights(batch, 0.0), self.balance)
        curve = torch.where(weight > 0, batch["curves"], outputs["velocity"].detach())
        error = (outputs["velocity"].log() - curve.log()).abs()
        return weighted_mean(error.clamp(max=self.limit) / self.unit, weight)


class CurvePresence(LossTerm):
    """Whether a mode is to be seen at a frequency."""

    name: str = "curve_presence"

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the binary cross-entropy of the output `presence` (item, mode, frequency), in nats."""
        wanted = (batch["visible"] > 0).to(outputs["presence"].dtype)
        return functional.binary_cross_entropy_with_logits(outputs["presence"], wanted)
