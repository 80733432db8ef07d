"""Noise of gathers in plain numbers: the ranges that it is drawn from, and what is drawn for one gather."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from seisloom.config import Config
from seisloom.physics.surface_waves.acquisition import LinearArray
from seisloom.physics.surface_waves.priors import within

Range = tuple[float, float]
Share = Annotated[Range, within(0.0, 1.0)]
Decibels = Annotated[Range, within(-40.0, 200.0)]
MOST_KEYS = 2**63 - 1


class NoisePrior(Config):
    """Ranges that the noise of a gather is drawn from; [smallest, largest] each, uniform.

    SNR is 10 log10 of the energy of the clean gather over that of the noise, both over all traces and samples, before
    channels do anything wrong.
    """

    snr_db: Decibels | None = (5.0, 40.0)
    """SNR of noise that no two channels share, in dB; None is none."""
    slope: Annotated[Range, within(-2.0, 4.0)] = (0.0, 1.5)
    """Power of the frequency with which the power spectrum of that noise falls; 0 is white."""
    waves_snr_db: Decibels | None = (5.0, 40.0)
    """SNR of all waves from elsewhere together, in dB; None is none."""
    n_surface: Annotated[tuple[int, int], within(0, 100)] = (0, 3)
    """Number of surface waves from elsewhere, of any azimuth."""
    n_body: Annotated[tuple[int, int], within(0, 100)] = (0, 1)
    """Number of body waves from elsewhere, along the line in either direction."""
    surface_m_s: Annotated[Range, within(1.0, 1e4)] = (100.0, 600.0)
    """Velocity in m/s of surface and scattered waves where no dispersion curve is given, log-uniform."""
    body_m_s: Annotated[Range, within(1.0, 1e6)] = (1000.0, 6000.0)
    """Apparent velocity of body waves in m/s, log-uniform."""
    centre_hz: Annotated[Range, within(0.01, 1e4)] = (5.0, 30.0)
    """Frequency in Hz at which a wave from elsewhere is strongest, log-uniform."""
    p_scatterer: Annotated[float, Field(ge=0, le=1)] = 0.3
    """Probability of something in the ground that sends a part of the surface wave back."""
    scattered: Share = (0.02, 0.3)
    """Amplitude of what is sent back over that of what arrives there."""
    scatterer_at: Annotated[Range, within(0.0, 10.0)] = (0.3, 1.3)
    """Where it stands: distance from the end of the line nearest to the shot over the line's length; 1 is its end."""
    dead: Share = (0.0, 0.05)
    """Probability that a channel is dead, 0 throughout; two at least are not."""
    reversed_polarity: Share = (0.0, 0.02)
    """Probability that a channel has the wrong polarity."""
    coupling: Share = (0.0, 0.15)
    """Standard deviation of ln of the channels' amplitude factors."""
    timing_s: Annotated[Range, within(0.0, 0.1)] = (0.0, 5e-4)
    """Standard deviation of the channels' delays in s."""


@dataclass(frozen=True, slots=True)
class PassingWave:
    """A plane wave from elsewhere, stationary and random; `key` is the seed of its random phases."""

    kind: Literal["surface", "body"]
    azimuth_degrees: float
    """Between the line and where the wave travels: 0 towards larger x, 180 towards smaller."""
    velocity_m_s: float
    centre_hz: float
    weight: float
    """RMS amplitude relative to the other waves."""
    key: int


@dataclass(frozen=True, slots=True)
class Scatterer:
    """Something at a place of the line that sends waves both ways; `gain` is relative to what arrives there."""

    x_m: float
    gain: float
    velocity_m_s: float


@dataclass(frozen=True, slots=True)
class GatherNoise:
    """The noise of one gather in plain numbers: `add_noise` gives the same gather from a record of them."""

    snr_db: float | None
    slope: float
    key: int
    waves_snr_db: float | None
    waves: tuple[PassingWave, ...]
    scatterer: Scatterer | None
    gain: tuple[float, ...]
    """Amplitude factor of each channel."""
    delay_s: tuple[float, ...]
    polarity: tuple[int, ...]
    """1 or -1 of each channel."""
    live: tuple[bool, ...]


def draw_noise(prior: NoisePrior, rng: np.random.Generator, array: LinearArray) -> GatherNoise:
    """Return the noise of one gather; what one key of the prior says does not change what others draw."""
    n, uniform = len(array), rng.uniform
    snr, slope, waves_snr = (
        uniform(*pair) for pair in (prior.snr_db or (0, 0), prior.slope, prior.waves_snr_db or (0, 0))
    )
    key = int(rng.integers(MOST_KEYS))
    has_scatterer = rng.random() < prior.p_scatterer
    near, far = sorted((array.receiver_x_m.min(), array.receiver_x_m.max()), key=lambda x: abs(x - array.source_x_m))
    scatterer = Scatterer(
        x_m=float(near + (far - near) * uniform(*prior.scatterer_at)),
        gain=float(uniform(*prior.scattered)),
        velocity_m_s=_log_uniform(rng, prior.surface_m_s),
    )
    gain = np.exp(uniform(*prior.coupling) * rng.standard_normal(n))
    delay_s = uniform(*prior.timing_s) * rng.standard_normal(n)
    polarity = np.where(rng.random(n) < uniform(*prior.reversed_polarity), -1, 1)
    health, dead = rng.random(n), uniform(*prior.dead)
    live = health >= min(dead, np.sort(health)[-2])
    counts = [int(rng.integers(low, high + 1)) for low, high in (prior.n_surface, prior.n_body)]
    waves = [_draw_wave(rng, "surface", prior) for _ in range(counts[0])]
    waves += [_draw_wave(rng, "body", prior) for _ in range(counts[1])]
    return GatherNoise(
        snr_db=float(snr) if prior.snr_db else None,
        slope=float(slope),
        key=key,
        waves_snr_db=float(waves_snr) if prior.waves_snr_db else None,
        waves=tuple(waves),
        scatterer=scatterer if has_scatterer else None,
        gain=tuple(gain.tolist()),
        delay_s=tuple(delay_s.tolist()),
        polarity=tuple(polarity.tolist()),
        live=tuple(live.tolist()),
    )


def _draw_wave(rng: np.random.Generator, kind: Literal["surface", "body"], prior: NoisePrior) -> PassingWave:
    is_surface = kind == "surface"
    return PassingWave(
        kind=kind,
        azimuth_degrees=float(rng.uniform(0, 180) if is_surface else 180 * rng.integers(2)),
        velocity_m_s=_log_uniform(rng, prior.surface_m_s if is_surface else prior.body_m_s),
        centre_hz=_log_uniform(rng, prior.centre_hz),
        weight=float(rng.uniform(0.2, 1.0)),
        key=int(rng.integers(MOST_KEYS)),
    )


def _log_uniform(rng: np.random.Generator, bounds: Range) -> float:
    return float(np.exp(rng.uniform(np.log(bounds[0]), np.log(bounds[1]))))
