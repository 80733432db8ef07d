"""Gathers whose velocity spectra are known: sums of waves of given velocities, made from their spectra."""

from __future__ import annotations

import numpy as np
from scipy.special import hankel2, j0

from seisloom.sample import Array

INTERVAL_S = 0.002
N_TIME = 512
BINS_HZ = np.fft.rfftfreq(N_TIME, INTERVAL_S)
FREQUENCY_HZ = BINS_HZ[8:60]
"""7.8 to 57.6 Hz."""
VELOCITY_M_S = np.arange(80.0, 600.0, 2.0)
OFFSETS_M = 10.0 + 2.0 * np.arange(24)
LENGTH_M = 46.0


def gather_of(field: Array) -> Array:
    """Return traces (trace, time) with spectra (trace, frequency) at `BINS_HZ`, times a wavelet of 30 Hz."""
    wavelet = (BINS_HZ / 30) ** 2 * np.exp(1 - (BINS_HZ / 30) ** 2)
    return np.fft.irfft(wavelet * field, n=N_TIME, axis=-1)


def plane_field(velocity_m_s: Array | float, offsets_m: Array = OFFSETS_M) -> Array:
    """Return the spectra of a plane wave, (trace, frequency)."""
    return np.exp(-2j * np.pi * BINS_HZ / velocity_m_s * offsets_m[:, None])


def plane_wave(velocity_m_s: Array | float, offsets_m: Array = OFFSETS_M) -> Array:
    """Return a gather of one plane wave that leaves the source."""
    return gather_of(plane_field(velocity_m_s, offsets_m))


def cylindrical_wave(velocity_m_s: Array | float, offsets_m: Array = OFFSETS_M) -> Array:
    """Return a gather of one cylindrical wave that leaves the source."""
    k = 2 * np.pi * np.maximum(BINS_HZ, 1e-3) / velocity_m_s
    return gather_of(hankel2(0, k * offsets_m[:, None]))


def noise_correlation(velocity_m_s: Array | float, offsets_m: Array = OFFSETS_M) -> Array:
    """Return correlations of noise from all sides, of lags from 0 on: a real spectrum J0(k r)."""
    both = gather_of(j0(2 * np.pi * BINS_HZ / velocity_m_s * offsets_m[:, None]))
    return both[:, : N_TIME // 2]


def add_noise(gather: Array, share: float, seed: int = 0) -> Array:
    """Return a gather with white noise, its size a share of the gather's."""
    return gather + share * gather.std() * np.random.default_rng(seed).normal(size=gather.shape)
