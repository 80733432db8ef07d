"""Curves as an inversion sees them: few frequencies, evenly spaced in their logarithm, each with its error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.tasks.dispersion.field.pick import CurvePicks

BIN = 0.12
"""Width of a bin in ln frequency, an eighth of a factor e. Errors of neighbouring picks go together, since a spectrum
is smooth: a bin counts as one observation, however many picks lie in it."""
DEFAULT_ERROR = 0.03
"""Relative standard error of picks without an interval, and of phase velocities between repeated shots (Lai, Foti &
Rix, 2005, JEEG 10, 219-228: a few per cent)."""
LEAST_ERROR = 0.015
"""No pick is better: flat layers and one Poisson's ratio are not the ground."""


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """What is to be explained; arrays but the frequencies are (observation,)."""

    frequency_hz: Array
    """(frequency,), of all modes."""
    mode: Array
    at: Array
    """Index into `frequency_hz`."""
    ln_c: Array
    error: Array
    """Standard error of `ln_c`."""

    @property
    def wavelength_m(self) -> Array:
        """(observation,)."""
        return np.exp(self.ln_c) / self.frequency_hz[self.at]

    @property
    def n_modes(self) -> int:
        """Modes that must be computed."""
        return int(self.mode.max()) + 1


def observe(curves: CurvePicks, *, default_error: float = DEFAULT_ERROR) -> Observed:
    """Return the curves as observations, one a mode and bin that has a pick.

    Args:
        curves: with intervals or without.
        default_error: relative standard error where there is no interval.
    Raises:
        DataError: if there are fewer than four observations: Vs over depth needs more.
    """
    z = float(norm.ppf(0.5 + curves.level / 2))
    frequency = curves.frequency_hz
    x = np.log(frequency)
    used = np.flatnonzero(np.isfinite(curves.velocity_m_s).any(axis=0))
    if not used.size:
        raise DataError("the curves have no pick; lower what a pick needs, or look at the spectrum")
    number = np.floor((x - x[used[0]]) / BIN).astype(int)
    found: list[tuple[int, int, float, float]] = []
    for bin_ in np.unique(number[used]):
        inside = used[number[used] == bin_]
        at = int(inside[len(inside) // 2])
        for m, row in enumerate(curves.velocity_m_s):
            has = np.flatnonzero(np.isfinite(row))
            if not np.isfinite(row[inside]).any():
                continue
            near = has[np.abs(x[has] - x[at]) <= 0.75 * BIN]
            ln_c = float(np.log(row[at])) if np.isfinite(row[at]) else np.nan
            if len(near) > 2:
                ln_c = float(np.polyfit(x[near] - x[at], np.log(row[near]), 1)[1])
            elif np.isnan(ln_c) and has[0] < at < has[-1]:
                ln_c = float(np.interp(x[at], x[has], np.log(row[has])))
            if np.isfinite(ln_c):
                found.append((m, at, ln_c, _error(curves, m, near, z, default_error)))
    if len(found) < 4:
        raise DataError(
            f"{len(found)} observations remain of the curves; a profile of Vs needs 4 or more, over an octave or more"
        )
    modes, places, values, errors = (np.array(one) for one in zip(*found, strict=True))
    rows, index = np.unique(places, return_inverse=True)
    return Observed(frequency[rows], modes, index, values, errors)


def _error(curves: CurvePicks, m: int, near: Array, z: float, default: float) -> float:
    """Return the standard error of ln c: half an interval by the width of a normal one of the same level."""
    with np.errstate(divide="ignore", invalid="ignore"):
        half = (np.log(curves.high_m_s[m, near]) - np.log(curves.low_m_s[m, near])) / 2
    half = half[np.isfinite(half)]
    return max(float(np.mean(half)) / z if half.size else default, LEAST_ERROR)
