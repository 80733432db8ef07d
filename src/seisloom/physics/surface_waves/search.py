"""Phase velocities of the first modes, each between two velocities whose counts prove that it lies there."""

from __future__ import annotations

from math import inf, nan, pi, sqrt

import numpy as np
from numba import njit

from seisloom.physics.surface_waves.counting import count_love, count_rayleigh
from seisloom.sample import Array

TOLERANCE = 1e-8
"""Of a velocity, as a share of it."""
OFF = 0.1
"""How far a guess may be off, as a share of the change from one frequency to the next."""
SLOWEST_RAYLEIGH = 0.68
"""Of vs: no material has slower Rayleigh waves; those of a Poisson's ratio of -1 have 0.689."""


@njit(cache=True, nogil=True, error_model="numpy")
def slowest(medium: Array, love: bool) -> float:
    """Return a velocity that no mode is slower than.

    Less rigid and denser material makes every mode slower: none is slower than that of a half-space with the least
    rigidity and the largest density of all layers.
    """
    least, densest = inf, 0.0
    for i in range(medium.shape[0]):
        least = min(least, medium[i, 3] * medium[i, 2] ** 2)
        densest = max(densest, medium[i, 3])
    return sqrt(least / densest) * (0.999 if love else SLOWEST_RAYLEIGH)


@njit(cache=True, nogil=True, error_model="numpy")
def search_modes(medium: Array, frequencies: Array, n_modes: int, love: bool, out: Array) -> int:
    """Fill `out` (mode, frequency) with phase velocities in m/s, NaN where a mode does not exist; return evaluations.

    Args:
        medium: see `counting.count_rayleigh`.
        frequencies: in Hz, (frequency,), in any order; what is found at one is a first guess at the next one.
        n_modes: that are wanted, the slowest ones.
        love: Love waves in place of Rayleigh waves.
    """
    fastest = medium[-1, 2] * (1.0 - 1e-10)
    first = slowest(medium, love)
    bounds = np.empty((n_modes, 2, 3))  # velocity, count and value on both sides of each mode
    n_used = 0
    for j in range(frequencies.shape[0]):
        omega = 2.0 * pi * frequencies[j]
        n_all, value = _count(fastest, omega, medium, love)
        n_used += 1
        for m in range(n_modes):
            bounds[m, 0] = first, 0.0, 1.0
            bounds[m, 1] = fastest, float(n_all), abs(value)
        for m in range(n_modes):
            out[m, j] = nan
            if m < n_all:
                near, off = _guess(out[m], frequencies, j)
                n_used += _part(m, near, off, omega, medium, love, bounds)
                out[m, j], n = _refine(m, omega, medium, love, bounds[m])
                n_used += n
    return n_used


@njit(cache=True, nogil=True, error_model="numpy")
def _count(c: float, omega: float, medium: Array, love: bool) -> tuple[int, float]:
    return count_love(c, omega, medium) if love else count_rayleigh(c, omega, medium)


@njit(cache=True, nogil=True, error_model="numpy")
def _guess(known: Array, frequencies: Array, j: int) -> tuple[float, float]:
    """Return where a mode may be, on the line through the two frequencies before, and how far off that may be."""
    if j == 0 or not known[j - 1] > 0.0:
        return nan, nan
    if j == 1 or not known[j - 2] > 0.0 or frequencies[j - 1] == frequencies[j - 2]:
        return known[j - 1], 0.02 * known[j - 1]
    slope = (known[j - 1] - known[j - 2]) / (frequencies[j - 1] - frequencies[j - 2])
    change = slope * (frequencies[j] - frequencies[j - 1])
    return known[j - 1] + change, OFF * abs(change) + 1e-5 * known[j - 1]


@njit(cache=True, nogil=True, error_model="numpy")
def _part(m: int, near: float, off: float, omega: float, medium: Array, love: bool, bounds: Array) -> int:
    """Narrow the bounds of mode m until no other mode lies between them, or they meet; return the evaluations."""
    n_used = 0
    while bounds[m, 1, 0] - bounds[m, 0, 0] > TOLERANCE * bounds[m, 1, 0]:
        low, high = bounds[m, 0, 0], bounds[m, 1, 0]
        if low < near < high:  # first at the guess itself
            c = near
        elif low >= near > low - off and low + off < high:  # then on the other side of the mode, in growing steps
            near, c, off = low, low + off, 4.0 * off
        elif high <= near < high + off and high - off > low:
            near, c, off = high, high - off, 4.0 * off
        elif bounds[m, 0, 1] == m and bounds[m, 1, 1] == m + 1:
            break
        else:
            c = sqrt(low * high)
        n_below, value = _count(c, omega, medium, love)
        n_used += 1
        for one in range(m, bounds.shape[0]):
            side = 1 if n_below > one else 0
            if (c > bounds[one, 0, 0]) if side == 0 else (c < bounds[one, 1, 0]):
                bounds[one, side] = c, float(n_below), abs(value)
    return n_used


@njit(cache=True, nogil=True, error_model="numpy")
def _refine(m: int, omega: float, medium: Array, love: bool, bounds: Array) -> tuple[float, int]:
    """Return the mode between two bounds, and the evaluations: inverse quadratic interpolation, or halving.

    Source: Chandrupatla (1997), Adv. Eng. Software 28, 145-149. Sides are told by the count, not by the value.
    """
    x1, x2 = bounds[1, 0], bounds[0, 0]
    f1, f2 = -bounds[1, 2], bounds[0, 2]
    t, n_used, is_above_1 = 0.5, 0, True
    while True:
        least = 0.5 * TOLERANCE * x1 / abs(x2 - x1)
        if least > 0.5:
            return (x1 if abs(f1) < abs(f2) else x2), n_used
        x = x1 + min(max(t, least), 1.0 - least) * (x2 - x1)
        n_below, value = _count(x, omega, medium, love)
        n_used += 1
        is_above = n_below > m  # where a value has underflown, its sign says nothing
        f = -abs(value) if is_above else abs(value)
        if is_above == is_above_1:
            x3, f3 = x1, f1
        else:
            x3, f3, x2, f2 = x2, f2, x1, f1
        x1, f1, is_above_1 = x, f, is_above
        xi, phi = (x1 - x2) / (x3 - x2), (f1 - f2) / (f3 - f2)
        t = 0.5
        if phi * phi < xi and (1.0 - phi) ** 2 < 1.0 - xi:
            t = f1 / (f2 - f1) * f3 / (f2 - f3) + (x3 - x1) / (x2 - x1) * f1 / (f3 - f1) * f2 / (f3 - f2)
