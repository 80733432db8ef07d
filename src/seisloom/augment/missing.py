"""Traces that are missing, in the patterns in which surveys lack them: what restoration learns to fill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from seisloom.augment.amplitude import as_rows, per_trace
from seisloom.augment.augmentation import Augmentation, Draws
from seisloom.augment.batch import Batch
from seisloom.augment.labels import without_points
from seisloom.sample import Array
from seisloom.signal.restoration import masks

Pattern = Literal["irregular", "jittered", "regular", "gap", "edge"]
FEWEST = 4
"""Traces below which none is taken away."""


class Missing(Augmentation):
    """Make traces dead in a drawn pattern: all zero, and `live` 0 where the batch has it.

    Of cubes, whose `x` has an axis `line`, each line lacks traces of its own in half of the items, in the others all
    lines the same ones.
    """

    in_order: ClassVar[tuple[str, ...]] = ("patterns",)
    name: str = "missing"
    patterns: tuple[Pattern, ...] = Field(
        ("irregular", "irregular", "jittered", "regular", "gap", "edge"), min_length=1
    )
    """What is drawn from, one as often as it is named: single traces without order, one live trace in each cell, one
    live trace of a few, neighbours in the middle, neighbours at an end. See `seisloom.signal.restoration.masks`."""
    least: float = Field(0.1, ge=0, lt=1)
    """irregular: least share that is missing."""
    most: float = Field(0.75, ge=0, lt=1)
    """irregular: largest share that is missing."""
    every: int = Field(4, ge=2)
    """jittered and regular: most traces of which one is live; two at least."""
    widest: float = Field(0.12, gt=0, lt=1)
    """gap and edge: largest share that is missing together; one trace at least."""

    @model_validator(mode="after")
    def _ordered(self) -> Missing:
        if self.least > self.most:
            raise ValueError(f"least {self.least:g} must not be above most {self.most:g}")
        return self

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return `alive` (item, trace), or (item, line, trace) where there are lines; 1 or 0."""
        n, n_lines = lengths.get("trace", 1), lengths.get("line", 0)
        return {"alive": np.stack([self._lines(n, n_lines, row) for row in rows])}

    def _lines(self, n: int, n_lines: int, row: np.random.Generator) -> Array:
        if not n_lines:
            return self._alive(n, row)
        if n_lines > 1 and row.random() < 0.5:
            return np.stack([self._alive(n, row) for _ in range(n_lines)])
        return np.repeat(self._alive(n, row)[None], n_lines, axis=0)

    def _alive(self, n: int, row: np.random.Generator) -> Array:
        pattern = self.patterns[int(row.integers(len(self.patterns)))]
        share, every = row.uniform(self.least, self.most), int(row.integers(2, self.every + 1))
        width = max(round(row.uniform(0, self.widest) * n), 1)
        if n < FEWEST:
            return np.ones(n)
        if pattern == "irregular":
            live = masks.irregular(n, share, row)
        elif pattern == "jittered":
            live = masks.jittered(n, every, row)
        elif pattern == "regular":
            live = masks.regular(n, every, first=int(row.integers(every)))
        elif pattern == "gap":
            live = masks.gap(n, min(width, n - 2), row)
        else:
            live = masks.edge(n, min(width, n - 1), at_end=bool(row.integers(2)))
        return live.astype(float)

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with dead traces: `x` and `live` 0, `has_pick` 0 and `y_idx` -1 there."""
        x, alive = batch.arrays["x"], draws["alive"]
        if "live" in batch.arrays:
            # A source has dead traces of its own: where none would be left, none is taken
            left = batch.arrays["live"].cpu().numpy() * alive
            alive = np.where(left.reshape(len(left), -1).any(axis=1).reshape(-1, *[1] * (alive.ndim - 1)), alive, 1.0)
        changes = {"x": x * (as_rows(alive, x) if alive.ndim == 3 else per_trace(batch, alive))}
        if "live" in batch.arrays:
            changes["live"] = batch.arrays["live"] * as_rows(alive, batch.arrays["live"])
        if "has_pick" in batch.arrays:
            changes |= without_points(batch, as_rows(alive, batch.arrays["has_pick"]) == 0, say=0)
        return batch.with_arrays(**changes)
