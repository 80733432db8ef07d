"""Whether a residual of the wave equation means anything for given data: units, sampling, and the truth itself."""

from __future__ import annotations

import logging

import torch
from torch import Tensor

from seisloom.errors import RecipeError
from seisloom.losses.medium import Medium
from seisloom.losses.stencils import Order
from seisloom.losses.wavefield import (
    Grid,
    best_velocity_factor,
    dispersion_floor,
    power_spectrum,
    relative_residual,
    upper_frequency,
    wave_residual,
)

logger = logging.getLogger("seisloom")

LEAST_CFL = 1e-3
"""Below, a wave needs a thousand steps for a cell: no simulation is stored so, and a slip of units is likely."""
LEAST_POINTS: dict[Order, float] = {2: 12.0, 4: 8.0, 8: 6.0}
"""Cells in the shortest wavelength from which on a stencil errs by less than 2.3, 0.4 and 0.05 %."""
MOST_LEAN = 0.2
"""Change of offset over change of depth up to which a line of receivers counts as vertical."""
GATHER = (
    "a surface gather (trace, time) obeys no wave equation of its own: for a plane wave that arrives at the angle "
    "theta from the vertical, u_tt - c^2 u_xx = cos^2(theta) u_tt = c^2 u_zz; that is not 0 and was not recorded, and "
    "minimising it turns reflections into waves that travel along the surface"
)
INSTEAD = (
    "Take plane_wave, fk_cone or moveout for gathers; for a wavefield movie or a zero-offset VSP give `axes` and "
    "`velocity_m_s`"
)


def check_courant(velocity: Tensor, grid: Grid) -> None:
    """Refuse c dt / h above 1, and warn where it is below 1e-3.

    Raises:
        RecipeError: in one step a wave would cross a cell; nearly always a slip of units.
    """
    c = velocity.flatten(1).amax(1)
    courant = torch.stack([c * grid.dt_s / h for h in grid.spacing_m]).amax(0)
    i = int(courant.argmax())
    steps = (
        f"c = {float(c[i]):.4g} m/s, dt = {float(grid.dt_s[i]):.4g} s, "
        f"h = {' and '.join(f'{float(h[i]):.4g}' for h in grid.spacing_m)} m"
    )
    if not float(courant[i]) <= 1:
        raise RecipeError(
            f"loss wave_equation: c dt / h is {float(courant[i]):.4g}, above 1 ({steps}): a wave would cross a cell in "
            "one step. Look at the units: dt in s and not ms, c in m/s, spacings in m and not km"
        )
    if float(courant.amin()) < LEAST_CFL:
        logger.warning(
            "wave_equation: c dt / h is only %.2g (fastest item: %s). Look at the units: c in m/s and not km/s, "
            "dt in s, spacings in m", float(courant.amin()), steps,
        )  # fmt: skip


def check_sampling(u: Tensor, velocity: Tensor, grid: Grid, *, max_hz: float | None, largest_floor: float) -> Tensor:
    """Log the dispersion floor of a field on this grid, and return it, (item,).

    Args:
        u: (item, time, *space), a field with the spectrum that is wanted.
        velocity: (item, *space) in m/s.
        grid: steps and stencils.
        max_hz: highest frequency; None for that below which 95 % of the power of u lies.
        largest_floor: of the root of the relative residual that a true field may have.
    Raises:
        RecipeError: if stencils make a larger error than that.
    """
    hz = upper_frequency(*power_spectrum(u, grid.dt_s)) if max_hz is None else torch.full_like(grid.dt_s, max_hz)
    wide = torch.stack([h.to(hz) for h in grid.spacing_m]).amax(0)
    points = velocity.flatten(1).amin(1) / (hz * wide)
    floor = dispersion_floor(u, velocity, grid, max_hz=max_hz)
    i = int(floor.argmax())
    logger.info(
        "wave_equation: a true field has a residual of up to %.2g %% (root of the term: %.2g) with stencils of order "
        "%d in space and %d in time, at %.3g cells in the shortest wavelength (%.3g Hz); no value below says anything",
        100 * float(floor[i]), float(floor[i]), grid.space_order, grid.time_order, float(points[i]), float(hz[i]),
    )  # fmt: skip
    if float(floor[i]) > largest_floor:
        raise RecipeError(
            f"loss wave_equation: the stencils alone give a true field a residual of {float(floor[i]):.2g}, above "
            f"largest_floor {largest_floor:.2g}; a velocity wrong by 5 % gives 0.1. There are {float(points[i]):.2g} "
            f"cells in the shortest wavelength at {float(hz[i]):.3g} Hz. Look at the units (c in m/s), or take a finer "
            "grid, a higher space_order or time_order, or lower frequencies"
        )
    least = LEAST_POINTS[grid.space_order]
    if float(points.amin()) < least:
        logger.warning(
            "wave_equation: %.2g cells in the shortest wavelength are fewer than the %g that order %d wants",
            float(points.amin()), least, grid.space_order,
        )  # fmt: skip
    return floor


def check_truth(truth: Tensor, medium: Medium, *, largest: float) -> None:
    """Refuse a wave equation that the truth itself does not obey.

    Args:
        truth: (item, time, *space).
        medium: what it moves in.
        largest: of the root of the truth's relative residual, in the median item.
    Raises:
        RecipeError: if it is larger; with the velocity that would fit best, which tells what is wrong.
    """
    residual, u_tt = wave_residual(truth, medium.velocity, medium.grid, source=medium.source)
    root = float(relative_residual(residual, u_tt, medium.where).sqrt().median())
    logger.info("wave_equation: the truth itself has a residual of %.2g (root of the term)", root)
    if root > largest:
        factor = float(best_velocity_factor(residual, u_tt, medium.where).nanmedian())
        raise RecipeError(
            f"loss wave_equation: the truth itself misses the equation by {root:.2g} (0 is a solution, 1 noise), above "
            f"largest_of_truth {largest:.2g}; velocities x {factor:.3g} would fit best. Look at dt, spacings and "
            f"velocities, hide sources and absorbing edges (source_mask, margin_cells); if this is a gather: {GATHER}"
        )


def check_offsets(offset_m: Tensor, dz_m: Tensor, *, depth_axis: int) -> None:
    """Refuse a gather whose offsets change along what is said to be depth.

    Args:
        offset_m: (item, line, trace) in m, NaN unknown.
        dz_m: step of depth of each item in m.
        depth_axis: which of its axes is depth.
    Raises:
        RecipeError: if they change by more than a fifth of the depths: the line leaves the vertical by 11 degrees.
    """
    known = torch.isfinite(offset_m)
    low = torch.where(known, offset_m, torch.inf).amin(depth_axis)
    high = torch.where(known, offset_m, -torch.inf).amax(depth_axis)
    spread, depths = float((high - low).amax()), float(dz_m.amin()) * (offset_m.shape[depth_axis] - 1)
    if spread > MOST_LEAN * depths:
        raise RecipeError(
            f"loss wave_equation: offset_m changes by {spread:.4g} m along {depths:.4g} m of what is said to be depth, "
            f"so that this is a surface gather; and {GATHER}. {INSTEAD}"
        )
