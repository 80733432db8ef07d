"""What the data decide of a recipe: classes, sampling rate, and with them the sizes of the network."""

from __future__ import annotations

from collections import Counter
from typing import Any

from seisloom.config import LossTerm
from seisloom.losses.classes import CrossEntropy
from seisloom.tasks.classification.data import item_samples, plan, with_classes
from seisloom.tasks.classification.model import ClassifierConfig, FeatureTable, Rocket, Vote
from seisloom.tasks.classification.recipe import ClassificationRecipe
from seisloom.tasks.classification.synthetic import is_synthetic


def complete(recipe: ClassificationRecipe) -> ClassificationRecipe:
    """Return the recipe as its bundle keeps it: what comes out of a network means nothing without these.

    Raises:
        RecipeError, DataError, MissingDataError: see `plan`.
    """
    recipe = with_classes(recipe)
    if is_synthetic(recipe.data):  # a bundle says what it learnt from, also where the variable is set one day
        recipe = recipe.model_copy(update={"data": recipe.data.model_copy(update={"paths": ()})})
    fs_hz = recipe.data.sampling_rate_hz or _rate_hz(recipe)
    recipe = recipe.model_copy(update={"data": recipe.data.model_copy(update={"sampling_rate_hz": fs_hz})})
    model = recipe.model
    sizes: dict[str, Any] = {}  # Any: numbers, by key
    if isinstance(model, ClassifierConfig):
        sizes = {"n_channels": len(recipe.data.channels), "n_classes": len(recipe.data.classes)}
    if isinstance(model, Rocket) and fs_hz is not None:
        sizes["n_time"] = item_samples(recipe, fs_hz)
    if isinstance(model, FeatureTable):
        sizes["onset_s"] = recipe.data.before_s
    missing = {key: size for key, size in sizes.items() if getattr(model, key) is None}
    if isinstance(model, Vote):
        at = recipe.data.before_s
        missing["members"] = tuple(
            one.model_copy(update={"onset_s": at}) if one.onset_s is None else one for one in model.members
        )
    return recipe.model_copy(update={"model": model.model_copy(update=missing), "loss": _counted(recipe)})


def _counted(recipe: ClassificationRecipe) -> tuple[LossTerm, ...]:
    """Return the loss terms, with the number of windows of each class where weights are made of it."""
    places = Counter(ref.source["label"] for ref in plan(recipe))
    counts = tuple(places[k] for k in range(len(recipe.data.classes)))
    return tuple(
        one.model_copy(update={"class_counts": counts})
        if isinstance(one, CrossEntropy) and one.class_weight != "none" and not one.class_counts
        else one
        for one in recipe.loss
    )


def _rate_hz(recipe: ClassificationRecipe) -> float | None:
    """Return the sampling rate of the records; a plan has one where none is asked for."""
    rates = {ref.source["fs_hz"] for ref in plan(recipe)}
    return rates.pop() if len(rates) == 1 else None
