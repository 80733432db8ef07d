"""Losses of a fault mask: cross-entropy that does not forget rare voxels, its focal form, and overlap.

All take the output `fault`, logits (item, *place), and a batch with `fault` (item, *place): 0 to 1, and -1 where nobody
knows, which counts for nothing. `place` has any number of axes, in any order.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from seisloom.config import LossTerm
from seisloom.losses.onset import mean_where


def fault_mask(outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Return logits, labels (0 where not known) and where they are known, (item, *place), at least single precision."""
    dtype = torch.promote_types(outputs["fault"].dtype, torch.float32)
    label = batch["fault"].to(dtype)
    return outputs["fault"].to(dtype), label.clamp(min=0), label >= 0


class BalancedCrossEntropy(LossTerm):
    """Cross-entropy in which a voxel on a fault weighs more than one off it; a weighted mean, so that 1 stays 1.

    Without `pos_weight`, both classes of a batch weigh alike, as in Xie & Tu (2015), Holistically-nested edge
    detection, arXiv 1504.06375, equation 2. Differs: the weight has limits, 1 and `max_pos_weight`, and a batch without
    a fault is not dropped. Both classes alike draw faults thicker than their labels; a `pos_weight` of 2 to 5 does so
    less.
    """

    name: str = "balanced_cross_entropy"
    pos_weight: float | None = Field(None, gt=0)
    """Weight of a voxel on a fault against one off it; None takes as many as make both classes weigh alike."""
    max_pos_weight: float = Field(30.0, ge=1)
    """Limit of the weight that is taken from a batch: a handful of voxels is not to outweigh all others."""

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the weighted mean over known voxels of the cross-entropy, in nats."""
        logit, label, known = fault_mask(outputs, batch)
        entropy = functional.binary_cross_entropy_with_logits(logit, label, reduction="none")
        pos_weight = self.pos_weight
        if pos_weight is None:
            n_on = float((label * known).sum())
            n_off = float(known.sum()) - n_on
            pos_weight = min(max(n_off / n_on, 1.0), self.max_pos_weight) if n_on else 1.0
        weight = 1 + (pos_weight - 1) * label
        return mean_where(weight * entropy, known) / mean_where(weight, known).clamp(min=min(pos_weight, 1.0))


class Focal(LossTerm):
    """Cross-entropy that fades on voxels that are already right.

    Source: Lin et al. (2017), Focal loss for dense object detection, arXiv 1708.02002, equation 5. For labels between
    0 and 1 the factor is |label - p|^gamma, which is theirs at 0 and 1.
    """

    name: str = "focal"
    gamma: float = Field(2.0, ge=1)
    """Power of the distance between label and probability; below 1 the gradient of a right voxel is not finite."""
    alpha: float = Field(0.75, ge=0, le=1)
    """Weight of a voxel on a fault; one off it has 1 - alpha."""

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the mean over known voxels, in nats."""
        logit, label, known = fault_mask(outputs, batch)
        entropy = functional.binary_cross_entropy_with_logits(logit, label, reduction="none")
        class_weight = self.alpha * label + (1 - self.alpha) * (1 - label)
        return mean_where(class_weight * (label - logit.sigmoid()).abs().pow(self.gamma) * entropy, known)


class Dice(LossTerm):
    """1 - (2 sum p y + smooth) / (sum p + sum y + smooth), of each item, then their mean.

    Over a whole batch at once, items with few faults would count for little. An item without a fault gives
    1 - smooth / (sum p + smooth): 0 if nothing is predicted, and hardly any gradient if much is.
    Source: Milletari et al. (2016), V-Net, arXiv 1606.04797, equation 3; sums of p and y, not of their squares.
    """

    name: str = "dice"
    smooth: float = Field(1.0, gt=0)
    """Voxels that are added above and below."""
    skip_empty: bool = False
    """Whether items without a fault are left to the other terms."""

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the mean over items of which a voxel is known, in 0..1."""
        logit, label, known = fault_mask(outputs, batch)
        p, y = ((one * known).flatten(1) for one in (logit.sigmoid(), label))
        dice = (2 * (p * y).sum(1) + self.smooth) / (p.sum(1) + y.sum(1) + self.smooth)
        counts = y.sum(1) > 0 if self.skip_empty else known.flatten(1).any(1)
        return mean_where(1 - dice, counts)
