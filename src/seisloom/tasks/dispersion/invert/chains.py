"""Markov chains that learn their steps from their own past, with hotter ones beside them: points of a posterior."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from seisloom.sample import Array

TEMPERATURES = (1.0, 1.7, 3.0, 5.0)
"""By which the logarithm of the likelihood is divided; neighbours change places in about half of all trials."""
EVERY = 5
"""Steps between points that are kept as the past."""
BURNT = 1 / 3
"""Share of steps at the beginning that are left out."""
LOST = 10.0
"""A start whose ln likelihood is that much below the best one is a dead end, and is not used."""
Density = Callable[[Array], float]


@dataclass(frozen=True, slots=True, eq=False)
class Chains:
    """What the chains of temperature 1 visited."""

    points: Array
    """(step, chain, parameter)."""
    accepted: float
    """Share of steps that were taken."""


def r_hat(values: Array) -> Array:
    """Return the spread of values of all chains over that within each, in halves; near 1 where chains agree.

    Args:
        values: (step, chain, ...), of four steps or more.
    Returns:
        (...,); 1 where nothing varies.
    Source: Gelman et al. (2013), Bayesian Data Analysis, section 11.4.
    """
    half = len(values) // 2
    parts = np.concatenate([values[:half], values[half : 2 * half]], axis=1)
    within = parts.var(axis=0, ddof=1).mean(axis=0)
    between = parts.mean(axis=0).var(axis=0, ddof=1)
    return np.asarray(np.sqrt((half - 1) / half + np.where(within > 0, between / np.where(within > 0, within, 1), 0)))


def sample_chains(
    ln_prior: Density, ln_likelihood: Density, starts: Array, scale: Array, *, n_steps: int, n_chains: int,
    rng: np.random.Generator,
) -> Chains:  # fmt: skip
    """Return points in proportion to prior times likelihood.

    A step is the difference of two points of the past in some of the parameters, so it has the shape of what is
    sampled, and one in ten leads from one maximum to another. Chains of higher temperatures cross what separates
    maxima, and change places with colder ones.

    Args:
        ln_prior: logarithm of the prior but for a constant; -inf where there is none.
        ln_likelihood: logarithm of the likelihood; asked only where there is a prior.
        starts: (start, parameter), one or more, each possible.
        scale: (parameter,), spread of the first past round the starts, and a thousandth of it the least step.
        n_steps: of each chain.
        n_chains: of each temperature.
        rng: source of chance.
    Source: ter Braak & Vrugt (2008), Statistics and Computing 18, 435-446 (DE-MC(Z), without the snooker update);
        Earl & Deem (2005), Phys. Chem. Chem. Phys. 7, 3910-3916 (parallel tempering).
    """
    value = np.array([ln_likelihood(one) for one in starts])
    starts = starts[value > value.max() - LOST]
    n_parameters, shape, beta = starts.shape[1], (n_chains, len(TEMPERATURES)), 1 / np.array(TEMPERATURES)
    n_past = 10 * n_parameters
    past = np.empty((shape[1], n_past + n_chains * (n_steps // EVERY + 1), n_parameters))
    past[:, :n_past] = starts[rng.integers(len(starts), size=past[:, :n_past].shape[:2])]
    past[:, :n_past] += scale * rng.normal(size=past[:, :n_past].shape)
    now = starts[rng.integers(len(starts), size=shape)]
    state = np.array([[(ln_prior(one), ln_likelihood(one)) for one in row] for row in now])
    points, n_taken = np.empty((n_steps, n_chains, n_parameters)), 0
    for step in range(n_steps):
        for chain, level in np.ndindex(shape):
            there = _proposed(now[chain, level], past[level, rng.integers(n_past, size=2)], scale, rng)
            if (prior := ln_prior(there)) == -np.inf:
                continue
            new = prior, ln_likelihood(there)
            gain = new[0] - state[chain, level, 0] + beta[level] * (new[1] - state[chain, level, 1])
            if np.log(rng.random()) < gain:
                now[chain, level], state[chain, level] = there, new
                n_taken += level == 0
        for chain, level in np.ndindex(n_chains, shape[1] - 1):
            pair = [level, level + 1]
            warmer_by = state[chain, level + 1, 1] - state[chain, level, 1]
            if np.log(rng.random()) < (beta[level] - beta[level + 1]) * warmer_by:
                now[chain, pair], state[chain, pair] = now[chain, pair[::-1]], state[chain, pair[::-1]]
        points[step] = now[:, 0]
        if step % EVERY == 0:
            past[:, n_past : n_past + n_chains] = now.swapaxes(0, 1)
            n_past += n_chains
    return Chains(points[int(BURNT * n_steps) :], n_taken / (n_chains * n_steps))


def _proposed(at: Array, pair: Array, scale: Array, rng: np.random.Generator) -> Array:
    """Return a point that differs from another in some parameters by the difference of two points, and a little."""
    moves = rng.random(len(at)) < rng.choice([0.1, 0.3, 0.6, 1.0])
    moves[rng.integers(len(at))] = True
    size = 1.0 if rng.random() < 0.1 else 2.38 / np.sqrt(2 * moves.sum()) * rng.uniform(0.3, 1.1)
    return np.asarray(at + np.where(moves, size * (pair[0] - pair[1]) + 1e-3 * scale * rng.normal(size=len(at)), 0.0))
