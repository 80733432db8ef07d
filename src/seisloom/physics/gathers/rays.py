"""Rays through plane layers: exact times, slownesses and spreading of any reflection, multiple or one-way path.

A path is told by how many metres of each layer's thickness it crosses up and down together: a reflection crosses every
layer above it twice, a water-bottom multiple the water four times, a ray to a buried point each layer once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from seisloom.sample import Array

NEWTON_STEPS = 60  # the offset of a ray is concave in the unknown, so that Newton's steps converge from below

TOLERANCE = 1e-6
"""Relative size of the last step: the error after it is about its square."""


class Rays(NamedTuple):
    """What rays are, each of shape (path, offset)."""

    time_s: Array
    slowness: Array
    """Horizontal slowness dt/dx in s/m: the ray parameter."""
    spreading_m: Array
    """Geometrical spreading in m: amplitudes fall as 1 over it; the length of the ray where velocity is constant."""


def trace_rays(path_m: Array, velocity_m_s: Array, distance_m: Array, *, surface_m_s: float) -> Rays:
    """Return the rays of all paths to all distances.

    Args:
        path_m: metres crossed in each layer, shape (path, layer); not negative, above 0 in one layer of each path.
        velocity_m_s: of each layer, shape (layer,).
        distance_m: horizontal distances, shape (offset,) for all paths or (path, offset); not negative. Rising order
            takes fewest steps.
        surface_m_s: velocity in m/s where source and receiver are.
    Source: times from x(p), t(p) of Telford, Geldart & Sheriff (1990), ch. 4, solved for p = s / (v_max sqrt(1 + s^2)),
        in which x is concave. Spreading (cos i / v) sqrt((x / p) dx/dp), Cerveny (2001), Seismic Ray Theory, section
        4.10, for source and receiver at one velocity.
    """
    path = np.ascontiguousarray(path_m, dtype=np.float64)
    distance = np.asarray(distance_m, dtype=np.float64)
    if distance.ndim == 1:
        distance = np.broadcast_to(distance, (len(path), len(distance)))
    found = _trace(path, np.ascontiguousarray(velocity_m_s, dtype=np.float64), distance, float(surface_m_s))
    return Rays(found[0], found[1], found[2])


@njit(cache=True, nogil=True, error_model="numpy")
def _trace(path: Array, velocity: Array, distance: Array, surface: float) -> Array:
    n_path, n_layer = path.shape
    n = distance.shape[1]
    found = np.empty((3, n_path, n))
    for j in range(n_path):
        fastest, last = 0.0, 0
        for i in range(n_layer):
            if path[j, i] > 0:
                fastest, last = max(fastest, velocity[i]), i + 1
        s, before = 0.0, 0.0
        for k in range(n):
            wanted = distance[j, k]
            if wanted < before:
                s = 0.0
            before = wanted
            for _ in range(NEWTON_STEPS):
                x, slope = 0.0, 0.0
                for i in range(last):
                    ratio = velocity[i] / fastest
                    inverse = 1.0 / (1.0 + s * s * (1.0 - ratio * ratio))
                    part = path[j, i] * ratio * np.sqrt(inverse)
                    x += part * s
                    slope += part * inverse
                step = (wanted - x) / slope
                s += step
                if abs(step) <= TOLERANCE * (1.0 + s):
                    break
            lengthened = np.sqrt(1.0 + s * s)
            p = s / (fastest * lengthened)
            t, x_over_p, slope = 0.0, 0.0, 0.0
            for i in range(last):
                if path[j, i] > 0:
                    sine = p * velocity[i]
                    cosine = np.sqrt((1.0 - sine) * (1.0 + sine))
                    t += path[j, i] / (velocity[i] * cosine)
                    x_over_p += path[j, i] * velocity[i] / cosine
                    slope += path[j, i] * velocity[i] / cosine**3
            found[0, j, k] = t
            found[1, j, k] = p
            up = p * surface
            found[2, j, k] = np.sqrt((1.0 - up) * (1.0 + up) * x_over_p * slope) / surface
    return found
