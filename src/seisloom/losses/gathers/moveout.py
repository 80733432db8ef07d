"""Reflections along hyperbolas of known velocity, t^2 = t0^2 + x^2 / v(t0)^2, of any offsets.

Its slope is p = x / (t v^2). For gathers over flat layers, with stacking velocities from the user; what is no primary
reflection (direct and surface waves, multiples of another velocity) is not described and has to be muted.
Source: Dix (1955), Geophysics 20(1), 68-86, eq. 1; exact for one layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from pydantic import Field, PositiveFloat, field_validator
from torch import Tensor

from seisloom.config import LossTerm
from seisloom.losses.gathers.panels import offsets_of, panels_of, rate_of, relative, where_else_0
from seisloom.losses.gathers.shifts import moved

N_ROUNDS = 12
"""Of the fixed point of t0; fewer are needed the slower the velocity changes with time."""


def zero_offset_time(time_s: Tensor, offset_m: Tensor, velocity: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Return t0 of the hyperbola through a time at an offset, and its velocity there.

    Args:
        time_s, offset_m: of shapes that stretch to each other.
        velocity: times t0 in s, rising, and v in m/s at them, (point,) each; straight between, constant beyond.
    Returns:
        t0 in s, 0 where no hyperbola leads (before the direct wave), and v in m/s.
    """
    t0 = time_s + 0 * offset_m
    v = _interpolated(t0, velocity)
    for _ in range(N_ROUNDS):
        t0 = (time_s.square() - (offset_m / v).square()).clamp(min=0).sqrt()
        v = _interpolated(t0, velocity)
    return t0, v


def moveout_residual(
    panels: Tensor,
    offset_m: Tensor,
    fs_hz: Tensor,
    velocity: tuple[Tensor, Tensor],
    *,
    start_s: float = 0.0,
    largest_stretch: float = 0.5,
) -> Tensor:
    """Return the relative energy of what changes from trace to trace along hyperbolas.

    Args:
        panels: (panel, trace, time).
        offset_m: (panel, trace) in m, in any order; NaN where not known, which does not count.
        fs_hz: sampling rate in Hz, (panel,).
        velocity: see `zero_offset_time`.
        start_s: time of the first sample after the shot.
        largest_stretch: t / t0 - 1 from which on samples do not count, as a mute: wavelets change their form there.
    Returns:
        A scalar: 0 for reflections of these velocities, about 1 for noise, at any amplitude.
    """
    time = start_s + torch.arange(panels.shape[-1]).to(panels) / fs_hz[:, None, None]
    known = torch.isfinite(offset_m)
    x = torch.where(known, offset_m, torch.zeros_like(offset_m))[..., None]
    t0, v = zero_offset_time(time, x[:, :-1], velocity)
    arrives = (t0.square() + (x[:, 1:] / v).square()).sqrt()
    ahead, within = moved(panels[:, 1:], (arrives - time) * fs_hz[:, None, None])
    is_muted = t0 * (1 + largest_stretch) <= torch.maximum(time, arrives)
    counts = within & ~is_muted & (known[:, 1:] & known[:, :-1])[..., None]
    here, ahead = (where_else_0(one, counts) for one in (panels[:, :-1], ahead))
    return relative(ahead - here, torch.stack([here, ahead], dim=1))


class Moveout(LossTerm):
    """How far reflections of a gather are from hyperbolas of the user's velocity, over their energy."""

    name: str = "moveout"
    output: str = "clean"
    """Name of the output."""
    velocity_m_s: PositiveFloat | tuple[tuple[float, PositiveFloat], ...]
    """Stacking velocity in m/s: one, or pairs of zero-offset time in s and velocity, in order of time."""
    start_s: float = 0.0
    """Time of the first sample after the shot in s."""
    largest_stretch: float = Field(0.5, gt=0)
    """Stretch of wavelets by moveout, t / t0 - 1, from which on samples do not count."""

    @field_validator("velocity_m_s")
    @classmethod
    def _rises(cls, given: float | tuple[tuple[float, float], ...]) -> float | tuple[tuple[float, float], ...]:
        if not isinstance(given, float) and (not given or any(a[0] >= b[0] for a, b in pairwise(given))):
            raise ValueError(f"times of velocity_m_s must rise, not {[pair[0] for pair in given]}")
        return given

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the mean over panels; traces of unknown offset do not count."""
        panels = panels_of(outputs[self.output], f"loss {self.name}: output {self.output!r}")
        pairs = ((0.0, self.velocity_m_s),) if isinstance(self.velocity_m_s, float) else self.velocity_m_s
        t, v = panels.new_tensor(pairs).unbind(1)
        return moveout_residual(
            panels, offsets_of(panels, batch, self.name), rate_of(panels, batch, self.name), (t, v),
            start_s=self.start_s, largest_stretch=self.largest_stretch,
        )  # fmt: skip


def _interpolated(at: Tensor, points: tuple[Tensor, Tensor]) -> Tensor:
    """Values between points (x, y), straight; the outermost ones beyond."""
    x, y = points
    if len(x) == 1:
        return torch.full_like(at, float(y[0]))
    k = torch.searchsorted(x.contiguous(), at.contiguous()).clamp(1, len(x) - 1)
    share = ((at - x[k - 1]) / (x[k] - x[k - 1])).clamp(0, 1)
    return y[k - 1] + share * (y[k] - y[k - 1])
