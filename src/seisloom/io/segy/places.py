"""Where sources and groups are: coordinates of header words in m, or as angles on the earth, and offsets."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from seisloom.io.segy.layout import SegyLayout
from seisloom.sample import Array

METERS_IN_A_FOOT = 0.3048
EARTH_RADIUS_M = 6_371_008.8  # mean radius, Moritz (2000), Geodetic Reference System 1980
FARTHEST_M = 1e6
"""More than an offset of active sources: the distance of projected coordinates to their origin."""
DEGREES = {2: 1 / 3600, 3: 1.0}
"""Degrees in a unit of coordinates by bytes 89-90: seconds of arc, decimal degrees."""
PLACES = ("source_x", "source_y", "group_x", "group_y")


def scale(scalar: Array) -> Array:
    """Return the factor of a SEG-Y scalar: negative divides, positive multiplies, 0 is 1.

    >>> scale(np.array([-100, 10, 0])).tolist()
    [0.01, 10.0, 1.0]
    """
    size = np.where(scalar == 0, 1.0, np.abs(scalar.astype(np.float64)))
    return np.where(scalar < 0, 1.0 / size, size)


def places_of(words: Mapping[str, Array], layout: SegyLayout, notes: list[str]) -> tuple[dict[str, Array], Array]:
    """Return coordinates and offsets in m, NaN where they are not known."""
    unknown = np.full(layout.n_traces, np.nan)
    unit_m = METERS_IN_A_FOOT if layout.in_feet else 1.0
    stated = np.abs(words["offset"]) * unit_m if np.any(words["offset"]) else unknown
    factor = scale(words["coordinate_scalar"])
    place = {name: words[name] * factor for name in PLACES}
    if layout.in_feet:
        notes.append("coordinates and offsets are in feet (bytes 3255-3256) and are converted to meters")
    if not any(np.any(one) for one in place.values()):
        return dict.fromkeys(PLACES, unknown), stated
    degrees = _degrees(words["coordinate_units"], place)
    if degrees is not None:
        notes.append("coordinates are angles (bytes 89-90) and give offsets alone, where bytes 37-40 have none")
        return dict.fromkeys(PLACES, unknown), np.where(np.isfinite(stated), stated, _great_circle_m(degrees))
    place = {name: one * unit_m for name, one in place.items()}
    return place, offset_of(stated, place, notes)


def _degrees(units: Array, place: Mapping[str, Array]) -> dict[str, Array] | None:
    """Return coordinates in degrees where that is their unit in every trace, and they can be degrees."""
    if np.ptp(units) > 0 or int(units[0]) not in DEGREES:
        return None
    degrees = {name: one * DEGREES[int(units[0])] for name, one in place.items()}
    possible = all(np.max(np.abs(one)) <= (360 if name.endswith("x") else 90) for name, one in degrees.items())
    return degrees if possible else None


def _great_circle_m(degrees: Mapping[str, Array]) -> Array:
    """Return the distance of source and group in m on a sphere, by the haversine formula."""
    lon_s, lat_s, lon_g, lat_g = (np.radians(degrees[name]) for name in PLACES)
    h = np.sin((lat_g - lat_s) / 2) ** 2 + np.cos(lat_s) * np.cos(lat_g) * np.sin((lon_g - lon_s) / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(h)))


def offset_of(stated: Array, place: Mapping[str, Array], notes: list[str]) -> Array:
    apart = np.hypot(place["group_x"] - place["source_x"], place["group_y"] - place["source_y"])
    if not np.any(apart > 0):
        return stated
    one_end = any(not np.any(place[f"{end}_x"]) and not np.any(place[f"{end}_y"]) for end in ("source", "group"))
    if one_end and _one_end_is_unknown(apart, stated):
        notes.append("sources or groups have no coordinates: offsets are those of bytes 37-40, if there are any")
        return stated
    return np.asarray(apart)  # the header word is a whole number of meters; coordinates know better


def _one_end_is_unknown(apart: Array, stated: Array) -> bool:
    """Tell coordinates that were left empty from an end of the line that lies at the origin of its coordinates."""
    if np.isfinite(stated).all():
        return bool(np.median(np.abs(apart - stated) - 0.05 * stated) > 1)
    return bool(np.median(apart) > FARTHEST_M)
