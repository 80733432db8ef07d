"""Volumes that fit the memory: their increments, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from scipy import optimize

from seisloom.errors import DataError
from seisloom.inference.integrate.laplacian import add_divergence, checked, filtered, leading, solved
from seisloom.sample import Array


def increments(rgt: Array) -> tuple[Array, ...]:
    """Return the differences of neighbours along each axis, r[i + 1] - r[i] at i, each of the shape of `rgt`.

    The last index along the own axis repeats the one before: `integrate` does not look at it, but a blend of tiles
    would be drawn to 0 by it.

    >>> increments(np.array([1.0, 2.0, 4.0]))[0].tolist()
    [1.0, 2.0, 2.0]
    """
    return tuple(increment(rgt, axis) for axis in range(rgt.ndim))


def increment(rgt: Array, axis: int) -> Array:
    """Return the differences of neighbours along one axis, see `increments`."""
    steps = np.diff(rgt, axis=axis)
    last = steps.take([-1], axis=axis) if steps.shape[axis] else np.zeros_like(rgt)
    return np.concatenate([steps, last], axis=axis)


def integrate(increments: Sequence[Array]) -> Array:
    """Return the volume whose increments are nearest to these in least squares, float64, with mean 0.

    Args:
        increments: one for each axis, all of the volume's shape; see `increments`. Any number of axes.
    Raises:
        DataError: if there is not one for each axis, or shapes differ, or a value is not finite.
    """
    shape = checked(increments)
    rhs = np.zeros(shape)
    for axis, g in enumerate(increments):
        add_divergence(rhs, leading(g, axis), axis)
    if not np.isfinite(rhs).all():
        raise DataError("increments have values that are not finite; one of them would spoil the whole volume")
    return solved(rhs)


def integrate_weighted(increments: Sequence[Array], weights: Sequence[Array], *, n_steps: int = 30) -> Array:
    """Return the volume that minimises the sum of weights * (its increments - these)^2, float64, with mean 0.

    Conjugate gradients from the unweighted solution, and with it as the preconditioner. After k steps the error has
    fallen to about 2 ((sqrt c - 1) / (sqrt c + 1))^k of what it was, c = largest / smallest weight: keep c below 100.

    Args:
        increments: as in `integrate`.
        weights: one for each axis, of the volume's shape, above 0: low where tiles disagree. Only ratios matter.
        n_steps: at most; it ends sooner when the residual has fallen to 1e-6 of what it was.
    """
    shape = checked(increments)
    if checked(weights) != shape:
        raise DataError(f"weights have the shape {weights[0].shape}, increments {shape}; they must be the same")
    r = integrate(increments)
    residual = np.zeros(shape)
    for axis, (g, w) in enumerate(zip(increments, weights, strict=True)):
        add_divergence(residual, leading(w, axis) * (leading(g, axis) - np.diff(r, axis=axis)), axis)
    direction, norm, first = np.zeros(shape), 0.0, 0.0
    for _ in range(n_steps):
        preconditioned = solved(residual.copy())
        last, norm = norm, float(np.vdot(residual, preconditioned))
        first = first or norm
        if norm <= 1e-12 * first:
            break
        direction = preconditioned + (norm / last if last else 0.0) * direction
        applied = np.zeros(shape)
        for axis, w in enumerate(weights):
            add_divergence(applied, leading(w, axis) * np.diff(direction, axis=axis), axis)
        length = norm / float(np.vdot(direction, applied))
        r += length * direction
        residual -= length * applied
    return np.asarray(r - r.mean())


def integrate_near(increments: Iterable[Array], anchor: Array, *, reach: float) -> Array:
    """Return a volume with what is long from an anchor and what is short from the increments, in the anchor's type.

    The two meet at a Gaussian: the result is exp(-tL) anchor + q(L) div with t = reach^2 / 2, see the package's text. A
    sample at distance d does not depend on increments and edges beyond it by more than erfc(d / reach / sqrt 2).

    Args:
        increments: one for each axis; each is used up before the next one is asked for.
        anchor: such as a solution on a coarser grid; it decides the type in which all is computed.
        reach: standard deviation of the Gaussian in samples.
    """
    rhs: Array = np.zeros_like(anchor)
    for axis, g in enumerate(increments):
        steps = leading(g, axis) - np.diff(anchor, axis=axis)
        add_divergence(rhs, steps, axis)
    t = reach**2 / 2
    rhs = filtered(rhs, lambda L: np.divide(-np.expm1(-t * L), L, out=np.full_like(L, t), where=L > 0))
    rhs += anchor
    return np.asarray(rhs)


def rising(rgt: Array, *, least: float = 0.01) -> Array:
    """Return RGT that rises along every trace, the nearest one in least squares; only traces that fall are changed.

    Where the truth rises so, the result is never further from it than `rgt` is, trace by trace in the root of squares.
    True RGT falls where a reverse fault repeats layers, and a trace there has a mean of both.

    Args:
        rgt: shape (..., time), finite.
        least: smallest rise in RGT a sample, 0 or more.
    Source: pool-adjacent-violators, scipy.optimize.isotonic_regression.

    >>> rising(np.array([0.0, 2.0, 1.0, 4.0]), least=0.0).tolist()
    [0.0, 1.5, 1.5, 4.0]
    """
    n = rgt.shape[-1]
    floor = least * np.arange(n)
    traces = np.asarray(rgt, float).reshape(-1, n) - floor
    for k in np.flatnonzero((np.diff(traces, axis=1) < 0).any(axis=1)):
        traces[k] = optimize.isotonic_regression(traces[k]).x
    traces += floor
    return np.asarray(traces.reshape(rgt.shape), dtype=rgt.dtype)
