"""The wavelet of a gather as a spectrum: its band, its phase, the echo of the sea surface and the airgun's bubble."""

from __future__ import annotations

import numpy as np

from seisloom.physics.gathers.draws import log_uniform
from seisloom.physics.gathers.priors import GatherPriors
from seisloom.physics.gathers.spread import Spread
from seisloom.physics.wavelets import ormsby_spectrum, ricker_spectrum
from seisloom.sample import Array

WATER_M_S = 1500.0
LEAST = 1e-3
"""Of an amplitude spectrum over its largest value: what a minimum phase, a transform of the logarithm, is made with."""


def draw_wavelet(rng: np.random.Generator, priors: GatherPriors, spread: Spread, frequency_hz: Array) -> Array:
    """Return the wavelet's spectrum, complex, of unit peak; 0 above what a recorder's filter lets through.

    Args:
        rng: draws.
        priors: of band and phase.
        spread: of which sampling rate and peak frequency are used, and whether it is at sea.
        frequency_hz: from 0 to the Nyquist frequency in even steps, shape (frequency,).
    """
    kind = priors.spectra[int(rng.integers(len(priors.spectra)))]
    peak, octaves = spread.peak_hz, rng.uniform(*priors.octaves)
    low, high = peak * 2 ** (-octaves / 2), peak * 2 ** (octaves / 2)
    rises, falls = rng.integers(2, 5), rng.integers(2, 7)  # orders: 12 to 24, and 12 to 36 dB an octave
    if kind == "ricker":
        size = ricker_spectrum(frequency_hz, peak_hz=peak)
    elif kind == "ormsby":
        size = ormsby_spectrum(frequency_hz, corners_hz=(0.6 * low, 1.2 * low, 0.8 * high, 1.3 * high))
    else:
        size = 1 / np.sqrt(
            (1 + (low / np.maximum(frequency_hz, low / 100)) ** (2 * rises))
            * (1 + (frequency_hz / high) ** (2 * falls))
        )
        size[0] = 0.0
    chosen, constant = rng.random(), rng.uniform(0, 2 * np.pi)
    if chosen < priors.share_zero_phase:
        wavelet = size.astype(complex)
    elif chosen < priors.share_zero_phase + priors.share_minimum_phase:
        wavelet = size * np.exp(1j * minimum_phase(size))
    else:
        wavelet = size * np.exp(1j * constant)
    if spread.at_sea:
        wavelet = wavelet * _of_airgun(rng, priors, spread, frequency_hz)
    # The filter comes last: what it stops would ring at any delay that is no whole sample
    compact = _compact(wavelet, spread) * anti_alias(frequency_hz, spread.fs_hz)
    return np.asarray(compact / np.abs(compact).max())


def anti_alias(frequency_hz: Array, fs_hz: float) -> Array:
    """Return what a recorder's filter lets through: 1 up to 0.55 of the Nyquist frequency, 0 from 0.95 on."""
    # Smooth to the third derivative at both ends: it rings so short that no gain shows it ahead of strong arrivals
    share = np.clip((2 * frequency_hz / fs_hz - 0.55) / 0.4, 0, 1)
    return np.asarray(np.cos(np.pi / 2 * np.sin(np.pi / 2 * share) ** 2) ** 2)


def wavelet_span_s(spread: Spread) -> tuple[float, float]:
    """Return how long in s a wavelet lasts after its arrival, and how long before, but for the filter's ringing."""
    return 4 / spread.peak_hz + (0.35 if spread.at_sea else 0.0), 2 / spread.peak_hz


def _compact(spectrum: Array, spread: Spread) -> Array:
    """Return the spectrum of a wavelet that ends, with a taper over the outer third of its span.

    Its mean and first three moments are 0: at the lowest frequencies its spectrum grows as f^4, and absorption, which
    has a corner at 0 Hz, leaves no slow tail.
    """
    n = 2 * (len(spectrum) - 1)
    time = np.arange(n) / spread.fs_hz
    time[n // 2 :] -= n / spread.fs_hz
    after, before = wavelet_span_s(spread)
    share = np.where(time >= 0, time / after, -time / before)
    window = np.cos(np.pi / 2 * np.clip((share - 0.67) / 0.33, 0, 1)) ** 2
    wavelet = window * np.fft.irfft(spectrum, n=n)
    powers = (time / after) ** np.arange(4)[:, None]
    weights = np.linalg.solve((powers * window) @ powers.T, powers @ wavelet)
    return np.asarray(np.fft.rfft(wavelet - window * (weights @ powers)))


def _of_airgun(rng: np.random.Generator, priors: GatherPriors, spread: Spread, frequency_hz: Array) -> Array:
    """Return ghosts of source and receiver, each 1 - r exp(-4 pi i f z / v), and the bubble."""
    turn = -2j * np.pi * frequency_hz
    factor = np.ones(len(frequency_hz), dtype=complex)
    size = rng.uniform(0.7, 1.0)
    for depth in rng.uniform(*priors.ghost_m, 2)[: 1 if spread.on_floor else 2]:
        # A notch at the peak would leave no wavelet: depths are those that suit it
        shallow = min(depth, 0.35 * WATER_M_S / spread.peak_hz)
        factor *= 1 - size * np.exp(turn * 2 * shallow / WATER_M_S)
    if rng.random() < priors.share_bubble:
        period, strength = log_uniform(rng, priors.bubble_s), rng.uniform(0.05, 0.4)
        # The bubble is duller than the first peak
        dull = 1 / (1 + (frequency_hz / spread.peak_hz) ** 2)
        once = strength * dull * np.exp(turn * period)
        factor *= 1 + once + once**2
    return factor


def minimum_phase(size: Array) -> Array:
    """Return the phase in rad of the minimum-phase wavelet of an amplitude spectrum, shape (frequency,).

    Amplitudes below 1/1000 of the largest count as that, since the logarithm of 0 has no transform.
    Source: Oppenheim & Schafer, Discrete-Time Signal Processing, section on cepstra of causal sequences: the part of
        the real cepstrum before time 0 folded onto that after it.
    """
    log_size = np.log(np.maximum(size, LEAST * size.max()))
    n = 2 * (len(size) - 1)
    cepstrum = np.fft.irfft(log_size, n=n)
    cepstrum[1 : n // 2] *= 2
    cepstrum[n // 2 + 1 :] = 0
    return np.asarray(np.fft.rfft(cepstrum).imag)
