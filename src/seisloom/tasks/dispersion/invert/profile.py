"""Vs over depth, from all layerings: median and interval, never a single best model."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from seisloom.compute import n_cores
from seisloom.errors import DataError
from seisloom.tasks.dispersion.field.pick import CurvePicks
from seisloom.tasks.dispersion.invert.chains import EVERY, Chains, r_hat, sample_chains
from seisloom.tasks.dispersion.invert.fit import best_points, ln_likelihood, misfit
from seisloom.tasks.dispersion.invert.layering import RATIOS, Ground, Layering, layering_by_ratio
from seisloom.tasks.dispersion.invert.observed import DEFAULT_ERROR, Observed, observe
from seisloom.tasks.dispersion.invert.summary import LayeringResult, VsProfile, summarise

WORSE = 3.0
"""A layering is left out whose best likelihood is smaller than that of the best layering by more than e^3: then one
twentieth of its weight is left."""
N_KEPT = 1000
"""Points of each layering that are pooled."""
N_COMPARED = 12
"""Depths at which chains are compared."""


def invert_curves(
    curves: CurvePicks, *, layerings: Sequence[float] = RATIOS, ground: Ground | None = None,
    default_error: float = DEFAULT_ERROR, n_steps: int = 1500, n_chains: int = 3, seed: int = 0,
    threads: int | None = None,
) -> VsProfile:  # fmt: skip
    """Return Vs to half the longest wavelength, with the spread over all models that explain the curves.

    For each layering many random models, the best of them improved by Gauss-Newton with analytic kernels; from these
    Markov chains over interfaces, Vs and Poisson's ratio. What the chains of all layerings visited is pooled with
    equal weights; a layering that explains the curves much worse than the best is left out.

    Args:
        curves: with intervals, or without: then `default_error` counts. Modes are numbered as in the ground.
        layerings: ratios, see `layering_by_ratio`.
        ground: Poisson's ratio, water table, density and how Vs may change.
        default_error: relative standard error of velocities without interval.
        n_steps: of each chain.
        n_chains: of each layering, beside hotter ones that only help them.
        seed: of all that is random; the same seed gives the same profile, on any number of threads.
        threads: that share the layerings; one a core by default.
    Raises:
        DataError: if there are too few picks, no layering, or a value makes no sense.
    """
    if not layerings:
        raise DataError("no layerings; give one or more ratios, such as 1.5, 2, 3")
    if n_steps < 100 or n_chains < 2:
        raise DataError(f"n_steps {n_steps} and n_chains {n_chains}: at least 100 and 2 are needed for an interval")
    seen = observe(curves, default_error=default_error)
    wave, c = seen.wavelength_m, np.exp(seen.ln_c)
    spaces = [
        layering_by_ratio(one, (wave.min(), wave.max()), (c.min(), c.max()), ground or Ground()) for one in layerings
    ]

    def run(k: int) -> Chains:
        return _sample(spaces[k], seen, n_steps, n_chains, np.random.default_rng([seed, k]))

    with ThreadPoolExecutor(threads or n_cores()) as pool:
        chains = list(pool.map(run, range(len(spaces))))
    return _pool(spaces, chains, seen)


def _sample(layering: Layering, seen: Observed, n_steps: int, n_chains: int, rng: np.random.Generator) -> Chains:
    low, high = layering.bounds
    return sample_chains(
        layering.ln_prior, lambda point: ln_likelihood(layering, point, seen), best_points(layering, seen, rng),
        0.05 * (high - low), n_steps=n_steps, n_chains=n_chains, rng=rng,
    )  # fmt: skip


def _pool(spaces: Sequence[Layering], chains: Sequence[Chains], seen: Observed) -> VsProfile:
    kept = []
    for chain in chains:
        flat = chain.points.reshape(-1, chain.points.shape[-1])
        kept.append(flat[np.linspace(0, len(flat) - 1, min(N_KEPT, len(flat))).astype(int)])
    likelihood = [
        np.array([ln_likelihood(space, point, seen) for point in points])
        for space, points in zip(spaces, kept, strict=True)
    ]
    most = max(one.max() for one in likelihood)
    deepest = float(seen.wavelength_m.max()) / 2
    results = [
        LayeringResult(
            name=space.name,
            n_layers=space.n_interfaces,
            best_misfit=misfit(space, points[one.argmax()], seen),
            median_misfit=misfit(space, points[np.argsort(one)[len(one) // 2]], seen),
            r_hat=_agreement(space, chain, deepest),
            is_pooled=bool(one.max() > most - WORSE),
        )
        for space, chain, points, one in zip(spaces, chains, kept, likelihood, strict=True)
    ]
    return summarise([(s, p) for s, p, r in zip(spaces, kept, results, strict=True) if r.is_pooled], results, seen)


def _agreement(layering: Layering, chains: Chains, deepest: float) -> float:
    """Return the largest R-hat of ln Vs over depths: interfaces by themselves may trade places with no harm."""
    depths = np.geomspace(layering.edges_m[0], 0.95 * deepest, N_COMPARED)
    values = np.empty((*chains.points[::EVERY].shape[:2], N_COMPARED))
    for at in np.ndindex(values.shape[:2]):
        depth, vs, _ = layering.split(chains.points[::EVERY][at])
        values[at] = np.log(vs[np.searchsorted(depth, depths)])
    return float(r_hat(values).max())
