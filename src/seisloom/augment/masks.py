"""Taking parts of the data away: gaps, bands and boxes of zeros. What is labelled there stays, but for picks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from seisloom.augment.augmentation import Augmentation, Draws, Kind
from seisloom.augment.batch import Batch
from seisloom.augment.labels import without_points
from seisloom.sample import Array


class Gap(Augmentation):
    """Silence all traces and channels for a while, as a recorder that stops does.

    A pick in the gap is one that nobody knows any more: `has_pick` -1.
    """

    in_order: ClassVar[tuple[str, ...]] = ("share",)
    name: str = "gap"
    share: float = Field(0.1, gt=0, lt=1)
    """Longest gap as a share of the record; a tenth of it at least."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return `first` and `stop` of the gap in samples, (item,)."""
        first, stop = draw_bands(lengths["time"], self.share, 1, rows)
        return {"first": first[:, 0], "stop": stop[:, 0]}

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with zeros in the gap."""
        x = batch.arrays["x"]
        gone = in_bands(draws["first"][:, None], draws["stop"][:, None], batch, "time")
        return batch.with_arrays(x=torch.where(gone, torch.zeros_like(x), x), **_unseen(batch, draws))


def _unseen(batch: Batch, draws: Draws) -> dict[str, Tensor]:
    """Return picks without those that lie in the gap."""
    if "y_idx" not in batch.arrays:
        return {}
    y_idx = batch.arrays["y_idx"]
    shape = (-1, *[1] * (y_idx.ndim - 1))
    first, stop = (torch.as_tensor(draws[name], device=y_idx.device).reshape(shape) for name in ("first", "stop"))
    inside = (batch.arrays["has_pick"] == 1) & (y_idx >= first - 0.5) & (y_idx < stop - 0.5)
    return without_points(batch, inside, say=-1)


class SpectrumMask(Augmentation):
    """Blank bands along time, frequency or both.

    Source: Park et al. (2019), SpecAugment, Interspeech, section 2, without the warp.
    """

    kind: ClassVar[Kind] = "spectrum"
    name: str = "spectrum_mask"
    axes: tuple[str, ...] = ("time", "frequency")
    """Axes that get bands; those that `x` does not have are passed over, and one of them it must have."""
    n_bands: int = Field(1, ge=1)
    """Bands along each axis."""
    share: float = Field(0.15, gt=0, lt=1)
    """Widest band as a share of its axis; a tenth of it at least."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return by axis `first_<axis>` and `stop_<axis>`, (item, n_bands)."""
        draws: Draws = {}
        for axis in self.axes:
            if axis in lengths:
                draws[f"first_{axis}"], draws[f"stop_{axis}"] = draw_bands(
                    lengths[axis], self.share, self.n_bands, rows
                )
        if not draws:
            raise ValueError(f"augment.{self.name}: x has none of the axes {', '.join(self.axes)}; name one it has")
        return draws

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with zeros in the bands."""
        x = batch.arrays["x"]
        gone = torch.zeros((), dtype=torch.bool, device=x.device)
        for axis in self.axes:
            if f"first_{axis}" in draws and axis in batch.schema["x"].axes:
                gone = gone | in_bands(draws[f"first_{axis}"], draws[f"stop_{axis}"], batch, axis)
        return batch.with_arrays(x=torch.where(gone, torch.zeros_like(x), x))


class Erase(Augmentation):
    """Blank a random box of the data.

    A pick stays where its trace is blank only in part: the network is to bridge the box. Source: Zhong et al. (2020),
    Random erasing data augmentation, AAAI, with zeros and for any number of axes.
    """

    name: str = "erase"
    kind: ClassVar[Kind] = "volume"
    share: float = Field(0.3, gt=0, lt=1)
    """Longest side of the box as a share of its axis; a tenth of it at least."""
    axes: tuple[str, ...] = ()
    """Axes that bound the box; empty takes all of `x` but `channel`."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return by axis `first_<axis>` and `stop_<axis>`, (item, 1)."""
        draws: Draws = {}
        for axis in sorted(self.axes or lengths):
            if axis in lengths and axis not in ("channel", "component"):
                draws[f"first_{axis}"], draws[f"stop_{axis}"] = draw_bands(lengths[axis], self.share, 1, rows)
        return draws

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with zeros in the box."""
        x = batch.arrays["x"]
        inside = torch.ones((), dtype=torch.bool, device=x.device)
        for axis in batch.schema["x"].axes:
            if f"first_{axis}" in draws:
                inside = inside & in_bands(draws[f"first_{axis}"], draws[f"stop_{axis}"], batch, axis)
        return batch.with_arrays(x=torch.where(inside, torch.zeros_like(x), x))


def draw_bands(n: int, share: float, n_bands: int, rows: Sequence[np.random.Generator]) -> tuple[Array, Array]:
    """Return first and stop of bands, int (item, n_bands): share / 10 to share of n samples long, one at least."""
    longest = max(round(share * n), 1)
    width = np.stack([row.integers(max(longest // 10, 1), longest + 1, n_bands) for row in rows])
    first = np.floor(np.stack([row.random(n_bands) for row in rows]) * (n - width + 1)).astype(int)
    return first, first + width


def in_bands(first: Array, stop: Array, batch: Batch, axis: str) -> Tensor:
    """Return whether samples of `x` lie in one of the bands (item, band) along an axis, as a bool that broadcasts."""
    x = batch.arrays["x"]
    dim = batch.axis("x", axis)
    number = np.arange(x.shape[dim])[:, None]
    inside = ((number >= first[:, None]) & (number < stop[:, None])).any(axis=2)
    shape = [1] * x.ndim
    shape[0], shape[dim] = inside.shape
    return torch.as_tensor(inside, device=x.device).reshape(shape)
