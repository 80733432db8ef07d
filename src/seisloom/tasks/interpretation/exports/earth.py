"""Angles and lengths of faults in the earth: what a step on the grid is in metres."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seisloom.io.volumes.grid import Axis
from seisloom.io.volumes.raw.plane import Plane, plane_of
from seisloom.io.volumes.volume import Volume
from seisloom.metrics.orientation import angles_of, time_sample_m, to_earth
from seisloom.sample import Array

ANGLES = ("dip_deg", "strike_deg", "dip_earth_deg", "strike_earth_deg", "strike_azimuth_deg", "dip_azimuth_deg")
TURNS = {"strike_deg": 180, "strike_earth_deg": 180, "strike_azimuth_deg": 180, "dip_azimuth_deg": 360}
"""Of those, the ones that begin again, and where."""
SIZES = ("length", "height", "length_m", "height_m")
"""Columns of a table of patches, see `sticks.fault_sticks`."""
NOT_SQUARE = math.sin(math.radians(1.0))
"""Cosine of the angle between inlines and crosslines from which on angles on the grid are none in the earth."""


@dataclass(frozen=True, slots=True)
class Steps:
    """Lengths in m of the steps from one voxel to the next; NaN where nobody knows."""

    inline: float
    """From one inline to the next; 1 where there is only one."""
    crossline: float
    sample: float
    azimuths: tuple[float, float] | None
    """Of rising inline and crossline indices, in degrees clockwise from y; None of a line too, on which every dip is
    an apparent one."""


def steps_of(volume: Volume, velocity_m_s: float | None = None) -> Steps:
    """Return the steps of a volume: from its CDP coordinates, else from axes in m; of time from a velocity.

    They are not known where coordinates are no plane over the grid, or inlines and crosslines are not square.
    """
    *lateral, down = volume.spec.grid.axes
    sample = abs(down.step or math.nan) if down.unit == "m" else math.nan
    if down.unit == "s" and velocity_m_s is not None and down.step is not None:
        sample = float(time_sample_m(velocity_m_s, abs(down.step)))
    vectors = _step_vectors(lateral, plane_of(volume))
    if vectors is None:
        inline_m, crossline_m = ([1.0, *map(_length_m, lateral)])[-2:]
        return Steps(inline_m, crossline_m, sample, None)
    length = np.hypot(*vectors)
    if (length > 0).all() and abs(np.prod(vectors, axis=1).sum()) > NOT_SQUARE * length.prod():
        return Steps(math.nan, math.nan, sample, None)
    azimuths = np.degrees(np.arctan2(*vectors))
    inline_m, crossline_m = (float(one) if one > 0 else 1.0 for one in length)
    known = (float(azimuths[0]), float(azimuths[1])) if (length > 0).all() else None
    return Steps(inline_m, crossline_m, sample, known)


def _length_m(axis: Axis) -> float:
    """Return the step of an axis in m, 1 where it has only one line; NaN if its unit is another."""
    if len(axis) == 1:
        return 1.0
    return abs(axis.step or math.nan) if axis.unit == "m" else math.nan


def _step_vectors(lateral: Sequence[Axis], plane: Plane) -> Array | None:
    """Return x and y (rows) of the steps to the next inline and crossline (columns); 0 for an axis of one line."""
    if not plane:
        return None
    steps = [axis.step or math.nan for axis in lateral]
    columns = [
        [0.0, 0.0] if len(axis) == 1 else [row[k + 1] * step for row in plane]
        for k, (axis, step) in enumerate(zip(lateral, steps, strict=True))
    ]
    vectors = np.array([[0.0, 0.0]] * (2 - len(columns)) + columns).T
    return vectors if np.isfinite(vectors).all() and vectors.any() else None


def shape_of(place: Array, normal: Array, steps: Steps) -> dict[str, float]:
    """Return angles and sizes of a patch, on the grid and, as far as the steps are known, in the earth."""
    dip, strike = (float(one) for one in angles_of(normal))
    inline, crossline, sample = place.T.astype(float)
    found = {"dip_deg": dip, "strike_deg": strike, **dict.fromkeys((*ANGLES[2:], *SIZES), math.nan)}
    found |= {"length": _extent(inline, crossline, strike), "height": float(np.ptp(sample))}
    found["height_m"] = found["height"] * steps.sample
    if math.isfinite(steps.inline * steps.crossline):
        sample_m = steps.sample if math.isfinite(steps.sample) else 1.0  # the strike does not depend on it
        dip_earth, strike_earth = map(
            float,
            to_earth(
                np.array(dip), np.array(strike), sample_m=sample_m, crossline_m=steps.crossline, inline_m=steps.inline
            ),
        )
        found |= {
            "dip_earth_deg": dip_earth if math.isfinite(steps.sample) else math.nan,
            "strike_earth_deg": strike_earth,
            "length_m": _extent(inline * steps.inline, crossline * steps.crossline, strike_earth),
        }
        if steps.azimuths is not None:
            s, down = math.radians(strike_earth), math.copysign(1, 90 - dip)  # above 90 it leans to the other side
            found["strike_azimuth_deg"] = _azimuth(math.cos(s), math.sin(s), steps.azimuths)
            found["dip_azimuth_deg"] = _azimuth(-down * math.sin(s), down * math.cos(s), steps.azimuths)
    # what is just below a turn would be rounded to it
    return {name: round(value, 2) % TURNS[name] if name in TURNS else round(value, 2) for name, value in found.items()}


def _azimuth(inline: float, crossline: float, azimuths: tuple[float, float]) -> float:
    """Return where a direction points, given along rising inlines and crosslines, in degrees clockwise from y."""
    a, b = np.radians(azimuths)
    east, north = inline * math.sin(a) + crossline * math.sin(b), inline * math.cos(a) + crossline * math.cos(b)
    return math.degrees(math.atan2(east, north))


def _extent(inline: Array, crossline: Array, strike_deg: float) -> float:
    """Return how far places reach along a strike."""
    s = math.radians(strike_deg)
    return float(np.ptp(inline * math.cos(s) + crossline * math.sin(s)))
