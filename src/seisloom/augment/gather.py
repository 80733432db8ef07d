"""Changing gathers: dead traces, order of traces, and what is known of their geometry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from pydantic import Field

from seisloom.augment.amplitude import as_rows, per_trace
from seisloom.augment.augmentation import Augmentation, Draws
from seisloom.augment.batch import Batch


class TraceDropout(Augmentation):
    """Make single traces dead: all zero, and without an onset."""

    name: str = "trace_dropout"
    share: float = Field(0.03, ge=0, lt=1)
    """Probability that a trace is dead."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return `alive` (item, trace), 1 or 0."""
        n = lengths.get("trace", 1)
        return {"alive": np.stack([(row.random(n) >= self.share).astype(float) for row in rows])}

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with dead traces, `has_pick` 0 and `y_idx` -1 there."""
        changes = {"x": batch.arrays["x"] * per_trace(batch, draws["alive"])}
        if "has_pick" in batch.arrays:
            has_pick = batch.arrays["has_pick"]
            alive = as_rows(draws["alive"], has_pick) > 0
            changes["has_pick"] = torch.where(alive, has_pick, torch.zeros_like(has_pick))
            changes["y_idx"] = torch.where(alive, batch.arrays["y_idx"], -torch.ones_like(batch.arrays["y_idx"]))
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
