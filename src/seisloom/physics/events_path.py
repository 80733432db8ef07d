"""What the ground makes of a local event: delay and loss of body waves, Rg along the surface, and scattered coda."""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft
from scipy.special import expn

from seisloom.sample import Array

RAYLEIGH_H_OVER_V = 0.68
"""Radial over vertical motion of a Rayleigh wave at the surface of a Poisson solid; Aki & Richards (2002)."""
RAYLEIGH_DECAY = 0.85
"""Decay of its longer-reaching part with depth, by wavenumber: sqrt(1 - (0.92 vs / vp)^2) of a Poisson solid."""
EARLIEST_S = 0.1
"""Lapse times of coda below it count as this one: t^-1 has no value at 0."""


def delayed(frequency_hz: Array, *, travel_s: float, t_star_s: float) -> Array:
    """Return the factor, complex (frequency,), of a wave that travels and is absorbed.

    exp(-2 pi i f travel - pi f t*), and with the loss the dispersion that keeps anything from arriving early: a
    frequency f comes t* / pi ln(fn / f) later than the highest one, fn.

    Args:
        frequency_hz: from 0, rising.
        travel_s: travel time of the highest frequency in s.
        t_star_s: travel time over Q, and the kappa of the station, in s.
    Source: Futterman (1962), JGR 67(13), 5279-5291; Aki & Richards (2002), equation 5.81. Kappa: Anderson & Hough
        (1984), BSSA 74(5), 1969-1993.
    """
    highest = frequency_hz[-1]
    late = t_star_s / np.pi * np.log(highest / np.maximum(frequency_hz, 1e-3 * highest))
    return np.asarray(np.exp(-np.pi * frequency_hz * (t_star_s + 2j * (travel_s + late))))


def recorder(frequency_hz: Array) -> Array:
    """Return the response of a recorder's anti-alias filter, complex (frequency,), which delays and foresees nothing.

    Butterworth of order 8 with its corner at 0.75 of the highest frequency, where it is 20 dB down: about what
    digitisers pass, without the forerunners that their zero-phase filters make.
    """
    n = 8
    u = 1j * frequency_hz / (0.75 * frequency_hz[-1])
    poles = np.exp(1j * np.pi * (2 * np.arange(1, n + 1) + n - 1) / (2 * n))
    return np.asarray(1 / np.prod(u[:, None] - poles, axis=1))


def far_field_m_s(moment: float, *, distance_m: float, velocity_m_s: float, density_kg_m3: float) -> float:
    """Return the low-frequency level of displacement at the free surface in m s, for a pattern of 1.

    2 M0 / (4 pi density velocity^3 distance); the surface doubles it.

    Source: Aki & Richards (2002), equation 4.32.
    """
    return 2.0 * moment / (4 * np.pi * density_kg_m3 * velocity_m_s**3 * distance_m)


def rayleigh(
    frequency_hz: Array, *, moment: float, distance_m: float, depth_m: float, density_kg_m3: float, vs_m_s: float,
    slow_m_s: float, q: float,
) -> Array:  # fmt: skip
    """Return vertical displacement of Rg, complex (frequency,), in m s, for a source of a flat spectrum.

    M0 / (4 pi density vs^3) sqrt(k / r) exp(-0.85 k h) exp(-pi f t / Q): it spreads along the surface, and a source a
    wavelength deep hardly makes it. Group slowness rises with frequency, half way at 1 Hz, from 1 / (0.9 vs) to
    1 / slow, since the ground near the surface is soft.

    Args:
        frequency_hz: from 0.
        moment: in N m.
        distance_m: along the surface, above 0.
        depth_m: of the source.
        density_kg_m3, vs_m_s: of the rock.
        slow_m_s: group velocity of high frequencies in m/s.
        q: of the wave.
    Source: Aki & Richards (2002), chapter 7, for its spreading and decay with depth. Levels are those of a
        half-space up to a factor, which `EventPriors.rg_level` draws.
    """
    fast, slow = 1 / (0.9 * vs_m_s), 1 / slow_m_s
    share = frequency_hz**2 / (1.0 + frequency_hz**2)
    slowness = fast + (slow - fast) * share
    wavenumber = 2 * np.pi * frequency_hz * slowness
    level = moment / (4 * np.pi * density_kg_m3 * vs_m_s**3) * np.sqrt(wavenumber / distance_m)
    # The phase is the integral of group slowness over frequency
    phase = 2 * np.pi * distance_m * (fast * frequency_hz + (slow - fast) * (frequency_hz - np.arctan(frequency_hz)))
    loss = RAYLEIGH_DECAY * wavenumber * depth_m + np.pi * frequency_hz * distance_m * slowness / q
    return np.asarray(level * np.exp(-loss - 1j * phase))


def coda_envelope(time_s: Array, *, frequency_hz: float, onset_s: float, q: float) -> Array:
    """Return the amplitude of scattered waves, 1 at their onset and 0 before it: t^-1 exp(-pi f t / Q), (time,).

    Args:
        time_s: lapse time, after the origin of the event.
        frequency_hz: of the band.
        onset_s: lapse time of the direct wave that is scattered.
        q: quality factor of the band.
    Source: Aki & Chouet (1975), JGR 80(23), 3322-3342, for body waves that are scattered once.
    """
    first = max(onset_s, EARLIEST_S)
    lapse = np.maximum(time_s, first)
    return np.asarray(
        np.where(time_s >= onset_s, first / lapse * np.exp(-np.pi * frequency_hz * (lapse - first) / q), 0)
    )


def coda_energy_s(*, frequency_hz: float, onset_s: float, q: float) -> float:
    """Return the integral of the squared envelope over all time, in s: first exp(x) E2(x), x = 2 pi f first / Q."""
    first = max(onset_s, EARLIEST_S)
    x = 2 * np.pi * frequency_hz * first / q
    return float(first * (np.exp(x) * expn(2, x) if x < 300 else 1 / (x + 2)))


def octaves(frequency_hz: Array) -> tuple[Array, Array]:
    """Return centres in Hz (band,), and weights (band, frequency) whose squares sum to 1; bands are an octave apart."""
    highest = frequency_hz[-1]
    centre_hz = highest / 2.0 ** np.arange(6, 0, -1)
    place = np.log2(np.maximum(frequency_hz, 1e-6 * highest) / centre_hz[:, None])
    weight = np.cos(np.pi / 2 * np.clip(np.abs(place), 0, 1))
    weight[0, place[0] < 0] = 1.0
    weight[-1, place[-1] > 0] = 1.0
    return centre_hz, weight


def band_noise(shape: Array, n_time: int, n_channels: int, rng: np.random.Generator) -> Array:
    """Return random traces of unit mean square, (band, channel, time); a band of no amplitude is silent.

    Args:
        shape: amplitude spectra (band, n_time // 2 + 1), of any level.
        n_time, n_channels: samples and channels.
        rng: draws one noise for all bands, so that bands that overlap add to a smooth whole.
    """
    white = rng.standard_normal((2, n_channels, shape.shape[-1]), dtype=np.float32)
    power = np.sqrt(np.sum(np.square(shape, dtype=np.float64), axis=-1, keepdims=True))
    unit = np.divide(shape, power, out=np.zeros_like(shape), where=power > 0).astype(np.float32)
    traces = irfft((white[0] + 1j * white[1]) * unit[:, None, :], n_time, axis=-1, overwrite_x=True)
    # A line of the spectrum counts at plus and minus f, so that it adds 4 / n^2 |unit|^2 to the mean square
    return np.asarray(traces * np.float32(n_time / 2))
