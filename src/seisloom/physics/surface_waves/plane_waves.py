"""The cheap option: modes as plane waves of given weights, without excitation, spreading, near field or body waves.

Against gathers of finite elements their images reach correlations of 0.62 to 0.90, those of the whole wavefield 0.95
to 0.996; take them for speed or to compare with work that used them, not as truth.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from seisloom.errors import DataError
from seisloom.physics.surface_waves.acquisition import Source
from seisloom.sample import Array


def mode_weights(n_modes: int, *, power: float = 0.8) -> Array:
    """Return 1 / (m + 1)^power for m = 0, 1, ..., shape (mode,); 0.8 as in the first generator of such labels."""
    return np.asarray(1.0 / np.arange(1, n_modes + 1) ** power)


def plane_wave_spectra(
    velocity_m_s: Array, frequency_hz: Array, offsets_m: Array, *, weights: Array | None = None
) -> Array:
    """Return the sum over modes of weight * exp(-i 2 pi f x / c(f)), the wavefield of a source of unit spectrum.

    Args:
        velocity_m_s: phase velocity of each mode in m/s, (mode, frequency); NaN where a mode does not exist, and there
            it has no wave. The first generator held the last value instead, which made waves of modes that are none.
        frequency_hz: in Hz, (frequency,).
        offsets_m: distance from the shot in m, (receiver,).
        weights: of each mode, (mode,); None is `mode_weights`.
    Returns:
        complex128, (receiver, frequency); a wave that travels away has exp(+i 2 pi f t) in time, as in numpy.fft.
    Raises:
        DataError: if shapes do not fit or a velocity is not positive.
    """
    c = np.atleast_2d(np.asarray(velocity_m_s, dtype=np.float64))
    f, x = np.asarray(frequency_hz, dtype=np.float64), np.asarray(offsets_m, dtype=np.float64)
    w = mode_weights(len(c)) if weights is None else np.asarray(weights, dtype=np.float64)
    if c.shape[1:] != f.shape or w.shape != c.shape[:1] or x.ndim != 1:
        raise DataError(
            f"velocity_m_s (mode, frequency) has shape {c.shape}, frequency_hz {f.shape}, weights (mode,) {w.shape}, "
            f"offsets_m (receiver,) {x.shape}; they do not fit"
        )
    if (wrong := np.argwhere(c <= 0)).size:
        mode, at = wrong[0]
        raise DataError(f"mode {mode} has {c[mode, at]:g} m/s at {f[at]:g} Hz; write NaN where it does not exist")
    exists = np.isfinite(c)
    wavenumber = np.where(exists, 2 * np.pi * f / np.where(exists, c, 1.0), 0.0)
    total = np.zeros((len(x), len(f)), dtype=np.complex128)
    for m in range(len(c)):
        total += w[m] * exists[m] * np.exp(-1j * wavenumber[m] * x[:, None])
    return total


def velocity_at(frequency_hz: Array, curve_hz: Array, curve_m_s: Array) -> Array:
    """Return dispersion curves at other frequencies, linear between theirs; NaN where they are not known on both sides.

    Args:
        frequency_hz: in Hz, (wanted,).
        curve_hz: in Hz, rising, (frequency,).
        curve_m_s: (..., frequency) in m/s, NaN where a mode does not exist.
    Returns:
        (..., wanted) in m/s.
    Raises:
        DataError: if shapes do not fit or `curve_hz` does not rise.
    """
    known, curves = np.asarray(curve_hz, dtype=np.float64), np.asarray(curve_m_s, dtype=np.float64)
    if known.ndim != 1 or curves.shape[-1:] != known.shape:
        raise DataError(f"curve_hz (frequency,) has shape {known.shape}, curve_m_s (..., frequency) {curves.shape}")
    if not np.all(np.diff(known) > 0):
        raise DataError("curve_hz must rise from each value to the next; sort the curve by frequency")
    flat = [np.interp(frequency_hz, known, row, left=np.nan, right=np.nan) for row in curves.reshape(-1, len(known))]
    return np.asarray(flat).reshape(*curves.shape[:-1], len(frequency_hz))


def plane_wave_gather(
    curve_hz: Array,
    curve_m_s: Array,
    offsets_m: Array,
    *,
    n_time: int,
    fs_hz: float,
    weights: Array | None = None,
    spectrum: Callable[[Array], Array] | None = None,
) -> Array:
    """Return the gather of modes as plane waves.

    Args:
        curve_hz: frequencies of the curves in Hz, rising, (frequency,); outside of them there is no wave.
        curve_m_s: phase velocities in m/s, (mode, frequency), NaN where a mode does not exist.
        offsets_m: distance from the shot in m, (receiver,).
        n_time, fs_hz: number of samples and samples a second; what arrives after the last sample appears at the
            beginning, so let the record be longer than the slowest wave takes.
        weights: of each mode, (mode,); None is 1 / (m + 1)^0.8.
        spectrum: of the source, from frequencies in Hz; None is the Ormsby wavelet 2-4-38-40 Hz.
    Returns:
        float64, (receiver, time); the source acts at time 0.
    Raises:
        DataError: if shapes do not fit or a velocity is not positive.
    """
    f = np.fft.rfftfreq(n_time, 1 / fs_hz)
    sent = (spectrum or Source().spectrum)(f)
    waves = plane_wave_spectra(velocity_at(f, curve_hz, np.atleast_2d(curve_m_s)), f, offsets_m, weights=weights)
    return np.fft.irfft(waves * sent, n_time, axis=-1)
