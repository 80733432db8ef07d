"""Every network that a recipe may name is built, learns, and is applied, each in its room; and the command shows it.

Names come from the entry points, so that a new network, or one of somebody else's package, is tried as well.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from functools import cache
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from torch import nn

from seisloom import plugins
from seisloom.cli.use import list_models, show_model
from seisloom.errors import SeisloomError
from seisloom.recipe import Recipe, kind_of, packaged_recipes, read_values, recipe_from, with_changes
from seisloom.sample import Arrays, Schema
from seisloom.task import task_of
from seisloom.tasks.classification.model import LogisticRegression
from seisloom.testing import check_model, check_task, first_items
from seisloom.testing.model import n_items

Small = Callable[..., Recipe]
Items = Callable[[str, int], Arrays]
THIRD_PARTY = Path(__file__).parent / "third_party"
MODELS = plugins.names("models")

# Networks are of their default size. Items are made once a room, with the network that asks for most in them.
SMALL = {
    "classification": ("classification", "data.paths=[]", "data.window_s=30", "data.synth.stations=1"),
    "dispersion": (
        "dispersion_picker", "data.frequency.num_samples=24", "data.frequency.max_hz=30",
        "data.phase_velocity.num_samples=48", "data.crop=null", "data.simulation.nt=256", "data.simulation.dt=0.01",
        "data.simulation.arrays.n_receivers=[8, 12]", "data.simulation.source.corners_hz=[2, 4, 24, 30]",
        "data.physics.medium={name: normal, n_layers: [2, 3]}",
    ),
    "interpretation": (
        "interpretation", "model={name: interpretation_refiner}", "data.synth.shape=[16, 20, 24]", "data.synth.n=2",
    ),
    "picking": (
        "picking", "shards.win_len_s=0.1", "shards.target_fs=1000", "data.crop_s=0.08", "data.gather_size=5",
    ),
    "restoration": (
        "restoration_prestack", "model={name: guess_unet}", "data.synth.shape=[1, 24, 96]", "data.synth.n=24",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def small(tiny_survey: Path) -> Small:
    """Makes the small recipe of a room, with changes, as training would complete it."""

    def recipe(room: str, *changes: str) -> Recipe:
        name, *usual = SMALL[room]
        survey = [f"data.root={tiny_survey}"] if room == "picking" else []
        values = with_changes(read_values(name), [*survey, *usual, *changes])
        settled = recipe_from(kind_of(values).settle(values))
        completed: Recipe = task_of(settled).complete(settled)
        return completed

    return recipe


@pytest.fixture(scope="module")
def items(small: Small) -> Items:
    """Makes the first items of a room, once."""

    @cache
    def made(room: str, n: int) -> Arrays:
        recipe = small(room)
        return first_items(task_of(recipe), recipe, n=n)

    return made


def rooms_of(name: str) -> list[str]:
    """Return the rooms of a network: those of recipes that name it, else that of its package; else it may be any."""
    in_recipes = {
        values["task"] for values in map(read_values, packaged_recipes()) if _name(values.get("model")) == name
    }
    package = str(plugins.load("models", name).__module__)
    in_package = [room for room in plugins.names("tasks") if package.startswith(f"seisloom.tasks.{room}.")]
    return sorted(in_recipes) or in_package or sorted(SMALL)


def _name(entry: object) -> object:
    return entry.get("name") if isinstance(entry, dict) else entry


def check_in_its_room(name: str, small: Small, items: Items) -> str:
    """Check a network in the room that is its own, and return that; where it may be any, the first that it fits."""
    refused: list[Exception] = []
    for room in rooms_of(name):
        recipe = small(room, f"model={{name: {name}}}")
        try:
            check_model(recipe.model, recipe, items=items(room, n_items(recipe.model)))
        except (AssertionError, LookupError, RuntimeError, SeisloomError, TypeError, ValueError) as error:
            error.add_note(f"in the room {room}")
            refused.append(error)
        else:
            return room
    if len(refused) == 1:
        raise refused[0]
    raise ExceptionGroup(f"model {name} keeps the contract of no room", refused)


@pytest.mark.parametrize("name", MODELS)
def test_each_listed_network_learns_and_is_applied(name: str, small: Small, items: Items) -> None:
    assert check_in_its_room(name, small, items) in rooms_of(name)


def test_a_network_that_no_recipe_names_finds_its_room(
    monkeypatch: pytest.MonkeyPatch, small: Small, items: Items
) -> None:
    """One of another package does not say where it belongs; what it gives tells."""
    project = tomllib.loads((THIRD_PARTY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    known = plugins._found()
    theirs = {
        name: [EntryPoint(name, target, "seisloom.models")]
        for name, target in project["entry-points"]["seisloom.models"].items()
    }
    monkeypatch.syspath_prepend(THIRD_PARTY / "src")
    monkeypatch.setattr(plugins, "_found", lambda: {**known, "models": {**known["models"], **theirs}})
    assert rooms_of("acme_net") == sorted(SMALL)
    assert check_in_its_room("acme_net", small, items) == "picking"


class Idle(LogisticRegression):
    """Takes all items and learns nothing from them."""

    def build(self, schema: Schema) -> nn.Module:
        network = super().build(schema)
        network.learn = lambda batch, groups: None  # type: ignore[assignment]
        return network


def test_a_closed_form_that_learns_nothing_does_not_pass(small: Small, items: Items) -> None:
    recipe = small("classification", "model={name: logistic}")
    entry = Idle.model_validate(recipe.model.model_dump())
    with pytest.raises(AssertionError, match="the same before and after it learns"):
        check_model(entry, recipe, items=items("classification", n_items(entry)))


def test_a_room_whose_network_learns_in_closed_form_keeps_the_contract(small: Small) -> None:
    """Rocket refuses to be applied before it has learnt."""
    recipe = small("classification", "model={name: rocket, n_features: 168}", "data.synth.n_events=12")
    check_task(task_of(recipe), recipe, n_read=2)


def test_the_command_lists_and_shows_each_network(capsys: pytest.CaptureFixture[str]) -> None:
    list_models()
    listed = {line.split()[0] for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert listed >= set(MODELS)
    for name in MODELS:
        show_model(name)
        said = capsys.readouterr().out
        kind = plugins.load("models", name)
        assert said.startswith(kind.__doc__.strip().splitlines()[0])
        assert all(key in said for key in kind.model_fields)
