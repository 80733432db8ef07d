"""Seismic data from field files to calibrated predictions, and back. This page lists the public names.

>>> import seisloom
>>> picker = seisloom.open_predictor("sta_lta")
>>> "onset_unet" in seisloom.names("models")
True
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seisloom.bundle import Bundle as Bundle
    from seisloom.bundle import Opened as Opened
    from seisloom.bundle import open_predictor as open_predictor
    from seisloom.compute import executor as executor
    from seisloom.errors import SeisloomError as SeisloomError
    from seisloom.plugins import names as names
    from seisloom.recipe import Recipe as Recipe
    from seisloom.recipe import read_recipe as read_recipe
    from seisloom.run.calibrate import recalibrate as recalibrate
    from seisloom.run.evaluate import evaluate as evaluate
    from seisloom.run.train import train as train
    from seisloom.run.write import write_shards as write_shards
    from seisloom.sample import Field as Field
    from seisloom.sample import Ref as Ref
    from seisloom.sample import Sample as Sample
    from seisloom.sample import Schema as Schema
    from seisloom.task import Task as Task

_HOME = {
    "Bundle": "bundle", "Opened": "bundle", "open_predictor": "bundle",
    "executor": "compute",
    "SeisloomError": "errors",
    "names": "plugins",
    "Recipe": "recipe", "read_recipe": "recipe",
    "recalibrate": "run.calibrate", "evaluate": "run.evaluate", "train": "run.train", "write_shards": "run.write",
    "Field": "sample", "Ref": "sample", "Sample": "sample", "Schema": "sample",
    "Task": "task",
}  # fmt: skip

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:  # Any: whatever the module defines
    if name not in _HOME:
        raise AttributeError(f"seisloom has no public name {name!r}; there are {', '.join(__all__)}")
    return getattr(import_module(f"seisloom.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
