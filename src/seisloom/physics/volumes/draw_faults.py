"""Faults of the three styles, as rows of the table that the inverse map reads."""

from __future__ import annotations

import numpy as np

from seisloom.physics.volumes import inverse_map as m
from seisloom.physics.volumes.model import Shape
from seisloom.physics.volumes.priors import Style, VolumePriors
from seisloom.sample import Array

TRIES = 20  # places tried for a fault that is to keep its distance from the others
GENTLEST_DRAG = 3.0  # width over throw that bends x cotangent: bent layers thin by at most a quarter
STEEPEST_CHANGE = 3.0  # extent over throw: throw changes by at most half a sample a sample, so the map stays one to one


def draw_faults(rng: np.random.Generator, style: Style, shape: Shape, priors: VolumePriors) -> Array:
    """Return the faults of a volume, the youngest first, shape (fault, N_COLUMNS)."""
    n_faults = int(rng.integers(priors.n_faults[0], priors.n_faults[1] + 1))
    rows = np.zeros((n_faults, m.N_COLUMNS))
    for n, row in enumerate(rows):
        _place(rng, row, shape, priors)
        for _ in range(TRIES - 1):
            if (_distance(rows[:n], row) >= priors.fault_spacing).all():
                break
            _place(rng, row, shape, priors)
        row[m.THROW] = _draw_throw(rng, row, shape, priors)
        row[m.SHARE] = 1.0
        {"planar": _decay, "through": _let_through, "curved": _curve}[style](rng, row, shape, priors)
        if priors.drag_share[1] > 0:
            _drag(rng, row, priors)
        row[m.BAND] = _widest_label(row, priors.label_thickness)
    return rows


def fault_row(
    centre: tuple[float, float, float],
    *,
    dip_degrees: float,
    strike_degrees: float = 0.0,
    throw_samples: float,
    label_thickness: float = 3.0,
) -> Array:
    """Return a plane of constant throw through the whole volume, for tests and figures.

    Args:
        centre: a point of the plane, (inline, crossline, time) in voxels.
        dip_degrees: 10 to 170; above 90 it dips towards lower crosslines (strike 0).
        strike_degrees: 0 to 180.
        throw_samples: along time; above 0 where the side of higher crosslines (strike 0) went down.
        label_thickness: of its label in voxels.
    """
    row = np.zeros(m.N_COLUMNS)
    row[[m.INLINE, m.CROSSLINE, m.DEPTH]] = centre
    row[[m.COS_STRIKE, m.SIN_STRIKE]] = np.cos(np.radians(strike_degrees)), np.sin(np.radians(strike_degrees))
    row[m.COT] = 1 / np.tan(np.radians(dip_degrees))
    row[m.THROW], row[m.SHARE], row[m.PROFILE] = throw_samples, 1.0, m.CONSTANT
    row[m.BAND] = _widest_label(row, label_thickness)
    return row


def _place(rng: np.random.Generator, row: Array, shape: Shape, priors: VolumePriors) -> None:
    """Draw where a fault is and how it lies."""
    row[[m.INLINE, m.CROSSLINE, m.DEPTH]] = rng.uniform(0, 1, 3) * (np.array(shape) - 1)
    dip = np.radians(rng.uniform(*priors.dip_degrees))
    row[m.COT] = rng.choice([-1.0, 1.0]) / np.tan(dip)
    strike = np.radians(rng.uniform(*priors.strike_degrees))
    if shape[0] == 1:  # a section is perpendicular to its faults, whose normals lie in its plane
        strike, row[m.INLINE] = 0.0, 0.0
    row[m.COS_STRIKE], row[m.SIN_STRIKE] = np.cos(strike), np.sin(strike)


def _distance(faults: Array, other: Array) -> Array:
    """Return how far the centre of `other` is from the planes through the centres of `faults`, in voxels."""
    di, dj, depth = (other[:3] - faults[:, :3]).T
    along_dip = dj * faults[:, m.COS_STRIKE] - di * faults[:, m.SIN_STRIKE]
    return np.asarray(np.abs(along_dip - faults[:, m.COT] * depth) / np.hypot(1.0, faults[:, m.COT]))


def _draw_throw(rng: np.random.Generator, row: Array, shape: Shape, priors: VolumePriors) -> float:
    """Return the throw in samples, signed: above 0 where the side of the normal (1, -s) in its dip went down."""
    low, high = priors.throw_samples
    largest = max(low, min(high, shape[2] / 4))
    size = float(np.exp(rng.uniform(np.log(low), np.log(largest))))
    hanging_wall_is_beyond = row[m.COT] >= 0
    reverse = rng.random() < priors.share_reverse
    return size if hanging_wall_is_beyond != reverse else -size


def _extent(rng: np.random.Generator, side: int, throw: float, priors: VolumePriors) -> float:
    share = np.exp(rng.uniform(*np.log(priors.fault_extent)))
    return float(max(share * side, STEEPEST_CHANGE * abs(throw), 4.0))


def _decay(rng: np.random.Generator, row: Array, shape: Shape, priors: VolumePriors) -> None:
    """Throw that decays from the centre, as a bell or linearly, or that grows down or up the fault."""
    row[m.PROFILE] = rng.choice([m.BELL, m.LINEAR, m.GROWTH])
    # a bell is 0 only beyond 2.8 standard deviations, so its half axis is longer
    stretch = 1.6 if row[m.PROFILE] == m.BELL else 1.0
    row[m.PER_LENGTH] = 1 / (stretch * _extent(rng, max(shape[:2]), row[m.THROW], priors))
    row[m.PER_HEIGHT] = 1 / (stretch * _extent(rng, shape[2], row[m.THROW], priors))
    if row[m.PROFILE] == m.GROWTH:
        row[m.PER_HEIGHT] *= rng.choice([-1.0, 1.0])
    if rng.random() < 0.5:  # otherwise the whole hanging wall moves, as in Wu et al. (2019), Geophysics 84(3), IM35
        row[m.PER_REACH] = 1 / (2 * _extent(rng, max(shape[:2]), row[m.THROW], priors))


def _let_through(rng: np.random.Generator, row: Array, shape: Shape, priors: VolumePriors) -> None:
    """Constant slip with a rake, on a plane without tips."""
    row[m.PROFILE] = m.CONSTANT
    if shape[0] > 1:
        rake = np.radians(rng.uniform(*priors.rake_degrees))
        down_dip = np.hypot(1.0, row[m.COT])  # slip along the dip, a sample of throw
        row[m.STRIKE_SLIP] = down_dip / np.tan(rake)


def _curve(rng: np.random.Generator, row: Array, shape: Shape, priors: VolumePriors) -> None:
    """An ellipse with tips all around, steeper above than below, wavy along its strike."""
    length = _extent(rng, max(shape[:2]), row[m.THROW], priors)
    height = _extent(rng, shape[2], row[m.THROW], priors)
    row[m.PROFILE], row[m.SHARE] = m.ELLIPTIC, rng.uniform(0.3, 1.0)
    row[m.PER_LENGTH], row[m.PER_HEIGHT] = 1 / length, 1 / height
    row[m.PER_REACH] = 1 / (max(length, height) * rng.uniform(1.0, 2.0))
    change = rng.uniform(*priors.listric_degrees)
    dip = np.degrees(np.arctan2(1.0, abs(row[m.COT])))
    upper, lower = min(dip + change / 2, 89.9), max(dip - change / 2, 10.0)
    cot_upper, cot_lower = 1 / np.tan(np.radians([upper, lower]))
    side = np.sign(row[m.COT]) or 1.0
    row[m.COT], row[m.COT_SLOPE] = side * (cot_upper + cot_lower) / 2, side * (cot_lower - cot_upper) / (2 * height)
    row[m.HALF_CURVE] = height
    if shape[0] > 1:
        row[m.WAVE] = rng.uniform(0, 0.03) * length
        row[m.WAVE_NUMBER] = 2 * np.pi / (length * rng.uniform(0.5, 1.5))
        row[m.WAVE_PHASE] = rng.uniform(0, 2 * np.pi)


def _drag(rng: np.random.Generator, row: Array, priors: VolumePriors) -> None:
    """Layers that bend towards the fault before they break, as far as they do not overturn."""
    row[m.DRAG] = rng.uniform(*priors.drag_share)
    width = np.exp(rng.uniform(*np.log(priors.drag_width)))
    row[m.PER_DRAG] = 1 / max(width, GENTLEST_DRAG * row[m.DRAG] * abs(row[m.THROW]) * _largest_cot(row))


def _largest_cot(row: Array) -> float:
    """Return the cotangent of the dip where a fault is least steep."""
    return float(abs(row[m.COT]) + abs(row[m.COT_SLOPE]) * row[m.HALF_CURVE])


def _widest_label(row: Array, thickness: float) -> float:
    """Return the horizontal distance from the fault beyond which there is no label."""
    cot = _largest_cot(row)
    return float(0.5 * thickness * np.sqrt(1 + cot**2 + (row[m.WAVE] * row[m.WAVE_NUMBER]) ** 2))
