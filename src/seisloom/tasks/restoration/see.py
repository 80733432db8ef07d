"""The face that networks and methods have here, from and to arrays: one panel, or tiles that do not know each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seisloom.calibration.residuals import ResidualCalibration
from seisloom.errors import CalibrationError
from seisloom.inference.memory import predict_array
from seisloom.inference.sweep import Tiling
from seisloom.sample import Array, Arrays, Predictor
from seisloom.tasks.restoration.from_hidden import hidden_calibration
from seisloom.tasks.restoration.guess import guesser_of
from seisloom.tasks.restoration.recipe import RestorationRecipe


@dataclass(frozen=True, slots=True)
class See:
    """Brings a predictor of panels to the face that tiles need, {"x": (tile, channel, *patch)} to (tile, *patch).

    A tile has whole traces, and those that are constant or not finite are dead.
    """

    recipe: RestorationRecipe
    calibration: ResidualCalibration | None = None
    """Of the predictor; without one intervals come from live traces of each tile that are hidden and filled."""
    with_intervals: bool = False
    """Whether half-widths, on the scale of the tiles, come beside."""

    @property
    def blended(self) -> tuple[str, ...]:
        """What comes out."""
        return ("clean", "half_width") if self.with_intervals else ("clean",)

    def __call__(self, predictor: Predictor) -> Predictor:
        """Return the predictor of tiles."""
        guesser = guesser_of(self.recipe)

        def predict(arrays: Arrays) -> Arrays:
            tiles = np.asarray(arrays["x"])[:, 0]
            shape = tiles.shape
            x = np.nan_to_num(tiles.reshape(shape[0], -1, *shape[-2:]) if tiles.ndim > 3 else tiles[:, None])
            live = (x != x[..., :1]).any(axis=-1)
            outputs = {"clean": answer(predictor, guesser, x, live.astype(np.float32))}
            if self.with_intervals:
                half = [
                    self._half_width(predictor, guesser, *one) for one in zip(outputs["clean"], x, live, strict=True)
                ]
                outputs["half_width"] = np.stack(half)
            return {name: one.reshape(shape) for name, one in outputs.items()}

        return predict

    def _half_width(
        self, predictor: Predictor, guesser: Predictor | None, found: Array, given: Array, live: Array
    ) -> Array:
        """Return half of the interval of each sample of a tile; NaN where too few traces are live to learn it from."""
        said, calibration = self.recipe.apply, self.calibration
        if not live.any() or (said.goal == "fill" and live.all()):
            return np.zeros_like(found)
        if calibration is None:

            def restore(values: Array, left: Array) -> Array:
                x = np.where(left[..., None], values, np.float32(0))
                filled: Array = answer(predictor, guesser, x[None], left[None].astype(np.float32))[0]
                return filled

            try:
                calibration = hidden_calibration(restore, given, live, n=said.hidings)
            except CalibrationError:
                return np.full_like(found, np.nan)
        return np.asarray(half_width(self.recipe, calibration, found, given, live), dtype=np.float32)


def half_width(
    recipe: RestorationRecipe, calibration: ResidualCalibration, found: Array, given: Array, live: Array
) -> Array:
    """Return half of each sample's interval at the recipe's level, (line, trace, time); see `ResidualCalibration`.

    Args:
        recipe: of the room; with the goal to fill, live traces are as they were given, and theirs is 0.
        calibration: of its predictor.
        found: what came out, (line, trace, time).
        given: what went in, of that shape.
        live: bool (line, trace), at least one.
    """
    if recipe.apply.goal == "denoise":
        return calibration.half_width(found, live, level=recipe.calibrate.level)
    filled = np.where(live[..., None], given, found)
    return np.where(live[..., None], 0.0, calibration.half_width(filled, live, level=recipe.calibrate.level))


def answer(predictor: Predictor, guesser: Predictor | None, x: Array, live: Array) -> Array:
    """Return what a predictor makes of panels, (item, line, trace, time).

    Args:
        predictor: of the room.
        guesser: the method that its network begins from, if it does.
        x: (item, line, trace, time), scaled; 0 in dead traces.
        live: float32 (item, line, trace), 1 or 0.
    """
    arrays = {"x": np.asarray(x, np.float32), "live": np.asarray(live, np.float32)}
    if guesser is not None:
        arrays["guess"] = np.asarray(guesser(arrays)["clean"], dtype=np.float32)
    return np.asarray(predictor(arrays)["clean"])


def restore_scaled(recipe: RestorationRecipe, predictor: Predictor, x: Array, live: Array) -> Array:
    """Return the estimate of a scaled panel (line, trace, time), whole or by the recipe's tiles.

    Args:
        recipe: of the room.
        predictor: of the room.
        x: 0 in dead traces.
        live: bool (line, trace).
    """
    tile = tile_of(recipe, x.shape)
    found: Array
    if tile is None:
        found = answer(predictor, guesser_of(recipe), x[None], live[None].astype(np.float32))[0]
        return found
    tiling = Tiling(patch=tile, overlap=recipe.apply.overlap, window=recipe.apply.window, batch_size=1)
    found = predict_array(tiling, ("clean",), x, See(recipe)(predictor))["clean"]
    return found


def tile_of(recipe: RestorationRecipe, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the lines, traces and samples of a tile of a panel; None takes it whole."""
    said = recipe.apply.tile
    if said is None:
        return None
    size = (1,) * (len(shape) - len(said)) + said if getattr(recipe.model, "dims", 2) < 3 else said
    whole = (*size[-len(shape) : -1], shape[-1])
    return tuple(min(one, n) for one, n in zip(whole, shape, strict=True))
