"""Erratic traces: far too loud, with bursts of noise, or with spikes. What robust restoration must not spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor

from seisloom.augment.augmentation import Augmentation, Draws
from seisloom.augment.batch import Batch
from seisloom.augment.labels import without_points
from seisloom.augment.noise import as_rows_of, make_noise, mean_square
from seisloom.sample import Array

Fault = Literal["loud", "burst", "spikes"]
MOST_SPIKES = 5


class Erratic(Augmentation):
    """Disturb single traces, each in one way: amplitudes far too large, a burst of noise, or spikes of a sample each.

    Levels are relative to the RMS of the whole sample. A pick on a trace with a burst or spikes is one that nobody
    knows any more: `has_pick` -1.
    """

    in_order: ClassVar[tuple[str, ...]] = ("share",)
    name: str = "erratic"
    share: float = Field(0.08, gt=0, le=1)
    """Largest share of the traces that are disturbed; one trace at least."""
    faults: tuple[Fault, ...] = Field(("loud", "burst", "spikes"), min_length=1)
    """What is drawn from for each such trace, one as often as it is named."""
    low_db: float = 6.0
    """Least level in dB: of loud traces over what they were, of bursts and spikes over the RMS of the sample."""
    high_db: float = 36.0
    """Largest level in dB."""
    longest: float = Field(0.4, gt=0, le=1)
    """Longest burst as a share of the record; a fiftieth of it at least."""

    @model_validator(mode="after")
    def _ordered(self) -> Erratic:
        if self.low_db > self.high_db:
            raise ValueError(f"low_db {self.low_db:g} must not be above high_db {self.high_db:g}")
        return self

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return by trace, (item, trace) or (item, line, trace): factors `loud`, levels `burst` with their `first` and
        `stop` in samples, 1 and 0 where there is none, and `spikes` with their places `at`, (..., 5); and `noise_key`,
        (item,)."""
        shape = (lengths["line"],) if "line" in lengths else ()
        shape = (*shape, lengths.get("trace", 1))
        each = [self._drawn(shape, lengths["time"], row) for row in rows]
        return {name: np.stack([one[name] for one in each]) for name in each[0]}

    def _drawn(self, shape: tuple[int, ...], n_time: int, row: np.random.Generator) -> Draws:
        n = int(np.prod(shape))
        chosen = row.permutation(n)[: int(row.integers(1, max(round(self.share * n), 1) + 1))]
        is_bad = np.zeros(n, dtype=bool)
        is_bad[chosen] = True
        fault = np.array([self.faults[k] for k in row.integers(0, len(self.faults), n)])
        level = 10 ** (row.uniform(self.low_db, self.high_db, n) / 20)
        length = np.maximum(row.uniform(0.02, max(self.longest, 0.02), n) * n_time, 2.0)
        first = row.random(n) * (n_time - length)
        n_spikes = row.integers(1, MOST_SPIKES + 1, n)
        signs = row.choice([-1.0, 1.0], (n, MOST_SPIKES)) * (np.arange(MOST_SPIKES) < n_spikes[:, None])
        at = row.integers(0, n_time, (n, MOST_SPIKES))
        return {
            "loud": np.where(is_bad & (fault == "loud"), level, 1.0).reshape(shape),
            "burst": np.where(is_bad & (fault == "burst"), level, 0.0).reshape(shape),
            "first": first.reshape(shape),
            "stop": (first + length).reshape(shape),
            "spikes": ((is_bad & (fault == "spikes")) * level)[:, None].repeat(MOST_SPIKES, 1).reshape(*shape, -1)
            * signs.reshape(*shape, -1),
            "at": at.reshape(*shape, -1),
            "noise_key": np.array(row.integers(0, 2**62)),
        }

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with disturbed traces; of dead ones, which have nothing to be loud, none comes alive."""
        x = batch.arrays["x"]
        t = np.arange(x.shape[-1])
        share = (t - draws["first"][..., None]) / (draws["stop"] - draws["first"])[..., None]
        window = np.sin(np.pi * np.clip(share, 0, 1)) ** 2 * draws["burst"][..., None]
        spikes = np.zeros(window.shape)
        np.put_along_axis(spikes, draws["at"], draws["spikes"], axis=-1)
        noise = torch.stack([make_noise(key, 1, x[0]) for key in draws["noise_key"]])
        rms = as_rows_of(mean_square(x).sqrt(), x)
        added = (noise * over_time(batch, window) + over_time(batch, spikes)) * rms
        if "live" in batch.arrays:
            added = added * over_time(batch, batch.arrays["live"].cpu().numpy()[..., None])
        changes = {"x": x * over_time(batch, draws["loud"][..., None]) + added}
        drowned = (draws["burst"] > 0) | np.any(draws["spikes"] != 0, axis=-1)
        if "has_pick" in batch.arrays:
            has_pick = batch.arrays["has_pick"]
            gone = torch.as_tensor(drowned, device=has_pick.device).reshape(has_pick.shape)
            changes |= without_points(batch, gone & (has_pick == 1), say=-1)
        return batch.with_arrays(**changes)


def over_time(batch: Batch, values: Array) -> Tensor:
    """Return values (item, [line,] trace, time or 1) as a tensor that broadcasts over `x`, whatever its other axes."""
    x = batch.arrays["x"]
    axes = ("line", "trace", "time")[4 - values.ndim :]
    lengths = dict(zip(axes, values.shape[1:], strict=True))
    shape = [len(values), *(lengths.get(axis, 1) for axis in batch.schema["x"].axes)]
    return torch.as_tensor(values, dtype=x.dtype, device=x.device).reshape(shape)
