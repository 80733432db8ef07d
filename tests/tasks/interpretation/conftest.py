"""A recipe of the room that trains in seconds."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from seisloom.recipe import read_recipe
from seisloom.tasks.interpretation.recipe import InterpretationRecipe

SMALL = (
    "data.synth.shape=[1, 48, 40]", "data.synth.n=24", "split.valid=0.2", "split.calibrate=0.2", "split.test=0.2",
    "model.widths=[4, 8]", "train.epochs=1", "train.batch_size=4", "train.threads=1", "train.loggers=[csv]",
    "train.accelerator=cpu", "train.ema=0",
)  # fmt: skip

Small = Callable[..., InterpretationRecipe]


@pytest.fixture(scope="session")
def small() -> Small:
    """Makes the recipe of a tiny 2-D network on synthetic sections, with changes."""

    def recipe(*changes: str) -> InterpretationRecipe:
        found = read_recipe("interpretation", [*SMALL, *changes])
        assert isinstance(found, InterpretationRecipe)
        return found

    return recipe
