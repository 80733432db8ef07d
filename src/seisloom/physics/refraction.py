"""Travel times of direct, head and reflected waves in plane layers."""

from __future__ import annotations

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array

NEWTON_STEPS = 30  # the offset of a ray is concave in the unknown, so that Newton converges from below


def branch_times(
    offset_m: Array,
    *,
    thickness_m: Array,
    velocity_m_s: Array,
    legs: Array | float = 2.0,
    direct_depth_m: float = 0.0,
) -> Array:
    """Return the travel times of the direct wave and of the head wave along the top of each deeper layer.

    Args:
        offset_m: horizontal distances from source to receiver in m, shape (offset,); not negative.
        thickness_m: thickness in m of every layer but the last, shape (layer - 1,).
        velocity_m_s: velocity in m/s, top down, shape (layer,).
        legs: how often a ray that passes beneath a layer crosses it, one number or shape (layer - 1,): 2 where
            source and receiver are on its top, 1 where one is on its top and the other on its base (the water above
            an ocean-bottom station), 2 - depth / thickness for a buried source.
        direct_depth_m: difference in depth of source and receiver in m, crossed by the direct wave in layer 0.
    Returns:
        Times in s, shape (layer, offset): row 0 the direct wave, row k the head wave along the top of layer k; inf
        short of its critical offset, and in all of a row whose layer is not faster than all layers above it.
    Raises:
        DataError: if shapes, thicknesses or velocities make no layered medium.
    Source: Telford, Geldart & Sheriff (1990), Applied Geophysics, 2nd ed., ch. 4, geometry of wavepaths.

    >>> branch_times(np.array([100.0]), thickness_m=np.array([10.0]), velocity_m_s=np.array([500.0, 2000.0])).round(5)
    array([[0.2    ],
           [0.08873]])
    """
    offset, thickness, velocity, legs = _checked_medium(offset_m, thickness_m, velocity_m_s, legs)
    times = np.full((len(velocity), len(offset)), np.inf)
    times[0] = np.hypot(offset, direct_depth_m) / velocity[0]
    for k in range(1, len(velocity)):
        sine = velocity[:k] / velocity[k]
        if np.any(sine >= 1):
            continue
        cosine = np.sqrt(1 - sine**2)
        path = legs[:k] * thickness[:k]
        intercept_s = np.sum(path * cosine / velocity[:k])
        critical_m = np.sum(path * sine / cosine)
        times[k] = np.where(offset >= critical_m, intercept_s + offset / velocity[k], np.inf)
    return times


def first_arrival(
    offset_m: Array,
    *,
    thickness_m: Array,
    velocity_m_s: Array,
    legs: Array | float = 2.0,
    direct_depth_m: float = 0.0,
) -> tuple[Array, Array]:
    """Return the time in s of the first arrival and its branch, 0 direct or k along layer k; shape (offset,) each.

    Arguments as in `branch_times`. Reflections never come first: they are at best as early as a head wave.
    """
    times = branch_times(
        offset_m, thickness_m=thickness_m, velocity_m_s=velocity_m_s, legs=legs, direct_depth_m=direct_depth_m
    )
    return times.min(axis=0), times.argmin(axis=0)


def crossover_offset(*, thickness_m: float, upper_m_s: float, lower_m_s: float) -> float:
    """Return the offset in m beyond which the head wave of a layer under one other overtakes the direct wave.

    Source: Telford, Geldart & Sheriff (1990), ch. 4, geometry of wavepaths.
    """
    return 2 * thickness_m * float(np.sqrt((lower_m_s + upper_m_s) / (lower_m_s - upper_m_s)))


def reflection_time(offset_m: Array, *, thickness_m: Array, velocity_m_s: Array, legs: Array | float = 2.0) -> Array:
    """Return the travel times of the reflection from the base of the lowest of these layers.

    Args:
        offset_m: as in `branch_times`, shape (offset,).
        thickness_m, velocity_m_s: of each layer above the reflector, shape (layer,) both.
        legs: as in `branch_times`, one number or shape (layer,).
    Returns:
        Times in s, shape (offset,), to rounding: along the ray whose parameter p solves x(p) = offset. With
        p = s / (v_max sqrt(1 + s^2)), x is concave in s and linear for one layer.
    Source: Telford, Geldart & Sheriff (1990), ch. 4, geometry of wavepaths.
    """
    offset, thickness, velocity = (np.asarray(a, dtype=np.float64) for a in (offset_m, thickness_m, velocity_m_s))
    path = np.broadcast_to(np.asarray(legs, dtype=np.float64), thickness.shape) * thickness
    if thickness.shape != velocity.shape or thickness.ndim != 1 or not np.all(path > 0) or not np.all(velocity > 0):
        raise DataError("a reflection needs as many layers in thickness_m as in velocity_m_s, all of them positive")
    slowness_ratio = (velocity / velocity.max())[:, None]
    path = path[:, None]
    s = np.zeros_like(offset)
    for _ in range(NEWTON_STEPS):
        spread = 1 + s**2 * (1 - slowness_ratio**2)
        excess = np.sum(path * slowness_ratio * s / np.sqrt(spread), axis=0) - offset
        slope = np.sum(path * slowness_ratio / spread**1.5, axis=0)
        s = np.maximum(s - excess / slope, 0.0)
    spread = 1 + s**2 * (1 - slowness_ratio**2)
    return np.asarray(np.sum(path / velocity[:, None] * np.sqrt((1 + s**2) / spread), axis=0))


def dipping_head_wave_time(
    offset_m: Array, *, depth_m: float, upper_m_s: float, lower_m_s: float, dip_rad: float
) -> Array:
    """Return the travel times in s of the head wave along one dipping refractor, shape (offset,).

    Args:
        offset_m: distances from source to receiver in m, along the surface in the direction of dip.
        depth_m: distance of the refractor from the SOURCE in m, at right angles to the refractor.
        upper_m_s, lower_m_s: velocities above and beneath it in m/s.
        dip_rad: dip in radians, positive where it deepens from the source to the receivers (shooting downdip),
            negative for shooting updip; smaller than the critical angle.
    Returns:
        inf short of the critical offset, and beyond the outcrop of a refractor that rises.
    Source: Telford, Geldart & Sheriff (1990), ch. 4, geometry of wavepaths.
    """
    if not 0 < upper_m_s < lower_m_s:
        raise DataError(f"no head wave: {lower_m_s} m/s beneath {upper_m_s} m/s. The lower layer must be faster")
    critical = np.arcsin(upper_m_s / lower_m_s)
    if abs(dip_rad) >= min(critical, np.pi / 2 - critical):
        raise DataError(f"a dip of {np.degrees(dip_rad):.1f} degrees is too steep for a head wave at the surface")
    offset = np.asarray(offset_m, dtype=np.float64)
    time = offset / upper_m_s * np.sin(critical + dip_rad) + 2 * depth_m / upper_m_s * np.cos(critical)
    along_refractor = offset * np.cos(dip_rad) - (2 * depth_m + offset * np.sin(dip_rad)) * np.tan(critical)
    beneath_m = depth_m + offset * np.sin(dip_rad)
    return np.where((along_refractor >= 0) & (beneath_m >= 0), time, np.inf)


def _checked_medium(
    offset_m: Array, thickness_m: Array, velocity_m_s: Array, legs: Array | float
) -> tuple[Array, Array, Array, Array]:
    """Return the four as float64 arrays that fit together."""
    offset, thickness, velocity = (np.asarray(a, dtype=np.float64) for a in (offset_m, thickness_m, velocity_m_s))
    if velocity.ndim != 1 or thickness.shape != (len(velocity) - 1,):
        raise DataError(
            f"{velocity.shape} velocities and {thickness.shape} thicknesses: the last layer has a velocity and no "
            "thickness, every other one has both"
        )
    if not (np.all(velocity > 0) and np.all(thickness > 0) and np.all(offset >= 0)):
        raise DataError("velocities and thicknesses must be positive, and offsets not negative")
    return offset, thickness, velocity, np.broadcast_to(np.asarray(legs, dtype=np.float64), thickness.shape)
