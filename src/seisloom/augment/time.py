"""Moving the time axis: labels move with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import Field

from seisloom.augment.augmentation import Draws, TimeMap
from seisloom.augment.batch import Batch
from seisloom.sample import Array


class TimeStretch(TimeMap):
    """Stretch time about the shot: a tone's frequency falls, an onset comes later, all velocities scale.

    Where time zero is known (`t0_s`) the stretch is about it, else about the first sample.
    """

    name: str = "time_stretch"
    low: float = Field(0.8, gt=2 / 3, le=1.5)
    """Least factor on times; below 2/3 the resampling would alias."""
    high: float = Field(1.25, gt=2 / 3, le=2.0)
    """Largest factor on times."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return `factor`, log-uniform in [low, high]."""
        return {"factor": np.exp([row.uniform(np.log(self.low), np.log(self.high)) for row in rows])}

    def time_map(self, batch: Batch, draws: Draws) -> tuple[Array, Array]:
        """Return scale 1/factor, and the shift that keeps the time of the shot in its place."""
        scale = 1.0 / draws["factor"]
        before = np.zeros(len(batch))
        if "t0_s" in batch.arrays and "fs" in batch.arrays:
            t0_s = batch.arrays["t0_s"].double().reshape(len(batch), -1)[:, 0].cpu().numpy()
            before = np.nan_to_num(t0_s) * batch.arrays["fs"].double().cpu().numpy().reshape(-1)
        # sample j is at time zero where j = -before; there old and new sample are the same
        return scale, (scale - 1.0) * before


class TimeShift(TimeMap):
    """Shift the record against its time axis, as a trigger error does; what enters is zero."""

    name: str = "time_shift"
    max_shift_s: float = Field(0.002, ge=0)
    """Largest shift in s, either way."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return `shift_s`, uniform in ±max_shift_s; positive is later."""
        return {"shift_s": np.array([row.uniform(-self.max_shift_s, self.max_shift_s) for row in rows])}

    def time_map(self, batch: Batch, draws: Draws) -> tuple[Array, Array]:
        """Return scale 1 and the shift in samples."""
        fs_hz = batch.arrays["fs"].double().cpu().numpy().reshape(-1)
        return np.ones(len(batch)), -draws["shift_s"] * fs_hz
