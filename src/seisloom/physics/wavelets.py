"""Source wavelets of unit peak. Causal ones have their onset, not their peak, at time 0."""

from __future__ import annotations

import numpy as np

from seisloom.sample import Array


def ricker(time_s: Array, *, peak_hz: Array | float) -> Array:
    """Return the zero-phase Ricker wavelet: peak of 1 at time 0, and a forerunner. It has no onset.

    Args:
        time_s: times in s, any shape that broadcasts with `peak_hz`.
        peak_hz: frequency of the largest amplitude in Hz.
    Source: Ricker (1953), Geophysics 18(1), 10-40.
    """
    squared = (np.pi * np.asarray(peak_hz) * np.asarray(time_s)) ** 2
    return np.asarray((1 - 2 * squared) * np.exp(-squared))


def berlage(
    time_s: Array, *, peak_hz: Array | float, rise: float = 1.0, decay: float = 2.0, phase_rad: float = -np.pi / 2
) -> Array:
    """Return the Berlage wavelet, exactly 0 until its onset at time 0.

    w(t) = u^rise exp(-decay u) cos(2 pi u + phase), u = peak_hz t, divided by its largest absolute value.

    Args:
        time_s: times in s after the onset, any shape that broadcasts with `peak_hz`.
        peak_hz: frequency of the oscillation in Hz; the spectrum is largest near it.
        rise: exponent of the growth, above 0: the larger, the more emergent the onset.
        decay: of the amplitude, a period: 1 rings for about 7 periods, 4 for less than 2.
        phase_rad: -pi/2 is a sine, first moving up.
    Source: Aldridge (1990), Geophysics 55(11), 1508-1511.
    """
    u = np.asarray(time_s, dtype=np.float64) * np.asarray(peak_hz)
    grid = np.linspace(0.0, (rise + 2.0) / decay + 2.0, 2000)
    peak = np.abs(_berlage_of_periods(grid, rise, decay, phase_rad)).max()
    return np.asarray(_berlage_of_periods(u, rise, decay, phase_rad) / peak)


def berlage_periods(*, rise: float, decay: float, smallest: float = 1e-4) -> float:
    """Return the periods after which a Berlage wavelet stays below `smallest` of the peak of its envelope."""
    u = np.linspace(0.0, 200.0 / decay, 20_000)[1:]
    log_envelope = rise * np.log(u) - decay * u
    return float(u[np.nonzero(log_envelope > log_envelope.max() + np.log(smallest))[0][-1]])


def kuepper(time_s: Array, *, duration_s: Array | float, n_extrema: int = 2) -> Array:
    """Return the Kuepper wavelet: 0 outside [0, duration_s], smooth at both ends, with `n_extrema` extrema.

    Source: Kuepper (1958), Geophys. Prosp. 6(3), 217-264: sin(m pi t/T) - m/(m+2) sin((m+2) pi t/T).
    """
    m = n_extrema
    u = np.asarray(time_s, dtype=np.float64) / np.asarray(duration_s)
    peak = np.abs(_kuepper_of_duration(np.linspace(0, 1, 2000), m)).max()
    return np.asarray(np.where((u > 0) & (u < 1), _kuepper_of_duration(u, m), 0.0) / peak)


def ricker_spectrum(frequency_hz: Array, *, peak_hz: float) -> Array:
    """Return the amplitude spectrum of `ricker`, 1 at `peak_hz`; real, since the wavelet has zero phase."""
    squared = (np.asarray(frequency_hz) / peak_hz) ** 2
    return np.asarray(squared * np.exp(1 - squared))


def ormsby_spectrum(frequency_hz: Array, *, corners_hz: tuple[float, float, float, float]) -> Array:
    """Return the amplitude spectrum of the zero-phase Ormsby wavelet: 1 between the inner corners, with linear ramps.

    Args:
        frequency_hz: in Hz, any shape.
        corners_hz: 0 <= begin of the rise < its end <= begin of the fall < its end, in Hz.
    Source: Ryan (1994), CSEG Recorder 19(7): the trapezoid whose transform is a sum of four squared sincs.
    """
    low, flat, end, high = corners_hz
    f = np.abs(frequency_hz)
    return np.asarray(np.clip(np.minimum((f - low) / (flat - low), (high - f) / (high - end)), 0.0, 1.0))


def blow_spectrum(frequency_hz: Array, *, contact_s: float) -> Array:
    """Return the spectrum of a hammer's blow, half a sine of force: 1 at 0 Hz; complex, since it begins at time 0.

    Args:
        frequency_hz: in Hz, any shape.
        contact_s: for how long the hammer pushes, in s; the spectrum has its first zero at 1.5 / contact_s.
    Source: transform of sin(pi t / T) on [0, T], divided by its area 2 T / pi.
    """
    u = np.asarray(frequency_hz, dtype=np.float64) * contact_s
    # cos(pi u) / (1 - 4 u^2), written with sincs so that it has no 0 / 0 at u = 1/2
    size = np.pi / 4 * (np.sinc(u - 0.5) + np.sinc(u + 0.5))
    return np.asarray(size * np.exp(-1j * np.pi * u))


def _berlage_of_periods(u: Array, rise: float, decay: float, phase_rad: float) -> Array:
    """Return the wavelet before scaling, of time in periods."""
    after = np.maximum(u, 0.0)
    return np.asarray(after**rise * np.exp(-decay * after) * np.cos(2 * np.pi * after + phase_rad))


def _kuepper_of_duration(u: Array, m: int) -> Array:
    """Return the wavelet before scaling, of time in durations."""
    return np.asarray(np.sin(m * np.pi * u) - m / (m + 2) * np.sin((m + 2) * np.pi * u))
