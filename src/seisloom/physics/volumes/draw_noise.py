"""The mix of noise of a volume: how strong each kind is, what it looks like, and the footprint of the acquisition."""

from __future__ import annotations

import numpy as np

from seisloom.physics.volumes.model import Noise, Shape
from seisloom.physics.volumes.priors import VolumePriors
from seisloom.physics.volumes.wavelets import wavelet_taps
from seisloom.sample import Array

NARROWEST = 0.3  # standard deviation in voxels below which smoothing changes nothing that one can see


def draw_noise(rng: np.random.Generator, shape: Shape, f0: float, priors: VolumePriors) -> Noise:
    """Return the noise of a volume: shares of power between its kinds are drawn evenly."""
    ratio = rng.uniform(*priors.noise_ratio)
    power = rng.exponential(size=3) * [kind in priors.noises for kind in ("white", "coloured", "coherent")]
    white, coloured, coherent = ratio * np.sqrt(power / power.sum())
    middle = f0 * rng.uniform(0.6, 1.4)
    lateral = [_of_unit_energy(gaussian_taps(rng.uniform(0.0, 2.5))) for _ in range(2)]
    if shape[0] == 1:
        lateral[0] = np.ones(1, np.float32)
    events, slopes = _draw_events(rng, shape, f0)
    periods, phases = rng.uniform(3.0, 24.0, 2), rng.uniform(0, 2 * np.pi, 2)
    wave_numbers = 2 * np.pi / periods
    if shape[0] == 1:  # no stripes along an axis that is not there
        wave_numbers[0], phases[0] = 0.0, 0.5 * np.pi
    return Noise(
        white=float(white),
        coloured=float(coloured),
        coherent=float(coherent),
        taps=(lateral[0], lateral[1], wavelet_taps("ricker", f0=min(middle, 0.3), for_layers=False)),
        events=events,
        slopes=slopes,
        footprint=np.array([rng.uniform(*priors.footprint), *wave_numbers, *phases, rng.uniform(0.2, 1.0) * shape[2]]),
        bursts=np.zeros((0, 7)),
    )


def gaussian_taps(width: float) -> Array:
    """Return a Gaussian kernel of unit sum, float32, cut at 2.5 standard deviations; a single 1 if it is narrow."""
    if width < NARROWEST:
        return np.ones(1, np.float32)
    reach = int(np.ceil(2.5 * width))
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    return np.asarray(taps / taps.sum(), dtype=np.float32)


def _of_unit_energy(taps: Array) -> Array:
    return np.asarray(taps / np.sqrt(np.sum(taps.astype(np.float64) ** 2)), dtype=np.float32)


def _draw_events(rng: np.random.Generator, shape: Shape, f0: float) -> tuple[Array, Array]:
    """Return up to 3 trains of linear events of unit RMS together, and their slopes in samples a trace."""
    n = int(rng.integers(1, 4))
    # long enough that a volume of this height never shows the same train twice above itself
    length = 1 << int(np.ceil(np.log2(2 * shape[2] + 256)))
    slopes = np.exp(rng.uniform(np.log(0.3), np.log(2.5), n)) * rng.choice([-1.0, 1.0], n)
    azimuth = rng.uniform(0, np.pi, n) if shape[0] > 1 else np.full(n, 0.5 * np.pi)
    spline = (2 + np.cos(2 * np.pi * np.fft.rfftfreq(length))) / 3  # response of the splines that move them; undone
    events = np.empty((n, length), np.float32)
    for event in events:
        taps = wavelet_taps("ricker", f0=float(np.clip(f0 * rng.uniform(0.6, 1.3), 0.01, 0.25)), for_layers=False)
        spikes = rng.standard_normal(length) * (rng.random(length) < 0.2)
        event[:] = np.fft.irfft(np.fft.rfft(spikes) * np.fft.rfft(taps, length) / spline, length)
        moved = np.fft.irfft(np.fft.rfft(event) * spline, length)
        event /= np.sqrt(n * np.mean(moved**2))
    return events, slopes[:, None] * np.stack([np.cos(azimuth), np.sin(azimuth)], axis=1)
