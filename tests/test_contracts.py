"""The public contract checks themselves: what they accept is ours, and what breaks a promise does not pass."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from seisloom.augment.amplitude import Gain
from seisloom.augment.augmentation import Augmentation, Draws
from seisloom.augment.batch import Batch
from seisloom.errors import DataError, MissingDataError, OutputError
from seisloom.io.gather import Gather, read_segy
from seisloom.io.picks import read_sgt, write_picks
from seisloom.io.segy import write_segy
from seisloom.recipe import Recipe
from seisloom.sample import Ref, Sample
from seisloom.tasks.picking.model import OnsetUNet
from seisloom.tasks.picking.task import PICKING
from seisloom.testing import check_augmentation, check_format, check_model, check_task, gather_batch

Tiny = Callable[..., Recipe]


# --- formats


def write_gather(gather: Gather, path: Path) -> None:
    write_segy(path, gather.traces, interval_s=1 / gather.fs_hz)


def same_gather(a: Gather, b: Gather) -> bool:
    return bool(np.array_equal(a.traces, b.traces) and a.fs_hz == b.fs_hz and np.array_equal(a.delay_s, b.delay_s))


def test_segy_keeps_the_contract(tmp_path: Path) -> None:
    gather = Gather.from_array(np.random.default_rng(0).normal(size=(9, 500)).astype(np.float32), fs_hz=2000.0)
    check_format(read_segy, write_gather, gather, tmp_path / "a.segy", same=same_gather)


def test_sgt_keeps_the_contract(tmp_path: Path) -> None:
    places = np.arange(6.0)
    table = pd.DataFrame(
        {
            "time_s": 0.01 + 0.001 * places, "lower_s": 0.009 + 0.001 * places, "upper_s": 0.011 + 0.001 * places,
            "sigma_s": 0.001, "status": "picked", "source_x": 0.0, "source_y": 0.0,
            "group_x": places + 1, "group_y": 0.0,
        }
    )  # fmt: skip

    def same(a: pd.DataFrame, b: pd.DataFrame) -> bool:
        one, two = (table.sort_values("time_s")["time_s"].to_numpy() for table in (a, b))
        return len(one) == len(two) and np.allclose(one, two, atol=1e-7)

    check_format(read_sgt, write_picks, table, tmp_path / "a.sgt", same=same)


def read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except FileNotFoundError as error:
        raise MissingDataError(f"{path}: no such file") from error
    except ValueError as error:
        raise DataError(f"{path}: no JSON") from error


def write_json(value: Any, path: Path) -> None:
    try:
        path.write_text(json.dumps(value))
    except OSError as error:
        raise OutputError(f"{path}: cannot be written") from error


def test_a_format_that_keeps_its_promises_passes_and_others_do_not(tmp_path: Path) -> None:
    value = {"a": [1, 2, 3], "b": "c"}

    def check(
        name: str, read: Callable[[Path], Any] = read_json, write: Callable[[Any, Path], Any] = write_json
    ) -> None:
        folder = tmp_path / name
        folder.mkdir()
        check_format(read, write, value, folder / "v.json")

    check("right")
    with pytest.raises(AssertionError, match="does not read as the same"):
        check("loses", read=lambda path: {**read_json(path), "b": None})
    with pytest.raises(AssertionError, match=r"leaves v\.json\.tmp beside"):
        check("litters", write=lambda v, path: (write_json(v, path), write_json(v, path.with_name(path.name + ".tmp"))))
    counter = iter(range(9))
    with pytest.raises(AssertionError, match="has other bytes"):
        check(
            "clock",
            write=lambda v, path: write_json({**v, "b": "c" + " " * next(counter)}, path),
            read=lambda path: {**read_json(path), "b": "c"},
        )
    with pytest.raises(AssertionError, match="OutputError was promised, NotADirectoryError came"):
        check("bare", write=lambda v, path: path.write_text(json.dumps(v)))
    with pytest.raises(AssertionError, match="MissingDataError was promised, FileNotFoundError came"):
        check("naked", read=lambda path: json.loads(path.read_text()))


# --- augmentations that break a promise


class ByBatch(Gain):
    """Draws from one generator for the whole batch."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        return {"factor": np.exp(rows[0].standard_normal((len(rows), lengths["trace"])))}


class ByGlobalState(Gain):
    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        return {"factor": np.random.rand(len(rows), lengths["trace"])}  # noqa: NPY002


class InPlace(Gain):
    def apply(self, batch: Batch, draws: Draws) -> Batch:
        batch.arrays["x"].mul_(2)
        return batch


class ForgetsLabels(Augmentation):
    name: str = "roll"

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        return {}

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        return batch.with_arrays(x=batch.arrays["x"].roll(9, dims=-1))


class Denies(ForgetsLabels):
    def apply(self, batch: Batch, draws: Draws) -> Batch:
        has = batch.arrays["has_pick"]
        return batch.with_arrays(has_pick=torch.where(has == -1, torch.zeros_like(has), has))


class OtherType(ForgetsLabels):
    def apply(self, batch: Batch, draws: Draws) -> Batch:
        return batch.with_arrays(x=batch.arrays["x"].double())


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (ByBatch(), "in the batch and in one of their own"), (ByGlobalState(), "two calls"),
        (InPlace(), "the given batch before and after"), (ForgetsLabels(), "its pick says"),
        (Denies(), "is said to have no onset"), (OtherType(), "now torch.float64"),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_an_augmentation_that_breaks_a_promise_does_not_pass(entry: Augmentation, says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        check_augmentation(entry)


def test_the_batch_of_the_check_has_a_bump_at_each_pick() -> None:
    arrays = {name: one.numpy() for name, one in gather_batch().arrays.items()}
    for item, trace in zip(*np.nonzero(arrays["has_pick"] == 1), strict=True):
        assert abs(arrays["x"][item, trace, 0].argmax() - arrays["y_idx"][item, trace]) <= 0.5
    assert (arrays["has_pick"] == -1).any(axis=1).all()


# --- tasks and networks that break a promise


def test_a_room_that_breaks_a_promise_does_not_pass(tiny: Tiny) -> None:
    recipe = tiny()
    calls = iter(range(10_000))

    def drifting(recipe: Any, ref: Ref) -> Sample:
        sample = PICKING.read(recipe, ref)
        return sample.with_arrays(x=sample.arrays["x"] + np.float32(next(calls)))

    for changes, says in (
        ({"plan": lambda recipe: PICKING.plan(recipe) * 2}, "are not unique"),
        ({"plan": lambda recipe: []}, "there is nothing"),
        ({"read": drifting}, "two readings"),
        ({"read_many": lambda recipe, refs: list(PICKING.read_many(recipe, refs))[::-1]}, "alone and with others"),
        ({"read": lambda recipe, ref: replace(PICKING.read(recipe, ref), key="other")}, "is read as other"),
        ({"group": lambda recipe, refs, training: PICKING.group(recipe, refs[1:], training)}, "are in no item"),
        ({"shard": lambda ref: "../" + ref.key}, "is no name"),
    ):  # fmt: skip
        with pytest.raises(AssertionError, match=says):
            check_task(replace(PICKING, **changes), recipe)  # type: ignore[arg-type]


class Broken(OnsetUNet):
    how: str = ""

    def build(self, schema: Any) -> torch.nn.Module:
        network, how = super().build(schema), self.how

        class Wrapped(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.inner = network
                self.hidden = torch.rand(1)

            def forward(self, batch: Any) -> Any:
                out = dict(self.inner(batch))
                if how == "mixes":
                    out["mean"] = out["mean"] + out["mean"].mean()
                if how == "unstored":
                    out["presence"] = out["presence"] + self.hidden
                if how == "lacks":
                    del out["log_sigma"]
                if how == "dreams":
                    out["presence"] = out["presence"] + torch.rand(1)
                return out

        return Wrapped()


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("mixes", "of an item alone differs"), ("unstored", "stored and read back"), ("dreams", "two calls"),
        ("lacks", "log_sigma"),
    ],
)  # fmt: skip
def test_a_network_that_breaks_a_promise_does_not_pass(tiny: Tiny, how: str, says: str) -> None:
    recipe = tiny("loss=[presence, onset_error]")
    entry = Broken(how=how, fs_hz=2000, widths=(4, 8), n_blocks=(1, 1), dilations=(1, 1))
    with pytest.raises((AssertionError, ValueError), match=says):
        check_model(entry, recipe)
    entry = entry.model_copy(update={"how": ""})
    check_model(entry, recipe)
