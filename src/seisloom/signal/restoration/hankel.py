"""Hankel matrices of spectra along traces, and projections onto matrices of low rank; batched over all leading axes.

The spectrum of k straight events at one frequency is a sum of k complex exponentials along equally spaced traces, whose
Hankel matrix has rank k; noise and missing traces raise the rank.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from seisloom.sample import Array

Shrink: TypeAlias = Callable[[Array], Array]
"""From singular values (..., rank), falling, to the factors in 0..1 that they are multiplied by."""


def hankel(spectra: Array) -> Array:
    """Return the Hankel matrices (..., row, column) of spectra (..., trace), as square as may be; a view.

    >>> hankel(np.array([1, 2, 3, 4])).tolist()
    [[1, 2], [2, 3], [3, 4]]
    """
    return np.lib.stride_tricks.sliding_window_view(spectra, spectra.shape[-1] // 2, axis=-1)


def mean_antidiagonals(matrices: Array) -> Array:
    """Return spectra (..., trace) whose Hankel matrices are nearest to these (..., row, column), in least squares.

    >>> mean_antidiagonals(np.array([[1.0, 2], [4, 3], [5, 4]])).tolist()
    [1.0, 3.0, 4.0, 4.0]
    """
    n_rows, n_columns = matrices.shape[-2:]
    total = np.zeros((*matrices.shape[:-2], n_rows + n_columns - 1), dtype=matrices.dtype)
    for row in range(n_rows):
        total[..., row : row + n_columns] += matrices[..., row, :]
    counts = np.convolve(np.ones(n_rows), np.ones(n_columns))
    return np.asarray(total / counts.astype(matrices.real.dtype))


def low_rank(matrices: Array, shrink: Shrink) -> Array:
    """Return matrices (..., row, column) with shrunk singular values.

    The vectors are those of the smaller Gram matrix, which is several times faster than a singular value decomposition;
    singular values below sqrt(eps) of the largest are not resolved by it, and are noise here.
    """
    gram = matrices.conj().swapaxes(-1, -2) @ matrices
    squares, vectors = np.linalg.eigh(gram)
    factors = shrink(np.sqrt(np.maximum(squares[..., ::-1], 0)))[..., ::-1]
    kept = factors.max(axis=tuple(range(factors.ndim - 1))) > 0  # vectors that no matrix keeps need no product
    V = vectors[..., kept]
    return np.asarray((matrices @ (V * factors[..., None, kept].astype(V.real.dtype))) @ V.conj().swapaxes(-1, -2))


def keep_rank(rank: int) -> Shrink:
    """Return the shrinking that keeps the largest singular values: truncation, Oropeza & Sacchi (2011)."""
    return lambda singular: (np.arange(singular.shape[-1]) < rank).astype(singular.dtype) + np.zeros_like(singular)


def damped_rank(rank: int, damping: int) -> Shrink:
    """Return the truncation whose kept values are damped by 1 - (s_{rank+1} / s_i)^damping.

    Source: Huang, Zhang, Li, Chen & Wang (2016), Damped multichannel singular spectrum analysis for 3D random noise
    attenuation, Geophysics 81(4), V261-V270: noise leaks into the signal's values, the more the less they stand
    out. Larger damping damps less; without end it truncates.
    """

    def shrink(singular: Array) -> Array:
        if rank >= singular.shape[-1]:
            return np.ones_like(singular)
        noise = singular[..., rank : rank + 1]
        ratio = np.divide(noise, singular, out=np.ones_like(singular), where=singular > noise)
        return np.asarray(np.where(np.arange(singular.shape[-1]) < rank, 1 - ratio**damping, 0))

    return shrink


def soft(threshold: Array) -> Shrink:
    """Return the shrinking of s to max(s - threshold, 0); one threshold a matrix, of shape (..., 1)."""

    def shrink(singular: Array) -> Array:
        over = np.maximum(singular - threshold, 0)
        return np.asarray(np.divide(over, singular, out=np.zeros_like(singular), where=singular > 0))

    return shrink
