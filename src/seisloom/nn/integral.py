"""A field from its steps to the neighbours, in least squares: what a network sees locally becomes global."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor


def integral(steps: Tensor) -> Tensor:
    """Return the field whose steps from sample to sample are nearest to these, with mean 0 in each item.

    The same solution as `seisloom.inference.integrate.integrate`, for items of a batch and with gradients: no sample
    beyond the item takes part, so cosines (DCT-II) turn the normal equations into products. They are applied as
    matrices, which for tiles is faster than a Fourier transform of twice the length.

    Args:
        steps: (item, axis, *place), from each sample to the next one along each axis of the place; the last step of
            an axis leads nowhere and is not looked at.
    Returns:
        (item, *place), float32 or what is longer.
    """
    with torch.autocast(steps.device.type, enabled=False):
        steps = steps.to(torch.promote_types(steps.dtype, torch.float32))
        rhs = torch.zeros_like(steps[:, 0])
        eigenvalues = rhs.new_zeros(())
        for axis in range(1, rhs.ndim):
            n = rhs.shape[axis]
            inner = steps[:, axis - 1].narrow(axis, 0, n - 1)
            none = inner.new_zeros([*inner.shape[:axis], 1, *inner.shape[axis + 1 :]])
            rhs = rhs + torch.cat([none, inner], axis) - torch.cat([inner, none], axis)
            waves = torch.arange(n, device=rhs.device, dtype=rhs.dtype) * (math.pi / n)
            eigenvalues = eigenvalues + (2 - 2 * waves.cos()).reshape(-1, *[1] * (rhs.ndim - 1 - axis))
        for axis in range(1, rhs.ndim):
            rhs = torch.tensordot(rhs, _cosines(rhs.shape[axis]).to(rhs), dims=([axis], [1])).movedim(-1, axis)
        found = torch.where(eigenvalues > 0, rhs / torch.where(eigenvalues > 0, eigenvalues, 1.0), 0.0)
        for axis in range(1, rhs.ndim):
            found = torch.tensordot(found, _cosines(rhs.shape[axis]).to(rhs), dims=([axis], [0])).movedim(-1, axis)
    return found


@lru_cache(maxsize=16)
def _cosines(n: int) -> Tensor:
    """Return the orthonormal DCT-II of n samples, (wave, sample)."""
    place, wave = torch.arange(n, dtype=torch.float64) + 0.5, torch.arange(n, dtype=torch.float64)
    table = (wave[:, None] * place * (math.pi / n)).cos() * math.sqrt(2 / n)
    table[0] /= math.sqrt(2)
    return table
