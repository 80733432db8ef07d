"""Layers by their prior and random numbers: thickness, vs, Poisson's ratio, water, density, in this order."""

from __future__ import annotations

import numpy as np

from seisloom.physics.surface_waves.medium import LayeredMedium
from seisloom.physics.surface_waves.priors import (
    SITE_CLASSES,
    Layers,
    LowVelocityPrior,
    Range,
    SeedPrior,
    StiffCrustPrior,
    Vs30ClassPrior,
)
from seisloom.sample import Array

DIGITS = 6
"""Drawn values are rounded to 1e-6 m, m/s and kg/m3, the step of `draw.model_hash`, so that none is near its edges."""
WATER_M_S = 1500.0
LEAST_DENSITY = 1500.0  # kg/m3, loose dry sand; Gardner's rule is for sediments and gives 1200 at vp = 230 m/s


def layers_of_seed(rng: np.random.Generator, prior: SeedPrior) -> LayeredMedium:
    """Return a medium of the first label generator's scheme; every value is drawn as `SeedPrior` says."""
    n, fluctuation = prior.layer_count, prior.fluctuation_percentage
    thickness = np.sort(rng.uniform(*prior.thickness_bounds_km, n))
    vs = np.sort(rng.uniform(*prior.vs_bounds_kms, n))
    jitter = 1 + 0.05 * rng.standard_normal(n)
    thickness = np.clip(thickness * jitter, *prior.thickness_bounds_km)
    vs = np.clip(vs * jitter, *prior.vs_bounds_kms)
    thickness = 1000 * thickness * rng.uniform(1 - fluctuation, 1 + fluctuation, n)
    vs = 1000 * vs * rng.uniform(1 - fluctuation, 1 + fluctuation, n)
    return _rounded(thickness, 2 * vs, vs, np.full(n, 1000.0))


def layers_of(rng: np.random.Generator, prior: Layers) -> LayeredMedium:
    """Return a medium of any other kind; what is drawn later does not change what was drawn before."""
    n = int(rng.integers(prior.n_layers[0], prior.n_layers[1] + 1))
    thickness = _log_uniform if prior.thickness_draw == "log_uniform" else _uniform
    thickness_m = thickness(rng, prior.thickness_m, n)
    if prior.thickening:
        thickness_m.sort()
    vs = _draw_vs(rng, prior, n)
    if isinstance(prior, StiffCrustPrior):
        thickness_m[0] = _log_uniform(rng, prior.crust_thickness_m, 1)[0]
    if isinstance(prior, Vs30ClassPrior):
        name = prior.classes[int(rng.integers(len(prior.classes)))]
        low, high = SITE_CLASSES[prior.standard][name]
        wanted = _log_uniform(rng, (low * 1.001, high * 0.999), 1)[0]  # off the limits by more than rounding
        vs *= wanted / LayeredMedium(thickness_m, 2 * vs, vs, vs).vs30_m_s
    ratio = _uniform(rng, prior.poisson, n)
    wet = np.zeros(n, dtype=bool)
    if prior.water_table_m is not None:
        origin, thickness_m, wet = _parted(thickness_m, rng.uniform(*prior.water_table_m))
        vs, ratio = vs[origin], ratio[origin]
    vp = vs * np.sqrt((2 - 2 * ratio) / (1 - 2 * ratio))
    vp[wet] = np.maximum(vp, np.sqrt(WATER_M_S**2 + 4 / 3 * vs**2))[wet]  # water resists compression, not shear
    return _rounded(thickness_m, vp, vs, _draw_density(rng, prior, vp))


def _draw_vs(rng: np.random.Generator, prior: Layers, n: int) -> Array:
    """Return vs in m/s of all layers, the half-space last."""
    vs = np.sort(_log_uniform(rng, prior.vs_m_s, n - 1))
    if isinstance(prior, LowVelocityPrior):
        n_low = min(int(rng.integers(prior.n_low[0], prior.n_low[1] + 1)), (n - 1) // 2)
        low = 1 + np.sort(rng.choice(n - 1 - n_low, n_low, replace=False)) + np.arange(n_low)  # never two in a row
        vs[low] = _uniform(rng, prior.vs_drop, n_low) * vs[low - 1]
    if isinstance(prior, StiffCrustPrior):
        vs[0] = rng.uniform(*prior.crust_contrast) * vs[1]
    fastest = vs.max() if n > 1 else _log_uniform(rng, prior.vs_m_s, 1)[0]
    return np.append(vs, rng.uniform(*prior.half_space_contrast) * fastest)


def _parted(thickness_m: Array, water_m: float) -> tuple[Array, Array, Array]:
    """Return of which layer each is a part, thickness, and what is wet, once the water table parts a layer."""
    top = np.concatenate([[0.0], np.cumsum(thickness_m[:-1])])
    at = int(np.searchsorted(top, water_m, side="right")) - 1
    origin = np.arange(len(top))
    if water_m > top[at]:
        origin, top = np.insert(origin, at, at), np.insert(top, at + 1, water_m)
    return origin, np.append(np.diff(top), 0.0), top >= water_m


def _draw_density(rng: np.random.Generator, prior: Layers, vp: Array) -> Array:
    if prior.density_kg_m3 == "gardner":  # Gardner et al. (1974), Geophysics 39(6), 770-780
        return np.maximum(310 * vp**0.25, LEAST_DENSITY)
    if isinstance(prior.density_kg_m3, tuple):
        return _uniform(rng, prior.density_kg_m3, len(vp))
    return np.full(len(vp), float(prior.density_kg_m3))


def _rounded(thickness_m: Array, vp: Array, vs: Array, density: Array) -> LayeredMedium:
    thickness_m[-1] = 0.0  # of the half-space: not looked at
    return LayeredMedium(*(np.round(column, DIGITS) for column in (thickness_m, vp, vs, density)))


def _uniform(rng: np.random.Generator, bounds: Range, n: int) -> Array:
    return rng.uniform(*bounds, n)


def _log_uniform(rng: np.random.Generator, bounds: Range, n: int) -> Array:
    low, high = bounds
    return np.asarray(np.exp(rng.uniform(np.log(low), np.log(high), n)).clip(low, high))
