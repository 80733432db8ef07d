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
from seisloom.physics.surface_waves.layering import DIGITS, layers_of, layers_of_seed
from seisloom.physics.surface_waves.medium import LayeredMedium
from seisloom.physics.surface_waves.priors import Constraints, MediumPrior, MixturePrior, Range, SeedPrior
from seisloom.sample import Array


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
        medium = layers_of_seed(rng, part) if isinstance(part, SeedPrior) else layers_of(rng, part)
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


def _inside(bounds: Range | None, values: Array) -> bool:
    return bounds is None or bool(np.all((values >= bounds[0]) & (values <= bounds[1])))
