"""Synthetic local events with all that is known of them: earthquakes, quarry blasts, and noise that nothing happens in.

`events_record` makes their waveforms.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal, get_args

import numpy as np
from pydantic import Field, model_validator

from seisloom.config import Config
from seisloom.physics.events_noise import Background, draw_background
from seisloom.physics.events_source import P_OVER_S_CORNER, blast_corner_hz, brune_corner_hz, moment_nm
from seisloom.sample import Array

Kind = Literal["earthquake", "explosion", "noise"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Share = Annotated[float, Field(ge=0, le=1)]
Range = tuple[float, float]
SNR_S = 5.0
"""Length in s of the window after the onset that the SNR is taken in."""
# What each stream of random numbers is keyed by, behind the seed; records have 1
_EVENT, _STATION, _QUARRY = 0, 2, 3


class EventPriors(Config):
    """What local events are drawn from; each range uniformly, by its logarithm where it spans a factor of 3 or more."""

    fs_hz: Annotated[float, Field(ge=10)] = 40.0
    """Sampling rate in Hz."""
    record_s: Annotated[float, Field(gt=0)] = 110.0
    """Length of a record in s."""
    before_s: Annotated[float, Field(ge=0)] = 45.0
    """How long before the P wave a record begins, in s."""
    n_stations: Annotated[int, Field(ge=1)] = 12
    """Stations of the network; which of them recorded an event is drawn from the nearest."""
    n_quarries: Annotated[int, Field(ge=1)] = 8
    """Places where blasts are fired; earthquakes are anywhere."""
    reach_km: Annotated[float, Field(gt=0)] = 60.0
    """Radius in km of the disc that stations and sources lie in."""
    magnitude: Range = (0.8, 3.0)
    """Moment magnitude, of earthquakes and of blasts alike, so that size does not tell them apart."""
    depth_km: Range = (2.0, 18.0)
    """Depth of earthquakes in km."""
    blast_depth_km: Range = (0.005, 0.05)
    """Depth of blasts in km."""
    vp_km_s: Range = (5.2, 6.4)
    """P velocity in km/s."""
    vp_over_vs: Range = (1.65, 1.82)
    """P velocity over S velocity."""
    q_s: Range = (80.0, 500.0)
    """Quality factor of S waves."""
    q_p_over_q_s: Range = (0.8, 2.0)
    """Quality factor of P waves over that of S waves."""
    kappa_s: Range = (0.01, 0.05)
    """Loss under a station in s, as a time over Q."""
    stress_drop_mpa: Range = (0.5, 20.0)
    """Stress drop of earthquakes in MPa: with the magnitude it decides their corner frequency."""
    overshoot: Range = (0.3, 2.0)
    """B of blasts: how far their spectrum rises before it falls."""
    blast_s_over_p: Range = (0.3, 3.0)
    """Level of S over that of P of a blast, far below the corner; of an earthquake it is about 6."""
    ripple_rows: tuple[int, int] = (1, 12)
    """Rows of a quarry blast."""
    ripple_delay_s: Range = (0.008, 0.06)
    """Delay from row to row in s."""
    rg_level: Range = (0.2, 3.0)
    """Rg over that of a uniform half-space, for a source at the surface."""
    rg_q: Range = (20.0, 80.0)
    """Quality factor of Rg."""
    rg_km_s: Range = (1.0, 2.2)
    """Group velocity of Rg at high frequencies in km/s."""
    coda_energy: Range = (2.0, 20.0)
    """Energy of the scattered waves over that of the direct wave."""
    coda_q: Range = (40.0, 200.0)
    """Quality factor of coda at 1 Hz."""
    coda_q_power: Range = (0.4, 0.9)
    """Power of frequency by which it rises."""
    snr_db: Range = (-2.0, 30.0)
    """SNR of an event at its stations' median distance, in dB, of all frequencies; near stations are louder."""
    share_transients: Share = 0.4
    """Share of records, of noise and of events, that hold steps, cars or gusts."""

    @model_validator(mode="after")
    def _fitting(self) -> EventPriors:
        for name, field in type(self).model_fields.items():
            bounds = getattr(self, name)
            if not isinstance(bounds, tuple):
                continue
            low = -np.inf if name in ("magnitude", "snr_db") else 0
            if not low < bounds[0] <= bounds[1]:
                said = "" if np.isinf(low) else "0 < "
                raise ValueError(f"{name} is {list(bounds)}; it needs {said}smallest <= largest ({field.description})")
        if self.before_s + SNR_S > self.record_s:
            raise ValueError(
                f"record_s {self.record_s:g} ends before {SNR_S:g} s of the event were recorded; before_s is "
                f"{self.before_s:g}"
            )
        return self


@dataclass(frozen=True, slots=True)
class Station:
    """A station of the network, the same for all events."""

    x_m: float
    y_m: float
    """East and north of the middle of the network in m."""
    kappa_s: float
    gain: float
    """Of its ground: soft ground moves more."""
    resonance_hz: float
    """Frequency at which horizontal motion is strongest, by up to `resonance`."""
    resonance: float
    softness: float
    """Velocity under the station over that of the rock: rays bend towards the vertical."""
    background: Background


@dataclass(frozen=True, slots=True)
class LocalEvent:
    """An event, the ground around it, and what its stations know of it. Axes: (station,)."""

    kind: Kind
    number: int
    seed: int
    magnitude: float
    x_m: float
    y_m: float
    depth_m: float
    vp_m_s: float
    vs_m_s: float
    q_p: float
    q_s: float
    corner_p_hz: float
    corner_s_hz: float
    overshoot: float
    """0 for an earthquake."""
    s_over_p: float
    """Level of S over that of P of a blast; NaN for an earthquake, where the pattern decides."""
    ripple_rows: int
    ripple_delay_s: float
    strike_rad: float
    dip_rad: float
    rake_rad: float
    rg_level: float
    rg_q: float
    rg_m_s: float
    coda_energy: float
    coda_q: float
    coda_q_power: float
    snr_db: float
    """At the median distance."""
    stations: tuple[int, ...]
    """Numbers of the stations that recorded it."""
    distance_m: Array
    """Along the surface."""
    azimuth_rad: Array
    """From the source to the station, clockwise from north."""
    p_s: Array
    """Travel time of P in s."""
    s_s: Array
    """Travel time of S in s."""

    @property
    def slant_m(self) -> Array:
        """Distance from source to station in m, (station,)."""
        return np.hypot(self.distance_m, self.depth_m)


def draw_event(priors: EventPriors, kind: Kind, *, seed: int, number: int, n_stations: int) -> LocalEvent:
    """Return an event and its geometry, keyed by (seed, number); no waveform is made.

    Args:
        priors: what is drawn.
        kind: earthquake, explosion or noise; noise is planned like an earthquake, and nothing of it is recorded.
        seed: of the set.
        number: of the event in it.
        n_stations: how many recorded it: drawn from twice as many that are nearest.
    """
    rng = keyed(seed, _EVENT, number)
    is_blast = kind == "explosion"
    x_m, y_m = _quarry(priors, seed, rng) if is_blast else _place(priors, rng)
    depth_m = 1e3 * _draw(priors.blast_depth_km if is_blast else priors.depth_km, rng)
    vp = 1e3 * _draw(priors.vp_km_s, rng)
    vs, magnitude = vp / _draw(priors.vp_over_vs, rng), _draw(priors.magnitude, rng)
    moment, q_s = float(moment_nm(magnitude)), _draw(priors.q_s, rng)
    stress_pa = 1e6 * _draw(priors.stress_drop_mpa, rng)
    if is_blast:  # S has the lower corner, by the ratio of velocities: Fisk (2006), BSSA 96(6), 2348-2367
        corner_p = blast_corner_hz(moment)
        corner_s = corner_p * vs / vp
    else:
        corner_s = brune_corner_hz(moment, stress_drop_pa=stress_pa, vs_m_s=vs)
        corner_p = corner_s * P_OVER_S_CORNER
    known = network_of(priors, seed)
    east, north = (np.array([getattr(one, axis) for one in known]) for axis in ("x_m", "y_m"))
    nearest = np.argsort(np.hypot(east - x_m, north - y_m), kind="stable")[: 2 * n_stations]
    stations = np.sort(rng.permutation(nearest)[:n_stations])
    distance_m = np.maximum(np.hypot(east - x_m, north - y_m)[stations], 100.0)
    slant_m = np.hypot(distance_m, depth_m)
    return LocalEvent(
        kind=kind, number=number, seed=seed, magnitude=magnitude, x_m=x_m, y_m=y_m, depth_m=depth_m, vp_m_s=vp,
        vs_m_s=vs, q_p=q_s * _draw(priors.q_p_over_q_s, rng), q_s=q_s, corner_p_hz=corner_p, corner_s_hz=corner_s,
        overshoot=_draw(priors.overshoot, rng) if is_blast else 0.0,
        s_over_p=_draw(priors.blast_s_over_p, rng) if is_blast else float("nan"),
        ripple_rows=int(rng.integers(priors.ripple_rows[0], priors.ripple_rows[1] + 1)) if is_blast else 1,
        ripple_delay_s=_draw(priors.ripple_delay_s, rng),
        # Normals of faults and slips in all directions alike
        strike_rad=rng.uniform(0, 2 * np.pi), dip_rad=float(np.arccos(rng.uniform(0, 1))),
        rake_rad=rng.uniform(-np.pi, np.pi), rg_level=_draw(priors.rg_level, rng), rg_q=_draw(priors.rg_q, rng),
        rg_m_s=1e3 * _draw(priors.rg_km_s, rng), coda_energy=_draw(priors.coda_energy, rng),
        coda_q=_draw(priors.coda_q, rng), coda_q_power=_draw(priors.coda_q_power, rng),
        snr_db=_draw(priors.snr_db, rng), stations=tuple(int(one) for one in stations), distance_m=distance_m,
        azimuth_rad=np.arctan2(east[stations] - x_m, north[stations] - y_m), p_s=slant_m / vp, s_s=slant_m / vs,
    )  # fmt: skip


@lru_cache(maxsize=8)
def network_of(priors: EventPriors, seed: int) -> tuple[Station, ...]:
    """Return the stations of a network, each keyed by (seed, station); all events of a set share them."""
    return tuple(_station(priors, keyed(seed, _STATION, k)) for k in range(priors.n_stations))


def _station(priors: EventPriors, rng: np.random.Generator) -> Station:
    x_m, y_m = _place(priors, rng)
    return Station(
        x_m=x_m, y_m=y_m, kappa_s=_draw(priors.kappa_s, rng), gain=float(rng.lognormal(0, 0.5)),
        resonance_hz=_draw((1.0, min(8.0, 0.4 * priors.fs_hz)), rng), resonance=rng.uniform(0, 2),
        softness=rng.uniform(0.2, 0.7), background=draw_background(rng),
    )  # fmt: skip


def _quarry(priors: EventPriors, seed: int, rng: np.random.Generator) -> tuple[float, float]:
    """Return the place of one of the quarries; blasts in it are some hundred metres apart."""
    x_m, y_m = _place(priors, keyed(seed, _QUARRY, int(rng.integers(priors.n_quarries))))
    return x_m + rng.normal(0, 300), y_m + rng.normal(0, 300)


def _place(priors: EventPriors, rng: np.random.Generator) -> tuple[float, float]:
    """Return a place in the disc, east and north in m, everywhere alike."""
    radius_m, angle = 1e3 * priors.reach_km * np.sqrt(rng.uniform()), rng.uniform(0, 2 * np.pi)
    return float(radius_m * np.cos(angle)), float(radius_m * np.sin(angle))


def _draw(bounds: Range, rng: np.random.Generator) -> float:
    """Return a value of a range, by its logarithm where it spans a factor of 3 or more."""
    low, high = bounds
    if low > 0 and high >= 3 * low:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))
    return float(rng.uniform(low, high))


def keyed(seed: int, *key: int) -> np.random.Generator:
    """Return the random numbers of one thing, whatever else is drawn."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
