"""Wavelets in cycles a sample, and the table of layers that they are convolved with."""

from __future__ import annotations

import numpy as np

from seisloom.physics.volumes.inverse_map import PER_SAMPLE
from seisloom.physics.volumes.priors import WaveletKind
from seisloom.sample import Array

POWER = {"gaussian_derivative": 1, "ricker": 2, "ricker_derivative": 3}  # of the frequency in the spectrum
ORMSBY_CORNERS = (0.25, 0.6, 1.4, 2.0)  # in units of the middle of its flat part
PERIODS = 1.5  # on either side of the middle: what lies beyond is below 1 % of the peak of the Ricker wavelet
ORMSBY_PERIODS = 2.5  # its flat top makes it ring


def wavelet_taps(kind: WaveletKind, *, f0: float, phase_rad: float = 0.0, for_layers: bool = True) -> Array:
    """Return a wavelet as the taps of a convolution along time, of unit energy.

    Args:
        kind: derivatives of a Gaussian, whose spectrum is (f/f0)^n exp(n/2 (1 - (f/f0)^2)) with n = 1, 2, 3, or an
            Ormsby wavelet with corners at 0.25, 0.6, 1.4 and 2 f0, its ramps raised cosines.
        f0: frequency of the largest amplitude in cycles a sample, above 0, at most 0.3125.
        phase_rad: constant rotation of the phase; pi reverses the polarity.
        for_layers: whether what is convolved is the reflectivity of `layer_table`, which lies half way between samples
            and is smoothed by three boxes of a sample: both are undone.
    Returns:
        float32, shape (2 n,) with tap m at time m - n + 1/2 where `for_layers`, else (2 n + 1,) with the middle at n.
    """
    n_half = int(np.ceil((ORMSBY_PERIODS if kind == "ormsby" else PERIODS) / f0)) + 2
    n_fft = 1 << int(np.ceil(np.log2(8 * n_half + 64)))
    frequency = np.fft.rfftfreq(n_fft)
    spectrum = _amplitude(kind, frequency / f0) * np.exp(1j * phase_rad)
    spectrum *= 0.5 + 0.5 * np.cos(np.pi * np.clip((frequency - 0.42) / 0.08, 0, 1))
    if for_layers:
        time = np.arange(-n_half, n_half) + 0.5
        spectrum *= np.exp(1j * np.pi * frequency) / np.sinc(frequency) ** 3
    else:
        time = np.arange(-n_half, n_half + 1) * 1.0
    trace = np.fft.irfft(spectrum, n_fft)
    taper = np.cos(0.5 * np.pi * np.clip((np.abs(time) / (n_half + 1) - 0.7) / 0.3, 0, 1)) ** 2
    taps = trace[np.floor(time).astype(np.intp) % n_fft] * taper
    return np.asarray(taps / np.sqrt(np.sum(taps**2)), dtype=np.float32)


def _amplitude(kind: WaveletKind, ratio: Array) -> Array:
    """Return the amplitude spectrum of a wavelet at frequencies over f0."""
    if kind == "ormsby":
        low, flat, end, high = ORMSBY_CORNERS
        rise, fall = np.clip((ratio - low) / (flat - low), 0, 1), np.clip((high - ratio) / (high - end), 0, 1)
        return np.asarray(np.sin(0.5 * np.pi * rise) ** 2 * np.sin(0.5 * np.pi * fall) ** 2)
    n = POWER[kind]
    return np.asarray(ratio**n * np.exp(0.5 * n * (1 - ratio**2)))


def layer_table(boundaries: Array, half_log_impedance: Array, n_samples: int) -> Array:
    """Return half the log impedance of a stack of layers, smoothed by two boxes of a sample, as a periodic table.

    The reflectivity of a sample is a difference of this table between its two ends, which is a third box. So an
    interface moves smoothly through the samples; a table of bare steps, or point samples of spikes, would move it in
    jumps of a sample, and dipping events would be jagged.

    Args:
        boundaries: depth of the top of each layer in samples, rising, the first 0.
        half_log_impedance: of each layer, shape (layer,).
        n_samples: period of the table in samples, a power of two.
    Returns:
        float64, shape (n_samples * PER_SAMPLE,).
    """
    depth = (np.arange(n_samples * PER_SAMPLE) + 0.5) / PER_SAMPLE
    fine = half_log_impedance[np.searchsorted(boundaries, depth, side="right") - 1]
    frequency = np.fft.rfftfreq(len(fine), 1 / PER_SAMPLE)
    # the values stand in the middle of the steps of the table: the last factor moves them to its entries
    smooth = np.sinc(frequency) ** 2 * np.exp(-1j * np.pi * frequency / PER_SAMPLE)
    return np.fft.irfft(np.fft.rfft(fine) * smooth, len(fine))
