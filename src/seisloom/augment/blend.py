"""Blending: a second source fires into the record, at a time of its own for each trace, as in simultaneous shooting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor

from seisloom.augment.augmentation import Augmentation, Draws
from seisloom.augment.bank import bank_of
from seisloom.augment.batch import Batch
from seisloom.augment.erratic import over_time
from seisloom.augment.noise import with_snr
from seisloom.augment.pieces import fitted_pieces
from seisloom.augment.time import fs_hz
from seisloom.config import Paths
from seisloom.sample import Array


class Blended(Augmentation):
    """Add a second shot, late or early by a time drawn for each trace.

    In a common-receiver gather each trace is another shot, and the second source was dithered against each: its waves,
    coherent where it is alone, scatter from trace to trace. Source: Berkhout (2008), The Leading Edge 27(7), 924-938;
    dithers of Moore et al. (2008), SEG Expanded Abstracts 27, 2850-2854.
    """

    in_order: ClassVar[tuple[str, ...]] = ("low_db", "high_db")
    name: str = "blended"
    source: Literal["same", "bank"] = "same"
    """The second shot: the gather itself, its traces in reverse order; or a record from a bank, of any size."""
    bank: Annotated[str | None, Paths()] = None
    """bank: an .npz of records, see `seisloom.augment.bank`; None takes what the training gives."""
    low_db: float = -12.0
    """Least level of the second shot in dB, of mean squares over the whole sample relative to the first."""
    high_db: float = 3.0
    """Largest level in dB."""
    dither_s: float = Field(0.5, gt=0)
    """Largest dither of a trace in s, either way; at most half of the record."""
    delay: float = Field(0.3, ge=0, lt=1)
    """Largest delay that all traces have in common, as a share of the record, either way."""

    @model_validator(mode="after")
    def _ordered(self) -> Blended:
        if self.low_db > self.high_db:
            raise ValueError(f"low_db {self.low_db:g} must not be above high_db {self.high_db:g}")
        return self

    @property
    def takes_partners(self) -> bool:
        """Whether the second shot is taken from a bank that no file names."""
        return self.source == "bank" and self.bank is None

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return `snr_db`, the common `delay` as a share of the record, where in the bank the second shot is, (item,)
        each, and `dither`, -1 to 1, (item, trace) or (item, line, trace)."""
        shape = (lengths["line"],) if "line" in lengths else ()
        shape = (*shape, lengths.get("trace", 1))
        draws = {
            "snr_db": np.array([-row.uniform(self.low_db, self.high_db) for row in rows]),
            "delay": np.array([row.uniform(-self.delay, self.delay) for row in rows]),
            "dither": np.stack([row.uniform(-1, 1, shape) for row in rows]),
        }
        if self.source == "bank":
            draws |= {name: np.array([row.random() for row in rows]) for name in ("partner", "first_row", "first_time")}
        return draws

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with the second shot added to `x`; dead traces stay dead."""
        x = batch.arrays["x"]
        if self.source == "bank":
            bank = bank_of(batch, self.bank, self.name)
            places = draws["partner"], draws["first_row"], draws["first_time"]
            second = fitted_pieces(bank, *places, x, batch.keys)
        else:
            second = x.flip(batch.axis("x", "trace")) if "trace" in batch.schema["x"].axes else x
        late = shifted(second, over_time(batch, self._late(batch, draws)[..., None]))
        if "live" in batch.arrays:
            late = late * over_time(batch, batch.arrays["live"].cpu().numpy()[..., None])
        return batch.with_arrays(x=with_snr(x, late, draws["snr_db"]))

    def _late(self, batch: Batch, draws: Draws) -> Array:
        """Return by how many samples the second shot is late on each trace, whole numbers."""
        n_time = batch.arrays["x"].shape[-1]
        dither = np.minimum(self.dither_s * fs_hz(batch), n_time / 2)
        one_each = (-1, *[1] * (draws["dither"].ndim - 1))
        late = draws["delay"].reshape(one_each) * n_time + draws["dither"] * dither.reshape(one_each)
        return np.asarray(np.rint(late))


def shifted(x: Tensor, late: Tensor) -> Tensor:
    """Return traces that are late by whole samples, with zeros before their begin or after their end.

    Args:
        x: shape (..., time).
        late: in samples, broadcasts over `x`, with 1 along time; negative is early.
    """
    place = torch.arange(x.shape[-1], device=x.device) - late.long()
    inside = (place >= 0) & (place < x.shape[-1])
    read = torch.gather(x, -1, place.clamp(0, x.shape[-1] - 1).expand(x.shape))
    return torch.where(inside, read, torch.zeros_like(read))
