"""First guesses: made with volumes or read from beside images, and brought to the form of a network's outputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seisloom.bundle import open_predictor
from seisloom.errors import DataError, MissingDataError, RecipeError
from seisloom.metrics.orientation import normal_error_deg, normal_of
from seisloom.physics.volumes.corruption import Corruption, corrupt_attributes
from seisloom.physics.volumes.draw import draw_volume
from seisloom.run.train import train
from seisloom.tasks.interpretation.data import arrays_of, join, plan, read
from seisloom.tasks.interpretation.recipe import UNITS, InterpretationRecipe
from seisloom.tasks.interpretation.records import records
from seisloom.tasks.interpretation.refining.guess import SUREST, Sureness, as_outputs
from seisloom.tasks.interpretation.synth.config import SynthVolumes
from seisloom.tasks.interpretation.synth.dataset import write_dataset
from seisloom.tasks.interpretation.task import INTERPRETATION
from seisloom.testing import check_task

Small = Callable[..., InterpretationRecipe]
REFINER = "model.name=interpretation_refiner"
NEEDS = tuple(UNITS)
CONFIG = SynthVolumes(n_train=2, n_valid=0, shape=(4, 24, 32), seed=3, refinement=True, angles="share")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("guesses") / "set"
    write_dataset(CONFIG, out)
    return out


def test_a_network_that_refines_nothing_is_given_no_guess(small: Small, folder: Path) -> None:
    for recipe in (small(), small(f"data.root={folder}")):
        assert not any(name.startswith("guess") for name in arrays_of(recipe, plan(recipe)[0]))


def test_guesses_of_made_volumes_are_those_of_the_generator(small: Small) -> None:
    said = "data.synth.corruption.share_missing=[0.4,0.4]"
    recipe = small(REFINER, "model.rgt=true", said)
    arrays = arrays_of(recipe, ref := plan(recipe)[0])
    model = draw_volume(recipe.data.synth.shape, ref.seed, recipe.data.synth.priors)
    expected = corrupt_attributes(model, corruption=Corruption(share_missing=(0.4, 0.4)))
    for name, ending in {"fault": "fsem", "dip": "fdip", "strike": "fstrike", "rgt": "rgt", "dhr": "dhr"}.items():
        np.testing.assert_array_equal(arrays[f"guess_{name}"], expected[f"i_{ending}"])
    assert not np.array_equal(arrays["guess_fault"], arrays["fault"])


def test_guesses_beside_images_are_read_with_angles_in_degrees(small: Small, folder: Path) -> None:
    recipe = small(REFINER, "model.rgt=true", f"data.root={folder}")
    arrays = arrays_of(recipe, plan(recipe)[0])
    for name, ending in {"fault": "fsem", "dip": "fdip", "rgt": "rgt", "dhr": "dhr"}.items():
        stored = np.fromfile(folder / f"data_train/0_{ending}.bin", "<f4").reshape(CONFIG.shape)
        np.testing.assert_allclose(arrays[f"guess_{name}"], 180 * stored if name == "dip" else stored, rtol=1e-6)
    sample = read(recipe, plan(recipe)[0])
    gain = recipe.scale.of_values(arrays["seismic"]).gain
    np.testing.assert_allclose(sample.arrays["guess_dhr"], gain * arrays["guess_dhr"], rtol=1e-6)
    record = next(iter(records(recipe, plan(recipe))))
    assert set(record.truth) == set(UNITS)
    assert set(record.guess) == {f"guess_{name}" for name in UNITS}


def test_only_guesses_of_tasks_that_are_on_are_asked_for(small: Small, folder: Path, tmp_path: Path) -> None:
    for kind in ("data_train", "target_train"):
        (tmp_path / kind).mkdir()
        for file in (folder / kind).iterdir():
            if kind == "target_train" or file.name in ("0.bin", "0.json", "0_dhr.bin"):
                (tmp_path / kind / file.name).write_bytes(file.read_bytes())
    alone = small(REFINER, "model.fault=false", f"data.root={tmp_path}")
    assert "guess_dhr" in arrays_of(alone, plan(alone)[0])
    recipe = small(REFINER, f"data.root={tmp_path}")
    with pytest.raises(MissingDataError, match=r"data_train/0_fsem\.bin: no such file.*refinement=true"):
        arrays_of(recipe, plan(recipe)[0])


def test_an_item_has_the_guess_in_the_form_of_outputs(small: Small) -> None:
    recipe = small(REFINER, "model.rgt=true", "data.crop=[1, 32, 24]")
    sample = read(recipe, plan(recipe)[0])
    drawn, fixed = (join(recipe, [sample], rng) for rng in (np.random.default_rng(0), None))
    assert drawn["guess_fault"].shape == (1, 32, 24)
    assert drawn["guess_normal"].shape == (3, 1, 32, 24)
    assert not {"guess_dip", "guess_strike"} & set(drawn)
    assert np.abs(fixed["guess_fault"]).max() <= Sureness().logit + 1e-5
    assert fixed["guess_rgt_steps"].shape == (3, 1, 32, 24)
    assert np.median(fixed["guess_rgt_steps"][-1][..., :-1]) == pytest.approx(1, abs=1e-4)
    with pytest.raises(DataError, match="no first guess of fault, dip, strike"):
        join(small(REFINER), [read(small(), plan(small())[0])], None)


def test_a_refiner_may_learn_from_what_a_network_gives(small: Small, tmp_path: Path) -> None:
    train(small("data.synth.n=10", "metrics=[]"), tmp_path / "first")
    recipe = small(REFINER, f"data.first_network={tmp_path / 'first'}", "data.synth.n=10", "metrics=[]")
    sample = read(recipe, plan(recipe)[0])
    assert not any(name.startswith("guess") for name in sample.arrays), "no errors are made"
    item = join(recipe, [sample], np.random.default_rng(0))
    expected = open_predictor(tmp_path / "first", device="cpu").predictor({"x": item["x"][None]})
    for name in ("fault", "normal", "dhr"):
        np.testing.assert_array_equal(item[f"guess_{name}"], expected[name][0])
    check_task(INTERPRETATION, recipe)
    trained = train(recipe, tmp_path / "refiner")
    assert set(trained.report["tables"]["volumes"]) == {"refiner", "discontinuity"}
    # The refiner alone is then the whole chain, for what fits the memory
    values = np.random.default_rng(1).normal(size=(2, 48, 40))
    alone = open_predictor(tmp_path / "refiner", device="cpu").apply(values)[0].attributes
    chain = open_predictor(tmp_path / "first", device="cpu").with_changes(refine=str(tmp_path / "refiner"))
    for name, one in chain.apply(values)[0].attributes.items():
        np.testing.assert_allclose(alone[name], one, atol=1e-4, err_msg=name)
    for changes, said in (
        (["model.rgt=true"], "does not give rgt"), (["prepare.0.percentile=99"], "with another `prepare:`"),
        ([f"data.first_network={tmp_path / 'refiner'}"], "finds no attributes in an image"),
    ):  # fmt: skip
        wrong = small(REFINER, f"data.first_network={tmp_path / 'first'}", *changes)
        with pytest.raises(RecipeError, match=said):
            join(wrong, [sample], None)


def test_a_refiner_may_learn_from_a_network_that_is_shipped(small: Small) -> None:
    recipe = small(REFINER, "data.first_network=interpretation-sections", "model.rgt=true", "data.synth.n=2")
    assert recipe.data.first_network == "interpretation-sections"
    item = join(recipe, [read(recipe, plan(recipe)[0])], None)
    expected = open_predictor("interpretation-sections", device="cpu").predictor({"x": item["x"][None]})
    for name in ("fault", "normal", "rgt_steps", "dhr"):
        np.testing.assert_array_equal(item[f"guess_{name}"], expected[name][0])


def test_masks_keep_their_side_and_angles_their_plane() -> None:
    fault = np.zeros((1, 20, 30), np.float32)
    fault[0, 8:12] = 1
    dip, strike = 60 * fault, 30 * fault
    given = {"guess_fault": fault, "guess_dip": dip, "guess_strike": strike}
    found = as_outputs(given, "here", NEEDS[:3], Sureness(blur=0.5, logit=3))
    assert ((found["guess_fault"] > 0) == (fault > 0)).all()
    assert found["guess_fault"][0, 9, 15] == pytest.approx(3, abs=0.2)
    on = fault > 0
    error = normal_error_deg(found["guess_normal"][:, on], normal_of(dip, strike)[:, on])
    assert error.max() < 1e-4
    assert (found["guess_normal"][:, ~on] == 0).all()
    soft = as_outputs({**given, "guess_fault": 0.3 * fault}, "here", NEEDS[:3], Sureness(blur=0, logit=20))
    # A probability stays one, where it is not blurred and not made less sure
    assert soft["guess_fault"][0, 9, 15] == pytest.approx(np.log(0.3 / 0.7), abs=1e-4)
    assert soft["guess_fault"].min() == pytest.approx(np.log((0.5 - SUREST) / (0.5 + SUREST)), abs=1e-3)
