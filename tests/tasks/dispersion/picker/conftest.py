"""A recipe of the room on a few small records."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import seisloom
from seisloom.recipe import read_recipe
from seisloom.tasks.dispersion.picker.recipe import DispersionRecipe

Small = Callable[..., DispersionRecipe]
SMALL = (
    "data.n=24", "data.crop=[40, 20]", "data.frequency.num_samples=24", "data.frequency.max_hz=30",
    "data.phase_velocity.num_samples=48", "data.simulation.nt=256", "data.simulation.dt=0.01",
    "data.simulation.arrays.n_receivers=[8, 12]", "data.physics.modes=2",
    "data.simulation.source.corners_hz=[2, 4, 24, 30]",
    "data.physics.medium={name: normal, n_layers: [2, 3]}", "model.modes=2", "model.widths=[8, 12]",
    "split.valid=0.2", "split.calibrate=0.3", "split.test=0.2", "train.epochs=1", "train.batch_size=4",
    "train.threads=1", "apply.min_probability=0", "calibrate.min_n=20",
)  # fmt: skip


@pytest.fixture(scope="session")
def small() -> Small:
    def made(*changes: str) -> DispersionRecipe:
        packaged = Path(seisloom.__file__).parent / "recipes" / "dispersion_picker.yaml"
        recipe = read_recipe(packaged, [*SMALL, *changes])
        assert isinstance(recipe, DispersionRecipe)
        return recipe

    return made
