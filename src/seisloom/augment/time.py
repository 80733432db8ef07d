"""Moving the time axis: labels move with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import Field, model_validator

from seisloom.augment.augmentation import Augmentation, Draws, TimeMap
from seisloom.augment.batch import Batch
from seisloom.errors import DataError
from seisloom.sample import Array


class TimeStretch(TimeMap):
    """Stretch time about the shot: a tone's frequency falls, an onset comes later, all velocities scale.

    Where time zero is known (`t0_s`) the stretch is about it, else about the first sample.
    """

    in_order: ClassVar[tuple[str, ...]] = ("low", "high")
    name: str = "time_stretch"
    low: float = Field(0.8, gt=2 / 3, le=1.5)
    """Least factor on times; below 2/3 the resampling would alias."""
    high: float = Field(1.25, gt=2 / 3, le=2.0)
    """Largest factor on times."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return `factor`, log-uniform in [low, high]."""
        return {"factor": log_uniform(self.low, self.high, rows)}

    def time_map(self, batch: Batch, draws: Draws) -> tuple[Array, Array]:
        """Return scale 1/factor, and the shift that keeps the time of the shot in its place."""
        scale = 1.0 / draws["factor"]
        before = np.zeros(len(batch))
        if "t0_s" in batch.arrays and rate_field(batch):
            t0_s = batch.arrays["t0_s"].double().reshape(len(batch), -1)[:, 0].cpu().numpy()
            before = np.nan_to_num(t0_s) * fs_hz(batch)
        # sample j is at time zero where j = -before; there old and new sample are the same
        return scale, (scale - 1.0) * before


class TimeShift(TimeMap):
    """Shift the record against its time axis, as a trigger error does; what enters is zero, or, if circular, the other
    end.

    A circular shift leaves the magnitude of the Fourier transform of a whole record as it is, to the last digit: before
    such a transform it does nothing. One that is not circular changes it by what leaves the record.
    """

    in_order: ClassVar[tuple[str, ...]] = ("max_shift",)
    name: str = "time_shift"
    max_shift: float | None = Field(None, ge=0, le=1)
    """Largest shift either way as a share of the record, in whole samples. Give this or max_shift_s, not both."""
    max_shift_s: float | None = Field(None, ge=0)
    """Largest shift either way in s, to a part of a sample; without either it is 0.002."""
    circular: bool = False
    """Whether what leaves at one end enters at the other, in whole samples; picks go along."""

    @model_validator(mode="before")
    @classmethod
    def _one_unit(cls, values: Any) -> Any:  # Any: not yet validated
        if not isinstance(values, Mapping):
            return values
        given = [one for one in ("max_shift", "max_shift_s") if values.get(one) is not None]
        if len(given) == 2:
            raise ValueError("time_shift: give max_shift (a share of the record) or max_shift_s (s), not both")
        return values if given else {**values, "max_shift_s": 0.002}

    @property
    def is_affine(self) -> bool:
        """Whether it can be composed with other maps: a circular one cannot."""
        return not self.circular

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return `shift_s` or `shift` in samples, uniform either way; positive is later."""
        if self.max_shift_s is not None:
            return {"shift_s": np.array([row.uniform(-self.max_shift_s, self.max_shift_s) for row in rows])}
        most = round((self.max_shift or 0.0) * lengths["time"])
        return {"shift": np.array([float(row.integers(-most, most + 1)) for row in rows])}

    def time_map(self, batch: Batch, draws: Draws) -> tuple[Array, Array]:
        """Return scale 1 and the shift in samples."""
        return np.ones(len(batch)), -self._samples(batch, draws)

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the shifted batch."""
        if not self.circular:
            return super().apply(batch, draws)
        from seisloom.augment.resample import roll_axis

        return roll_axis(batch, "time", np.round(self._samples(batch, draws)))

    def _samples(self, batch: Batch, draws: Draws) -> Array:
        return draws["shift_s"] * fs_hz(batch) if "shift_s" in draws else draws["shift"]


class Resample(TimeMap):
    """Bring the record to another sampling rate inside the same number of samples; `fs` follows.

    A higher rate shows less of the record, a lower one all of it and zeros after it. Field `fs` is multiplied by the
    factor, so that times in s stay what they were.
    """

    in_order: ClassVar[tuple[str, ...]] = ("low", "high")
    name: str = "resample"
    low: float = Field(0.8, gt=2 / 3, le=1.5)
    """Least new rate, as a factor on the old one; below 2/3 the resampling would alias."""
    high: float = Field(1.25, gt=2 / 3, le=2.0)
    """Largest new rate, as a factor on the old one."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return `factor`, log-uniform in [low, high]."""
        return {"factor": log_uniform(self.low, self.high, rows)}

    def time_map(self, batch: Batch, draws: Draws) -> tuple[Array, Array]:
        """Return scale 1/factor; the first sample stays the first."""
        return 1.0 / draws["factor"], np.zeros(len(batch))

    def also(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with the new rate."""
        from seisloom.augment.amplitude import as_rows

        fs_hz(batch)
        name = rate_field(batch)
        fs = batch.arrays[name]
        return batch.with_arrays(**{name: fs * as_rows(draws["factor"], fs)})


class TimeWarp(Augmentation):
    """Stretch time here and press it there, smoothly: sample j shows the place j + d(j), d a sum of a few sines.

    Both ends of the record stay. The map is not affine, so it is not composed with others: what waits before it is
    resampled first.
    """

    name: str = "time_warp"
    strength: float = Field(0.1, gt=0, le=0.5)
    """Largest change of time's rate: 0.1 presses and stretches by up to 10 %."""
    n_waves: int = Field(3, ge=1)
    """Half-waves of the fastest sine over the record."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return `wave` (item, n_waves), the amplitudes in shares of the record."""
        return {"wave": draw_waves(self.strength, self.n_waves, rows)}

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the warped batch."""
        from seisloom.augment.resample import warp_axis

        return warp_axis(batch, "time", warped_places(draws["wave"], batch.lengths()["time"]))


def draw_waves(strength: float, n_waves: int, rows: Sequence[np.random.Generator]) -> Array:
    """Return amplitudes (item, n_waves) of sines whose slopes add to at most `strength`, and to half of it at least."""
    found = np.stack([row.uniform(-1, 1, n_waves) for row in rows])
    steepest = (np.abs(found) * np.pi * np.arange(1, n_waves + 1)).sum(axis=1)
    size = np.array([row.uniform(strength / 2, strength) for row in rows])
    return np.asarray(found * (size / steepest)[:, None])


def warped_places(wave: Array, n: int) -> Array:
    """Return places (item, n) in samples, x + sum_k a_k sin(pi k x) with x in shares of the axis; rising."""
    x = np.arange(n) / max(n - 1, 1)
    sines = np.sin(np.pi * np.arange(1, wave.shape[1] + 1)[:, None] * x)
    return np.asarray((x + wave @ sines) * (n - 1))


def fs_hz(batch: Batch) -> Array:
    """Return the sampling rate of each item in Hz.

    Raises:
        DataError: if the batch does not say it.
    """
    name = rate_field(batch)
    if not name:
        raise DataError("augment: the batch has no field `fs`, so times in s and Hz mean nothing; use shares instead")
    found = np.asarray(batch.arrays[name].double().cpu().numpy().reshape(len(batch), -1)[:, 0])
    if not np.isfinite(found).all():
        key = batch.keys[int(np.argmin(np.isfinite(found)))]
        raise DataError(
            f"augment: nobody knows the rate of {key}, so times in s and Hz mean nothing; use shares instead"
        )
    return found


def rate_field(batch: Batch) -> str:
    """Return the name of the field with the sampling rate, `fs` or `fs_hz`; "" where there is none."""
    return next((name for name in ("fs", "fs_hz") if name in batch.arrays), "")


def log_uniform(low: float, high: float, rows: Sequence[np.random.Generator]) -> Array:
    """Return one number a row, log-uniform in [low, high]."""
    return np.asarray(np.exp([row.uniform(np.log(low), np.log(high)) for row in rows]))
