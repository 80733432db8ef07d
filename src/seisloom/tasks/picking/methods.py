"""Classical pickers behind the face of a network: what it is measured against, and what needs no weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field

from seisloom.config import Method
from seisloom.sample import Array, Arrays, Predictor
from seisloom.signal.triggers import aic_onset, sta_lta

SURE = 4.0
"""Logit of a probability of 0.98: a classical picker says where, not whether."""


class StaLta(Method):
    """The first sample where the ratio of short- to long-term energy is high (Allen 1978)."""

    name: str = "sta_lta"
    task: str = "picking"
    sta_s: float = Field(0.003, gt=0)
    """Short window in s."""
    lta_s: float = Field(0.02, gt=0)
    """Long window in s; nothing is picked in the first long window of a record."""
    threshold: float = Field(4.0, gt=1)
    """Ratio that triggers; without one, the place of the largest ratio is taken."""

    def predictor(self, recipe: Any) -> Predictor:  # Any: any picking recipe
        """Return the picker on items of a gather."""

        def predict(arrays: Arrays) -> Arrays:
            fs_hz = float(np.ravel(arrays["fs"])[0])
            ratio = sta_lta(arrays["x"][..., 0, :], fs_hz=fs_hz, sta_s=self.sta_s, lta_s=self.lta_s)
            over = ratio > self.threshold
            place = np.where(over.any(axis=-1), over.argmax(axis=-1), ratio.argmax(axis=-1))
            return _as_outputs(place, np.asarray(over.any(axis=-1)))

        return predict


class Aic(StaLta):
    """The split into noise and signal that explains the record best (Maeda 1985), around an STA/LTA trigger.

    Over a whole record the best split is where its largest wave begins, which is rarely the first one.
    """

    name: str = "aic"
    before_s: float = Field(0.02, gt=0)
    """s before the trigger that are looked at."""
    after_s: float = Field(0.005, gt=0)
    """s after the trigger that are looked at: more of it, and the coda splits better than the onset."""

    def predictor(self, recipe: Any) -> Predictor:  # Any: any picking recipe
        """Return the picker on items of a gather."""
        trigger = super().predictor(recipe)

        def predict(arrays: Arrays) -> Arrays:
            fs_hz = float(np.ravel(arrays["fs"])[0])
            found = trigger(arrays)
            x, place = arrays["x"][..., 0, :], found["mean"].astype(int)
            refined = np.empty(place.shape)
            for where in np.ndindex(*place.shape):
                first = max(place[where] - round(self.before_s * fs_hz), 0)
                last = place[where] + max(round(self.after_s * fs_hz), 8)
                refined[where] = first + aic_onset(x[where][first:last])[0]
            return {**found, "mean": refined.astype(np.float32)}

        return predict


def _as_outputs(place: Array, found: Array) -> Arrays:
    """Outputs of the room: the same spread everywhere, so that calibration gives a constant width."""
    return {
        "mean": place.astype(np.float32),
        "log_sigma": np.zeros(place.shape, dtype=np.float32),
        "presence": np.where(found, SURE, -SURE).astype(np.float32),
    }
