"""Slopes of events where traces are missing, from how well the live traces around a place agree along each slope."""

from __future__ import annotations

import numpy as np
from numba import njit

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.restoration.panel import checked, checked_positions

SILENT = 1e-10
"""Energy of a window, over the largest there is, below which it is silent: a running sum keeps no more digits."""


def scan_slopes(
    values: Array,
    is_live: Array,
    *,
    slopes: tuple[float, float] = (-5.0, 5.0),
    step: float = 0.1,
    n_beside: int = 3,
    n_samples: int = 15,
    positions: Array | None = None,
) -> tuple[Array, Array]:
    """Return the slope along which live traces agree best around each sample, and their semblance along it.

    A scan sees slopes that a structure tensor, which follows gradients, takes for their alias.

    Args:
        values, is_live: see `panel`.
        slopes: smallest and largest that is tried, in samples a trace (or a unit of `positions`).
        step: between slopes that are tried.
        n_beside: live traces on either side that are looked at, of a live trace also itself.
        n_samples: half length of the window along time over which agreement is summed.
        positions: increasing, (trace,); None for equal steps of 1.
    Returns:
        Slope and semblance, float64 (trace, time); a semblance of 0 where all is silent.
    Raises:
        DataError: see `panel`; or a parameter does not fit.
    Source: semblance of Neidell & Taner (1971), Geophysics 36(3), 482-497.
    """
    if not slopes[0] < slopes[1] or not step > 0 or n_beside < 1 or n_samples < 0:
        raise DataError(
            f"slopes {slopes} must rise, step {step} be above 0, n_beside {n_beside} at least 1 and n_samples "
            f"{n_samples} at least 0"
        )
    x, live = checked(values, is_live)
    tried = np.arange(slopes[0], slopes[1] + step / 2, step)
    places = checked_positions(positions, len(x))
    return _scan(x.astype(np.float64), np.flatnonzero(live), places, tried, n_beside, n_samples)


@njit(cache=True, nogil=True, fastmath=True)
def _scan(x: Array, known: Array, places: Array, tried: Array, n_beside: int, n_samples: int) -> tuple[Array, Array]:
    n_traces, n_time = x.shape
    best, slope = np.zeros((n_traces, n_time)), np.zeros((n_traces, n_time))
    for trace in range(n_traces):
        at = np.searchsorted(known, trace)
        behind = at + 1 if at < len(known) and known[at] == trace else at
        used = known[max(at - n_beside, 0) : behind + n_beside]
        for p in tried:
            total, energy = np.zeros(n_time), np.zeros(n_time)
            for other in used:
                shift = p * (places[other] - places[trace])
                whole = int(np.floor(shift))
                share = shift - whole
                for t in range(max(0, -whole), min(n_time, n_time - 1 - whole)):
                    value = (1 - share) * x[other, t + whole] + share * x[other, t + whole + 1]
                    total[t] += value
                    energy[t] += value * value
            least = SILENT * (2 * n_samples + 1) * energy.max()
            over = under = 0.0
            for t in range(-n_samples, n_time):
                if t + n_samples < n_time:
                    over += total[t + n_samples] ** 2
                    under += energy[t + n_samples]
                if t > n_samples:
                    over -= total[t - n_samples - 1] ** 2
                    under -= energy[t - n_samples - 1]
                if t >= 0 and under > least and over > best[trace, t] * under * len(used):
                    best[trace, t] = min(over / (under * len(used)), 1.0)
                    slope[trace, t] = p
    return slope, best


@njit(cache=True, nogil=True)
def along(x: Array, slope: Array, distance: float, t: int) -> float:
    """Return a trace's sample where an event through time t arrives, `distance` traces away; 0 beyond its ends.

    Cubic (Catmull-Rom) between samples: linear interpolation takes a tenth off the amplitude of short periods.

    Args:
        x: the trace, (time,).
        slope: in samples a trace at time t.
    """
    place = t + slope * distance
    whole = int(np.floor(place))
    s = place - whole
    if whole < 0 or whole > len(x) - 1:
        return 0.0
    a, b = x[max(whole - 1, 0)], x[whole]
    c, d = x[min(whole + 1, len(x) - 1)], x[min(whole + 2, len(x) - 1)]
    return b + 0.5 * s * (c - a + s * (2 * a - 5 * b + 4 * c - d + s * (3 * (b - c) + d - a)))  # type: ignore[no-any-return]
