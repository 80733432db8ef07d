"""What a station records without an event: microseism, people and machines, and now and then a step or a car."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from seisloom.physics.events_path import band_noise, recorder
from seisloom.physics.wavelets import berlage
from seisloom.sample import Array

MICROSEISM_HZ = 0.5
"""Below it the spectrum is flat: a recorder's or a filter's corner would take what lies lower."""
MOST_TRANSIENTS = 4


@dataclass(frozen=True, slots=True)
class Background:
    """What is typical of a station's noise, whatever it records."""

    slope: float
    """Power of frequency with which amplitudes fall above the microseism."""
    culture: float
    """Amplitude of the noise of people over that of the microseism."""
    culture_hz: float
    """Frequency of the noise of people in Hz."""
    horizontal: float
    """Horizontal over vertical amplitude."""


def draw_background(rng: np.random.Generator) -> Background:
    """Return the noise of a station: quiet and low, or near people."""
    return Background(
        slope=rng.uniform(0.5, 1.6), culture=float(rng.lognormal(np.log(0.3), 0.7)),
        culture_hz=float(np.exp(rng.uniform(np.log(3.0), np.log(14.0)))), horizontal=rng.uniform(1.0, 1.7),
    )  # fmt: skip


def background_noise(
    station: Background, n_time: int, *, fs_hz: float, share_transients: float, rng: np.random.Generator
) -> Array:
    """Return noise of three components Z, N, E, (channel, time), of unit root mean square on Z.

    Args:
        station: its kind of noise, which varies a little from record to record.
        n_time: samples.
        fs_hz: sampling rate in Hz.
        share_transients: share of records that also hold 1 to 4 steps, cars or gusts.
        rng: of the record.
    """
    frequency_hz = np.fft.rfftfreq(n_time, 1 / fs_hz)
    slope, culture = station.slope + rng.normal(0, 0.1), station.culture * rng.lognormal(0, 0.3)
    ratio = np.log(np.maximum(frequency_hz, frequency_hz[1]) / station.culture_hz)
    shape = (1 + (frequency_hz / MICROSEISM_HZ) ** 2) ** (-slope / 2) + culture * np.exp(-((ratio / 0.5) ** 2)) + 0.02
    shape *= _passed(n_time, fs_hz)
    shape[0] = 0.0
    noise = band_noise(shape[None], n_time, 3, rng)[0]
    noise[1:] *= station.horizontal
    if rng.random() < share_transients:
        noise += _transients(n_time, fs_hz, rng)
    return np.asarray(noise / np.sqrt(np.mean(np.square(noise[0]))))


@lru_cache(maxsize=8)  # the same for all records of a length
def _passed(n_time: int, fs_hz: float) -> Array:
    """Return what a recorder's filter leaves of each frequency."""
    return np.abs(recorder(np.fft.rfftfreq(n_time, 1 / fs_hz)))


def _transients(n_time: int, fs_hz: float, rng: np.random.Generator) -> Array:
    """Return short packets at places of their own, the same on all components up to their strength."""
    time_s = np.arange(n_time) / fs_hz
    total = np.zeros((3, n_time), np.float32)
    for _ in range(rng.integers(1, MOST_TRANSIENTS + 1)):
        peak_hz = float(np.exp(rng.uniform(np.log(1.5), np.log(0.4 * fs_hz))))
        begin = int(rng.uniform(0, n_time))
        packet = berlage(
            time_s[: n_time - begin], peak_hz=peak_hz, rise=rng.uniform(1, 6), decay=float(rng.uniform(0.2, 1.5))
        )
        total[:, begin:] += (rng.uniform(2, 8) * rng.normal(size=(3, 1)) * packet).astype(np.float32)
    return total
