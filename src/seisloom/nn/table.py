"""A table of features on one scale: what is not known takes the median, and each feature deviation 1."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

ROUNDING = 1e-10
"""A feature whose deviation is below this share of its largest value never changes; what is left of it is rounding."""
FOLDS = 5


class Standard(nn.Module):
    """Features less their mean over their deviation, in float64, both of the items that it was fitted on.

    One that is not known takes its median there; one that never changes, or that nobody knew, is 0.
    """

    usual: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(self, n_features: int) -> None:
        """Lay out scales that are not known; `fit` finds them."""
        super().__init__()
        self.register_buffer("usual", torch.zeros(n_features, dtype=torch.float64))
        self.register_buffer("mean", torch.zeros(n_features, dtype=torch.float64))
        self.register_buffer("scale", torch.full((n_features,), float("nan"), dtype=torch.float64))

    def forward(self, features: Tensor) -> Tensor:
        """Return the features (item, feature) on one scale; NaN before a fit."""
        return (torch.where(features.isfinite(), features.double(), self.usual) - self.mean) / self.scale

    def fit(self, features: Tensor) -> None:
        """Find medians, means and deviations of features (item, feature), NaN where not known."""
        x = torch.where(features.isfinite(), features.double(), torch.nan)
        median = x.nanmedian(dim=0).values
        self.usual.copy_(torch.where(median.isfinite(), median, 0.0))
        x = torch.where(x.isfinite(), x, self.usual)
        deviation = x.std(dim=0, correction=0)
        self.mean.copy_(x.mean(dim=0))
        self.scale.copy_(torch.where(deviation > ROUNDING * x.abs().amax(dim=0), deviation, torch.inf))


def dealt(labels: Tensor, groups: Tensor | None, *, n_folds: int = FOLDS, seed: int = 0) -> list[tuple[Tensor, Tensor]]:
    """Return the rows of all but one fold and of that fold, for each of some folds; no group is in two folds.

    Classes are spread over the folds as evenly as groups allow. A fold without which a class is missing is left out.

    Args:
        labels: (item,).
        groups: number of each item's event, (item,); None makes each item one.
        n_folds: fewer where there are fewer groups.
        seed: of the deal.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    y = labels.numpy()
    member = np.arange(len(y)) if groups is None else groups.numpy()
    n_folds = min(n_folds, len(np.unique(member)), int(np.bincount(y)[np.unique(y)].max()))
    if n_folds < 2:
        return []
    split = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed).split(y[:, None], y, member)
    return [
        (torch.from_numpy(others), torch.from_numpy(own))
        for others, own in split
        if len(np.unique(y[others])) == len(np.unique(y))
    ]


def class_weights(labels: Tensor, *, is_balanced: bool) -> np.ndarray:
    """Return the weight of each item, (item,): a rare class counts as much as a common one, or all items alike."""
    y = labels.numpy()
    count = np.bincount(y)
    return len(y) / (np.count_nonzero(count) * count[y]) if is_balanced else np.ones(len(y))
