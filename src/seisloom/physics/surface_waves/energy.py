"""What a mode carries: group velocity, ellipticity, strength, and how its velocity depends on each layer.

The displacements v of all interfaces make v' K v stationary, K being the stiffness of the medium (`counting`). So how a
mode moves with frequency, wavenumber or a property of a layer follows from derivatives of K alone, taken here layer by
layer by central differences: Rayleigh's principle, Aki & Richards (2002), Quantitative Seismology, section 7.3.
"""

from __future__ import annotations

from math import cos

import numpy as np
from numba import njit

from seisloom.physics.surface_waves.counting import NOTHING, through_layer
from seisloom.physics.surface_waves.stiffness import (
    Part,
    n_parts,
    psv_half_space,
    psv_layer,
    sh_half_space,
    sh_layer,
)
from seisloom.sample import Array

STEP = 1e-5
"""Of the differences, as a share of the value."""
NEAR_CUT_OFF = 0.003
"""Largest step for the half-space, as a share of 1 - c / vs, whose root its stiffness has."""
TURNS = 3
"""Of inverse iteration; each makes what is not of the mode smaller by how much nearer the mode is than another one."""


@njit(cache=True, nogil=True, error_model="numpy")
def carry(
    c: float, omega: float, medium: Array, love: bool, wants_kernels: bool, kernels: Array
) -> tuple[float, float, float]:
    """Return group velocity in m/s, ellipticity and strength of the mode whose phase velocity is c.

    Args:
        c: phase velocity of a mode in m/s, to eight digits or better.
        omega: angular frequency in 1/s.
        medium: see `counting.count_rayleigh`.
        love: a Love mode in place of a Rayleigh mode.
        wants_kernels: whether all of `kernels` are needed; without, only those of thickness are right.
        kernels: (layer, 4), filled with d ln c / d ln of thickness, vp, vs and density.
    Returns:
        Group velocity. Horizontal over vertical displacement at the surface, positive where the particle moves against
        the wave at the top of its ellipse (retrograde), as on a half-space; infinite for Love waves. Strength in 1/Pa:
        a force of 1 N on the surface, vertical for Rayleigh and transverse for Love waves, moves the surface in its own
        direction by strength k / 2 |H0(k r)| at a distance r far away.
    """
    k, last = omega / c, medium.shape[0] - 1
    moved, layer = _displacements(c, k, medium, love)
    by_c = by_k = 0.0
    kernels[:] = 0.0
    values = np.empty(5)  # c, thickness times wavenumber, vp, vs, density
    for i in range(layer.shape[0]):
        at = layer[i]
        values[0], values[1] = c, k * medium[at, 0] / n_parts(c, k * medium[at, 0], medium[at, 2])
        values[2:] = medium[at, 1:]
        step = min(STEP, NEAR_CUT_OFF * (1.0 - c / medium[last, 2])) if at == last else STEP
        for p in range(5 if wants_kernels else 2):
            slope = _slope(values, p, step, moved[i], moved[i + 1], love, at == last)
            if p == 0:
                by_c += slope
            else:
                kernels[at, p - 1] += slope
                by_k += slope if p == 1 else 0.0
    kernels /= by_k - by_c
    ellipticity = np.inf if love else moved[0, 0] / moved[0, 1]
    return c * (1.0 - by_k / by_c), ellipticity, moved[0, 1] ** 2 / abs(by_c - by_k)


@njit(cache=True, nogil=True, error_model="numpy")
def _displacements(c: float, k: float, medium: Array, love: bool) -> tuple[Array, Array]:
    """Return the displacements at the top of each part of a layer, (part + 1, 2), horizontal and down, and its layer.

    The half-space is the last part; its bottom does not move. Love waves move in the second of the two directions.
    By inverse iteration: from the surface down, a mode that is trapped below and hardly moves it would be lost.
    """
    last = medium.shape[0] - 1
    n_all = 1
    for i in range(last):
        n_all += n_parts(c, k * medium[i, 0], medium[i, 2])
    layer = np.empty(n_all, np.int64)
    below = np.empty((n_all, 4))  # from the displacement above a part to that below it, where no force is
    left = np.empty((n_all, 3))  # stiffness at the top of a part once all that is below is eliminated
    layer[n_all - 1], at = last, n_all - 1
    z = _half_space(c, medium[last], love)
    for i in range(last - 1, -1, -1):
        n = n_parts(c, k * medium[i, 0], medium[i, 2])
        even, odd = _layer(c, k * medium[i, 0] / n, medium[i], love)
        for _ in range(n):
            for e in range(3):
                left[at, e] = 0.5 * (even[e] + odd[e]) + z[e]
            at -= 1
            z, below[at], _, _ = through_layer(z, even, odd)
            layer[at] = i
    left[0] = z
    moved, force = np.zeros((n_all + 1, 2)), np.empty((n_all, 2))
    for i in range(n_all):  # anything that is not at right angles to the mode
        moved[i] = (0.0 if love else cos(i)), cos(1.0 + i)
    for _ in range(TURNS):
        force[:] = moved[:n_all]
        for i in range(n_all - 1, 0, -1):
            b11, b12, b21, b22 = below[i - 1]
            force[i - 1, 0] += b11 * force[i, 0] + b21 * force[i, 1]
            force[i - 1, 1] += b12 * force[i, 0] + b22 * force[i, 1]
        for i in range(n_all):
            a11, a12, a22 = left[i]
            det = a11 * a22 - a12 * a12
            scale = 1.0 / (det if det != 0.0 else NOTHING * (a11 * a11 + a22 * a22))
            moved[i, 0] = scale * (a22 * force[i, 0] - a12 * force[i, 1])
            moved[i, 1] = scale * (a11 * force[i, 1] - a12 * force[i, 0])
            if i > 0:
                b11, b12, b21, b22 = below[i - 1]
                moved[i, 0] += b11 * moved[i - 1, 0] + b12 * moved[i - 1, 1]
                moved[i, 1] += b21 * moved[i - 1, 0] + b22 * moved[i - 1, 1]
        moved /= np.abs(moved).max()
    return moved, layer


@njit(cache=True, nogil=True, error_model="numpy")
def _layer(c: float, kh: float, row: Array, love: bool) -> tuple[Part, Part]:
    """Return the even and odd stiffness of a layer; a Love wave moves in the second direction alone.

    That direction is mirrored with the layer, so what is even about its middle for a Love wave counts as odd.
    """
    if love:
        even, odd = sh_layer(c, kh, row[2], row[3])
        return (1.0, 0.0, odd), (1.0, 0.0, even)
    return psv_layer(c, kh, row[1], row[2], row[3])


@njit(cache=True, nogil=True, error_model="numpy")
def _half_space(c: float, row: Array, love: bool) -> Part:
    if love:
        return 1.0, 0.0, sh_half_space(c, row[2], row[3])
    return psv_half_space(c, row[1], row[2], row[3])


@njit(cache=True, nogil=True, error_model="numpy")
def _slope(values: Array, p: int, step: float, above: Array, below: Array, love: bool, is_half_space: bool) -> float:
    """Return the derivative of v' K v of a part by the logarithm of one of its values."""
    given = values[p]
    values[p] = given * (1.0 + step)
    more = _work(values, above, below, love, is_half_space)
    values[p] = given * (1.0 - step)
    less = _work(values, above, below, love, is_half_space)
    values[p] = given
    return (more - less) / (2.0 * step)


@njit(cache=True, nogil=True, error_model="numpy")
def _work(values: Array, above: Array, below: Array, love: bool, is_half_space: bool) -> float:
    """Return v' K v of a part."""
    if is_half_space:
        return _form(_half_space(values[0], values[1:], love), above[0], above[1])
    even, odd = _layer(values[0], values[1], values[1:], love)
    together = _form(even, 0.5 * (below[0] + above[0]), 0.5 * (below[1] - above[1]))
    apart = _form(odd, 0.5 * (below[0] - above[0]), 0.5 * (below[1] + above[1]))
    return 2.0 * (together + apart)


@njit(cache=True, nogil=True, error_model="numpy")
def _form(part: Part, x: float, y: float) -> float:
    return part[0] * x * x + 2.0 * part[1] * x * y + part[2] * y * y
