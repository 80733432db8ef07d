"""Least-squares problems of some traces of a window, compiled: thousands of systems with a dozen unknowns each."""

from __future__ import annotations

import numpy as np
from numba import njit

from seisloom.sample import Array


@njit(cache=True, nogil=True)
def solve_chosen(matrices: Array, right: Array, chosen: Array) -> Array:
    """Return solutions of Hermitian positive definite systems, each of the chosen rows and columns alone.

    Args:
        matrices: complex128 (window, frequency, n, n); only the lower triangle is looked at.
        right: complex128 (window, frequency, n).
        chosen: bool (window, n).
    Returns:
        complex128 (window, frequency, n), 0 where not chosen. A pivot that is not positive takes its unknown as 0.
    Source: Cholesky's decomposition, Golub & Van Loan (2013), Matrix computations, sec. 4.2.
    """
    n_windows, n_frequencies, n = right.shape
    found = np.zeros_like(right)
    L = np.empty((n, n), dtype=np.complex128)
    y = np.empty(n, dtype=np.complex128)
    for window in range(n_windows):
        rows = np.flatnonzero(chosen[window])
        for frequency in range(n_frequencies):
            A, b = matrices[window, frequency], right[window, frequency]
            for i in range(len(rows)):
                for j in range(i + 1):
                    total = np.complex128(A[rows[i], rows[j]])
                    for k in range(j):
                        total -= L[i, k] * np.conj(L[j, k])
                    if i > j:
                        L[i, j] = total / L[j, j] if L[j, j] != 0 else 0
                    else:
                        L[i, i] = np.sqrt(total.real) if total.real > 0 else 0
                rest = np.complex128(b[rows[i]])
                for k in range(i):
                    rest -= L[i, k] * y[k]
                y[i] = rest / L[i, i] if L[i, i] != 0 else 0
            for i in range(len(rows) - 1, -1, -1):
                rest = y[i]
                for k in range(i + 1, len(rows)):
                    rest -= np.conj(L[k, i]) * y[k]
                y[i] = rest / L[i, i] if L[i, i] != 0 else 0
                found[window, frequency, rows[i]] = y[i]
    return found
