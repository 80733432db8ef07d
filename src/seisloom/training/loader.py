"""Batches from samples: exact epochs, an order keyed by (seed, epoch), the same for any number of workers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
        names = [field.name for field in self.task.item.fields if not field.optional or field.name in joined[0]]
        for name in names:
            if len(shapes := {one[name].shape for one in joined}) > 1:
                raise DataError(
                    f"{', '.join(keys[:4])}: items of one batch have {name} of the shapes "
                    f"{' and '.join(str(one) for one in sorted(shapes))}. Cut them to one size (data.crop), or give "
                    "train.batch_size=1"
                )
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
    """Batches of items of one size and one kind, in an order keyed by (seed, epoch); ranks share them out evenly.

    Items differ in their number of traces, and padding a gather would change it, so a batch holds items of one size.
    A kind with a larger share than its number of items is gone through more often, with other draws each time.
    """

    def __init__(
        self,
        items: Sequence[Sequence[Ref]],
        *,
        batch_size: int,
        seed: int,
        shuffle: bool,
        passes: int = 1,
        shares: Mapping[str, float] | None = None,
    ) -> None:
        self.sizes = [len(item) for item in items]
        self.shares = shares or {"": 1.0}
        self.kinds = kinds(items, self.shares)
        self.batch_size, self.seed, self.shuffle, self.passes, self.epoch = batch_size, seed, shuffle, passes, 0

    def set_epoch(self, epoch: int) -> None:
        """Lightning calls this before each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-sum(self._counts().values()) // _world()[1])

    def __iter__(self) -> Iterator[list[Place]]:
        rank, n_ranks = _world()
        batches = [batch for kind, n in self._counts().items() for batch in self._of_kind(kind, self.epoch * n, n)]
        if self.shuffle:
            generator("mix", self.seed, self.epoch).shuffle(batches)
        short = -len(batches) % n_ranks
        batches += [batches[k % len(batches)] for k in range(short)]  # every rank takes as many steps
        yield from batches[rank::n_ranks]

    def _per_pass(self, kind: str) -> int:
        """Number of batches in one pass over the items of a kind."""
        sizes = [size for size, one in zip(self.sizes, self.kinds, strict=True) if one == kind]
        return int(np.sum(-(-np.unique(sizes, return_counts=True)[1] // self.batch_size)))

    def _counts(self) -> dict[str, int]:
        """Number of batches of each kind in an epoch: as many in all as the passes have, parted by the shares."""
        there = {kind: share for kind, share in self.shares.items() if kind in self.kinds}
        n_batches = self.passes * sum(self._per_pass(kind) for kind in there)
        return {kind: max(round(n_batches * share / sum(there.values())), 1) for kind, share in there.items()}

    def _of_kind(self, kind: str, first: int, n: int) -> Iterator[list[Place]]:
        """Yield `n` batches of a kind from its endless row of passes, beginning with number `first`."""
        per_pass = self._per_pass(kind)
        while n > 0:
            which_pass, done = divmod(first, per_pass)
            some = self._batches(kind, which_pass)[done : done + n]
            yield from some
            first, n = first + len(some), n - len(some)

    def _batches(self, kind: str, which_pass: int) -> list[list[Place]]:
        order = np.flatnonzero([one == kind for one in self.kinds])
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


def kinds(items: Sequence[Sequence[Ref]], shares: Mapping[str, float]) -> list[str]:
    """Return the kind of each item: the longest key of `shares` that the name of one of its groups begins with.

    Raises:
        SplitError: if no key fits an item.
    """
    longest_first = sorted(shares, key=len, reverse=True)
    found = []
    for item in items:
        names = item[0].groups.values()
        fits = (key for key in longest_first if not key or any(name.startswith(key) for name in names))
        kind = next(fits, None)
        if kind is None:
            raise SplitError(
                f"train.shares: {', '.join(shares)} leave out {item[0].key}. Give it a share too, or use the key '' "
                "for all others"
            )
        found.append(kind)
    return found


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
    size = train.batch_size if training or train.batch_valid is None else train.batch_valid
    batches = KeyedBatches(
        items, batch_size=size, seed=recipe.seed, shuffle=training,
        passes=train.passes if training else 1, shares=train.shares if training else None,
    )  # fmt: skip
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
