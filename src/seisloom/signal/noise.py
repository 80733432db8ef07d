"""The signal-to-noise ratio of an onset: one formula for shards, training, abstention and reports."""

from __future__ import annotations

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array


def snr_db(x: Array, onset_idx: Array | float, *, fs_hz: float, signal_s: float, noise_s: float) -> Array:
    """Return 20 log10 of the RMS after an onset over the RMS before it, in dB.

    The mean of the noise window is taken off both windows, so that a recorder's offset does not count as either.

    Args:
        x: amplitudes, shape (..., time), any unit.
        onset_idx: sample of the onset, shape (...) or one for all; fractions are rounded; NaN where there is none.
        fs_hz: sampling rate in Hz.
        signal_s, noise_s: lengths in s of the windows [onset, onset + signal_s) and [onset - noise_s, onset).
    Returns:
        float64, shape (...). NaN where the onset is NaN, a window does not lie wholly in the trace, a sample in it
        is not finite, or both windows are silent; +inf where only the noise is exactly 0, -inf where only the
        signal is.
    Raises:
        DataError: if a window is shorter than half a sample.

    >>> float(snr_db(np.r_[1.0, -1.0, 10.0, -10.0], 2, fs_hz=1, signal_s=2, noise_s=2))
    20.0
    """
    n_signal, n_noise = round(signal_s * fs_hz), round(noise_s * fs_hz)
    if n_signal < 1 or n_noise < 1:
        raise DataError(
            f"windows of {signal_s} s (signal) and {noise_s} s (noise) hold no sample at {fs_hz} Hz; choose longer ones"
        )
    x = np.asarray(x)
    n_time = x.shape[-1]
    onset = np.broadcast_to(np.asarray(onset_idx, dtype=np.float64), x.shape[:-1])
    inside = (np.rint(onset) >= n_noise) & (np.rint(onset) <= n_time - n_signal)  # False for NaN
    if not inside.any():
        return np.full(onset.shape, np.nan)
    start = np.where(inside, np.rint(onset), n_noise).astype(np.intp) - n_noise
    start = np.minimum(start, n_time - n_noise - n_signal)
    idx = start[..., None] + np.arange(n_noise + n_signal)
    around = np.take_along_axis(x, idx, axis=-1).astype(np.float64)
    ratio = _rms_ratio_db(around[..., :n_noise], around[..., n_noise:])
    return np.where(inside, ratio, np.nan)


def _rms_ratio_db(noise: Array, signal: Array) -> Array:
    """Return the ratio in dB of two windows, shape (..., time), about the mean of the first."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):  # NaN and infinite values are the answer
        level = noise[..., :1]  # first, so that a constant window gives exactly 0 and not its rounding
        mean = (noise - level).mean(axis=-1, keepdims=True)
        noise_power = np.square(noise - level - mean).mean(axis=-1)
        signal_power = np.square(signal - level - mean).mean(axis=-1)
        return np.asarray(10.0 * (np.log10(signal_power) - np.log10(noise_power)))
