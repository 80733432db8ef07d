"""The face that networks and methods have here, from and to arrays: one panel, or tiles that do not know each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seisloom.inference.memory import predict_array
from seisloom.inference.sweep import Tiling
from seisloom.sample import Array, Arrays, Predictor
from seisloom.tasks.restoration.guess import guesser_of
from seisloom.tasks.restoration.recipe import RestorationRecipe


@dataclass(frozen=True, slots=True)
class See:
    """Brings a predictor of panels to the face that tiles need, {"x": (tile, channel, *patch)} to (tile, *patch).

    A tile has whole traces, and those that are all zero or not finite are dead.
    """

    recipe: RestorationRecipe

    def __call__(self, predictor: Predictor) -> Predictor:
        """Return the predictor of tiles."""
        guesser = guesser_of(self.recipe)

        def predict(arrays: Arrays) -> Arrays:
            tiles = np.asarray(arrays["x"])[:, 0]
            shape = tiles.shape
            x = np.nan_to_num(tiles.reshape(shape[0], -1, *shape[-2:]) if tiles.ndim > 3 else tiles[:, None])
            live = (x != 0).any(axis=-1)
            return {"clean": answer(predictor, guesser, x, live.astype(np.float32)).reshape(shape)}

        return predict


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
