"""Velocities of modes from the waves themselves: a few damped cylindrical waves, fitted to what all traces recorded.

A velocity spectrum shows the size of a sum over traces, in which modes that are nearer to each other than the array
parts them move each other's peaks. The traces' complex spectra are a sum of the modes, whatever their distance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import hankel1e

from seisloom.errors import DataError
from seisloom.sample import Array

N_BESIDE = 2
"""Frequencies on each side at which a curve is taken to be off by the same factor."""
INDEPENDENT = 4.5
"""Traces that count: what no mode explains is waves too, alike from trace to trace, and more traces tell no more."""
LEAST_LEFT = 0.02
"""Least size of what is left, as a share of the data."""
LEAST_SPREAD = 0.01
"""Least spread of ln velocity that a first estimate is believed to have."""
Q_USUAL = (30.0, 0.7)
"""Quality factor that a damping is expected to have, and the spread of its logarithm."""
RIDGE = 1e-3
"""Added to the squared size of each mode, which is 1: two modes of one velocity share what is there."""
ROUNDS = 2
STEPS = 4
"""Of each round; the second one knows how much no mode explains."""
LARGEST_STEP = (0.05, 0.5)
"""Of ln velocity and of ln damping."""


def fit_modes(
    spectra: Array, offsets_m: Array, frequency_hz: Array, velocity_m_s: Array, spread: Array
) -> tuple[Array, Array]:
    """Return velocities at which modes explain the spectra of traces best, near those that are given.

    At each frequency, with those beside it, sum_m a_m H0(k_m x) exp(-d k_m x / 2) is fitted in least squares, with
    k_m = 2 pi f / c_m: amplitudes a_m of each frequency freely (variable projection), a factor on each curve and the
    damping d by Gauss-Newton steps with the spreads of both as a prior (maximum a posteriori). What no mode explains
    counts as noise, of a size that is found on the way.

    Args:
        spectra: complex (trace, frequency), sum of samples times exp(-i omega t), any unit.
        offsets_m: (trace,), from the source, positive, in any order.
        frequency_hz: (frequency,), positive.
        velocity_m_s: first estimates, (mode, frequency), positive; NaN where a mode is not there.
        spread: of their ln velocity, of that shape; less than LEAST_SPREAD counts as that.
    Returns:
        Velocities in m/s and spreads of ln velocity, (mode, frequency), NaN where no mode was given or nothing
        recorded. Where the traces tell nothing the spread is the one that was given.
    Raises:
        DataError: if shapes do not fit, a spectrum is not finite, or an offset, frequency or velocity not positive.
    Source: Golub & Pereyra (1973), SIAM J. Numer. Anal. 10, 413-432; the Jacobian of Kaufman (1975), BIT 15, 49-57.
    """
    spectra, offsets = np.asarray(spectra, complex), np.asarray(offsets_m, float)
    first, prior = np.asarray(velocity_m_s, float), np.asarray(spread, float)
    if spectra.shape != (offsets.size, np.size(frequency_hz)) or first.shape != prior.shape or (
        first.ndim != 2 or first.shape[1] != spectra.shape[1]
    ):  # fmt: skip
        raise DataError(
            f"spectra {spectra.shape}, offsets {offsets.shape}, frequencies {np.shape(frequency_hz)}, velocities "
            f"{first.shape} and spreads {prior.shape} do not fit"
        )
    frequency, there = np.asarray(frequency_hz, float), np.isfinite(first)
    if not (np.isfinite(spectra).all() and all((one > 0).all() for one in (offsets, frequency, first[there]))):
        raise DataError("spectra must be finite, and offsets, frequencies and velocities positive")
    velocity, sd = np.full(first.shape, np.nan), np.full(first.shape, np.nan)
    used = np.flatnonzero(there.any(axis=0) & spectra.any(axis=0))
    if used.size and len(offsets) > 1:
        shift, found = _Fit.of(spectra, offsets, frequency, first, prior, used).solved()
        velocity[:, used] = np.where(there[:, used], first[:, used] * np.exp(shift.T), np.nan)
        sd[:, used] = np.where(there[:, used], found.T, np.nan)
    return velocity, sd


@dataclass(slots=True)
class _Fit:
    """All frequencies at once: b of them that are fitted, q beside each, n traces, m modes."""

    waves: Array
    """Of the first estimates, complex (b, q, n, m); 0 where a mode is not there."""
    data: Array
    """Spectra without spreading, each frequency of size 1, complex (b, q, n)."""
    k: Array
    """Wavenumbers of the first estimates in rad / m, (b, q, m)."""
    there: Array
    """bool (b, m)."""
    prior: Array
    """Spread of ln velocity, and of ln damping, (b, m + 1)."""
    x: Array
    """Offsets in m."""

    @classmethod
    def of(cls, spectra: Array, x: Array, f: Array, first: Array, spread: Array, used: Array) -> _Fit:
        there = np.isfinite(first)
        k = 2 * np.pi * f / np.where(there, first, np.inf)
        argument = np.where(there, k, 1.0).T[:, None, :] * x[:, None]
        waves = np.conj(hankel1e(0, argument)) * np.exp(-1j * argument) * np.sqrt(x)[:, None]  # H0 of the second kind
        waves *= there.T[:, None, :] / np.abs(waves).mean(axis=1, keepdims=True)
        data = (spectra * np.sqrt(x)[:, None]).T
        size = np.linalg.norm(data, axis=1, keepdims=True)
        data = np.divide(data, size, out=np.zeros_like(data), where=size > 0)
        beside = used[:, None] + np.arange(-N_BESIDE, N_BESIDE + 1)
        inside = (beside >= 0) & (beside < len(f))
        beside = np.clip(beside, 0, len(f) - 1)
        own = there.T[used]
        prior = np.where(own, np.maximum(np.nan_to_num(spread.T[used], nan=1.0), LEAST_SPREAD), 1.0)
        # A mode that is not there at the frequency itself is not fitted beside it either
        return cls(
            waves[beside] * inside[:, :, None, None] * own[:, None, None, :], data[beside] * inside[:, :, None],
            k.T[beside], own, np.concatenate([prior, np.full((len(used), 1), Q_USUAL[1])], axis=1), x,
        )  # fmt: skip

    def solved(self) -> tuple[Array, Array]:
        """Return shifts of ln velocity and their spreads, (b, m)."""
        n_fits, n_modes = self.there.shape
        usual = np.concatenate([np.zeros((n_fits, n_modes)), np.full((n_fits, 1), -np.log(Q_USUAL[0]))], axis=1)
        at, n_traces = usual.copy(), len(self.x)
        n_data = np.maximum((self.data != 0).any(axis=2).sum(axis=1) * n_traces, 1)
        left, slope = self._residuals(at)
        for _ in range(ROUNDS):
            unexplained = np.sqrt(n_traces / INDEPENDENT * (np.abs(left) ** 2).sum(axis=(1, 2)) / n_data)
            noise = np.maximum(unexplained, LEAST_LEFT / np.sqrt(n_traces))
            cost, caution = self._cost(left, at - usual, noise), np.full(n_fits, 1e-3)
            for _ in range(STEPS):
                normal = self._normal(slope, noise)
                downhill = _inner(slope, left).real / noise[:, None] ** 2 + (at - usual) / self.prior**2
                damped = normal * (1 + caution[:, None, None] * np.eye(n_modes + 1))
                step = -np.linalg.solve(damped, downhill[..., None])[..., 0]
                limits = np.repeat(LARGEST_STEP, (n_modes, 1))
                to = at + np.clip(step, -limits, limits)
                new_left, new_slope = self._residuals(to)
                new_cost = self._cost(new_left, to - usual, noise)
                better = new_cost < cost
                at, cost = np.where(better[:, None], to, at), np.where(better, new_cost, cost)
                left = np.where(better[:, None, None], new_left, left)
                slope = np.where(better[:, None, None, None], new_slope, slope)
                caution = np.where(better, caution / 5, caution * 10)
        spread = np.sqrt(np.diagonal(np.linalg.inv(self._normal(slope, noise)), axis1=1, axis2=2))
        return at[:, :-1] * self.there, spread[:, :-1]

    def _residuals(self, at: Array) -> tuple[Array, Array]:
        """Return what is left of the data, (b, q, n), and its derivatives, (b, q, n, m + 1)."""
        shift, damping = at[:, None, :-1], np.exp(at[:, -1])[:, None, None]
        from_middle, x = self.x - self.x.mean(), self.x[:, None]
        decay = self.k * damping / 2
        slower = self.k * (1 - np.exp(-shift))  # a Hankel function moves as its phase does, over a few per cent
        fading = -decay[:, :, None] * from_middle[:, None]
        fading -= fading.max(axis=2, keepdims=True)  # sizes are made 1 below, and no number is to overflow before
        waves = self.waves * np.exp(1j * slower[:, :, None] * x + fading)
        size = np.sqrt((np.abs(waves) ** 2).sum(axis=2, keepdims=True))
        waves = np.divide(waves, size, out=np.zeros_like(waves), where=size > 0)
        beams = np.conj(np.swapaxes(waves, -1, -2))
        gram = beams @ waves + (RIDGE + (size == 0)) * np.eye(waves.shape[-1])
        found = waves * np.linalg.solve(gram, beams @ self.data[..., None])[..., 0][:, :, None, :]
        moved = np.concatenate(
            [
                1j * (self.k * np.exp(-shift))[:, :, None] * x * found,
                -(decay[:, :, None] * from_middle[:, None] * found).sum(axis=-1, keepdims=True),
            ],
            axis=-1,
        )
        return self.data - found.sum(axis=-1), waves @ np.linalg.solve(gram, beams @ moved) - moved

    def _cost(self, left: Array, off: Array, noise: Array) -> Array:
        return np.asarray((np.abs(left) ** 2).sum(axis=(1, 2)) / noise**2 + ((off / self.prior) ** 2).sum(axis=1))

    def _normal(self, slope: Array, noise: Array) -> Array:
        """Return the curvature of half the cost, (b, m + 1, m + 1)."""
        flat = slope.reshape(len(slope), -1, slope.shape[-1])
        curvature = (np.conj(np.swapaxes(flat, -1, -2)) @ flat).real / noise[:, None, None] ** 2
        return np.asarray(curvature + (1 / self.prior**2)[:, :, None] * np.eye(slope.shape[-1]))


def _inner(slope: Array, left: Array) -> Array:
    return np.asarray(np.einsum("bqnp,bqn->bp", np.conj(slope), left))
