"""Spectra on axes of equal ratios: there a site that is k times as fast or as deep is the same picture, moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.velocity_spectra.limits import ArrayLimits
from seisloom.tasks.dispersion.blocks import DispersionData

SAME = 1e-4
"""Axes whose values agree to this share are the same."""
N_PROPERTIES = 4


@dataclass(frozen=True, slots=True)
class Ratios:
    """Natural logarithms of the ratios of neighbouring values of both axes: what a network was trained with."""

    velocity: float
    frequency: float


def ratios_of(data: DispersionData) -> Ratios:
    """Return the ratios of a recipe's axes; where an axis has equal steps, its mean ratio."""
    c, f = data.phase_velocity, data.frequency
    return Ratios(
        float(np.log(c.max_m_s / c.min_m_s)) / (c.num_samples - 1),
        float(np.log(f.max_hz / f.min_hz)) / (f.num_samples - 1),
    )


def log_axis(first: float, last: float, ratio: float) -> Array:
    """Return values at equal ratios from the first to the last one, float64; the ratio is that or a little less.

    Raises:
        DataError: if there are fewer than 8, too few for a network to see anything.
    """
    n = int(np.ceil(np.log(last / first) / ratio - SAME)) + 1
    if n < 8:
        raise DataError(f"{first:g} to {last:g} has {n} steps of {100 * ratio:.2g} %; make the range wider, 8 at least")
    return np.geomspace(first, last, n)


def is_log(axis: Array, ratio: float) -> bool:
    """Return whether an axis has this ratio throughout."""
    return bool(np.allclose(np.diff(np.log(axis)), ratio, rtol=0.02, atol=0))


@dataclass(frozen=True, slots=True, eq=False)
class OnGrid:
    """A spectrum on axes of equal ratios."""

    panel: Array
    """float32 (velocity, frequency)."""
    velocity_m_s: Array
    frequency_hz: Array


def on_grid(panel: Array, velocity_m_s: Array, frequency_hz: Array, ratios: Ratios) -> OnGrid:
    """Return a spectrum on axes of these ratios, linear between its values; as it is where it has them already."""
    panel = np.asarray(panel, dtype=np.float32)
    if not is_log(frequency_hz, ratios.frequency):
        f = log_axis(float(frequency_hz[0]), float(frequency_hz[-1]), ratios.frequency)
        panel, frequency_hz = interpolate(panel, frequency_hz, f), f
    if not is_log(velocity_m_s, ratios.velocity):
        c = log_axis(float(velocity_m_s[0]), float(velocity_m_s[-1]), ratios.velocity)
        panel, velocity_m_s = interpolate(panel.T, velocity_m_s, c).T, c
    return OnGrid(np.ascontiguousarray(panel), velocity_m_s, frequency_hz)


def interpolate(rows: Array, axis: Array, at: Array) -> Array:
    """Return rows (row, axis) at other places, linear in the logarithm of the axis, as float32."""
    place = np.interp(np.log(at), np.log(axis), np.arange(len(axis)))
    low = np.minimum(place.astype(int), len(axis) - 2)
    share = (place - low).astype(np.float32)
    rows = np.asarray(rows, dtype=np.float32)
    mixed = rows[:, low] * (1 - share) + rows[:, low + 1] * share
    # On a value itself its neighbour does not matter, though it be NaN
    mixed = np.where(share < SAME, rows[:, low], mixed)
    return np.where(share > 1 - SAME, rows[:, low + 1], mixed)


def nearest(rows: Array, axis: Array, at: Array) -> Array:
    """Return flags (row, axis) at the nearest places."""
    place = np.interp(np.log(at), np.log(axis), np.arange(len(axis)))
    return rows[:, np.rint(place).astype(int)]


def array_numbers(limits: ArrayLimits | None, n_receivers: int) -> Array:
    """Return what a network is told of an array, float32 (property,) in m; NaN where it is not known."""
    if limits is None:
        return np.full(N_PROPERTIES, np.nan, dtype=np.float32)
    mean_spacing = limits.length_m / (n_receivers - 1)
    return np.array([limits.length_m, limits.spacing_m, limits.mean_offset_m, mean_spacing], dtype=np.float32)
