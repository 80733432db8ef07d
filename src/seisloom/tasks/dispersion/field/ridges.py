"""Ridges of a spectrum: the best way through its peaks, what belongs to one curve, ghosts, and the order of curves."""

from __future__ import annotations

import numpy as np
from numba import njit

from seisloom.sample import Array
from seisloom.signal.velocity_spectra.limits import ArrayLimits

GHOST = 0.9
"""A pick is a ghost's where the wave it may be a ghost of, one turn a spacing slower, has this share or more of the
smallest velocity that was picked."""
SIDELOBE = 0.15
"""A ridge is a side lobe of a brighter one if their distance in wavenumber varies by less, in 2 pi / L."""
APART = 0.3
"""Parts of a ridge on both sides of a gap belong to one curve if ln velocity differs by less."""


@njit(cache=True, nogil=True)
def best_way(gain: Array, ln_c: Array, ln_f: Array, jump: float, half_gap: float) -> Array:
    """Return the row of the best way through the columns, (column,), -1 where there is none; below 0 is closed."""
    n, m = gain.shape
    came = np.full((n + 1, m), n)  # the last row: no pick
    best = np.full(n + 1, -np.inf)
    best[n] = 0.0
    for j in range(m):
        now = np.full(n + 1, -np.inf)
        now[n] = best[n]
        for i in range(n):
            if best[i] - half_gap > now[n]:
                now[n], came[n, j] = best[i] - half_gap, i
        for i in range(n):
            if gain[i, j] < 0:
                continue
            value, source = best[n] - (half_gap if j else 0.0), n
            for k in range(n):
                if best[k] > -np.inf:
                    beyond = max(0.0, abs(ln_c[i] - ln_c[k]) - (ln_f[j] - ln_f[j - 1]))
                    if best[k] - jump * beyond > value:
                        value, source = best[k] - jump * beyond, k
            now[i], came[i, j] = value + gain[i, j], source
        best = now
    way = np.empty(m, np.int64)
    at = int(np.argmax(best))
    for j in range(m - 1, -1, -1):
        way[j] = at if at < n else -1
        at = came[at, j]
    return way


def one_curve(way: Array, gain: Array, ln_c: Array) -> Array:
    """Return the part of a way with the largest sum that has no leap over a gap; the rest is left for other ridges."""
    has = np.flatnonzero(way >= 0)
    leaps = (np.diff(has) > 1) & (np.abs(np.diff(ln_c[way[has]])) > APART)
    parts = np.split(has, np.flatnonzero(leaps) + 1)
    best = max(parts, key=lambda part: gain[way[part], part].sum())
    kept = np.full(len(way), -1)
    kept[best] = way[best]
    return kept


def without_ghosts(rows: Array, velocity: Array, frequency: Array, limits: ArrayLimits | None) -> Array:
    """Return rows without those of a ghost: k may be 2 pi / spacing more, where waves as slow as other picks are."""
    if limits is None or not (rows >= 0).any():
        return rows
    c = np.where(rows >= 0, velocity[rows], np.nan)
    turn = 1 / (1 / c + 1 / (frequency * limits.spacing_m))
    return np.where(turn >= GHOST * np.nanmin(c), -1, rows)


def without_sidelobes(rows: Array, velocity: Array, frequency: Array, limits: ArrayLimits | None) -> Array:
    """Return rows, the brightest first, without those that keep one distance in wavenumber from a brighter one.

    The response of a spread, above all of an irregular one, has lobes beside its peak, at the same places for all
    frequencies; modes come nearer and part.
    """
    if limits is None:
        return rows
    k = np.where(rows >= 0, 2 * np.pi * frequency / velocity[rows], np.nan)
    kept = rows.copy()
    for i in range(1, len(rows)):
        for j in range(i):
            distance = (k[i] - k[j])[np.isfinite(k[i] - k[j])]
            if len(distance) > 4 and distance.std() < SIDELOBE * limits.wavenumber_resolution_rad_m:
                kept[i] = -1
    return kept


def in_order(rows: Array) -> Array:
    """Return ridges by velocity where they are nearest in frequency, the slowest first and empty ones last."""
    ordered: list[Array] = []
    for row in (one for one in rows if (one >= 0).any()):
        places = [k for k, other in enumerate(ordered) if _is_slower(row, other)]
        ordered.insert(places[0] if places else len(ordered), row)
    return np.array(ordered + [np.full(rows.shape[1], -1)] * (len(rows) - len(ordered)))


def _is_slower(row: Array, other: Array) -> bool:
    here, there = np.flatnonzero(row >= 0), np.flatnonzero(other >= 0)
    distance = np.abs(here[:, None] - there)
    pairs = np.argwhere(distance == distance.min())
    return bool(np.mean([row[here[i]] - other[there[j]] for i, j in pairs]) < 0)
