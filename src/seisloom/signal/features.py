"""The seven feature channels of a trace that a picker may be given instead of, or beside, the trace itself."""

from __future__ import annotations

import numpy as np

from seisloom.sample import Array
from seisloom.signal.filters import bandpass, envelope
from seisloom.signal.moving import RunningSum, deviation, moving_mean
from seisloom.signal.scaling import quantile
from seisloom.signal.triggers import centred_ratio, window_lengths

SEED_CHANNELS = (
    "bandpassed",
    "sta_lta_short",
    "sta_lta_long",
    "envelope",
    "smoothed_envelope",
    "sliding_std",
    "contrast_db",
)
NO_CONTRAST_DB = 0.0  # of a dead trace


def seed_features(
    x: Array,
    *,
    fs_hz: float,
    low_hz: float = 3.0,
    high_hz: float = 12.0,
    short_s: tuple[float, float] = (0.05, 0.5),
    long_s: tuple[float, float] = (0.1, 1.0),
    smooth_s: float = 0.05,
    std_s: float = 0.1,
    quiet_s: float = 0.5,
) -> Array:
    """Return the seven channels of Ashraf's Pwave-MLpicker, none of which takes a pick.

    Args:
        x: amplitudes, shape (..., time), as recorded; finite.
        fs_hz: sampling rate in Hz.
        low_hz, high_hz: band in Hz, zero-phase; the default is that of airgun shots on ocean-bottom stations.
        short_s, long_s: (STA, LTA) windows in s of the two centred STA/LTA channels.
        smooth_s: window in s of the smoothed envelope.
        std_s: window in s of the sliding standard deviation of the rectified band-passed trace.
        quiet_s: window in s in which the quietest part of the trace is sought for `contrast_db`.
    Returns:
        float32, shape (..., 7, time), channels in the order of SEED_CHANNELS; amplitudes in the unit of `x`.
    Source: github.com/asifashraf060/Pwave-MLpicker, etl_to_wds_from_manifest.py. There the last channel was an SNR
    computed around the true pick, which gives the answer away; here it is the contrast, 20 log10 of the 92nd
    percentile of the band-passed amplitude over the RMS of the quietest window, the same at all samples.
    """
    x = np.asarray(x, dtype=np.float64)
    out = np.empty((*x.shape[:-1], len(SEED_CHANNELS), x.shape[-1]), dtype=np.float32)
    n_smooth, n_std, n_quiet = (max(1, round(window_s * fs_hz)) for window_s in (smooth_s, std_s, quiet_s))
    short, long = (window_lengths(fs_hz, *windows_s) for windows_s in (short_s, long_s))
    band = bandpass(x, fs_hz=fs_hz, low_hz=low_hz, high_hz=high_hz)
    energy = RunningSum.of(np.square(band), reach=max(*short, *long, n_std))
    magnitude = np.abs(band)
    hull = envelope(band)
    out[..., 0, :] = band
    out[..., 1, :] = centred_ratio(energy, *short)
    out[..., 2, :] = centred_ratio(energy, *long)
    out[..., 3, :] = hull
    out[..., 4, :] = moving_mean(hull, n_window=n_smooth)
    out[..., 5, :] = deviation(moving_mean(magnitude, n_window=n_std), energy.mean_around(n_std))
    out[..., 6, :] = _contrast_db(magnitude, energy, n_quiet=n_quiet)[..., None]
    return out


def _contrast_db(magnitude: Array, energy: RunningSum, *, n_quiet: int) -> Array:
    """Return how far the loud part of a trace stands above its quietest window, in dB, shape (...)."""
    n_time = magnitude.shape[-1]
    n_quiet = min(n_quiet, n_time)
    quietest = energy.inside(n_quiet).min(axis=-1) / n_quiet
    loud = np.square(quantile(magnitude, 0.92))
    # A window of zeros (a mute) would make the contrast infinite: 120 dB is more than a recorder resolves.
    floor = np.maximum(quietest, 1e-12 * energy.whole[..., 0] / n_time)
    ratio = np.divide(loud, floor, out=np.ones_like(loud), where=(floor > 0) & (loud > 0))
    return np.where(ratio == 1.0, NO_CONTRAST_DB, 10.0 * np.log10(ratio))
