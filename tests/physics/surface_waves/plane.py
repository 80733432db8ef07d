"""Truth for the tests of surface waves: the equations of motion of a layer, integrated by the matrix exponential.

Displacements (u_x / i, u_z) and stresses (tau_xz / i, sigma_zz) of waves exp(i (omega t + k x)), z downward. Nothing is
shared with the package: no closed formula of a layer, no elimination, no count.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import expm

from seisloom.physics.surface_waves.medium import LayeredMedium


def psv_system(k: float, omega: float, vp: float, vs: float, rho: float) -> np.ndarray:
    """Return the matrix that takes motion and stress to their derivatives with depth."""
    mu = rho * vs**2
    lame, m = rho * vp**2 - 2 * mu, rho * vp**2
    return np.array(
        [
            [0, -k, 1 / mu, 0],
            [lame * k / m, 0, 0, 1 / m],
            [k * k * (m - lame * lame / m) - rho * omega**2, 0, 0, -k * lame / m],
            [0, -rho * omega**2, k, 0],
        ]
    )


def sh_system(k: float, omega: float, vs: float, rho: float) -> np.ndarray:
    """Return the same for waves of SH."""
    mu = rho * vs**2
    return np.array([[0, 1 / mu], [mu * k * k - rho * omega**2, 0]])


def secular(medium: LayeredMedium, c: float, omega: float, *, love: bool = False) -> float:
    """Return the determinant of the stresses at the surface of all motions that vanish at depth; 0 at a mode.

    The motions are orthonormal at the bottom and made so again on the way up; that leaves the sign.
    """
    k, half = omega / c, 1 if love else 2
    systems = [
        sh_system(k, omega, vs, rho) if love else psv_system(k, omega, vp, vs, rho)
        for vp, vs, rho in zip(medium.vp_m_s, medium.vs_m_s, medium.density_kg_m3, strict=True)
    ]
    scale = np.repeat([1.0, k * float((medium.density_kg_m3 * medium.vs_m_s**2).mean())], half)
    systems = [a * scale[None, :] / scale[:, None] for a in systems]
    # Of the half-space in closed form, so that the sign is continuous: P wave, then S wave
    vp, vs, rho = medium.vp_m_s[-1], medium.vs_m_s[-1], medium.density_kg_m3[-1]
    s, mu = np.sqrt(1 - (c / vs) ** 2), rho * vs**2
    if love:
        waves = np.array([[1.0], [-mu * k * s]])
    else:
        r, t = np.sqrt(1 - (c / vp) ** 2), (c / vs) ** 2
        waves = np.array([[1, s], [-r, -1], [-2 * mu * k * r, mu * k * (t - 2)], [mu * k * (2 - t), 2 * mu * k * s]])
    waves = waves / scale[:, None]
    for a, h in zip(systems[-2::-1], medium.thickness_m[-2::-1], strict=True):
        n = int(k * h * max(1.0, c / vs)) + 1
        up = expm(-a * h / n)
        for _ in range(n):
            q, r_ = np.linalg.qr(up @ waves)
            waves = q * np.sign(np.linalg.det(r_)) if love else q @ np.diag([1.0, np.sign(np.linalg.det(r_))])
    return float(np.linalg.det(waves[half:]))


def n_sign_changes(medium: LayeredMedium, velocities: np.ndarray, omega: float, *, love: bool = False) -> np.ndarray:
    """Return how often the secular function changed its sign up to each of many velocities."""
    signs = np.sign([secular(medium, c, omega, love=love) for c in velocities])
    return np.concatenate([[0], np.cumsum(signs[1:] != signs[:-1])])


def random_medium(seed: int, *, n_layers: int | None = None, thickest_m: float = 12.0) -> LayeredMedium:
    """Return a medium of up to five layers, in any order of velocities, above the fastest."""
    rng = np.random.default_rng(seed)
    n = n_layers or int(rng.integers(1, 6))
    vs = rng.uniform(100, 600, n)
    vs[-1] = vs.max() * rng.uniform(1.05, 2.0)
    ratio = rng.uniform(0.05, 0.48, n)
    vp = vs * np.sqrt((2 - 2 * ratio) / (1 - 2 * ratio))
    return LayeredMedium(rng.uniform(1.0, thickest_m, n), vp, vs, rng.uniform(1500, 2300, n))


def rayleigh_ratio(poisson: float) -> float:
    """Return c / vs of a half-space, from Rayleigh's polynomial in (c / vs)^2."""
    kappa = (1 - 2 * poisson) / (2 - 2 * poisson)
    roots = np.roots([1, -8, 24 - 16 * kappa, -16 * (1 - kappa)])
    real = roots[(abs(roots.imag) < 1e-9) & (roots.real > 0) & (roots.real < 1)].real
    return float(np.sqrt(real.min()))


def half_space(poisson: float = 0.25, vs: float = 200.0, rho: float = 1800.0) -> LayeredMedium:
    """Return a half-space of a Poisson's ratio."""
    return LayeredMedium([0.0], [vs * np.sqrt((2 - 2 * poisson) / (1 - 2 * poisson))], [vs], [rho])
