"""What a classical method makes of a panel, for networks that begin from it."""

from __future__ import annotations

import numpy as np

from seisloom import plugins
from seisloom.errors import RecipeError
from seisloom.sample import Array, Predictor
from seisloom.tasks.restoration.recipe import RestorationRecipe


def guess_of(recipe: RestorationRecipe, x: Array, live: Array) -> Array | None:
    """Return the guess that the recipe's network begins from, (line, trace, time); None if it needs none.

    Args:
        recipe: its `model` names the method, if it begins from one.
        x: (line, trace, time).
        live: (line, trace), 1 or 0.
    """
    guesser = guesser_of(recipe)
    if guesser is None:
        return None
    return np.asarray(guesser({"x": x[None], "live": live[None]})["clean"][0], dtype=np.float32)


def guesser_of(recipe: RestorationRecipe) -> Predictor | None:
    """Return the method that the recipe's network begins from, without any search for parameters.

    Raises:
        RecipeError: if it is none of this room.
    """
    name = getattr(recipe.model, "needs_guess", None)
    if name is None:
        return None
    method = plugins.load("methods", name)
    if method.model_fields["task"].default != recipe.task:
        raise RecipeError(f"model.guess: {name} is a method of the room {method.model_fields['task'].default}")
    fixed = {"tune": False} if "tune" in method.model_fields else {}
    predictor: Predictor = method(name=name, **fixed).predictor(recipe)
    return predictor
