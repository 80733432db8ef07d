"""Networks of coordinates: random sines and cosines, hidden layers, and a last layer that sees both."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class FourierFeatures(nn.Module):
    """sin and cos of random projections of coordinates, without which a network learns low wavenumbers alone.

    Source: Tancik et al. (2020), arXiv 2006.10739, equation 5.
    """

    angular: Tensor

    def __init__(self, angular: Tensor) -> None:
        """Take angular frequencies, (feature, axis), in radians a unit of the coordinates."""
        super().__init__()
        self.register_buffer("angular", angular.to(torch.get_default_dtype()))

    def forward(self, places: Tensor) -> Tensor:
        """Return (point, 2 n_features) of coordinates (point, axis)."""
        phase = places @ self.angular.T
        return torch.cat([phase.sin(), phase.cos()], dim=-1)


def evenly(cycles: Sequence[float], n: int, generator: torch.Generator) -> Tensor:
    """Return n angular frequencies (feature, axis), drawn evenly between + and - these cycles a unit, axis by axis."""
    drawn = 2 * torch.rand(n, len(cycles), dtype=torch.float64, generator=generator) - 1
    return 2 * math.pi * drawn * torch.tensor(cycles, dtype=torch.float64)


def of_plane_waves(
    cycles: float, velocity: tuple[float, float], n_axes: int, n: int, generator: torch.Generator
) -> Tensor:
    """Return n angular frequencies (feature, space and time) of plane waves, |k| = omega / c, in all directions.

    Args:
        cycles: most cycles a unit of time.
        velocity: smallest and largest c, in units of length a unit of time; drawn evenly between.
        n_axes: axes of space.
        n: waves.
        generator: of their draws.
    """
    omega = 2 * math.pi * cycles * torch.rand(n, 1, dtype=torch.float64, generator=generator)
    away = torch.randn(n, n_axes, dtype=torch.float64, generator=generator)
    low, high = velocity
    c = low + (high - low) * torch.rand(n, 1, dtype=torch.float64, generator=generator)
    return torch.cat([away / away.norm(dim=1, keepdim=True) * omega / c, omega], dim=1)


class _WithInput(nn.Module):
    """Layers whose input stands beside their output, so that a sum of waves needs no hidden layer."""

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, values: Tensor) -> Tensor:
        return torch.cat([values, self.layers(values)], dim=-1)


def fourier_mlp(features: FourierFeatures, width: int, depth: int) -> nn.Sequential:
    """Return a network of one output: features, hidden layers of tanh, and a linear layer that sums both."""
    n_in = 2 * len(features.angular)
    layers: list[nn.Module] = []
    for k in range(depth):
        layers += [nn.Linear(width if k else n_in, width), nn.Tanh()]
    return nn.Sequential(features, _WithInput(nn.Sequential(*layers)), nn.Linear(n_in + width, 1))
