"""How a record grows and dies away: durations, envelope, moments, decay and autocorrelation of one channel."""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import find_peaks

from seisloom.sample import Array
from seisloom.signal.feature_list import Feature
from seisloom.signal.filters import envelope
from seisloom.signal.moving import RunningSum, moving_mean

SMOOTH_S = 0.5
"""Window of the smoothed envelope in s: longer than a period, shorter than what is to be told apart."""
LOUD = 0.2
"""Share of the largest smoothed envelope from which on a record counts as loud."""
KURTOSIS_S, RISE_S = 5.0, 0.5
"""Window of the running kurtosis, and the time in which its rise is taken, in s."""

FORM = (
    Feature("duration_s", "s", "from the first to the last sample whose smoothed envelope is 20 % of its largest"),
    Feature("energy_duration_s", "s", "from 5 to 95 % of the energy (Trifunac & Brady 1975, BSSA 65)"),
    Feature("loud_share", "1", "share of samples whose smoothed envelope is 20 % of its largest or more"),
    Feature("rise_s", "s", "from the first loud sample to the largest smoothed envelope"),
    Feature("fall_s", "s", "from the largest smoothed envelope to the last loud sample"),
    Feature("rise_share", "1", "rise over rise and fall"),
    Feature("energy_centre_share", "1", "mean time of the energy, as a share of the record"),
    Feature("envelope_mean_over_max", "1", "mean over largest smoothed envelope"),
    Feature("envelope_median_over_max", "1", "median over largest smoothed envelope"),
    Feature("envelope_skewness", "1", "skewness of the envelope"),
    Feature("envelope_kurtosis", "1", "kurtosis of the envelope; 3 for a normal law"),
    Feature("n_envelope_peaks", "1", "peaks of the smoothed envelope that reach half of its largest"),
    Feature("decay_per_s", "1/s", "slope of the logarithm of the smoothed envelope from its largest to the last loud"),
    Feature("decay_misfit", "1", "RMS of the fall of the smoothed envelope about a straight line, over its largest"),
    Feature("skewness", "1", "skewness of the amplitudes"),
    Feature("kurtosis", "1", "kurtosis of the amplitudes; 3 for white noise"),
    Feature("kurtosis_max", "1", "largest kurtosis of windows of 5 s"),
    Feature("kurtosis_rise", "1", "largest growth of that kurtosis within 0.5 s"),
    Feature("rms_over_max", "1", "RMS over largest amplitude"),
    Feature("log10_rms", "log10 of the unit of the values", "RMS amplitude"),
    Feature("zero_crossings_hz", "Hz", "half the changes of sign in a second: the frequency of a tone"),
    Feature(
        "autocorrelation_early_share", "1", "share of the energy of the autocorrelation in its first third of lags"
    ),
    Feature("autocorrelation_zero_s", "s", "lag of its first change of sign; a quarter of a tone's period"),
    Feature("n_autocorrelation_peaks", "1", "peaks of it that reach a fifth of its value at lag 0"),
)


def form_features(x: Array, real: Array, *, fs_hz: float) -> dict[str, float]:
    """Return the features FORM of one channel.

    Args:
        x: amplitudes about 0, shape (time,), 0 where not real; not all zero.
        real: bool, shape (time,): what was recorded.
        fs_hz: sampling rate in Hz.
    """
    hull = np.where(real, envelope(x), 0.0)
    smooth = np.where(real, moving_mean(hull, n_window=max(1, round(SMOOTH_S * fs_hz))), 0.0)
    return {
        **_growth(x, smooth, real, fs_hz),
        **_amplitudes(x[real], hull[real], smooth[real]),
        **_decay(smooth, fs_hz),
        **_running_kurtosis(x, real, fs_hz),
        **_repetition(x, real, fs_hz),
    }


def moments(x: Array) -> tuple[float, float]:
    """Return skewness and kurtosis (3 for a normal law) of numbers about any mean; NaN if they are all the same."""
    centred = x - x.mean()
    variance = np.mean(centred**2)
    if variance <= 0:
        return np.nan, np.nan
    return float(np.mean(centred**3) / variance**1.5), float(np.mean(centred**4) / variance**2)


def _growth(x: Array, smooth: Array, real: Array, fs_hz: float) -> dict[str, float]:
    """When a record is loud, and when its energy comes."""
    loud = np.flatnonzero(smooth >= LOUD * smooth.max())
    top = int(smooth.argmax())
    rise, fall = (top - loud[0]) / fs_hz, (loud[-1] - top) / fs_hz
    energy = np.cumsum(x**2)
    first, last = np.searchsorted(energy, [0.05 * energy[-1], 0.95 * energy[-1]])
    return {
        "duration_s": (loud[-1] - loud[0] + 1) / fs_hz,
        "energy_duration_s": (last - first) / fs_hz,
        "loud_share": loud.size / real.sum(),
        "rise_s": rise,
        "fall_s": fall,
        "rise_share": rise / (rise + fall) if rise + fall > 0 else np.nan,
        "energy_centre_share": float(x**2 @ (np.arange(x.size) + 0.5)) / energy[-1] / x.size,
        "n_envelope_peaks": _n_peaks(smooth, 0.5 * smooth.max()),
    }


def _amplitudes(x: Array, hull: Array, smooth: Array) -> dict[str, float]:
    """How amplitudes are distributed, of real samples alone."""
    skewness, kurtosis = moments(x)
    hull_skewness, hull_kurtosis = moments(hull)
    rms = float(np.sqrt(np.mean(x**2)))
    return {
        "envelope_mean_over_max": float(smooth.mean() / smooth.max()),
        "envelope_median_over_max": float(np.median(smooth) / smooth.max()),
        "envelope_skewness": hull_skewness,
        "envelope_kurtosis": hull_kurtosis,
        "skewness": skewness,
        "kurtosis": kurtosis,
        "rms_over_max": rms / float(np.abs(x).max()),
        "log10_rms": float(np.log10(rms)),
    }


def _decay(smooth: Array, fs_hz: float) -> dict[str, float]:
    """How the envelope falls off behind its largest value."""
    top = int(smooth.argmax())
    last = int(np.flatnonzero(smooth >= LOUD * smooth.max())[-1])
    part = smooth[top : last + 1]
    # A gap has no envelope, and no logarithm
    places = np.flatnonzero(part > 0) / fs_hz
    if places.size < 3:
        return {}
    part = part[part > 0] / smooth.max()
    line = np.linspace(part[0], part[-1], part.size) if places.size == part.size else part
    return {
        "decay_per_s": float(np.polyfit(places, np.log(part), 1)[0]),
        "decay_misfit": float(np.sqrt(np.mean((part - line) ** 2))),
    }


def _running_kurtosis(x: Array, real: Array, fs_hz: float) -> dict[str, float]:
    """The kurtosis of windows that lie within the record and have no gap, about the mean of the record."""
    n = round(KURTOSIS_S * fs_hz)
    if x.size < n:
        return {}
    scaled = x / np.abs(x).max()  # fourth powers of small numbers would be lost
    second, fourth, n_real = (RunningSum.of(one).inside(n) for one in (scaled**2, scaled**4, real.astype(float)))
    live = (n_real > n - 0.5) & (second > 1e-9 * n * np.mean(scaled**2))
    if not live.any():
        return {}
    kurtosis = np.divide(n * fourth, second**2, out=np.full(second.shape, np.nan), where=live)
    step = max(1, round(RISE_S * fs_hz))
    growth = kurtosis[step:] - kurtosis[:-step]
    return {
        "kurtosis_max": float(np.nanmax(kurtosis)),
        "kurtosis_rise": float(np.nanmax(growth)) if np.isfinite(growth).any() else np.nan,
    }


def _repetition(x: Array, real: Array, fs_hz: float) -> dict[str, float]:
    """Changes of sign, and the autocorrelation."""
    both = real[1:] & real[:-1]
    changes = (np.signbit(x[1:]) != np.signbit(x[:-1])) & both
    n = next_fast_len(2 * x.size)
    alike = irfft(np.abs(rfft(x, n)) ** 2, n)[: x.size]
    alike = alike / alike[0]
    negative = np.flatnonzero(alike <= 0)
    return {
        "zero_crossings_hz": float(changes.sum() / 2 / both.sum() * fs_hz) if both.any() else np.nan,
        "autocorrelation_early_share": float(np.sum(alike[: x.size // 3] ** 2) / np.sum(alike**2)),
        "autocorrelation_zero_s": negative[0] / fs_hz if negative.size else np.nan,
        "n_autocorrelation_peaks": _n_peaks(alike, 0.2),
    }


def _n_peaks(x: Array, least: float) -> float:
    """How many peaks reach a height."""
    return float(find_peaks(x, height=least)[0].size)
