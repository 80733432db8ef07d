"""The layered earth under a gather: velocities that grow with depth, and how their boundaries reflect."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seisloom.physics.gathers.draws import log_uniform
from seisloom.physics.gathers.priors import GatherPriors
from seisloom.physics.gathers.spread import Spread
from seisloom.sample import Array

FASTEST_M_S = 6000.0
WATER_KG_M3 = 1025.0
MOST_ABSORBED = 3.0
"""Nepers that are lost at the peak frequency until the end of the window at most: surveys use what comes back."""


@dataclass(frozen=True, slots=True, eq=False)
class Earth:
    """Plane layers top down; the last is a half-space."""

    thickness_m: Array
    """Shape (layer - 1,)."""
    velocity_m_s: Array
    """Shape (layer,)."""
    density_kg_m3: Array
    """Shape (layer,)."""
    quality: float
    """Q of all layers but water."""
    has_water: bool

    @property
    def boundary_s(self) -> Array:
        """Two-way vertical time of each boundary in s, shape (layer - 1,)."""
        return np.cumsum(2 * self.thickness_m / self.velocity_m_s[:-1])

    def reflection(self, boundary: Array | int, slowness: Array) -> Array:
        """Return the acoustic reflection coefficient, complex, of plane waves of a horizontal slowness in s/m.

        Beyond the critical angle its size is 1, and its phase that of delays exp(-2 pi i f t).
        Source: Aki & Richards (2002), Quantitative Seismology, section 5.2, of two fluids.
        """
        above, below = (
            self.density_kg_m3[at] * self.velocity_m_s[at] / _cosine(slowness * self.velocity_m_s[at])
            for at in (np.asarray(boundary), np.asarray(boundary) + 1)
        )
        return np.asarray((below - above) / (below + above))


def _cosine(sine: Array) -> Array:
    """Return the cosine of an angle; beyond 1, the negative imaginary one, with which waves decay downward."""
    squared = 1 - np.square(sine)
    # No boundary is met at exactly 90 degrees but by rounding; the smallest cosine keeps impedances finite
    size = np.maximum(np.sqrt(np.abs(squared)), 1e-6)
    return np.asarray(np.where(squared >= 0, size, -1j * size))


def draw_earth(rng: np.random.Generator, priors: GatherPriors, spread: Spread) -> Earth:
    """Return an earth whose layers reach as deep as waves come from within the record."""
    thickness: list[float] = []
    velocity: list[float] = []
    if spread.at_sea:
        thickness.append(log_uniform(rng, priors.water_m))
        velocity.append(rng.uniform(*priors.water_m_s))
        first, depth = log_uniform(rng, priors.seabed_m_s), 0.0
    else:
        thickness.append(log_uniform(rng, priors.weathering_m))
        velocity.append(log_uniform(rng, priors.weathering_m_s))
        first, depth = max(log_uniform(rng, priors.rock_m_s), 1.2 * velocity[0]), 0.0
    gradient, spread_of = rng.uniform(*priors.gradient_a_s), rng.uniform(*priors.velocity_spread)
    time_s = 2 * thickness[0] / velocity[0]
    while time_s < spread.end_s + 0.2:
        height = rng.uniform(*priors.layer_share) * (depth + 500.0)
        trend = first + gradient * (depth + height / 2)
        factor = np.exp(spread_of * rng.standard_normal()) if depth > 0 else 1.0
        velocity.append(float(np.clip(trend * factor, 0.7 * first, FASTEST_M_S)))
        thickness.append(height)
        depth += height
        time_s += 2 * height / velocity[-1]
    velocity.append(min(velocity[-1] * rng.uniform(1.0, 1.3), FASTEST_M_S))
    speed = np.array(velocity)
    # Gardner et al. (1974): 310 v^0.25; with a spread, or boundaries would all brighten with the offset alike
    density = 310.0 * speed**0.25 * np.exp(0.03 * rng.standard_normal(len(speed)))
    if spread.at_sea:
        density[0] = WATER_KG_M3
    quality = max(log_uniform(rng, priors.quality), np.pi * spread.peak_hz * spread.end_s / MOST_ABSORBED)
    return Earth(np.array(thickness), speed, density, quality, spread.at_sea)
