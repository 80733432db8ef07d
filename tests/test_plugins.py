"""Named parts: ours are found by the same door as a third party's, and a wrong name says what is near."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from seisloom import plugins
from seisloom.augment.augmentation import Augmentation
from seisloom.config import Config, LossTerm, Method, MetricConfig, ModelConfig, Preparation, Representation
from seisloom.errors import PluginError
from seisloom.io.volumes.volume import Format
from seisloom.task import Task

RECORDS: dict[str, type] = {"tasks": Task, "formats": Format}
KINDS: dict[str, type] = {
    "preparations": Preparation, "models": ModelConfig, "augmentations": Augmentation,
    "representations": Representation,
    "losses": LossTerm, "metrics": MetricConfig, "methods": Method,
}  # fmt: skip
EVERY = [(group, name) for group in plugins.GROUPS for name in plugins.names(group)]


@pytest.mark.parametrize(("group", "name"), EVERY)
def test_every_part_loads_is_of_its_kind_and_bears_its_name(group: str, name: str) -> None:
    part = plugins.load(group, name)
    if group in RECORDS:
        assert isinstance(part, RECORDS[group])
        assert part.name == name
        return
    assert issubclass(part, KINDS[group])
    assert name in (part.model_fields["name"].default, part.__name__)  # some are known by their class, too
    assert part.__doc__


@pytest.mark.parametrize(("group", "name"), [pair for pair in EVERY if pair[0] not in RECORDS])
def test_every_part_says_what_each_of_its_keys_means(group: str, name: str) -> None:
    part: type[Config] = plugins.load(group, name)
    assert [
        key for key, field in part.model_fields.items() if key not in ("name", "task") and not field.description
    ] == []


def test_a_wrong_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(PluginError, match="no model is named 'onset_unett'; did you mean 'onset_unet'"):
        plugins.load("models", "onset_unett")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[EntryPoint]:
    """Entry points of the group `models` that the tests add to."""
    points: list[EntryPoint] = []
    monkeypatch.setattr(plugins, "entry_points", lambda group: points if group == "seisloom.models" else [])
    monkeypatch.setattr(plugins, "_found", plugins._found.__wrapped__)
    return points


def test_a_name_that_two_packages_claim_is_an_error(installed: list[EntryPoint]) -> None:
    for target in ("one:Net", "two:Net"):
        installed.append(EntryPoint("net", target, "seisloom.models"))
    with pytest.raises(PluginError, match="claimed by two packages: one:Net, two:Net"):
        plugins.load("models", "net")


def test_one_package_that_is_installed_twice_is_no_clash(installed: list[EntryPoint]) -> None:
    installed += [EntryPoint("net", "seisloom.errors:PluginError", "seisloom.models") for _ in range(2)]
    assert plugins.load("models", "net") is PluginError


@pytest.mark.parametrize("target", ["no_such_package.net:Net", "seisloom.errors:NoSuchName"])
def test_a_package_that_does_not_load_is_named(installed: list[EntryPoint], target: str) -> None:
    installed.append(EntryPoint("net", target, "seisloom.models"))
    with pytest.raises(PluginError, match=target):
        plugins.load("models", "net")


def test_names_load_nothing(installed: list[EntryPoint]) -> None:
    installed.append(EntryPoint("net", "no_such_package.net:Net", "seisloom.models"))
    assert plugins.names("models") == ["net"]
