"""Onset errors while training: torchmetrics that add up over batches and processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from seisloom.metrics.picks import ROUNDING_S

OnsetError = Callable[[Mapping[str, Tensor], Mapping[str, Tensor]], Tensor]
"""From outputs and batch to predicted minus true onset in s, any shape; NaN where the batch has no onset."""


class HitRate(Metric):
    """Share of onsets with |error| <= tolerance."""

    higher_is_better = True
    full_state_update = False
    n_hits: Tensor
    n_onsets: Tensor

    def __init__(self, tolerance_s: float, onset_error: OnsetError, **settings: Any) -> None:  # Any: torchmetrics' own
        """Count with this tolerance in s; `onset_error` knows the names in the room's outputs and batch."""
        super().__init__(**settings)
        self.tolerance_s, self.onset_error = tolerance_s, onset_error
        self.add_state("n_hits", torch.tensor(0), dist_reduce_fx="sum")
        self.add_state("n_onsets", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> None:
        """Count the onsets of a batch; a non-finite prediction must come as inf, it then is a miss."""
        error = self.onset_error(outputs, batch)
        self.n_hits += (error.abs() <= self.tolerance_s + ROUNDING_S).sum()
        self.n_onsets += (~error.isnan()).sum()

    def compute(self) -> Tensor:
        """Return the share, NaN before any onset was seen."""
        return self.n_hits / self.n_onsets


class OnsetMAE(Metric):
    """Mean |error| of onsets in s."""

    higher_is_better = False
    full_state_update = False
    total_s: Tensor
    n_onsets: Tensor

    def __init__(self, onset_error: OnsetError, **settings: Any) -> None:  # Any: torchmetrics' own
        """Ask `onset_error` for the errors, as `HitRate` does."""
        super().__init__(**settings)
        self.onset_error = onset_error
        self.add_state("total_s", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("n_onsets", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> None:
        """Add the onsets of a batch."""
        error = self.onset_error(outputs, batch)
        onset = ~error.isnan()
        self.total_s += error[onset].abs().sum()
        self.n_onsets += onset.sum()

    def compute(self) -> Tensor:
        """Return the mean in s, NaN before any onset was seen."""
        return self.total_s / self.n_onsets
