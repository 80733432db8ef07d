"""Cross-entropy of classes, of one class an item or of mixtures, with weights for rare ones.

It takes the output `logits` (item, class) and a batch with `label`: indices (item,), -1 where nobody knows; or shares
(item, class), as mixed items have, negative where nobody knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from pydantic import Field, field_validator
from torch import Tensor
from torch.nn import functional

from seisloom.config import LossTerm
from seisloom.errors import RecipeError
from seisloom.losses.onset import mean_where

ClassWeight = Literal["none", "balanced", "sqrt"]


class CrossEntropy(LossTerm):
    """Cross-entropy of class logits, in nats; a weighted mean, so that weights do not change its size."""

    name: str = "cross_entropy"
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    """Share of each label that is spread evenly over all classes: keeps a network from being too sure."""
    class_weight: ClassWeight = "none"
    """balanced: all classes weigh the same together; sqrt: halfway there; none: as often as they occur."""
    class_counts: tuple[int, ...] = ()
    """Training items of each class, in the order of the classes; needed for weights. Training counts them."""

    @field_validator("class_counts")
    @classmethod
    def _counts(cls, counts: tuple[int, ...]) -> tuple[int, ...]:
        if any(one < 0 for one in counts):
            raise ValueError(f"counts of items are 0 or more, not {min(counts)}")
        return counts

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the weighted mean over items whose class is known.

        Source of the smoothing: Szegedy et al. (2016), arXiv 1512.00567, sec. 7; an item's weight is that of its own
        label, before it is smoothed.
        Raises:
            RecipeError: if weights are asked for and counts are not given, or not of as many classes.
            ValueError: if labels are neither (item,) nor (item, class).
        """
        logits = outputs["logits"]
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        share, known = _shares(batch["label"], logits)
        smooth = share * (1 - self.label_smoothing) + self.label_smoothing / logits.shape[1]
        entropy = -(smooth * torch.log_softmax(logits, dim=1)).sum(dim=1)
        if self.class_weight == "none":
            return mean_where(entropy, known)
        if len(self.class_counts) != logits.shape[1]:
            raise RecipeError(
                f"loss {self.name!r}: {self.class_weight} weights need class_counts of {logits.shape[1]} classes, "
                f"there are {len(self.class_counts)}. Give the number of training items of each, or class_weight: none"
            )
        weight = share @ logits.new_tensor(class_weights(self.class_counts, self.class_weight))
        total = mean_where(weight, known)
        # Without a known item both are 0, and the loss is to be 0
        return mean_where(weight * entropy, known) / torch.where(total > 0, total, torch.ones_like(total))


def class_weights(counts: Sequence[int], kind: ClassWeight) -> tuple[float, ...]:
    """Return the weight of an item of each class, (class,); over all items their mean is 1.

    Args:
        counts: items of each class; one without any has weight 1, which nobody uses.
        kind: `balanced` weighs an item by one over the items of its class, `sqrt` by the root of that, `none` by 1.
    Source: of the root: Mahajan et al. (2018), arXiv 1805.00932, who draw by it; between both it costs common
        classes less.

    >>> class_weights([30, 10], "balanced")
    (0.6666666666666666, 2.0)
    """
    power = {"none": 0.0, "balanced": 1.0, "sqrt": 0.5}[kind]
    raw = [n**-power if n else 0.0 for n in counts]
    whole = sum(n * one for n, one in zip(counts, raw, strict=True))
    return tuple(sum(counts) * one / whole if n else 1.0 for n, one in zip(counts, raw, strict=True))


def _shares(label: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
    """Return labels as shares (item, class), and where they are known (item,)."""
    n_classes = logits.shape[1]
    if label.shape == logits.shape and label.is_floating_point():
        known = (label >= 0).all(dim=1) & (label.sum(dim=1) > 0)
        return torch.where(known[:, None], label.to(logits.dtype), logits.new_zeros(())), known
    if label.shape != logits.shape[:1]:
        raise ValueError(
            f"label has shape {tuple(label.shape)} and logits {tuple(logits.shape)}: give indices (item,), or shares "
            "(item, class) as floating numbers"
        )
    known = label >= 0
    share = functional.one_hot(label.clamp(min=0).long(), n_classes).to(logits.dtype)
    return share * known[:, None], known
