"""Make a gather from its priors, its shape, a seed and an index, and from nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.fft import next_fast_len

from seisloom.errors import DataError
from seisloom.physics.gathers.arrivals import Arrivals, diffractions, direct_wave, head_waves, joined
from seisloom.physics.gathers.dispersive import draw_dispersive
from seisloom.physics.gathers.draws import log_uniform, smooth
from seisloom.physics.gathers.medium import Earth, draw_earth
from seisloom.physics.gathers.moveout import corrected, muted_above
from seisloom.physics.gathers.priors import GatherPriors, Kind
from seisloom.physics.gathers.reflections import reflections
from seisloom.physics.gathers.spread import Spread, draw_spread
from seisloom.physics.gathers.synthesis import sum_arrivals
from seisloom.physics.gathers.wavelet import draw_wavelet, wavelet_span_s
from seisloom.sample import Array

FEWEST_TRACES, FEWEST_SAMPLES = 2, 16
ATTEMPTS = 20
LEAST_LIVE = 0.3
"""Share of samples that must show something; windows that do not are drawn again."""
RINGING = 20
"""Samples after which nothing is left of what the anti-alias filter rings."""
QUIET = 1e-4
"""Amplitudes over the largest, 80 dB below it, that count as nothing there."""
RESOLUTION = 2.0**-23
"""What a recorder of 24 bits tells apart, over the largest amplitude: less is exactly 0, not rounding of transforms."""

SHARE_UNMUTED: dict[Kind, float] = {"marine_shot": 1.0, "land_shot": 1.0, "receiver": 1.0, "cdp": 0.5, "cdp_nmo": 0.15}
"""Share of gathers that still have direct and refracted waves: they are muted before midpoints are stacked."""


@dataclass(frozen=True, slots=True, eq=False)
class SyntheticGather:
    """A gather without noise."""

    traces: Array
    """Amplitudes, float32 (trace, time), of RMS 1 over the whole gather; no gain but where the priors draw one."""
    offset_m: Array
    """Distance of source and receiver in m, with the sign of the side, float32 (trace,)."""
    fs_hz: float
    start_s: float
    """Time of the first sample in s after the shot."""
    kind: Kind


def make_gather(priors: GatherPriors, shape: tuple[int, int], *, seed: int, index: int) -> SyntheticGather:
    """Return a synthetic gather of primaries, multiples, direct, refracted, scattered, guided and surface waves.

    All arrivals are band-limited and delayed by their exact time, so that steep ones alias as recorded ones do.

    Args:
        priors: what to draw from.
        shape: number of traces, at least 2, and of samples, at least 16.
        seed: of the whole data set, from 0.
        index: of the gather, from 0: the same gather whether made alone or with all others.
    Raises:
        DataError: if the shape is too small, a number is negative, or the priors show nothing in any window.
    """
    if len(shape) != 2 or shape[0] < FEWEST_TRACES or shape[1] < FEWEST_SAMPLES:
        raise DataError(
            f"a gather of shape {tuple(shape)} cannot be made; write (trace, time) with at least {FEWEST_TRACES} "
            f"traces of {FEWEST_SAMPLES} samples"
        )
    if min(seed, index) < 0:
        raise DataError(f"seed {seed} and index {index} must be whole numbers from 0")
    for attempt in range(ATTEMPTS):
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(index, attempt))))
        spread = draw_spread(rng, priors, shape)
        traces = _processed(rng, priors, spread)
        size = np.abs(traces)
        traces[size < RESOLUTION * size.max()] = 0.0
        if np.mean(size > QUIET * size.max()) >= LEAST_LIVE:
            break
    else:
        raise DataError(f"gather {index}: {ATTEMPTS} windows show no waves. Loosen record_s, water_m or max_stretch")
    traces = traces / np.sqrt(np.mean(traces**2))
    offset = np.sign(spread.inline_m) * spread.distance_m
    if rng.random() < priors.share_reversed:
        traces, offset = traces[::-1], offset[::-1]
    return SyntheticGather(
        np.ascontiguousarray(traces, dtype=np.float32), np.ascontiguousarray(offset, dtype=np.float32), spread.fs_hz,
        spread.start_s, spread.kind,
    )  # fmt: skip


def _processed(rng: np.random.Generator, priors: GatherPriors, spread: Spread) -> Array:
    """Return the gather of a spread, with moveout corrected, muted and gained where that is drawn."""
    fs, n_time = spread.fs_hz, spread.n_time
    earth = draw_earth(rng, priors, spread)
    if spread.kind == "cdp_nmo":
        tau = spread.start_s + np.arange(n_time) / fs
        error = 1 + rng.uniform(*priors.nmo_error) * (1 if rng.random() < 0.5 else -1) * np.linspace(
            rng.random(), 1, n_time
        )
        velocity = rms_velocity(earth, tau) * error
        last_s = np.sqrt(tau[-1] ** 2 + (spread.distance_m.max() / velocity[-1]) ** 2)
        stretch = log_uniform(rng, priors.max_stretch)
        # Nothing is read later than where moveout is at most the largest stretch
        last_s = min(last_s, tau[-1] * stretch + 0.1)
        before = replace(spread, n_time=int((last_s - spread.start_s) * fs) + 16)
        traces = _recorded(rng, priors, before, earth)
        traces = corrected(
            traces, source_start_s=spread.start_s, start_s=spread.start_s, n_time=n_time, fs_hz=fs,
            offset_m=spread.distance_m, velocity_m_s=velocity, max_stretch=stretch,
        )  # fmt: skip
    else:
        traces = _recorded(rng, priors, spread, earth)
        if rng.random() < priors.share_muted:
            slowness = 1 / (earth.velocity_m_s[0] * rng.uniform(1.0, 2.0))
            intercept = rng.uniform(0.0, 0.3) * n_time / fs
            traces = muted_above(
                traces, time_s=intercept + spread.distance_m * slowness, start_s=spread.start_s, fs_hz=fs,
                taper=int(rng.integers(4, 30)),
            )  # fmt: skip
    if rng.random() < priors.share_gained:
        time = spread.start_s + np.arange(n_time) / fs
        traces = traces * time ** rng.uniform(*priors.gain_exponent)
    return traces


def rms_velocity(earth: Earth, vertical_s: Array) -> Array:
    """Return the RMS velocity in m/s down to two-way vertical times in s, shape (time,)."""
    inside = 2 * earth.thickness_m / earth.velocity_m_s[:-1]
    knot = np.concatenate([[0.0], np.cumsum(inside)])
    squared = np.concatenate([[0.0], np.cumsum(inside * earth.velocity_m_s[:-1] ** 2)])
    # Within a layer the sum grows linearly; the half-space goes on so
    layer = np.searchsorted(knot, vertical_s, side="right") - 1
    total = squared[layer] + (vertical_s - knot[layer]) * earth.velocity_m_s[layer] ** 2
    at_top = vertical_s <= 0
    mean = total / np.where(at_top, 1.0, vertical_s)
    return np.asarray(np.sqrt(np.where(at_top, earth.velocity_m_s[0] ** 2, mean)))


def _recorded(rng: np.random.Generator, priors: GatherPriors, spread: Spread, earth: Earth) -> Array:
    """Return the gather as recorded, float64 (trace, time)."""
    fs, start = spread.fs_hz, spread.start_s
    # A spectrum is periodic: what arrives before or after the window must not come back at its other end
    before_s, after_s = (span + RINGING / fs for span in wavelet_span_s(spread))
    n_long = 2 * next_fast_len((spread.n_time + int((before_s + after_s) * fs)) // 2 + 1, real=True)
    frequency = np.fft.rfftfreq(n_long, 1 / fs)
    wavelet = draw_wavelet(rng, priors, spread, frequency)
    seen = start - before_s, spread.end_s + after_s
    parts = [reflections(rng, priors, earth, spread, seen), diffractions(rng, priors, earth, spread)]
    if rng.random() < SHARE_UNMUTED[spread.kind]:
        parts.append(head_waves(rng, priors, earth, spread))
        if not spread.on_floor:
            parts.append(direct_wave(rng, priors, earth, spread))
    arrivals = _received(rng, priors, spread, joined(parts))
    amplitude = np.where((arrivals.time_s >= seen[0]) & (arrivals.time_s <= seen[1]), arrivals.amplitude, 0)
    spectra = wavelet * sum_arrivals(arrivals.time_s - start, amplitude, arrivals.absorbed_s, frequency)
    body = np.fft.irfft(spectra, n=n_long)[:, : spread.n_time]
    waves = draw_dispersive(rng, priors, earth, spread, frequency, (max(seen[0], 0.0), seen[1]))
    if waves is not None:
        waves *= np.exp(2j * np.pi * frequency * start)
        slow = np.fft.irfft(waves, n=n_long)[:, : spread.n_time]
        level = np.mean(slow**2)
        if level > 0:
            body = body + slow * log_uniform(rng, priors.roll_strength) * np.sqrt(np.mean(body**2) / level)
    return np.asarray(body * np.exp(log_uniform(rng, priors.coupling) * rng.standard_normal((len(body), 1))))


def _received(rng: np.random.Generator, priors: GatherPriors, spread: Spread, arrivals: Arrivals) -> Arrivals:
    """Return arrivals late by the statics of their receivers, on land: smooth along the spread, and of each its own."""
    if spread.at_sea:
        return arrivals
    size_s = log_uniform(rng, priors.static_ms) / 1000
    n = len(spread.place)
    delay = size_s * (0.7 * smooth(rng, spread.place, 1)[0] + rng.uniform(0.1, 1.0) * rng.standard_normal(n))
    return replace(arrivals, time_s=arrivals.time_s + delay)
