"""The whole wavefield of a vertical force on a layered medium: surface waves, body waves, leaky modes, near field.

The medium's stiffness at its surface (`stiffness`), with complex velocities for attenuation, gives the response to each
horizontal wavenumber; the sum over wavenumbers with J0 that at a distance. A point force, so amplitudes fall as those
of waves on a plane. Poles and branch points lie below the axis of slowness, so the sum may run above it: along a ray,
where the response is as smooth as with more attenuation, and J0 a function of one real number still.
"""

from __future__ import annotations

from cmath import exp, sqrt
from math import ceil, pi

import numpy as np
from numba import njit

from seisloom.errors import DataError
from seisloom.physics.surface_waves.bessel import CELLS, j0_on_ray
from seisloom.physics.surface_waves.medium import LayeredMedium
from seisloom.sample import Array

ABOVE = 1.35
"""Largest slowness of the sum, as a share of that of the slowest Rayleigh waves: no pole is beyond."""
RAYLEIGH = 0.85
"""Velocity of Rayleigh waves as a share of vs, a low one."""
TURN = 2.0
"""Radians that J0's argument may change by between two slownesses."""
DIGITS = 8.0
"""A pole is missed by exp(-this), before attenuation."""
GROWTH = 2.0
"""Imaginary part of J0's largest argument: it grows by so many e-foldings on the ray. More of them allow fewer
slownesses, and what is left beyond the end of the ray, where the fit has its error, counts for more."""
STEEPEST = 0.3
"""Largest angle of the ray in radians, for short distances and low frequencies."""
FEWEST = 150
"""Slownesses at least."""
FADES = np.geomspace(4.0, 0.004, 16)
"""Rates of the exponentials that stand for the response beyond the sum, whose largest slowness counts as 1."""
FITTED_AT = np.geomspace(1.0, 300.0, 40)
"""Slownesses beyond the sum, in the same unit, to which they are fitted."""


def vertical_response(
    medium: LayeredMedium, frequency_hz: Array, distance_m: Array, *, q_p: Array | float = 50.0,
    q_s: Array | float = 25.0, n_slowness: int | None = None,
) -> Array:  # fmt: skip
    """Return the vertical displacement of the surface by a vertical force of 1 N on it, complex, (distance, frequency).

    In m / N, down for a force downward, exp(+i omega t): `numpy.fft.irfft` makes a trace of it and of a spectrum.

    Args:
        medium: the layers.
        frequency_hz: (frequency,), evenly spaced and positive.
        distance_m: (distance,), positive.
        q_p, q_s: quality factors, one number or one a layer; velocities are v (1 + i / (2 Q)), the same at all
            frequencies.
        n_slowness: terms of the sum over slownesses; by default as many as the largest distance, frequency and quality
            factor need for an error of some 1e-3.
    Raises:
        DataError: if frequencies are not evenly spaced, a distance or quality factor is not positive, or there are not
            as many quality factors as layers.
    """
    frequencies, distances = np.atleast_1d(frequency_hz).astype(float), np.atleast_1d(distance_m).astype(float)
    steps = np.diff(frequencies)
    uneven = bool(steps.size) and not np.allclose(steps, steps[0], rtol=1e-6, atol=0)
    if not frequencies.size or not np.isfinite(frequencies).all() or frequencies.min() <= 0 or uneven:
        raise DataError("frequency_hz: positive frequencies at equal steps are needed")
    quality = [np.atleast_1d(np.asarray(q, dtype=np.float64)) for q in (q_p, q_s)]
    if any(q.shape not in ((1,), (len(medium),)) for q in quality):
        raise DataError(
            f"q_p and q_s need one quality factor, or one for each of {len(medium)} layers; got {quality[0].size} and "
            f"{quality[1].size}"
        )
    if not all((np.isfinite(of) & (of > 0)).all() for of in (distances, *quality)):
        raise DataError("distances and quality factors must be positive")
    table = medium.table
    velocities = np.stack([table[:, 1 + i] * (1 + 0.5j / of) for i, of in enumerate(quality)], axis=1)
    most = ABOVE / (RAYLEIGH * table[:, 2].min())
    furthest = 2 * pi * frequencies[-1] * distances.max()
    angle = min(GROWTH / (furthest * most), STEEPEST)
    aside = 0.5 / quality[1].max() + angle
    size, width = _slownesses(most, furthest / TURN, 0.5 / table[:, 2].max(), aside, n_slowness)
    ray = np.exp(1j * angle)
    step = float(steps[0]) if steps.size else 0.0
    kappa = (velocities[0, 1] / velocities[0, 0]) ** 2
    static = 1.0 / (2.0 * table[0, 3] * velocities[0, 1] ** 2 * (1.0 - kappa))  # of Boussinesq, times k
    # Less a constant, that of a static field where all responses end, and exponentials fitted to what is beyond the
    # largest slowness, where there are no poles: their sums over all slownesses are known
    beyond = _responses(most * FITTED_AT + 0j, frequencies[0], step, len(frequencies), table, velocities) - static
    height = np.linalg.pinv(np.exp(-np.outer(FITTED_AT, FADES))) @ beyond
    rest = _responses(size * ray, frequencies[0], step, len(frequencies), table, velocities) - static
    rest -= np.exp(-np.outer(size * ray / most, FADES)) @ height
    omega = 2 * pi * frequencies
    table_of_j0 = j0_on_ray(ray, int(furthest * most * CELLS) + 2)
    out = _sum(rest * (width * ray)[:, None], size, omega, distances, table_of_j0)
    # The exponentials alone are not even about 0: what the sum misses there is known (Euler and Maclaurin)
    out -= omega * (width[0] * ray) ** 2 / (24 * most) * (FADES @ height)
    # The integral of exp(-k b) J0(k r) over k is 1 / sqrt(r^2 + b^2)
    known = 1 / np.sqrt(distances[:, None, None] ** 2 + (FADES[:, None] / (omega * most)) ** 2)
    out += static / distances[:, None] + np.einsum("bf,rbf->rf", height, known)
    return np.asarray(out / (2 * pi))


def _slownesses(most: float, turns: float, least: float, aside: float, n: int | None) -> tuple[Array, Array]:
    """Return slownesses from 0 to the largest, and the width of the step that each is the middle of.

    Steps are narrow where poles are near, which is at small slownesses: they grow with the distance of poles, about
    hypot(slowness, least) aside, up to what the largest distance allows, 1 / turns. Slowness is odd in the number of
    the step, so what is even in slowness is summed to all digits but exp(-2 pi distance of the pole / step).
    """
    poles = DIGITS / (2 * pi * aside)
    total = poles * np.arcsinh(most / least) + turns * most
    n = max(FEWEST, ceil(total)) if n is None else n
    at = (np.arange(n) + 0.5) * total / n
    # Newton's method for arsinh(slowness / least), from above, where the function is convex
    u = np.minimum(at / poles, np.arcsinh(at / (turns * least)))
    for _ in range(12):
        u -= (poles * u + turns * least * np.sinh(u) - at) / (poles + turns * least * np.cosh(u))
    slowness = least * np.sinh(u)
    return slowness, total / n / (poles / np.hypot(slowness, least) + turns)


@njit(cache=True, nogil=True, error_model="numpy")
def _sum(weight: Array, size: Array, omega: Array, distances: Array, table_of_j0: Array) -> Array:
    """Return the sum of weights, (slowness, frequency), times omega J0(omega slowness r), (distance, frequency)."""
    out = np.zeros((distances.shape[0], omega.shape[0]), np.complex128)
    for n in range(size.shape[0]):
        for r in range(distances.shape[0]):
            places = size[n] * distances[r] * CELLS
            for j in range(omega.shape[0]):
                x = omega[j] * places
                at = int(x + 0.5)
                x -= at
                of = table_of_j0[at]
                out[r, j] += weight[n, j] * complex(of[0] + x * (of[2] + x * of[4]), of[1] + x * (of[3] + x * of[5]))
    return out * omega


@njit(cache=True, nogil=True, error_model="numpy")
def _responses(p: Array, first: float, step: float, n: int, table: Array, velocities: Array) -> Array:
    """Return the response to each complex slowness at each frequency, times k, (slowness, frequency)."""
    out = np.empty((p.shape[0], n), np.complex128)
    fields = np.empty((table.shape[0], 2, n), np.complex128)
    roots = np.empty((table.shape[0], 2), np.complex128)
    for i in range(p.shape[0]):
        _pass_layers(p[i], first, step, table, velocities, roots, fields)
        for j in range(n):
            out[i, j] = _surface_response(p[i], j, table, velocities, roots, fields)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _pass_layers(
    p: complex, first: float, step: float, table: Array, velocities: Array, roots: Array, fields: Array
) -> None:
    """Fill in the vertical slownesses as shares of p, (layer, wave), and exp(-q k h), (layer, wave, frequency)."""
    for i in range(table.shape[0]):
        for w in range(2):
            q = sqrt(1.0 - 1.0 / (p * velocities[i, w]) ** 2)
            roots[i, w] = q
            # Exponential of each frequency: that of the last one times one factor
            now, factor = exp(-2.0 * pi * first * p * q * table[i, 0]), exp(-2.0 * pi * step * p * q * table[i, 0])
            for j in range(fields.shape[2]):
                fields[i, w, j] = now
                now *= factor


@njit(cache=True, nogil=True, error_model="numpy")
def _surface_response(p: complex, j: int, table: Array, velocities: Array, roots: Array, fields: Array) -> complex:
    """Return the vertical displacement by a vertical force, times k, for one slowness and frequency.

    Twin of `counting.through_layer` and `stiffness` with complex numbers, and with exponentials that are there.
    """
    last = table.shape[0] - 1
    vs = velocities[last, 1]
    t = 1.0 / (p * vs) ** 2
    r, s = roots[last, 0], roots[last, 1]
    scale = table[last, 3] * vs * vs / (1.0 - r * s)
    z11, z12, z22 = scale * t * r, scale * (2.0 * r * s - 2.0 + t), scale * t * s
    for i in range(last - 1, -1, -1):
        vs = velocities[i, 1]
        t, mu = 1.0 / (p * vs) ** 2, table[i, 3] * vs * vs
        er, es, r, s = fields[i, 0, j], fields[i, 1, j], roots[i, 0], roots[i, 1]
        cr, cs, sr, ss = 1.0 + er, 1.0 + es, (1.0 - er) / r, (1.0 - es) / s
        r2, s2, rr, cc, crss, srcs = r * r, s * s, sr * ss, cr * cs, cr * ss, sr * cs
        even, odd = 0.5 * mu / (crss - r2 * srcs), 0.5 * mu / (srcs - s2 * crss)
        e11, e12, e22 = even * t * r2 * rr, even * ((2.0 - t) * crss - 2.0 * r2 * srcs), even * t * cc
        o11, o12, o22 = odd * t * cc, odd * ((2.0 - t) * srcs - 2.0 * s2 * crss), odd * t * s2 * rr
        m11, m12, m22 = e11 - o11, e12 - o12, e22 - o22
        p11, p12, p22 = e11 + o11, e12 + o12, e22 + o22
        s11, s12, s22 = p11 + z11, p12 + z12, p22 + z22
        scale = 1.0 / (s11 * s22 - s12 * s12)
        x11, x12 = scale * (s12 * m12 - s22 * m11), scale * (s22 * m12 - s12 * m22)
        x21, x22 = scale * (s12 * m11 - s11 * m12), scale * (s11 * m22 - s12 * m12)
        z11, z12, z22 = p11 + m11 * x11 + m12 * x21, -p12 + m11 * x12 + m12 * x22, p22 - m12 * x12 - m22 * x22
    response: complex = z11 / (z11 * z22 - z12 * z12)
    return response
