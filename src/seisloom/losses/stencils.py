"""Second differences of orders 2, 4 and 8, taken where the stencil fits, and what they make of a sine."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Order = Literal[2, 4, 8]

COEFFICIENTS: dict[int, tuple[float, ...]] = {
    2: (-2.0, 1.0),
    4: (-5 / 2, 4 / 3, -1 / 12),
    8: (-205 / 72, 8 / 5, -1 / 5, 8 / 315, -1 / 560),
}
"""At distances 0, 1, 2, ... samples, the same on both sides: Fornberg (1988), Math. Comp. 51(184), 699-706, table 1."""


def radius(order: Order) -> int:
    """Return how many samples a stencil reaches to either side: half its order."""
    return len(COEFFICIENTS[order]) - 1


def second_difference(values: Tensor, axis: int, order: Order) -> Tensor:
    """Return h^2 times the second derivative along an axis of step h, where the whole stencil lies within.

    Nothing is padded: zeros beyond an edge would be a jump there, and its second difference as large as the field's.

    Args:
        values: any shape; the axis has more than `order` samples.
        axis: the one differences are taken along.
        order: of accuracy; the error of a sine of theta radians a sample is theta^2 / 12 of it for order 2,
            theta^4 / 90 for order 4 and theta^8 / 3150 for order 8, to leading order.
    Returns:
        The same shape, with `order` samples fewer along the axis, half of them at either end.
    """
    reach = radius(order)
    n = values.shape[axis] - 2 * reach
    centre, *others = COEFFICIENTS[order]
    total = centre * values.narrow(axis, reach, n)
    for k, coefficient in enumerate(others, start=1):
        beside = values.narrow(axis, reach - k, n) + values.narrow(axis, reach + k, n)
        total = torch.add(total, beside, alpha=coefficient)
    return total


def inner(values: Tensor, axis: int, reach: int) -> Tensor:
    """Return values without `reach` samples at either end of an axis."""
    return values.narrow(axis, reach, values.shape[axis] - 2 * reach)


def symbol(theta: Tensor, order: Order) -> Tensor:
    """Return the factor by which a stencil multiplies -sin(theta n): theta^2 if it were exact.

    Args:
        theta: radians a sample, any shape; above pi it stands for its alias.
    """
    centre, *others = COEFFICIENTS[order]
    total = torch.full_like(theta, -centre)
    for k, coefficient in enumerate(others, start=1):
        total = total - 2 * coefficient * torch.cos(k * theta)
    return total


def gain(order: Order) -> float:
    """Return the root of the sum of squared coefficients: by how much a stencil makes white noise louder."""
    centre, *others = COEFFICIENTS[order]
    return float((centre**2 + 2 * sum(one**2 for one in others)) ** 0.5)
