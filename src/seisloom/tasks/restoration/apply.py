"""Panels and volumes through a predictor: dead traces made, or every trace cleaned, with intervals."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from seisloom.calibration.residuals import ResidualCalibration
from seisloom.errors import DataError, RecipeError, SeisloomError
from seisloom.inference.sweep import Tiling
from seisloom.io.volumes.grid import Grid
from seisloom.sample import Array, Predictor
from seisloom.signal.survey_scale import Scaling
from seisloom.tasks.restoration.from_hidden import hidden_calibration
from seisloom.tasks.restoration.recipe import RestorationRecipe
from seisloom.tasks.restoration.records import Panel
from seisloom.tasks.restoration.see import See, half_width, restore_scaled
from seisloom.tiled import Tiled

logger = logging.getLogger("seisloom")
ACROSS = 64
"""Traces of a volume's tile along each axis; along time it has whole traces, by which dead ones are known."""
COMPLETE = "nothing is missing: it is left as it is"
PRODUCTS = {"clean": "amplitude", "half_width": "half_width"}
"""What is written of each output of a tile."""
SILENT = "all traces are dead: it is left as it is"


@dataclass(frozen=True, slots=True, eq=False)
class Restored:
    """A panel, and what it has become."""

    panel: Panel
    values: Array
    """float32 (line, trace, time), in the amplitudes of the panel."""
    half_width: Array | None = None
    """Half of the interval at the recipe's level, of that shape; 0 where a live trace was kept. None without one."""
    notes: tuple[str, ...] = ()
    """What was met."""


def apply(
    recipe: RestorationRecipe,
    predictor: Predictor,
    calibration: ResidualCalibration | None,
    records: Iterable[Panel],
) -> list[Restored]:
    """Return panels restored, one after the other; what comes out for one does not depend on the others.

    Nothing missing, or nothing live, leaves a panel as it is, and says so. With `apply.uncertainty` and no calibration
    intervals come from live traces of the panel that are hidden and filled. Where a panel has its truth beside it, to
    be scored, a method that fails on it gives NaN with the reason; elsewhere the failure is raised.
    """
    return [_scored_or_raised(recipe, predictor, calibration, one) for one in records]


def _scored_or_raised(
    recipe: RestorationRecipe, predictor: Predictor, calibration: ResidualCalibration | None, panel: Panel
) -> Restored:
    try:
        return _restored(recipe, predictor, calibration, panel)
    except (SeisloomError, ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
        if panel.truth is None:
            raise
        logger.warning("%s: fails, and is scored so: %s", panel.name, error)
        return Restored(panel, np.full_like(panel.values, np.nan), None, (f"{type(error).__name__}: {error}",))


def _restored(
    recipe: RestorationRecipe, predictor: Predictor, calibration: ResidualCalibration | None, panel: Panel
) -> Restored:
    live, said = panel.is_live, recipe.apply
    nothing = np.zeros_like(panel.values) if said.uncertainty else None
    if not live.any():
        return Restored(panel, panel.values, nothing, (SILENT,))
    if said.goal == "fill" and live.all():
        return Restored(panel, panel.values, nothing, (COMPLETE,))
    values = estimate(recipe, predictor, panel.values, live)
    if not np.isfinite(values).all():
        n_bad = int((~np.isfinite(values)).sum())
        raise DataError(f"{panel.name}: the method gives {n_bad} samples that are not finite")
    if said.uncertainty and calibration is None:
        calibration = hidden_calibration(partial(estimate, recipe, predictor), panel.values, live, n=said.hidings)
    if calibration is None:
        return Restored(panel, values)
    return Restored(panel, values, half_width(recipe, calibration, values, panel.values, live))


def estimate(recipe: RestorationRecipe, predictor: Predictor, values: Array, is_live: Array) -> Array:
    """Return restored amplitudes, float32 (line, trace, time); with the goal to fill, live traces bit by bit.

    Args:
        recipe: of the room.
        predictor: of the room.
        values: (line, trace, time); what dead traces hold is not looked at.
        is_live: bool (line, trace), at least one.
    """
    given = np.where(is_live[..., None], values, np.float32(0))
    try:
        scaling = recipe.scale.of_values(given)
    except DataError:  # silence: there is nothing to scale by, and nothing else to come of it
        return np.zeros_like(given)
    x = np.where(is_live[..., None], scaling(given), np.float32(0))
    found = _unscaled(restore_scaled(recipe, predictor, x, is_live), scaling)
    return np.where(is_live[..., None], given, found) if recipe.apply.goal == "fill" else found


def _unscaled(x: Array, scaling: Scaling) -> Array:
    return np.asarray(x / np.float32(scaling.gain) + np.float32(scaling.shift), dtype=np.float32)


def plan_tiles(recipe: RestorationRecipe, calibration: ResidualCalibration | None, grid: Grid) -> Tiled:
    """Return how a volume with these axes is taken through a predictor in tiles.

    Raises:
        RecipeError: if it has other than two or three axes.
    """
    shape, said = grid.shape, recipe.apply
    if len(shape) not in (2, 3):
        raise RecipeError(f"a volume of {len(shape)} axes ({', '.join(grid.names)}): a panel has two, a cube three")
    dims = getattr(recipe.model, "dims", 2)
    size = said.tile or (ACROSS, ACROSS, shape[-1]) if dims == 3 else (1, *(said.tile or (4 * ACROSS, shape[-1])))
    see = See(recipe, calibration, with_intervals=said.uncertainty)
    patch = tuple(min(one, n) for one, n in zip((*size[-len(shape) : -1], shape[-1]), shape, strict=True))
    return Tiled(
        tiling=Tiling(patch=patch, overlap=said.overlap, window=said.window, batch_size=said.batch_size or 1),
        scale=recipe.scale, blended=see.blended, products={PRODUCTS[name]: "1" for name in see.blended},
        derive=derive, wrap=see, recorded=("amplitude",) if said.goal == "fill" else (),
    )  # fmt: skip


def derive(outputs: Mapping[str, Array], *, scaling: Scaling) -> dict[str, Array]:
    """Return amplitudes, and half-widths in their unit, from what tiles gave."""
    found = {"amplitude": _unscaled(outputs["clean"], scaling)}
    if "half_width" in outputs:
        found["half_width"] = np.asarray(outputs["half_width"] / np.float32(scaling.gain), dtype=np.float32)
    return found
