"""Training: it learns, goes on where it stopped, refuses what is not its own, and opens no pickle."""

from __future__ import annotations

import csv
import json
import pickle
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from seisloom.bundle import Bundle, read_checkpoint
from seisloom.errors import BundleError, LeftOut, MissingDataError, OutputError, RecipeError, TrainingError
from seisloom.recipe import Recipe
from seisloom.sample import Ref, Sample
from seisloom.split import digest, split
from seisloom.tasks.picking.task import PICKING
from seisloom.training.fit import fit
from seisloom.training.loader import LiveSource
from seisloom.training.module import Module

Tiny = Callable[..., Recipe]
PLAIN = ("data.gather=[shot]", "augment=[]", "metrics=[]")


def history(folder: Path) -> list[dict[str, float]]:
    with (folder / "history.csv").open() as file:
        return [{key: float(value) for key, value in row.items() if value} for row in csv.DictReader(file)]


def weights(folder: Path) -> dict[str, np.ndarray]:
    return {name: one.numpy() for name, one in load_file(folder / "weights.safetensors").items()}


def test_the_loss_goes_down_and_the_bundle_is_whole(tiny: Tiny, tmp_path: Path) -> None:
    recipe = tiny(*PLAIN, "epochs=6", "train.lr=0.01")
    bundle = fit(PICKING, recipe, tmp_path / "run")
    rows = history(bundle.path)
    assert [row["epoch"] for row in rows] == list(range(6))
    assert rows[-1]["train/loss"] < 0.95 * rows[0]["train/loss"]
    assert min(row["valid/loss"] for row in rows) < rows[0]["valid/loss"]
    wanted = {"recipe.yaml", "weights.safetensors", "model.pth", "history.csv", "loss_plot.png", "split.json"}
    assert wanted <= {path.name for path in bundle.path.iterdir()}
    assert {"best.ckpt", "last.ckpt"} <= {path.name for path in (bundle.path / "checkpoints").iterdir()}
    assert Bundle.open(bundle.path).recipe == recipe
    parts = split(LiveSource(PICKING, recipe).refs, seed=recipe.seed, config=recipe.split)
    assert json.loads((bundle.path / "split.json").read_text())["sha256"] == digest(parts)


def test_two_runs_give_the_same_weights_and_another_seed_others(tiny: Tiny, tmp_path: Path) -> None:
    first, again, other = (
        weights(fit(PICKING, tiny("epochs=1", f"seed={seed}"), tmp_path / f"{k}").path)
        for k, seed in enumerate((0, 0, 1))
    )
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not all(np.array_equal(first[name], other[name]) for name in first)


def test_epochs_changes_how_long_is_trained(tiny: Tiny, tmp_path: Path) -> None:
    for n in (1, 3):
        assert len(history(fit(PICKING, tiny(*PLAIN, f"epochs={n}"), tmp_path / str(n)).path)) == n


@pytest.mark.parametrize("ema", [0, 0.9])
def test_a_run_that_was_stopped_ends_with_the_weights_of_one_that_was_not(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ema: float
) -> None:
    recipe = tiny("epochs=4", f"train.ema={ema}", "train.lr=0.005")
    whole = fit(PICKING, recipe, tmp_path / "whole")
    step = Module.training_step

    def stopped(self: Module, batch: object, batch_idx: int) -> torch.Tensor:
        if self.current_epoch == 2 and batch_idx == 1:
            raise KeyboardInterrupt
        return step(self, batch, batch_idx)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Module, "training_step", stopped)
        with pytest.raises(TrainingError, match="goes on from its last epoch"):
            fit(PICKING, recipe, tmp_path / "cut")
    assert not (tmp_path / "cut" / "weights.safetensors").exists()
    resumed = fit(PICKING, recipe, tmp_path / "cut")
    assert history(resumed.path) == history(whole.path)
    a, b = weights(whole.path), weights(resumed.path)
    assert a.keys() == b.keys()
    assert all(np.array_equal(a[name], b[name]) for name in a), "all draws are keyed, so not a bit may differ"


def test_last_is_the_last_epoch_also_where_an_earlier_one_was_best(tiny: Tiny, tmp_path: Path) -> None:
    # The largest loss is asked for, so that the first epoch stays the best one
    bundle = fit(PICKING, tiny("epochs=3", "train.lr=0.005", "train.monitor_mode=max"), tmp_path / "run")
    epochs = {
        name: torch.load(bundle.path / "checkpoints" / f"{name}.ckpt", weights_only=True)["epoch"]
        for name in ("best", "last")
    }
    assert epochs == {"best": 0, "last": 2}


def test_a_finished_run_with_more_epochs_goes_on(tiny: Tiny, tmp_path: Path) -> None:
    fit(PICKING, tiny(*PLAIN, "epochs=1"), tmp_path / "run")
    first = history(tmp_path / "run")
    fit(PICKING, tiny(*PLAIN, "epochs=3"), tmp_path / "run")
    rows = history(tmp_path / "run")
    assert [row["epoch"] for row in rows] == [0, 1, 2]
    assert rows[0] == first[0]


class Spoilt:
    """A source in which the records of some shots are NaN."""

    def __init__(self, recipe: Recipe, shots: set[str]) -> None:
        self.live = LiveSource(PICKING, recipe)
        self.shots, self.refs = shots, self.live.refs

    def read_many(self, refs: Sequence[Ref]) -> Iterable[Sample | LeftOut]:
        for one in self.live.read_many(refs):
            if isinstance(one, Sample) and one.groups["shot"] in self.shots:
                yield one.with_arrays(x=np.full_like(one.arrays["x"], np.nan))
            else:
                yield one


def spoilt_shot(recipe: Recipe, part: str = "train") -> str:
    parts = split(LiveSource(PICKING, recipe).refs, seed=recipe.seed, config=recipe.split)
    return parts[part][0].groups["shot"]


def test_batches_with_nan_are_named_counted_and_skipped(
    tiny: Tiny, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recipe = tiny(*PLAIN, "batch_size=1", "epochs=2")
    shot = spoilt_shot(recipe)
    with caplog.at_level("WARNING", "seisloom"):
        bundle = fit(PICKING, recipe, tmp_path / "run", source=Spoilt(recipe, {shot}))
    said = [record.getMessage() for record in caplog.records if "non-finite" in record.getMessage()]
    assert [message.split(":")[0] for message in said] == [
        "non-finite loss, step skipped (1 so far)", "non-finite loss, step skipped (2 so far)",
    ]  # fmt: skip
    number = shot.split("/")[1]
    assert all("terms onset_distribution" in message and f"shot-{int(number):06d}" in message for message in said)
    assert all(np.isfinite(one).all() for one in weights(bundle.path).values())
    assert len(history(bundle.path)) == 2


def test_too_many_batches_with_nan_stop_the_training(tiny: Tiny, tmp_path: Path) -> None:
    recipe = tiny(*PLAIN, "batch_size=1", "epochs=9", "train.max_non_finite=3")
    with pytest.raises(TrainingError, match=r"4 batches had a non-finite loss .*shot-.*max_non_finite"):
        fit(PICKING, recipe, tmp_path / "run", source=Spoilt(recipe, {spoilt_shot(recipe)}))


def test_a_training_without_a_step_is_none(tiny: Tiny, tmp_path: Path) -> None:
    recipe = tiny(*PLAIN, "batch_size=64", "epochs=2")
    with pytest.raises(TrainingError, match=r"all 2 steps were skipped.*has learnt nothing"):
        fit(PICKING, recipe, tmp_path / "run", source=Spoilt(recipe, {spoilt_shot(recipe)}))


def test_nan_in_validation_is_named(tiny: Tiny, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    recipe = tiny(*PLAIN, "epochs=3")
    shot = spoilt_shot(recipe, "valid")
    with caplog.at_level("WARNING", "seisloom"):
        fit(PICKING, recipe, tmp_path / "run", source=Spoilt(recipe, {shot}))
    said = [record.getMessage() for record in caplog.records if "validation loss is not finite" in record.getMessage()]
    assert said
    assert all(f"shot-{int(shot.split('/')[1]):06d}" in message for message in said)


# --- folders


def test_a_folder_that_is_no_bundle_is_refused_and_left_as_it_is(tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="is not empty and not a bundle"):
        fit(PICKING, tiny(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_bundle_of_another_recipe_is_refused_and_replaced_with_force(tiny: Tiny, tmp_path: Path) -> None:
    out = tmp_path / "run"
    fit(PICKING, tiny(*PLAIN, "epochs=1"), out)
    (out / "notes.txt").write_text("mine")
    before = weights(out)
    with pytest.raises(OutputError, match=r"holds a bundle of another recipe \(train.lr was 0.001, is now 0.1\)"):
        fit(PICKING, tiny(*PLAIN, "epochs=1", "train.lr=0.1"), out)
    assert all(np.array_equal(before[name], one) for name, one in weights(out).items())
    fit(PICKING, tiny(*PLAIN, "epochs=1", "train.lr=0.1"), out, force=True)
    assert not all(np.array_equal(before[name], one) for name, one in weights(out).items())
    assert (out / "notes.txt").read_text() == "mine"
    assert len(history(out)) == 1


def test_a_file_in_the_place_of_the_folder_is_a_clear_error(tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    for out in (tmp_path / "run", tmp_path / "run" / "deeper"):
        with pytest.raises(OutputError, match="run"):
            fit(PICKING, tiny(), out)


def test_a_run_goes_on_from_a_checkpoint_of_another_folder(tiny: Tiny, tmp_path: Path) -> None:
    fit(PICKING, tiny(*PLAIN, "epochs=1"), tmp_path / "first")
    last = tmp_path / "first" / "checkpoints" / "last.ckpt"
    fit(PICKING, tiny(*PLAIN, "epochs=3", f"train.resume={last}"), tmp_path / "second")
    assert [row["epoch"] for row in history(tmp_path / "second")] == [1, 2], "the first epoch is not run again"


def test_a_run_that_goes_on_otherwise_says_how_and_does_so(
    tiny: Tiny, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fit(PICKING, tiny(*PLAIN, "epochs=1"), tmp_path / "first")
    last = tmp_path / "first" / "checkpoints" / "last.ckpt"
    changes = ("epochs=2", "train.lr=1e-9", "train.weight_decay=0.5", "train.patience=3", f"train.resume={last}")
    with caplog.at_level("WARNING", "seisloom"):
        fit(PICKING, tiny(*PLAIN, *changes), tmp_path / "second")
    assert (
        f"train.resume: {last} is of another recipe (train.lr was 0.001, is now 1e-09; train.weight_decay was 0.01, "
        "is now 0.5; train.patience was 20, is now 3). The new values hold from here on"
    ) in caplog.text
    state = torch.load(tmp_path / "second" / "checkpoints" / "last.ckpt", weights_only=True)
    assert state["lr_schedulers"][0]["base_lrs"] == [1e-9, 1e-9]
    groups = state["optimizer_states"][0]["param_groups"]
    assert [one["weight_decay"] for one in groups] == [0.5, 0]
    assert max(one["lr"] for one in groups) <= 1e-9
    assert [one["patience"] for one in state["callbacks"].values() if "patience" in one] == [3]
    before = read_checkpoint(last)
    for name, one in read_checkpoint(tmp_path / "second" / "checkpoints" / "last.ckpt").items():
        np.testing.assert_allclose(one, before[name], atol=1e-6, err_msg="the new learning rate holds")


def test_a_run_that_goes_on_for_longer_alone_says_nothing(
    tiny: Tiny, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fit(PICKING, tiny(*PLAIN, "epochs=1"), tmp_path / "first")
    last = tmp_path / "first" / "checkpoints" / "last.ckpt"
    with caplog.at_level("WARNING", "seisloom"):
        fit(PICKING, tiny(*PLAIN, "epochs=2", f"train.resume={last}"), tmp_path / "second")
    assert "train.resume" not in caplog.text


def test_a_checkpoint_without_its_recipe_says_that_it_is_not_known(
    tiny: Tiny, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fit(PICKING, tiny(*PLAIN, "epochs=1"), tmp_path / "first")
    moved = shutil.copy(tmp_path / "first" / "checkpoints" / "last.ckpt", tmp_path / "moved.ckpt")
    with caplog.at_level("WARNING", "seisloom"):
        fit(PICKING, tiny(*PLAIN, "epochs=2", f"train.resume={moved}"), tmp_path / "second")
    assert "whether the recipe of" in caplog.text


def test_a_run_whose_first_batch_failed_is_begun_anew_with_another_recipe(tiny: Tiny, tmp_path: Path) -> None:
    wrong = tiny(*PLAIN, "batch_size=1", "epochs=1", "train.max_non_finite=0")
    with pytest.raises(TrainingError, match="non-finite"):
        fit(PICKING, wrong, tmp_path / "run", source=Spoilt(wrong, {spoilt_shot(wrong)}))
    fit(PICKING, tiny(*PLAIN, "epochs=1"), tmp_path / "run")
    assert len(history(tmp_path / "run")) == 1


def test_learnt_factors_of_other_losses_are_a_clear_error(tiny: Tiny, tmp_path: Path) -> None:
    fit(PICKING, tiny(*PLAIN, "epochs=1"), tmp_path / "first")
    last = tmp_path / "first" / "checkpoints" / "last.ckpt"
    recipe = tiny(*PLAIN, "epochs=2", "train.learn_weights=true", f"train.resume={last}")
    with pytest.raises(RecipeError, match=r"learnt factors of 0 loss terms, and this recipe learns \d"):
        fit(PICKING, recipe, tmp_path / "second")


@pytest.mark.parametrize(
    ("file", "changes", "error", "said"),
    [
        ("checkpoints/last.ckpt", ("model.widths=[4, 12]",), RecipeError, "do not fit model 'onset_unet'"),
        ("model.pth", (), RecipeError, "is no .ckpt of a training; train.init_from begins from weights alone"),
        ("weights.ckpt", (), RecipeError, "holds weights alone"),
        ("nowhere.ckpt", (), MissingDataError, "no such file"),
        ("recipe.ckpt", (), BundleError, "damaged"),
    ],
)
def test_a_checkpoint_that_cannot_be_gone_on_from_is_a_clear_error(
    tiny: Tiny, tiny_bundle: Bundle, tmp_path: Path, file: str, changes: tuple[str, ...], error: type[Exception],
    said: str,
) -> None:  # fmt: skip
    folder = tmp_path / "there"
    shutil.copytree(tiny_bundle.path, folder)
    shutil.copy(folder / "model.pth", folder / "weights.ckpt")
    shutil.copy(folder / "recipe.yaml", folder / "recipe.ckpt")
    with pytest.raises(error, match=said):
        fit(PICKING, tiny(f"train.resume={folder / file}", *changes), tmp_path / "run")


# --- checkpoints


def test_best_last_and_plain_weights_open_with_weights_only(tiny_bundle: Bundle) -> None:
    for name in ("best", "last"):
        loaded = torch.load(tiny_bundle.path / "checkpoints" / f"{name}.ckpt", weights_only=True)
        assert "state_dict" in loaded
        tiny_bundle.network(name)
    best = {name: one.numpy() for name, one in tiny_bundle.network("best").state_dict().items()}
    plain = {
        name: one.numpy() for name, one in tiny_bundle.network(tiny_bundle.path / "model.pth").state_dict().items()
    }
    kept = weights(tiny_bundle.path)
    assert all(np.array_equal(best[name], kept[name]) and np.array_equal(plain[name], kept[name]) for name in kept)


class Malicious:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("suffix", [".ckpt", ".pth"])
@pytest.mark.parametrize("inside", ["alone", "beside weights", "bare pickle"])
def test_a_malicious_checkpoint_runs_nothing(
    tiny_bundle: Bundle, tiny: Tiny, tmp_path: Path, suffix: str, inside: str
) -> None:
    file, mark = tmp_path / f"evil{suffix}", tmp_path / "ran"
    state = dict(tiny_bundle.network().state_dict())
    if inside == "bare pickle":
        file.write_bytes(pickle.dumps(Malicious(mark)))
    else:
        torch.save({"state_dict": state, "x": Malicious(mark)} if inside == "beside weights" else Malicious(mark), file)
    calls: list[Callable[[], object]] = [
        lambda: read_checkpoint(file),
        lambda: tiny_bundle.network(file),
        lambda: fit(PICKING, tiny("epochs=1", f"train.init_from={file}"), tmp_path / "run"),
    ]
    for call in calls:
        with pytest.raises(BundleError, match="damaged, or more than weights, and what could run is not opened"):
            call()
    assert not mark.exists()
    pickle.loads(file.read_bytes()) if inside == "bare pickle" else torch.load(file, weights_only=False)
    assert mark.exists(), "the file would have run its code: the test can fail"


def test_training_starts_from_another_bundle(tiny_bundle: Bundle, tiny: Tiny, tmp_path: Path) -> None:
    changes = ("epochs=1", "train.lr=1e-12", "train.weight_decay=0")
    started = fit(PICKING, tiny(*changes, f"train.init_from={tiny_bundle.path}"), tmp_path / "run")
    a, b = weights(tiny_bundle.path), weights(started.path)
    assert all(np.allclose(a[name], b[name], atol=1e-8) for name in a)


def test_weights_of_another_network_are_refused(tiny_bundle: Bundle, tiny: Tiny, tmp_path: Path) -> None:
    recipe = tiny("epochs=1", f"train.init_from={tiny_bundle.path}", "model.widths=[4, 12]")
    with pytest.raises(RecipeError, match=r"do not fit model 'onset_unet'.*begin untrained with train\.init_from=null"):
        fit(PICKING, recipe, tmp_path / "run")
