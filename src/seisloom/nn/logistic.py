"""Logistic regression on a table of features, its penalty chosen by leaving events out."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from seisloom.nn.table import Standard, class_weights, dealt

COSTS = tuple(10.0 ** (k / 2) for k in range(-8, 1))
"""Inverse penalties that are tried, 0.0001 to 1, of features of deviation 1."""
LEAST = 1e-3
"""What a smaller probability counts as when penalties are compared: single sure errors should not decide."""


class Logistic(nn.Module):
    """Logits that are linear in features, with the largest likelihood less a penalty on the squares of the weights.

    Fitted by scikit-learn's LogisticRegression.
    """

    weight: Tensor
    bias: Tensor
    cost: Tensor

    def __init__(self, n_features: int, n_classes: int) -> None:
        """Lay out weights that are not known; `fit` finds them."""
        super().__init__()
        self.standard = Standard(n_features)
        self.register_buffer("weight", torch.zeros(n_classes, n_features, dtype=torch.float64))
        self.register_buffer("bias", torch.full((n_classes,), float("nan"), dtype=torch.float64))
        self.register_buffer("cost", torch.tensor(float("nan"), dtype=torch.float64))

    def forward(self, features: Tensor) -> Tensor:
        """Return logits (item, class), logarithms of probabilities, of features (item, feature); NaN before a fit."""
        logits: Tensor = self.standard(features) @ self.weight.T + self.bias
        return logits.log_softmax(dim=1)

    def fit(
        self,
        features: Tensor,
        labels: Tensor,
        *,
        is_balanced: bool,
        groups: Tensor | None = None,
        cost: float | None = None,
    ) -> None:
        """Find the weights.

        Args:
            features: (item, feature), NaN where not known.
            labels: (item,), all known.
            is_balanced: whether a rare class counts as much as a common one.
            groups: number of each item's event, (item,); whole events are left out to choose the penalty.
            cost: inverse penalty (C); None takes that of COSTS whose likelihood of what is left out is best.
        """
        from sklearn.linear_model import LogisticRegression

        self.standard.fit(features)
        x, y = self.standard(features).numpy(), labels.numpy()
        weights = class_weights(labels, is_balanced=is_balanced)

        def fitted(rows: np.ndarray, one: float) -> LogisticRegression:
            return LogisticRegression(C=one, max_iter=1000).fit(x[rows], y[rows], sample_weight=weights[rows])

        if cost is None:
            folds = [(others.numpy(), own.numpy()) for others, own in dealt(labels, groups)]
            place = np.searchsorted(np.unique(y), y)
            loss = []
            for one in COSTS:
                total = 0.0
                for others, own in folds:
                    said = fitted(others, one).predict_proba(x[own])[np.arange(len(own)), place[own]]
                    total -= float(weights[own] @ np.log(np.maximum(said, LEAST)))
                loss.append(total)
            cost = COSTS[int(np.argmin(loss))]
        found = fitted(np.arange(len(x)), cost)
        self.cost.fill_(cost)
        self.weight.zero_()
        # A class that no item was of has next to no probability
        self.bias.fill_(float(np.log(LEAST)) + float(found.intercept_.min()))
        if len(found.classes_) == 2:
            # scikit-learn gives the second one alone
            found.coef_ = np.concatenate([-found.coef_, found.coef_]) / 2
            found.intercept_ = np.concatenate([-found.intercept_, found.intercept_]) / 2
        self.weight[found.classes_] = torch.from_numpy(found.coef_)
        self.bias[found.classes_] = torch.from_numpy(found.intercept_)
