"""Projection onto convex sets: the strong part of a window's two-dimensional spectrum and the live traces, in turns."""

from __future__ import annotations

import numpy as np
from scipy.fft import fftfreq, irfft2, next_fast_len, rfft2, rfftfreq

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.restoration.panel import checked, put_back
from seisloom.signal.restoration.windows import Windows

BEYOND = 1.5
"""Length of a window's transform over its traces: traces beyond it are unknown too, so that its ends need not meet."""


def pocs_fill(
    values: Array,
    is_live: Array,
    *,
    weakest: float = 0.005,
    n_traces: int = 30,
    n_samples: int = 100,
    n_iterations: int = 30,
    slopes: tuple[float, float] | None = None,
) -> Array:
    """Return dead traces filled from the strongest Fourier coefficients (frequency, wavenumber) of windows.

    Coefficients below a threshold are set to 0, then the live traces put back; the threshold falls exponentially from
    the largest coefficient.

    Args:
        values, is_live: see `panel`; equally spaced traces.
        weakest: last threshold as a share of the largest coefficient of the window, above 0 and below 1.
        n_traces, n_samples: size of the windows; a window of a smaller panel has all of its traces.
        n_iterations: steps of the threshold.
        slopes: smallest and largest slope of events in samples a trace: other coefficients are taken as 0. Without it
            a trace every n-th of which is live is its own alias, and is filled with zeros.
    Raises:
        DataError: see `panel.checked`; or a parameter does not fit.
    Source: Abma & Kabir (2006), Geophysics 71(6), E91-E97; thresholds of Gao, Chen, Li, Liu & Ma (2010), Irregular
        seismic data reconstruction based on exponential threshold model of POCS method, Applied Geophysics 7, 229-238;
        windows and their unknown surroundings are ours.
    """
    if not 0 < weakest < 1 or n_iterations < 1:
        raise DataError(f"weakest is {weakest} and n_iterations {n_iterations}: between 0 and 1, and at least 1")
    if slopes is not None and not slopes[0] < slopes[1]:
        raise DataError(f"slopes {slopes} must rise: the smallest and the largest in samples a trace")
    x, live = checked(values, is_live)
    windows = Windows.of(x.shape, n_traces, n_samples)
    cut, known = windows.cut(x), windows.cut_traces(live)[..., None]
    width, length = cut.shape[1:]
    shape = (next_fast_len(int(np.ceil(BEYOND * width))), next_fast_len(length, real=True))
    padded = np.zeros((len(cut), *shape), dtype=cut.dtype)
    padded[:, :width, :length] = cut
    observed = np.zeros((len(cut), *shape), dtype=bool)
    observed[:, :width] = known
    fan = 1 if slopes is None else in_fan(shape, slopes).astype(cut.dtype)
    spectra = fan * rfft2(padded)
    largest = np.abs(spectra).max(axis=(1, 2), keepdims=True)
    filled = padded
    for share in np.geomspace(0.99, weakest, n_iterations):
        kept = np.where(np.abs(spectra) >= share * largest, spectra, 0)
        filled = np.where(observed, padded, irfft2(kept, shape))
        spectra = fan * rfft2(filled)
    return put_back(windows.join(filled[:, :width, :length]), x, live)


def in_fan(shape: tuple[int, int], slopes: tuple[float, float]) -> Array:
    """Return which coefficients of `rfft2` belong to events of these slopes, bool (wavenumber, frequency).

    A coefficient more is taken on either side, over which an event within a window spreads. Beyond the Nyquist
    wavenumber the fan goes on where its alias lies.

    Args:
        shape: traces and samples of the transform.
        slopes: smallest and largest, in samples a trace.
    """
    k, f = fftfreq(shape[0])[:, None], rfftfreq(shape[1])
    low, high = -slopes[1] * f - 1 / shape[0], -slopes[0] * f + 1 / shape[0]
    return np.asarray((k - low) % 1.0 <= high - low)
