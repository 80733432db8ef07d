"""What a name opens: a bundle's folder, a shipped bundle, or a classical method, behind one face."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seisloom import plugins
from seisloom.bundle.bundle import Bundle, shipped_bundles
from seisloom.errors import BundleError, PluginError, RecipeError
from seisloom.inference.heap import ask_for_huge_pages
from seisloom.recipe import Recipe, config_from, read_recipe, recipe_from, usual_recipe
from seisloom.recipe.changes import key_of
from seisloom.sample import Predictor, Schema
from seisloom.task import Calibration, Product, Record, Task

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import nn

    from seisloom.config import Method, ModelConfig

logger = logging.getLogger("seisloom")


@dataclass(frozen=True, slots=True)
class Opened:
    """What `apply` and `evaluate` run: a bundle, or a classical method, behind one face.

    >>> import numpy as np
    >>> record = np.zeros((1, 400), dtype=np.float32)
    >>> record[:, 200:] = np.sin(np.arange(200))
    >>> picks = open_predictor("sta_lta").apply(record, fs_hz=2000)
    >>> float(picks.time_s[0])
    0.1005
    """

    name: str
    task: Task[Any]
    recipe: Recipe
    predictor: Predictor
    calibration: Calibration | None
    bundle: Bundle | None = None
    method: Method | None = None
    """The method, where it is no bundle."""

    def records(self, source: Any, *, fs_hz: float | None = None) -> list[Record]:
        """Return the records of a path, an ObsPy Stream, or an array with its sampling rate."""
        return list(self.task.open(self.recipe, source, fs_hz))

    def apply(self, source: Any, *, fs_hz: float | None = None) -> Product:
        """Return the product (for picking a pandas table with intervals) for what `records` takes."""
        records = self.task.open(self.recipe, source, fs_hz)  # one by one: all at once may be larger than the memory
        return self.task.apply(self.recipe, self.predictor, self.calibration, records)

    def view(self, source: Any, *, fs_hz: float | None = None) -> Figure:
        """Return a Matplotlib figure of the product over the records."""
        records = self.records(source, fs_hz=fs_hz)
        product = self.task.apply(self.recipe, self.predictor, self.calibration, records)
        return self.task.view(self.recipe, records, product)

    def with_changes(self, *changes: str, **apply: Any) -> Opened:
        """Return the same with other keys of the recipe's `apply`, such as abstain_width_s=0.01, or of the method.

        Args:
            changes: as text, "abstain_width_s=0.01". A method's own keys are those that `apply` has not, such as
                "n_traces=7" of `median`; "method.hidings=5" is the method's in any case.
            apply: as values.
        Raises:
            RecipeError: if a key is not known or a value not possible.
        """
        said = [*changes, *(f"{key}={json.dumps(value)}" for key, value in apply.items())]
        own = [one for one in said if self._is_of_method(key_of(one))]
        paths = [one if one.startswith("apply.") else f"apply.{one}" for one in said if one not in own]
        if self.method is None and own:
            raise RecipeError(f"{self.name}: {own[0]}: keys of a method are those of classical methods, not of bundles")
        try:
            recipe = recipe_from(self.recipe.model_dump(mode="json"), paths, where=self.name)
        except RecipeError as error:
            if keys := self._keys_of_method():
                raise RecipeError(f"{error}\n  keys of {self.name} itself are {', '.join(sorted(keys))}") from None
            raise
        if self.method is None:
            return replace(self, recipe=recipe)
        recipe = self._adapted(recipe, [key_of(one) for one in paths])
        if not own:
            return replace(self, recipe=recipe)
        before = [f"{key}={json.dumps(value)}" for key, value in self.method.model_dump(mode="json").items()]
        method = config_from(
            type(self.method), [*before, *(one.removeprefix("method.") for one in own)], where=self.name
        )
        if (method.name, method.task) != (self.method.name, self.method.task):
            raise RecipeError(f"{self.name}: name and task of a method stay as they are")
        return replace(self, recipe=recipe, method=method, predictor=method.predictor(recipe))

    def _adapted(self, recipe: Recipe, said: list[str]) -> Recipe:
        """Return the recipe that the method is applied by, and refuse what was said and does not go with it."""
        assert self.method is not None
        adapted: Recipe = self.method.adapt(recipe)
        for key in (one.removeprefix("apply.") for one in said):
            asked, has = (getattr(one.apply, key, None) for one in (recipe, adapted))
            if asked != has:
                raise RecipeError(f"{self.name}: {key}={asked}: this method has {key}={has}, and can do nothing else")
        return adapted

    def _is_of_method(self, key: str) -> bool:
        of_apply = set() if self.recipe.apply is None else set(type(self.recipe.apply).model_fields)
        return key.startswith("method.") or (key in self._keys_of_method() and key not in of_apply)

    def _keys_of_method(self) -> set[str]:
        return set() if self.method is None else set(type(self.method).model_fields) - {"name", "task"}


def names_beside(room: str, recipe: Recipe) -> list[str]:
    """Return the names of the classical methods that scores show beside what a recipe of a room makes."""
    kinds = {name: plugins.load("methods", name) for name in plugins.names("methods")}
    of_room = {name: kind for name, kind in kinds.items() if kind.model_fields["task"].default == room}
    return [name for name, kind in of_room.items() if kind(name=name).stands_beside(recipe)]


def open_predictor(
    name: str | Path, *, recipe: Recipe | None = None, device: str = "auto", checkpoint: str | Path | None = None
) -> Opened:
    """Return what a name stands for: a bundle's folder, a shipped bundle, or a method, looked up in this order.

    Args:
        name: path or name.
        recipe: for a method, the recipe that says how records are prepared; the room's packaged one by default.
        device: cpu, cuda, or auto; of a bundle, or of the networks that a method holds and has a key `device` for.
        checkpoint: see `Bundle.network`.
    Raises:
        PluginError: if the name is both a shipped bundle and a method, or nothing at all.
        BundleError: if a method is given a checkpoint, or there is no such device or checkpoint.
    """
    ask_for_huge_pages()
    text = str(name)
    is_method = text in plugins.names("methods")
    if Path(text).is_dir() or text in shipped_bundles():
        if is_method and not Path(text).is_dir():
            raise PluginError(f"{text!r} is a shipped bundle and a method; give the bundle by its folder")
        bundle = Bundle.open(name)
        label = text if text in shipped_bundles() else bundle.path.resolve().name
        predictor = bundle.predictor(device, checkpoint=checkpoint)
        if checkpoint is not None and bundle.calibration is not None:
            logger.warning(
                "%s: its intervals were calibrated for its own weights, not for checkpoint %s. Calibrate it: "
                "seisloom calibrate", label, checkpoint,
            )  # fmt: skip
        return Opened(label, bundle.task, bundle.recipe, predictor, bundle.calibration, bundle)
    if is_method:
        if checkpoint is not None:
            raise BundleError(f"{text} is a method without weights: --checkpoint concerns bundles")
        kind = plugins.load("methods", text)
        method = kind(name=text, device=device) if "device" in kind.model_fields else kind(name=text)
        chosen = method.adapt(
            (recipe if recipe is not None else read_recipe(usual_recipe(method.task))).without_weights()
        )
        predictor, task = method.predictor(chosen), plugins.load("tasks", method.task)
        return Opened(text, task, chosen, predictor, None, method=method)
    if Path(text).is_file():
        folder = next((one for one in Path(text).parents if (one / "recipe.yaml").is_file()), None)
        if folder is not None or Path(text).suffix == ".ckpt":
            raise PluginError(
                f"{text} is a file, and a bundle is a folder. Give {folder or 'FOLDER'} --checkpoint {text}"
            )
        raise PluginError(
            f"{text} is a file, and here a bundle's folder or a name is needed: seisloom apply BUNDLE {text}"
        )
    known = [*shipped_bundles(), *plugins.names("methods")]
    raise PluginError(f"{text!r} is neither a bundle's folder nor a known name{plugins.nearest(text, known)}")


def network_of(name: str | Path, *, weights: bool = True, schema: Schema | None = None, **keys: Any) -> nn.Module:
    """Return what a name stands for as a plain network, in evaluation mode, on the CPU.

    Args:
        name: a bundle's folder, a shipped bundle, or an entry that a recipe may name as its model, in this order.
        weights: whether it comes trained; a bundle's network without is its architecture with new random weights.
        schema: fields of the items, for an entry that looks at them; ours do not.
        keys: of an entry, such as dims=3 or preset="base".
    Raises:
        BundleError: if an entry is to have weights, or keys are given for a bundle, whose recipe has them.
        RecipeError: if a key is not known or a value not possible.
        PluginError: if the name is nothing at all.

    >>> sum(one.numel() for one in network_of("onset-refraction").parameters()) > 100_000
    True
    >>> network_of("curve_unet", weights=False, modes=2).config.modes
    2
    """
    text = str(name)
    if Path(text).is_dir() or text in shipped_bundles():
        if keys:
            raise BundleError(f"{text}: a bundle's recipe has the keys of its network; leave out {', '.join(keys)}")
        bundle = Bundle.open(name)
        return bundle.network() if weights else bundle.recipe.network(bundle.task.item).eval()
    if text not in plugins.names("models"):
        known = [*shipped_bundles(), *plugins.names("models")]
        raise PluginError(f"{text!r} is neither a bundle nor the name of a network{plugins.nearest(text, known)}")
    if weights:
        raise BundleError(f"{text} is a network without weights: say weights=False, or name a bundle that has some")
    kind: type[ModelConfig] = plugins.load("models", text)
    said = [f"{key}={json.dumps(value)}" for key, value in {"name": text, **keys}.items()]
    return config_from(kind, said, where=text).build(schema or Schema(())).eval()
