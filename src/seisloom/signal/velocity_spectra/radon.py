"""The high-resolution linear Radon transform: the fewest waves that explain a gather."""

from __future__ import annotations

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.velocity_spectra.panel import Normalise, VelocitySpectrum, velocity_spectrum
from seisloom.signal.velocity_spectra.recorded import record
from seisloom.signal.velocity_spectra.steering import sweep
from seisloom.signal.velocity_spectra.weights import Weights, weigh

FLOOR = 1e-3
"""Of the largest amplitude: a wave found weaker than this may still come back in the next iteration."""


def radon(
    gather: Array,
    interval_s: float,
    offsets_m: Array,
    frequency_hz: Array,
    velocity_m_s: Array,
    *,
    weights: Weights = "sqrt",
    n_iterations: int = 5,
    damping: float = 0.1,
    normalise: Normalise = "frequency",
) -> VelocitySpectrum:
    """Return amplitudes |m| of plane waves whose sum d = L m is the gather, L_jk = exp(-i omega x_j / c_k).

    Iterates m = W L^H (L W L^H + mu I)^-1 d with W = diag(|m|), from W = I: what is weak becomes weaker. This dual form
    solves as many equations as there are traces, not velocities, at each frequency.

    Args:
        gather: amplitudes, (trace, time), any unit.
        interval_s: between samples, in s.
        offsets_m: (trace,), in m; regular or not.
        frequency_hz: (frequency,), ascending, any raster.
        velocity_m_s: (velocity,), ascending.
        weights: see `weights.weigh`. A plane wave has equal amplitudes, which "sqrt" restores; with "inverse_amplitude"
            the beat of two modes is lost, and waves that are not there explain what remains.
        n_iterations: 1 is least squares with damping; 3 to 8 are usual.
        damping: mu as a share of the mean diagonal of L W L^H, above 0; more for noisy gathers. With 0.1 the peaks
            of finite-element gathers lay nearer to the modes than with 0.01.
        normalise: see `panel.normalise_panel`.
    Returns:
        Its scale depends on how dense the velocities are.
    Raises:
        DataError: see `recorded.record`; or the damping is not above 0, or the iterations are none.
    Source: Luo, Xia, Miller, Xu, Liu & Liu (2008), PAGEOPH 165, 903-922; dual form after Sacchi & Ulrych (1995),
        Geophysics 60, 1169-1177. Theirs works on waveforms, ours on weighted spectra.
    """
    if not damping > 0:
        raise DataError(f"damping is {damping}; it is above 0, 0.1 is usual")
    if n_iterations < 1:
        raise DataError(f"n_iterations is {n_iterations}; it is 1 or more, 5 is usual")
    recorded = record(gather, interval_s, offsets_m, frequency_hz, velocity_m_s).only_live()

    def beam(spectra: Array, steering: Array) -> Array:
        data, n_traces = spectra.astype(np.complex128), spectra.shape[1]
        adjoint, forward = steering, steering.conj().swapaxes(1, 2)
        amplitude: Array = np.ones(steering.shape[:2], dtype=np.float32)
        for _ in range(n_iterations):
            largest = amplitude.max(axis=1, keepdims=True)
            weight = amplitude / np.where(largest > 0, largest, 1) + np.float32(FLOOR)
            normal = ((forward * weight[:, None]) @ adjoint).astype(np.complex128)
            normal += (damping * weight.sum(axis=1))[:, None, None] * np.eye(n_traces)
            explained = np.linalg.solve(normal, data).astype(np.complex64)
            amplitude = weight * np.abs((adjoint @ explained)[..., 0])
        return amplitude

    return velocity_spectrum("radon", sweep(beam, weigh(recorded, weights), "plane"), recorded, normalise)
