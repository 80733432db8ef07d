"""Losses of an onset on a time axis: where it is, how sure that is, and whether there is one.

All take what a gather network returns, and a batch with `y_idx` (item, trace) in samples and `has_pick` (item, trace):
1 picked, 0 no onset, -1 nobody knows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from seisloom.config import LossTerm


def mean_where(values: Tensor, where: Tensor) -> Tensor:
    """Return the mean of the values where asked; 0, with a gradient, where nothing is."""
    chosen = torch.where(where, values, torch.zeros_like(values))
    return chosen.sum() / where.sum().clamp(min=1)


def picked(batch: Mapping[str, Tensor]) -> Tensor:
    """Return where a trace has a pick, shape (item, trace)."""
    return batch["has_pick"] == 1


class OnsetDistribution(LossTerm):
    """Cross-entropy between the network's distribution over time and a narrow one around the pick."""

    name: str = "onset_distribution"
    width_s: float = Field(0.0015, gt=0)
    """Standard deviation of the narrow one in s: about what human picks err by."""

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the cross-entropy of the output `logit` (item, trace, time), in nats."""
        logit = outputs["logit"]
        distance = samples_from_pick(logit, batch) / (self.width_s * batch["fs"].reshape(-1, 1, 1))
        wanted = torch.softmax(-0.5 * distance.square(), dim=-1)
        return mean_where(-(wanted * torch.log_softmax(logit, dim=-1)).sum(dim=-1), picked(batch))


class BeforeAfter(LossTerm):
    """Whether each sample lies before or after the onset: the whole trace teaches, not its onset alone."""

    name: str = "before_after"
    width_s: float = Field(0.0015, gt=0)
    """Time in s over which before turns into after."""

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the binary cross-entropy of the output `after` (item, trace, time), in nats."""
        distance = samples_from_pick(outputs["after"], batch) / (self.width_s * batch["fs"].reshape(-1, 1, 1))
        wanted = torch.sigmoid(2 * distance)
        entropy = functional.binary_cross_entropy_with_logits(outputs["after"], wanted, reduction="none")
        return mean_where(entropy.mean(dim=-1), picked(batch))


class OnsetError(LossTerm):
    """Absolute error of the onset, up to a limit: a far miss is the distribution's to mend, not a shift's."""

    name: str = "onset_error"
    unit_s: float = Field(0.00125, gt=0)
    """Error in s that counts as 1."""
    limit_s: float = Field(0.01, gt=0)
    """Error in s from which on the term is flat."""

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the mean of min(|mean - pick|, limit) / unit."""
        error_s = (outputs["mean"] - batch["y_idx"]).abs() / batch["fs"].reshape(-1, 1)
        return mean_where(error_s.clamp(max=self.limit_s) / self.unit_s, picked(batch))


class OnsetNLL(LossTerm):
    """Negative log-likelihood of the pick under the predicted mean and spread.

    A spread that may grow on hard cases starves their mean of gradient (Seitzer et al. 2022, ICLR, arXiv 2203.09168).
    Two remedies: `beta` scales each sample's term by sigma^(2 beta), their equation 5, for both densities; and
    `detach_mean` lets this term teach the spread alone, the mean being taught by other terms.
    """

    name: str = "onset_nll"
    density: Literal["gaussian", "laplace"] = "laplace"
    """Shape of the errors: picks have heavier tails than a Gaussian."""
    beta: float = Field(0.5, ge=0, le=1)
    """0 is the plain likelihood, 1 the plain squared error for the mean."""
    detach_mean: bool = True
    """Whether the mean gets no gradient from this term."""

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the negative log-likelihood in nats; sigma is the standard deviation for both densities."""
        mean, log_sigma = outputs["mean"], outputs["log_sigma"]
        error = batch["y_idx"] - (mean.detach() if self.detach_mean else mean)
        z = error.abs() / log_sigma.exp()
        if self.density == "laplace":
            # Scale of a Laplace density is sigma / sqrt(2)
            nll = log_sigma + 0.5 * math.log(2) + math.sqrt(2) * z
        else:
            nll = log_sigma + 0.5 * math.log(2 * math.pi) + 0.5 * z.square()
        if self.beta and not self.detach_mean:
            nll = nll * (2 * self.beta * log_sigma).exp().detach()
        return mean_where(nll, picked(batch))


class Presence(LossTerm):
    """Whether the window has an onset, where that is known."""

    name: str = "presence"

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the binary cross-entropy of the output `presence` (item, trace), in nats."""
        wanted = (batch["has_pick"] == 1).to(outputs["presence"].dtype)
        entropy = functional.binary_cross_entropy_with_logits(outputs["presence"], wanted, reduction="none")
        return mean_where(entropy, batch["has_pick"] >= 0)


def samples_from_pick(like: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
    """Return how many samples each sample lies after the pick, shape (item, trace, time)."""
    place = torch.arange(like.shape[-1], device=like.device, dtype=like.dtype)
    return place - batch["y_idx"][..., None]
