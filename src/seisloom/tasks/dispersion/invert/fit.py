"""How well a point of a layering explains the curves, and the points that do it best."""

from __future__ import annotations

import numpy as np
from scipy.optimize import least_squares

from seisloom.physics.surface_waves.modes import mode_curves
from seisloom.physics.surface_waves.search import search_modes
from seisloom.sample import Array
from seisloom.tasks.dispersion.invert.layering import Layering
from seisloom.tasks.dispersion.invert.observed import Observed

FREEDOM = 5.0
"""Degrees of freedom of the t distribution of errors: a pick on the wrong mode is an outlier, not a reason to bend."""
JUMP = 0.7
"""Standard deviation of changes of ln Vs from layer to layer in the search for starting points."""


def ln_c_of(layering: Layering, point: Array, observed: Observed) -> Array:
    """Return the logarithm of the phase velocity of each observation; where a mode does not exist, of its upper limit.

    A mode ends where it reaches Vs of the half-space, so the misfit has no step there.
    """
    table = layering.table(point)
    phase = np.empty((observed.n_modes, len(observed.frequency_hz)))
    search_modes(table, observed.frequency_hz, observed.n_modes, False, phase)
    found = phase[observed.mode, observed.at]
    return np.asarray(np.log(np.where(np.isnan(found), table[-1, 2], found)))


def ln_likelihood(layering: Layering, point: Array, observed: Observed) -> float:
    """Return the logarithm of the likelihood of a point but for a constant; errors have a t distribution."""
    residual = (ln_c_of(layering, point, observed) - observed.ln_c) / observed.error
    return -0.5 * (FREEDOM + 1) * float(np.sum(np.log1p(residual**2 / FREEDOM)))


def misfit(layering: Layering, point: Array, observed: Observed) -> float:
    """Return the root mean square of residuals in standard errors: 1 where curves are explained as expected."""
    residual = (ln_c_of(layering, point, observed) - observed.ln_c) / observed.error
    return float(np.sqrt(np.mean(residual**2)))


def slopes(layering: Layering, point: Array, observed: Observed) -> Array:
    """Return the derivatives of ln c of each observation by the parameters, (observation, parameter).

    Kernels are those of `energy.carry`, carried over to the parameters by the chain rule; vp and density follow Vs.
    """
    medium = layering.medium(point)
    curves = mode_curves(medium, observed.frequency_hz, observed.n_modes, kernels=True)
    assert curves.kernels is not None
    kernel = curves.kernels[observed.mode, observed.at]  # (observation, layer, property)
    gone = np.isnan(curves.phase_m_s[observed.mode, observed.at])
    n, ground = layering.n_interfaces, layering.ground
    poisson, vs, vp = float(point[-2]), medium.vs_m_s, medium.vp_m_s
    wet = vp > vs * np.sqrt((2 - 2 * poisson) / (1 - 2 * poisson)) * (1 + 1e-12)
    by_vs = np.where(wet, 4 / 3 * (vs / vp) ** 2, 1.0)
    by_poisson = np.where(wet, 0.0, 1 / (1 - 2 * poisson) - 0.5 / (1 - poisson))
    gardner = 0.25 if ground.density_kg_m3 is None else 0.0
    rho_by_vp = np.where(medium.density_kg_m3 > 1500.0, gardner, 0.0)
    by_vp = kernel[:, :, 1] + rho_by_vp * kernel[:, :, 3]
    out = np.zeros((len(gone), len(point)))
    by_thickness = kernel[:, :-1, 0] / medium.thickness_m[:-1]
    out[:, :n] = by_thickness
    out[:, : n - 1] -= by_thickness[:, 1:]
    out[:, :n] *= np.exp(point[:n])
    out[:, n : 2 * n + 1] = kernel[:, :, 2] + by_vs * by_vp
    out[:, -2] = np.sum(by_poisson * by_vp, axis=1)
    out[gone] = 0.0
    out[gone, 2 * n] = 1.0  # it ends at Vs of the half-space
    return np.nan_to_num(out)


def best_points(
    layering: Layering, observed: Observed, rng: np.random.Generator, *, n_tried: int = 200, n_refined: int = 6
) -> Array:
    """Return points that explain the curves, (start, parameter), the best first: the best of many, then Gauss-Newton.

    Args:
        layering: where to look.
        observed: the curves.
        rng: source of chance.
        n_tried: random points that are looked at.
        n_refined: of them, that least squares start from.
    """
    tried = np.array([layering.draw(rng) for _ in range(n_tried)])
    order = np.argsort([-ln_likelihood(layering, point, observed) for point in tried])
    low, high = layering.bounds
    n = layering.n_interfaces
    changes = np.zeros((n, len(low)))
    changes[np.arange(n), n + np.arange(n)], changes[np.arange(n), n + 1 + np.arange(n)] = -1 / JUMP, 1 / JUMP

    def residuals(point: Array) -> Array:
        return np.concatenate([(ln_c_of(layering, point, observed) - observed.ln_c) / observed.error, changes @ point])

    def jacobian(point: Array) -> Array:
        return np.concatenate([slopes(layering, point, observed) / observed.error[:, None], changes])

    found = []
    for point in tried[order[:n_refined]]:
        start = np.clip(point, low + 1e-6 * (high - low), high - 1e-6 * (high - low))
        fitted = least_squares(residuals, start, jacobian, bounds=(low, high), loss="soft_l1", max_nfev=25)
        found.append(np.clip(fitted.x, low, high))
    return np.array(sorted(found, key=lambda point: -ln_likelihood(layering, point, observed)))
