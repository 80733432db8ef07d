"""The loss of a fault's orientation, taken between normals: angles wrap, normals up to their sign do not."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from seisloom.config import LossTerm
from seisloom.losses.onset import mean_where


def normal_of(dip: Tensor, strike: Tensor) -> Tensor:
    """Return the unit normal of a plane, components depth, crossline, inline, shape (item, 3, *place).

    Args:
        dip, strike: degrees on the grid of samples, shape (item, *place); a dip above 90 leans to the other side.
    """
    d, s = torch.deg2rad(dip), torch.deg2rad(strike)
    return torch.stack([-d.cos(), d.sin() * s.cos(), -d.sin() * s.sin()], dim=1)


class FaultNormal(LossTerm):
    """1 - (n . n_true)^2, the squared sine of the angle between two planes, on fault voxels alone.

    A normal and its opposite are one plane, and so are strikes of 0 and of 180 with dips d and 180 - d. The output may
    have any length; one of length 0 counts as 1. In a section the normal's component across it is not seen: there the
    best output is the direction of the true normal within the section, and the loss keeps what cannot be known.
    """

    name: str = "fault_normal"

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the mean over voxels whose label is a fault with known dip and strike.

        Args:
            outputs: `normal` (item, 3, *place), components depth, crossline, inline.
            batch: `fault` (item, *place), 1 on a fault; `dip` and `strike` (item, *place) in degrees.
        """
        dip, strike = batch["dip"], batch["strike"]
        on_fault = (batch["fault"] == 1) & torch.isfinite(dip) & torch.isfinite(strike)
        true = normal_of(*(torch.where(on_fault, one, torch.zeros_like(one)) for one in (dip, strike)))
        normal = outputs["normal"].to(torch.promote_types(outputs["normal"].dtype, true.dtype))
        # Far below any length that a network gives, far above where a square underflows
        length = normal.square().sum(dim=1).clamp(min=1e-12)
        return mean_where(1 - (normal * true).sum(dim=1).square() / length, on_fault)
