"""Samples of the training part that augmentations take partners from: events to add, records to mix, real noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seisloom.augment.augmentation import leaves
from seisloom.augment.bank import Bank
from seisloom.recipe import Recipe
from seisloom.sample import Ref
from seisloom.task import Task
from seisloom.training.loader import Source, loader

MOST = 512
"""Samples of a bank: enough that partners rarely repeat, few enough to stay in memory."""


def partners(task: Task[Any], recipe: Recipe, source: Source, refs: Sequence[Ref]) -> Bank | None:
    """Return a bank of training items, evenly spread over them; None where no augmentation takes partners.

    Args:
        task, recipe: the room and what it should do.
        source: reads a ref.
        refs: the training part; others would leak.
    """
    if not any(entry.takes_partners for _, entry in leaves(recipe.augment)):
        return None
    items = task.group(recipe, refs, False)
    numbers = np.unique(np.linspace(0, len(items) - 1, min(MOST, len(items))).round().astype(int))
    chosen = [ref for k in numbers for ref in items[k]]
    batches = list(loader(task, recipe, source, chosen, training=False))
    arrays = {name: np.concatenate([one.arrays[name].numpy() for one in batches]) for name in batches[0].arrays}
    return Bank.of([key for one in batches for key in one.keys], arrays)
