"""How many modes are slower than a velocity: a proof, not a search.

The layers' stiffnesses, put together, are that of the whole medium at its interfaces. Wittrick & Williams (1971),
Q. J. Mech. Appl. Math. 24, 263-284: of the medium's own motions with one wavenumber, as many have lower frequencies as
that matrix has negative eigenvalues, plus those that each layer has with both faces held. Layers are parted so that
these are none (`stiffness.n_parts`). The matrix is eliminated from below, which leaves at each interface a matrix
whose negative eigenvalues are counted; what remains at the surface is singular where there is a mode.

The order of modes is that of their frequencies at one wavenumber, which is that of their velocities at one frequency
as long as no mode carries energy backwards. Where one does, the count falls at its velocity, and `search` finds one of
the velocities at which the count rises. Seen in 2 of 4,396 scans, each of one frequency, of random media with contrasts
of up to thirty and Poisson's ratios of up to 0.499.
"""

from __future__ import annotations

from math import sqrt

from numba import njit

from seisloom.physics.surface_waves.stiffness import (
    Part,
    n_parts,
    psv_half_space,
    psv_layer,
    sh_half_space,
    sh_layer,
)
from seisloom.sample import Array

Square = tuple[float, float, float, float]
"""A matrix of two by two: its elements 11, 12, 21 and 22."""

NOTHING = 1e-30
"""In place of a determinant of 0, as a share: a mode that is trapped below may be found to the last digit."""


@njit(cache=True, nogil=True, error_model="numpy")
def count_rayleigh(c: float, omega: float, medium: Array) -> tuple[int, float]:
    """Return how many Rayleigh modes are slower than c, and a function of c that vanishes at each mode.

    Args:
        c: phase velocity in m/s, less than vs of the half-space.
        omega: angular frequency in 1/s.
        medium: (layer, 4), thickness in m, vp and vs in m/s, density in kg/m^3, from above; the last is the half-space.
    """
    k, last = omega / c, medium.shape[0] - 1
    z = psv_half_space(c, medium[last, 1], medium[last, 2], medium[last, 3])
    n_below, product = 0, 1.0
    for i in range(last - 1, -1, -1):
        n = n_parts(c, k * medium[i, 0], medium[i, 2])
        even, odd = psv_layer(c, k * medium[i, 0] / n, medium[i, 1], medium[i, 2], medium[i, 3])
        for _ in range(n):
            z, _, n_negative, value = through_layer(z, even, odd)
            n_below += n_negative
            product *= value
    n_negative, value = _sign(z[0], z[1], z[2])
    return n_below + n_negative, product * value


@njit(cache=True, nogil=True, error_model="numpy")
def _sign(a11: float, a12: float, a22: float) -> tuple[int, float]:
    """Return the number of negative eigenvalues, and the determinant as a share of the squares, with its sign."""
    det = a11 * a22 - a12 * a12
    n_negative = 1 if det < 0.0 else (2 if a11 + a22 < 0.0 else 0)
    return n_negative, det / (a11 * a11 + 2.0 * a12 * a12 + a22 * a22)


@njit(cache=True, nogil=True, error_model="numpy")
def through_layer(z: Part, even: Part, odd: Part) -> tuple[Part, Square, int, float]:
    """Return the stiffness above a layer from that below it.

    Args:
        z: stiffness of all that lies below the layer.
        even, odd: of the layer, see `stiffness.psv_layer`.
    Returns:
        The stiffness above; the matrix that takes displacements above the layer to those below it; and of the sum that
        is eliminated the number of negative eigenvalues, and a value that has the sign of its determinant.
    """
    p11, p12, p22 = 0.5 * (even[0] + odd[0]), 0.5 * (even[1] + odd[1]), 0.5 * (even[2] + odd[2])
    m11, m12, m22 = 0.5 * (even[0] - odd[0]), 0.5 * (even[1] - odd[1]), 0.5 * (even[2] - odd[2])
    s11, s12, s22 = p11 + z[0], p12 + z[1], p22 + z[2]
    n_negative, value = _sign(s11, s12, s22)
    # Forces below by displacements above are (m11, -m12; m12, -m22), since vertical ones are mirrored
    det = s11 * s22 - s12 * s12
    scale = 1.0 / (det if det != 0.0 else NOTHING * (s11 * s11 + s22 * s22))
    x11, x12 = scale * (s12 * m12 - s22 * m11), scale * (s22 * m12 - s12 * m22)
    x21, x22 = scale * (s12 * m11 - s11 * m12), scale * (s11 * m22 - s12 * m12)
    above = (p11 + m11 * x11 + m12 * x21, -p12 + m11 * x12 + m12 * x22, p22 - m12 * x12 - m22 * x22)
    return above, (x11, x12, x21, x22), n_negative, value


@njit(cache=True, nogil=True, error_model="numpy")
def count_love(c: float, omega: float, medium: Array) -> tuple[int, float]:
    """Return how many Love modes are slower than c, and a function of c that vanishes at each; as `count_rayleigh`."""
    k, last = omega / c, medium.shape[0] - 1
    z = sh_half_space(c, medium[last, 2], medium[last, 3])
    n_below, product = 0, 1.0
    for i in range(last - 1, -1, -1):
        n = n_parts(c, k * medium[i, 0], medium[i, 2])
        even, odd = sh_layer(c, k * medium[i, 0] / n, medium[i, 2], medium[i, 3])
        p, m = 0.5 * (even + odd), 0.5 * (even - odd)
        for _ in range(n):
            s = p + z
            n_below += s < 0.0
            product *= s / sqrt(p * p + z * z)
            z = p - m * m / (s if s != 0.0 else NOTHING * p)
    return n_below + (z < 0.0), product * z
