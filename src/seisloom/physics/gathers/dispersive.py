"""Waves whose velocity depends on the frequency: ground roll, and what the water or the weathered layer guides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seisloom.physics.gathers.draws import log_uniform
from seisloom.physics.gathers.medium import Earth
from seisloom.physics.gathers.priors import GatherPriors
from seisloom.physics.gathers.spread import Spread
from seisloom.physics.gathers.wavelet import anti_alias
from seisloom.sample import Array

LEAST = 1e-7
"""Of a mode's spectrum, over its largest value: less is below what a recorder of 24 bits tells apart."""


@dataclass(frozen=True, slots=True)
class Mode:
    """One mode: its phase velocity falls smoothly, c(f) = slow + (fast - slow) / (1 + (f / corner)^2)."""

    slow_m_s: float
    """Velocity in m/s at high frequency."""
    fast_m_s: float
    """Velocity in m/s at low frequency."""
    corner_hz: float
    """Frequency in Hz of their mean."""
    quality: float
    peak_hz: float
    """Where its spectrum, a bell of log frequency, is largest."""
    width: float
    """Standard deviation of the bell, of the natural logarithm."""
    size: complex

    def spectra(self, distance_m: Array, frequency_hz: Array, seen_s: tuple[float, float]) -> Array:
        """Return the spectra of the mode, complex (trace, frequency).

        Sizes fall as 1 / sqrt(x) and exp(-pi f x / (Q c)). What arrives outside of the times `seen_s` by its group
        velocity is left out, or it would come back from the other end: a spectrum knows time only within its period.

        Args:
            distance_m: that waves have come, shape (trace,).
            frequency_hz: from 0 to the Nyquist frequency in even steps, shape (frequency,).
            seen_s: first and last time in s; half of a cosine takes sizes to 0 within a tenth of that beyond.
        """
        octave = np.log(np.maximum(frequency_hz, self.peak_hz * 1e-3) / self.peak_hz) / self.width
        bell = np.where(frequency_hz > 0, np.exp(-0.5 * octave**2), 0.0) * anti_alias(
            frequency_hz, 2 * frequency_hz[-1]
        )
        inside = np.flatnonzero(bell > LEAST)
        found = np.zeros((len(distance_m), len(frequency_hz)), dtype=complex)
        if len(inside) < 2:
            return found
        f = frequency_hz[inside]
        ratio = (f / self.corner_hz) ** 2
        speed = self.slow_m_s + (self.fast_m_s - self.slow_m_s) / (1 + ratio)
        wave_number = f / speed
        slope = -2 * ratio / f * (self.fast_m_s - self.slow_m_s) / (1 + ratio) ** 2  # dc/df
        group_s = distance_m[:, None] * (1 - wave_number * slope) / speed  # x dk/df
        beyond = np.maximum(group_s - seen_s[1], seen_s[0] - group_s) / (0.1 * (seen_s[1] - seen_s[0]))
        window = np.cos(np.pi / 2 * np.clip(beyond, 0, 1)) ** 2
        length = np.maximum(distance_m, self.slow_m_s / self.corner_hz)[:, None]
        turn = np.exp(-(np.pi / self.quality + 2j * np.pi) * wave_number * distance_m[:, None])
        found[:, inside] = self.size * bell[inside] * window / np.sqrt(length) * turn
        return found


def draw_dispersive(
    rng: np.random.Generator, priors: GatherPriors, earth: Earth, spread: Spread, frequency_hz: Array,
    seen_s: tuple[float, float],
) -> Array | None:  # fmt: skip
    """Return the spectra of a gather's dispersive waves, complex (trace, frequency), in any unit; None without any."""
    if spread.is_midpoint:
        return None
    parts = []
    inline = spread.inline_m
    if not spread.at_sea and rng.random() < priors.share_roll:
        for mode in _ground_roll(rng, priors):
            parts.append(mode.spectra(spread.distance_m, frequency_hz, seen_s))
            if rng.random() < 0.3:  # scattered back by something in the ground
                at = rng.uniform(inline.min(), inline.max())
                scattered = mode.spectra(np.abs(at) + np.abs(inline - at), frequency_hz, seen_s)
                parts.append(rng.uniform(0.1, 0.5) * scattered)
    if rng.random() < priors.share_guided and earth.velocity_m_s[1] > earth.velocity_m_s[0]:
        for k in range(int(rng.integers(1, 4))):
            # Between the velocities of the guide and of what is below it
            mode = Mode(
                slow_m_s=float(earth.velocity_m_s[0]), fast_m_s=float(earth.velocity_m_s[1]),
                corner_hz=spread.peak_hz * rng.uniform(0.4, 1.0) * (1 + 0.5 * k), quality=rng.uniform(40.0, 300.0),
                peak_hz=spread.peak_hz * rng.uniform(0.5, 1.2), width=rng.uniform(0.3, 0.7), size=rng.uniform(0.2, 1.0),
            )  # fmt: skip
            parts.append(mode.spectra(spread.distance_m, frequency_hz, seen_s))
    return np.sum(parts, axis=0) if parts else None


def _ground_roll(rng: np.random.Generator, priors: GatherPriors) -> list[Mode]:
    """Return one to three modes, each faster, of higher frequency and weaker than that before it."""
    slow, peak, quality = log_uniform(rng, priors.roll_m_s), log_uniform(rng, priors.roll_hz), rng.uniform(10.0, 60.0)
    modes = []
    for k in range(int(rng.integers(1, 4))):
        modes.append(
            Mode(
                slow_m_s=slow,
                fast_m_s=slow * rng.uniform(1.1, 3.0),
                corner_hz=peak * rng.uniform(0.4, 1.2),
                quality=quality,
                peak_hz=peak * (1 + 0.5 * k),
                width=rng.uniform(0.3, 0.8),
                size=rng.uniform(0.3, 1.0) / (1 + k) * np.exp(1j * rng.uniform(0, 2 * np.pi)),
            )
        )
        slow *= rng.uniform(1.1, 1.5)
    return modes
