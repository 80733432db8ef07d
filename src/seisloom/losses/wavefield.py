"""The acoustic wave equation on a grid: residual of a wavefield movie, and how small it can be for a true one.

    u_tt = c^2 (u_zz + u_xx) + s

holds for pressure in a medium of constant density, c in front of the Laplacian; it may jump from cell to cell.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seisloom.losses.stencils import Order, gain, inner, radius, second_difference, symbol

N_ANGLES = 13
"""Directions between one axis and the next along which dispersion is looked at."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Steps of a movie u (item, time, *space) in time and space, and the stencils that are laid over it."""

    dt_s: Tensor
    """Step of time of each item in s, (item,)."""
    spacing_m: tuple[Tensor, ...]
    """Step of each axis of space of each item in m, (item,) each."""
    space_order: Order = 8
    time_order: Order = 4


def wave_residual(u: Tensor, velocity: Tensor, grid: Grid, *, source: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return the residual of the wave equation times dt^2, and D_tt u, both where all stencils fit.

    r = D_tt u - sum over axes of (c dt / h)^2 D_hh u - dt^2 s, with D the stencils without their steps: all terms have
    the unit of u and the size of (omega dt)^2 u, whatever the units of length and time.

    Args:
        u: (item, time, *space), one to three axes of space.
        velocity: c in m/s, (item, *space).
        grid: its steps and stencils.
        source: s in units of u / s^2, of u's shape; None for none.
    Returns:
        Two tensors (item, time, *space), `time_order` samples shorter in time and `space_order` in each axis of space.
    """
    in_time, in_space = radius(grid.time_order), radius(grid.space_order)
    axes = range(2, u.ndim)

    def inside(values: Tensor, but: int | None = None) -> Tensor:
        for axis in axes:
            values = values if axis == but else inner(values, axis, in_space)
        return values

    u_tt = inside(second_difference(u, 1, grid.time_order))
    courant = inside(velocity[:, None] * _along(grid.dt_s, u))
    residual = u_tt
    for axis, h in zip(axes, grid.spacing_m, strict=True):
        bent = second_difference(inner(inside(u, but=axis), 1, in_time), axis, grid.space_order)
        residual = residual - (courant / _along(h, u)) ** 2 * bent
    if source is not None:
        residual = residual - _along(grid.dt_s, u) ** 2 * inside(inner(source, 1, in_time))
    return residual, u_tt


def relative_residual(residual: Tensor, u_tt: Tensor, where: Tensor | None = None) -> Tensor:
    """Return <r^2> / <(D_tt u)^2> of each item: 0 for a solution, about 1 for noise, of no unit.

    Both are means over the same places. Neither is held fixed for the gradient, which is therefore at right angles to
    u: making the field fainter does not make the term smaller.

    Args:
        residual, u_tt: (item, time, *space), see `wave_residual`.
        where: bool of their shape, the places that count; None for all.
    Returns:
        (item,); 0, with a gradient of 0, where a field does not move at all.
    """
    over, under = (_energy(one, where) for one in (residual, u_tt))
    moves = under > 0
    return torch.where(moves, over / torch.where(moves, under, torch.ones_like(under)), torch.zeros_like(over))


def best_velocity_factor(residual: Tensor, u_tt: Tensor, where: Tensor | None = None) -> Tensor:
    """Return by how much all velocities would have to be multiplied for a field to fit best, (item,); NaN if never."""
    bent = u_tt - residual
    both = (bent * u_tt if where is None else torch.where(where, bent * u_tt, 0.0)).flatten(1).sum(1)
    return (both / _energy(bent, where)).sqrt()


def power_spectrum(u: Tensor, dt_s: Tensor) -> tuple[Tensor, Tensor]:
    """Return frequencies in Hz and the power of a movie in time, summed over space, (item, frequency) each.

    A window in time, the square of Hann's, keeps what is cut off at the movie's ends from looking like high
    frequencies: it leaks 30 dB an octave, less than what the factor omega^4 of a residual makes up for.
    """
    n = u.shape[1]
    window = torch.hann_window(n + 2, periodic=False, dtype=u.dtype, device=u.device)[1:-1].square()
    spectrum = torch.fft.rfft(u * window.reshape(-1, *[1] * (u.ndim - 2)), dim=1).abs().square().flatten(2).sum(2)
    hz = torch.arange(spectrum.shape[1], device=u.device) / (n * dt_s[:, None])
    return hz, spectrum


def upper_frequency(hz: Tensor, power: Tensor, share: float = 0.95) -> Tensor:
    """Return the frequency in Hz below which this share of the power lies, (item,); 0 for a field that is 0."""
    below = (power.cumsum(1) < share * power.sum(1, keepdim=True)).sum(1, keepdim=True)
    return hz.gather(1, below.clamp(max=hz.shape[1] - 1))[:, 0]


def dispersion(hz: Tensor, velocity_m_s: Tensor, grid: Grid) -> Tensor:
    """Return |r| / |D_tt u| of true plane waves: the worst over directions and over the given velocities.

    To leading order, of order 2 in time and in space: |(k h)^2 - (omega dt)^2| / 12.

    Args:
        hz: (item, frequency), above 0.
        velocity_m_s: velocities of each item, (item, velocity).
        grid: steps and stencils.
    Returns:
        (item, frequency).
    """
    omega_dt = 2 * math.pi * hz * grid.dt_s[:, None]
    exact = symbol(omega_dt, grid.time_order)
    worst = torch.zeros_like(exact)
    for direction, c in itertools.product(_directions(len(grid.spacing_m)), velocity_m_s.unbind(1)):
        bent = torch.zeros_like(exact)
        for cosine, h in zip(direction, grid.spacing_m, strict=True):
            courant = (c * grid.dt_s / h)[:, None]
            bent = bent + courant**2 * symbol(omega_dt * cosine / courant, grid.space_order)
        worst = torch.maximum(worst, (exact - bent).abs() / exact)
    return worst


def dispersion_floor(u: Tensor, velocity: Tensor, grid: Grid, *, max_hz: float | None = None) -> Tensor:
    """Return the root of the relative residual that a true field of this spectrum may have, (item,).

    What stencils and the rounding of stored numbers do, the worst over directions and velocities: no residual below
    it says anything about the field.

    Args:
        u: (item, time, *space), the field whose spectrum counts.
        velocity: c in m/s, (item, *space).
        grid: steps and stencils.
        max_hz: frequency above which power does not count; None for none.
    """
    hz, power = power_spectrum(u, grid.dt_s)
    power = power if max_hz is None else torch.where(hz <= max_hz, power, torch.zeros_like(power))
    hz, heard = hz[:, 1:], power[:, 1:]
    c = velocity.flatten(1)
    error = dispersion(hz, torch.stack([c.amin(1), c.amax(1)], dim=1), grid)
    curved = heard * symbol(2 * math.pi * hz * grid.dt_s[:, None], grid.time_order).square()
    total = curved.sum(1)
    moves = total > 0
    rounding = (torch.finfo(u.dtype).eps * gain(grid.time_order)) ** 2 * power.sum(1)
    over = (curved * error.square()).sum(1) + rounding
    return torch.where(moves, over / torch.where(moves, total, torch.ones_like(total)), torch.zeros_like(total)).sqrt()


def _along(values: Tensor, like: Tensor) -> Tensor:
    """Values (item,) with an axis of 1 for each axis of a movie."""
    return values.reshape(-1, *[1] * (like.ndim - 1))


def _energy(values: Tensor, where: Tensor | None) -> Tensor:
    squares = values.square()
    return (squares if where is None else torch.where(where, squares, torch.zeros_like(squares))).flatten(1).sum(1)


def _directions(n_axes: int) -> Sequence[tuple[float, ...]]:
    """Unit vectors over a quadrant or an octant, axes and diagonals among them."""
    angles = [0.5 * math.pi * k / (N_ANGLES - 1) for k in range(N_ANGLES)]
    if n_axes == 1:
        return [(1.0,)]
    flat = [(math.cos(a), math.sin(a)) for a in angles]
    if n_axes == 2:
        return flat
    return [(up, across * x, across * y) for (up, across), (x, y) in itertools.product(flat, flat)]
