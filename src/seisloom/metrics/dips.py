"""Slopes of a panel's events in frequency and wavenumber: the fan that holds its signal, and its parts by dip."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.fft import irfft2, rfft2
from scipy.signal.windows import tukey

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.restoration.pocs import in_fan

LARGEST = 10.0
"""Slope in samples a trace beyond which nothing is looked for: water at 1.5 km/s, 30 m a trace, 2 ms."""
STEP = 0.25
HELD = 0.99
"""Share of a panel's energy that its fan holds."""
TAPERED = 0.5
"""Share of the traces, at both ends together, over which a panel is faded for its fan."""


def signal_slopes(values: Array, *, held: float = HELD) -> tuple[float, float]:
    """Return the narrowest range of slopes in samples a trace whose fan holds a share of a panel's energy.

    An event whose alias lies in the fan counts as held, so that a panel with steep events is given a wide fan and not
    one on the wrong side. Slopes are tried in steps of STEP up to LARGEST. Outer traces are tapered: an event that is
    cut off there would spread over all slopes.

    Args:
        values: (..., trace, time), zeros in traces that nobody knows.
        held: share of the energy, 0 to 1.
    Returns:
        Smallest and largest slope; -LARGEST and LARGEST if less than the share lies between them, and for silence.
    """
    shape = np.shape(values)[-2:]
    energy = power(values * tukey(shape[0] + 2, TAPERED)[1:-1, None])
    wanted = held * energy.sum()
    tried = np.arange(-LARGEST, LARGEST + STEP / 2, STEP)
    best, high = (-LARGEST, LARGEST), 0
    if not wanted > 0:
        return best
    for low in range(len(tried)):
        high = max(high, low + 1)
        # Whoever begins later ends no earlier: both ends only ever move up
        while high < len(tried) and energy[in_fan(shape, (tried[low], tried[high]))].sum() < wanted:
            high += 1
        if high >= len(tried):
            break
        if tried[high] - tried[low] < best[1] - best[0]:
            best = (float(tried[low]), float(tried[high]))
    return best


def power(values: Array) -> Array:
    """Return the energy of a panel at each coefficient of `rfft2`, (wavenumber, frequency), summed over lines.

    The sum is traces times samples times the sum of squares.

    Args:
        values: (..., trace, time), finite.
    """
    x = np.asarray(values, dtype=np.float64)
    if x.ndim < 2 or not np.isfinite(x).all():
        raise DataError(f"a spectrum needs finite values with axes (trace, time); these have shape {x.shape}")
    found = np.abs(rfft2(x)) ** 2
    # Columns between zero and Nyquist frequency stand for two
    found[..., 1 : (x.shape[-1] + 1) // 2] *= 2
    return np.asarray(found.reshape(-1, *found.shape[-2:]).sum(axis=0))


def dip_edges(values: Array, n_bands: int = 3) -> tuple[float, ...]:
    """Return |slope| in samples a trace between bands of dip that hold about equal shares of a panel's energy.

    Args:
        values: as in `signal_slopes`.
        n_bands: number of bands; equal edges, of a panel whose energy lies at one slope, are given once.
    Returns:
        Rising, at most n_bands - 1.
    """
    energy = power(values)
    shape, total = np.shape(values)[-2:], energy.sum()
    tried = np.arange(STEP, LARGEST + STEP / 2, STEP)
    share = np.array([energy[in_fan(shape, (-one, one))].sum() for one in tried]) / (total if total > 0 else 1.0)
    wanted = np.arange(1, n_bands) / n_bands
    found = np.minimum(np.searchsorted(share, wanted), len(tried) - 1)
    return tuple(float(tried[one]) for one in np.unique(found))


def dip_parts(values: Array, edges: Sequence[float]) -> list[Array]:
    """Return a panel's parts by dip, each of its shape: up to each edge, and beyond the last; their sum is the panel.

    Args:
        values: (..., trace, time).
        edges: |slope| in samples a trace, rising.
    """
    x = np.asarray(values, dtype=np.float64)
    spectrum, shape = rfft2(x), x.shape[-2:]
    before = np.zeros(spectrum.shape[-2:], dtype=bool)
    parts = []
    for edge in (*edges, np.inf):
        within = np.ones_like(before) if np.isinf(edge) else in_fan(shape, (-edge, edge))
        parts.append(np.asarray(irfft2(spectrum * (within & ~before), shape)))
        before = before | within
    return parts
