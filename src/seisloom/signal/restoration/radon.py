"""Missing traces filled by the few straight waves that explain a window at all frequencies: beyond aliasing, too."""

from __future__ import annotations

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.restoration.panel import checked, put_back
from seisloom.signal.restoration.solve import solve_chosen
from seisloom.signal.restoration.spectra import Spectra, by_frequency
from seisloom.signal.restoration.windows import Windows

SLOPES_IN_A_BEAM = 2.0
"""Slopes in the width 1 / (f_max n_traces) of a beam; with more of them nothing changes, with 1 events fall between."""


def radon_fill(
    values: Array,
    is_live: Array,
    *,
    slopes: tuple[float, float] = (-5.0, 5.0),
    n_traces: int = 16,
    n_samples: int = 64,
    n_iterations: int = 5,
    damping: float = 0.05,
) -> Array:
    """Return dead traces filled by linear Radon transforms of windows whose weights are common to all frequencies.

    An alias of a wave has another slope at each frequency, the wave itself one: the weights W, powers of each slope
    summed over frequencies, single it out. At each frequency m = W L^H (M L W L^H M + mu I)^-1 d, L = exp(-i omega p x)
    and M the live traces; then W = sum |m|^2 anew.

    Args:
        values, is_live: see `panel`; equally spaced traces.
        slopes: smallest and largest slope of events, in samples a trace; of time rising with the trace is positive.
            A range that is true leaves fewer aliases.
        n_traces, n_samples: size of the windows, within which events are straight; a window of a smaller panel has all
            of its traces.
        n_iterations: 1 is least squares with damping; 4 to 8 are usual.
        damping: mu as a share of the mean diagonal of L W L^H, above 0: the power of noise over that of the signal.
    Raises:
        DataError: see `panel.checked`; or a parameter does not fit.
    Source: Herrmann, Mojesky, Magesan & Hugonnet (2000), De-aliased, high-resolution Radon transforms, SEG abstracts,
        1953-1956, with weights of all frequencies at once instead of from low to high; dual form after Sacchi & Ulrych
        (1995), Geophysics 60, 1169-1177.
    """
    if not slopes[0] < slopes[1] or n_iterations < 1 or not damping > 0:
        raise DataError(
            f"slopes {slopes} must rise, n_iterations {n_iterations} be at least 1, damping {damping} above 0"
        )
    x, live = checked(values, is_live)
    windows = Windows.of(x.shape, n_traces, n_samples)

    def fill(seen: Spectra) -> Array:
        return _fill(seen, slopes, n_iterations, damping)

    return put_back(by_frequency(x, live, windows, fill), x, live)


def _fill(seen: Spectra, slopes: tuple[float, float], n_iterations: int, damping: float) -> Array:
    n = seen.values.shape[-1]
    n_slopes = int(np.ceil((slopes[1] - slopes[0]) * seen.frequency[-1] * n * SLOPES_IN_A_BEAM)) + 2
    slope, lag = np.linspace(*slopes, n_slopes), np.arange(1 - n, n)
    turn = -2j * np.pi * seen.frequency[:, None, None] * slope[:, None] * lag
    steering = np.exp(turn).astype(seen.values.dtype)  # (frequency, slope, lag)
    onto = np.ascontiguousarray(steering[:, :, n - 1 :].conj())
    data = seen.values.swapaxes(0, 1)  # (frequency, window, trace), for products by frequency
    between = np.arange(n)[:, None] - np.arange(n) + n - 1
    weight = np.full((len(seen.values), n_slopes), 1 / n_slopes, dtype=data.real.dtype)
    for _ in range(n_iterations):
        # Equal steps make L W L^H a Toeplitz matrix: of its 2 n - 1 values, not n^2
        covariance = (weight @ steering).swapaxes(0, 1)[:, :, between]
        covariance[..., np.arange(n), np.arange(n)] += data.real.dtype.type(damping)
        explained = solve_chosen(covariance.astype(np.complex128), seen.values.astype(np.complex128), seen.is_live)
        found = weight * (
            explained.swapaxes(0, 1).astype(data.dtype) @ onto.swapaxes(1, 2)
        )  # m, (frequency, window, slope)
        power = np.sum(np.abs(found) ** 2, axis=0)
        total = power.sum(axis=1, keepdims=True)
        weight = np.divide(power, total, out=weight, where=total > 0)
    return np.asarray((found @ steering[:, :, n - 1 :]).swapaxes(0, 1))
