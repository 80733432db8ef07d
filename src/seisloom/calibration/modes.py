"""Calibrated intervals of curves: one calibration a mode, since the higher ones are told less well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from seisloom.calibration.intervals import IntervalCalibration, calibrate_intervals
from seisloom.errors import CalibrationError
from seisloom.sample import Array


@dataclass(frozen=True, slots=True)
class ModeCalibration:
    """Factors on sigma by mode; half-width = q * sigma, in the unit of sigma."""

    modes: tuple[IntervalCalibration, ...]
    """Of each mode, the fundamental one first; of all modes together where one had too few picks."""
    n_picks: tuple[int, ...]
    """Of each mode by itself."""

    @property
    def note(self) -> str:
        """What it was made from and what it promises, for people."""
        counts = ", ".join(f"mode {m} {n}" for m, n in enumerate(self.n_picks))
        return f"by mode ({counts} picks). Of the fundamental mode: {self.modes[0].note}"

    @property
    def leans_on_former(self) -> bool:
        """Whether groups of a former calibration have a part in it."""
        return any(one.leans_on_former for one in self.modes)

    def half_width(self, sigma: Array, mode: Array, *, level: float) -> Array:
        """Return q * sigma, (pick,); modes beyond the last one that was calibrated take its factor.

        Raises:
            CalibrationError: if no quantile of this level is stored.
        """
        q = np.array([float(one.q(alpha=1 - level)) for one in self.modes])
        return np.asarray(q[np.minimum(np.asarray(mode), len(q) - 1)] * np.asarray(sigma, float))

    def to_json(self) -> dict[str, Any]:  # Any: JSON values
        """Return plain JSON values."""
        return {"kind": "modes", "modes": [one.to_json() for one in self.modes], "n_picks": list(self.n_picks)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> ModeCalibration:  # Any: JSON values
        """Return the calibration that `to_json` stored."""
        if stored.get("kind") != "modes" or set(stored) != {"kind", "modes", "n_picks"} or not stored["modes"]:
            raise CalibrationError(
                "this is not a stored calibration of modes; calibrate again: seisloom calibrate BUNDLE SOURCE --out NEW"
            )
        return cls(tuple(IntervalCalibration.from_json(one) for one in stored["modes"]), tuple(stored["n_picks"]))


def calibrate_modes(
    error: Array, sigma: Array, mode: Array, *, groups: Array, n_modes: int, min_n: int, crossed: bool = False
) -> ModeCalibration:
    """Return the calibration of held-out picks for each mode.

    Args:
        error: predicted minus true, (pick,), here of ln velocity.
        sigma: predicted spread, (pick,), in the same unit.
        mode: number of the mode, (pick,).
        groups: what is exchangeable, such as the medium, (pick,).
        n_modes: modes that a network tells.
        min_n: fewest picks of a mode by itself; with fewer it takes the quantiles of all modes together.
        crossed: whether each group was scored by a model that was trained without it.
    Raises:
        CalibrationError: if there is nothing to calibrate on.
    """
    error, sigma, mode, groups = (np.asarray(one) for one in (error, sigma, mode, groups))
    counts = tuple(int((mode == m).sum()) for m in range(n_modes))

    def of(kept: Array) -> IntervalCalibration:
        return calibrate_intervals(error[kept], sigma[kept], groups=groups[kept], crossed=crossed)

    together = of(np.ones(len(mode), dtype=bool)) if min(counts) < min_n else None
    each = [of(mode == m) if counts[m] >= min_n else together for m in range(n_modes)]
    return ModeCalibration(tuple(one for one in each if one is not None), counts)
