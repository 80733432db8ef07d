"""Dispersion curves of a layered medium: phase and group velocity of its modes, and what else they carry."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import pi
from typing import Literal

import numpy as np

from seisloom.compute import n_cores
from seisloom.errors import DataError
from seisloom.physics.surface_waves.counting import count_love, count_rayleigh
from seisloom.physics.surface_waves.energy import carry
from seisloom.physics.surface_waves.medium import LayeredMedium
from seisloom.physics.surface_waves.search import search_modes
from seisloom.sample import Array

Wave = Literal["rayleigh", "love"]
PROPERTIES = ("thickness", "vp", "vs", "density")
"""The last axis of `ModeCurves.kernels`."""


@dataclass(frozen=True, slots=True, eq=False)
class ModeCurves:
    """Modes of one medium; all but the frequencies are (mode, frequency), NaN where a mode does not exist."""

    frequency_hz: Array
    """(frequency,)."""
    phase_m_s: Array
    """Phase velocity."""
    group_m_s: Array
    """Group velocity."""
    ellipticity: Array
    """Horizontal over vertical displacement at the surface, positive where retrograde; infinite for Love waves."""
    strength_per_pa: Array
    """A force of 1 N on the surface moves it by strength k / 2 |H0(k r)| in the direction of the force, far away."""
    kernels: Array | None
    """(mode, frequency, layer, property): d ln c / d ln of each of `PROPERTIES`; only where asked for."""


def phase_velocities(medium: LayeredMedium, frequency_hz: Array, n_modes: int = 4, *, wave: Wave = "rayleigh") -> Array:
    """Return the phase velocities of the slowest modes in m/s, (mode, frequency), NaN where a mode does not exist.

    Modes are counted, not followed (see `counting`), so none is missing and none has another's number, however close
    two of them come. A mode exists where it is slower than the S waves of the half-space.

    Args:
        medium: the layers.
        frequency_hz: (frequency,), positive and increasing.
        n_modes: that are wanted, the fundamental one first.
        wave: Rayleigh or Love waves.
    Raises:
        DataError: if frequencies or n_modes make no sense.
    """
    frequencies = _checked(frequency_hz, n_modes)
    found = np.empty((n_modes, len(frequencies)))
    search_modes(medium.table, frequencies, n_modes, wave == "love", found)
    return found


def phase_velocities_of_many(
    media: Sequence[LayeredMedium], frequency_hz: Array, n_modes: int = 4, *, wave: Wave = "rayleigh",
    threads: int | None = None,
) -> Array:  # fmt: skip
    """Return the phase velocities of many media in m/s, (medium, mode, frequency); see `phase_velocities`.

    Args:
        media: of any numbers of layers.
        frequency_hz, n_modes, wave: as there.
        threads: that share the media; one a core by default.
    """
    frequencies = _checked(frequency_hz, n_modes)
    found = np.empty((len(media), n_modes, len(frequencies)))

    def solve(k: int) -> None:
        search_modes(media[k].table, frequencies, n_modes, wave == "love", found[k])

    with ThreadPoolExecutor(threads or n_cores()) as pool:
        list(pool.map(solve, range(len(media))))
    return found


def count_modes(medium: LayeredMedium, velocity_m_s: float, frequency_hz: float, *, wave: Wave = "rayleigh") -> int:
    """Return how many modes are slower than a velocity, which must be below vs of the half-space.

    Raises:
        DataError: if it is not, or is not positive.
    """
    fastest = float(medium.vs_m_s[-1])
    if not 0 < velocity_m_s < fastest or not frequency_hz > 0:
        raise DataError(
            f"modes are counted below {fastest:g} m/s, vs of the half-space, at positive frequencies; got "
            f"{velocity_m_s:g} m/s at {frequency_hz:g} Hz"
        )
    count = count_love if wave == "love" else count_rayleigh
    return int(count(float(velocity_m_s), 2 * pi * float(frequency_hz), medium.table)[0])


def mode_curves(
    medium: LayeredMedium, frequency_hz: Array, n_modes: int = 4, *, wave: Wave = "rayleigh", kernels: bool = False
) -> ModeCurves:
    """Return phase and group velocities, ellipticities and strengths of the slowest modes; see `phase_velocities`.

    Args:
        medium, frequency_hz, n_modes, wave: as there.
        kernels: compute also how phase velocities depend on each layer.
    """
    frequencies = _checked(frequency_hz, n_modes)
    table, love = medium.table, wave == "love"
    phase = phase_velocities(medium, frequencies, n_modes, wave=wave)
    carried = np.full((n_modes, len(frequencies), 3), np.nan)
    slopes = np.full((n_modes, len(frequencies), len(medium), len(PROPERTIES)), np.nan) if kernels else None
    scratch = np.empty((len(medium), len(PROPERTIES)))
    for m, j in np.argwhere(np.isfinite(phase)):
        into = scratch if slopes is None else slopes[m, j]
        carried[m, j] = carry(phase[m, j], 2 * pi * frequencies[j], table, love, kernels, into)
    return ModeCurves(frequencies, phase, carried[..., 0], carried[..., 1], carried[..., 2], kernels=slopes)


def _checked(frequency_hz: Array, n_modes: int) -> Array:
    frequencies = np.atleast_1d(np.asarray(frequency_hz, dtype=np.float64))
    if frequencies.ndim != 1 or not frequencies.size or not np.isfinite(frequencies).all() or frequencies.min() <= 0:
        raise DataError("frequency_hz: one axis of positive, finite frequencies is needed")
    if (np.diff(frequencies) <= 0).any():
        at = int(np.argmax(np.diff(frequencies) <= 0))
        raise DataError(
            f"frequency_hz must increase; {frequencies[at]:g} Hz is followed by {frequencies[at + 1]:g} Hz. Sort them"
        )
    if n_modes < 1:
        raise DataError(f"n_modes {n_modes}: at least 1 is needed")
    return frequencies
