"""Putting two records into one: a second event on top, or a mixture whose classes are mixed too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

import numpy as np
import torch
from pydantic import Field

from seisloom.augment.amplitude import as_rows
from seisloom.augment.augmentation import Augmentation, Draws, Kind
from seisloom.augment.bank import bank_of
from seisloom.augment.batch import Batch
from seisloom.augment.noise import as_rows_of, mean_square
from seisloom.config import Paths
from seisloom.sample import Array


class StackEvents(Augmentation):
    """Add another record from a bank, weaker and later or earlier, as events that overlap.

    Labels stay those of the record itself: its picks, its class. What the other one shifts over the edge is gone.
    """

    kind: ClassVar[Kind] = "trace"
    name: str = "stack_events"
    low_db: float = -20.0
    """Least size of the other record in dB, of the root mean squares of both."""
    high_db: float = -6.0
    """Largest size in dB."""
    max_shift: float = Field(0.5, ge=0, lt=1)
    """Largest shift of the other record either way, as a share of the record."""
    bank: Annotated[str | None, Paths()] = None
    """An .npz with records, see `seisloom.augment.bank`; None takes what the training gives."""

    @property
    def takes_partners(self) -> bool:
        """Whether no file names the bank."""
        return self.bank is None

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return `partner` and `start` in [0, 1), `shift` in samples and `size_db`, (item,)."""
        most = round(self.max_shift * lengths["time"])
        return {
            "partner": np.array([row.random() for row in rows]),
            "start": np.array([row.random() for row in rows]),
            "shift": np.array([row.integers(-most, most + 1) for row in rows]),
            "size_db": np.array([row.uniform(self.low_db, self.high_db) for row in rows]),
        }

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with other records added to `x`."""
        x = batch.arrays["x"]
        bank = bank_of(batch, self.bank, self.name)
        other = bank.pieces(draws["partner"], draws["start"], x, batch.keys, where=self.name)
        own, theirs = (as_rows_of(mean_square(one).sqrt(), x) for one in (x, other))
        factor = torch.where(theirs > 0, own / torch.where(theirs > 0, theirs, 1.0), 0.0)
        factor = factor * as_rows(10 ** (draws["size_db"] / 20), x)
        shifted = torch.zeros_like(other)
        for new, old, shift in zip(shifted, other, draws["shift"].tolist(), strict=True):
            n = x.shape[-1] - abs(shift)
            new[..., max(shift, 0) : max(shift, 0) + n] = old[..., max(-shift, 0) : max(-shift, 0) + n]
        return batch.with_arrays(x=torch.addcmul(x, shifted, factor))


class MixUp(Augmentation):
    """Mix a record with another one from a bank, and their class labels in the same parts.

    x = w x_1 + (1 - w) x_2 and so for each label of class with an axis `class` (one value a class, 0 to 1), with w from
    a beta distribution, turned so that the record itself has the larger part. Other labels stay.

    Source: Zhang et al. (2018), mixup: Beyond empirical risk minimization, ICLR, equation 2.
    """

    kind: ClassVar[Kind] = "trace"
    in_order: ClassVar[tuple[str, ...]] = ("alpha",)
    name: str = "mix_up"
    alpha: float = Field(0.2, gt=0)
    """Both parameters of the beta distribution: small ones mix little."""
    bank: Annotated[str | None, Paths()] = None
    """An .npz with records and their classes, see `seisloom.augment.bank`; None takes what the training gives."""

    @property
    def takes_partners(self) -> bool:
        """Whether no file names the bank."""
        return self.bank is None

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return `partner` and `start` in [0, 1) and `weight` in [0.5, 1], (item,)."""
        weight = np.array([row.beta(self.alpha, self.alpha) for row in rows])
        return {
            "partner": np.array([row.random() for row in rows]),
            "start": np.array([row.random() for row in rows]),
            "weight": np.maximum(weight, 1 - weight),
        }

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with mixed `x` and classes."""
        x = batch.arrays["x"]
        bank = bank_of(batch, self.bank, self.name)
        soft = [
            field.name for field in batch.schema.fields
            if field.name in batch.arrays and field.label == "class" and "class" in field.axes
        ]  # fmt: skip
        if not soft or not all(batch.arrays[name].is_floating_point() for name in soft):
            raise ValueError(
                "augment.mix_up: needs a label of class with an axis `class` and floating numbers, one a class, or "
                "there is nothing that says what was mixed; leave it out here"
            )
        other = bank.pieces(draws["partner"], draws["start"], x, batch.keys, where=self.name)
        changes = {"x": _mixed(x, other, draws["weight"])}
        numbers = bank.numbers(draws["partner"], batch.keys)
        for name in soft:
            if name not in bank.arrays:
                raise ValueError(f"augment.mix_up: the bank has no {name}; it has {', '.join(bank.arrays)}")
            label = batch.arrays[name]
            theirs = torch.as_tensor(bank.arrays[name][numbers], dtype=label.dtype, device=label.device)
            changes[name] = _mixed(label, theirs, draws["weight"])
        return batch.with_arrays(**changes)


def _mixed(one: torch.Tensor, other: torch.Tensor, weight: Array) -> torch.Tensor:
    w = as_rows(weight, one)
    return w * one + (1 - w) * other
