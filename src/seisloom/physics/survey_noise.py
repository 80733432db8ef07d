"""Noise of field records: of the recorder, the ground, power lines, electronics, steps and passing waves."""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft

from seisloom.physics.survey_medium import WATER_M_S, Arrivals, Line
from seisloom.physics.wavelets import berlage
from seisloom.sample import Array

KINDS = ("white", "coloured", "passing waves", "power line", "electronics", "bursts")
PACKET_PERIODS = 6  # length of a burst


def draw_noise(line: Line, arrivals: Arrivals, rng: np.random.Generator) -> Array:
    """Return noise of about unit RMS, shape (station, time): the line's mix of KINDS, anew for each shot.

    The mix varies by station and shot, since what disturbs one geophone does not disturb them all.
    """
    n_stations = len(arrivals.offset_m)
    shape = (n_stations, line.n_time)
    share = line.noise_mix * rng.lognormal(0.0, 0.7, (n_stations, len(KINDS)))
    share /= share.sum(axis=-1, keepdims=True)
    total = np.zeros(shape)
    makers = (_white, _coloured, _passing_waves, _power_line, _electronics, _bursts)
    for column, make in enumerate(makers):
        if line.noise_mix[column] > 0.01:
            total += np.sqrt(share[:, column, None]) * make(line, arrivals, rng)
    total += 0.03 * rng.standard_normal(shape)  # no recorder is silent
    if line.kind == "obs" and rng.random() < 0.3:
        total += _previous_shot(line, arrivals, rng)
    return np.asarray(total * rng.lognormal(0.0, 0.35, (n_stations, 1)))


def _white(line: Line, arrivals: Arrivals, rng: np.random.Generator) -> Array:
    return rng.standard_normal((len(arrivals.offset_m), line.n_time))


def _coloured(line: Line, arrivals: Arrivals, rng: np.random.Generator) -> Array:
    """Wind and ground: a spectrum that falls with frequency, above the geophone's own."""
    frequency_hz = np.fft.rfftfreq(line.n_time, 1 / line.fs_hz)
    lowest_hz = line.peak_hz * rng.uniform(0.05, 0.4)
    shape = (frequency_hz / lowest_hz) ** 2 / (1 + (frequency_hz / lowest_hz) ** (2 + line.noise_slope))
    return _unit(_shaped(shape, (len(arrivals.offset_m),), line.n_time, rng))


def _passing_waves(line: Line, arrivals: Arrivals, rng: np.random.Generator) -> Array:
    """Plane waves along the line from somewhere else, such as traffic; the same noise at every station, delayed."""
    frequency_hz = np.fft.rfftfreq(line.n_time, 1 / line.fs_hz)
    centre_hz = line.peak_hz * rng.uniform(0.15, 1.0)
    shape = np.exp(-((np.log(np.maximum(frequency_hz, 1e-3) / centre_hz) / 0.4) ** 2))
    velocity_m_s = rng.choice([-1, 1]) * line.velocity_m_s[0] * rng.uniform(0.3, 3.0)
    delay_s = (line.station_x_m / velocity_m_s)[:, None]
    source = shape * (rng.standard_normal(len(shape)) + 1j * rng.standard_normal(len(shape)))
    return _unit(irfft(source * np.exp(-2j * np.pi * frequency_hz * delay_s), line.n_time, axis=-1))


def _power_line(line: Line, arrivals: Arrivals, rng: np.random.Generator) -> Array:
    """The frequency of the mains and its odd multiples, in step at all stations."""
    time_s = np.arange(line.n_time) / line.fs_hz
    mains_hz = line.mains_hz * (1 + 1e-3 * rng.standard_normal())
    hum = np.zeros(line.n_time)
    for multiple in (1, 2, 3, 5, 7):
        if multiple * mains_hz < 0.45 * line.fs_hz:
            phase = 2 * np.pi * rng.random()
            hum += rng.uniform(0, 1) / multiple**0.7 * np.sin(2 * np.pi * multiple * mains_hz * time_s + phase)
    sign = np.sign(rng.standard_normal(len(arrivals.offset_m)) + 1.5)
    return np.asarray(_unit(hum) * sign[:, None])


def _electronics(line: Line, arrivals: Arrivals, rng: np.random.Generator) -> Array:
    """A narrow band far above the signal that is switched on and off for all stations of a cable at once."""
    n_stations = len(arrivals.offset_m)
    time_s = np.arange(line.n_time) / line.fs_hz
    drift = np.cumsum(rng.standard_normal((n_stations, line.n_time)), axis=-1) * (0.3 / np.sqrt(line.fs_hz))
    whine = np.sin(2 * np.pi * line.whine_hz * time_s + drift * 20 + 2 * np.pi * rng.random((n_stations, 1)))
    edges = np.sort(rng.uniform(0, line.n_time, 2 * rng.integers(1, 4)))
    on = np.searchsorted(edges, np.arange(line.n_time)) % 2 == rng.integers(2)
    switched = whine * (on if rng.random() < 0.7 else 1.0)
    return np.asarray(switched * (np.sqrt(2) * (rng.random((n_stations, 1)) < rng.uniform(0.3, 1.0))))


def _bursts(line: Line, arrivals: Arrivals, rng: np.random.Generator) -> Array:
    """Steps, gusts, stones on the cable, whales: short packets that may look like an arrival, and spikes."""
    n_stations = len(arrivals.offset_m)
    noise = 0.2 * rng.standard_normal((n_stations, line.n_time))
    time_s = np.arange(line.n_time) / line.fs_hz
    for _ in range(rng.integers(1, 5)):
        centre, reach = rng.uniform(0, n_stations), rng.uniform(0.3, 4.0)
        stations = np.nonzero(np.abs(np.arange(n_stations) - centre) < 3 * reach)[0]
        frequency = min(line.peak_hz * np.exp(rng.uniform(-1.0, 1.2)), 0.4 * line.fs_hz)
        delay_s = np.abs(stations - centre) * rng.uniform(0.0, 1.0) / line.peak_hz + rng.uniform(0, time_s[-1])
        weight = np.exp(-(((stations - centre) / reach) ** 2)) * rng.uniform(1, 6)
        after_s = time_s - delay_s[:, None]
        noise[stations] += weight[:, None] * berlage(
            np.clip(after_s, 0, PACKET_PERIODS / frequency), peak_hz=frequency, rise=1.5, decay=1.2
        )
    spiked = np.nonzero(rng.random(n_stations) < 0.1)[0]
    noise[spiked, rng.integers(0, line.n_time, len(spiked))] += rng.standard_normal(len(spiked)) * 15
    return noise


def _previous_shot(line: Line, arrivals: Arrivals, rng: np.random.Generator) -> Array:
    """The water wave of the shot before, still on its way when this record begins."""
    step_m = float(np.median(np.abs(np.diff(line.shot_x_m)))) if len(line.shot_x_m) > 1 else 0.0
    distance_m = np.hypot(arrivals.offset_m + step_m, line.thickness_m[0])
    onset_s = distance_m / WATER_M_S - rng.uniform(8.0, 40.0)
    after_s = np.arange(line.n_time) / line.fs_hz + line.delay_s - onset_s[:, None]
    return rng.uniform(1, 10) * berlage(after_s, peak_hz=line.peak_hz, rise=line.rise, decay=line.decay)


def _shaped(shape: Array, leading: tuple[int, ...], n_time: int, rng: np.random.Generator) -> Array:
    """Return random traces whose amplitude spectrum follows `shape`."""
    white = rng.standard_normal((2, *leading, len(shape)))
    return np.asarray(irfft((white[0] + 1j * white[1]) * shape, n_time, axis=-1))


def _unit(x: Array) -> Array:
    """Return traces divided by their RMS; silent ones stay so."""
    rms = np.sqrt(np.mean(np.square(x), axis=-1, keepdims=True))
    return np.divide(x, rms, out=np.zeros_like(x), where=rms > 0)
