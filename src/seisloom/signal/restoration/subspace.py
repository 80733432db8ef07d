"""Windows filled so that their Hankel matrices have a low rank, compiled; the subspace is carried along.

A decomposition in each iteration finds what changes little between two of them. One step of orthogonal iteration from
the last subspace follows it at a tenth of the cost.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from seisloom.sample import Array

FIRST_STEPS = 4
"""Steps of orthogonal iteration before the first filling."""


@njit(cache=True, nogil=True)
def fill_low_rank(spectra: Array, is_live: Array, rank: int, damping: int, thresholds: Array) -> Array:
    """Return spectra filled by projections of their Hankel matrices, with the live traces put back after each.

    Args:
        spectra: complex128 (window, frequency, trace), zeros in dead traces.
        is_live: bool (window, trace).
        rank: largest number of singular values that are kept.
        damping: exponent of `hankel.damped_rank`; 0 damps nothing.
        thresholds: what is taken off singular values in each iteration, as a share of the largest of the first matrix,
            (iteration,); zeros truncate only.
    Returns:
        complex128 (window, frequency, trace).
    """
    n_windows, n_frequencies, n = spectra.shape
    n_columns = n // 2
    n_rows = n + 1 - n_columns
    n_kept = min(rank, n_columns)
    n_vectors = min(n_kept + 1, n_columns)  # one more tells what noise there is
    filled = spectra.copy()
    V = np.empty((n_vectors, n_columns), dtype=spectra.dtype)
    U = np.empty((n_vectors, n_rows), dtype=spectra.dtype)
    factors = np.empty(n_kept)
    for window in range(n_windows):
        for frequency in range(n_frequencies):
            x = filled[window, frequency]
            for v in range(n_vectors):
                V[v] = 0
                V[v, v] = 1
                _onto_rows(x, V[v], U[v])
            for _ in range(FIRST_STEPS):
                _step(x, V, U)
            largest = np.sqrt(_energy(U[0]))
            for threshold in thresholds:
                _step(x, V, U)
                singular = np.array([np.sqrt(_energy(U[v])) for v in range(n_vectors)])
                for v in range(n_kept):
                    factors[v] = _factor(singular, v, n_kept, damping, threshold * largest)
                for trace in range(n):
                    if not is_live[window, trace]:
                        x[trace] = _mean_antidiagonal(U, V, factors, trace)
    return filled


@njit(cache=True, nogil=True, fastmath=True)
def _step(x: Array, V: Array, U: Array) -> None:
    """V = orthonormal(H^H U), then U = H V, of the Hankel matrix H of x; vectors are rows."""
    n_vectors, n_columns = V.shape
    n_rows = U.shape[1]
    for v in range(n_vectors):
        for column in range(n_columns):
            total = x[0] * 0
            for row in range(n_rows):
                total += np.conj(x[row + column]) * U[v, row]
            V[v, column] = total
    for v in range(n_vectors):
        for other in range(v):
            inner = x[0] * 0
            for column in range(n_columns):
                inner += np.conj(V[other, column]) * V[v, column]
            for column in range(n_columns):
                V[v, column] -= inner * V[other, column]
        length = np.sqrt(_energy(V[v]))
        for column in range(n_columns):
            V[v, column] = V[v, column] / length if length > 0 else 0
        _onto_rows(x, V[v], U[v])


@njit(cache=True, nogil=True, fastmath=True)
def _onto_rows(x: Array, vector: Array, product: Array) -> None:
    """The product of the Hankel matrix of x and a vector."""
    for row in range(len(product)):
        total = x[0] * 0
        for column in range(len(vector)):
            total += x[row + column] * vector[column]
        product[row] = total


@njit(cache=True, nogil=True, fastmath=True)
def _mean_antidiagonal(U: Array, V: Array, factors: Array, trace: int) -> complex:
    """The mean of U diag(factors) V^H along the antidiagonal that stands for a trace."""
    n_rows, n_columns = U.shape[1], V.shape[1]
    first, stop = max(0, trace - n_columns + 1), min(n_rows, trace + 1)
    total = U[0, 0] * 0
    for v in range(len(factors)):
        if factors[v] > 0:
            inner = U[0, 0] * 0
            for row in range(first, stop):
                inner += U[v, row] * np.conj(V[v, trace - row])
            total += inner * factors[v]
    return total / (stop - first)  # type: ignore[no-any-return]


@njit(cache=True, nogil=True)
def _energy(vector: Array) -> float:
    total = 0.0
    for value in vector:
        total += value.real**2 + value.imag**2
    return total


@njit(cache=True, nogil=True)
def _factor(singular: Array, v: int, n_kept: int, damping: int, threshold: float) -> float:
    """What a singular value is multiplied by."""
    factor = max(singular[v] - threshold, 0.0) / singular[v] if singular[v] > 0 else 0.0
    if damping > 0 and n_kept < len(singular) and singular[v] > 0:
        factor *= max(1 - (singular[n_kept] / singular[v]) ** damping, 0.0)
    return factor
