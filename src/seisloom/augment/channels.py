"""Changing channels of three-component records: channels that fail, and horizontal ones turned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import torch
from pydantic import Field, field_validator

from seisloom.augment.amplitude import as_rows
from seisloom.augment.augmentation import Augmentation, Draws, Kind
from seisloom.augment.batch import Batch


class ChannelDropout(Augmentation):
    """Silence channels, as a broken component does: up to so many of them, each with a probability; never all."""

    kind: ClassVar[Kind] = "trace"
    in_order: ClassVar[tuple[str, ...]] = ("p_drop", "max_channels")
    name: str = "channel_dropout"
    p_drop: float = Field(0.5, ge=0, le=1)
    """Probability that a chosen channel is silent."""
    max_channels: int = Field(1, ge=1)
    """Most channels that are chosen; one to so many, all numbers alike."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return `alive` (item, channel), 1 or 0."""
        n = lengths.get("channel", 1)
        if n < 2:
            raise ValueError("augment.channel_dropout: x has one channel, of which nothing would be left")
        alive = np.ones((len(rows), n))
        for one, row in zip(alive, rows, strict=True):
            chosen = row.permutation(n)[: row.integers(1, min(self.max_channels, n - 1) + 1)]
            one[chosen[row.random(len(chosen)) < self.p_drop]] = 0.0
        return {"alive": alive}

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with silent channels in `x`."""
        x = batch.arrays["x"]
        shape = [1] * x.ndim
        shape[0], shape[batch.axis("x", "channel")] = draws["alive"].shape
        return batch.with_arrays(x=x * torch.as_tensor(draws["alive"], dtype=x.dtype, device=x.device).reshape(shape))


class Rotate(Augmentation):
    """Turn the horizontal components about the vertical, as if the wave came from elsewhere.

    Motion to the azimuth a, clockwise from north, becomes motion to a + angle: N' = N cos - E sin, E' = N sin + E cos.
    A field `back_azimuth_deg` grows by the angle, modulo 360. Energy, vertical and picks stay.
    """

    kind: ClassVar[Kind] = "trace"
    name: str = "rotate"
    max_deg: float = Field(180.0, gt=0, le=180)
    """Largest angle either way, in degrees."""
    channels: str = "ZNE"
    """Order of the channels of `x`: the letters Z, N and E."""

    @field_validator("channels")
    @classmethod
    def _three(cls, value: str) -> str:
        if sorted(value) != ["E", "N", "Z"]:
            raise ValueError(f"channels are Z, N and E in some order, such as ZNE, not {value}")
        return value

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return `angle_deg` (item,), uniform either way."""
        return {"angle_deg": np.array([row.uniform(-self.max_deg, self.max_deg) for row in rows])}

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with turned `x`."""
        x = batch.arrays["x"]
        axes = batch.schema["x"].axes
        dim = axes.index("channel") + 1 if "channel" in axes else -1
        if dim < 0 or x.shape[dim] != 3:
            raise ValueError(f"augment.rotate: x needs three channels {self.channels}, its shape is {tuple(x.shape)}")
        parts = dict(zip(self.channels, x.unbind(dim), strict=True))
        angle = np.radians(draws["angle_deg"])
        cos, sin = (as_rows(one, parts["N"]) for one in (np.cos(angle), np.sin(angle)))
        parts["N"], parts["E"] = cos * parts["N"] - sin * parts["E"], sin * parts["N"] + cos * parts["E"]
        changes = {"x": torch.stack([parts[letter] for letter in self.channels], dim)}
        if "back_azimuth_deg" in batch.arrays:
            old = batch.arrays["back_azimuth_deg"]
            changes["back_azimuth_deg"] = torch.remainder(old + as_rows(draws["angle_deg"], old), 360.0)
        return batch.with_arrays(**changes)
