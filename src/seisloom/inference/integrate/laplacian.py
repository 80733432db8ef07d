"""L = D'D of the differences of neighbours, solved and filtered by cosines, and its right-hand side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

import numpy as np
from scipy import fft

from seisloom.errors import DataError
from seisloom.sample import Array


def solved(rhs: Array) -> Array:
    """Return the solution of L r = rhs with mean 0; `rhs` is overwritten."""
    return filtered(rhs, inverse)


def filtered(values: Array, response: Callable[[Array], Array]) -> Array:
    """Return a function of L applied to values, which are overwritten."""
    spectrum = fft.dctn(values, norm="ortho", overwrite_x=True)
    multiply(spectrum, eigenvalues([np.pi * np.arange(n) / n for n in values.shape]), response)
    return np.asarray(fft.idctn(spectrum, norm="ortho", overwrite_x=True))


def inverse(L: Array) -> Array:
    return np.divide(1, L, out=np.zeros_like(L), where=L > 0)


def eigenvalues(angles: Sequence[Array]) -> list[Array]:
    """Return those of the second difference along each axis; L's are their sums."""
    return [4 * np.sin(theta / 2) ** 2 for theta in angles]


def multiply(spectrum: Array, eigenvalues: Sequence[Array], response: Callable[[Array], Array]) -> None:
    """Multiply a spectrum by a function of L in place, a few slices at once."""
    rest = np.zeros(())
    for values in eigenvalues[1:]:
        rest = np.add.outer(rest, values)
    n = max(65536 // rest.size, 1)
    for start in range(0, len(spectrum), n):
        some = slice(start, start + n)
        spectrum[some] *= response(np.add.outer(eigenvalues[0][some], rest)).astype(spectrum.dtype)


def add_divergence(rhs: Array, steps: Array, axis: int) -> None:
    """Add D'g of the increments along an axis, one shorter than `rhs`, in place."""
    rhs = np.moveaxis(rhs, axis, 0)
    steps = np.moveaxis(steps, axis, 0)
    rhs[:-1] -= steps
    rhs[1:] += steps


def leading(values: Array, axis: int) -> Array:
    """All increments but one beyond the last: none if there is none beyond."""
    return values[(slice(None),) * axis + (slice(0, -1),)]


def checked(increments: Sequence[Array]) -> tuple[int, ...]:
    shape = increments[0].shape if increments else ()
    if len(increments) != len(shape) or any(g.shape != shape for g in increments) or not prod(shape):
        raise DataError(
            f"arrays of the shapes {[g.shape for g in increments]}; one is needed for each axis of the volume, all of "
            "its shape"
        )
    return shape


def on_axis(values: Array, axis: int, n_axes: int) -> Array:
    return values.reshape([-1 if k == axis else 1 for k in range(n_axes)])
