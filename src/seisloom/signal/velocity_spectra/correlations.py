"""The frequency-Bessel transform (F-J) of correlations of ambient noise."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.velocity_spectra.axes import check_choice
from seisloom.signal.velocity_spectra.panel import Normalise, VelocitySpectrum, velocity_spectrum
from seisloom.signal.velocity_spectra.recorded import record
from seisloom.signal.velocity_spectra.steering import sweep

Kernel = Literal["bessel", "hankel"]
KERNEL_NAMES: tuple[Kernel, ...] = ("bessel", "hankel")


def fj(
    gather: Array,
    interval_s: float,
    offsets_m: Array,
    frequency_hz: Array,
    velocity_m_s: Array,
    *,
    kernel: Kernel = "bessel",
    normalise: Normalise = "frequency",
) -> VelocitySpectrum:
    """Return the F-J spectrum of correlations, I = |integral of C(r, omega) B(k r) r dr|, by the trapezoidal rule.

    Args:
        gather: correlations of pairs of stations from lag 0 on, the mean of both signs, (pair, lag).
        interval_s: between lags, in s.
        offsets_m: distances of the pairs in m, (pair,), growing or falling; see `stack_equal_distances`.
        frequency_hz: (frequency,), ascending, any raster.
        velocity_m_s: (velocity,), ascending.
        kernel: "bessel" takes the real spectrum of the correlation of both signs and B = J0. "hankel" takes the complex
            one of lags from 0 on, which has waves of one direction only, and B = H0^(1) / 2: without the artefacts
            that cross the modes, at k' = 2 pi / dr - k.
        normalise: see `panel.normalise_panel`.
    Returns:
        Its scale is in the unit of the Fourier sums times m^2.
    Raises:
        DataError: see `recorded.record`; or the kernel is not known, or is "hankel" and a distance is 0.
    Source: Wang, Wu & Chen (2019), J. Geophys. Res. 124, 3708-3723; hankel: Forbriger (2003), Geophys. J. Int. 153,
        719-734, and Xi, Xia, Mi, Dai, Liu & Ning (2021), Geophys. J. Int. 225, 1271-1280; that lags from 0 on make a
        Hilbert transform needless: Jiang, Hu & Luo (2025), Front. Earth Sci. 13, 1505367.
    """
    check_choice("kernel", kernel, KERNEL_NAMES)
    every = record(gather, interval_s, offsets_m, frequency_hz, velocity_m_s)
    recorded, lag_0 = every.only_live(), np.asarray(gather, dtype=np.float64)[every.live, :1]
    r = recorded.distances_m
    area = r * np.abs(np.gradient(r)) * np.where((r == r[0]) | (r == r[-1]), 0.5, 1.0)
    spectra = (recorded.spectra - 0.5 * lag_0) * area[:, None]  # lag 0 belongs to both signs
    spectra = 2 * spectra.real + 0j if kernel == "bessel" else 0.5 * spectra

    def beam(sums: Array, waves: Array) -> Array:
        return np.asarray(np.abs((waves @ (sums.real if kernel == "bessel" else sums))[..., 0]))

    return velocity_spectrum("fj", sweep(beam, replace(recorded, spectra=spectra), kernel), recorded, normalise)


def stack_equal_distances(
    correlations: Array, distances_m: Array, *, width_m: float = 0.0
) -> tuple[Array, Array, Array]:
    """Return mean correlations of pairs with equal distances, by growing distance: what `fj` takes.

    Args:
        correlations: (pair, lag). Pairs with NaN or inf are left out.
        distances_m: (pair,), in m, in any order.
        width_m: distances within one interval of this width, counted from 0, are equal; 0 for those equal to 1 mm.
    Returns:
        Correlations (distance, lag), mean distances in m (distance,), and the number of pairs of each (distance,).
    Raises:
        DataError: if shapes differ, or a distance is negative or not finite.
    """
    pairs, distances = np.asarray(correlations), np.asarray(distances_m, dtype=np.float64)
    if pairs.ndim != 2 or distances.shape != pairs.shape[:1]:
        raise DataError(f"correlations {pairs.shape} and distances {distances.shape} differ; give one distance a pair")
    if (wrong := np.flatnonzero(~(np.isfinite(distances) & (distances >= 0)))).size:
        raise DataError(f"the distance of pair {wrong[0]} is {distances[wrong[0]]:g} m; leave the pair out")
    whole = np.isfinite(pairs).all(axis=1)
    pairs, distances = pairs[whole], distances[whole]
    interval = np.floor(distances / width_m) if width_m > 0 else np.round(distances, 3)
    _, number, n_pairs = np.unique(interval, return_inverse=True, return_counts=True)
    stack = np.zeros((len(n_pairs), pairs.shape[1]))
    np.add.at(stack, number, pairs)
    return stack / n_pairs[:, None], np.bincount(number, weights=distances) / n_pairs, n_pairs
