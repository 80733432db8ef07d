"""The phase-shift transform: how well the phases of all traces agree with one velocity."""

from __future__ import annotations

from seisloom.sample import Array
from seisloom.signal.velocity_spectra.panel import Normalise, VelocitySpectrum, velocity_spectrum
from seisloom.signal.velocity_spectra.recorded import record
from seisloom.signal.velocity_spectra.steering import sweep
from seisloom.signal.velocity_spectra.wavenumber import mean_beam
from seisloom.signal.velocity_spectra.weights import weigh


def phase_shift(
    gather: Array,
    interval_s: float,
    offsets_m: Array,
    frequency_hz: Array,
    velocity_m_s: Array,
    *,
    normalise: Normalise = "frequency",
) -> VelocitySpectrum:
    """Return the phase-shift spectrum of a gather, P = |sum of U_j / |U_j| exp(i k x_j)| / N with k = 2 pi f / c.

    A trace's loudness does not count, so neither do geometric spreading, attenuation and gains.

    Args:
        gather: amplitudes, (trace, time), any unit.
        interval_s: between samples, in s.
        offsets_m: (trace,), in m; regular or not.
        frequency_hz: (frequency,), ascending, any raster.
        velocity_m_s: (velocity,), ascending.
        normalise: see `panel.normalise_panel`.
    Returns:
        Its scale is a coherence, from 0 to 1: 1 where one wave explains all phases.
    Raises:
        DataError: see `recorded.record`.
    Source: Park, Miller & Xia (1998), SEG Expanded Abstracts 17, 1377-1380. Steering of the last geometries is kept.
    """
    recorded = record(gather, interval_s, offsets_m, frequency_hz, velocity_m_s)
    amplitude = sweep(mean_beam, weigh(recorded, "inverse_amplitude"), "plane")
    return velocity_spectrum("phase_shift", amplitude, recorded, normalise)
