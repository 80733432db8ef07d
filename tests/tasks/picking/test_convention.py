"""How late human picks are against a picker's: a constant that is added to them comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from seisloom.bundle import open_predictor
from seisloom.recipe import Recipe
from seisloom.tasks.picking.convention import label_convention
from seisloom.tasks.picking.data import plan
from seisloom.tasks.picking.records import records


def test_a_shift_of_one_line_is_found_and_misses_do_not_matter(tiny: Callable[..., Recipe]) -> None:
    recipe = tiny()
    opened = open_predictor("aic", recipe=recipe)
    whole = list(records(recipe, plan(recipe)))  # type: ignore[arg-type]
    picks = [opened.task.apply(recipe, opened.predictor, None, [one])["time_s"].to_numpy() for one in whole]
    first, second = sorted({str(one.geometry[0]) for one in whole})
    rng = np.random.default_rng(0)
    changed = []
    for record, time_s in zip(whole, picks, strict=True):
        late = 0.002 if record.geometry[0] == first else -0.001
        truth_s = time_s + late + rng.normal(0, 1e-4, time_s.shape)
        truth_s[0] += 0.05  # one of five is a miss
        changed.append(replace(record, truth_s=truth_s))
    found = label_convention(opened, changed)
    assert found[first].median_s == pytest.approx(0.002, abs=1e-4)
    assert found[second].median_s == pytest.approx(-0.001, abs=1e-4)
    low, high = found[first].quartiles_s
    assert low < found[first].median_s < high
    n_of_first = sum(int(np.isfinite(one.truth_s).sum()) for one in changed if one.geometry[0] == first)
    assert 0.7 * n_of_first <= found[first].n_picks < n_of_first
