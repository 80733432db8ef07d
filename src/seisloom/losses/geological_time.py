"""Losses of relative geological time: it is known up to a constant, and up to the scale of its labels."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from seisloom.config import LossTerm


class RelativeTime(LossTerm):
    """Absolute error in samples after the mean of each item is taken away, and that of its differences.

    Differences are taken between neighbours and over longer lags. Neighbours alone teach to leave out throws: where it
    is not sure to the sample where a fault is, the median of a step is 0 on every one of them, and the sum of steps
    across the fault is too.
    """

    name: str = "relative_time"
    unit_samples: float = Field(2.0, gt=0)
    """Error in samples that counts as 1; beyond it the term grows linearly."""
    differences: float = Field(1.0, ge=0)
    """Weight of the errors of differences: the shape of horizons and the throw at faults, beside their place."""
    lags: tuple[int, ...] = (1, 4, 16)
    """Samples over which differences are taken, along each axis that is longer."""

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the term for the output `rgt` and the label `rgt`, both (item, *place); NaN is not known."""
        predicted, label = outputs["rgt"], batch["rgt"]
        known = torch.isfinite(label)
        wanted = in_samples(torch.where(known, label, torch.zeros_like(label)), known)
        error = torch.where(known, (predicted - wanted) / self.unit_samples, torch.zeros_like(predicted))
        axes = tuple(range(1, error.ndim))
        n_known = known.sum(axes, keepdim=True).clamp(min=1)
        centred = torch.where(known, error - error.sum(axes, keepdim=True) / n_known, torch.zeros_like(error))
        total = functional.smooth_l1_loss(centred, torch.zeros_like(centred), reduction="sum") / n_known.sum()
        if self.differences:
            for axis in axes:
                lags = [lag for lag in self.lags if lag < error.shape[axis]]
                for lag in lags:
                    n = error.shape[axis] - lag
                    both = known.narrow(axis, lag, n) & known.narrow(axis, 0, n)
                    change = error.narrow(axis, lag, n) - error.narrow(axis, 0, n)
                    size = torch.where(both, change, error.new_zeros(())).abs().sum() / both.sum().clamp(min=1)
                    total = total + self.differences / len(lags) * size
        return total


class EqualTime(LossTerm):
    """How far relative time strays along a horizon, on which it is the same everywhere.

    What horizons people picked can teach where no relative time is known; beside it a term is needed that lets time
    rise with depth, such as `rgt_order`. The place of a horizon is known to the nearest sample.
    """

    name: str = "equal_time"
    unit_samples: float = Field(2.0, gt=0)
    """Distance in samples from a horizon's mean that counts as 1; beyond it the term grows linearly."""

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the mean over the voxels of horizons.

        Args:
            outputs: `rgt` (item, *place), in samples.
            batch: `horizon` (item, *place), the number of a horizon from 1 on its voxels, else 0.
        """
        rgt, number = outputs["rgt"].flatten(1), batch["horizon"].flatten(1).round().long()
        item, place = torch.nonzero(number > 0, as_tuple=True)
        if not len(item):
            return 0.0 * rgt.sum()
        _, horizon = torch.unique(item * (number.max() + 1) + number[item, place], return_inverse=True)
        time, ones = rgt[item, place], torch.ones_like(rgt[item, place])
        sums, counts = (torch.zeros_like(ones).scatter_add(0, horizon, one) for one in (time, ones))
        error = (time - (sums / counts.clamp(min=1))[horizon]) / self.unit_samples
        return functional.smooth_l1_loss(error, torch.zeros_like(error))


def in_samples(label: Tensor, known: Tensor) -> Tensor:
    """Return the label on a scale on which it grows by 1 a sample with depth, in the median of each item.

    Args:
        label: (item, *place), depth last, of any scale.
        known: where it is.
    """
    step = label.diff(dim=-1)
    both = known[..., 1:] & known[..., :-1]
    usual = torch.where(both, step, step.new_full((), torch.nan)).flatten(1).nanmedian(dim=1).values
    usual = torch.where(usual > 0, usual, torch.ones_like(usual))
    return label / usual.reshape(-1, *[1] * (label.ndim - 1))
