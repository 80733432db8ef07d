"""Batches from samples: exact epochs, an order keyed by (seed, epoch), the same for any number of workers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from seisloom.augment.augmentation import generator
from seisloom.augment.batch import Batch
from seisloom.errors import DataError, LeftOut, SplitError
from seisloom.recipe import Recipe
from seisloom.sample import Ref, Sample
from seisloom.task import Task

Place = tuple[int, int]
"""Pass (counted through all epochs) and number of an item."""


class Source(Protocol):
    """Where samples come from: shards, or a task's own `read` (files, a generator)."""

    @property
    def refs(self) -> Sequence[Ref]:
        """What can be read."""
        ...

    def read_many(self, refs: Sequence[Ref]) -> Iterable[Sample | LeftOut]:
        """Return some samples, in order."""
        ...


class LiveSource:
    """Samples read or synthesised when they are asked for, without shards."""

    def __init__(self, task: Task[Any], recipe: Recipe) -> None:  # Any: any room
        self.task, self.recipe = task, recipe
        self.refs = list(task.plan(recipe))

    def read_many(self, refs: Sequence[Ref]) -> Iterable[Sample | LeftOut]:
        """Return some samples, in order; a LeftOut for one that does not qualify."""
        return self.task.read_many(self.recipe, refs)


class Items(Dataset[Batch]):
    """Items of a part, by batches of places: the sampler decides which places make a batch."""

    def __init__(
        self, task: Task[Any], recipe: Recipe, source: Source, items: Sequence[Sequence[Ref]], *, training: bool
    ) -> None:  # Any: any room
        self.task, self.recipe, self.source, self.training = task, recipe, source, training
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, places: list[Place]) -> Batch:
        which_pass = places[0][0]
        keys = tuple(item_key(self.items[number]) for _, number in places)
        joined = []
        for key, (_, number) in zip(keys, places, strict=True):
            rng = generator("crop", self.recipe.seed, which_pass, key) if self.training else None
            joined.append(self.task.join(self.recipe, self._samples(number), rng))
        names = [field.name for field in self.task.item.fields]
        arrays = {name: torch.from_numpy(np.stack([one[name] for one in joined])) for name in names}
        return Batch(arrays, keys, self.task.item, which_pass)

    def _samples(self, number: int) -> list[Sample]:
        """The samples of an item; where one does not qualify, those of the next item of its size.

        Shards hold qualified samples only; a live source finds out when it reads.
        """
        n_items, size = len(self.items), len(self.items[number])
        reason: LeftOut | None = None
        for step in range(n_items):
            item = self.items[(number + step) % n_items]
            if len(item) == size:
                found = list(self.source.read_many(item))
                samples = [one for one in found if isinstance(one, Sample)]
                if len(samples) == size:
                    return samples
                reason = next(one for one in found if isinstance(one, LeftOut))
        raise DataError(f"no item of {size} samples qualifies; the last reason: {reason}")


class KeyedBatches(Sampler[list[Place]]):
    """Batches of items of one size, in an order keyed by (seed, epoch); ranks share them out evenly.

    Items differ in their number of traces, and padding a gather would change it, so a batch holds items of one size.
    """

    def __init__(
        self, items: Sequence[Sequence[Ref]], *, batch_size: int, seed: int, shuffle: bool, passes: int = 1
    ) -> None:
        self.sizes = [len(item) for item in items]
        self.batch_size, self.seed, self.shuffle, self.passes, self.epoch = batch_size, seed, shuffle, passes, 0

    def set_epoch(self, epoch: int) -> None:
        """Lightning calls this before each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        per_size = np.unique(self.sizes, return_counts=True)[1]
        n_batches = self.passes * int(np.sum(-(-per_size // self.batch_size)))
        return -(-n_batches // _world()[1])

    def __iter__(self) -> Iterator[list[Place]]:
        rank, n_ranks = _world()
        first = self.epoch * self.passes
        batches = [batch for k in range(self.passes) for batch in self._batches(first + k)]
        short = -len(batches) % n_ranks
        batches += [batches[k % len(batches)] for k in range(short)]  # every rank takes as many steps
        yield from batches[rank::n_ranks]

    def _batches(self, which_pass: int) -> list[list[Place]]:
        order = np.arange(len(self.sizes))
        rng = generator("order", self.seed, which_pass)
        if self.shuffle:
            rng.shuffle(order)
        by_size: dict[int, list[Place]] = defaultdict(list)
        for number in order:
            by_size[self.sizes[number]].append((which_pass, int(number)))
        step = self.batch_size
        batches = [some[i : i + step] for some in by_size.values() for i in range(0, len(some), step)]
        if self.shuffle:
            rng.shuffle(batches)
        return batches


def item_key(item: Sequence[Ref]) -> str:
    """Return the key of an item: its only sample's, or first and last of those seen together."""
    return item[0].key if len(item) == 1 else f"{item[0].key}..{item[-1].key}"


def loader(
    task: Task[Any],
    recipe: Recipe,
    source: Source,
    refs: Sequence[Ref],
    *,
    training: bool,
    pin_memory: bool = False,
) -> DataLoader[Batch]:  # Any: any room
    """Return batches of a part of the samples.

    Args:
        task, recipe: the room and what it should do.
        source: reads a ref.
        refs: the samples of this part.
        training: shuffles, and crops at a place drawn anew each epoch; else order and places are fixed.
        pin_memory: for a GPU.
    Raises:
        SplitError: if the part is empty.
    """
    items = list(task.group(recipe, refs, training))
    if not items:
        raise SplitError("the training part has no samples" if training else "the validation part has no samples")
    train = recipe.train
    batches = KeyedBatches(
        items, batch_size=train.batch_size, seed=recipe.seed, shuffle=training, passes=train.passes if training else 1
    )
    dataset: Any = Items(task, recipe, source, items, training=training)  # Any: indexed by batches, not by numbers
    return DataLoader(
        dataset,
        sampler=batches,
        batch_size=None,
        num_workers=train.num_workers,
        collate_fn=_as_it_is,
        pin_memory=pin_memory,
        persistent_workers=train.num_workers > 0,
        multiprocessing_context="spawn" if train.num_workers else None,
    )


def _as_it_is(batch: Any) -> Any:  # Any: with batch_size=None it is given a Batch, whatever its stub says
    return batch


def _world() -> tuple[int, int]:
    """Return this process's rank and the number of ranks."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1
