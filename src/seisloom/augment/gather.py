"""Changing gathers: dead traces, order of traces, and what is known of their geometry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import numpy as np
import torch
from pydantic import Field

from seisloom.augment.amplitude import as_rows, per_trace
from seisloom.augment.augmentation import Augmentation, Draws
from seisloom.augment.batch import Batch
from seisloom.augment.labels import without_points
from seisloom.sample import Array


class TraceDropout(Augmentation):
    """Make traces dead: all zero, and without an onset. Single ones, a regular raster of them, or blocks."""

    in_order: ClassVar[tuple[str, ...]] = ("share",)
    name: str = "trace_dropout"
    share: float = Field(0.03, ge=0, lt=1)
    """random: probability that a trace is dead; blocks: largest share of dead traces, one at least."""
    mode: Literal["random", "regular", "blocks"] = "random"
    """random: each trace by itself; regular: of each few traces one is kept; blocks: neighbours together."""
    n_blocks: int = Field(1, ge=1)
    """blocks: most blocks, which share the dead traces evenly."""
    every: int = Field(3, ge=2)
    """regular: most traces of which one is kept; two at least."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return `alive` (item, trace), 1 or 0."""
        n = lengths.get("trace", 1)
        return {"alive": np.stack([self._alive(n, row) for row in rows])}

    def _alive(self, n: int, row: np.random.Generator) -> Array:
        if self.mode == "random":
            return np.asarray(row.random(n) >= self.share, dtype=float)
        if self.mode == "regular":
            step = int(row.integers(2, self.every + 1))
            return np.asarray(np.arange(n) % step == row.integers(0, step), dtype=float)
        alive = np.ones(n)
        n_blocks = int(row.integers(1, self.n_blocks + 1))
        width = max(int(row.uniform(0, self.share) * n / n_blocks), 1)
        for _ in range(n_blocks):
            first = int(row.integers(0, max(n - width, 0) + 1))
            alive[first : first + width] = 0.0
        return alive

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with dead traces, `has_pick` 0 and `y_idx` -1 there."""
        changes = {"x": batch.arrays["x"] * per_trace(batch, draws["alive"])}
        if "has_pick" in batch.arrays:
            changes |= without_points(batch, as_rows(draws["alive"], batch.arrays["has_pick"]) == 0, say=0)
        return batch.with_arrays(**changes)


class TraceFlip(Augmentation):
    """Reverse the order of the traces: a spread shot from its other end."""

    name: str = "trace_flip"
    p: float = Field(0.5, ge=0, le=1)
    """Probability that a gather is reversed."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return nothing: a reversal has no parameter."""
        return {}

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with every field that has an axis `trace` reversed along it."""
        names = [*batch.along("trace", labels=False), *batch.along("trace", labels=True)]
        return batch.with_arrays(**{name: batch.arrays[name].flip(batch.axis(name, "trace")) for name in names})


class Forget(Augmentation):
    """Take away what is not always known of a record, so that a network works without it."""

    name: str = "forget"
    fields: tuple[str, ...] = ("t0_s",)
    """Fields that become NaN together."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return nothing: what is forgotten is in the recipe."""
        return {}

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with NaN in these fields."""
        return batch.with_arrays(
            **{name: torch.full_like(batch.arrays[name], float("nan")) for name in self.fields if name in batch.arrays}
        )


class NoOnset(Augmentation):
    """Turn traces into noise of their own spectrum, so that a network learns what has no onset.

    The phases of a trace are drawn anew: what it is made of stays, when it came is gone. Of a gather all traces, or
    single ones.
    """

    name: str = "no_onset"
    p: float = Field(0.1, ge=0, le=1)
    """Probability that a gather is changed."""
    whole: float = Field(0.5, ge=0, le=1)
    """Share of changed gathers of which all traces are turned into noise; of the others `share` of the traces."""
    share: float = Field(0.3, ge=0, le=1)
    """Probability of a trace in such a gather."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return `noise` (item, trace), 1 or 0, and `phase` (item, frequency) in rad; trace k takes k times it."""
        n, n_frequencies = lengths.get("trace", 1), lengths["time"] // 2 + 1
        whole = np.array([row.random() < self.whole for row in rows])
        single = np.stack([row.random(n) < self.share for row in rows])
        phase = np.stack([row.uniform(0, 2 * np.pi, n_frequencies) for row in rows])
        return {"noise": (whole[:, None] | single).astype(float), "phase": phase}

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with noise for traces, `has_pick` 0 and `y_idx` -1 there."""
        x = batch.arrays["x"]
        spectrum = torch.fft.rfft(x.float(), dim=-1)
        turns = torch.arange(1, x.shape[1] + 1, device=x.device, dtype=torch.float32)
        phase = torch.as_tensor(draws["phase"], dtype=torch.float32, device=x.device)[:, None, :] * turns[:, None]
        while phase.ndim < x.ndim:
            phase = phase[:, :, None]
        surrogate = torch.fft.irfft(spectrum * torch.exp(1j * phase), n=x.shape[-1], dim=-1).to(x.dtype)
        noise = per_trace(batch, draws["noise"]) > 0
        changes = {"x": torch.where(noise, surrogate, x)}
        if "has_pick" in batch.arrays:
            changes |= without_points(batch, as_rows(draws["noise"], batch.arrays["has_pick"]) > 0, say=0)
        return batch.with_arrays(**changes)
