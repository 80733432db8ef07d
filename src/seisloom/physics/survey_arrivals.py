"""From arrival times to noise-free traces: body waves, reverberation, coda, surface and air waves.

All of it is causal: nothing is added before the onset of a trace, to the last bit.
"""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, next_fast_len

from seisloom.physics.survey_medium import Arrivals, Line
from seisloom.physics.wavelets import berlage, berlage_periods
from seisloom.sample import Array

AIR_M_S = 340.0


def body_waves(line: Line, arrivals: Arrivals, rng: np.random.Generator) -> Array:
    """Return direct, head and reflected waves, shape (station, time); the wavelet stands at fractions of a sample."""
    traces = np.zeros((len(arrivals.offset_m), line.n_time))
    relative = _relative_offset(line, arrivals)
    decay = relative**-line.spreading
    seen = np.union1d(arrivals.branch, [0])
    for branch in seen:
        uneven = rng.lognormal(0.0, 0.15, len(decay))
        _add_wave(traces, line, arrivals.branch_s[branch], line.branch_gain[branch] * decay * uneven)
    for row, onset_s in enumerate(arrivals.reflection_s):
        gain = line.reflection_gain[row % len(line.reflection_gain)]
        _add_wave(traces, line, onset_s, gain * relative ** (-0.7 * line.spreading))
    if line.kind == "obs":
        _add_water_multiples(traces, line, arrivals, decay)
    elif line.air_gain > 0:
        air_s = arrivals.offset_m / AIR_M_S
        gain = np.where(air_s > arrivals.onset_s, line.air_gain / relative, 0.0)
        frequency = min(line.peak_hz * rng.uniform(2.0, 5.0), 0.35 * line.fs_hz)
        _add_wave(traces, line, air_s, gain * rng.lognormal(0, 0.5, len(gain)), frequency_hz=frequency)
    return traces


def reverberate(line: Line, traces: Array) -> Array:
    """Return the traces with a decaying row of echoes: ringing in a shallow layer, or the bubble of an airgun."""
    factor, delay_s = line.echo
    lag = max(1, round(delay_s * line.fs_hz))
    ringing = traces.copy()
    for start in range(lag, traces.shape[-1], lag):
        piece = ringing[:, start : start + lag]
        piece += factor * ringing[:, start - lag : start - lag + piece.shape[-1]]
    return ringing


def scattered_coda(line: Line, arrivals: Arrivals, rng: np.random.Generator) -> Array:
    """Return scattered waves behind the first arrival, without order from trace to trace, shape (station, time)."""
    gain, decay_periods = line.coda
    n_stations = len(arrivals.offset_m)
    scattered = _band_noise(n_stations, line, line.peak_hz * rng.uniform(0.5, 1.0), rng)
    periods = (_times_s(line) - arrivals.onset_s[:, None]) * line.peak_hz
    after = np.maximum(periods, 0.0)
    hull = np.where(periods > 0, after / (1 + after) * np.exp(-after / decay_periods), 0.0)
    amplitude = gain * np.abs(line.branch_gain[arrivals.branch])
    return scattered * hull * (amplitude * _relative_offset(line, arrivals) ** -line.spreading)[:, None]


def surface_waves(line: Line, arrivals: Arrivals, rng: np.random.Generator) -> Array:
    """Return dispersed surface waves, shape (station, time); nothing at sea."""
    n_stations = len(arrivals.offset_m)
    if not np.isfinite(line.surface_gain_db):
        return np.zeros((n_stations, line.n_time))
    slow, fast, corner_hz = line.surface_m_s
    longest_s = arrivals.offset_m.max() / slow + line.n_time / line.fs_hz
    n_fft = next_fast_len(int(min(1.2 * longest_s, 4 * line.n_time / line.fs_hz) * line.fs_hz) + line.n_time, real=True)
    frequency_hz = np.fft.rfftfreq(n_fft, 1 / line.fs_hz)
    n_used = int(np.searchsorted(frequency_hz, min(4 * line.surface_hz, 0.45 * line.fs_hz)))
    f = frequency_hz[1:n_used]
    spectrum = np.zeros((n_stations, len(frequency_hz)), dtype=np.complex64)
    width = rng.uniform(0.25, 0.6)
    for velocity_factor, mode_gain in ((1.0, 1.0), (rng.uniform(1.3, 2.2), rng.uniform(0.0, 0.7))):
        phase_m_s = velocity_factor * (slow + (fast - slow) / (1 + (f / corner_hz) ** 2))
        bump = np.exp(-((np.log(f / (line.surface_hz * velocity_factor**0.5)) / width) ** 2))
        # soil differs from place to place: surface waves are never as straight as in a layered medium
        uneven_s = 0.1 * rng.standard_normal((n_stations, 1)) * rng.random() / line.surface_hz
        travelled = arrivals.offset_m[:, None] / phase_m_s + uneven_s - line.delay_s
        phase = -2j * np.pi * f * travelled + 1j * rng.uniform(0, 2 * np.pi)
        damping = -np.pi * f * arrivals.offset_m[:, None] / (phase_m_s * line.quality)
        spectrum[:, 1:n_used] += (mode_gain * bump) * np.exp(phase + damping)
    waves = irfft(spectrum, n_fft, axis=-1)[:, : line.n_time].astype(np.float64)
    # The discrete spectrum has forerunners and wraps round; a smooth start at the fastest velocity removes both.
    start_s = np.maximum(arrivals.onset_s, arrivals.offset_m / (1.5 * fast))
    ramp = np.clip((_times_s(line) - start_s[:, None]) * line.surface_hz / 1.5, 0.0, 1.0)
    waves *= np.sin(0.5 * np.pi * ramp) ** 2
    _scale_to_peak(waves)
    # the ground beside the line scatters them, more and more as they go by
    scattered = _band_noise(n_stations, line, line.surface_hz, rng)
    late = np.maximum(_times_s(line) - start_s[:, None], 0.0) * line.surface_hz
    waves += line.coda[0] * scattered * (1 - np.exp(-late / 3)) * np.exp(-late / (2 * line.coda[1]))
    gain = 10 ** (line.surface_gain_db / 20) * _relative_offset(line, arrivals) ** rng.uniform(-1.3, -0.4)
    # beyond the record a trace would hold nothing but the forerunner, scaled up
    arrives = arrivals.offset_m / fast < line.delay_s + line.n_time / line.fs_hz
    return np.asarray(waves * np.where(arrives, gain, 0.0)[:, None])


def _add_water_multiples(traces: Array, line: Line, arrivals: Arrivals, decay: Array) -> None:
    """Add the refractions again after one more bounce in the water, upside down."""
    depth = line.thickness_m[0]
    for branch in np.setdiff1d(arrivals.branch, [0]):
        cosine = np.sqrt(1 - (line.velocity_m_s[0] / line.velocity_m_s[branch]) ** 2)
        bounced_s = arrivals.branch_s[branch] + 2 * depth * cosine / line.velocity_m_s[0]
        _add_wave(traces, line, bounced_s, -0.6 * line.branch_gain[branch] * decay)


def _add_wave(
    traces: Array, line: Line, onset_s: Array, amplitude: Array, *, frequency_hz: float | None = None
) -> None:
    """Add one wavelet a trace, in place, in the window where it is not negligible."""
    reaches = np.isfinite(onset_s) & (onset_s < line.delay_s + line.n_time / line.fs_hz)
    rows = np.nonzero(reaches & (amplitude != 0))[0]
    if len(rows) == 0:
        return
    onset = onset_s[rows]
    if frequency_hz is None:
        frequency = line.tone[rows] * line.peak_hz / (1 + onset * line.peak_hz / line.quality) ** 0.5
    else:
        frequency = np.full(len(rows), frequency_hz)
    n_window = int(np.ceil(berlage_periods(rise=line.rise, decay=line.decay) / frequency.min() * line.fs_hz)) + 1
    first = np.ceil((onset - line.delay_s) * line.fs_hz).astype(np.intp)
    idx = first[:, None] + np.arange(n_window)
    after_s = idx / line.fs_hz + line.delay_s - onset[:, None]
    wave = berlage(after_s, peak_hz=frequency[:, None], rise=line.rise, decay=line.decay, phase_rad=line.phase_rad)
    inside = (idx >= 0) & (idx < line.n_time)
    row, column = np.broadcast_to(rows[:, None], idx.shape)[inside], idx[inside]
    traces[row, column] += (wave * amplitude[rows, None])[inside]


def _band_noise(n_stations: int, line: Line, centre_hz: float, rng: np.random.Generator) -> Array:
    """Return Gaussian noise of unit RMS in a band around `centre_hz`, shape (station, time)."""
    relative = np.fft.rfftfreq(line.n_time, 1 / line.fs_hz) / centre_hz
    white = rng.standard_normal((2, n_stations, len(relative)))
    noise = irfft((white[0] + 1j * white[1]) * relative * np.exp(-((relative - 0.6) ** 2)), line.n_time, axis=-1)
    return np.asarray(noise / np.sqrt(np.mean(noise**2, axis=-1, keepdims=True)))


def _scale_to_peak(waves: Array) -> None:
    """Divide each trace by its largest absolute value, in place; silent ones stay so."""
    peak = np.abs(waves).max(axis=-1, keepdims=True)
    np.divide(waves, peak, out=waves, where=peak > 0)


def _relative_offset(line: Line, arrivals: Arrivals) -> Array:
    """Return offsets in units of the median one, kept away from 0, where amplitudes would grow without bound."""
    return np.asarray((arrivals.offset_m + 0.03 * line.median_offset_m) / line.median_offset_m)


def _times_s(line: Line) -> Array:
    """Return the times of the samples after the shot, shape (time,)."""
    return np.asarray(np.arange(line.n_time) / line.fs_hz + line.delay_s)
