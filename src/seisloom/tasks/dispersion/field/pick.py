"""Classical pickers: dispersion curves from a spectrum over phase velocity and frequency, without training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.velocity_spectra.limits import ArrayLimits
from seisloom.tasks.dispersion.field.ridges import best_way, in_order, one_curve, without_ghosts, without_sidelobes

LEVEL = 0.9
"""Share of true velocities that an interval is meant to hold, where the pick is on the right mode."""
HEIGHT = 0.97
"""An interval ends where the spectrum falls to this share of its peak: for a single wave 0.14 c^2 / (f L) from it. Of
ridges on the fundamental mode of 60 random media with noise and near field, 0.95 held 96 % and 0.975 held 87 %."""
SIDE = 0.5
"""Least share of the largest value of all velocities that the largest within the limits must have."""
MASK = 0.4
"""Half-width of what is taken out round a picked ridge, in c^2 / (f L): the half-width at 3/4 of a peak's height."""


@dataclass(frozen=True, slots=True, eq=False)
class CurvePicks:
    """Dispersion curves with intervals; all but the frequencies are (mode, frequency), NaN where there is no pick."""

    frequency_hz: Array
    """(frequency,), ascending."""
    velocity_m_s: Array
    """Phase velocity."""
    low_m_s: Array
    high_m_s: Array
    """Ends of the interval; NaN where not known."""
    quality: Array
    """From 0 to 1; of classical pickers the height of the peak above the middle value of its column."""
    level: float = LEVEL
    """Share of true velocities that are meant to lie in their interval."""

    def __post_init__(self) -> None:
        """Check shapes.

        Raises:
            DataError: if an array is not (mode, frequency), or frequencies do not ascend from above 0.
        """
        shape = self.velocity_m_s.shape
        rows = {name: getattr(self, name).shape for name in ("low_m_s", "high_m_s", "quality")}
        if len(shape) != 2 or shape[1:] != self.frequency_hz.shape or set(rows.values()) != {shape}:
            raise DataError(
                f"curves {shape}, {rows} do not fit {len(self.frequency_hz)} frequencies: (mode, frequency)"
            )
        if not (self.frequency_hz > 0).all() or not (np.diff(self.frequency_hz) > 0).all():
            raise DataError("frequencies of curves must be above 0 and ascend, each once; sort them")
        if not 0 < self.level < 1:
            raise DataError(f"level is {self.level:g}; it is a share between 0 and 1, such as 0.9")


def argmax(
    panel: Array, velocity_m_s: Array, frequency_hz: Array, *, limits: ArrayLimits | None = None,
    longest: float = 1.0, shortest: float = 1.0, least: float = 0.0,
) -> CurvePicks:  # fmt: skip
    """Return the velocity of the largest value at each frequency, as one mode.

    Args:
        panel: not negative, (velocity, frequency).
        velocity_m_s: (velocity,), ascending.
        frequency_hz: (frequency,), ascending.
        limits: of the spread; outside is no pick, nor where half the largest value lies outside. None looks everywhere.
        longest: longest wavelength that is looked at, in lengths of the spread.
        shortest: shortest wavelength, in spacings: beyond 1 a wave that leaves the source looks like a faster one.
        least: smallest quality; the picker abstains below.
    Raises:
        DataError: if the panel does not fit its axes, or is not finite or negative.
    Source: Park, Miller & Xia (1999), Geophysics 64, 800-808; the parabola through three values is ours.
    """
    panel, velocity, frequency = _checked(panel, velocity_m_s, frequency_hz)
    allowed = _allowed(velocity, frequency, limits, longest, shortest)
    rows = np.where(allowed, panel, -1.0).argmax(axis=0)
    columns = np.arange(len(frequency))
    height = panel[rows, columns]
    is_slope = height < SIDE * panel.max(axis=0)  # the largest value lies outside: a side lobe, or the border
    for beside in (np.maximum(rows - 1, 0), np.minimum(rows + 1, len(velocity) - 1)):
        is_slope |= panel[beside, columns] > height
    rows = np.where(allowed[rows, columns] & (height > 0) & ~is_slope, rows, -1)
    return _picks(panel, velocity, frequency, without_ghosts(rows[None], velocity, frequency, limits), least)


def ridge(
    panel: Array, velocity_m_s: Array, frequency_hz: Array, *, limits: ArrayLimits | None = None, n_modes: int = 1,
    longest: float = 1.0, shortest: float = 1.0, least: float = 0.5, jump: float = 15.0, gap: float = 2.0,
) -> CurvePicks:  # fmt: skip
    """Return the brightest continuous ridges of a spectrum, the slowest first; each abstains where it sees none.

    A ridge follows peaks over velocity. Of all ways through the frequencies the one with the largest sum is taken, by
    dynamic programming: height of the peak less `least`, less `jump` times what ln velocity changes by more than ln
    frequency does; no pick counts 0, and each way into or out of it costs half a `gap`. What lies within the resolution
    of the spread round a ridge is taken out before the next is looked for; side lobes and ghosts are left out. The
    number of a mode is only the ridge's place in order of velocity: one that the spectrum does not show has none.

    Args:
        panel, velocity_m_s, frequency_hz, limits, longest, shortest: as for `argmax`.
        n_modes: of rows that are returned, filled with NaN where there are fewer ridges.
        least: height that a peak must have, as a share of the largest value at its frequency.
        jump: cost of a change of velocity by a factor e, beyond one that is free: that of frequency.
        gap: cost of a gap, in heights.
    Raises:
        DataError: as `argmax`, or if n_modes is below 1.
    """
    panel, velocity, frequency = _checked(panel, velocity_m_s, frequency_hz)
    if n_modes < 1:
        raise DataError(f"n_modes is {n_modes}; ask for 1 or more")
    top = panel.max(axis=0)
    height = panel / np.where(top > 0, top, 1)
    is_peak = np.zeros(panel.shape, dtype=bool)
    is_peak[1:-1] = (height[1:-1] >= height[:-2]) & (height[1:-1] > height[2:]) & (height[1:-1] >= least)
    is_peak &= _allowed(velocity, frequency, limits, longest, shortest)
    rows = []
    for _ in range(n_modes):
        gain = np.where(is_peak, height - least, -1.0)
        way = best_way(gain, np.log(velocity), np.log(frequency), jump, gap / 2)
        row = one_curve(way, gain, np.log(velocity))
        rows.append(row)
        for j in np.flatnonzero(row >= 0):
            c = velocity[row[j]]
            half = 0.0 if limits is None else MASK * float(limits.velocity_resolution_m_s(frequency[j], c))
            is_peak[:, j] &= np.abs(velocity - c) > half
    found = without_sidelobes(np.array(rows), velocity, frequency, limits)
    found = without_ghosts(found, velocity, frequency, limits)
    return _picks(panel, velocity, frequency, in_order(found), 0.0)


def _checked(panel: Array, velocity_m_s: Array, frequency_hz: Array) -> tuple[Array, Array, Array]:
    panel, velocity, frequency = (np.asarray(one, dtype=np.float64) for one in (panel, velocity_m_s, frequency_hz))
    if panel.shape != (len(velocity), len(frequency)) or len(velocity) < 3 or not len(frequency):
        raise DataError(
            f"the panel is {panel.shape} and its axes are ({len(velocity)}, {len(frequency)}): (velocity, frequency), "
            "with 3 velocities or more"
        )
    if not np.isfinite(panel).all() or panel.min() < 0:
        raise DataError("the panel has values that are negative or not finite; amplitudes are expected")
    return panel, velocity, frequency


def _allowed(
    velocity: Array, frequency: Array, limits: ArrayLimits | None, longest: float, shortest: float
) -> Array:  # fmt: skip
    """Return where wavelengths are within those of the spread, (velocity, frequency)."""
    if limits is None:
        return np.ones((len(velocity), len(frequency)), dtype=bool)
    wavelength = velocity[:, None] / frequency
    return np.asarray((wavelength <= longest * limits.length_m) & (wavelength >= shortest * limits.spacing_m))


def _picks(panel: Array, velocity: Array, frequency: Array, rows: Array, least: float) -> CurvePicks:
    """Return picks at rows (mode, frequency) with a parabola through the peak, and where each falls to its `HEIGHT`."""
    found = np.full((4, *rows.shape), np.nan)
    index = np.arange(len(velocity), dtype=np.float64)
    for m, j in np.argwhere(rows >= 0):
        column, i = panel[:, j], int(rows[m, j])
        quality = float(column[i] - np.median(column)) / max(float(panel.max()), np.finfo(float).tiny)
        if quality < least:
            continue
        at = float(i)
        if 0 < i < len(velocity) - 1:
            before, peak, after = column[i - 1 : i + 2]
            curvature = before - 2 * peak + after
            at += 0.5 * (before - after) / curvature if curvature < 0 else 0.0
        ends = np.interp([at, _falls(column, i, -1), _falls(column, i, 1)], index, velocity)
        found[:, m, j] = ends[0], min(ends[0], ends[1]), max(ends[0], ends[2]), quality
    return CurvePicks(frequency, *found)


def _falls(column: Array, i: int, step: int) -> float:
    """Return the index, with a fraction, where a column falls to `HEIGHT` of its value at i; its end if it does not."""
    level = HEIGHT * column[i]
    k = i
    while 0 <= k + step < len(column):
        k += step
        if column[k] < level:
            return k - step * float((level - column[k]) / (column[k - step] - column[k]))
    return float(k)
