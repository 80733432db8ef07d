"""The ground under a synthetic line, who stands where on it, and when each station sees a shot first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from seisloom.physics.refraction import branch_times, first_arrival, reflection_time
from seisloom.sample import Array

WATER_M_S = 1500.0
PERIODS_TO_THE_FARTHEST = (4.0, 25.0)  # of the first arrival; field lines at hand have 5 to 10
N_WAVES = 6  # sines that make up the relief along a line


@dataclass(frozen=True, slots=True)
class Line:
    """A line of stations: its ground, its sources and its recorder, all drawn once."""

    kind: Literal["land", "obs"]
    fs_hz: float
    n_time: int
    delay_s: float
    """Time of sample 0 after the shot."""
    station_x_m: Array
    shot_x_m: Array
    shot_y_m: Array
    thickness_m: Array
    """Shape (layer - 1,); the topmost layer is the water at sea."""
    velocity_m_s: Array
    """Shape (layer,), top down."""
    legs: Array
    """How often a ray crosses each layer, as in `branch_times`."""
    relief_s: Array
    """Delay of a wave from below by the relief at a place: amplitude in s, wave number in 1/m, phase; (3, wave)."""
    station_static_s: Array
    """Delay in s at each station that has nothing to do with its neighbours."""
    peak_hz: float
    """Frequency of the body waves near the source."""
    quality: float
    """Number of periods of travel after which the frequency has halved."""
    rise: float
    decay: float
    phase_rad: float
    """Shape of the Berlage wavelet."""
    branch_gain: Array
    """Amplitude of each branch at the median offset, shape (layer,); signed."""
    reflection_gain: Array
    """Amplitude of the reflection from the base of each layer, shape (layer - 1,); signed."""
    spreading: float
    """Power of the offset with which amplitudes decay."""
    echo: tuple[float, float]
    """Reverberation under the station: factor and delay in s."""
    coda: tuple[float, float]
    """Scattered waves: amplitude relative to those that are not, and decay time in periods."""
    surface_m_s: tuple[float, float, float]
    """Phase velocities of surface waves at high and at low frequency, in m/s, and the corner between, in Hz."""
    surface_hz: float
    """Frequency at which surface waves are strongest."""
    surface_gain_db: float
    """Surface over body waves at the median offset."""
    air_gain: float
    """Amplitude of the air wave relative to the first arrival at the median offset; 0 for none."""
    coupling: Array
    """Amplitude factor of each station."""
    tone: Array
    """Factor on the frequency of body waves at each station, whose soil and coupling differ."""
    polarity: Array
    """-1 for a reversed station, else 1."""
    noise_mix: Array
    """Share of each kind of noise in the variance, in the order of survey_noise.KINDS."""
    noise_slope: float
    """Power of the frequency with which the spectrum of coloured noise falls."""
    mains_hz: float
    whine_hz: float
    """Frequency of the narrow-band noise of the electronics."""
    recorder_offset: float
    """Standard deviation of the constant in a trace, in units of the noise."""
    overdriven_at: float | None
    """Share of the largest amplitude of a shot beyond which the recorder clips."""
    gain: float
    """Counts or volts for an amplitude of 1."""

    @property
    def median_offset_m(self) -> float:
        """Offset at which gains are defined."""
        length = max(np.ptp(self.station_x_m), np.ptp(self.shot_x_m))
        return float(max(length / 3, 1.0))


@dataclass(frozen=True, slots=True)
class Arrivals:
    """When the waves of one shot reach the stations."""

    offset_m: Array
    """Shape (station,)."""
    onset_s: Array
    """First of all times, exact, shape (station,)."""
    branch: Array
    """Row of `branch_s` that is first, shape (station,)."""
    branch_s: Array
    """Direct wave and head waves, shape (layer, station); inf where there is none."""
    reflection_s: Array
    """Reflections (at sea: water waves that bounced), shape (reflection, station)."""


def draw_line(
    rng: np.random.Generator,
    *,
    kind: Literal["land", "obs"],
    n_stations: int,
    n_shots: int,
    station_spacing_m: tuple[float, float],
    shot_spacing_m: tuple[float, float] | None,
    fs_hz: tuple[float, ...],
    record_s: float,
    delay_s: tuple[float, ...],
    peak_hz: tuple[float, float],
    share_reversed: float,
) -> Line:
    """Return a line drawn from wide ranges: what is drawn is said beside the fields of Line."""
    land = kind == "land"
    spacing = _log_uniform(rng, *station_spacing_m)
    station_x = np.arange(n_stations) * spacing
    shot_x, shot_y = _draw_shots(rng, station_x, spacing, n_shots, shot_spacing_m)
    length = max(np.ptp(station_x), np.ptp(shot_x), spacing)
    thickness, velocity = _draw_land_layers(rng, length) if land else _draw_sea_layers(rng)
    legs = np.full(len(thickness), 2.0)
    if not land:
        legs[0] = 1.0
    rate = float(rng.choice(fs_hz))
    peak = _log_uniform(rng, *peak_hz)
    if land:  # a source is chosen to suit the spread: the farthest onset is some periods away, in any size of survey
        farthest_s, _ = first_arrival(np.array([length]), thickness_m=thickness, velocity_m_s=velocity)
        peak = float(np.clip(_log_uniform(rng, *PERIODS_TO_THE_FARTHEST) / farthest_s[0], *peak_hz))
    n_layers = len(velocity)
    relief = _draw_relief(rng, length, rms_s=rng.uniform(0.0, 0.3) / peak)
    surface_high = float(np.clip(velocity[0] * rng.uniform(0.3, 0.75), 70, 600))
    return Line(
        kind=kind,
        fs_hz=rate,
        n_time=max(2, round(record_s * rate)),
        delay_s=float(rng.choice(delay_s)),
        station_x_m=station_x,
        shot_x_m=shot_x,
        shot_y_m=shot_y,
        thickness_m=thickness,
        velocity_m_s=velocity,
        legs=legs,
        relief_s=relief,
        station_static_s=rng.standard_normal(n_stations) * rng.uniform(0.0, 0.06) / peak,
        peak_hz=peak,
        quality=_log_uniform(rng, 4.0, 60.0),
        # more emergent wavelets begin a tenth of a period and more before anyone could see and pick them
        rise=rng.uniform(0.5, 1.4),
        decay=rng.uniform(1.0, 3.5),
        phase_rad=rng.uniform(-0.75, -0.25) * np.pi + (np.pi if rng.random() < 0.5 else 0.0),
        branch_gain=np.r_[rng.uniform(2.0, 8.0), 10 ** rng.uniform(-0.3, 0.3, n_layers - 1)],
        reflection_gain=rng.choice([-1.0, 1.0], n_layers - 1) * 10 ** rng.uniform(-1.2, 0.6, n_layers - 1),
        spreading=rng.uniform(0.8, 2.2),
        echo=(rng.uniform(-0.75, 0.75), rng.uniform(0.4, 3.0) / peak),
        coda=(_log_uniform(rng, 0.03, 0.9), rng.uniform(3, 25)),
        surface_m_s=(surface_high, surface_high * rng.uniform(1.2, 3.5), peak * rng.uniform(0.1, 0.6)),
        surface_hz=peak * rng.uniform(0.2, 0.75),
        surface_gain_db=rng.uniform(0.0, 38.0) if land else -np.inf,
        air_gain=_log_uniform(rng, 0.1, 4.0) if land and rng.random() < 0.6 else 0.0,
        coupling=rng.lognormal(0.0, rng.uniform(0.05, 0.45), n_stations),
        tone=rng.lognormal(0.0, rng.uniform(0.0, 0.15), n_stations),
        polarity=np.where(rng.random(n_stations) < share_reversed, -1.0, 1.0),
        noise_mix=rng.dirichlet(np.full(6, 0.5)),
        noise_slope=rng.uniform(0.3, 2.0),
        mains_hz=float(rng.choice([50.0, 60.0, 50.0 / 3])),
        whine_hz=rng.uniform(0.08, 0.48) * rate,
        recorder_offset=float(rng.choice([0.0, rng.uniform(0.0, 3.0)])),
        overdriven_at=rng.uniform(0.05, 0.7) if rng.random() < 0.1 else None,
        gain=10 ** rng.uniform(-5, 4),
    )


def first_arrivals(line: Line, shot: int, rng: np.random.Generator) -> Arrivals:
    """Return when the waves of a shot arrive, with the delays of relief, station, shot and trigger in them.

    Delays fade towards offset 0, where a wave has not yet passed through anything, so that no time is negative.
    """
    offset = np.hypot(line.station_x_m - line.shot_x_m[shot], line.shot_y_m[shot])
    depth = line.thickness_m[0] if line.kind == "obs" else 0.0
    times = branch_times(
        offset,
        thickness_m=line.thickness_m,
        velocity_m_s=line.velocity_m_s,
        legs=line.legs,
        direct_depth_m=float(depth),
    )
    relief = _relief_at(line, line.station_x_m) + _relief_at(line, line.shot_x_m[shot : shot + 1])
    shot_static = rng.standard_normal() * 0.05 / line.peak_hz
    delay = relief + line.station_static_s + shot_static
    if line.kind == "land":
        scale = 3 * max(float(np.min(np.diff(line.station_x_m), initial=1.0)), 1e-3)
        fade = 1 - np.exp(-((offset / scale) ** 2))
        # the direct wave runs along the surface and sees the relief less
        times += delay * fade * np.where(np.arange(len(times)) == 0, 0.4, 1.0)[:, None]
        times = np.maximum(times, 0.5 * offset / line.velocity_m_s.max())
        times += max(0.0, rng.standard_normal()) * 0.02 / line.peak_hz  # a trigger that comes a little early
    else:
        times[1:] += delay
        times[1:] = np.maximum(times[1:], 0.2 * times[0])
    return Arrivals(
        offset_m=offset,
        onset_s=times.min(axis=0),
        branch=times.argmin(axis=0),
        branch_s=times,
        reflection_s=np.maximum(_later_waves(line, offset), times.min(axis=0)),
    )


def _later_waves(line: Line, offset: Array) -> Array:
    """Return reflections from each interface on land; at sea the water wave after 1 and 2 bounces."""
    if line.kind == "obs":
        depth = line.thickness_m[0]
        return np.stack([np.hypot(offset, n * depth) / WATER_M_S for n in (3, 5)])
    n_layers = len(line.thickness_m)
    deepest = np.unique(np.linspace(1, n_layers, min(3, n_layers)).astype(int))
    return np.stack(
        [reflection_time(offset, thickness_m=line.thickness_m[:k], velocity_m_s=line.velocity_m_s[:k]) for k in deepest]
    )


def _draw_shots(
    rng: np.random.Generator,
    station_x: Array,
    spacing: float,
    n_shots: int,
    shot_spacing_m: tuple[float, float] | None,
) -> tuple[Array, Array]:
    """Return where the shots are, along and beside the line."""
    length = max(float(np.ptp(station_x)), spacing)
    if shot_spacing_m is None:
        along = np.linspace(-0.15 * length, 1.15 * length, n_shots) if n_shots > 1 else np.array([-0.1 * length])
        along = along + rng.uniform(-0.4, 0.4, n_shots) * spacing
        beside = rng.uniform(0.1, 0.6) * spacing + np.abs(rng.standard_normal(n_shots)) * 0.1 * spacing
        return along, beside
    step = _log_uniform(rng, *shot_spacing_m)
    along = np.arange(n_shots) * step
    along = along - along.mean() + station_x.mean() + rng.uniform(-0.1, 0.1) * length
    return along, np.full(n_shots, rng.uniform(0.0, 2.0) * step)


def _draw_land_layers(rng: np.random.Generator, length: float) -> tuple[Array, Array]:
    """Return soil over rock: 2 to 5 layers, some of them gradients, seldom one that is slower than that above it."""
    n_layers = int(rng.integers(2, 6))
    top = _log_uniform(rng, 200.0, 1300.0)
    steps = _log_uniform_array(rng, 1.15, 3.5, n_layers - 1)
    if n_layers > 2 and rng.random() < 0.1:
        steps[rng.integers(n_layers - 2)] = rng.uniform(0.7, 0.95)
    velocity = np.minimum(top * np.cumprod(np.r_[1.0, steps]), 6500.0)
    depth = np.sort(_log_uniform_array(rng, length / 60, length / 4, n_layers - 1))
    thickness = np.maximum(np.diff(np.r_[0.0, depth]), length / 200)
    if rng.random() < 0.5:
        return _as_gradient(thickness, velocity, n_parts=4)
    return thickness, velocity


def _draw_sea_layers(rng: np.random.Generator) -> tuple[Array, Array]:
    """Return water, sediment, crust of growing velocity and mantle."""
    water = rng.uniform(80.0, 4000.0)
    sediment = _log_uniform(rng, 50.0, 3000.0)
    crust = rng.uniform(4000.0, 9000.0)
    velocity = np.r_[WATER_M_S, rng.uniform(1650, 2600), rng.uniform(3000, 5200), rng.uniform(6200, 7000), 8000.0]
    thickness = np.r_[water, sediment, 0.3 * crust, 0.7 * crust]
    below_t, below_v = _as_gradient(thickness[1:], velocity[1:], n_parts=4)
    return np.r_[water, below_t], np.r_[WATER_M_S, below_v]


def _as_gradient(thickness: Array, velocity: Array, *, n_parts: int) -> tuple[Array, Array]:
    """Return each layer parted so that its velocity grows half way towards that of the next: curved travel times."""
    part = np.arange(n_parts) / n_parts
    grown = velocity[:-1, None] + 0.5 * part * (velocity[1:] - velocity[:-1])[:, None]
    return np.repeat(thickness / n_parts, n_parts), np.r_[grown.ravel(), velocity[-1]]


def _draw_relief(rng: np.random.Generator, length: float, *, rms_s: float) -> Array:
    """Return amplitude, wave number and phase of a smooth delay along the line."""
    wave_number = 2 * np.pi / (length * np.exp(rng.uniform(np.log(0.15), np.log(2.0), N_WAVES)))
    amplitude = rng.standard_normal(N_WAVES) / np.sqrt(wave_number * length)
    norm = np.sqrt(np.sum(amplitude**2) / 2)
    return np.stack([amplitude * rms_s / norm, wave_number, rng.uniform(0, 2 * np.pi, N_WAVES)])


def _relief_at(line: Line, x_m: Array) -> Array:
    """Return the delay in s at places along the line: the same for a shot as for a station, so reciprocity holds."""
    amplitude, wave_number, phase = line.relief_s
    return np.asarray(np.sin(x_m[:, None] * wave_number + phase) @ amplitude)


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _log_uniform_array(rng: np.random.Generator, low: float, high: float, n: int) -> Array:
    return np.exp(rng.uniform(np.log(low), np.log(high), n))
