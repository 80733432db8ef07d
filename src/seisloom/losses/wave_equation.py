"""The wave equation as a loss term, for wavefields that are known over all axes along which they vary.

Those are movies u(t, z, x) of simulations, of laboratories or of dense borehole arrays, and zero-offset VSP or borehole
fibre u(t, z), where waves go up and down alone. See `seisloom.losses.medium` for the fields of the batch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import torch
from pydantic import Field, PositiveFloat, PrivateAttr
from torch import Tensor

from seisloom.config import LossTerm
from seisloom.errors import RecipeError
from seisloom.losses.medium import Medium, as_movie, spacing, step_of_time, velocity_of
from seisloom.losses.stencils import inner, radius
from seisloom.losses.wave_checks import (
    GATHER,
    INSTEAD,
    check_courant,
    check_offsets,
    check_sampling,
    check_truth,
)
from seisloom.losses.wavefield import Grid, relative_residual, wave_residual


class WaveEquationLoss(LossTerm):
    """Residual of the acoustic wave equation with variable velocity, over the field's own acceleration, squared.

    0 for a solution, (1.1^2 - 1)^2 = 0.044 where all velocities are 10 % too high, about 1 for noise; it has no unit
    and knows no amplitude. Its root is the relative error. Surface gathers are refused.
    """

    name: str = "wave_equation"
    output: str = "clean"
    """Name of the output, and of its truth if the batch has it."""
    axes: Literal["time_depth_x", "depth_x_time", "depth_time"] = "time_depth_x"
    """Axes of the output after the item: a movie; a movie as cubes have it (line is depth, trace is x); or a
    zero-offset VSP in each line (trace is depth)."""
    velocity_m_s: PositiveFloat | tuple[PositiveFloat, ...] | None = None
    """c in m/s where the batch has none: one for all, or one for each depth."""
    dz_m: float | None = Field(None, gt=0)
    """Step of depth in m where the batch has none."""
    dx_m: float | None = Field(None, gt=0)
    """Step of x in m where the batch has none."""
    dt_s: float | None = Field(None, gt=0)
    """Step of time in s where the batch has neither dt_s nor fs_hz."""
    space_order: Literal[2, 4, 8] = 8
    """Order of accuracy of the differences in space."""
    time_order: Literal[2, 4] = 4
    """Order of accuracy of the differences in time."""
    margin_cells: int = Field(0, ge=0)
    """Cells along each edge of space that do not count: absorbing layers."""
    max_hz: float | None = Field(None, gt=0)
    """Highest frequency, for the check of the grid; None for that below which 95 % of the truth's power lies."""
    largest_floor: float = Field(0.1, gt=0)
    """Largest residual that stencils may give the truth; with more the term is refused."""
    largest_of_truth: float = Field(0.5, gt=0)
    """Largest residual of the truth itself, where the batch has it; with more the term is refused."""
    _is_checked: bool = PrivateAttr(default=False)

    def __call__(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return the mean over items of <r^2> / <(D_tt u)^2>.

        Grid and truth are looked at in the first batch, and the floor is logged; units in each batch.

        Raises:
            RecipeError: for a surface gather, a movie without velocities or steps, c dt / h above 1, a grid that is too
                coarse, or a truth that does not obey the equation.
        """
        u = self._movie(outputs[self.output])
        # Second differences of half precision are rounding alone
        u = u.float() if u.dtype.itemsize < 4 else u
        medium = self._medium(u, batch)
        check_courant(medium.velocity, medium.grid)
        if not self._is_checked:
            self._check(u.detach(), medium, batch)
            self._is_checked = True
        residual, u_tt = wave_residual(u, medium.velocity, medium.grid, source=medium.source)
        return relative_residual(residual, u_tt, medium.where).mean()

    def _movie(self, values: Tensor) -> Tensor:
        """The field as (item, time, *space); one on which the stencils do not fit is refused."""
        u = as_movie(values, self.axes, f"loss {self.name}: output {self.output!r}")
        least = (2 * radius(self.time_order), *[2 * max(radius(self.space_order), self.margin_cells)] * (u.ndim - 2))
        if any(n <= most for n, most in zip(u.shape[1:], least, strict=True)):
            raise RecipeError(
                f"loss {self.name}: as {self.axes}, output {self.output!r} {tuple(values.shape)} has "
                f"{tuple(u.shape[1:])} samples in time and space, and the stencils need more than {least}. If it is a "
                f"gather: {GATHER}. {INSTEAD}"
            )
        return u

    def _medium(self, u: Tensor, batch: Mapping[str, Tensor]) -> Medium:
        velocity = velocity_of(u, batch, self.velocity_m_s)
        if velocity is None:
            raise RecipeError(
                f"loss {self.name}: neither batch nor recipe has velocity_m_s. Without it there is no wave equation; "
                f"and {GATHER}. {INSTEAD}"
            )
        steps = [spacing(u, batch, "dz_m", self.dz_m)]
        if u.ndim == 4:
            steps.append(spacing(u, batch, "dx_m", self.dx_m))
        if self.axes != "time_depth_x" and "offset_m" in batch:
            check_offsets(batch["offset_m"], steps[0], depth_axis=2 if self.axes == "depth_time" else 1)
        grid = Grid(step_of_time(u, batch, self.dt_s), tuple(steps), self.space_order, self.time_order)
        source = self._movie(batch["source"].to(u)) if "source" in batch else None
        return Medium(velocity, grid, source, self._where(u, batch))

    def _where(self, u: Tensor, batch: Mapping[str, Tensor]) -> Tensor | None:
        """Where the equation counts, of the residual's shape; None for everywhere."""
        if "source_mask" not in batch and not self.margin_cells:
            return None
        counts = torch.ones_like(u, dtype=torch.bool)
        if "source_mask" in batch:
            mask = batch["source_mask"] > 0
            is_movie = mask.numel() == u.numel()
            counts = ~(self._movie(mask) if is_movie else mask.reshape(-1, 1, *u.shape[2:]).expand_as(u))
        counts = inner(counts, 1, radius(self.time_order))
        for axis in range(2, u.ndim):
            reach = radius(self.space_order)
            place = torch.arange(reach, u.shape[axis] - reach, device=u.device)
            kept = (place >= self.margin_cells) & (place < u.shape[axis] - self.margin_cells)
            counts = inner(counts, axis, reach) & kept.reshape(-1, *[1] * (u.ndim - 1 - axis))
        return counts

    def _check(self, u: Tensor, medium: Medium, batch: Mapping[str, Tensor]) -> None:
        has_truth = self.output in batch and bool((batch.get("known", u.new_ones(1)) > 0).all())
        truth = self._movie(batch[self.output]).to(u) if has_truth else u
        # An untrained network's output is noise, for which no grid is fine enough
        largest = self.largest_floor if has_truth else math.inf
        check_sampling(truth, medium.velocity, medium.grid, max_hz=self.max_hz, largest_floor=largest)
        if has_truth:
            check_truth(truth, medium, largest=self.largest_of_truth)
