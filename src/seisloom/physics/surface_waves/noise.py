"""Noise of gathers that goes through the array: waves from elsewhere and from scatterers, and faults of channels."""

from __future__ import annotations

import numpy as np

from seisloom.errors import DataError
from seisloom.physics.surface_waves.acquisition import LinearArray
from seisloom.physics.surface_waves.noise_draw import GatherNoise, PassingWave, Scatterer
from seisloom.physics.surface_waves.plane_waves import velocity_at
from seisloom.sample import Array

Curve = tuple[Array, Array]
"""Frequencies in Hz, rising, and phase velocities of the fundamental mode in m/s, both (frequency,)."""
LOG_WIDTH = 0.4  # of the band of a passing wave in ln f: about an octave at half its amplitude


def add_noise(
    gather: Array, noise: GatherNoise, *, array: LinearArray, fs_hz: float, curve: Curve | None = None
) -> Array:
    """Return the gather with noise, in the order of nature: waves in the ground, coupling and clocks, then channels.

    Args:
        gather: clean amplitudes, (receiver, time), any unit.
        noise: as drawn.
        array: where the receivers and the shot are.
        fs_hz: samples a second.
        curve: of the fundamental mode under the line, so that surface waves of the noise have the ground's velocity;
            at frequencies where it is NaN or ends, they are silent. None is the drawn velocity at all frequencies.
    Returns:
        float64, (receiver, time); the given gather is not changed.
    Raises:
        DataError: if the gather does not fit the array or the noise, holds NaN, or is silent where an SNR is asked for.
    """
    x = np.array(gather, dtype=np.float64)
    if x.ndim != 2 or not len(x) == len(array) == len(noise.gain):
        raise DataError(
            f"the gather (receiver, time) has shape {x.shape}, the array {len(array)} receivers and the noise "
            f"{len(noise.gain)}; draw the noise for this array"
        )
    if not np.isfinite(x).all():
        raise DataError(f"trace {int(np.argwhere(~np.isfinite(x))[0, 0])} of the gather holds NaN or infinite values")
    total = x.copy()
    if noise.scatterer is not None:
        total += back_scattered(x, noise.scatterer, array=array, fs_hz=fs_hz, curve=curve)
    if noise.waves and noise.waves_snr_db is not None:
        passing = [
            w.weight * plane_wave(w, array.receiver_x_m, n_time=x.shape[1], fs_hz=fs_hz, curve=curve)
            for w in noise.waves
        ]
        total += scaled_to_snr(np.sum(passing, axis=0), x, noise.waves_snr_db)
    total = delayed(total, np.array(noise.delay_s), fs_hz=fs_hz) * np.array(noise.gain)[:, None]
    if noise.snr_db is not None:
        own = incoherent(np.random.default_rng(noise.key), (x.shape[0], x.shape[1]), slope=noise.slope)
        total += scaled_to_snr(own, x, noise.snr_db)
    return np.where(np.array(noise.live)[:, None], total * np.array(noise.polarity)[:, None], 0.0)


def scaled_to_snr(noise: Array, signal: Array, snr_db: float) -> Array:
    """Return the noise with 10 log10 of the signal's energy over its own being exactly `snr_db`.

    Raises:
        DataError: if one of them is silent.
    """
    energy = {"signal": float(np.sum(np.square(signal))), "noise": float(np.sum(np.square(noise)))}
    for name, value in energy.items():
        if not value > 0:
            raise DataError(
                f"the {name} is silent, so there is no SNR of {snr_db:g} dB; see that sources, waves and the "
                "dispersion curve share frequencies, or set the SNR to none"
            )
    return np.asarray(noise * np.sqrt(energy["signal"] / energy["noise"] * 10 ** (-snr_db / 10)))


def incoherent(rng: np.random.Generator, shape: tuple[int, int], *, slope: float = 0.0) -> Array:
    """Return Gaussian noise of zero mean, (trace, time), each trace its own; its power falls as frequency^-slope."""
    frequency = np.fft.rfftfreq(shape[1])
    level = np.zeros_like(frequency)
    level[1:] = frequency[1:] ** (-0.5 * slope)
    return np.fft.irfft(_random_spectrum(rng, (shape[0], len(frequency))) * level, shape[1], axis=-1)


def plane_wave(wave: PassingWave, x_m: Array, *, n_time: int, fs_hz: float, curve: Curve | None = None) -> Array:
    """Return a stationary plane wave, (receiver, time): one random trace, delayed by x cos(azimuth) / c(f).

    Its RMS is 1, or 0 where it is silent. It is periodic in the record's length, so delays lose nothing.
    `curve` is for surface waves; see `add_noise`.
    """
    f = np.fft.rfftfreq(n_time, 1 / fs_hz)
    velocity = _velocity(f, wave.velocity_m_s, curve if wave.kind == "surface" else None)
    level = np.zeros_like(f)
    level[1:] = np.exp(-0.5 * (np.log(f[1:] / wave.centre_hz) / LOG_WIDTH) ** 2) * np.isfinite(velocity[1:])
    if n_time % 2 == 0:
        level[-1] = 0.0  # at the highest frequency a delay is not told from an amplitude
    source = level * _random_spectrum(np.random.default_rng(wave.key), level.shape)
    along = np.asarray(x_m)[:, None] * np.cos(np.radians(wave.azimuth_degrees))
    traces = np.fft.irfft(source * np.exp(-2j * np.pi * along * np.nan_to_num(f / velocity)), n_time, axis=-1)
    rms = np.sqrt(np.mean(np.square(traces)))
    return np.asarray(traces / rms) if rms > 0 else traces


def back_scattered(
    gather: Array, scatterer: Scatterer, *, array: LinearArray, fs_hz: float, curve: Curve | None = None
) -> Array:
    """Return the surface waves that a scatterer sends both ways along the line, (receiver, time).

    What arrives at the scatterer is the trace of the receiver nearest to it, carried there by the fundamental mode; it
    then travels on, and back towards the shot, without spreading. What arrives after the record ends is lost.
    """
    n_time = gather.shape[1]
    f = np.fft.rfftfreq(2 * n_time, 1 / fs_hz)  # twice as long, so that late arrivals do not come back at time 0
    velocity = _velocity(f, scatterer.velocity_m_s, curve)
    nearest = int(np.argmin(np.abs(array.receiver_x_m - scatterer.x_m)))
    outwards = 1.0 if scatterer.x_m >= array.source_x_m else -1.0
    there = outwards * (scatterer.x_m - array.receiver_x_m[nearest])
    path_m = there + np.abs(array.receiver_x_m - scatterer.x_m)
    arriving = np.fft.rfft(gather[nearest], 2 * n_time) * np.isfinite(velocity)
    waves = arriving * np.exp(-2j * np.pi * path_m[:, None] * np.nan_to_num(f / velocity))
    return np.asarray(scatterer.gain * np.fft.irfft(waves, 2 * n_time, axis=-1)[:, :n_time])


def delayed(gather: Array, delay_s: Array, *, fs_hz: float) -> Array:
    """Return each trace later by its delay in s, (trace,), by band-limited interpolation; unchanged where it is 0."""
    n_time = gather.shape[1]
    f = np.fft.rfftfreq(2 * n_time, 1 / fs_hz)
    moved = np.fft.irfft(np.fft.rfft(gather, 2 * n_time) * np.exp(-2j * np.pi * f * delay_s[:, None]), 2 * n_time)
    return np.where(delay_s[:, None] == 0, gather, moved[:, :n_time])


def _velocity(frequency_hz: Array, constant_m_s: float, curve: Curve | None) -> Array:
    if curve is None:
        return np.full(len(frequency_hz), constant_m_s)
    return velocity_at(frequency_hz, curve[0], np.asarray(curve[1]).reshape(-1))


def _random_spectrum(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    pair = rng.standard_normal((2, *shape))
    return np.asarray(pair[0] + 1j * pair[1])
