"""Layerings, and what is drawn for each: depths of interfaces, Vs of layers, Poisson's ratio."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt
from typing import Literal

import numpy as np

from seisloom.errors import DataError
from seisloom.physics.surface_waves.medium import LayeredMedium
from seisloom.sample import Array

RATIOS = (1.5, 2.0, 2.5, 3.0, 4.0)
"""Of the layerings that are tried by default."""
MOST_LAYERS = 12
RISE, FALL = 0.5, 0.15
"""Means of a change of ln Vs from a layer to the next, where it grows and where it falls: ground mostly gets stiffer
with depth, and a softer layer must be asked for by the curves. Exponential, so that two layers may be alike."""
WATER_M_S = 1500.0


@dataclass(frozen=True, slots=True)
class Ground:
    """What is known, or taken for known, of the ground besides its Vs."""

    poisson: tuple[float, float] = (0.2, 0.49)
    """Range of Poisson's ratio above the water table, one value for a whole profile; equal ends fix it. Dry sand has
    0.2 and wet clay 0.49."""
    water_table_m: tuple[float, float] | Literal["unknown", "dry"] = "unknown"
    """Range of its depth; below, vp is at least sqrt(1500^2 + 4/3 vs^2) m/s. Unknown is anywhere from the surface to a
    quarter below what the curves reach: wet ground makes surface waves up to a fifth faster, and few curves tell."""
    density_kg_m3: float | None = None
    """Of all layers; None is 310 vp^0.25 (Gardner et al., 1974, Geophysics 39, 770-780), at least 1500."""
    rise: float = RISE
    fall: float = FALL

    def __post_init__(self) -> None:
        """Check values.

        Raises:
            DataError: if one is out of its range.
        """
        if not 0 <= self.poisson[0] <= self.poisson[1] < 0.5:
            raise DataError(f"poisson is {self.poisson}; write one value or [smallest, largest] from 0 to below 0.5")
        if not isinstance(self.water_table_m, str) and not 0 <= self.water_table_m[0] <= self.water_table_m[1]:
            raise DataError(f"water_table_m is {self.water_table_m}; it is [smallest, largest] depth in m, 0 or more")
        if self.density_kg_m3 is not None and not 500 <= self.density_kg_m3 <= 10_000:
            raise DataError(f"density_kg_m3 is {self.density_kg_m3:g}; soils and rocks have 1000 to 3500 kg/m3")
        if not (self.rise > 0 and self.fall > 0):
            raise DataError(f"rise {self.rise:g} and fall {self.fall:g} of ln Vs must be positive")


@dataclass(frozen=True, slots=True, eq=False)
class Layering:
    """Layers over a half-space whose interfaces each move within a range of depth; its points are (parameter,).

    A point holds the logarithm of each interface's depth in m, ln Vs of each layer and of the half-space, Poisson's
    ratio, and the depth of the water table in m.
    """

    ratio: float
    edges_m: Array
    """(interface + 1,): the interface i lies between edges i and i + 1."""
    ln_vs: tuple[float, float]
    """Range of ln Vs of all layers."""
    ground: Ground
    bounds: Array = field(init=False)
    """Lower and upper ends of all parameters, (2, parameter)."""

    def __post_init__(self) -> None:
        """Set the bounds; a fixed value has a range that is too narrow to matter."""
        n, edges = self.n_interfaces, np.log(self.edges_m)
        vs = np.tile(np.array(self.ln_vs)[:, None], n + 1)
        named = {"unknown": (0.0, 1.25 * float(self.edges_m[-1])), "dry": (1e6, 1e6)}
        table = self.ground.water_table_m
        ranges = np.array([self.ground.poisson, named[table] if isinstance(table, str) else table]).T
        ranges[1] += np.where(ranges[0] == ranges[1], 1e-9, 0)
        object.__setattr__(self, "bounds", np.concatenate([np.stack([edges[:-1], edges[1:]]), vs, ranges], axis=1))

    @property
    def n_interfaces(self) -> int:
        """Layers above the half-space."""
        return len(self.edges_m) - 1

    @property
    def name(self) -> str:
        """What reports call it."""
        return f"ratio {self.ratio:g}, {self.n_interfaces} layers"

    def split(self, point: Array) -> tuple[Array, Array, float]:
        """Return depths of interfaces in m, Vs of layers in m/s and Poisson's ratio of a point."""
        n = self.n_interfaces
        return np.exp(point[:n]), np.exp(point[n : 2 * n + 1]), float(point[-2])

    def table(self, point: Array) -> Array:
        """Return thickness, vp, vs and density of a point's layers, (layer, 4), as `LayeredMedium.table`."""
        depth, vs, poisson = self.split(point)
        out = np.zeros((len(vs), 4))
        out[0, 0], out[1:-1, 0] = depth[0], depth[1:] - depth[:-1]
        out[:, 1] = vs * sqrt((2 - 2 * poisson) / (1 - 2 * poisson))
        wet = np.append(depth - out[:-1, 0] / 2, depth[-1]) >= point[-1]
        out[wet, 1] = np.maximum(out[wet, 1], np.sqrt(WATER_M_S**2 + 4 / 3 * vs[wet] ** 2))
        density = self.ground.density_kg_m3
        out[:, 2], out[:, 3] = vs, np.maximum(310 * out[:, 1] ** 0.25, 1500.0) if density is None else density
        return out

    def medium(self, point: Array) -> LayeredMedium:
        """Return the layers of a point."""
        return LayeredMedium(*self.table(point).T)

    def ln_prior(self, point: Array) -> float:
        """Return the logarithm of the prior, but for a constant; -inf out of bounds."""
        low, high = self.bounds
        if (point < low).any() or (point > high).any():
            return -np.inf
        n = self.n_interfaces
        change = point[n + 1 : 2 * n + 1] - point[n : 2 * n]
        return -float(np.maximum(change / self.ground.rise, -change / self.ground.fall).sum())

    def draw(self, rng: np.random.Generator) -> Array:
        """Return a point within the bounds, its Vs growing with depth."""
        low, high = self.bounds
        point: Array = rng.uniform(low, high)
        n = self.n_interfaces
        point[n : 2 * n + 1].sort()
        return point


def layering_by_ratio(
    ratio: float, wavelength_m: tuple[float, float], velocity_m_s: tuple[float, float], ground: Ground
) -> Layering:
    """Return the layering of a ratio: the range of each interface is that many times as wide as the one above.

    The first layer ends between a third and half of the shortest wavelength, the last interface is not below half of
    the longest. Vs is from half of the smallest to 2.5 times the largest phase velocity.

    Args:
        ratio: above 1; the larger, the fewer layers.
        wavelength_m: shortest and longest of the curves.
        velocity_m_s: smallest and largest of the curves.
        ground: what else is known.
    Raises:
        DataError: if the ratio is not above 1.
    Source: Cox & Teague (2016), Geophysical Journal International 207, 422-438; that each interface has a range of its
        own, and Vs the same for all, is ours.
    """
    if not 1.0 < ratio <= 20.0:
        raise DataError(f"a layering of ratio {ratio:g}: ratios are above 1, such as 1.5, 2 and 3, and up to 20")
    shortest, longest = wavelength_m
    edges, width, deepest = [shortest / 3, shortest / 2], shortest / 2, longest / 2
    while edges[-1] < deepest and len(edges) <= MOST_LAYERS:
        width *= ratio
        edges.append(min(edges[-1] + width, deepest))
    if len(edges) > 3 and edges[-1] - edges[-2] < 0.3 * width:  # a rest of a range goes to the one above
        edges.pop(-2)
    edges[-1] = max(deepest, edges[-1])
    ln_vs = (float(np.log(0.5 * velocity_m_s[0])), float(np.log(2.5 * velocity_m_s[1])))
    return Layering(ratio, np.array(edges), ln_vs, ground)
