"""A random forest as a module: its trees are buffers, so that weights files hold them and nothing is unpickled."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

LEAST_SHARE = 1e-3
"""What a smaller probability counts as: no tree of a few hundred tells a thousandth."""


class Forest(nn.Module):
    """Trees on a table of features; a feature that is not known takes its median in training.

    Grown by scikit-learn's RandomForestClassifier, or ExtraTreesClassifier. Source: Breiman (2001), Random forests,
    Machine Learning 45, 5-32; Geurts, Ernst & Wehenkel (2006), Extremely randomized trees, Machine Learning 63, 3-42.
    """

    feature: Tensor
    threshold: Tensor
    child: Tensor
    share: Tensor
    usual: Tensor

    def __init__(self, n_features: int, n_classes: int, *, n_trees: int = 300, max_leaves: int = 256) -> None:
        """Lay out trees that have not grown; `fit` grows them."""
        super().__init__()
        n_nodes = 2 * max_leaves - 1
        self.n_trees, self.max_leaves = n_trees, max_leaves
        self.register_buffer("feature", torch.zeros(n_trees, n_nodes, dtype=torch.int32))
        self.register_buffer("threshold", torch.zeros(n_trees, n_nodes, dtype=torch.float64))
        # A leaf is its own child, so that walking on stays there
        self.register_buffer("child", torch.arange(n_nodes, dtype=torch.int32).repeat(2, n_trees, 1))
        self.register_buffer("share", torch.full((n_trees, n_nodes, n_classes), float("nan")))
        self.register_buffer("usual", torch.zeros(n_features, dtype=torch.float64))

    def forward(self, features: Tensor) -> Tensor:
        """Return logits (item, class) of features (item, feature), logarithms of the mean share over trees."""
        x = torch.where(features.isfinite(), features.double(), self.usual)
        tree = torch.arange(self.n_trees, device=x.device)[:, None]
        node = torch.zeros(self.n_trees, len(x), dtype=torch.long, device=x.device)
        for _ in range(self.share.shape[1]):
            above = x[torch.arange(len(x)), self.feature[tree, node].long()] > self.threshold[tree, node]
            further = self.child[above.long(), tree, node].long()
            if bool((further == node).all()):
                break
            node = further
        return self.share[tree, node].mean(dim=0).clamp(min=LEAST_SHARE).log()

    def fit(
        self, features: Tensor, labels: Tensor, *, is_balanced: bool, is_extra: bool = False, seed: int = 0
    ) -> None:
        """Grow the trees.

        Args:
            features: (item, feature), NaN where not known.
            labels: (item,).
            is_balanced: whether a rare class counts as much as a common one.
            is_extra: whether each tree sees all items and splits at places that are drawn.
            seed: of the draws.
        """
        from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

        known = features.isfinite()
        median = torch.where(known, features.double(), torch.nan).nanmedian(dim=0).values
        self.usual.copy_(torch.where(median.isfinite(), median, 0.0))
        x = torch.where(known, features.double(), self.usual).float().numpy()
        # Without draws of the items, leaves of two would follow single ones
        kind, n_least, weight = (
            (ExtraTreesClassifier, 3, "balanced") if is_extra else (RandomForestClassifier, 2, "balanced_subsample")
        )
        forest = kind(
            self.n_trees, max_leaf_nodes=self.max_leaves, min_samples_leaf=n_least, random_state=seed, n_jobs=1,
            class_weight=weight if is_balanced else None,
        ).fit(x, labels.numpy())  # fmt: skip
        for number, grown in enumerate(forest.estimators_):
            self._keep(number, grown.tree_, cast("list[int]", forest.classes_.tolist()))

    def _keep(self, number: int, tree: object, classes: list[int]) -> None:
        """Copy a tree of scikit-learn's into the buffers."""
        left, right = (np.asarray(getattr(tree, f"children_{side}")) for side in ("left", "right"))
        n = len(left)
        own = np.arange(n)
        for side, children in enumerate((left, right)):
            self.child[side, number, :n] = torch.from_numpy(np.where(children < 0, own, children)).int()
        at = np.maximum(np.asarray(getattr(tree, "feature")), 0)  # noqa: B009  its type is not known
        self.feature[number, :n] = torch.from_numpy(at).int()
        self.threshold[number, :n] = torch.from_numpy(np.asarray(getattr(tree, "threshold")))  # noqa: B009
        value = np.asarray(getattr(tree, "value"))[:, 0]  # noqa: B009
        share = torch.zeros(n, self.share.shape[-1])
        share[:, classes] = torch.from_numpy(value / value.sum(axis=1, keepdims=True)).float()
        self.share[number, :n] = share
