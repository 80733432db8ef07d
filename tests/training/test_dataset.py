"""A room's items as a torch Dataset: those of the house's loader, one by one."""

from __future__ import annotations

import pytest
import torch
from torch.utils.data import DataLoader

from seisloom.errors import SplitError
from seisloom.recipe import Recipe, recipe_from
from seisloom.tasks.restoration.task import RESTORATION
from seisloom.training.dataset import SeismicDataset
from seisloom.training.loader import LiveSource, loader

VALUES = {
    "task": "restoration",
    "data": {"synth": {"shape": [1, 12, 32], "n": 10}, "crop": [1, 8, 24]},
    "split": {"by": ["panel"], "valid": 0.3, "calibrate": 0, "test": 0},
    "corrupt": [{"name": "missing", "p": 1.0}],
    "model": {"name": "mask_unet", "widths": [4, 8]},
    "loss": [{"name": "relative_error"}],
    "train": {"batch_size": 4},
}


@pytest.fixture
def recipe() -> Recipe:
    return recipe_from(VALUES)


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k].nan_to_num(), other[k].nan_to_num()) for k in one)


def test_it_gives_the_items_of_the_loader_and_they_make_batches(recipe: Recipe) -> None:
    items, source = SeismicDataset(recipe), LiveSource(RESTORATION, recipe)
    batches = list(loader(RESTORATION, recipe, source, source.refs, training=False))
    assert len(items) == 10
    alone = list(DataLoader(items, batch_size=4))
    assert len(alone) == len(batches) == 3
    assert all(same(one, dict(other.arrays)) for one, other in zip(alone, batches, strict=True))
    for k in range(len(items)):
        RESTORATION.item.check({name: one.numpy() for name, one in items[k].items()}, where="item")


def test_an_epoch_of_training_draws_anew_and_is_kept_by_its_number(recipe: Recipe) -> None:
    items = SeismicDataset(recipe, training=True)
    first, again = items[0], items[0]
    assert same(first, again)
    items.set_epoch(1)
    assert not same(first, items[0])
    fixed = SeismicDataset(recipe)
    before = fixed[0]
    fixed.set_epoch(1)
    assert same(before, fixed[0])


def test_parts_are_those_of_the_training(recipe: Recipe) -> None:
    train, valid = (SeismicDataset(recipe, part=part) for part in ("train", "valid"))
    assert len(train) + len(valid) == 10
    assert len(valid) == 3
    kept = [one["clean"].numpy().tobytes() for items in (train, valid) for one in (items[k] for k in range(len(items)))]
    assert len(set(kept)) == 10
    with pytest.raises(SplitError, match="part='tests': parts are train, valid"):
        SeismicDataset(recipe, part="tests")


def test_it_ends_where_a_list_does(recipe: Recipe) -> None:
    items = SeismicDataset(recipe)
    assert same(items[-1], items[9])
    assert sum(1 for _ in items) == 10
    with pytest.raises(IndexError, match="item 10 of 10"):
        items[10]
