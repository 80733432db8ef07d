"""Band-pass, resampling and envelope of traces, along the last axis."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

import numpy as np
from scipy import signal
from scipy.fft import irfft, next_fast_len, rfft

from seisloom.errors import DataError
from seisloom.sample import Array

MAX_RESAMPLING_FACTOR = 2000  # a finer ratio needs an anti-alias filter longer than most traces
MAX_DRIFT_SAMPLES = 0.05  # of the last sample's place, when the ratio of the rates is rounded


def bandpass(
    x: Array,
    *,
    fs_hz: float,
    low_hz: float | None,
    high_hz: float | None,
    order: int = 2,
    zero_phase: bool = True,
) -> Array:
    """Return traces with the energy outside a frequency band removed (Butterworth).

    Args:
        x: amplitudes, shape (..., time); finite.
        fs_hz: sampling rate in Hz.
        low_hz, high_hz: corners of the band (-3 dB a pass) in Hz; None leaves that side open.
        order: order of the filter a pass and side.
        zero_phase: filter forward and backward, so that nothing is delayed but an onset gets a forerunner;
            False filters forward only, and keeps what lies before an onset untouched.
    Returns:
        Filtered traces, shape and floating type of `x` (float64 for integers); both ends are treated as if the
        trace went on (odd extension, or the steady state of its first sample), so that an offset does not ring.
    Raises:
        DataError: if a corner is not between 0 and half the sampling rate; nothing is clamped.
    """
    x = _as_floating(x)
    sos = _butterworth(fs_hz=fs_hz, low_hz=low_hz, high_hz=high_hz, order=order)
    if x.shape[-1] == 0:
        return x.copy()
    if zero_phase:
        n_padded = min(3 * (2 * len(sos) + 1), x.shape[-1] - 1)
        y = signal.sosfiltfilt(sos, x, axis=-1, padlen=n_padded)
    else:
        steady = signal.sosfilt_zi(sos).reshape(len(sos), *(1,) * (x.ndim - 1), 2)
        y, _ = signal.sosfilt(sos, x, axis=-1, zi=steady * x[..., :1])
    return np.asarray(y, dtype=x.dtype)


def resample(x: Array, *, fs_hz: float, target_fs_hz: float) -> Array:
    """Return traces at another sampling rate, without aliasing; sample 0 stays at its time.

    Args:
        x: amplitudes, shape (..., time); finite.
        fs_hz: sampling rate of `x` in Hz.
        target_fs_hz: wanted sampling rate in Hz.
    Returns:
        float32, shape (..., ceil(time * target_fs_hz / fs_hz)); the same numbers where the rates are equal. Flat
        to 0.8 of the lower of both Nyquist frequencies, 50 dB down from 1.2 of it. Beyond its ends a trace is taken
        to keep its first and last value, so a constant stays constant.
    Raises:
        DataError: if a rate is not positive, or the ratio is no fraction that keeps the last sample within 0.05
            samples of its place.
    """
    if not (fs_hz > 0 and target_fs_hz > 0 and np.isfinite(fs_hz + target_fs_hz)):
        raise DataError(f"cannot resample from {fs_hz} Hz to {target_fs_hz} Hz: both rates must be positive")
    x = np.asarray(x)
    if fs_hz == target_fs_hz or x.shape[-1] == 0:
        return np.array(x, dtype=np.float32)
    ratio = _resampling_ratio(x.shape[-1], fs_hz=fs_hz, target_fs_hz=target_fs_hz)
    # Taking one sample of each trace as its zero keeps float32 precise where an offset exceeds the signal.
    level = np.asarray(x[..., :1], dtype=np.float64)
    taps = _anti_alias(max(ratio.numerator, ratio.denominator))
    y = signal.resample_poly(  # type: ignore[call-overload]  # the stubs know no window of one's own
        x - level, ratio.numerator, ratio.denominator, axis=-1, window=taps, padtype="edge"
    )
    y += level
    return np.asarray(y, dtype=np.float32)


def envelope(x: Array) -> Array:
    """Return the magnitude of the analytic signal (Hilbert), shape and floating type of `x`.

    The mean of a trace, shape (..., time), is taken off first: it has no phase. Ends wrap round as in any
    discrete Fourier transform; the trace is padded with zeros to a length that transforms fast.
    """
    x = _as_floating(x)
    n_time = x.shape[-1]
    if n_time == 0:
        return x.copy()
    x = x - x.mean(axis=-1, keepdims=True)
    n_padded = next_fast_len(n_time)
    spectrum = rfft(x, n_padded, axis=-1)
    spectrum *= -1j  # a quarter of a period later; what has no phase, the mean and Nyquist, has no such part
    spectrum[..., 0] = 0
    if n_padded % 2 == 0:
        spectrum[..., -1] = 0
    square = irfft(spectrum, n_padded, axis=-1, overwrite_x=True)[..., :n_time]
    square *= square
    square += np.square(x, out=x)
    return np.asarray(np.sqrt(square, out=square))


def _as_floating(x: Array) -> Array:
    """Return `x` itself when it is floating, else as float64."""
    x = np.asarray(x)
    return x if np.issubdtype(x.dtype, np.floating) else x.astype(np.float64)


@lru_cache(maxsize=32)  # of a few traces, the design takes longer than the filtering
def _butterworth(*, fs_hz: float, low_hz: float | None, high_hz: float | None, order: int) -> Array:
    """Return the second-order sections of the filter, once its corners are known to make sense."""
    nyquist_hz = fs_hz / 2
    corners = [c for c in (low_hz, high_hz) if c is not None]
    if not corners:
        raise DataError("a band needs low_hz, high_hz or both")
    if not all(0 < c < nyquist_hz for c in corners) or sorted(set(corners)) != corners:
        raise DataError(
            f"band {low_hz} to {high_hz} Hz does not fit a sampling rate of {fs_hz} Hz: it needs "
            f"0 < low_hz < high_hz < {nyquist_hz}. Use None for a side that is to stay open"
        )
    if low_hz is None:
        return np.asarray(signal.butter(order, corners[0], "lowpass", fs=fs_hz, output="sos"))
    if high_hz is None:
        return np.asarray(signal.butter(order, corners[0], "highpass", fs=fs_hz, output="sos"))
    return np.asarray(signal.butter(order, corners, "bandpass", fs=fs_hz, output="sos"))


@lru_cache(maxsize=32)
def _anti_alias(factor: int) -> Array:
    """Return the low-pass of a change of rate by a ratio whose larger part is `factor`: SciPy's own, designed once."""
    return np.asarray(signal.firwin(20 * factor + 1, 1 / factor, window=("kaiser", 5.0)))


def _resampling_ratio(n_time: int, *, fs_hz: float, target_fs_hz: float) -> Fraction:
    """Return target rate over rate as a small fraction."""
    ratio = Fraction(target_fs_hz / fs_hz).limit_denominator(MAX_RESAMPLING_FACTOR)
    drift = abs(float(ratio) - target_fs_hz / fs_hz) * n_time
    if ratio == 0 or ratio.numerator > MAX_RESAMPLING_FACTOR or drift > MAX_DRIFT_SAMPLES:
        raise DataError(
            f"cannot resample from {fs_hz} Hz to {target_fs_hz} Hz: no ratio of numbers up to "
            f"{MAX_RESAMPLING_FACTOR} is close enough for {n_time} samples. Choose a rate that divides {fs_hz} Hz"
        )
    return ratio
