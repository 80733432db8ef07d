"""Increments of a section that are made to agree with layers known to be the same on both sides of faults."""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, lsqr

from seisloom.inference.integrate.laplacian import solved
from seisloom.inference.integrate.whole import integrate
from seisloom.sample import Array
from seisloom.signal.fault_throws import Throws, fault_average

CALM = 0.05
"""Weight of a jump's own size beside the misfit of its pair: nothing is moved where no pair asks for it."""
TRUSTED_SAMPLES = (20.0, 6.0, 2.0)
"""Misfit in samples at which a pair counts for a quarter, in each turn: all take part at first, and those that most
others contradict are left out in the end."""
N_STEPS = 10
"""Of least squares in each turn: horizons are no nearer after 15."""


def with_throws(steps: tuple[Array, Array], voxels: Array, lean: Array, throws: Throws) -> tuple[Array, Array]:
    """Return the increments of a section with jumps along its faults, so that equal layers have equal values.

    A fault is a line along which the result of `integrate` may jump. Jumps are those that bring the values of the two
    points of each pair nearest to each other in least squares, by sureness, and pairs that contradict the others count
    less and less (the weights of Geman & McClure 1985, relaxed from turn to turn). They are as smooth along a fault as
    `fault_average` makes them.

    Args:
        steps: along traces and along time, shape (trace, time) each, in samples; see `increments`.
        voxels, lean: of faults, as `match_throws` takes them.
        throws: what it returned for them.
    Source: relative time with faults as lines of discontinuity and pairs as constraints, Wu & Hale (2015), Geophysics
        80(2), IM21-IM33; jumps instead of cut lines keep the solution one by cosines.
    """
    if not throws.sureness.any():
        return steps
    shape = steps[0].shape
    jumps = _Jumps(shape, voxels, np.where(np.abs(lean) < np.inf, lean, 0.0))
    pairs = _interpolation(throws.right, shape) - _interpolation(throws.left, shape)
    first = pairs @ integrate(steps).ravel()
    n, sizes, misfit = len(voxels), np.zeros(len(voxels)), first

    def forward(weight: Array, change: Array) -> Array:
        return np.concatenate([weight * (pairs @ jumps.integral(change).ravel()), CALM * change])

    def backward(weight: Array, rows: Array) -> Array:
        return jumps.adjoint((pairs.T @ (weight * rows[:n])).reshape(shape)) + CALM * rows[n:]

    for trusted in TRUSTED_SAMPLES:
        weight = np.sqrt(throws.sureness) / (1 + (misfit / trusted) ** 2)
        system = LinearOperator((2 * n, n), partial(forward, weight), partial(backward, weight), dtype=np.float64)
        sizes = sizes + lsqr(system, np.concatenate([-weight * misfit, -CALM * sizes]), iter_lim=N_STEPS)[0]
        misfit = first + pairs @ jumps.integral(sizes).ravel()
    across, down = jumps.increments(sizes)
    return (steps[0] + across).astype(steps[0].dtype), (steps[1] + down).astype(steps[1].dtype)


class _Jumps:
    """What integrates to a field that jumps along faults, by sizes of the jumps; linear, with its adjoint."""

    def __init__(self, shape: tuple[int, ...], voxels: Array, lean: Array) -> None:
        self.shape, self.at = shape, tuple(np.asarray(voxels).T)
        self.average = fault_average(voxels, lean)
        # A thinned fault has a voxel in each row of samples if it is steep, and in each trace if it is flat
        self.across = 1 / np.maximum(np.abs(lean), 1)
        self.down = -lean * self.across

    def increments(self, sizes: Array) -> tuple[Array, Array]:
        """Return the increments that jumps of these sizes, before they are averaged along faults, add to a section."""
        jump = self.average @ sizes
        return self._placed(self.across * jump), self._placed(self.down * jump)

    def integral(self, sizes: Array) -> Array:
        """Return what the increments integrate to, shape (trace, time)."""
        return integrate(self.increments(sizes))

    def adjoint(self, field: Array) -> Array:
        """Return the adjoint of `integral` applied to a field."""
        potential = solved(field)
        across, down = np.zeros(self.shape), np.zeros(self.shape)
        across[:-1], down[:, :-1] = np.diff(potential, axis=0), np.diff(potential, axis=1)
        return np.asarray(self.average.T @ (self.across * across[self.at] + self.down * down[self.at]))

    def _placed(self, values: Array) -> Array:
        field = np.zeros(self.shape)
        field[self.at] = values
        return field


def _interpolation(points: Array, shape: tuple[int, ...]) -> sparse.csr_array:
    """Return the matrix that takes a section's values, in a row, to those at points between, linear in both axes."""
    low = np.clip(np.floor(points).astype(int), 0, np.array(shape) - 2)
    share = points - low
    n, columns, weights = len(points), [], []
    for i in (0, 1):
        for j in (0, 1):
            columns.append(np.ravel_multi_index((low[:, 0] + i, low[:, 1] + j), shape))
            weights.append(np.abs(1 - i - share[:, 0]) * np.abs(1 - j - share[:, 1]))
    rows = np.tile(np.arange(n), 4)
    return sparse.csr_array((np.concatenate(weights), (rows, np.concatenate(columns))), shape=(n, int(np.prod(shape))))
