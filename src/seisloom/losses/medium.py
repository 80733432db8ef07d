"""What a wavefield moves in: velocities, steps and sources, from a batch or from the keys of a recipe.

Fields of the batch; where it does not have one, the recipe's key of that name stands for it. *space* is (depth, x) for
movies; for a zero-offset VSP it is depth, and each line is an item:

    velocity_m_s  (item, depth, x) or (item, line, depth): c in m/s
    dz_m, dx_m    (item,): steps of depth and of x in m
    dt_s          (item,): step of time in s; else 1 / fs_hz
    source_mask   as velocity_m_s or as the output: 1 where a source acts or the equation is not known to hold
                  (absorbing layers, rows at a free surface, cells nobody knows): these do not count; optional
    source        as the output: s of u_tt = c^2 lap u + s, in units of u / s^2; optional
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from seisloom.errors import RecipeError
from seisloom.losses.wavefield import Grid

Axes = Literal["time_depth_x", "depth_x_time", "depth_time"]


class Medium(NamedTuple):
    """Of a movie u (item, time, *space)."""

    velocity: Tensor
    """(item, *space) in m/s."""
    grid: Grid
    source: Tensor | None
    """Of the movie's shape; None for none."""
    where: Tensor | None
    """bool of the residual's shape, where the equation counts; None for everywhere."""


def as_movie(values: Tensor, axes: Axes, what: str) -> Tensor:
    """Return a field as (item, time, *space), a view; lines of a VSP become items."""
    n_axes = (3, 4) if axes == "depth_time" else (4,)
    if values.ndim not in n_axes:
        raise RecipeError(
            f"{what} has shape {tuple(values.shape)}; with axes: {axes} it has {n_axes[-1]} axes, the first being items"
        )
    if axes == "time_depth_x":
        return values
    if axes == "depth_time":
        values = values.reshape(-1, *values.shape[-2:])
    return values.movedim(-1, 1)


def velocity_of(u: Tensor, batch: Mapping[str, Tensor], key: float | Sequence[float] | None) -> Tensor | None:
    """Return c in m/s of a movie, (item, *space); None where neither batch nor recipe has it.

    Raises:
        RecipeError: if its shape is another one, or a value is not above 0.
    """
    space = u.shape[2:]
    if "velocity_m_s" in batch:
        velocity = batch["velocity_m_s"].to(u)
        if velocity.numel() != len(u) * space.numel():
            raise RecipeError(
                f"loss wave_equation: velocity_m_s has shape {tuple(velocity.shape)}, the field {tuple(space)} cells "
                f"in each of {len(u)} items. Give both on one grid"
            )
        velocity = velocity.reshape(-1, *space)
    elif key is None:
        return None
    else:
        velocity = u.new_tensor(key).reshape(1, -1, *[1] * (len(space) - 1))
        if velocity.shape[1] not in (1, space[0]):
            raise RecipeError(
                f"loss wave_equation: velocity_m_s has {velocity.shape[1]} depths, the field {space[0]}. Give one "
                "value, or one for each depth"
            )
        velocity = velocity.expand(len(u), *space)
    if not bool(((velocity > 0) & torch.isfinite(velocity)).all()):
        raise RecipeError("loss wave_equation: velocity_m_s has values that are not above 0, or not finite. Fill them")
    return velocity


def step_of_time(u: Tensor, batch: Mapping[str, Tensor], key: float | None) -> Tensor:
    """Return dt in s of each item of a movie, (item,)."""
    if "dt_s" not in batch and "fs_hz" in batch:
        return 1 / spacing(u, batch, "fs_hz", None)
    return spacing(u, batch, "dt_s", key)


def spacing(u: Tensor, batch: Mapping[str, Tensor], name: str, key: float | None) -> Tensor:
    """Return a step of each item of a movie, (item,); lines that became items have that of their item.

    Raises:
        RecipeError: if neither batch nor recipe has it.
    """
    given = batch.get(name, key)
    if given is None:
        raise RecipeError(f"loss wave_equation: neither batch nor recipe has {name}. Give it: dt in s, spacings in m")
    step = torch.as_tensor(given, dtype=u.dtype, device=u.device).reshape(-1)
    return step.repeat_interleave(len(u) // len(step))
