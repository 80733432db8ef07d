"""Draw a layered medium from its prior, the seed and its index, and from nothing else; and name it by what it is."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from seisloom.errors import DataError
from seisloom.physics.surface_waves.medium import LayeredMedium
from seisloom.physics.surface_waves.priors import (
    SITE_CLASSES,
    Constraints,
    Layers,
    LowVelocityPrior,
    MediumPrior,
    MixturePrior,
    Range,
    SeedPrior,
    StiffCrustPrior,
    Vs30ClassPrior,
)
from seisloom.sample import Array

DIGITS = 6
"""Drawn values are rounded to 1e-6 m, m/s and kg/m3, the step of `model_hash`, so that no value is near its edges."""
WATER_M_S = 1500.0
LEAST_DENSITY = 1500.0  # kg/m3, loose dry sand; Gardner's rule is for sediments and gives 1200 at vp = 230 m/s


class Stage(IntEnum):
    """What random numbers are for; each stage has its own, so that an option of one leaves the others' alone."""

    MEDIUM = 0
    ACQUISITION = 1
    NOISE = 2
    AUGMENT = 3
    PART = 4
    """Which part of a mixture: drawn once for an index, so that rejections do not change the weights."""


@dataclass(frozen=True, slots=True, eq=False)
class DrawnMedium:
    """A medium and how it was come by."""

    medium: LayeredMedium
    prior: str
    """Name of the kind of layering; of a mixture, that of the part."""
    attempt: int
    """Number of media that were rejected before."""
    rejected: Mapping[str, int]
    """How many of them for which reason; each counts for the first constraint that it breaks."""


def keyed_rng(seed: int, index: int, stage: Stage, *, attempt: int = 0) -> np.random.Generator:
    """Return the random numbers of one stage of one sample, whatever else was drawn before, and where.

    Raises:
        DataError: if seed, index or attempt is below 0.
    """
    if min(seed, index, attempt) < 0:
        raise DataError(f"seed {seed}, index {index} and attempt {attempt} must be whole numbers from 0")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(index, attempt, int(stage)))))


def draw_medium(
    prior: MediumPrior,
    *,
    seed: int,
    index: int,
    max_attempts: int = 100,
    reject: Callable[[LayeredMedium], str | None] | None = None,
) -> DrawnMedium:
    """Return the medium of this index.

    Args:
        prior: what to draw from.
        seed: of the whole data set, from 0.
        index: of the sample, from 0.
        max_attempts: how many media are drawn before giving up, at least 1.
        reject: asked about media that satisfy the prior's constraints; returns a reason to reject one, or None.
    Raises:
        DataError: if no medium fits; it says how many were rejected for which reason. Or if a number is too small.
    """
    if max_attempts < 1:
        raise DataError(f"max_attempts is {max_attempts}; write a whole number from 1")
    if isinstance(prior, MixturePrior):
        weights = np.array([part.weight for part in prior.parts])
        at = keyed_rng(seed, index, Stage.PART).choice(len(weights), p=weights / weights.sum())
        part = prior.parts[int(at)].prior
    else:
        part = prior
    rejected: Counter[str] = Counter()
    for attempt in range(max_attempts):
        rng = keyed_rng(seed, index, Stage.MEDIUM, attempt=attempt)
        medium = _draw_seed(rng, part) if isinstance(part, SeedPrior) else _draw_layers(rng, part)
        reason = broken_constraint(medium, part.constraints) or (reject(medium) if reject else None)
        if reason is None:
            return DrawnMedium(medium, prior=part.name, attempt=attempt, rejected=dict(rejected))
        rejected[reason] += 1
    reasons = ", ".join(f"{reason} {n}" for reason, n in rejected.most_common())
    raise DataError(
        f"medium {index}: none of {max_attempts} media drawn from the prior '{part.name}' fits ({reasons}). Loosen "
        "what rejects most, change the prior's ranges, or raise max_attempts"
    )


def broken_constraint(medium: LayeredMedium, constraints: Constraints) -> str | None:
    """Return the first key of the constraints that a medium does not satisfy, None if it satisfies all."""
    vs, ratio = medium.vs_m_s, medium.poisson_ratio
    contrast = np.exp(np.abs(np.diff(np.log(vs)))).max(initial=1.0)
    broken = {
        "vs30_m_s": not _inside(constraints.vs30_m_s, np.array(medium.vs30_m_s)),
        "poisson": not _inside(constraints.poisson, ratio),
        "max_depth_m": constraints.max_depth_m is not None and medium.depths_m[-1] > constraints.max_depth_m,
        "max_contrast": constraints.max_contrast is not None and contrast > constraints.max_contrast,
        "half_space_fastest": constraints.half_space_fastest and vs[-1] < vs.max(),
    }
    return next((name for name, is_broken in broken.items() if is_broken), None)


def model_hash(medium: LayeredMedium) -> str:
    """Return 64 hexadecimal digits that equal media share: of what is modelled, after all jitter, and of nothing else.

    SHA-256 of JSON with sorted keys: thickness without that of the half-space, vp, vs and density as whole numbers of
    1e-6 m, m/s and kg/m3, which is 1e-9 of the km, km/s and g/cm3 that are usual. Drawn media stand on these steps, so
    that float noise does not change their hash; round others to them first, if they are computed anew each time.
    """
    columns = {
        "density": medium.density_kg_m3,
        "thickness": medium.thickness_m[:-1],
        "vp": medium.vp_m_s,
        "vs": medium.vs_m_s,
    }
    whole = {name: [int(value) for value in np.rint(column * 10**DIGITS)] for name, column in columns.items()}
    return hashlib.sha256(json.dumps(whole, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _draw_seed(rng: np.random.Generator, prior: SeedPrior) -> LayeredMedium:
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


def _draw_layers(rng: np.random.Generator, prior: Layers) -> LayeredMedium:
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


def _inside(bounds: Range | None, values: Array) -> bool:
    return bounds is None or bool(np.all((values >= bounds[0]) & (values <= bounds[1])))


def _uniform(rng: np.random.Generator, bounds: Range, n: int) -> Array:
    return rng.uniform(*bounds, n)


def _log_uniform(rng: np.random.Generator, bounds: Range, n: int) -> Array:
    low, high = bounds
    return np.asarray(np.exp(rng.uniform(np.log(low), np.log(high), n)).clip(low, high))
