"""Calibrated intervals of curves, by mode and by wavelength: higher modes are told less well, and so are waves that are
long for the array, which come out too slow in the near field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from seisloom.calibration.intervals import IntervalCalibration, calibrate_intervals
from seisloom.errors import CalibrationError
from seisloom.sample import Array

LENGTHS = (0.5, 1.0, 2.0)
"""Wavelengths over the array's length between which intervals are calibrated apart."""


@dataclass(frozen=True, slots=True)
class ModeCalibration:
    """Factors on sigma by mode and wavelength; half-width = q * sigma, in the unit of sigma."""

    edges: tuple[float, ...]
    """Between the ranges of wavelengths over the array's length."""
    modes: tuple[tuple[IntervalCalibration, ...], ...]
    """Of each mode, the fundamental one first: of each range of wavelengths, and last of all of them together, which
    stands for an array that is not known."""
    n_picks: tuple[int, ...]
    """Of each mode by itself."""
    fitted: ModeCalibration | None = None
    """That of velocities which were fitted to the traces; None takes the same factors for them."""

    @property
    def note(self) -> str:
        """What it was made from and what it promises, for people."""
        counts = ", ".join(f"mode {m} {n}" for m, n in enumerate(self.n_picks))
        return (
            f"by mode ({counts} picks) and by wavelength (up to {', '.join(f'{one:g}' for one in self.edges)} lengths "
            f"of the array, and beyond). Of the fundamental mode: {self.modes[0][-1].note}"
            + ("" if self.fitted is None else f" Of velocities that were fitted to the traces: {self.fitted.note}")
        )

    @property
    def leans_on_former(self) -> bool:
        """Whether groups of a former calibration have a part in it."""
        fitted = self.fitted is not None and self.fitted.leans_on_former
        return fitted or any(one.leans_on_former for some in self.modes for one in some)

    def half_width(
        self, sigma: Array, mode: Array, lengths: Array, *, level: float, is_fitted: Array | bool = False
    ) -> Array:
        """Return q * sigma, (pick,); modes beyond the last one that was calibrated take its factors.

        Args:
            sigma: predicted spread, (pick,).
            mode: number of the mode, (pick,).
            lengths: wavelength over the array's length, (pick,); NaN where the array is not known.
            level: coverage.
            is_fitted: whether a velocity was fitted to the traces, (pick,) or of all.
        Raises:
            CalibrationError: if no quantile of this level is stored.
        """
        if self.fitted is not None and np.any(is_fitted):
            of_both = (
                one.half_width(sigma, mode, lengths, level=level) for one in (self.fitted, replace(self, fitted=None))
            )
            return np.where(is_fitted, *of_both)
        q = np.array([[float(one.q(alpha=1 - level)) for one in some] for some in self.modes])
        column = np.where(np.isnan(lengths), q.shape[1] - 1, np.searchsorted(self.edges, lengths, side="right"))
        return np.asarray(q[np.minimum(np.asarray(mode), len(q) - 1), column] * np.asarray(sigma, float))

    def to_json(self) -> dict[str, Any]:  # Any: JSON values
        """Return plain JSON values."""
        return {
            "kind": "modes",
            "edges": list(self.edges),
            "modes": [[one.to_json() for one in some] for some in self.modes],
            "n_picks": list(self.n_picks),
            "fitted": None if self.fitted is None else self.fitted.to_json(),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> ModeCalibration:  # Any: JSON values
        """Return the calibration that `to_json` stored."""
        known = {"kind", "edges", "modes", "n_picks", "fitted"}
        if stored.get("kind") != "modes" or set(stored) | {"fitted"} != known or not stored["modes"]:
            raise CalibrationError(
                "this is not a stored calibration of modes; calibrate again: seisloom calibrate BUNDLE SOURCE --out NEW"
            )
        modes = tuple(tuple(IntervalCalibration.from_json(one) for one in some) for some in stored["modes"])
        fitted = stored.get("fitted")
        return cls(
            tuple(stored["edges"]), modes, tuple(stored["n_picks"]), None if fitted is None else cls.from_json(fitted)
        )


def calibrate_modes(
    error: Array, sigma: Array, mode: Array, lengths: Array, *, groups: Array, n_modes: int, min_n: int,
    edges: Sequence[float] = LENGTHS, crossed: bool = False,
) -> ModeCalibration:  # fmt: skip
    """Return the calibration of held-out picks for each mode and range of wavelengths.

    Args:
        error: predicted minus true, (pick,), here of ln velocity.
        sigma: predicted spread, (pick,), in the same unit.
        mode: number of the mode, (pick,).
        lengths: predicted wavelength over the array's length, (pick,); NaN where the array is not known.
        groups: what is exchangeable, such as the medium, (pick,).
        n_modes: modes that a network tells.
        min_n: fewest picks of a mode in a range; with fewer, those of all modes in it count, or else of the whole mode,
            or of all picks.
        edges: between the ranges, rising.
        crossed: whether each group was scored by a model that was trained without it.
    Raises:
        CalibrationError: if there is nothing to calibrate on.
    """
    error, sigma, mode, groups = (np.asarray(one) for one in (error, sigma, mode, groups))
    lengths = np.asarray(lengths, float)
    column = np.where(np.isnan(lengths), -1, np.searchsorted(edges, lengths, side="right"))

    def of(*choices: Array) -> IntervalCalibration:
        """Return that of the first choice of picks which are enough, or of the last one."""
        kept = next((one for one in choices if one.sum() >= min_n), choices[-1])
        made = calibrate_intervals(error[kept], sigma[kept], groups=groups[kept], crossed=crossed)
        return replace(
            made, group_scores=()
        )  # of use to few groups of a new survey: here there are as many as one likes

    every = np.ones(len(mode), dtype=bool)
    modes = []
    for m in range(n_modes):
        own = mode == m
        ranges = [of(own & (column == k), column == k, own, every) for k in range(len(edges) + 1)]
        modes.append((*ranges, of(own, every)))
    return ModeCalibration(tuple(edges), tuple(modes), tuple(int((mode == m).sum()) for m in range(n_modes)))
