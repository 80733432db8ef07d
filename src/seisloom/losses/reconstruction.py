"""How far restored gathers are from the truth, with weights of their own for made and for kept traces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor

from seisloom.config import LossTerm


class Reconstruction(LossTerm):
    """Mean error of samples where the truth is known: of dead traces, which are made, and of live ones."""

    name: str = "reconstruction"
    output: str = "clean"
    """Name of the output and of its truth."""
    kind: Literal["l1", "l2", "charbonnier"] = "charbonnier"
    """|e|; e^2; or sqrt(e^2 + epsilon^2) - epsilon, which is e^2 / (2 epsilon) for small errors and |e| for large ones:
    Charbonnier et al. (1994), ICIP, 168-172."""
    epsilon: float = Field(0.01, gt=0)
    """Where charbonnier turns from squares to absolute values, as a share of the RMS of a gather (x has RMS 1)."""
    missing: float = Field(1.0, ge=0)
    """Weight of a sample of a trace that is to be made (live 0)."""
    kept: float = Field(1.0, ge=0)
    """Weight of a sample of a trace that is given (live 1): 0 where these come back as they were, above 0 where noise
    is to be taken off, or to hold on to what was observed."""

    @model_validator(mode="after")
    def _some(self) -> Reconstruction:
        if self.missing == self.kept == 0:
            raise ValueError("missing and kept are both 0: nothing would count")
        return self

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the weighted mean over known samples; 0, with a gradient, where none counts.

        Args:
            outputs: `clean` (item, line, trace, time).
            batch: `clean` of that shape; `live` and `known` (item, line, trace), 1 or 0; without `known` all is.
        """
        truth = batch[self.output]
        weight = torch.where(batch["live"] > 0, self.kept, self.missing).to(truth)
        if "known" in batch:
            weight = weight * (batch["known"] > 0)
        weight = weight[..., None].expand_as(truth)
        # What nobody knows may be NaN: it must go before it meets the output
        error = outputs[self.output].to(truth.dtype) - torch.where(weight > 0, truth, torch.zeros_like(truth))
        size = self._size(torch.where(weight > 0, error, torch.zeros_like(error)))
        total = weight.sum()
        return (weight * size).sum() / torch.where(total > 0, total, torch.ones_like(total))

    def _size(self, error: Tensor) -> Tensor:
        if self.kind == "l1":
            return error.abs()
        if self.kind == "l2":
            return error.square()
        return (error.square() + self.epsilon**2).sqrt() - self.epsilon
