"""The folder of a run: a dead one is begun anew, another one is refused, and what differs of recipes is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from seisloom.errors import OutputError
from seisloom.recipe import Recipe
from seisloom.training.folder import claim, said_of

Tiny = Callable[..., Recipe]


def test_a_run_that_died_before_its_first_checkpoint_is_begun_anew(tiny: Tiny, tmp_path: Path) -> None:
    out = tmp_path / "run"
    claim(out, tiny(), force=False)
    (out / "split.json").write_text("of the dead one")
    (out / "logs" / "csv").mkdir(parents=True)
    corrected = tiny("train.lr=0.1")
    assert claim(out, corrected, force=False) is None
    assert (out / "recipe.yaml").read_text() == corrected.to_yaml()
    assert not (out / "split.json").exists()


@pytest.mark.parametrize("left", ["checkpoints/last.ckpt", "weights.safetensors", "model.pth", "notes.txt"])
def test_what_a_run_or_somebody_left_is_refused_and_kept(tiny: Tiny, tmp_path: Path, left: str) -> None:
    claim(tmp_path, tiny(), force=False)
    (tmp_path / left).write_text("mine")
    with pytest.raises(OutputError, match=r"another recipe \(train.lr was 0.001, is now 0.1\). Choose another --out"):
        claim(tmp_path, tiny("train.lr=0.1"), force=False)
    assert (tmp_path / left).read_text() == "mine"
    assert (tmp_path / "recipe.yaml").read_text() == tiny().to_yaml()


def test_a_recipe_that_somebody_wrote_is_not_written_over(tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("task: picking  # mine\n")
    with pytest.raises(OutputError, match="another recipe"):
        claim(tmp_path, tiny(), force=False)
    assert (tmp_path / "recipe.yaml").read_text() == "task: picking  # mine\n"


def test_where_a_run_can_be_gone_on_from_the_message_says_how(tiny: Tiny, tmp_path: Path) -> None:
    claim(tmp_path, tiny(), force=False)
    (tmp_path / "checkpoints" / "last.ckpt").touch()
    with pytest.raises(OutputError, match=r"--out \(train.resume=\S+/last.ckpt goes on from it there\), or replace"):
        claim(tmp_path, tiny("seed=1"), force=False)


@pytest.mark.parametrize("key", ["resume", "init_from"])
def test_force_does_not_clear_what_training_begins_from(tiny: Tiny, tmp_path: Path, key: str) -> None:
    claim(tmp_path, tiny(), force=False)
    last = tmp_path / "checkpoints" / "last.ckpt"
    last.write_text("hours")
    with pytest.raises(OutputError, match=rf"would be cleared, and train\.{key}="):
        claim(tmp_path, tiny("seed=1", f"train.{key}={last}"), force=True)
    assert last.read_text() == "hours"


def test_keys_that_are_changed_most_come_first_and_all_of_few() -> None:
    before = {"data.root": "a", "model.preset": "small", "seed": 0, "train.epochs": 1, "train.lr": 0.1}
    now = {"data.root": "b", "model.preset": "base", "seed": 5, "train.epochs": 3, "train.lr": 0.2}
    assert said_of(before, now) == (
        "train.lr was 0.1, is now 0.2; seed was 0, is now 5; model.preset was small, is now base; "
        "data.root was a, is now b"
    )


def test_many_keys_are_counted_by_where_they_are() -> None:
    now = {f"data.{k}": k for k in range(15)} | {"apply.views": 4, "train.lr": 0.2}
    said = said_of({}, now)
    assert said.startswith("train.lr was None, is now 0.2; data.0")
    assert said.endswith("; and 5 more in data, apply")


def test_entries_of_lists_are_told_by_their_names() -> None:
    dice, other = {"name": "dice", "weight": 1.0}, {"name": "dice", "weight": 2.0}
    assert said_of({"loss": [dice]}, {"loss": [other]}) == "loss.dice.weight was 1.0, is now 2.0"
    assert said_of({"loss": [dice]}, {"loss": [dice, {"name": "l1"}]}) == "loss was [dice], is now [dice, l1]"
    assert said_of({"loss": [dice]}, {"loss": []}) == "loss was [dice], is now []"
