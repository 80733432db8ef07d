"""Beamformers of one or more shots at one place: with fixed weights (FDBF), and with those of least variance (MVDR)."""

from __future__ import annotations

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.velocity_spectra.axes import check_choice
from seisloom.signal.velocity_spectra.panel import Normalise, VelocitySpectrum, velocity_spectrum
from seisloom.signal.velocity_spectra.recorded import record
from seisloom.signal.velocity_spectra.steering import STEERINGS, Steering, sweep
from seisloom.signal.velocity_spectra.wavenumber import mean_beam
from seisloom.signal.velocity_spectra.weights import Weights, weigh


def fdbf(
    gather: Array,
    interval_s: float,
    offsets_m: Array,
    frequency_hz: Array,
    velocity_m_s: Array,
    *,
    steering: Steering = "cylindrical",
    weights: Weights = "sqrt",
    normalise: Normalise = "frequency",
) -> VelocitySpectrum:
    """Return the frequency-domain beamformer's amplitude, the root of P = e^H W R W e.

    R is the mean over shots of U U^H. It is not formed: P is the mean over shots of |e^H W U|^2.

    Args:
        gather: amplitudes, (trace, time) or (shot, trace, time), any unit.
        interval_s: between samples, in s.
        offsets_m: (trace,), in m, of all shots.
        frequency_hz: (frequency,), ascending, any raster.
        velocity_m_s: (velocity,), ascending.
        steering: "plane", or "cylindrical" with the phases of a Hankel function, right near the source too.
        weights: see `weights.weigh`.
        normalise: see `panel.normalise_panel`.
    Returns:
        Its scale is a weighted mean of Fourier sums, or a coherence if weights are "inverse_amplitude".
    Raises:
        DataError: see `recorded.record`; or an option is not known, or a trace lies at the source.
    Source: Zywicki & Rix (2005), J. Geotech. Geoenviron. Eng. 131, 970-977.
    """
    check_choice("steering", steering, STEERINGS)
    recorded = record(gather, interval_s, offsets_m, frequency_hz, velocity_m_s, shots=True)
    return velocity_spectrum("fdbf", sweep(mean_beam, weigh(recorded, weights), steering), recorded, normalise)


def mvdr(
    gather: Array,
    interval_s: float,
    offsets_m: Array,
    frequency_hz: Array,
    velocity_m_s: Array,
    *,
    steering: Steering = "cylindrical",
    weights: Weights = "sqrt",
    loading: float = 0.01,
    normalise: Normalise = "frequency",
) -> VelocitySpectrum:
    """Return the minimum-variance (high-resolution) beamformer's amplitude, the root of 1 / (e^H R^-1 e).

    R is the mean over shots of the weighted U U^H, plus `loading` times its mean diagonal on the diagonal. Modes of one
    shot are coherent: they come out narrow, but are told apart no better than by `fdbf`; as many shots that differ are
    needed as there are modes.

    One shot has a floor beside the peak: what its best wave leaves unexplained.

    Args:
        loading: share of the mean power of a trace, above 0. Less is narrower, and less robust.
        gather, interval_s, offsets_m, frequency_hz, velocity_m_s, steering, weights, normalise: as those of `fdbf`.
    Raises:
        DataError: as `fdbf`, and if the loading is not above 0: R of fewer shots than traces has no inverse without.
    Source: Capon (1969), Proc. IEEE 57, 1408-1418.
    """
    check_choice("steering", steering, STEERINGS)
    if not loading > 0:
        raise DataError(f"loading is {loading}; it is above 0, 0.01 is usual")
    recorded = record(gather, interval_s, offsets_m, frequency_hz, velocity_m_s, shots=True).only_live()

    def beam(spectra: Array, steered: Array) -> Array:
        n_traces = spectra.shape[1]
        covariance = (spectra @ spectra.conj().swapaxes(1, 2) / spectra.shape[2]).astype(np.complex128)
        power = np.trace(covariance, axis1=1, axis2=2).real / n_traces
        there = power > 0  # nothing recorded: any R does, the power is 0
        covariance += (loading * np.where(there, power, 1))[:, None, None] * np.eye(n_traces)
        inverse = np.linalg.inv(covariance).astype(np.complex64)
        variance = np.sum(((steered @ inverse) * steered.conj()).real, axis=-1)
        return np.asarray(np.sqrt(there[:, None] / variance))

    return velocity_spectrum("mvdr", sweep(beam, weigh(recorded, weights), steering), recorded, normalise)
