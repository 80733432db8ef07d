"""Networks that learn in closed form: from all items at once, without gradient steps."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

import torch
from torch import Tensor

from seisloom.augment.augmentation import augment
from seisloom.augment.bank import Bank
from seisloom.augment.batch import Batch
from seisloom.recipe import Recipe
from seisloom.sample import Ref
from seisloom.task import Task
from seisloom.training.callbacks import write_history
from seisloom.training.loader import KeyedBatches, Source, item_key, loader
from seisloom.training.module import loss_terms, sum_terms

logger = logging.getLogger("seisloom")


class ClosedForm(Protocol):
    """A network that is fitted, not trained."""

    def learn(self, batch: Mapping[str, Tensor], groups: Sequence[str]) -> None:
        """Fit all that there is to fit.

        Args:
            batch: arrays of all items by name, with labels.
            groups: what each item belongs to, such as its event: items of one group tell of each other.
        """


def learn_at_once(
    network: torch.nn.Module, task: Task[Any], recipe: Recipe, source: Source, parts: Mapping[str, Sequence[Ref]],
    out: Path, *, bank: Bank | None = None,
) -> None:  # fmt: skip  # Any: any room
    """Fit a network on the training part, and write how it does on that and the validation part to `history.csv`.

    The training part is gone through `train.epochs` times, with other draws of the augmentations each time: so many
    times its items are learnt from.

    Args:
        network: a `ClosedForm`.
        task, recipe: the room and what it should do.
        source: reads a ref.
        parts: refs by part.
        out: folder of the bundle.
        bank: samples that augmentations take partners from.
    """
    items = task.group(recipe, parts["train"], True)
    owner = {item_key(item): "/".join(item[0].groups[kind] for kind in recipe.split.by) for item in items}
    batches = list(_changed(task, recipe, source, parts["train"], bank))
    keys = [key for batch in batches for key in batch.keys]
    logger.info("learning from %d items at once", len(keys))
    row = {"epoch": 0.0}
    with torch.no_grad():
        everything = _together(batches)
        cast("ClosedForm", network).learn(everything, [owner[key] for key in keys])
        network.eval()
        row |= _scores("train", network, recipe, everything)
        if parts["valid"]:
            held_out = _together(list(loader(task, recipe, source, parts["valid"], training=False)))
            row |= _scores("valid", network, recipe, held_out)
    write_history([row], out / "history.csv")


def _changed(
    task: Task[Any], recipe: Recipe, source: Source, refs: Sequence[Ref], bank: Bank | None
) -> Iterator[Batch]:  # Any: any room
    """Yield the batches of all epochs, augmented."""
    read = loader(task, recipe, source, refs, training=True)
    assert isinstance(read.sampler, KeyedBatches)
    for epoch in range(recipe.train.epochs):
        read.sampler.set_epoch(epoch)
        for batch in read:
            yield augment(batch, recipe.augment, seed=recipe.seed, bank=bank)[0]


def _together(batches: Sequence[Batch]) -> dict[str, Tensor]:
    arrays = [batch.arrays for batch in batches]
    return {name: torch.cat([one[name] for one in arrays]) for name in arrays[0]}


def _scores(part: str, network: torch.nn.Module, recipe: Recipe, arrays: Mapping[str, Tensor]) -> dict[str, float]:
    """Return loss, its terms and the metrics of a part, by the names that training logs them under."""
    outputs = network(arrays)
    terms = loss_terms(outputs, arrays, recipe)
    found = {f"{part}/loss": float(sum_terms(terms, recipe)), **{f"{part}/{k}": float(v) for k, v in terms.items()}}
    for entry in recipe.metrics if part == "valid" else ():
        metric = entry.build()
        metric.update(outputs, arrays)
        found[f"{part}/{entry.name}"] = float(metric.compute())
    return found
