"""A network from place and time to a wavefield, and with it a velocity model, taught by the wave equation itself.

As a solver of known equations it loses to finite differences by orders of magnitude. It is of use where these do not
work: receivers at any places, gaps, and a velocity that is to be found with the field.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from seisloom.errors import DataError


class Domain(NamedTuple):
    """Where a field is described, and the units that coordinates are taken off by."""

    space_m: tuple[tuple[float, float], ...]
    """First and last place of each axis of space in m; one to three axes."""
    time_s: tuple[float, float]
    """First and last time in s."""

    @property
    def length_m(self) -> float:
        """L, the longest side: all axes of space have one unit, or the Laplacian would not be one."""
        return max(last - first for first, last in self.space_m)

    @property
    def duration_s(self) -> float:
        """T, from the first time to the last."""
        return self.time_s[1] - self.time_s[0]


class FourierFeatures(nn.Module):
    """sin and cos of random projections of coordinates, without which a network learns low wavenumbers alone.

    Source: Tancik et al. (2020), arXiv 2006.10739, equation 5.
    """

    angular: Tensor

    def __init__(self, cycles: Sequence[float], n_features: int, seed: int) -> None:
        """Draw frequencies evenly from the ball that has these half axes, in cycles over the domain."""
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        drawn = 2 * torch.rand(n_features, len(cycles), dtype=torch.float64, generator=generator) - 1
        angular = 2 * math.pi * drawn * torch.tensor(cycles, dtype=torch.float64)
        self.register_buffer("angular", angular.to(torch.get_default_dtype()))

    def forward(self, places: Tensor) -> Tensor:
        """Return (point, 2 n_features) of coordinates (point, axis)."""
        phase = places @ self.angular.T
        return torch.cat([phase.sin(), phase.cos()], dim=-1)


class PinnWavefield(nn.Module):
    """A wavefield u(place, time) and a velocity c(place), in coordinates without units: x / L, t / T, c T / L."""

    velocity_limits: Tensor
    """Smallest and largest c T / L."""
    origin: Tensor
    unit: Tensor

    def __init__(
        self,
        domain: Domain,
        *,
        max_hz: float,
        velocity_m_s: float | tuple[float, float],
        width: int = 64,
        depth: int = 2,
        n_features: int = 64,
        n_velocity_features: int = 16,
        seed: int = 0,
    ) -> None:
        """Build the network, untrained.

        Args:
            domain: places and times.
            max_hz: highest frequency of the field; with the slowest velocity it bounds the wavenumbers.
            velocity_m_s: c in m/s if it is known and constant; or the smallest and the largest, between which c(place)
                is learnt.
            width, depth: of the hidden layers of the field.
            n_features: Fourier features of the field.
            n_velocity_features: of the velocity, which are of one cycle over the domain at most: c is smooth.
            seed: of features and weights; the global generator is left as it was.
        Raises:
            DataError: if limits are not above 0 and rising, or the domain is empty.
        """
        super().__init__()
        low, high = (velocity_m_s, velocity_m_s) if isinstance(velocity_m_s, float | int) else velocity_m_s
        if not 0 < low <= high or not max_hz > 0:
            raise DataError(f"velocity {velocity_m_s} m/s must be above 0 and rise, max_hz {max_hz} be above 0")
        if not domain.length_m > 0 or not domain.duration_s > 0:
            raise DataError(f"the domain {domain.space_m} m, {domain.time_s} s is empty")
        self.domain, self.is_known = domain, low == high
        scale = domain.duration_s / domain.length_m
        self.register_buffer("velocity_limits", torch.tensor([low * scale, high * scale]))
        self.register_buffer("origin", torch.tensor([*(first for first, _ in domain.space_m), domain.time_s[0]]))
        self.register_buffer("unit", torch.tensor([*[domain.length_m] * len(domain.space_m), domain.duration_s]))
        n_axes = len(domain.space_m)
        cycles = [max_hz / low * domain.length_m] * n_axes + [max_hz * domain.duration_s]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.field = _mlp(FourierFeatures(cycles, n_features, seed), 2 * n_features, width, depth)
            # A constant velocity that is not known would be learnt by the last bias alone
            features = FourierFeatures([1.0] * n_axes, n_velocity_features, seed + 1)
            self.log_odds = _mlp(features, 2 * n_velocity_features, 32, 1)
        nn.init.zeros_(self.log_odds[-1].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.log_odds[-1].bias)  # type: ignore[arg-type]

    def scaled(self, points: Tensor) -> Tensor:
        """Return points (point, *space and time) in m and s as coordinates without units."""
        scaled: Tensor = (points - self.origin) / self.unit
        return scaled

    def forward(self, points: Tensor) -> Tensor:
        """Return u at points (point, *space and time) in m and s, (point,)."""
        return self.of_scaled(self.scaled(points))

    def of_scaled(self, scaled: Tensor) -> Tensor:
        """Return u at coordinates without units, (point,)."""
        u: Tensor = self.field(scaled)[:, 0]
        return u

    def velocity(self, places: Tensor) -> Tensor:
        """Return c in m/s at places (point, *space) in m, (point,), within its limits."""
        at = (places - self.origin[:-1]) / self.unit[:-1]
        return self.scaled_velocity(at) * (self.domain.length_m / self.domain.duration_s)

    def scaled_velocity(self, at: Tensor) -> Tensor:
        """Return c T / L at places x / L, (point,): a sigmoid keeps it within its limits."""
        low, high = self.velocity_limits
        if self.is_known:
            return low.expand(len(at))
        share: Tensor = torch.sigmoid(self.log_odds(at)[:, 0])
        return low + (high - low) * share

    def residual(self, scaled: Tensor) -> Tensor:
        """Return u_tt - (c T / L)^2 lap u at coordinates without units, (point,), by differentiating the network.

        Args:
            scaled: (point, *space and time), without gradient; it is not changed.
        """
        at = scaled.detach().clone().requires_grad_()
        u = self.of_scaled(at)
        (slope,) = torch.autograd.grad(u.sum(), at, create_graph=True)
        bent = [
            torch.autograd.grad(slope[:, axis].sum(), at, create_graph=True)[0][:, axis] for axis in range(at.shape[1])
        ]
        laplacian = torch.stack(bent[:-1]).sum(0)
        return bent[-1] - self.scaled_velocity(scaled[:, :-1]).square() * laplacian


def _mlp(features: nn.Module, n_in: int, width: int, depth: int) -> nn.Sequential:
    layers: list[nn.Module] = [features]
    for _ in range(depth):
        layers += [nn.Linear(n_in, width), nn.Tanh()]
        n_in = width
    return nn.Sequential(*layers, nn.Linear(n_in, 1))
