"""The whole wavefield of a vertical force on a layered medium: surface waves, body waves, leaky modes, near field.

The medium's stiffness at its surface (`stiffness`), with complex velocities for attenuation, gives the response to each
horizontal wavenumber; the sum over wavenumbers with J0 that at a distance. A point force, so amplitudes fall as those
of waves on a plane.
"""

from __future__ import annotations

from cmath import exp, sqrt
from math import cos, floor, pi
from math import sqrt as root

import numpy as np
from numba import njit
from scipy.special import j0

from seisloom.errors import DataError
from seisloom.physics.surface_waves.medium import LayeredMedium
from seisloom.sample import Array

ABOVE = 1.35
"""Largest slowness of the sum, as a share of that of the slowest Rayleigh waves: what is beyond is as in a static field."""
RAYLEIGH = 0.85
"""Velocity of Rayleigh waves as a share of vs, a low one."""
TURN = 1.0
"""Radians that J0's argument may change by between two slownesses."""
FEWEST = 150
"""Slownesses at least."""
BESSEL_STEP = 1.0 / 128
"""Of the table of J0, between whose values lies a straight line: off by less than 8e-6."""


def vertical_response(
    medium: LayeredMedium, frequency_hz: Array, distance_m: Array, *, q_p: Array | float = 50.0, q_s: Array | float = 25.0,
    n_slowness: int | None = None,
) -> Array:  # fmt: skip
    """Return the vertical displacement of the surface by a vertical force of 1 N on it, complex, (distance, frequency).

    In m / N, down for a force downward, exp(+i omega t): `numpy.fft.irfft` makes a trace of it and of a spectrum.

    Args:
        medium: the layers.
        frequency_hz: (frequency,), evenly spaced and positive.
        distance_m: (distance,), positive.
        q_p, q_s: quality factors, one number or one a layer; velocities are v (1 + i / (2 Q)), the same at all
            frequencies.
        n_slowness: terms of the sum over slownesses; as many as the largest distance and frequency need by default.
    Raises:
        DataError: if frequencies are not evenly spaced, or a distance or quality factor is not positive.
    """
    frequencies, distances = np.atleast_1d(frequency_hz).astype(float), np.atleast_1d(distance_m).astype(float)
    steps = np.diff(frequencies)
    if not frequencies.size or frequencies[0] <= 0 or (steps.size and not np.allclose(steps, steps[0], rtol=1e-6)):
        raise DataError("frequency_hz: positive frequencies at equal steps are needed")
    if not (distances > 0).all() or not (np.asarray(q_p) > 0).all() or not (np.asarray(q_s) > 0).all():
        raise DataError("distances and quality factors must be positive")
    table = medium.table
    velocities = np.stack(
        [table[:, 1] * (1 + 0.5j / np.asarray(q_p)), table[:, 2] * (1 + 0.5j / np.asarray(q_s))], axis=1
    )
    most = ABOVE / (RAYLEIGH * table[:, 2].min())
    if n_slowness is None:
        n_slowness = max(FEWEST, floor(2 * pi * frequencies[-1] * distances.max() * most / TURN))
    bessel = j0(np.arange(0.0, 2 * pi * frequencies[-1] * distances.max() * most + 1.0, BESSEL_STEP))
    step = float(steps[0]) if steps.size else 0.0
    out = np.zeros((len(distances), len(frequencies)), dtype=np.complex128)
    _sum(table, velocities, frequencies[0], step, distances, most / n_slowness, n_slowness, bessel, out)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _sum(
    table: Array, velocities: Array, first: float, step: float, distances: Array, dp: float, n_slowness: int,
    bessel: Array, out: Array,
) -> None:  # fmt: skip
    """Add up the responses to slownesses in the middles of equal steps, less that of a static field, which is known."""
    n_layers, n_frequencies = table.shape[0], out.shape[1]
    kappa = (velocities[0, 1] / velocities[0, 0]) ** 2
    static = 1.0 / (2.0 * table[0, 3] * velocities[0, 1] ** 2 * (1.0 - kappa))  # of Boussinesq, times k
    fields = np.empty((n_layers, 2, n_frequencies), np.complex128)
    roots = np.empty((n_layers, 2), np.complex128)
    for n in range(n_slowness):
        p = (n + 0.5) * dp
        for i in range(n_layers):
            for w in range(2):
                q = sqrt(1.0 - 1.0 / (p * velocities[i, w]) ** 2)
                roots[i, w] = q
                # exp(-q k h) for each frequency: that of the last one times one factor
                now, factor = exp(-2.0 * pi * first * p * q * table[i, 0]), exp(-2.0 * pi * step * p * q * table[i, 0])
                for j in range(n_frequencies):
                    fields[i, w, j] = now
                    now *= factor
        for j in range(n_frequencies):
            omega = 2.0 * pi * (first + j * step)
            g = _surface_response(p, j, table, velocities, roots, fields) - static
            weight = g * omega * dp / (2.0 * pi)
            for r in range(distances.shape[0]):
                x = omega * p * distances[r] / BESSEL_STEP
                at = int(x)
                out[r, j] += weight * (bessel[at] + (x - at) * (bessel[at + 1] - bessel[at]))
    for r in range(distances.shape[0]):
        out[r] += static / (2.0 * pi * distances[r])


@njit(cache=True, nogil=True, error_model="numpy")
def _surface_response(p: float, j: int, table: Array, velocities: Array, roots: Array, fields: Array) -> complex:
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
    return z11 / (z11 * z22 - z12 * z12)
