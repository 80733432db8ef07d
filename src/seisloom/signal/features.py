"""The seven feature channels of a trace that a picker may be given instead of, or beside, the trace itself."""

from __future__ import annotations

import numpy as np

from seisloom.sample import Array
from seisloom.signal.filters import bandpass, envelope
from seisloom.signal.triggers import centred_sta_lta

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
    n_time = x.shape[-1]
    band = bandpass(x, fs_hz=fs_hz, low_hz=low_hz, high_hz=high_hz)
    magnitude = np.abs(band)
    hull = envelope(band)
    channels = (
        band,
        centred_sta_lta(band, fs_hz=fs_hz, sta_s=short_s[0], lta_s=short_s[1]),
        centred_sta_lta(band, fs_hz=fs_hz, sta_s=long_s[0], lta_s=long_s[1]),
        hull,
        moving_mean(hull, n_window=max(1, round(smooth_s * fs_hz))),
        moving_std(magnitude, n_window=max(1, round(std_s * fs_hz))),
        np.broadcast_to(_contrast_db(magnitude, n_quiet=max(1, round(quiet_s * fs_hz)))[..., None], x.shape),
    )
    out = np.empty((*x.shape[:-1], len(channels), n_time), dtype=np.float32)
    for channel, values in enumerate(channels):
        out[..., channel, :] = values
    return out


def moving_mean(x: Array, *, n_window: int) -> Array:
    """Return the mean over `n_window` samples around each one, shape (..., time); windows are cut at the ends."""
    x = np.asarray(x, dtype=np.float64)
    n_time = x.shape[-1]
    total = np.zeros((*x.shape[:-1], n_time + 1))
    np.cumsum(x, axis=-1, out=total[..., 1:])
    first, end = _window_bounds(n_time, n_window)
    return np.asarray((total[..., end] - total[..., first]) / (end - first))


def moving_std(x: Array, *, n_window: int) -> Array:
    """Return the standard deviation over `n_window` samples around each one, shape (..., time)."""
    x = np.asarray(x, dtype=np.float64)
    mean = moving_mean(x, n_window=n_window)
    variance = moving_mean(x * x, n_window=n_window) - mean * mean
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)))  # rounding can take it below 0


def _contrast_db(magnitude: Array, *, n_quiet: int) -> Array:
    """Return how far the loud part of a trace stands above its quietest window, in dB, shape (...)."""
    n_time = magnitude.shape[-1]
    n_quiet = min(n_quiet, n_time)
    total = np.cumsum(np.square(magnitude), axis=-1)
    total = np.concatenate([np.zeros_like(total[..., :1]), total], axis=-1)
    quietest = ((total[..., n_quiet:] - total[..., : n_time + 1 - n_quiet]) / n_quiet).min(axis=-1)
    loud = np.square(np.percentile(magnitude, 92, axis=-1))
    # A window of zeros (a mute) would make the contrast infinite: 120 dB is more than a recorder resolves.
    floor = np.maximum(quietest, 1e-12 * total[..., -1] / n_time)
    ratio = np.divide(loud, floor, out=np.ones_like(loud), where=(floor > 0) & (loud > 0))
    return np.where(ratio == 1.0, NO_CONTRAST_DB, 10.0 * np.log10(ratio))


def _window_bounds(n_time: int, n_window: int) -> tuple[Array, Array]:
    """Return the first sample and the end of the window around each sample."""
    idx = np.arange(n_time)
    first = np.maximum(idx - n_window // 2, 0)
    return first, np.minimum(idx - n_window // 2 + n_window, n_time)
