"""A network from place and time to a wavefield, and with it a velocity model, taught by the wave equation itself.

As a solver of known equations it loses to finite differences by orders of magnitude. It is of use where these do not
work: receivers at any places, gaps, and a velocity that is to be found with the field.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from seisloom.errors import DataError
from seisloom.nn.fourier import FourierFeatures, evenly, fourier_mlp, of_plane_waves


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
        width: int = 32,
        depth: int = 1,
        n_features: int = 128,
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
            n_features: Fourier features of the field: half are plane waves of a velocity within the limits, half any.
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
        in_time = max_hz * domain.duration_s
        generator = torch.Generator().manual_seed(seed)
        n_waves = n_features // 2
        waves = of_plane_waves(in_time, (low * scale, high * scale), n_axes, n_waves, generator)
        others = evenly([in_time / (low * scale)] * n_axes + [in_time], n_features - n_waves, generator)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.field = fourier_mlp(FourierFeatures(torch.cat([waves, others])), width, depth)
            # A constant velocity that is not known would be learnt by the last bias alone
            smooth = evenly([1.0] * n_axes, n_velocity_features, generator)
            self.log_odds = fourier_mlp(FourierFeatures(smooth), 32, 1)
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

    def hidden(self, scaled: Tensor) -> Tensor:
        """Return what the last layer sums, and 1 for its bias, (point, width + 1)."""
        features: Tensor = self.field[:-1](scaled)
        return torch.cat([features, torch.ones_like(features[:, :1])], dim=1)

    def velocity(self, places: Tensor) -> Tensor:
        """Return c in m/s at places (point, *space) in m, (point,), within its limits."""
        at = (places - self.origin[:-1]) / self.unit[:-1]
        c: Tensor = self.scaled_velocity(at) * (self.domain.length_m / self.domain.duration_s)
        return c

    def scaled_velocity(self, at: Tensor) -> Tensor:
        """Return c T / L at places x / L, (point,): a sigmoid keeps it within its limits."""
        low, high = self.velocity_limits.unbind()
        if self.is_known:
            return low.expand(len(at))
        share: Tensor = torch.sigmoid(self.log_odds(at)[:, 0])
        return low + (high - low) * share

    def residual(self, scaled: Tensor) -> Tensor:
        """Return u_tt - (c T / L)^2 lap u at coordinates without units, (point,), by differentiating the network."""
        return self.wave_operator(self.of_scaled, scaled)

    def wave_operator(self, function: Callable[[Tensor], Tensor], scaled: Tensor) -> Tensor:
        """Return f_tt - (c T / L)^2 lap f of any f from coordinates (point, axis) to (point, ...)."""
        *bent, in_time = (_second_derivative(function, scaled, axis) for axis in range(scaled.shape[1]))
        laplacian = torch.stack(bent).sum(0)
        squared = self.scaled_velocity(scaled[:, :-1]).square()
        residual: Tensor = in_time - squared.reshape(-1, *[1] * (laplacian.ndim - 1)) * laplacian
        return residual


def _second_derivative(function: Callable[[Tensor], Tensor], at: Tensor, axis: int) -> Tensor:
    """Derivative of a derivative, forward: all outputs at once, and far fewer operations than backward twice."""
    along = torch.zeros_like(at)
    along[:, axis] = 1.0

    def slope(places: Tensor) -> Tensor:
        found: Tensor = torch.func.jvp(function, (places,), (along,))[1]
        return found

    bent: Tensor = torch.func.jvp(slope, (at,), (along,))[1]
    return bent
