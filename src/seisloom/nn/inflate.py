"""A network of volumes that begins as one of sections: kernels that see the middle section alone."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


def inflated(sections: Mapping[str, Tensor], volumes: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights of a network of sections with kernels of as many axes as those of volumes.

    A volume whose sections are all alike comes out as each of them would; of others only what takes every second
    section mixes neighbours. So training begins with what the sections taught. Weights that have as many axes in both
    stay as they are, and so do those that the network of volumes does not have.

    Args:
        sections: weights by name; kernels are (out, in, crossline, time).
        volumes: those of the network that begins; kernels are (out, in, inline, crossline, time).
    Source: kernels that gain an axis after Carreira and Zisserman (2017), arXiv 1705.07750. Differs in that all weight
    is on the middle of the new axis, where theirs repeats the kernel along it: neighbouring sections are not alike
    where faults cross them.
    """
    weights = dict(sections)
    for name, kernel in sections.items():
        like = volumes.get(name)
        if like is not None and kernel.ndim >= 3 and like.ndim == kernel.ndim + 1:
            n = like.shape[2]
            grown = torch.zeros(*kernel.shape[:2], n, *kernel.shape[2:], dtype=kernel.dtype)
            grown[:, :, n // 2] = kernel
            weights[name] = grown
    return weights
