"""What is measured after each epoch of training a picker."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from pydantic import Field
from torch import Tensor
from torchmetrics import MeanMetric, Metric

from seisloom.config import MetricConfig
from seisloom.metrics.onset import HitRate, OnsetMAE


def onset_error_s(outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
    """Return predicted minus human onset in s, shape (item, trace); NaN without a pick, inf for a non-finite one."""
    error_s = (outputs["mean"] - batch["y_idx"]) / batch["fs"].reshape(-1, 1)
    error_s = torch.nan_to_num(error_s, nan=float("inf"), posinf=float("inf"), neginf=float("inf"))
    return torch.where(batch["has_pick"] == 1, error_s, torch.full_like(error_s, float("nan")))


class OnsetHitRate(MetricConfig):
    """Share of picks with an error of at most `tolerance_s`."""

    name: str = "hit_rate"
    tolerance_s: float = Field(0.00125, gt=0)
    """Largest error in s of a hit."""

    def build(self) -> Metric:
        """Return the metric."""
        return HitRate(self.tolerance_s, onset_error_s)


class OnsetMeanError(MetricConfig):
    """Mean absolute error of picks in s."""

    name: str = "onset_mae_s"

    def build(self) -> Metric:
        """Return the metric."""
        return OnsetMAE(onset_error_s)


class SigmaClamped(MetricConfig):
    """Share of picks whose log-sigma stands at one of its bounds: if it is large, the bounds are too narrow."""

    name: str = "sigma_clamped"

    def build(self) -> Metric:
        """Return the metric."""
        return _ClampedShare()


class _ClampedShare(MeanMetric):
    """Mean of the network's output `clamped` over traces with a pick."""

    def update(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> None:  # type: ignore[override]
        """Count the traces of a batch."""
        values = outputs["clamped"][batch["has_pick"] == 1].float()
        if values.numel():
            super().update(values)
