"""Errors of fault dip and strike, taken between normals, and angles of the sample grid turned into those of the earth.

A fault's normal is (depth, crossline, inline) = (-cos d, sin d cos s, -sin d sin s) with dip d and strike s in degrees,
both in 0..180. A dip above 90 leans to the other side. A normal and its opposite are one plane, so
(d, 180) is (180 - d, 0).
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from seisloom.errors import DataError
from seisloom.metrics.overlap import distance_to, known_voxels
from seisloom.sample import Array


def normal_of(dip: Array, strike: Array) -> Array:
    """Return the unit normal, shape (3, ...) in the order depth, crossline, inline.

    Args:
        dip, strike: degrees, shape (...).

    >>> normal_of(np.array(90.0), np.array(0.0)).round(3) + 0
    array([0., 1., 0.])
    """
    d, s = np.radians(np.asarray(dip, float)), np.radians(np.asarray(strike, float))
    return np.stack(np.broadcast_arrays(-np.cos(d), np.sin(d) * np.cos(s), -np.sin(d) * np.sin(s)))


def angles_of(normal: Array) -> tuple[Array, Array]:
    """Return dip in 0..180 and strike in [0, 180) of normals, in degrees; the inverse of `normal_of`.

    Args:
        normal: shape (3, ...) in the order depth, crossline, inline; any length, either sign.
    Returns:
        Dip and strike, shape (...); NaN for a normal of length 0. A level fault has dip 0 and strike 0.
    """
    normal = np.asarray(normal, float)
    depth, crossline, inline = normal
    level = (crossline == 0) & (inline == 0)
    turned = (inline > 0) | ((inline == 0) & (crossline < 0)) | (level & (depth > 0))
    # 0.0 - x and not -x: minus zero has another arctangent
    depth, crossline, inline = np.where(turned, 0.0 - normal, normal)
    dip = np.degrees(np.arctan2(np.hypot(crossline, inline), 0.0 - depth))
    strike = np.degrees(np.arctan2(0.0 - inline, crossline))
    wrapped = strike >= 180  # a strike just below it, rounded
    dip, strike = np.where(wrapped, 180 - dip, dip), np.where(wrapped, 0.0, strike)
    lost = ~(np.abs(normal).sum(axis=0) > 0)
    return np.where(lost, np.nan, dip), np.where(lost, np.nan, strike)


def normal_error_deg(predicted: Array, true: Array) -> Array:
    """Return the angle between two planes, acos |n_p . n_t|, in degrees 0..90; NaN where a normal has length 0.

    Args:
        predicted, true: normals, shape (3, ...); any length, either sign.
    """
    predicted, true = np.asarray(predicted, float), np.asarray(true, float)
    along = np.abs((predicted * true).sum(axis=0))
    # By the cross product: an arccosine loses half of the digits where the angle is small
    across = np.linalg.norm(np.cross(predicted, true, axis=0), axis=0)
    return np.where(along + across > 0, np.degrees(np.arctan2(across, along)), np.nan)


def dip_error_deg(predicted: Array, true: Array) -> Array:
    """Return |dip_p - dip_t| in degrees, once the predicted normal is turned to the side of the true one.

    Without turning, (60, 179.9) and (120, 0.1), a fifth of a degree apart, would differ by 60 degrees.

    Args:
        predicted, true: normals, shape (3, ...).
    """
    predicted, true = np.asarray(predicted, float), np.asarray(true, float)
    predicted = np.where((predicted * true).sum(axis=0) < 0, -predicted, predicted)
    lengths = np.linalg.norm(predicted, axis=0) * np.linalg.norm(true, axis=0)
    dips = [np.arctan2(np.hypot(one[1], one[2]), -one[0]) for one in (predicted, true)]
    return np.where(lengths > 0, np.degrees(np.abs(dips[0] - dips[1])), np.nan)


def strike_error_deg(predicted: Array, true: Array) -> Array:
    """Return the difference of two strikes modulo 180, in degrees 0..90, by the double angle.

    Args:
        predicted, true: strikes in degrees, shape (...).

    >>> strike_error_deg(np.array([179.0, 95.0]), np.array([2.0, 5.0])).round(9)
    array([ 3., 90.])
    """
    double = np.radians(2 * (np.asarray(predicted, float) - np.asarray(true, float)))
    return np.asarray(np.degrees(np.abs(np.arctan2(np.sin(double), np.cos(double)))) / 2)


def to_earth(
    dip: Array, strike: Array, *, sample_m: Array | float, crossline_m: float, inline_m: float
) -> tuple[Array, Array]:
    """Return dip and strike in degrees of the earth, of angles in degrees of the sample grid.

    A plane n . i = c in samples i = x / step is (n / step) . x = c in metres, so the normal's parts are divided by the
    steps.

    Args:
        dip, strike: degrees on the grid, shape (...).
        sample_m: depth of one sample in m; for time see `time_sample_m`. One for all or shape (...).
        crossline_m, inline_m: distance in m from one crossline, and from one inline, to the next.
    Returns:
        Dip in 0..180 and strike in [0, 180), shape (...); strike is measured from the same axes of the grid.

    >>> dip, strike = to_earth(np.array(45.0), np.array(0.0), sample_m=12.5, crossline_m=12.5, inline_m=25)
    >>> float(dip.round(6)), float(strike)
    (45.0, 0.0)
    """
    if not (np.all(np.asarray(sample_m) > 0) and crossline_m > 0 and inline_m > 0):
        raise DataError(
            f"steps of {sample_m} m a sample, {crossline_m} m a crossline, {inline_m} m an inline: all must be above 0"
        )
    depth, crossline, inline = normal_of(dip, strike)
    return angles_of(np.stack(np.broadcast_arrays(depth / sample_m, crossline / crossline_m, inline / inline_m)))


def time_sample_m(velocity_m_s: Array | float, interval_s: float) -> Array | float:
    """Return the depth of one time sample in m, velocity * dt / 2: recorded time runs down and up again.

    Args:
        velocity_m_s: interval velocity where the fault lies.
        interval_s: sample interval of two-way time in s.
    """
    return velocity_m_s * interval_s / 2


def check_degrees(dip: Array, strike: Array, fault: Array, *, where: str = "labels") -> None:
    """Raise DataError if dip and strike on fault voxels cannot be degrees in 0..180.

    Args:
        dip, strike: same shape as `fault`; what they are off the faults is not looked at, nor is NaN.
        fault: labels; 1 is a fault.
        where: file or volume, for the message.
    Raises:
        DataError: if all |values| are at most pi (radians) or 1 (shares of 180), or if one lies outside 0..180.
    """
    values = np.concatenate([np.asarray(one)[np.asarray(fault) == 1].ravel() for one in (dip, strike)]).astype(float)
    values = values[~np.isnan(values)]
    if not values.size:
        return
    largest = float(np.abs(values).max())
    if largest <= np.pi:
        guess, factor = ("shares of 180", "180") if largest <= 1 else ("radians", "180 / pi")
        raise DataError(
            f"{where}: dip and strike on {values.size // 2} fault voxels reach only {largest:.3g}: these look like "
            f"{guess}, degrees are needed. Multiply both by {factor}"
        )
    if values.min() < 0 or values.max() > 180:
        raise DataError(
            f"{where}: dip and strike on faults lie in {values.min():.4g} to {values.max():.4g}, degrees in 0..180 are "
            "needed. Fold them: dip, strike = angles_of(normal_of(dip, strike))"
        )


def orientation_scores(
    predicted: Array,
    dip: Array,
    strike: Array,
    fault: Array,
    *,
    skeleton: Array | None = None,
    tolerance: float = 2.0,
    known: Array | None = None,
) -> dict[str, dict[str, float]]:
    """Return errors of predicted normals on true fault voxels and, with a skeleton, on matched ones.

    Matched are thinned predicted voxels within the tolerance of a label: their normal is held against that of the
    nearest label voxel. This is what one sees of a prediction; errors on true voxels also count where no fault is seen.

    Args:
        predicted: normals, shape (3, ...) in the order depth, crossline, inline.
        dip, strike: true angles in degrees, shape (...); NaN where not known.
        fault: labels, shape (...): 1, 0, or -1 for not known.
        skeleton: thinned prediction, bool, shape (...); see `overlap.thin`.
        tolerance: in voxels.
        known: bool, of a shape that stretches to that of `fault`.
    Returns:
        By "true" and "matched": n, n_without_normal (predicted length 0 or NaN, left out), and in degrees normal_mean,
        normal_median, normal_p90, dip_mean, strike_mean. Strike says little of faults that are nearly level.
    """
    check_degrees(dip, strike, fault)
    label = np.asarray(fault) == 1
    counted = known_voxels(fault, known)
    true = np.stack(np.broadcast_arrays(np.asarray(dip, float), np.asarray(strike, float)))
    at = label & counted
    scores = {"true": _errors(np.asarray(predicted)[:, at], true[:, at])}
    if skeleton is None:
        return scores
    near = np.asarray(skeleton, bool) & counted & (distance_to(label) <= tolerance)
    if not near.any():
        return {**scores, "matched": _errors(np.zeros((3, 0)), np.zeros((2, 0)))}
    nearest = ndimage.distance_transform_edt(~label, return_distances=False, return_indices=True)
    partner = true[(slice(None), *np.asarray(nearest)[:, near])]
    return {**scores, "matched": _errors(np.asarray(predicted)[:, near], partner)}


def _errors(predicted: Array, angles: Array) -> dict[str, float]:
    """The errors of normals (3, voxel) against dip and strike (2, voxel)."""
    given = ~np.isnan(angles).any(axis=0)
    has_normal = np.isfinite(predicted).all(axis=0) & (np.abs(predicted).sum(axis=0) > 0)
    use = given & has_normal
    names = ("normal_mean", "normal_median", "normal_p90", "dip_mean", "strike_mean")
    counts = {"n": int(use.sum()), "n_without_normal": int((given & ~has_normal).sum())}
    if not use.any():
        return {**counts, **dict.fromkeys(names, float("nan"))}
    ours, true = predicted[:, use], normal_of(*angles[:, use])
    error = normal_error_deg(ours, true)
    median, p90 = np.quantile(error, [0.5, 0.9])
    dips, strikes = dip_error_deg(ours, true), strike_error_deg(angles_of(ours)[1], angles[1, use])
    means = (error.mean(), median, p90, dips.mean(), strikes.mean())
    return {**counts, **{name: float(value) for name, value in zip(names, means, strict=True)}}
