"""What an augmentation is: parameters are drawn and applied apart, and labels move with the data.

Draws are keyed by (seed, epoch, sample key, place in the list). So they are the same for any number of workers, any
batch size and after a resume. Affine maps of the time axis that stand next to each other are composed in closed form,
and the data resampled once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from seisloom.config import Config
from seisloom.sample import Array

if TYPE_CHECKING:
    from seisloom.augment.batch import Batch

Draws = dict[str, Array]


class Augmentation(Config):
    """A random change of a training batch; `p` is the share of samples that it changes."""

    name: str
    p: float = Field(1.0, ge=0, le=1)
    """Probability that a sample is changed."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return parameters by name, one row a sample; pure: each row depends on its own generator alone.

        Args:
            lengths: length of each named axis of the batch, e.g. {"trace": 48, "time": 1000}.
            rows: a generator for each sample.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what it draws")

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the changed batch, labels moved; rows that are not to change are put back by the caller."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it does")


class TimeMap(Augmentation):
    """An augmentation that moves the time axis: new sample j shows old sample `scale * j + shift`."""

    def time_map(self, batch: Batch, draws: Draws) -> tuple[Array, Array]:
        """Return scale and shift in samples, each of shape (item,)."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it maps time")

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with its time axis mapped."""
        from seisloom.augment.resample import map_time

        return map_time(batch, *self.time_map(batch, draws))


def generator(*words: object) -> np.random.Generator:
    """Return a random generator that depends on the words alone, the same on every machine."""
    digest = hashlib.blake2b("\x1f".join(map(str, words)).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))


def augment(batch: Batch, augmentations: Sequence[Augmentation], *, seed: int) -> tuple[Batch, list[dict[str, Any]]]:
    """Return the augmented batch, and what was drawn for each sample.

    Args:
        batch: the batch, with its epoch and the keys of its samples.
        augmentations: in the order in which they act.
        seed: seed of the recipe.
    Returns:
        The batch, and for each sample the drawn values by "place.name.parameter", for provenance.
    """
    from seisloom.augment.resample import MAX_SCALE, map_time

    drawn: list[dict[str, Any]] = [{} for _ in batch.keys]  # Any: numbers or arrays, as drawn
    scale, shift = np.ones(len(batch)), np.zeros(len(batch))
    for place, entry in enumerate(augmentations):
        rows = [generator("augment", seed, batch.epoch, key, place) for key in batch.keys]
        active = np.array([row.random() < entry.p for row in rows])
        draws = entry.draw(batch.lengths(), rows)
        _remember(drawn, f"{place}.{entry.name}", active, draws)
        if not active.any():
            continue
        if isinstance(entry, TimeMap):
            a, b = entry.time_map(batch, draws)
            a, b = np.where(active, a, 1.0), np.where(active, b, 0.0)
            # Maps that would alias together are not composed; each row by itself, or the batch would matter
            beyond = scale * a > MAX_SCALE
            batch = _flush(batch, np.where(beyond, scale, 1.0), np.where(beyond, shift, 0.0), map_time)
            scale, shift = np.where(beyond, 1.0, scale), np.where(beyond, 0.0, shift)
            # j -> a j + b in the frame that the earlier maps have made: theirs acts on the outcome
            scale, shift = scale * a, shift + scale * b
            continue
        batch = _flush(batch, scale, shift, map_time)
        scale, shift = np.ones(len(batch)), np.zeros(len(batch))
        batch = _select(active, entry.apply(batch, draws), batch)
    return _flush(batch, scale, shift, map_time), drawn


def _flush(batch: Batch, scale: Array, shift: Array, map_time: Any) -> Batch:  # Any: imported late, for torch
    """Resample if any pending map is not the identity."""
    if np.all(scale == 1.0) and np.all(shift == 0.0):
        return batch
    changed: Batch = map_time(batch, scale, shift)
    return _select((scale != 1.0) | (shift != 0.0), changed, batch)


def _select(active: Array, changed: Batch, original: Batch) -> Batch:
    """Take the changed rows where active, bit for bit the original ones elsewhere."""
    if active.all():
        return changed
    import torch

    chosen = {}
    for name, new in changed.arrays.items():
        old = original.arrays[name]
        if new is old:
            chosen[name] = old
            continue
        mask = torch.as_tensor(active, device=new.device).reshape(-1, *[1] * (new.ndim - 1))
        chosen[name] = torch.where(mask, new, old)
    return original.with_arrays(**chosen)


def _remember(drawn: list[dict[str, Any]], name: str, active: Array, draws: Draws) -> None:  # Any: as in augment
    for row, values in enumerate(drawn):
        if active[row]:
            values.update({f"{name}.{key}": value[row] for key, value in draws.items()})
