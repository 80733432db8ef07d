"""A linear classifier of features, fitted in closed form, its penalty chosen by leaving events out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

PENALTIES = tuple(10.0 ** (k / 2) for k in range(-4, 15))
"""0.01 to 10 million: with thousands of features that are alike the best ones are large."""
ALIKE = 0.99
"""The largest penalty is taken that tells at least this share of what the best one tells: which of two that are alike
is best is chance, and the larger one hangs less on single items."""
ROUNDING = 1e-10
"""Directions of the features whose variance is below this share of the largest are rounding."""


class RidgeHead(nn.Module):
    """Logits that are linear in features: least squares on 1 for an item's class and -1 for the others, with a penalty.

    What comes out is between -1 and 1 for the most part: it ranks and classifies, and becomes a probability by its
    temperature (`seisloom.calibration.temperature`).

    Source: Rifkin & Lippert (2007), Notes on regularized least squares, MIT-CSAIL-TR-2007-025, of
    the leave-one-out errors; here with an intercept, weights and groups. A linear head by ridge is MiniRocket's own.
    """

    mean: Tensor
    scale: Tensor
    weight: Tensor
    bias: Tensor
    penalty: Tensor

    def __init__(self, n_features: int, n_classes: int) -> None:
        """Lay out a head that has learnt nothing; `fit` fills it."""
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("scale", torch.ones(n_features))
        self.register_buffer("weight", torch.full((n_classes, n_features), float("nan")))
        self.register_buffer("bias", torch.zeros(n_classes))
        self.register_buffer("penalty", torch.tensor(float("nan")))

    def forward(self, features: Tensor) -> Tensor:
        """Return logits (item, class) of features (item, feature); NaN before a fit."""
        return ((features - self.mean) / self.scale) @ self.weight.T + self.bias

    @torch.no_grad()
    def fit(
        self,
        features: Tensor,
        labels: Tensor,
        class_weight: Sequence[float] | None = None,
        *,
        groups: Tensor | None = None,
        penalties: Sequence[float] = PENALTIES,
    ) -> Tensor:
        """Fit weights in float64, at the penalty that tells most of what is left out, or the largest that is alike.

        Time grows with min(item, feature)^2 max(item, feature): 2000 items of 10 000 features take some seconds.

        Args:
            features: (item, feature), finite.
            labels: (item,), -1 where not known: such items are left out.
            class_weight: weight of the items of each class, (class,), positive; None weighs all items the same.
            groups: number of each item's event, (item,); whole events are left out then. Items of one event are
                alike: left out one by one, the others tell of it, and the penalty comes out too small.
            penalties: to choose from, positive; a feature of deviation 1 has that of an item.
        Returns:
            For each penalty, (penalty,), the share of the variance of what was left out that the others do not tell, in
            0..1, weighted as the items are, and predictions brought to their best size first: 1 is nothing learnt. The
            size of logits is the temperature's business; by plain squared error few and difficult events would want
            a penalty that leaves no logits at all.
        Raises:
            ValueError: if shapes do not fit, a feature is not finite, only one class is there, or one group.
        """
        known = labels >= 0
        x, label = features[known].double(), labels[known].long()
        n_classes = len(self.weight)
        self._check(x, label, labels, features)
        mean, deviation = x.mean(dim=0), x.std(dim=0, correction=0)
        # A feature that never changes tells nothing; what is left of it is rounding
        scale = torch.where(deviation > ROUNDING * x.abs().amax(dim=0), deviation, torch.inf)
        x = (x - mean) / scale
        y = torch.full((len(x), n_classes), -1.0, dtype=x.dtype, device=x.device)
        y[torch.arange(len(x), device=x.device), label] = 1.0
        factor = torch.ones(n_classes, dtype=x.dtype) if class_weight is None else torch.tensor(class_weight).double()
        weights = factor.to(x.device)[label]

        x_mean, y_mean = (weights @ x) / weights.sum(), (weights @ y) / weights.sum()
        root = weights.sqrt()[:, None]
        x, y = root * (x - x_mean), root * (y - y_mean)
        basis, variance = _directions(x)
        along = basis.T @ y
        parts = _parts(groups.to(known.device)[known] if groups is not None else None, len(x))
        errors = []
        for penalty in penalties:
            shrunk = variance / (variance + penalty)
            residual = y - basis @ (shrunk[:, None] * along)
            left_out = _left_out(residual, basis * shrunk.sqrt(), root / weights.sum().sqrt(), parts)
            errors.append(_unexplained(y, y - left_out))
        error = torch.stack(errors)
        told = 1 - error
        best = max(float(p) for p, one in zip(penalties, told, strict=True) if one >= ALIKE * told.max())
        weight = x.T @ (basis @ (along / (variance + best)[:, None]))
        self.mean.copy_(mean)
        self.scale.copy_(scale)
        self.weight.copy_(weight.T)
        self.bias.copy_(y_mean - x_mean @ weight)
        self.penalty.fill_(best)
        return error

    def _check(self, x: Tensor, label: Tensor, labels: Tensor, features: Tensor) -> None:
        """Refuse what cannot be fitted."""
        n_classes, n_features = self.weight.shape
        if features.ndim != 2 or features.shape[1] != n_features or labels.shape != features.shape[:1]:
            raise ValueError(
                f"features {tuple(features.shape)} and labels {tuple(labels.shape)}: give (item, {n_features}) and "
                "(item,)"
            )
        if not x.isfinite().all():
            raise ValueError(f"{int((~x.isfinite()).any(dim=1).sum())} items have features that are not finite")
        there = sorted(set(label.tolist()))
        if len(there) < 2 or there[-1] >= n_classes:
            raise ValueError(
                f"labels {there} of {n_classes} classes: at least two classes have to be there, with "
                f"indices 0 to {n_classes - 1}"
            )


def _directions(x: Tensor) -> tuple[Tensor, Tensor]:
    """Left singular vectors (item, direction) and squared singular values of x, by the smaller of its two squares."""
    if len(x) <= x.shape[1]:
        variance, basis = torch.linalg.eigh(x @ x.T)
    else:
        variance, vectors = torch.linalg.eigh(x.T @ x)
        basis = x @ (vectors / variance.clamp(min=torch.finfo(x.dtype).tiny).sqrt())
    live = variance > ROUNDING * variance[-1]
    return basis[:, live], variance[live]


def _parts(groups: Tensor | None, n: int) -> list[Tensor]:
    """Row numbers of each group; none for single items."""
    if groups is None:
        return []
    _, member = torch.unique(groups, return_inverse=True)
    parts = [torch.nonzero(member == k)[:, 0] for k in range(int(member.max()) + 1)]
    if len(parts) < 2:
        raise ValueError(f"all {n} items are of one group: there is nothing to choose a penalty on when it is left out")
    return parts


def _left_out(residual: Tensor, hat_root: Tensor, mean_root: Tensor, parts: list[Tensor]) -> Tensor:
    """The errors, had each item or part not been fitted: (1 - H)^-1 residual, H the hat matrix of the part.

    Args:
        residual: (item, class).
        hat_root, mean_root: roots of the hat matrix, of the weights and of the intercept, (item, direction), (item, 1).
        parts: row numbers of what is left out together; none for each item alone.
    """
    root = torch.cat([hat_root, mean_root], dim=1)
    if not parts:
        return residual / (1 - root.square().sum(dim=1))[:, None]
    found = torch.empty_like(residual)
    for rows in parts:
        own = root[rows]
        left = torch.eye(len(rows), dtype=root.dtype, device=root.device) - own @ own.T
        found[rows] = torch.linalg.solve(left, residual[rows])
    return found


def _unexplained(truth: Tensor, said: Tensor) -> Tensor:
    """One less the squared correlation about 0; 1 where it is negative, or nothing was said."""
    along = (truth * said).sum().clamp(min=0)
    size = truth.square().sum() * said.square().sum()
    return 1 - along.square() / torch.where(size > 0, size, torch.ones_like(size))
