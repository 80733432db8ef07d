"""The long part of the solution, on a grid of every b-th sample."""

from __future__ import annotations

from concurrent.futures import Executor

import numpy as np
from scipy import fft, sparse

from seisloom.compute import run_jobs
from seisloom.inference.integrate.laplacian import add_divergence, eigenvalues, inverse, multiply, on_axis
from seisloom.inference.integrate.plan import cut
from seisloom.inference.integrate.work import Work, finite
from seisloom.inference.lattice import Box
from seisloom.progress import track
from seisloom.sample import Array


def coarse_solution(work: Work, pool: Executor) -> Array:
    """Return coefficients c, float64 (*coarse_shape), of quadratic splines that sum to the long part of the solution.

    Coarse values R = W r are means of r, weighted with such a spline. Coarse increments are means V g, with the weights
    that make them the differences of R for every r: increments that belong to one volume give R without an error. For
    a wave of angle theta a cell of h samples, W multiplies by s = sinc(theta / 2 pi)^3 along each axis, and V by
    d(theta) / d(theta / h) more along its own, d(x) = exp(ix) - 1. Divided by the square of that, and with the
    eigenvalues of the fine grid, these equations are those of the fine grid but for what W lets through of waves
    shorter than two cells. Splines multiply by s once more.
    """
    plan, shape = work.plan, work.plan.coarse_shape
    rhs = np.zeros(shape)
    angles = [np.pi * np.arange(n) / n for n in shape]
    fine = [theta * m / n for theta, m, n in zip(angles, shape, plan.shape, strict=True)]
    for axis, n in enumerate(shape):
        if n == 1:
            continue
        term = np.zeros(shape)
        add_divergence(term, _coarse_increments(work, axis, pool), axis)
        term = fft.dct(term, axis=axis, norm="ortho", overwrite_x=True)
        ratio = np.full(n, (n / plan.shape[axis]) ** 2)
        ratio[1:] = (np.sin(fine[axis][1:] / 2) / np.sin(angles[axis][1:] / 2)) ** 2
        term *= on_axis(ratio, axis, len(shape))
        rhs += fft.idct(term, axis=axis, norm="ortho", overwrite_x=True)
        del term
    rhs = fft.dctn(rhs, norm="ortho", overwrite_x=True)
    multiply(rhs, eigenvalues(fine), inverse)
    for axis, theta in enumerate(angles):
        rhs /= on_axis(np.sinc(theta / (2 * np.pi)) ** 6, axis, len(shape))
    return np.asarray(fft.idctn(rhs, norm="ortho", overwrite_x=True))


def _coarse_increments(work: Work, axis: int, pool: Executor) -> Array:
    """Return the coarse increments along an axis, one shorter than the coarse grid there."""
    plan = work.plan
    rows = tuple(slice(0, n - (k == axis)) for k, n in enumerate(plan.coarse_shape))
    cells = list(cut(rows, [plan.part // plan.block] * len(rows)))
    found = run_jobs(pool, _mean_increments, ((work, axis, cell) for cell in cells))
    means = np.empty([side.stop for side in rows])
    for cell, values in zip(cells, track(found, total=len(cells), what="averaging", unit="boxes"), strict=True):
        means[cell] = values
    return means


def _mean_increments(job: tuple[Work, int, Box]) -> Array:
    """Return coarse increments along an axis in a box of the coarse grid."""
    work, axis, cell = job
    weights, box = [], []
    for k, (side, n, n_coarse) in enumerate(zip(cell, work.plan.shape, work.plan.coarse_shape, strict=True)):
        matrix, start = (_step_weights if k == axis else _mean_weights)(n, n_coarse, side)
        weights.append(matrix)
        box.append(slice(start, start + matrix.shape[1]))
    values = finite(work, tuple(box), axis)
    for k, matrix in enumerate(weights):
        values = along(matrix, values, k)
    return values


def interpolation(n: int, n_coarse: int, side: slice) -> tuple[Array, int]:
    """Return the weights of samples on coarse coefficients, float64 (sample, coefficient), and the first of these."""
    place = (np.arange(side.start, side.stop)[:, None] + 0.5) * (n_coarse / n)
    cells = np.floor(place).astype(int) + np.arange(-1, 2)
    return _gathered(_mirrored(cells, n_coarse), _spline(place - cells - 0.5))


def _mean_weights(n: int, n_coarse: int, rows: slice) -> tuple[Array, int]:
    """Return the weights of coarse values on the samples of an axis, float64 (row, sample), and the first sample.

    The axis is mirrored at its ends, as cosines are.
    """
    h = n / n_coarse
    middle = (np.arange(rows.start, rows.stop)[:, None] + 0.5) * h
    samples = np.floor(middle - 1.5 * h).astype(int) + np.arange(int(3 * h) + 2)
    weights = _spline((samples + 0.5 - middle) / h)
    return _gathered(_mirrored(samples, n), weights / weights.sum(axis=1, keepdims=True))


def _step_weights(n: int, n_coarse: int, rows: slice) -> tuple[Array, int]:
    """Return the weights of coarse increments on those of an axis, float64 (row, increment), and the first increment.

    Summed by parts: the difference of two means of r, by the increments of r.
    """
    weights, start = _mean_weights(n, n_coarse, slice(rows.start, rows.stop + 1))
    return -np.cumsum(np.diff(weights, axis=0), axis=1)[:, :-1], start


def _spline(distance: Array) -> Array:
    """Return the quadratic spline at a distance from its middle in cells; its sum over all cells is 1."""
    u = np.abs(distance)
    return np.where(u < 0.5, 0.75 - u**2, np.where(u < 1.5, 0.5 * (1.5 - u) ** 2, 0.0))


def _gathered(columns: Array, weights: Array) -> tuple[Array, int]:
    """Return a matrix (row, column) of the weights at these columns, and its first column."""
    start = int(columns.min())
    matrix = np.zeros((len(columns), int(columns.max()) + 1 - start))
    np.add.at(matrix, (np.arange(len(columns))[:, None], columns - start), weights)
    return matrix, start


def _mirrored(idx: Array, n: int) -> Array:
    """Return indices into an axis of n samples that is mirrored at its ends, again and again."""
    idx = idx % (2 * n)
    return np.asarray(np.minimum(idx, 2 * n - 1 - idx))


def along(matrix: Array, values: Array, axis: int) -> Array:
    """Return a matrix times the values along an axis; sparse, so that no number of threads changes a bit."""
    moved = np.moveaxis(values, axis, 0)
    found = sparse.csr_array(matrix) @ moved.reshape(len(moved), -1)
    return np.moveaxis(found.reshape(len(matrix), *moved.shape[1:]), 0, axis)
