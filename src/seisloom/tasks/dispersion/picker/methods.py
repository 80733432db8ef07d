"""Classical pickers behind the face of the network: what it is measured against, and what needs no weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field

from seisloom.config import Method
from seisloom.sample import Array, Arrays, Predictor
from seisloom.signal.velocity_spectra.limits import ArrayLimits
from seisloom.tasks.dispersion.field.pick import CurvePicks, argmax, ridge

SURE = 4.0
"""Logit of a probability of 0.98: a classical picker says where, not how probably."""


class _Classical(Method):
    task: str = "dispersion"

    def adapt(self, recipe: Any) -> Any:  # Any: a recipe of the room
        """Return the recipe without a fit: a classical picker tells what it sees in the spectrum."""
        return recipe.model_copy(update={"apply": recipe.apply.model_copy(update={"fit": False})})


class ArgmaxPicker(_Classical):
    """The largest value at each frequency, taken for the fundamental mode (Park, Miller & Xia 1999).

    As it is mostly used: wherever it is, whatever the array can see.
    """

    name: str = "argmax"

    def predictor(self, recipe: Any) -> Predictor:  # Any: a recipe of the room
        """Return the picker on items of spectra."""
        return _OnItems(lambda panel, c, f, limits: argmax(panel, c, f), n_modes=recipe.model.modes)


class RidgePicker(_Classical):
    """The brightest continuous ridges, by dynamic programming; each mode's number is its place in order of velocity."""

    name: str = "ridge"
    least: float = Field(0.5, ge=0, lt=1)
    """Height that a peak must have, as a share of the largest value at its frequency."""
    jump: float = Field(15.0, ge=0)
    """Cost of a change of velocity by a factor e beyond one that is free."""
    gap: float = Field(2.0, ge=0)
    """Cost of a gap, in heights."""
    longest: float = Field(1.0, gt=0)
    """Longest wavelength that is looked at, in lengths of the array, where that is known."""

    def predictor(self, recipe: Any) -> Predictor:  # Any: a recipe of the room
        """Return the picker on items of spectra."""

        def pick(panel: Array, c: Array, f: Array, limits: ArrayLimits | None) -> CurvePicks:
            return ridge(
                panel, c, f, limits=limits, n_modes=recipe.model.modes, longest=self.longest, least=self.least,
                jump=self.jump, gap=self.gap,
            )  # fmt: skip

        return _OnItems(pick, n_modes=recipe.model.modes)


class _OnItems:
    """A picker of one panel as a predictor of items; the width of its peak is its spread."""

    looks_beyond = False
    """Whether it is shown frequencies that are not asked for: it would take noise there for a ridge of its own."""

    def __init__(self, pick: Any, *, n_modes: int) -> None:  # Any: a function from a panel to picks
        self.pick, self.n_modes = pick, n_modes

    def __call__(self, arrays: Arrays) -> Arrays:
        """Return velocity, log_sigma and presence, (item, mode, frequency)."""
        n_items, n_frequency = arrays["frequency_hz"].shape
        shape = (n_items, self.n_modes, n_frequency)
        out = {
            "velocity": np.ones(shape, np.float32), "log_sigma": np.zeros(shape, np.float32),
            "presence": np.full(shape, -SURE, np.float32),
        }  # fmt: skip
        for i in range(n_items):
            length_m, spacing_m, mean_offset_m = (float(one) for one in arrays["array"][i, :3])
            limits = ArrayLimits(length_m, spacing_m, mean_offset_m) if np.isfinite(length_m) else None
            c, f = (arrays[name][i].astype(np.float64) for name in ("velocity_m_s", "frequency_hz"))
            found = self.pick(arrays["x"][i, 0].astype(np.float64), c, f, limits)
            there = np.isfinite(found.velocity_m_s)
            n = min(len(there), self.n_modes)
            half = np.log(found.high_m_s / found.low_m_s)[:n] / 2
            least = 0.25 * np.log(c[-1] / c[0]) / (len(c) - 1)
            out["velocity"][i, :n] = np.where(there, found.velocity_m_s, 1.0)[:n]
            out["log_sigma"][i, :n] = np.log(np.where(there[:n], np.maximum(half, least), 1.0))
            out["presence"][i, :n] = np.where(there, SURE, -SURE)[:n]
        return out
