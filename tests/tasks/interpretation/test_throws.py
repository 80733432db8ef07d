"""Relative time across faults, told from layers that match: nearer to the truth, in sections and in cubes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from seisloom.inference.integrate import increments, integrate
from seisloom.metrics.horizons import horizon_scores
from seisloom.physics.volumes.box import make_box
from seisloom.physics.volumes.draw import draw_volume
from seisloom.physics.volumes.priors import VolumePriors
from seisloom.sample import Array, Arrays
from seisloom.tasks.interpretation.apply import tiled
from seisloom.tasks.interpretation.recipe import InterpretationRecipe
from seisloom.tasks.interpretation.see import STEPS
from seisloom.tasks.interpretation.throws import with_matched_throws
from seisloom.tiled import apply_to_array

Small = Callable[..., InterpretationRecipe]


def faulted(shape: tuple[int, int, int], seed: int) -> dict[str, Array]:
    priors = VolumePriors(styles=("through",), n_faults=(2, 2), throw_samples=(8, 16), label_throw_periods=0)
    return make_box(draw_volume(shape, seed, priors), None)


def without_throws(arrays: Arrays, keep: float) -> dict[str, Array]:
    """Return what a network gives that knows all but the throws, of which it finds a share."""
    rgt = arrays["rgt"] * arrays["rgt"].shape[-1]
    steps = dict(zip(STEPS, increments(rgt), strict=True))
    usual = np.median(steps["rgt_time"])
    for name, one in steps.items():
        level = usual if name == "rgt_time" else 0.0
        jumps = np.abs(one - level) > 1.5
        steps[name] = np.where(jumps, level + keep * (one - level), one).astype(np.float32)
    return {"fault": np.where(arrays["fault"] == 1, 4.0, -4.0).astype(np.float32), "dhr": arrays["dhr"], **steps}


def error(steps: list[Array], truth: Arrays) -> float:
    return horizon_scores(integrate(steps), truth["rgt"], fault=truth["fault"])["away"]["mean"]


@pytest.mark.parametrize("seed", [1, 2, 4])
def test_horizons_of_a_section_meet_across_its_faults(seed: int) -> None:
    arrays = faulted((1, 160, 160), seed)
    outputs = {name: one for name, one in without_throws(arrays, 0.3).items() if name != "rgt_inline"}
    truth = {name: one[0] for name, one in arrays.items()}
    found = with_matched_throws(outputs, outputs["dhr"])
    before, after = (error([one["rgt_crossline"][0], one["rgt_time"][0]], truth) for one in (outputs, found))
    assert after < 0.5 * before
    assert after < 1


@pytest.mark.parametrize("seed", [1, 2])
def test_horizons_of_a_cube_meet_across_its_faults(seed: int) -> None:
    arrays = faulted((32, 64, 96), seed)
    outputs = {name: one[None] for name, one in without_throws(arrays, 0.3).items()}
    found = with_matched_throws(outputs, outputs["dhr"])
    before, after = (error([one[name][0] for name in STEPS], arrays) for one in (outputs, found))
    assert after < 0.4 * before


def test_outputs_without_faults_are_left_alone() -> None:
    arrays = faulted((1, 64, 64), 1)
    outputs = without_throws(arrays, 0.3)
    outputs["fault"] = np.full_like(outputs["fault"], -4)
    found = with_matched_throws({k: v for k, v in outputs.items() if k != "rgt_inline"}, outputs["dhr"])
    for name in ("rgt_crossline", "rgt_time"):
        np.testing.assert_array_equal(found[name], outputs[name])


def test_time_is_the_same_whatever_else_is_wanted(small: Small) -> None:
    section = faulted((1, 96, 96), 5)
    whole = without_throws(section, 0.3)
    told = {"fault": whole["fault"], "dhr": whole["dhr"], "rgt_steps": np.stack([whole[n] for n in STEPS[1:]], 1)}
    times = {}
    for throws, attributes in (("image", "[rgt]"), ("image", "[fault,rgt,dhr]"), ("network", "[rgt]")):
        recipe = small("model.rgt=true", "model.dhr=true", f"apply.throws={throws}", f"apply.attributes={attributes}")
        made = tiled(recipe, None, (96, 96))
        found, blended = apply_to_array(made, lambda arrays: told, section["seismic"][0])
        assert set(found) | {"rgt"} >= set(attributes.strip("[]").split(","))
        assert ("fault" in blended) == ("fault" in attributes)
        times[throws, attributes] = blended["rgt_crossline"]
    np.testing.assert_array_equal(times["image", "[rgt]"], times["image", "[fault,rgt,dhr]"])
    assert np.abs(times["image", "[rgt]"] - times["network", "[rgt]"]).max() > 1
