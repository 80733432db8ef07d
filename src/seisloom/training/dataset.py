"""A room's samples as a torch Dataset, for a training loop of one's own."""

from __future__ import annotations

from torch import Tensor
from torch.utils.data import Dataset

from seisloom.errors import SplitError
from seisloom.recipe import Recipe
from seisloom.split import split
from seisloom.task import task_of
from seisloom.training.loader import Items, LiveSource


class SeismicDataset(Dataset[dict[str, Tensor]]):
    """What a recipe's `data` names, item by item, as its network is shown it: read when asked for, cut and scaled.

    Volumes are read by their chunks, and a worker of a DataLoader keeps the files that it has opened. `augment` is no
    part of an item: it acts on batches, see `seisloom.augment.augmentation.augment`.

    >>> from seisloom.recipe import read_recipe
    >>> items = SeismicDataset(read_recipe("restoration_prestack", ["data.synth.n=3"]))
    >>> len(items), tuple(items[0]["x"].shape)
    (3, (1, 64, 256))
    """

    def __init__(self, recipe: Recipe, *, part: str | None = None, training: bool = False) -> None:
        """Plan the items; nothing is read.

        Args:
            recipe: of any room.
            part: train, valid, calibrate or test, as the recipe splits them; None takes all.
            training: whether crops, and what else a room draws, are drawn anew for each epoch, see `set_epoch`; else
                they follow from the sample alone.
        Raises:
            SplitError: if there is no such part, or the groups do not suffice.
        """
        task, self.epoch = task_of(recipe), 0
        source = LiveSource(task, recipe)
        refs = source.refs
        if part is not None:
            parts = split(refs, seed=recipe.seed, config=recipe.split)
            if part not in parts:
                raise SplitError(f"part={part!r}: parts are {', '.join(parts)}")
            refs = list(parts[part])
        self._items = Items(task, recipe, source, task.group(recipe, refs, training), training=training)

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Return one item; its fields are those of the room's `item`."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"item {index} of {len(self)}")
        batch = self._items[[(self.epoch, index % len(self))]]
        return {name: one[0] for name, one in batch.arrays.items()}

    def set_epoch(self, epoch: int) -> None:
        """Draw crops anew; call it before an epoch's loop, and make a DataLoader with workers after it."""
        self.epoch = epoch
