"""Sums along a spread: f-k, slant stack, and the wavenumber panel behind them.

A sum of spectra times exp(i k x) needs no regular offsets. Taken at k = 2 pi f / c, it is the f-k panel of a gather at
that velocity without a map from wavenumbers; the same numbers are the spectrum over time of the slant stack (tau-p).
"""

from __future__ import annotations

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.velocity_spectra.axes import check_frequencies, check_offsets
from seisloom.signal.velocity_spectra.panel import Normalise, VelocitySpectrum, velocity_spectrum
from seisloom.signal.velocity_spectra.recorded import record, spectra_at
from seisloom.signal.velocity_spectra.steering import sweep
from seisloom.signal.velocity_spectra.weights import weigh


def mean_beam(spectra: Array, steering: Array) -> Array:
    """Return the size of the steered sum over traces, its root mean square over shots: (frequency, velocity)."""
    beams = steering @ spectra
    power = beams.real**2 + beams.imag**2
    return np.asarray(np.sqrt(power[..., 0] if power.shape[-1] == 1 else power.mean(axis=-1)))


def fk(
    gather: Array,
    interval_s: float,
    offsets_m: Array,
    frequency_hz: Array,
    velocity_m_s: Array,
    *,
    normalise: Normalise = "frequency",
) -> VelocitySpectrum:
    """Return the f-k spectrum of a gather over velocity, P = |sum of U_j exp(i k x_j)| / N.

    Near traces are louder, so that they count more: the spread looks shorter than it is.

    Args:
        gather: amplitudes, (trace, time), any unit.
        interval_s: between samples, in s.
        offsets_m: (trace,), in m; regular or not.
        frequency_hz: (frequency,), ascending, any raster.
        velocity_m_s: (velocity,), ascending.
        normalise: see `panel.normalise_panel`.
    Returns:
        Its scale is the mean Fourier sum of a trace.
    Raises:
        DataError: see `recorded.record`.
    Source: Yilmaz (1987), Seismic Data Processing, chapter 1; Nolet & Panza (1976), PAGEOPH 114, 775-790.
    """
    recorded = record(gather, interval_s, offsets_m, frequency_hz, velocity_m_s)
    return velocity_spectrum("fk", sweep(mean_beam, weigh(recorded, "none"), "plane"), recorded, normalise)


def slant_stack(
    gather: Array,
    interval_s: float,
    offsets_m: Array,
    frequency_hz: Array,
    velocity_m_s: Array,
    *,
    normalise: Normalise = "frequency",
) -> VelocitySpectrum:
    """Return the spectrum over time of a slant stack, P = |sum of sqrt(x_j) U_j exp(i k x_j)| / sum of sqrt(x_j).

    The root of the distance undoes what waves lose by spreading along the surface. Arguments, errors and scale are
    those of `fk`.

    Source: McMechan & Yedlin (1981), Geophysics 46, 869-874.
    """
    recorded = record(gather, interval_s, offsets_m, frequency_hz, velocity_m_s)
    return velocity_spectrum("slant_stack", sweep(mean_beam, weigh(recorded, "sqrt"), "plane"), recorded, normalise)


def wavenumber_panel(
    gather: Array, interval_s: float, offsets_m: Array, frequency_hz: Array, wavenumber_rad_m: Array
) -> Array:
    """Return |sum of U_j exp(i k x_j)| / N over wavenumber, (wavenumber, frequency): what repeats beyond 2 pi / dx.

    Args:
        gather: amplitudes, (trace, time), finite.
        interval_s: between samples, in s.
        offsets_m: (trace,), in m.
        frequency_hz: (frequency,), ascending.
        wavenumber_rad_m: (wavenumber,), in rad/m; above 0 for waves that leave the source.
    Raises:
        DataError: if a trace is not finite, or an axis does not fit.
    """
    traces = np.asarray(gather)
    if traces.ndim != 2 or not np.isfinite(traces).all():
        raise DataError(f"the gather, {traces.shape}, is not (trace, time) or not finite; leave broken traces out")
    distances = check_offsets(offsets_m, len(traces))
    frequency = check_frequencies(frequency_hz, n_time=traces.shape[1], interval_s=interval_s)
    steering = np.exp(1j * np.asarray(wavenumber_rad_m, dtype=np.float64)[:, None] * distances)
    return np.asarray(np.abs(steering @ spectra_at(traces, interval_s, frequency)) / len(traces))
