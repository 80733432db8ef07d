"""What a spread of receivers can tell: resolution, aliasing, the longest wavelength, and the near field."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array


@dataclass(frozen=True, slots=True)
class ArrayLimits:
    """Limits of a spread; frequencies are in Hz, velocities in m/s, and NaN in a curve means that there is no mode."""

    length_m: float
    """From the nearest to the farthest receiver."""
    spacing_m: float
    """Least distance of two neighbours. An irregular spread has full ghosts only beyond those of this spacing."""
    mean_offset_m: float

    @property
    def wavenumber_resolution_rad_m(self) -> float:
        """From a peak to the first zero of the spread's response, 2 pi / L, in rad/m."""
        return 2 * np.pi / self.length_m

    @property
    def longest_wavelength_m(self) -> float:
        """About the length of the spread (Park, Miller & Xia, 1999, Geophysics 64, 800-808)."""
        return self.length_m

    def velocity_resolution_m_s(self, frequency_hz: Array, velocity_m_s: Array) -> Array:
        """Return 2 pi / L in velocity, c^2 / (f L), in m/s; the arguments are broadcast."""
        return np.asarray(np.asarray(velocity_m_s) ** 2 / (np.asarray(frequency_hz) * self.length_m))

    def is_short_enough(self, frequency_hz: Array, velocity_m_s: Array) -> Array:
        """Return where the wavelength is not above `longest_wavelength_m`; False where the velocity is NaN."""
        return np.asarray(np.asarray(velocity_m_s) <= self.longest_wavelength_m * np.asarray(frequency_hz))

    def nacd(self, frequency_hz: Array, velocity_m_s: Array) -> Array:
        """Return the mean offset in wavelengths (normalised array centre distance); the arguments are broadcast.

        Below 1, velocities may come out too low by ten per cent and more.
        Source: Yoon & Rix (2009), J. Geotech. Geoenviron. Eng. 135, 399-406.
        """
        return np.asarray(self.mean_offset_m * np.asarray(frequency_hz) / np.asarray(velocity_m_s))

    def is_separable(self, frequency_hz: Array, curves_m_s: Array) -> Array:
        """Return where a mode is farther than 2 pi / L in wavenumber from every other mode.

        Args:
            frequency_hz: (frequency,).
            curves_m_s: (mode, frequency); NaN where a mode does not exist.
        Returns:
            Booleans, (mode, frequency); False where the mode does not exist.
        """
        k = 2 * np.pi * np.asarray(frequency_hz) / np.asarray(curves_m_s)
        distance = np.abs(k[:, None] - k[None])
        distance[np.arange(len(k)), np.arange(len(k))] = np.inf
        distance[np.isnan(distance)] = np.inf  # a mode that does not exist disturbs none
        return np.asarray((distance.min(axis=1) > self.wavenumber_resolution_rad_m) & np.isfinite(k))

    def is_aliased(self, frequency_hz: Array, curve_m_s: Array, *, slowest_m_s: float, fastest_m_s: float) -> Array:
        """Return where a ghost of a curve, at k + 2 pi m / spacing, lies between two velocities.

        Args:
            frequency_hz: (frequency,).
            curve_m_s: (..., frequency), in or out of the window; False where it is NaN.
            slowest_m_s, fastest_m_s: the window.
        """
        omega, step = 2 * np.pi * np.asarray(frequency_hz), 2 * np.pi / self.spacing_m
        k, low, high = omega / np.asarray(curve_m_s), omega / fastest_m_s, omega / slowest_m_s
        with np.errstate(invalid="ignore"):
            n_inside = np.floor((high - k) / step) - np.ceil((low - k) / step) + 1
            return np.asarray(n_inside - ((low <= k) & (k <= high)) > 0)


def array_limits(offsets_m: Array) -> ArrayLimits:
    """Return the limits of a spread.

    Args:
        offsets_m: distances of the receivers from the source in m, (trace,), in any order.
    Raises:
        DataError: with fewer than two places.
    """
    places = np.unique(np.abs(np.asarray(offsets_m, dtype=np.float64)))
    if len(places) < 2:
        raise DataError(f"a spread needs two receivers at different offsets; got {len(places)}. Give more traces.")
    return ArrayLimits(
        length_m=float(places[-1] - places[0]),
        spacing_m=float(np.diff(places).min()),
        mean_offset_m=float(places.mean()),
    )
