"""Arrivals of body waves by rays: times, sizes with their phase, and absorption, of each arrival on each trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seisloom.physics.gathers.draws import log_uniform
from seisloom.physics.gathers.medium import Earth
from seisloom.physics.gathers.priors import GatherPriors
from seisloom.physics.gathers.rays import trace_rays
from seisloom.physics.gathers.spread import Spread
from seisloom.sample import Array

REVERBERATIONS = 4
"""Most reverberations in the water that follow a head wave."""


@dataclass(frozen=True, slots=True, eq=False)
class Arrivals:
    """Arrivals, each array of shape (arrival, trace)."""

    time_s: Array
    amplitude: Array
    """Complex: its angle is a rotation of phase."""
    absorbed_s: Array
    """Time over Q."""


def joined(parts: Sequence[Arrivals]) -> Arrivals:
    """Return the arrivals of several kinds as one."""
    return Arrivals(
        np.concatenate([one.time_s for one in parts]), np.concatenate([one.amplitude for one in parts]),
        np.concatenate([one.absorbed_s for one in parts]),
    )  # fmt: skip


def direct_wave(rng: np.random.Generator, priors: GatherPriors, earth: Earth, spread: Spread) -> Arrivals:
    """Return the direct wave along the surface; on the sea floor that is one of the paths of `reflections`."""
    velocity = earth.velocity_m_s[0]
    # Nearer than a wavelength there is no far field, whose size would be infinite at the source
    length = np.hypot(spread.distance_m, velocity / spread.peak_hz)[None]
    time = spread.distance_m[None] / velocity
    absorbed = np.zeros_like(time) if earth.has_water else time / earth.quality
    return Arrivals(time, log_uniform(rng, priors.direct_strength) / length + 0j, absorbed)


def head_waves(rng: np.random.Generator, priors: GatherPriors, earth: Earth, spread: Spread) -> Arrivals:
    """Return the head waves along all boundaries that bear one, at sea each with its reverberations in the water.

    Times are exact; nothing arrives short of the critical distance. Amplitudes fall as x^-1/2 (x - x_c)^-3/2, with the
    wavelength for the distance from the critical one where that is shorter, and the phase is that of an integral.
    Source: Cerveny & Ravindra (1971), Theory of Seismic Head Waves, section 3.1.
    """
    strength, distance = log_uniform(rng, priors.head_strength), spread.distance_m
    n_more = REVERBERATIONS if earth.has_water and rng.random() < priors.share_multiples else 0
    parts = []
    for k in range(1, len(earth.velocity_m_s)):
        velocity = earth.velocity_m_s[k]
        sine = earth.velocity_m_s[:k] / velocity
        if sine.max() >= 1:
            continue
        cosine = np.sqrt(1 - sine**2)
        bounce = earth.reflection(0, np.array(1 / velocity)) if n_more and k > 1 else -1.0 + 0j
        for n in range(n_more + 1):
            path = 2 * earth.thickness_m[:k]
            path[0] *= 0.5 if spread.on_floor else 1.0
            path[0] += 2 * n * earth.thickness_m[0]
            delay, critical = float(np.sum(path * cosine / earth.velocity_m_s[:k])), float(np.sum(path * sine / cosine))
            wavelength = velocity / spread.peak_hz
            beyond = distance - critical
            spread_m = np.sqrt(np.maximum(distance, wavelength)) * np.maximum(beyond, wavelength) ** 1.5
            # Where gradients make it more than a head wave, it is a diving wave, which grows out of one with distance
            grown = -np.expm1(-np.maximum(beyond, 0.0) / (wavelength * max(strength, 1.0)))
            size = strength * wavelength / (2 * np.pi) / spread_m * grown
            time = delay + distance / velocity
            rock = time - path[0] / earth.velocity_m_s[0] / cosine[0] if earth.has_water else time
            parts.append((time, -1j * size * (-bounce) ** n * (n + 1), np.maximum(rock, 0) / earth.quality))
    if not parts:
        none = np.zeros((0, len(distance)))
        return Arrivals(none, none + 0j, none)
    return Arrivals(*(np.stack(some) for some in zip(*parts, strict=True)))


def diffractions(rng: np.random.Generator, priors: GatherPriors, earth: Earth, spread: Spread) -> Arrivals:
    """Return the waves of points that scatter: along an exact ray from the source, and along one to the receiver."""
    few, many = priors.n_diffractors
    n = few + int((many - few + 1) * rng.random() ** 2)  # mostly few
    vertical_s = rng.uniform(min(earth.boundary_s[0], spread.end_s), spread.end_s, n)
    path = paths_to(earth, vertical_s) / 2
    inline = spread.inline_m
    source = -inline / 2 if spread.is_midpoint else np.zeros_like(inline)
    far = max(np.abs(inline).max(), 500.0)
    place = (
        rng.uniform(-0.5 * far, 0.5 * far, n)
        if spread.is_midpoint
        else (rng.uniform(min(inline.min(), 0.0) - 0.2 * far, max(inline.max(), 0.0) + 0.2 * far, n))
    )
    aside = rng.uniform(-0.1, 0.1, n) * far
    down, up = (
        trace_rays(
            path if one is source or not spread.on_floor else _without_water(path, earth), earth.velocity_m_s,
            np.hypot(one[None] - place[:, None], aside[:, None]), surface_m_s=earth.velocity_m_s[0],
        )
        for one in (source, source + inline)
    )  # fmt: skip
    # A scatterer as wide as half of the Fresnel zone of its depth, of the reflectivity of a strong boundary
    width = 0.5 * np.sqrt(path.sum(axis=1) * earth.velocity_m_s[0] / spread.peak_hz)
    size = (width * rng.uniform(-0.3, 0.3, n))[:, None] / (down.spreading_m * up.spreading_m)
    time = down.time_s + up.time_s
    return Arrivals(time, size + 0j, absorbed(time, earth, spread))


def paths_to(earth: Earth, vertical_s: Array) -> Array:
    """Return metres of each layer that reflections of these two-way vertical times cross, shape (path, layer)."""
    inside = np.append(2 * earth.thickness_m / earth.velocity_m_s[:-1], np.inf)
    before = np.concatenate([[0.0], np.cumsum(inside[:-1])])
    return np.asarray(np.clip(vertical_s[:, None] - before, 0.0, inside) * earth.velocity_m_s)


def _without_water(path: Array, earth: Earth) -> Array:
    """Return one-way paths that begin below the water; a trace of it is left to points on the sea floor."""
    below = path.copy()
    below[:, 0] = np.where(path[:, 1:].sum(axis=1) > 0, 0.0, 1e-3)
    return below


def absorbed(time_s: Array, earth: Earth, spread: Spread) -> Array:
    """Return time over Q in the ground, by the vertical time in the water, where there is some."""
    water_s = earth.boundary_s[0] * (0.5 if spread.on_floor else 1.0) if earth.has_water else 0.0
    return np.asarray(np.maximum(time_s - water_s, 0.0) / earth.quality)
