"""What is measured of curves after each epoch of training."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field
from torch import Tensor
from torchmetrics import MeanMetric, Metric

from seisloom.config import MetricConfig


class CurveRecall(MetricConfig):
    """Share of visible points of a mode that are picked within a tolerance."""

    name: str = "curve_recall"
    mode: int = Field(0, ge=0)
    """The mode, 0 the fundamental one."""
    tolerance: float = Field(0.03, gt=0)
    """Largest error, as a share of the true velocity."""
    min_probability: float = Field(0.5, gt=0, lt=1)
    """Of presence; below there is no pick."""

    def build(self) -> Metric:
        """Return the metric."""
        return _Recall(self)


class _Recall(MeanMetric):
    """Mean over visible points of whether they are hit."""

    def __init__(self, config: CurveRecall) -> None:
        super().__init__()
        self.config = config

    def update(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> None:  # type: ignore[override]
        """Count the visible points of a batch; a batch without such a mode is passed over."""
        m = self.config.mode
        if m >= batch["curves"].shape[1]:
            return
        seen = batch["visible"][:, m] > 0
        truth = batch["curves"][:, m][seen]
        is_near = (outputs["velocity"][:, m][seen] / truth - 1).abs() <= self.config.tolerance
        is_picked = outputs["presence"][:, m][seen].sigmoid() >= self.config.min_probability
        if truth.numel():
            super().update((is_near & is_picked).float())
