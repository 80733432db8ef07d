"""Reflections of a gather, and their multiples from the surface, by exact rays and with coefficients of the angle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seisloom.physics.gathers.arrivals import Arrivals, absorbed, paths_to
from seisloom.physics.gathers.draws import log_uniform, smooth
from seisloom.physics.gathers.medium import Earth
from seisloom.physics.gathers.priors import GatherPriors
from seisloom.physics.gathers.rays import trace_rays
from seisloom.physics.gathers.spread import Spread
from seisloom.sample import Array

MOST_MULTIPLES = 60
"""Strongest multiples that are kept."""
WATER_BOUNCES = 6
STRONG = 6
"""Number of the strongest reflectors that make surface multiples with each other."""


@dataclass(frozen=True, slots=True, eq=False)
class Reflectors:
    """Boundaries of velocity layers, then weak reflectors within layers, each array of shape (reflector,)."""

    vertical_s: Array
    boundary: Array
    """Number of the boundary; -1 for weak ones."""
    normal: Array
    """Reflection coefficient at normal incidence."""
    gradient: Array
    """Of weak ones: R = normal (1 + gradient sin^2)."""
    speed_m_s: Array
    """Velocity above, which the angle follows from."""
    through: Array
    """What is left of a wave that crosses all boundaries above, down and up: product of 1 - R^2."""

    def at(self, which: Array, slowness: Array, earth: Earth) -> Array:
        """Return complex coefficients of some reflectors at slownesses of shape (reflector, trace)."""
        sine = np.minimum(slowness * self.speed_m_s[which][:, None], 1.0)
        found = self.normal[which][:, None] * (1 + self.gradient[which][:, None] * sine**2) + 0j
        walls = self.boundary[which] >= 0
        if walls.any():
            found[walls] = earth.reflection(self.boundary[which][walls][:, None], slowness[walls])
        return np.asarray(found * self.through[which][:, None])


def draw_reflectors(rng: np.random.Generator, priors: GatherPriors, earth: Earth, spread: Spread) -> Reflectors:
    """Return the reflectors down to the end of the window."""
    wall_s = earth.boundary_s
    walls = np.arange(len(wall_s))
    of_walls = earth.reflection(walls, np.zeros(len(walls))).real
    length = max(spread.end_s - wall_s[0], 0.0)
    n_weak = int(rng.poisson(log_uniform(rng, priors.events_a_second) * length))
    weak_s = np.sort(wall_s[0] + length * rng.random(n_weak))
    # Few are strong, most weak: heavier tails than Gauss's
    drawn = rng.standard_normal(n_weak)
    weak = log_uniform(rng, priors.reflectivity) * drawn * np.sqrt(np.abs(drawn))
    layer = np.searchsorted(wall_s, weak_s, side="right")
    passed = np.concatenate([[1.0], np.cumprod(1 - of_walls**2)])
    return Reflectors(
        vertical_s=np.concatenate([wall_s, weak_s]), boundary=np.concatenate([walls, np.full(n_weak, -1)]),
        normal=np.concatenate([of_walls, np.clip(weak, -0.6, 0.6)]),
        gradient=np.concatenate([np.zeros(len(walls)), rng.uniform(*priors.avo, n_weak)]),
        speed_m_s=np.concatenate([earth.velocity_m_s[:-1], earth.velocity_m_s[layer]]),
        through=np.concatenate([passed[:-1], passed[layer]]),
    )  # fmt: skip


def reflections(
    rng: np.random.Generator, priors: GatherPriors, earth: Earth, spread: Spread, seen_s: tuple[float, float]
) -> Arrivals:
    """Return primaries and multiples that arrive between two times in s on some trace.

    Each bounce in the water, and each meeting of two reflectors, turns the sign at the free surface. Dips are added by
    Levin's (1971, Geophysics 36(3), 510-516) term for the RMS velocity to the exact moveout of plane layers; for a
    single layer that is exact.
    """
    some = draw_reflectors(rng, priors, earth, spread)
    base = paths_to(earth, some.vertical_s)
    # Each path: first reflector, second one or -1, bounces in the water
    first, second, bounces = _combinations(rng, priors, some, earth)
    path = base[first] + np.where(second[:, None] >= 0, base[second], 0.0)
    path[:, 0] += 2 * bounces * earth.thickness_m[0]
    if spread.on_floor:
        path[:, 0] -= earth.thickness_m[0]
    near_far = np.array([spread.distance_m.min(), spread.distance_m.max()])
    bounds_s = trace_rays(path, earth.velocity_m_s, near_far, surface_m_s=earth.velocity_m_s[0]).time_s
    seen = (bounds_s[:, 0] <= seen_s[1]) & (bounds_s[:, 1] >= seen_s[0])
    first, second, bounces, path = first[seen], second[seen], bounces[seen], path[seen]
    order = np.argsort(spread.distance_m)
    back = np.argsort(order)
    rays = trace_rays(path, earth.velocity_m_s, spread.distance_m[order], surface_m_s=earth.velocity_m_s[0])
    time, slowness, length = (one[:, back] for one in rays)

    surface = 1.0 if spread.at_sea else rng.uniform(*priors.surface_reflection)
    amplitude = some.at(first, slowness, earth) / length
    if spread.on_floor:  # what meets the floor first is the direct wave: it is not reflected there
        floor = first == 0
        amplitude[floor] = 1 / length[floor]
    pairs = second >= 0
    amplitude[pairs] *= -surface * some.at(second[pairs], slowness[pairs], earth)
    # A bounce may come before or after the reflection, in n + 1 orders; two reflectors in two
    orders = np.where(first == 0, 1, bounces + 1) * np.where(pairs & (first != second), 2, 1)
    bounced = bounces > 0
    if bounced.any():
        amplitude[bounced] *= (-surface * earth.reflection(0, slowness[bounced])) ** bounces[bounced][:, None]
    amplitude *= orders[:, None] * np.exp(
        log_uniform(rng, priors.lateral) * smooth(rng, spread.place, len(some.vertical_s))[first]
    )
    time = _bent(rng, priors, spread, time, path, earth, first, some)
    return Arrivals(time, amplitude, absorbed(time, earth, spread))


def _combinations(
    rng: np.random.Generator, priors: GatherPriors, some: Reflectors, earth: Earth
) -> tuple[Array, Array, Array]:
    """Return first reflector, second one (-1 none) and bounces in the water of all primaries and strong multiples."""
    every = np.arange(len(some.vertical_s))
    primary = every, np.full(len(every), -1), np.zeros(len(every), dtype=int)
    if rng.random() >= priors.share_multiples:
        return primary
    size = np.abs(some.normal * some.through)
    strong = np.argsort(-size, kind="stable")[:STRONG]
    one, two = (strong[index] for index in np.triu_indices(len(strong)))
    first, second, bounces = [one], [two], [np.zeros(len(one), dtype=int)]
    if earth.has_water:
        keep = (one != 0) & (two != 0)  # with the sea floor it is a bounce in the water
        first, second, bounces = [one[keep]], [two[keep]], [bounces[0][keep]]
        for n in range(1, WATER_BOUNCES + 1):
            first.append(every)
            second.append(np.full(len(every), -1))
            bounces.append(np.full(len(every), n))
    a, b, n_bounces = (np.concatenate(part) for part in (first, second, bounces))
    vertical_s = some.vertical_s[a] + np.where(b >= 0, some.vertical_s[b], 0.0) + n_bounces * some.vertical_s[0]
    expected = size[a] * np.where(b >= 0, size[b], 1.0) * np.abs(some.normal[0]) ** n_bounces * (n_bounces + 1)
    kept = np.argsort(-expected / vertical_s, kind="stable")[:MOST_MULTIPLES]
    return tuple(np.concatenate([p, m[kept]]) for p, m in zip(primary, (a, b, n_bounces), strict=True))  # type: ignore[return-value]


def _bent(
    rng: np.random.Generator, priors: GatherPriors, spread: Spread, time_s: Array, path: Array, earth: Earth,
    first: Array, some: Reflectors,
) -> Array:  # fmt: skip
    """Return times over reflectors that dip and are not plane, the deeper the more."""
    depth = np.minimum(some.vertical_s[first] / spread.end_s, 1.0)
    if rng.random() < priors.share_dipping:
        dip = np.radians(log_uniform(rng, priors.dip_degrees)) * (1 if rng.random() < 0.5 else -1)
        each = 1 + 0.2 * rng.standard_normal(len(some.vertical_s))
        sine = np.sin(np.clip(dip * depth * each[first], -0.7, 0.7))[:, None]
        slow = path / earth.velocity_m_s
        vertical_s = slow.sum(axis=1, keepdims=True)
        squared_rms = ((path * earth.velocity_m_s).sum(axis=1) / vertical_s[:, 0])[:, None]
        x = spread.inline_m
        if spread.is_midpoint:
            squared = time_s**2 - (x * sine) ** 2 / squared_rms
        else:
            squared = time_s**2 + 2 * vertical_s * x * sine / np.sqrt(squared_rms)
        time_s = np.sqrt(np.maximum(squared, 0.0))
    if not spread.is_midpoint:
        # One shape, which grows with the depth, and a little of each reflector's own
        size_s = log_uniform(rng, priors.relief_ms) / 1000
        shapes = smooth(rng, spread.place, len(some.vertical_s) + 1)
        time_s = time_s + size_s * depth[:, None] * (shapes[-1] + 0.3 * shapes[first])
    return np.asarray(time_s)
