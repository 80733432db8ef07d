"""A support vector machine as a module: its vectors are buffers, so that weights files hold them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from seisloom.nn.table import Standard, class_weights, dealt

NEVER = -7.0
"""Logit of a class that no item was of."""
LEAST_SLOPE = 1e-3
"""Slope of a machine whose values do not rank what it was not fitted on: its probabilities are then nearly alike."""


class SupportVectors(nn.Module):
    """Radial basis functions around items of a table; one class against all others, each brought to a probability.

    Fitted by scikit-learn's SVC. Source: Cortes & Vapnik (1995), Support-vector networks, Machine Learning 20, 273-297;
    of the probabilities Platt (1999), Advances in Large Margin Classifiers, 61-74, here with whole groups left out.
    """

    support: Tensor
    weight: Tensor
    bias: Tensor
    gamma: Tensor
    slope: Tensor
    offset: Tensor

    def __init__(self, n_features: int, n_classes: int) -> None:
        """Lay out a machine without vectors; `fit` finds them."""
        super().__init__()
        self.standard = Standard(n_features)
        self.register_buffer("support", torch.zeros(0, n_features, dtype=torch.float64))
        self.register_buffer("weight", torch.zeros(n_classes, 0, dtype=torch.float64))
        self.register_buffer("bias", torch.full((n_classes,), float("nan"), dtype=torch.float64))
        self.register_buffer("gamma", torch.tensor(float("nan"), dtype=torch.float64))
        self.register_buffer("slope", torch.ones(n_classes, dtype=torch.float64))
        self.register_buffer("offset", torch.zeros(n_classes, dtype=torch.float64))

    def decision(self, features: Tensor) -> Tensor:
        """Return how far on its side of each class's margin an item lies, (item, class); see `forward`."""
        x = self.standard(features)
        # Without the product of matrices, whose rounding would depend on what else is in the batch
        apart = torch.cdist(x, self.support, compute_mode="donot_use_mm_for_euclid_dist")
        return torch.exp(-self.gamma * apart.square()) @ self.weight.T + self.bias

    def forward(self, features: Tensor) -> Tensor:
        """Return logits (item, class), logarithms of probabilities; NaN before a fit."""
        each = nn.functional.logsigmoid(self.slope * self.decision(features) + self.offset)
        return each.log_softmax(dim=1)

    def fit(
        self,
        features: Tensor,
        labels: Tensor,
        *,
        is_balanced: bool,
        groups: Tensor | None = None,
        cost: float = 1.0,
        gamma: float | None = None,
    ) -> None:
        """Find the vectors, and what turns their values into probabilities.

        Args:
            features: (item, feature), NaN where not known.
            labels: (item,), all known.
            is_balanced: whether a rare class counts as much as a common one.
            groups: number of each item's event, (item,); whole events are left out for the probabilities.
            cost: of an item on the wrong side of the margin (C).
            gamma: inverse square of the width of the functions, of features of deviation 1; None takes one over the
                number of features that change.
        """
        from sklearn.linear_model import LogisticRegression

        self.standard.fit(features)
        x = self.standard(features)
        n_live = int(self.standard.scale.isfinite().sum())
        self.gamma.fill_(1 / max(n_live, 1) if gamma is None else gamma)
        there: list[int] = np.unique(labels.numpy()).tolist()
        n_classes = len(self.bias)
        weight, bias = np.zeros((n_classes, len(x))), np.full(n_classes, NEVER)
        self.slope.fill_(1.0)
        self.offset.zero_()
        folds = dealt(labels, groups)
        # Of two classes one machine tells both
        for k in there[1:] if n_classes == 2 else there:
            own = (labels == k).long()

            def machine(rows: Tensor, own: Tensor = own) -> Any:  # Any: scikit-learn has no types
                return self._machine(x[rows], own[rows], is_balanced=is_balanced, cost=cost)

            found = machine(torch.arange(len(x)))
            weight[k, found.support_], bias[k] = found.dual_coef_[0], found.intercept_[0]
            values = [machine(others).decision_function(x[rows].numpy()) for others, rows in folds]
            if not values:
                continue
            rows = torch.cat([one for _, one in folds])
            platt = LogisticRegression().fit(
                np.concatenate(values)[:, None], own[rows].numpy(),
                sample_weight=class_weights(own[rows], is_balanced=is_balanced),
            )  # fmt: skip
            if platt.coef_[0, 0] > LEAST_SLOPE:
                self.slope[k], self.offset[k] = float(platt.coef_[0, 0]), float(platt.intercept_[0])
            else:
                self.slope[k] = LEAST_SLOPE
        if n_classes == 2 and len(there) == 2:
            weight[0], bias[0] = -weight[1], -bias[1]
            self.slope[0], self.offset[0] = self.slope[1], -self.offset[1]
        used = (weight != 0).any(axis=0)
        self.support = x[torch.from_numpy(used)].clone()
        self.weight = torch.from_numpy(weight[:, used].copy())
        self.bias.copy_(torch.from_numpy(bias))

    def _machine(self, x: Tensor, own: Tensor, *, is_balanced: bool, cost: float) -> Any:  # Any: see above
        """Fit scikit-learn's machine of one class, 1, against the others, 0."""
        from sklearn.svm import SVC

        kind = SVC(C=cost, gamma=float(self.gamma), class_weight="balanced" if is_balanced else None)
        return kind.fit(x.numpy(), own.numpy())

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *others: Any) -> None:
        """Take as many vectors as there are; Any: torch's own protocol."""
        for name in ("support", "weight"):
            stored = state_dict.get(prefix + name)
            if stored is not None and stored.ndim == 2:
                setattr(self, name, torch.zeros(stored.shape, dtype=self.bias.dtype, device=self.bias.device))
        super()._load_from_state_dict(state_dict, prefix, *others)
