"""J0 along a ray from 0 in the complex plane, as a table that is quick to read."""

from __future__ import annotations

import numpy as np
from numba import njit

from seisloom.sample import Array

CELLS = 32
"""Places of the table in each unit of distance from 0; between them parabolas are off by less than 1e-6."""
TERMS = 12
"""Of the power series up to a distance of 1, and of those from place to place: enough for ten digits."""


@njit(cache=True, nogil=True, error_model="numpy")
def j0_on_ray(direction: complex, n_places: int) -> Array:
    """Return J0(direction i / CELLS) and its parabola there, float64 (place, 6).

    Real and imaginary parts of the value, of its first derivative, and of half its second, by places. Beyond 1 each
    place follows from that before it by the power series of Bessel's equation, z f'' + f' + z f = 0; this is stable,
    since what J0 is mistaken for does not grow faster than J0.
    """
    out, h = np.empty((n_places, 6)), direction / CELLS
    value, slope = 1.0 + 0j, 0j
    for i in range(n_places):
        z = i * h
        if i <= CELLS:
            term = value = slope = 1.0 + 0j
            for m in range(1, TERMS):
                term *= -0.25 * z * z / (m * m)
                value += term
                slope += term / (m + 1)
            slope *= -0.5 * z
        half = 0.5 * (-0.5 if i == 0 else -slope / z - value)
        first, second = slope * h, half * h * h
        out[i, 0], out[i, 1] = value.real, value.imag
        out[i, 2], out[i, 3] = first.real, first.imag
        out[i, 4], out[i, 5] = second.real, second.imag
        if i >= CELLS:
            before, now, after, power, inverse = 0j, value, slope, h, 1.0 / z
            value = now + after * h
            for m in range(TERMS // 2):
                term = -((m + 1) ** 2 * after * inverse + now + before * inverse) / ((m + 2) * (m + 1))
                slope += (m + 2) * term * power
                power *= h
                value += term * power
                before, now, after = now, after, term
    return out
