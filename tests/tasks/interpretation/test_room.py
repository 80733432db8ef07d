"""The interpretation room keeps the contract of a room, for every set of tasks, in two and three dimensions."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from seisloom.bundle import Bundle, open_predictor
from seisloom.errors import DataError, RecipeError
from seisloom.recipe import read_recipe
from seisloom.run.train import train
from seisloom.tasks.interpretation.recipe import SWITCHES, InterpretationRecipe
from seisloom.tasks.interpretation.records import open_records
from seisloom.tasks.interpretation.task import INTERPRETATION
from seisloom.testing import check_task

Small = Callable[..., InterpretationRecipe]
TERMS = {
    "fault": ["{name: dice}", "{name: fault_normal}"], "rgt": ["{name: relative_time}"], "dhr": ["{name: ssim_l2}"],
}  # fmt: skip
COMBINATIONS = [one for n in (1, 2, 3) for one in itertools.combinations(SWITCHES, n)]


def changes_for(tasks: tuple[str, ...]) -> list[str]:
    terms = [term for name in tasks for term in TERMS[name]]
    return [f"loss=[{', '.join(terms)}]", "metrics=[]", *(f"model.{name}={name in tasks}" for name in SWITCHES)]


def test_the_room_keeps_the_contract(small: Small) -> None:
    check_task(INTERPRETATION, small())


def test_the_room_keeps_the_contract_in_three_dimensions(small: Small) -> None:
    check_task(INTERPRETATION, small("data.synth.shape=[16, 20, 24]", "data.synth.n=6", "model.dims=3"), n_read=2)


@pytest.mark.parametrize("tasks", COMBINATIONS, ids="+".join)
def test_any_set_of_tasks_trains_applies_and_evaluates(tasks: tuple[str, ...], small: Small, tmp_path: Path) -> None:
    trained = train(small(*changes_for(tasks), "data.synth.n=10"), tmp_path / "b")
    wanted = {name for task in tasks for name in SWITCHES[task]}
    opened = open_predictor(tmp_path / "b").with_changes(along="both")
    product = opened.apply(np.random.default_rng(0).normal(size=(3, 40, 36)))[0]
    assert set(product.attributes) == wanted
    assert all(one.shape == (3, 40, 36) and np.isfinite(one).all() for one in product.attributes.values())
    row = trained.report["tables"]["volumes"]["b"]
    assert (row["F1 @2"] is not None) == ("fault" in tasks)
    assert (row["DHR SSIM"] is not None) == ("dhr" in tasks)
    assert (row["RGT"] is not None) == ("rgt" in tasks)
    assert json.loads((tmp_path / "b" / "metrics.json").read_text())["tables"]["volumes"]["b"] == row
    parts = {"fault": ["faults", "fault planes"], "rgt": ["relative time"], "dhr": ["image"]}
    known = [heading for name, headings in parts.items() if name in tasks or name == "fault" for heading in headings]
    assert list(trained.report["tables"]) == ["volumes", *known], "the classical method finds faults anyway"


def test_training_of_more_tasks_starts_from_a_network_of_fewer(
    small: Small, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    still = ("data.synth.n=10", "train.epochs=1", "train.lr=1e-12", "train.weight_decay=0")
    train(small(*changes_for(("fault", "dhr")), *still), tmp_path / "two")
    recipe = small(*changes_for(("fault", "rgt", "dhr")), *still, f"train.init_from={tmp_path / 'two'}")
    with caplog.at_level("INFO", logger="seisloom"):
        train(recipe, tmp_path / "three")
    assert re.search(r"begins from \S+two; unet\.decoders\.rgt untrained, which \S+two does not have\n", caplog.text)
    two, three = (Bundle.open(tmp_path / name).weights() for name in ("two", "three"))
    for name, one in two.items():
        np.testing.assert_allclose(three[name], one, atol=1e-7, err_msg=name)


@pytest.mark.parametrize("dims", [2, 3])
def test_training_of_fewer_tasks_starts_from_a_network_that_is_shipped(
    dims: int, small: Small, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shipped = {2: "interpretation-sections", 3: "interpretation-volumes"}[dims]
    still = ("data.synth.n=10", "data.synth.shape=[16, 20, 24]", "train.lr=1e-12", "train.weight_decay=0")
    size = (f"model.dims={dims}", "model.widths=null", "data.crop=null")
    recipe = small(*changes_for(("fault", "dhr")), *still, *size, f"train.init_from={shipped}")
    with caplog.at_level("INFO", logger="seisloom"):
        fewer = train(recipe, tmp_path / "fewer").bundle.weights()
    said = f"train.init_from: begins from {shipped}; unet.decoders.rgt left out, which this network does not have"
    assert said in caplog.messages
    before = Bundle.open(shipped).weights()
    for name, one in fewer.items():
        np.testing.assert_allclose(one, before[name], atol=1e-6, err_msg=name)


def test_a_network_of_volumes_of_other_widths_says_which_to_give(small: Small, tmp_path: Path) -> None:
    volumes = ("model.dims=3", "model.widths=null", "data.synth.shape=[16, 20, 24]", "data.synth.n=10")
    recipe = small(*changes_for(("fault", "dhr")), *volumes, "train.init_from=interpretation-sections")
    with pytest.raises(RecipeError, match=r"levels have 16, .* Give model\.widths=\[16,32,64,96\], or begin untrained"):
        train(recipe, tmp_path / "b")


def test_a_network_of_volumes_starts_from_one_of_sections(small: Small, tmp_path: Path) -> None:
    tasks = changes_for(("fault", "rgt", "dhr"))
    two = train(small(*tasks, "data.synth.n=10"), tmp_path / "two").bundle
    volumes = ("model.dims=3", "data.synth.shape=[16, 20, 24]", "train.lr=1e-12", "train.weight_decay=0")
    recipe = small(*tasks, *volumes, "data.synth.n=10", f"train.init_from={tmp_path / 'two'}")
    three = train(recipe, tmp_path / "three").bundle
    section = torch.randn(1, 1, 1, 24, 24).cumsum(dim=-1)
    with torch.inference_mode():
        one, many = two.network()({"x": section}), three.network()({"x": section.expand(-1, -1, 12, -1, -1)})
    for name, values in one.items():
        torch.testing.assert_close(many[name], values.expand_as(many[name]), atol=1e-4, rtol=1e-3)


def test_all_tasks_off_is_refused() -> None:
    with pytest.raises(RecipeError, match="a network needs a task"):
        read_recipe("interpretation", ["model.fault=false", "model.dhr=false"])


def test_a_loss_of_a_task_that_is_off_names_it(small: Small, tmp_path: Path) -> None:
    recipe = small("model.dhr=false", "metrics=[]", "loss=[dice, ssim_l2]")
    with pytest.raises(RecipeError, match="loss 'ssim_l2' needs 'dhr'"):
        train(recipe, tmp_path / "b")


def test_cubes_without_labels_are_told_what_they_lack(small: Small, tmp_path: Path) -> None:
    (tmp_path / "cubes").mkdir()
    np.zeros(60, np.float32).tofile(tmp_path / "cubes" / "3.bin")
    with pytest.raises(DataError, match=r"has cubes 3\.bin, \.\.\., and no labels: 3_fsem\.bin.*seisloom apply"):
        list(open_records(small(), tmp_path / "cubes"))
