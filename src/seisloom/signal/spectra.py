"""Spectra of traces, along the last axis: Welch's power spectrum, the short-time Fourier transform."""

from __future__ import annotations

import numpy as np
from scipy import fft

from seisloom.errors import DataError
from seisloom.sample import Array

FLOOR_DB = -120.0
"""Power that is taken for the least, relative to 1: silence has no logarithm. 1e-6 in amplitude, what float32 keeps
beside a largest value of 10."""


def frequencies_hz(n_fft: int, fs_hz: float) -> Array:
    """Return the frequencies of a spectrum in Hz, (n_fft // 2 + 1,), from 0 to the Nyquist frequency.

    >>> frequencies_hz(4, 100.0)
    array([ 0., 25., 50.])
    """
    return np.arange(n_fft // 2 + 1) * (fs_hz / n_fft)


def frame_times_s(n_time: int, *, n_fft: int, hop: int, fs_hz: float) -> Array:
    """Return the times of the middle of the frames that `frames` makes, in s after the first sample."""
    return (np.arange(n_frames(n_time, n_fft=n_fft, hop=hop)) * hop + (n_fft - 1) / 2) / fs_hz


def n_frames(n_time: int, *, n_fft: int, hop: int) -> int:
    """Return the number of frames of a trace: all that its samples fill, and one more for a rest."""
    return 1 + max(-(-(n_time - n_fft) // hop), 0)


def window(n_fft: int) -> Array:
    """Return the periodic Hann window, (n_fft,), of mean square 1."""
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    return np.asarray(hann / np.sqrt(np.mean(hann**2)))


def stft(x: Array, *, n_fft: int = 256, hop: int | None = None) -> Array:
    """Return the short-time Fourier transform, complex (..., frequency, frame).

    Args:
        x: traces, (..., time), real, finite.
        n_fft: samples of a frame, 2 or more; frequencies are n_fft // 2 + 1.
        hop: samples from one frame to the next; None takes n_fft // 2. The last frame is filled with zeros.
    Returns:
        Divided by sqrt(n_fft), with a Hann window of mean square 1: white noise of variance 1 has a mean square of 1
        at each frequency.
    Raises:
        DataError: if a size does not fit.
    """
    x = np.asarray(x)
    step = n_fft // 2 if hop is None else hop
    if n_fft < 2 or step < 1 or x.ndim < 1 or x.shape[-1] < 1:
        raise DataError(f"stft: n_fft {n_fft}, hop {step} and shape {x.shape} do not fit; n_fft is 2 or more, hop 1")
    count = n_frames(x.shape[-1], n_fft=n_fft, hop=step)
    n_padded = (count - 1) * step + n_fft
    padded = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, n_padded - x.shape[-1])])
    framed = np.lib.stride_tricks.sliding_window_view(padded, n_fft, axis=-1)[..., ::step, :]
    kind = np.float32 if x.dtype == np.float32 else np.float64
    spectrum = fft.rfft(framed * (window(n_fft) / np.sqrt(n_fft)).astype(kind), axis=-1)
    return np.asarray(np.swapaxes(spectrum, -1, -2))


def power_spectrum(x: Array, *, n_fft: int = 512) -> Array:
    """Return the power spectrum of whole traces, (..., n_fft // 2 + 1), the mean over frames that overlap by half.

    White noise of variance 1 has power 1 at each frequency; a sine of amplitude A at one of the frequencies of the
    spectrum has A^2 n_fft / 6 there. A rest of the trace that fills no frame is filled with zeros, and the sum is
    divided by the energy of the windows that lie on the trace, so that short traces are not too low.

    Args:
        x: traces, (..., time), real, finite.
        n_fft: samples of a segment.

    Source: Welch (1967), IEEE Trans. Audio Electroacoust. 15(2), 70-73.
    """
    x = np.asarray(x)
    power = np.abs(stft(x, n_fft=n_fft)) ** 2
    return np.asarray(power.sum(axis=-1) / covered(x.shape[-1], n_fft)).astype(power.dtype)


def covered(n_time: int, n_fft: int) -> float:
    """Return the number of frames of a Welch spectrum, a frame that the trace fills in part counted by its energy."""
    energy = np.cumsum(window(n_fft) ** 2) / n_fft
    first = np.arange(n_frames(n_time, n_fft=n_fft, hop=n_fft // 2)) * (n_fft // 2)
    return float(energy[np.minimum(n_time - first, n_fft) - 1].sum())


def log_power_spectrum(x: Array, *, n_fft: int = 512) -> Array:
    """Return `power_spectrum` in dB relative to 1, not below -120 dB; silence is -120 dB."""
    return np.asarray(10 * np.log10(np.maximum(power_spectrum(x, n_fft=n_fft), 10 ** (FLOOR_DB / 10))))


def ancestor_spectrum(x: Array, *, n_fft: int = 512) -> Array:
    """Return the spectrum of earthquakes-nn's `FFTTransform`, (n_fft // 2 + 1, ...), for comparisons.

    These are magnitudes of the first n_fft samples of the trace only, without window, from high to low: bins
    n_fft // 2 - 1, n_fft // 2, n_fft // 2 - 1, ..., 1. The mean is missing and one bin is there twice.

    Args:
        x: traces, (time, ...): time first, as there.
        n_fft: samples that are looked at; shorter traces are followed by zeros.
    """
    return np.asarray(np.abs(np.fft.fft(x, n=n_fft, axis=0))[n_fft // 2 - 1 :])
