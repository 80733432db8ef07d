"""From arrivals to traces: every arrival is delayed by its exact time, in the frequency domain."""

from __future__ import annotations

import numpy as np
from numba import njit

from seisloom.sample import Array


def sum_arrivals(time_s: Array, amplitude: Array, absorbed_s: Array, frequency_hz: Array) -> Array:
    """Return the spectra of traces of arrivals: sum over them of a exp(-pi f t* - 2 pi i f t).

    Args:
        time_s: of each arrival, shape (arrival, trace).
        amplitude: complex, same shape: size and phase; arrivals that are 0 on all traces cost nothing.
        absorbed_s: t* = t / Q, same shape: absorption of a constant Q, without its dispersion, which is a delay and a
            rotation of phase that times and wavelets are drawn with anyway.
        frequency_hz: from 0 in even steps, shape (frequency,).
    Returns:
        complex128, shape (trace, frequency).
    """
    step = float(frequency_hz[1] - frequency_hz[0])
    turn = np.exp(step * (-np.pi * absorbed_s - 2j * np.pi * time_s)).T
    start = np.ascontiguousarray(amplitude.T, dtype=np.complex128)
    parts = [np.ascontiguousarray(one) for one in (start.real, start.imag, turn.real, turn.imag)]
    real, imag, turn_real, turn_imag = parts
    return np.asarray(_sum(real, imag, turn_real, turn_imag, len(frequency_hz)))


@njit(cache=True, nogil=True, fastmath=True)
def _sum(real: Array, imag: Array, turn_real: Array, turn_imag: Array, n_frequency: int) -> Array:
    """Step from frequency to frequency by one product an arrival: what it turns and shrinks by is a power of f."""
    n_trace, n_arrival = real.shape
    spectra = np.empty((n_trace, n_frequency), dtype=np.complex128)
    for trace in range(n_trace):
        # Arrivals that are not on this trace are left out of the loop that all the time is spent in
        n = 0
        a, b, c, d = np.empty((4, n_arrival))
        for j in range(n_arrival):
            if real[trace, j] != 0.0 or imag[trace, j] != 0.0:
                a[n], b[n], c[n], d[n] = real[trace, j], imag[trace, j], turn_real[trace, j], turn_imag[trace, j]
                n += 1
        for k in range(n_frequency):
            total_real, total_imag = 0.0, 0.0
            for j in range(n):
                total_real += a[j]
                total_imag += b[j]
                turned = a[j] * c[j] - b[j] * d[j]
                b[j] = a[j] * d[j] + b[j] * c[j]
                a[j] = turned
            spectra[trace, k] = complex(total_real, total_imag)
    return spectra
