"""Relative geological time (RGT) of a whole volume from its increments, which can be blended where RGT itself cannot.

A model that sees a tile knows RGT up to a constant of the tile. Its increments along each axis know no constant, and
they hold the throw where a fault is crossed. From increments g that were blended over the volume, the result is the r
that minimises |grad r - g|^2: normal equations L r = div, with L = D'D, div = D'g and D the difference of neighbours.
No sample beyond the volume takes part, so cosines (DCT-II) turn L into its eigenvalues, exactly.

A volume that does not fit the memory is solved on two levels. With t = b^2 / 2 the solution r of any right-hand side
obeys, and this is exact,

    r = exp(-tL) r + q(L) div,    q(L) = (1 - exp(-tL)) / L

exp(-tL) is a Gaussian of standard deviation b samples, and q(L) is the sum of all narrower ones. So whatever is longer
than a few b is taken from a solution of the whole volume on a grid of every b-th sample, and the rest from the
increments nearby: what lies 4 b away has a weight of erfc(4 / sqrt 2) = 6e-5. Of an error of the coarse solution
exp(-pi^2 / 2) = 0.007 stays at a wavelength of 2 b. A screened solution, with pull / (L + pull) for exp(-tL), leaves
0.37 there if it shall be as local, since its influence falls as exp(-distance sqrt(pull)) only.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

import numpy as np
from scipy import fft, optimize, sparse

from seisloom.compute import InThisProcess, run_jobs
from seisloom.errors import DataError, OutputError
from seisloom.inference.lattice import Box, within
from seisloom.progress import track
from seisloom.sample import Array

ReadIncrement: TypeAlias = Callable[[Box, str], Array]
"""Returns the samples of a box of a named variable."""
WriteRgt: TypeAlias = Callable[[Box, Array], None]
"""Stores the samples of a box, float32; the edges of boxes are multiples of `grain`."""

MARGIN_BLOCKS = 4
"""Margin of a box in blocks, that is in standard deviations of the Gaussian at which the two levels meet."""
DIRECT_BYTES, COARSE_BYTES, PART_BYTES = 16, 32, 26
"""A sample at the peak: of the volume in one solve, of the coarse grid in its solve, of a part with its margin.
Measured 9, 28 and 21, and 4 for what `read` returns."""
COARSE_SHARE, PART_SHARE, CORE_SHARE = 0.8, 0.5, 0.2
"""Of the memory: the coarse solve, which runs alone; then a part and the box it is written to, beside the coarse
solution, a fifth of its solve."""
LONGEST_PART_BLOCKS, SHORTEST_PART_BLOCKS = 32, 2
"""Sides of a part: at 32 blocks margins take as much again as the part; at 2 they take 124 times as much."""


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
    shape = _checked(increments)
    rhs = np.zeros(shape)
    for axis, g in enumerate(increments):
        _add_divergence(rhs, _leading(g, axis), axis)
    if not np.isfinite(rhs).all():
        raise DataError("increments have values that are not finite; one of them would spoil the whole volume")
    return _solved(rhs)


def integrate_weighted(increments: Sequence[Array], weights: Sequence[Array], *, n_steps: int = 30) -> Array:
    """Return the volume that minimises the sum of weights * (its increments - these)^2, float64, with mean 0.

    Conjugate gradients from the unweighted solution, and with it as the preconditioner. After k steps the error has
    fallen to about 2 ((sqrt c - 1) / (sqrt c + 1))^k of what it was, c = largest / smallest weight: keep c below 100.

    Args:
        increments: as in `integrate`.
        weights: one for each axis, of the volume's shape, above 0: low where tiles disagree. Only ratios matter.
        n_steps: at most; it ends sooner when the residual has fallen to 1e-6 of what it was.
    """
    shape = _checked(increments)
    if _checked(weights) != shape:
        raise DataError(f"weights have the shape {weights[0].shape}, increments {shape}; they must be the same")
    r = integrate(increments)
    residual = np.zeros(shape)
    for axis, (g, w) in enumerate(zip(increments, weights, strict=True)):
        _add_divergence(residual, _leading(w, axis) * (_leading(g, axis) - np.diff(r, axis=axis)), axis)
    direction, norm, first = np.zeros(shape), 0.0, 0.0
    for _ in range(n_steps):
        preconditioned = _solved(residual.copy())
        last, norm = norm, float(np.vdot(residual, preconditioned))
        first = first or norm
        if norm <= 1e-12 * first:
            break
        direction = preconditioned + (norm / last if last else 0.0) * direction
        applied = np.zeros(shape)
        for axis, w in enumerate(weights):
            _add_divergence(applied, _leading(w, axis) * np.diff(direction, axis=axis), axis)
        length = norm / float(np.vdot(direction, applied))
        r += length * direction
        residual -= length * applied
    return np.asarray(r - r.mean())


def integrate_near(increments: Iterable[Array], anchor: Array, *, reach: float) -> Array:
    """Return a volume with what is long from an anchor and what is short from the increments, in the anchor's type.

    The two meet at a Gaussian: the result is exp(-tL) anchor + q(L) div with t = reach^2 / 2, see the module's text. A
    sample at distance d does not depend on increments and edges beyond it by more than erfc(d / reach / sqrt 2).

    Args:
        increments: one for each axis; each is used up before the next one is asked for.
        anchor: such as a solution on a coarser grid; it decides the type in which all is computed.
        reach: standard deviation of the Gaussian in samples.
    """
    rhs: Array = np.zeros_like(anchor)
    for axis, g in enumerate(increments):
        steps = _leading(g, axis) - np.diff(anchor, axis=axis)
        _add_divergence(rhs, steps, axis)
    t = reach**2 / 2
    rhs = _filtered(rhs, lambda L: np.divide(-np.expm1(-t * L), L, out=np.full_like(L, t), where=L > 0))
    rhs += anchor
    return np.asarray(rhs)


def rising(rgt: Array, fault: Array | None = None, *, least: float = 0.01) -> Array:
    """Return RGT that rises along every trace, the nearest one in least squares; only traces that fall are changed.

    Where the truth rises so, the result is never further from it than `rgt` is, trace by trace in the root of squares.
    True RGT falls across reverse faults, so each part of a trace between two faults is taken by itself.

    Args:
        rgt: shape (..., time), finite.
        fault: 1 at a fault, same shape; left as they are there. Without it whole traces are made to rise.
        least: smallest rise in RGT a sample, 0 or more.
    Source: pool-adjacent-violators, scipy.optimize.isotonic_regression.

    >>> rising(np.array([0.0, 2.0, 1.0, 4.0]), least=0.0).tolist()
    [0.0, 1.5, 1.5, 4.0]
    """
    n = rgt.shape[-1]
    floor = least * np.arange(n)
    traces = np.asarray(rgt, float).reshape(-1, n) - floor
    away = np.ones(traces.shape, bool) if fault is None else np.asarray(fault).reshape(-1, n) != 1
    falls = (np.diff(traces, axis=1) < 0) & away[:, :-1] & away[:, 1:]
    for k in np.flatnonzero(falls.any(axis=1)):
        ends = np.flatnonzero(np.diff(away[k], prepend=False, append=False))
        for start, stop in ends.reshape(-1, 2):
            if falls[k, start : stop - 1].any():
                traces[k, start:stop] = optimize.isotonic_regression(traces[k, start:stop]).x
    traces += floor
    return np.asarray(traces.reshape(rgt.shape), dtype=rgt.dtype)


@dataclass(frozen=True, slots=True)
class Integration:
    """How a volume is integrated. The plan alone decides the bytes of the result, not who computes it."""

    shape: tuple[int, ...]
    block: int
    """Samples between two of the coarse grid; 1 solves the volume at once."""
    core: tuple[int, ...]
    """Sides of the boxes that are written, multiples of the grain."""
    part: int
    """Longest side of what is solved at once, beside margins of `MARGIN_BLOCKS` blocks; multiple of a block."""

    @property
    def coarse_shape(self) -> tuple[int, ...]:
        """Lengths of the coarse grid: its cells fill each axis evenly and are no longer than a block."""
        return tuple(-(-n // self.block) for n in self.shape)

    def boxes(self) -> Iterator[Box]:
        """Yield the boxes that are written."""
        return _cut(tuple(slice(0, n) for n in self.shape), self.core)

    def parts(self, box: Box) -> Iterator[Box]:
        """Yield the parts in which a box is solved."""
        lengths = [side.stop - side.start for side in box]
        # evenly, for a thin part has margins like any other
        return _cut(box, [-(-n // -(-n // self.part)) for n in lengths])

    def with_margin(self, part: Box) -> Box:
        """Return a part and its margins, as far as the volume goes."""
        margin = MARGIN_BLOCKS * self.block
        return tuple(
            slice(max(side.start - margin, 0), min(side.stop + margin, n))
            for side, n in zip(part, self.shape, strict=True)
        )


def plan_integration(shape: Sequence[int], grain: Sequence[int], *, memory_mb: float) -> Integration:
    """Return how to integrate a volume: at once if it fits the memory, else with the finest coarse grid that fits.

    Args:
        shape: lengths of the volume.
        grain: edges of boxes are multiples of these lengths, those of a file that one process may write.
        memory_mb: what this process may take, in 10^6 bytes, and each worker.
    Raises:
        OutputError: if it does not fit: the coarse grid and the margins cannot both be small.
    """
    if len(grain) != len(shape):
        raise DataError(f"grain {tuple(grain)} of the output does not fit a volume of {tuple(shape)}")
    budget = memory_mb * 1e6
    if DIRECT_BYTES * prod(shape) <= budget:
        return Integration(tuple(shape), 1, _core(shape, grain, 128), 128)
    # the difference of neighbours damps too little of what is shorter than 4 samples
    block = 4
    while COARSE_BYTES * prod(-(-n // block) for n in shape) > COARSE_SHARE * budget:
        block *= 2
    for n_blocks in range(LONGEST_PART_BLOCKS, SHORTEST_PART_BLOCKS - 1, -1):
        part = n_blocks * block
        core = _core(shape, grain, part)
        outer = prod(min(part + 2 * MARGIN_BLOCKS * block, n) for n in shape)
        if PART_BYTES * outer <= PART_SHARE * budget and 4 * prod(core) <= CORE_SHARE * budget:
            return Integration(tuple(shape), block, core, part)
    raise OutputError(
        f"{memory_mb:.0f} MB are too little to integrate a volume of {tuple(shape)}, written by pieces of "
        f"{tuple(grain)}: a coarse grid that fits has every {block}th sample, and parts would need margins of "
        f"{MARGIN_BLOCKS * block} samples; allow more memory, or write smaller shards or chunks"
    )


def integrate_volume(
    read: ReadIncrement,
    names: Sequence[str],
    shape: Sequence[int],
    write: WriteRgt,
    grain: Sequence[int],
    *,
    memory_mb: float = 512,
    pool: Executor | None = None,
) -> Integration:
    """Integrate blended increments of a volume of any size, box by box, and return the plan it was done by.

    On two levels the result differs from that of `integrate` by at most 0.005 of the highest throw, near faults, and
    a tenth of that on average. Where it falls is where the increments say so: see `rising`, which needs whole traces.

    Args:
        read: returns a box of an increment by its name. It is read about twice, and its margins.
        names: of the increments, one for each axis; see `increments`.
        shape: lengths of the volume.
        write: stores a box of the result, float32.
        grain: edges of the boxes are multiples of these lengths.
        memory_mb: as in `plan_integration`.
        pool: where boxes are computed, see `seisloom.compute.executor`; this process by default. `read` and `write` are
            pickled if it has other processes. A volume that is solved at once is solved here.
    Raises:
        DataError: if there is not one name for each axis, or an increment is not finite.
        OutputError: see `plan_integration`.
    """
    if len(names) != len(shape):
        raise DataError(f"{len(names)} names of increments for {len(shape)} axes; give one for each axis")
    plan = plan_integration(shape, grain, memory_mb=memory_mb)
    pool = pool or InThisProcess()
    work = Work(plan, tuple(names), read, write)
    if plan.block == 1:
        _integrate_at_once(work)
        return plan
    coarse = _coarse_solution(work, pool)
    jobs = ((work, box, *_coarse_around(plan, coarse, box)) for box in plan.boxes())
    done = run_jobs(pool, _refine_box, jobs)
    for _ in track(done, total=prod(plan.shape), what="integrating", unit="voxels", size=float):
        pass
    return plan


@dataclass(frozen=True, slots=True)
class Work:
    """A plan and where the samples are; it travels to the workers."""

    plan: Integration
    names: tuple[str, ...]
    read: ReadIncrement
    write: WriteRgt


def _integrate_at_once(work: Work) -> None:
    rhs = np.zeros(work.plan.shape)
    for axis, part in itertools.product(range(rhs.ndim), work.plan.boxes()):
        # the increments of a part end at the first sample of the next one
        longer = _replaced(part, axis, slice(part[axis].start, min(part[axis].stop + 1, rhs.shape[axis])))
        ends = _replaced(part, axis, slice(part[axis].start, longer[axis].stop - 1))
        if ends[axis].stop > ends[axis].start:
            _add_divergence(rhs[longer], _finite(work, ends, axis), axis)
    rhs = _solved(rhs)
    for part in work.plan.boxes():
        work.write(part, rhs[part].astype(np.float32))


def _coarse_solution(work: Work, pool: Executor) -> Array:
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
        _add_divergence(term, _coarse_increments(work, axis, pool), axis)
        term = fft.dct(term, axis=axis, norm="ortho", overwrite_x=True)
        ratio = np.full(n, (n / plan.shape[axis]) ** 2)
        ratio[1:] = (np.sin(fine[axis][1:] / 2) / np.sin(angles[axis][1:] / 2)) ** 2
        term *= _on_axis(ratio, axis, len(shape))
        rhs += fft.idct(term, axis=axis, norm="ortho", overwrite_x=True)
        del term
    rhs = fft.dctn(rhs, norm="ortho", overwrite_x=True)
    _multiply(rhs, _eigenvalues(fine), _inverse)
    for axis, theta in enumerate(angles):
        rhs /= _on_axis(np.sinc(theta / (2 * np.pi)) ** 6, axis, len(shape))
    return np.asarray(fft.idctn(rhs, norm="ortho", overwrite_x=True))


def _coarse_increments(work: Work, axis: int, pool: Executor) -> Array:
    """Return the coarse increments along an axis, one shorter than the coarse grid there."""
    plan = work.plan
    rows = tuple(slice(0, n - (k == axis)) for k, n in enumerate(plan.coarse_shape))
    cells = list(_cut(rows, [plan.part // plan.block] * len(rows)))
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
    values = _finite(work, tuple(box), axis)
    for k, matrix in enumerate(weights):
        values = _along(matrix, values, k)
    return values


def _coarse_around(plan: Integration, coarse: Array, box: Box) -> tuple[Array, tuple[int, ...]]:
    """Return the coarse coefficients that a box needs, and where they begin."""
    sides = []
    for side, n, n_coarse in zip(plan.with_margin(box), plan.shape, plan.coarse_shape, strict=True):
        matrix, start = _interpolation(n, n_coarse, side)
        sides.append(slice(start, start + matrix.shape[1]))
    return coarse[tuple(sides)].copy(), tuple(side.start for side in sides)


def _refine_box(job: tuple[Work, Box, Array, tuple[int, ...]]) -> int:
    """Write a box and return the number of its samples."""
    work, box, coarse, first = job
    plan = work.plan
    result = np.empty([side.stop - side.start for side in box], np.float32)
    # Without the box's own level, so that float32 is fine enough for all in between
    level = float(coarse.mean())
    for part in plan.parts(box):
        outer = plan.with_margin(part)
        values = (coarse - level).astype(np.float32)
        for axis in reversed(range(len(outer))):  # the first axis last: so the result lies in memory in order
            matrix, start = _interpolation(plan.shape[axis], plan.coarse_shape[axis], outer[axis])
            start -= first[axis]
            used = values[(slice(None),) * axis + (slice(start, start + matrix.shape[1]),)]
            values = _along(matrix.astype(np.float32), used, axis)
        read = (_finite(work, outer, axis) for axis in range(len(outer)))
        values = integrate_near(read, values, reach=plan.block)
        result[within(part, box)] = values[within(part, outer)] + level
    work.write(box, result)
    return result.size


def _finite(work: Work, box: Box, axis: int) -> Array:
    """Return a box of the increment along an axis, checked."""
    if any(side.stop <= side.start for side in box):
        return np.zeros([side.stop - side.start for side in box], np.float32)
    values = np.asarray(work.read(box, work.names[axis]))
    if not np.isfinite(values).all():
        where = ", ".join(f"{side.start}:{side.stop}" for side in box)
        raise DataError(
            f"{work.names[axis]} has values that are not finite in [{where}]; one of them would spoil the whole "
            "volume: give 0, or the increments of a neighbour, where nothing is known"
        )
    return values


def _spline(distance: Array) -> Array:
    """Return the quadratic spline at a distance from its middle in cells; its sum over all cells is 1."""
    u = np.abs(distance)
    return np.where(u < 0.5, 0.75 - u**2, np.where(u < 1.5, 0.5 * (1.5 - u) ** 2, 0.0))


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


def _interpolation(n: int, n_coarse: int, side: slice) -> tuple[Array, int]:
    """Return the weights of samples on coarse coefficients, float64 (sample, coefficient), and the first of these."""
    place = (np.arange(side.start, side.stop)[:, None] + 0.5) * (n_coarse / n)
    cells = np.floor(place).astype(int) + np.arange(-1, 2)
    return _gathered(_mirrored(cells, n_coarse), _spline(place - cells - 0.5))


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


def _along(matrix: Array, values: Array, axis: int) -> Array:
    """Return a matrix times the values along an axis; sparse, so that no number of threads changes a bit."""
    moved = np.moveaxis(values, axis, 0)
    found = sparse.csr_array(matrix) @ moved.reshape(len(moved), -1)
    return np.moveaxis(found.reshape(len(matrix), *moved.shape[1:]), 0, axis)


def _solved(rhs: Array) -> Array:
    """Return the solution of L r = rhs with mean 0; `rhs` is overwritten."""
    return _filtered(rhs, _inverse)


def _inverse(L: Array) -> Array:
    return np.divide(1, L, out=np.zeros_like(L), where=L > 0)


def _filtered(values: Array, response: Callable[[Array], Array]) -> Array:
    """Return a function of L applied to values, which are overwritten."""
    spectrum = fft.dctn(values, norm="ortho", overwrite_x=True)
    _multiply(spectrum, _eigenvalues([np.pi * np.arange(n) / n for n in values.shape]), response)
    return np.asarray(fft.idctn(spectrum, norm="ortho", overwrite_x=True))


def _eigenvalues(angles: Sequence[Array]) -> list[Array]:
    """Return those of the second difference along each axis; L's are their sums."""
    return [4 * np.sin(theta / 2) ** 2 for theta in angles]


def _multiply(spectrum: Array, eigenvalues: Sequence[Array], response: Callable[[Array], Array]) -> None:
    """Multiply a spectrum by a function of L in place, a few slices at once."""
    rest = np.zeros(())
    for values in eigenvalues[1:]:
        rest = np.add.outer(rest, values)
    n = max(65536 // rest.size, 1)
    for start in range(0, len(spectrum), n):
        some = slice(start, start + n)
        spectrum[some] *= response(np.add.outer(eigenvalues[0][some], rest)).astype(spectrum.dtype)


def _add_divergence(rhs: Array, steps: Array, axis: int) -> None:
    """Add D'g of the increments along an axis, one shorter than `rhs`, in place."""
    rhs = np.moveaxis(rhs, axis, 0)
    steps = np.moveaxis(steps, axis, 0)
    rhs[:-1] -= steps
    rhs[1:] += steps


def _leading(values: Array, axis: int) -> Array:
    """All increments but one beyond the last: none if there is none beyond."""
    return values[(slice(None),) * axis + (slice(0, -1),)]


def _checked(increments: Sequence[Array]) -> tuple[int, ...]:
    shape = increments[0].shape if increments else ()
    if len(increments) != len(shape) or any(g.shape != shape for g in increments) or not prod(shape):
        raise DataError(
            f"arrays of the shapes {[g.shape for g in increments]}; one is needed for each axis of the volume, all of "
            "its shape"
        )
    return shape


def _core(shape: Sequence[int], grain: Sequence[int], part: int) -> tuple[int, ...]:
    """Sides of the boxes that are written: as many grains as fit a part, at least one."""
    return tuple(min(g * max(part // g, 1), n) for g, n in zip(grain, shape, strict=True))


def _cut(box: Box, sizes: Sequence[int]) -> Iterator[Box]:
    sides = [
        [slice(start, min(start + size, side.stop)) for start in range(side.start, side.stop, size)]
        for side, size in zip(box, sizes, strict=True)
    ]
    return itertools.product(*sides)


def _replaced(box: Box, axis: int, side: slice) -> Box:
    return (*box[:axis], side, *box[axis + 1 :])


def _on_axis(values: Array, axis: int, n_axes: int) -> Array:
    return values.reshape([-1 if k == axis else 1 for k in range(n_axes)])
