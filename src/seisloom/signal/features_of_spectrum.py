"""Which frequencies a record has, and how they change: its mean spectrum, its bands and its spectrogram."""

from __future__ import annotations

import numpy as np
from scipy.fft import rfft
from scipy.signal import find_peaks, get_window

from seisloom.sample import Array
from seisloom.signal.feature_list import Feature
from seisloom.signal.features_of_form import moments
from seisloom.signal.filters import bandpass

FRAME_S = 2.56
"""Window of spectra in s, each begins half a window after the one before; 0.4 Hz are told apart."""
BANDS_HZ = ((0.5, 1.0), (1.0, 3.0), (3.0, 10.0), (10.0, 20.0), (20.0, 40.0))
"""Bands in Hz; one that reaches beyond 0.95 of the Nyquist frequency has no features."""


def band_name(band_hz: tuple[float, float]) -> str:
    """Return how a band is called in names of features.

    >>> band_name((0.5, 1.0))
    '0.5_1_hz'
    """
    return f"{band_hz[0]:g}_{band_hz[1]:g}_hz"


SPECTRUM = (
    Feature("centroid_hz", "Hz", "mean frequency of the mean power spectrum"),
    Feature("bandwidth_hz", "Hz", "standard deviation of frequency about the centroid"),
    Feature("spectral_skewness", "1", "skewness of frequency, weighted by power"),
    Feature("spectral_kurtosis", "1", "kurtosis of frequency, weighted by power; 1.8 for white noise"),
    Feature("peak_hz", "Hz", "frequency of the largest power"),
    Feature("median_hz", "Hz", "frequency below which half of the power lies"),
    Feature("rolloff_85_hz", "Hz", "frequency below which 85 % of the power lies"),
    Feature("rolloff_95_hz", "Hz", "frequency below which 95 % of the power lies"),
    Feature("flatness", "1", "geometric over arithmetic mean of the power: 1 for white noise, 0 for a tone"),
    Feature("spectral_entropy", "1", "entropy of the power over that of a flat spectrum, 0 to 1"),
    Feature("spectral_max_over_mean", "1", "largest over mean power"),
    Feature("n_spectral_peaks", "1", "peaks of the power that reach 75 % of the largest"),
    *(
        Feature(f"nyquist_quarter_{k + 1}_share", "1", f"share of the power in quarter {k + 1} of 0 to Nyquist")
        for k in range(4)
    ),
    *(
        Feature(f"share_{band_name(one)}", "1", f"share of the power at {one[0]:g} to {one[1]:g} Hz")
        for one in BANDS_HZ
    ),
    *(
        Feature(f"kurtosis_{band_name(one)}", "1", f"kurtosis of amplitudes band-passed to {one[0]:g} to {one[1]:g} Hz")
        for one in BANDS_HZ
    ),
    Feature("centroid_spread_hz", "Hz", "standard deviation over windows of the centroid, weighted by their power"),
    Feature("centroid_drift_hz_s", "Hz/s", "slope of the centroid over time, weighted by power"),
    Feature("peak_spread_hz", "Hz", "standard deviation over windows of the peak frequency, weighted by power"),
)


def spectrum_features(x: Array, real: Array, *, fs_hz: float) -> dict[str, float]:
    """Return the features SPECTRUM of one channel; arguments as those of `form_features`."""
    frames, start = _frames(x, real, fs_hz)
    found = _bands(x, real, fs_hz)
    if not len(frames):
        return found
    n = frames.shape[1]
    windowed = (frames - frames.mean(axis=1, keepdims=True)) * get_window("hann", n)
    power = np.abs(rfft(windowed, axis=1)[:, 1:]) ** 2
    if n % 2 == 0:
        power[:, -1] /= 2  # Nyquist has no mirror image
    frequency = np.arange(1, power.shape[1] + 1) * fs_hz / n
    if not power.sum() > 0:
        return found
    return {**found, **_shape(power.mean(axis=0), frequency, fs_hz), **_changes(power, frequency, start)}


def _frames(x: Array, real: Array, fs_hz: float) -> tuple[Array, Array]:
    """Windows without gaps, (frame, time), and when each begins in s."""
    n = min(max(8, round(FRAME_S * fs_hz)), x.size)
    first = np.arange(0, x.size - n + 1, max(1, n // 2))
    idx = first[:, None] + np.arange(n)
    whole = real[idx].all(axis=1)
    return x[idx[whole]], first[whole] / fs_hz


def _shape(power: Array, frequency: Array, fs_hz: float) -> dict[str, float]:
    """Features of the mean spectrum, power (frequency,)."""
    share = power / power.sum()
    centroid = float(share @ frequency)
    away = frequency - centroid
    variance = float(share @ away**2)
    reached = np.cumsum(share)
    median, upper, most = (float(frequency[np.searchsorted(reached, one)]) for one in (0.5, 0.85, 0.95))
    some = share[share > 0]
    quarter = np.minimum((frequency / (fs_hz / 2) * 4).astype(int), 3)
    return {
        "centroid_hz": centroid,
        "bandwidth_hz": float(np.sqrt(variance)),
        "spectral_skewness": float(share @ away**3) / variance**1.5 if variance > 0 else np.nan,
        "spectral_kurtosis": float(share @ away**4) / variance**2 if variance > 0 else np.nan,
        "peak_hz": float(frequency[power.argmax()]),
        "median_hz": median,
        "rolloff_85_hz": upper,
        "rolloff_95_hz": most,
        "flatness": float(np.exp(np.mean(np.log(share))) * share.size) if some.size == share.size else 0.0,
        "spectral_entropy": float(-some @ np.log(some) / np.log(share.size)),
        "spectral_max_over_mean": float(share.max() * share.size),
        "n_spectral_peaks": float(find_peaks(power, height=0.75 * power.max())[0].size),
        **{f"nyquist_quarter_{k + 1}_share": float(share[quarter == k].sum()) for k in range(4)},
        **{
            f"share_{band_name(one)}": float(share[(frequency >= one[0]) & (frequency < one[1])].sum())
            for one in BANDS_HZ
            if fits(one, fs_hz)
        },
    }


def _changes(power: Array, frequency: Array, start: Array) -> dict[str, float]:
    """How the spectrum moves, power (frame, frequency)."""
    weight = power.sum(axis=1) / power.sum()
    live = weight > 0
    centroid = (power[live] @ frequency) / power[live].sum(axis=1)
    peak, weight, start = frequency[power[live].argmax(axis=1)], weight[live], start[live]
    time = start - weight @ start
    spread = float(weight @ time**2)
    return {
        "centroid_spread_hz": _deviation(centroid, weight),
        "centroid_drift_hz_s": float(weight @ (time * centroid)) / spread if spread > 0 else np.nan,
        "peak_spread_hz": _deviation(peak, weight),
    }


def _bands(x: Array, real: Array, fs_hz: float) -> dict[str, float]:
    """Kurtosis of what is left in each band."""
    return {
        f"kurtosis_{band_name(one)}": moments(bandpass(x, fs_hz=fs_hz, low_hz=one[0], high_hz=one[1])[real])[1]
        for one in BANDS_HZ
        if fits(one, fs_hz)
    }


def fits(band_hz: tuple[float, float], fs_hz: float) -> bool:
    """Return whether a band lies below 0.95 of the Nyquist frequency, so that a filter has room to fall off."""
    return band_hz[1] <= 0.95 * fs_hz / 2


def _deviation(values: Array, weight: Array) -> float:
    """The weighted standard deviation."""
    return float(np.sqrt(weight @ (values - weight @ values) ** 2))
