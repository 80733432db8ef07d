"""The parts that the samples of the small bundle were split into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from seisloom.bundle import Bundle
from seisloom.sample import Ref
from seisloom.split import split


@pytest.fixture(scope="session")
def tiny_parts(tiny_bundle: Bundle) -> Mapping[str, Sequence[Ref]]:
    """Training, validation, calibration and test."""
    recipe = tiny_bundle.recipe
    return split(tiny_bundle.task.plan(recipe), seed=recipe.seed, config=recipe.split)
