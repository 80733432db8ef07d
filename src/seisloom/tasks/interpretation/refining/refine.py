"""A refiner behind another predictor: what the first one gives of a tile is made better, once or several times."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from seisloom.bundle import WEIGHTS, Bundle, shipped_folder
from seisloom.errors import BundleError, MissingDataError, RecipeError
from seisloom.recipe import expand
from seisloom.sample import Array, Arrays, Predictor
from seisloom.tasks.interpretation.recipe import InterpretationRecipe
from seisloom.tasks.interpretation.refining.guess import GUESS

OUTPUTS = {"fault": ("fault", "normal"), "rgt": ("rgt_steps",), "dhr": ("dhr",)}
"""What a network gives for a task, and a refiner takes in for it."""


@dataclass(frozen=True, slots=True)
class Refine:
    """A refiner that is applied so many times; it is opened where the tiles are run, so that it can be pickled."""

    path: str
    outputs: tuple[str, ...]
    """Outputs of the first predictor that it takes in."""
    iterations: int

    def __call__(self, predictor: Predictor) -> Predictor:
        """Return the predictor followed by the refiner, from x to the outputs of both, on the predictor's device."""
        refiner = Bundle.open(self.path).predictor(getattr(predictor, "device", "cpu"))

        def predict(arrays: Arrays) -> Arrays:
            found = dict(predictor(arrays))
            if missing := [name for name in self.outputs if name not in found]:
                raise RecipeError(
                    f"apply.refine: {self.path} takes {', '.join(missing)} of a first guess, and what is refined gives "
                    f"{', '.join(found)}. Refine with one that was trained with those tasks off"
                )
            for _ in range(self.iterations):
                guess = {GUESS + name: found[name] for name in self.outputs}
                found |= refiner({"x": arrays["x"], **guess})
            return found

        return predict


def open_refiner(recipe: InterpretationRecipe, wanted: tuple[str, ...]) -> Bundle | None:
    """Return the bundle that `apply.refine` names, None where there is no such key.

    Args:
        recipe: of the network whose attributes are refined.
        wanted: attributes that are to be written.
    Raises:
        RecipeError: if it is no refiner, or does not go with the network.
    """
    if recipe.apply.refine is None:
        return None
    try:
        path = _folder(recipe.apply.refine)
        bundle = Bundle.open(path)
    except (BundleError, MissingDataError) as error:
        raise RecipeError(f"apply.refine: {error}. A refiner is trained by: {COMMAND}") from error
    refines: tuple[str, ...] = getattr(bundle.recipe.model, "needs", ())
    said, model = f"apply.refine: {path}", bundle.recipe.model
    if not isinstance(bundle.recipe, InterpretationRecipe) or not refines:
        raise RecipeError(f"{said} holds a network {model.name}, which refines nothing. Train a refiner: {COMMAND}")
    ours, theirs = getattr(recipe.model, "dims", 2), getattr(model, "dims", 2)
    if ours != theirs:
        raise RecipeError(
            f"{said} sees {theirs} dimensions, and the network that it refines {ours}. Train one with model.dims={ours}"
        )
    if lacking := [name for name in wanted if name not in refines]:
        rest = ",".join(name for name in wanted if name in refines)
        raise RecipeError(
            f"{said} refines {', '.join(refines)}, and not {', '.join(lacking)}. Write the others alone "
            f"(apply.attributes=[{rest}]), or train one with that task on"
        )
    there = getattr(recipe.model, "attributes", refines)
    if lacking := [name for name in refines if name not in there]:
        off = " ".join(f"model.{task}=false" for task in OUTPUTS if task in lacking)
        raise RecipeError(
            f"{said} takes {', '.join(lacking)} of a first guess, and the network gives {', '.join(there)}. Train a "
            f"refiner with {off}"
        )
    if bundle.recipe.scale != recipe.scale:
        raise RecipeError(
            f"{said} was trained on amplitudes of another scale: {bundle.recipe.scale}, and the network on "
            f"{recipe.scale}. Train a refiner with the `prepare:` of the network"
        )
    return bundle


def guess_of(recipe: InterpretationRecipe, x: Array) -> dict[str, Array]:
    """Return what `data.first_network` gives of images (item, 1, *place), as the first guess that a refiner takes in.

    Raises:
        RecipeError: if that is no network whose attributes the refiner of the recipe can take.
    """
    first = _first_network(str(recipe.data.first_network))
    found = first.predictor({"x": x})
    tasks: tuple[str, ...] = getattr(recipe.model, "tasks", ())
    names = [name for task in tasks for name in OUTPUTS[task]]
    if (missing := [name for name in names if name not in found]) or first.scale != recipe.scale.model_dump():
        said = f"does not give {', '.join(missing)}" if missing else "was trained with another `prepare:`"
        raise RecipeError(
            f"data.first_network: {recipe.data.first_network} {said}. Take the keys `model.fault`, `model.rgt`, "
            "`model.dhr` and `prepare:` of its recipe.yaml"
        )
    return {GUESS + name: found[name] for name in names}


@dataclass(frozen=True, slots=True)
class FirstNetwork:
    """A network that is opened once in each process that reads samples."""

    predictor: Predictor
    scale: dict[str, object]


@lru_cache(maxsize=1)
def _first_network(path: str) -> FirstNetwork:
    try:
        bundle = Bundle.open(expand(path))
    except (BundleError, MissingDataError) as error:
        raise RecipeError(f"data.first_network: {error}") from error
    if not isinstance(bundle.recipe, InterpretationRecipe) or hasattr(bundle.recipe.model, "needs"):
        raise RecipeError(f"data.first_network: {path} finds no attributes in an image. Give a trained network")
    return FirstNetwork(bundle.predictor("cpu"), bundle.recipe.scale.model_dump())


def _folder(path: str) -> Path:
    """Return the folder of a bundle, by its path or as a shipped one by its name.

    Raises:
        MissingDataError: if there is neither.
    """
    folder = next((one for one in (expand(path), shipped_folder(path)) if one.is_dir()), None)
    if folder is None:
        raise MissingDataError(f"{expand(path)}: no such folder")
    return folder


COMMAND = "seisloom train interpretation_refinement --out runs/refiner data.first_network=FOLDER"


def refine_of(bundle: Bundle, recipe: InterpretationRecipe) -> Refine:
    """Return how a refiner is applied behind the network of a recipe."""
    tasks: tuple[str, ...] = getattr(bundle.recipe.model, "tasks", ())
    names = tuple(name for task in tasks for name in OUTPUTS[task])
    return Refine(str(bundle.path.absolute()), names, recipe.apply.iterations)


def chain_of(recipe: InterpretationRecipe) -> str:
    """Return a hash of the refiner's weights and how often it is applied; "" where nothing is refined.

    A calibration keeps it: one that was fitted on logits of a network is not one of those that a refiner gives.
    """
    if recipe.apply.refine is None:
        return ""
    weights = (_folder(recipe.apply.refine) / WEIGHTS).read_bytes()
    return f"{hashlib.sha256(weights).hexdigest()[:16]} x {recipe.apply.iterations}"
