"""Scores of classes while training: torchmetrics' own, on `outputs["logits"]` and `batch["label"]`.

Logits are (item, class) and labels (item,), -1 where nobody knows. Both are kept until the epoch ends: the number of
classes is the network's, and an area under a curve needs all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.functional.classification import binary_auroc, multiclass_f1_score
from torchmetrics.utilities.data import dim_zero_cat

from seisloom.config import MetricConfig


class MacroF1(MetricConfig):
    """Mean F1 of the classes that occur or were said."""

    name: str = "macro_f1"

    def build(self) -> Metric:
        """Return the metric."""
        return MeanF1()


class MacroAuc(MetricConfig):
    """Mean area under the ROC curve of each class against all others, over classes that occur."""

    name: str = "macro_auc"

    def build(self) -> Metric:
        """Return the metric."""
        return MeanAuc()


class _OverItems(Metric):
    """Keeps logits and labels of all items whose class is known."""

    higher_is_better = True
    full_state_update = False
    logits: list[Tensor]
    labels: list[Tensor]

    def __init__(self, **settings: Any) -> None:  # Any: torchmetrics' own
        """Start at nothing."""
        super().__init__(**settings)
        self.add_state("logits", [], dist_reduce_fx="cat")
        self.add_state("labels", [], dist_reduce_fx="cat")

    def update(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> None:
        """Add the items of a batch; one without logits or labels is passed over."""
        if "logits" not in outputs or "label" not in batch:
            return
        logits, label = outputs["logits"], batch["label"]
        if label.ndim == 2:  # shares: the class with the largest one
            label = torch.where(label.amax(dim=1) > 0, label.argmax(dim=1), -1)
        if label.shape != logits.shape[:1]:
            raise ValueError(
                f"label has shape {tuple(label.shape)} and logits {tuple(logits.shape)}; scores need one class an item"
            )
        self.logits.append(logits[label >= 0].float())
        self.labels.append(label[label >= 0].long())

    def _seen(self) -> tuple[Tensor, Tensor]:
        """All logits and labels; both empty before any were seen."""
        if not self.logits:
            return torch.zeros(0, 2, device=self.device), torch.zeros(0, dtype=torch.long, device=self.device)
        return dim_zero_cat(self.logits), dim_zero_cat(self.labels)


class MeanF1(_OverItems):
    """Macro-F1, as `seisloom.metrics.classes.macro_f1`."""

    def compute(self) -> Tensor:
        """Return the mean, NaN before any known item."""
        logits, label = self._seen()
        if not label.numel():
            return torch.tensor(torch.nan, device=logits.device)
        return multiclass_f1_score(logits, label, num_classes=logits.shape[1], average="macro")


class MeanAuc(_OverItems):
    """Macro average of one-versus-rest areas, as the mean of `seisloom.metrics.classes.auc_by_class`."""

    def compute(self) -> Tensor:
        """Return the mean, NaN while there are not two classes."""
        logits, label = self._seen()
        probability = logits.softmax(dim=1)
        # A class that does not occur would be called 0 by torchmetrics, and pull the mean down
        here = [k for k in range(logits.shape[1]) if 0 < int((label == k).sum()) < label.numel()]
        areas = [binary_auroc(probability[:, k], (label == k).long()) for k in here]
        return torch.stack(areas).mean() if areas else torch.tensor(torch.nan, device=logits.device)
