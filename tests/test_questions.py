"""Questions of a guided set-up: made from a recipe's own fields, for every room and every set of tasks."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Literal

import numpy as np
import pytest
import yaml
from pydantic import Field

from seisloom import plugins
from seisloom.config import Config, LossTerm, ModelConfig
from seisloom.draft import Draft, begin, differences, to_yaml
from seisloom.errors import RecipeError, SeisloomError
from seisloom.questions import Question, answered, question, questions
from seisloom.recipe import Recipe, packaged_recipes, read_recipe, read_values
from seisloom.split import split
from seisloom.task import task_of
from seisloom.tasks.interpretation.recipe import SWITCHES
from seisloom.tasks.interpretation.setup import METRICS, TERMS, first_cube
from seisloom.training.fit import fit
from seisloom.training.loader import LiveSource

ROOMS = plugins.names("tasks")
COMBINATIONS = [one for n in (1, 2, 3) for one in itertools.combinations(SWITCHES, n)]


def asked(draft: Draft, path: str) -> Question:
    """The question for a key, which there must be."""
    found = question(draft, path)
    assert found is not None
    return found


def with_answers(draft: Draft, **answers: object) -> Draft:
    """The draft with answers, `model__rgt="yes"` for model.rgt."""
    for key, text in answers.items():
        draft = answered(draft, key.replace("__", "."), str(text))
    return draft


def with_tasks(*tasks: str, **answers: object) -> Draft:
    """An interpretation with these tasks on and the others off; on first, since all off is refused."""
    draft = begin("interpretation")
    for task in sorted(SWITCHES, key=lambda one: one not in tasks):
        draft = answered(draft, f"model.{task}", "yes" if task in tasks else "no")
    return with_answers(draft, **answers)


# --- every room


@pytest.mark.parametrize("name", packaged_recipes())
def test_a_packaged_recipe_is_settled_as_it_is(name: str) -> None:
    draft = begin(name)
    assert type(draft.recipe).settle(draft.values) == draft.values
    assert differences(draft) == []


@pytest.mark.parametrize("name", packaged_recipes())
def test_taking_every_default_gives_the_packaged_recipe(name: str) -> None:
    draft = begin(name)
    found = list(questions(draft))
    assert len(found) >= 5
    for one in found:
        draft = answered(draft, one.path, "")
        draft = draft if one.default in ("", "null") else answered(draft, one.path, one.default)
    assert draft.recipe == read_recipe(name)
    assert yaml.safe_load(to_yaml(draft)) == read_values(name)


@pytest.mark.parametrize("room", ROOMS)
def test_a_question_says_what_the_field_says(room: str) -> None:
    draft = begin(room)
    for one in questions(draft):
        assert one.text, one.path
        assert not one.text.endswith("e.g.")
        if one.is_open:
            assert one.check("") == ""
    epochs = asked(draft, "train.epochs")
    field = type(draft.recipe.train).model_fields["epochs"]
    assert epochs.text == field.description
    assert epochs.help == "A whole number, at least 1."
    assert epochs.default == str(draft.recipe.train.epochs)
    assert asked(draft, "train.precision").choices == ("32-true", "16-mixed", "bf16-mixed")


@pytest.mark.parametrize("room", ROOMS)
def test_every_key_that_a_room_asks_for_is_one(room: str) -> None:
    kind: type[Recipe] = plugins.load("tasks", room).recipe
    for path in kind.questions:
        part, _, last = path.rpartition(".")
        here: Any = begin(room).recipe
        for step in part.split("."):
            here = getattr(here, step)
        assert last in type(here).model_fields, path


WRONG = {
    "too small": ("train.epochs", "0", "greater than or equal to 1"),
    "no number": ("train.epochs", "many", "valid integer"),
    "no whole number": ("train.epochs", "2.5", "fractional part"),
    "none of the choices": ("train.precision", "8-bit", "'32-true'"),
    "nothing where something is needed": ("train.lr", "null", "valid number"),
    "a list of another length": ("data.synth.shape", "32, 32", "data.synth.shape.2"),
    "a key that is not there": ("train.epoch", "3", "did you mean 'epochs'"),
    "a network that is not there": ("model.name", "interpretation_net", "did you mean 'interpretation_unet'"),
}


@pytest.mark.parametrize("case", sorted(WRONG))
def test_a_wrong_answer_has_a_reason(case: str) -> None:
    path, answer, says = WRONG[case]
    with pytest.raises(SeisloomError) as caught:
        answered(begin("interpretation"), path, answer)
    assert says in str(caught.value)
    found = question(begin("interpretation"), path)
    assert found is None or says in found.check(answer)


def test_answers_are_taken_as_they_are_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    draft = begin("picking")
    draft = with_answers(draft, data__root="lines", data__geometries="A, B", train__lr="1e-4", calibrate__folds="0")
    draft = with_answers(draft, apply__false_alarm_rate="null", split__by="[station]")
    recipe: Any = draft.recipe
    assert recipe.data.root == str(tmp_path / "lines")
    assert recipe.data.geometries == ("A", "B")
    assert recipe.train.lr == 1e-4
    assert recipe.calibrate.folds == 0
    assert recipe.apply.false_alarm_rate is None
    assert recipe.split.by == ("station",)
    file = tmp_path / "elsewhere" / "mine.yaml"
    file.parent.mkdir()
    file.write_text(to_yaml(draft))
    assert read_recipe(file) == recipe


def test_another_network_of_the_room_keeps_the_keys_that_it_has_too() -> None:
    draft = begin("picking")
    assert asked(draft, "model.name").choices == ("onset_transformer", "onset_unet")  # none of another room
    assert "attention along time" in asked(draft, "model.name").help
    changed: Any = answered(draft, "model.name", "onset_transformer").recipe.model
    assert (changed.name, changed.fs_hz, changed.stride) == ("onset_transformer", 2000, 4)
    assert question(begin("interpretation"), "model.name") is None, "its two networks have recipes of their own"


def test_differences_name_entries_that_came_and_went() -> None:
    draft = with_tasks("rgt", train__epochs=3).with_change("loss.relative_time.weight=2")
    found = {key: (was, now) for key, was, now in differences(draft)}
    assert found["train.epochs"] == ("10", "3")
    assert found["model.rgt"] == ("no", "yes")
    assert found["loss"] == ("balanced_cross_entropy, dice, fault_normal, ssim_l2", "relative_time")
    assert set(found) == {"train.epochs", "model.fault", "model.rgt", "model.dhr", "loss", "metrics"}


def test_what_cannot_be_begun_says_why(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="did you mean 'interpretation'"):
        begin("interpretaton")
    (tmp_path / "bad.yaml").write_text("task: picking\nmodel: onset_unet\n")
    with pytest.raises(RecipeError, match="loss"):
        begin(str(tmp_path / "bad.yaml"))


# --- a room of somebody else's


class AcmeNet(ModelConfig):
    """A network of somebody else's."""

    name: str = "acme_wave_net"


class AcmeLoss(LossTerm):
    name: str = "acme_wave_loss"


class AcmeData(Config):
    gate: Literal["near", "far"] = "near"
    """Where the gate lies, e.g. near. A far one sees more noise."""
    gain: float | None = Field(None, gt=0, lt=10)
    """Factor of the waves."""


class AcmeRecipe(Recipe):
    questions: ClassVar[tuple[str, ...]] = ("data.gate", "data.gain", "model.name", *Recipe.questions, "data.not_there")
    data: AcmeData = AcmeData()
    model: Any = AcmeNet()
    loss: Any = (AcmeLoss(),)


@pytest.fixture
def acme(monkeypatch: pytest.MonkeyPatch) -> None:
    """A third party's room, which has no packaged recipe."""
    known, load = plugins.names, plugins.load
    own = {"tasks": {"acme_waves": SimpleNamespace(recipe=AcmeRecipe)}, "models": {"acme_wave_net": AcmeNet}}
    monkeypatch.setattr(plugins, "names", lambda group: sorted([*known(group), *own.get(group, {})]))
    monkeypatch.setattr(plugins, "load", lambda group, name: own.get(group, {}).get(name) or load(group, name))


@pytest.mark.usefixtures("acme")
def test_a_room_of_somebody_else_is_asked_without_a_line_of_ours() -> None:
    draft = begin("acme_waves")
    found = {one.path: one for one in questions(draft)}
    assert list(found)[:2] == ["data.gate", "data.gain"]
    assert {"train.epochs", "train.lr"} <= set(found)
    assert "data.not_there" not in found
    assert found["data.gate"].text == "Where the gate lies, e.g. near."
    assert found["data.gate"].help == "A far one sees more noise."
    assert found["data.gate"].choices == ("near", "far")
    assert found["data.gain"].help == "A number, above 0 and below 10. Leave it empty for none."
    assert "less than 10" in found["data.gain"].check("11")
    changed = with_answers(draft, data__gate="far", data__gain="2.5")
    assert yaml.safe_load(to_yaml(changed)) == {"task": "acme_waves", "data": {"gate": "far", "gain": 2.5}}


# --- interpretation: every set of tasks


def test_terms_of_a_task_are_those_of_the_packaged_recipe() -> None:
    values = read_values("interpretation")
    assert values["loss"] == TERMS["fault"] + TERMS["dhr"]
    assert values["metrics"] == METRICS["fault"] + METRICS["dhr"]


@pytest.mark.parametrize("tasks", COMBINATIONS, ids="+".join)
def test_every_set_of_tasks_is_a_right_recipe_that_trains(tasks: tuple[str, ...], tmp_path: Path) -> None:
    draft = with_tasks(*tasks, data__synth__shape="1, 32, 32", data__synth__n=12, train__epochs=1, train__batch_size=4)
    for change in ("split.valid=0.2", "model.widths=[4, 8]", "train.loggers=[csv]", "train.accelerator=cpu"):
        draft = draft.with_change(change)
    recipe: Any = draft.recipe
    assert recipe.model.tasks == tasks
    assert [one.name for one in recipe.loss if one.name in {term["name"] for term in TERMS["fault"]}] == (
        [term["name"] for term in TERMS["fault"]] if "fault" in tasks else []
    )
    assert {one.name for one in recipe.metrics} == {one["name"] for task in tasks for one in METRICS[task]}
    task = task_of(recipe)
    source = LiveSource(task, recipe)
    parts = split(source.refs, seed=recipe.seed, config=recipe.split)
    bundle = fit(task, recipe, tmp_path / "b", source=source, parts=parts)
    header, row = (bundle.path / "history.csv").read_text().splitlines()[:2]
    history = dict(zip(header.split(","), row.split(","), strict=True))
    for one in (*recipe.loss, *recipe.metrics):
        assert np.isfinite(float(history[f"valid/{one.name}"])) or one.name in METRICS["fault"]
    assert {term["name"] for name in SWITCHES if name not in tasks for term in TERMS[name]}.isdisjoint(
        key.partition("/")[2] for key in history
    )


def test_all_tasks_off_is_refused_with_the_reason() -> None:
    draft = with_tasks("dhr")
    assert "a network needs a task" in asked(draft, "model.dhr").check("no")


def test_what_was_changed_by_hand_stays_when_another_task_is_switched() -> None:
    draft = begin("interpretation").with_change("loss.dice.weight=0.7").with_change("loss.ssim_l2.weight=0.1")
    draft = with_answers(draft, model__rgt="yes", model__dhr="no")
    assert {one.name: one.weight for one in draft.recipe.loss} == {
        "balanced_cross_entropy": 1.0, "dice": 0.7, "fault_normal": 0.5, "relative_time": 0.5,
    }  # fmt: skip


def test_what_watches_or_writes_a_task_that_is_off_goes_with_it() -> None:
    draft = begin("interpretation")
    for change in ("train.monitor=valid/dhr_ssim", "train.monitor_mode=max", "apply.attributes=[fault, dhr]"):
        draft = draft.with_change(change)
    recipe: Any = answered(draft, "model.dhr", "no").recipe
    assert (recipe.train.monitor, recipe.train.monitor_mode) == ("valid/loss", "min")
    assert recipe.apply.attributes == ("fault",)


def test_losses_of_any_output_follow_the_output_that_they_name() -> None:
    draft = begin("interpretation").with_change("loss=[dice, {name: l1, output: rgt}, {name: l2}, rgt_order]")
    draft = answered(draft, "model.rgt", "yes")
    kept = answered(draft, "model.rgt", "no").recipe.loss
    assert [one.name for one in kept] == ["dice", "l2"]


# --- interpretation: what is read


def cubes(root: Path, shape: tuple[int, ...], n: int = 2) -> Path:
    """A folder of raw cubes, and a target of each."""
    for name in ("data_train", "target_train"):
        (root / name).mkdir(parents=True)
        for k in range(n):
            suffix = "" if name == "data_train" else "_fsem"
            np.zeros(shape, dtype="<f4").tofile(root / name / f"{k}{suffix}.bin")
    return root


def test_sizes_that_nothing_says_are_offered_and_never_assumed(tmp_path: Path) -> None:
    root = cubes(tmp_path / "cubes", (12, 16, 40))
    draft = answered(begin("interpretation"), "data.root", str(root))
    n1 = asked(draft, "data.n1")
    assert n1.is_open
    assert n1.is_needed
    assert "7680 samples" in n1.help
    assert "nothing says it" in n1.check("")
    assert "no cube of 7 x something" in n1.check("7")
    draft = answered(draft, "data.n1", "40")
    assert {"12", "16"} <= set(asked(draft, "data.n2").choices)
    draft = answered(draft, "data.n2", "16")
    assert asked(draft, "data.n3").choices == ("12",)
    assert "has 7680 samples" in asked(draft, "data.n3").check("2")
    recipe: Any = answered(draft, "data.n3", "12").recipe
    assert recipe.data.crop == (1, 16, 40), "the network sees sections"
    whole: Any = answered(answered(draft, "data.n3", "12"), "model.dims", "3").recipe
    assert whole.data.crop is None


def test_sizes_of_a_cube_of_equal_sides_are_offered_first(tmp_path: Path) -> None:
    draft = answered(begin("interpretation"), "data.root", str(cubes(tmp_path / "cubes", (16, 16, 16))))
    assert asked(draft, "data.n1").choices[0] == "16"


def test_sizes_that_a_side_car_says_are_not_asked(tmp_path: Path) -> None:
    root = cubes(tmp_path / "cubes", (12, 16, 40))
    for k in range(2):
        (root / "data_train" / f"{k}.json").write_text(json.dumps({"n": [40, 16, 12]}))
    draft = answered(begin("interpretation"), "data.root", str(root))
    found = [one.path for one in questions(draft)]
    assert not {"data.n1", "data.n2", "data.n3", "data.synth.n", "data.n_valid"} & set(found)
    assert {"data.n_train", "data.crop"} <= set(found)
    recipe: Any = draft.recipe
    assert recipe.data.crop == (1, 16, 40)


def test_cubes_on_another_machine_are_asked_for_without_choices(tmp_path: Path) -> None:
    draft = answered(begin("interpretation"), "data.root", str(tmp_path / "none"))
    n1 = asked(draft, "data.n1")
    assert n1.choices == ()
    assert n1.check("") == ""
    assert first_cube(draft.values["data"]) is None


def test_a_network_of_volumes_gets_synthetic_volumes() -> None:
    recipe: Any = answered(begin("interpretation"), "model.dims", "3").recipe
    assert recipe.data.synth.shape == (64, 64, 64)


@pytest.mark.parametrize("task", SWITCHES)
def test_help_of_a_task_names_its_source(task: str) -> None:
    assert "doi 10.1093/gji/ggad424" in asked(begin("interpretation"), f"model.{task}").help
