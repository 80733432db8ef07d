"""Synthetic refraction surveys with known onsets: land spreads and ocean-bottom stations, one shot at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from seisloom.config import Config
from seisloom.physics.survey_arrivals import body_waves, reverberate, scattered_coda, surface_waves
from seisloom.physics.survey_medium import Line, draw_line, first_arrivals
from seisloom.physics.survey_noise import draw_noise
from seisloom.sample import Array

Share = Annotated[float, Field(ge=0, le=1)]
Range = tuple[float, float]

# What differs at sea: an airgun line over a few ocean-bottom stations, as in CASIE21 (MGL2104): 5-15 Hz at 100 Hz.
OBS_DEFAULTS: dict[str, Any] = {  # Any: values of the fields below
    "n_stations": 8,
    "n_shots": 200,
    "station_spacing_m": (2_000.0, 8_000.0),
    "shot_spacing_m": (100.0, 300.0),
    "fs_hz": (100.0, 125.0, 200.0),
    "record_s": 12.0,
    "delay_s": (0.0,),
    "peak_hz": (5.0, 14.0),
    "pick_error_s": 0.01,
}


class SurveyConfig(Config):
    """A synthetic survey; every range is drawn from once a geometry, log-uniform where it spans a scale."""

    kind: Literal["land", "obs"] = "land"
    """A land spread of geophones, or a line of airgun shots over ocean-bottom stations. It sets other defaults too."""
    seed: Annotated[int, Field(ge=0)] = 0
    """All draws are keyed by (seed, geometry, shot)."""
    n_geometries: Annotated[int, Field(ge=1)] = 10
    """Number of lines, each over ground of its own."""
    n_stations: Annotated[int, Field(ge=1)] = 48
    """Number of receivers a line."""
    n_shots: Annotated[int, Field(ge=1)] = 20
    """Number of shots a line, before any goes missing."""
    station_spacing_m: Range = (1.0, 6.0)
    """Smallest and largest distance of neighbouring stations in m."""
    shot_spacing_m: Range | None = None
    """Smallest and largest distance of neighbouring shots in m; None spreads them over the line and 15 % beyond."""
    fs_hz: tuple[float, ...] = (2000.0, 4000.0)
    """Sampling rates in Hz, one of which a line has."""
    record_s: Annotated[float, Field(gt=0)] = 0.4
    """Length of a record in s."""
    delay_s: tuple[float, ...] = (0.0, 0.0, 0.0, -0.02, -0.1, 0.005)
    """Delay recording times in s, one of which a line has: the time of sample 0 after the shot."""
    peak_hz: Range = (28.0, 200.0)
    """Bounds of the frequency of the first arrival near the source, in Hz; a land line's suits its travel times."""
    snr_db: Range = (-2.0, 45.0)
    """Smallest and largest SNR of a shot in dB, at the median offset; that of its traces falls with the offset."""
    noise: Annotated[float, Field(ge=0)] = 1.0
    """Factor on all noise and offset of the recorder; 0 writes noise-free traces."""
    share_dead: Share = 0.01
    """Share of traces that are a constant or noise alone, as from a geophone that is not connected."""
    share_reversed: Share = 0.02
    """Share of stations whose polarity is reversed."""
    share_missing: Share = 0.02
    """Share of traces that are not in the files, half of them because the whole shot is missing."""
    share_no_arrival: Share = 0.01
    """Share of shots that did not fire, of which noise was recorded."""
    share_unpicked: Share = 0.05
    """Share of traces with an arrival that nobody picked, besides those that are too noisy."""
    unpicked_below_db: float = -2.0
    """SNR in dB at which half of the arrivals are too noisy to pick."""
    pick_error_s: Annotated[float, Field(ge=0)] = 0.0004
    """Standard deviation in s of a pick on a clean trace; it grows as the noise does."""

    @model_validator(mode="before")
    @classmethod
    def _defaults_at_sea(cls, values: Any) -> Any:  # Any: whatever stands in the recipe
        if isinstance(values, Mapping) and values.get("kind") == "obs":
            return {**OBS_DEFAULTS, **values}
        return values

    @field_validator("fs_hz", "delay_s", mode="before")
    @classmethod
    def _one_is_a_list_of_one(cls, value: Any) -> Any:  # Any: whatever stands in the recipe
        return (value,) if isinstance(value, int | float) else value

    @model_validator(mode="after")
    def _ranges_rise(self) -> SurveyConfig:
        for name in ("station_spacing_m", "shot_spacing_m", "peak_hz"):
            bounds = getattr(self, name)
            if bounds is not None and not 0 < bounds[0] <= bounds[1]:
                raise ValueError(f"{name} is {list(bounds)}; it needs 0 < smallest <= largest")
        if self.snr_db[0] > self.snr_db[1]:
            raise ValueError(f"snr_db is {list(self.snr_db)}; it needs smallest <= largest")
        if not self.fs_hz or not self.delay_s or min(self.fs_hz) <= 2.5 * self.peak_hz[1]:
            raise ValueError(f"fs_hz is {list(self.fs_hz)}; it needs rates above 2.5 * {self.peak_hz[1]} Hz (peak_hz)")
        if any(abs(1e6 / rate - round(1e6 / rate)) > 1e-6 for rate in self.fs_hz):
            raise ValueError(
                f"fs_hz is {list(self.fs_hz)}; SEG-Y holds whole microseconds: use rates that divide 1e6 Hz"
            )
        return self


@dataclass(frozen=True, slots=True)
class Shot:
    """One shot as recorded by all stations of its line, and the truth about it. Axes (station,) or (station, time)."""

    traces: Array
    """Amplitudes, float32, shape (station, time); unit and gain are those of the line's recorder."""
    onset_s: Array
    """Exact time of the first arrival in s after the shot; NaN where there is none in the record."""
    pick_time_s: Array
    """What an analyst read: the onset with an error, in s after the shot; NaN where nothing was picked."""
    pick_uncertainty_s: Array
    """Standard deviation of that error in s; NaN where nothing was picked."""
    status: Array
    """picked, unpicked (an arrival that nobody read) or no_arrival."""
    snr_db: Array
    """RMS of the signal alone in two periods after the onset, over RMS of the noise alone; NaN without an onset."""
    branch: Array
    """Layer along whose top the first arrival came; 0 is the direct wave, -1 none."""
    recorded: Array
    """False where the trace is not in the files."""
    polarity: Array
    """-1 where the station is reversed, else 1."""
    offset_m: Array
    """Distance from source to receiver in m."""
    source_xy_m: tuple[float, float]
    """Place of the source in m."""


def line_of(config: SurveyConfig, geometry: int) -> Line:
    """Return the ground, the stations and the recorder of a line, keyed by (seed, geometry)."""
    rng = np.random.default_rng(np.random.SeedSequence(config.seed, spawn_key=(0, geometry)))
    return draw_line(
        rng,
        kind=config.kind,
        n_stations=config.n_stations,
        n_shots=config.n_shots,
        station_spacing_m=config.station_spacing_m,
        shot_spacing_m=config.shot_spacing_m,
        fs_hz=config.fs_hz,
        record_s=config.record_s,
        delay_s=config.delay_s,
        peak_hz=config.peak_hz,
        share_reversed=config.share_reversed,
    )


def synthesise_shot(config: SurveyConfig, geometry: int, shot: int, *, line: Line | None = None) -> Shot:
    """Return one shot of a survey, the same whether made alone or with all others.

    Args:
        config: the survey.
        geometry, shot: which shot, both from 0.
        line: `line_of(config, geometry)`, where the caller has it already.
    Returns:
        The record; all parts of the signal are causal, so that a noise-free trace is exactly 0 before its onset.
    """
    line = line_of(config, geometry) if line is None else line
    rng = np.random.default_rng(np.random.SeedSequence(config.seed, spawn_key=(1, geometry, shot)))
    arrivals = first_arrivals(line, shot, rng)
    n_stations = len(line.station_x_m)
    fired = rng.random() >= config.share_no_arrival
    dead = rng.random(n_stations) < config.share_dead

    signal = body_waves(line, arrivals, rng)
    signal = reverberate(line, signal)
    signal += scattered_coda(line, arrivals, rng)
    signal += surface_waves(line, arrivals, rng)
    signal *= (line.coupling * rng.lognormal(0.0, 0.15, n_stations) * line.polarity)[:, None]

    level = _level_after_onset(line, signal, arrivals.onset_s)
    reference = np.median(level[level > 0]) if (level > 0).any() else 1.0
    noise = draw_noise(line, arrivals, rng) * (config.noise * reference * 10 ** (-rng.uniform(*config.snr_db) / 20))
    has_signal = fired & ~dead & (level > 0)
    signal[~(fired & ~dead)] = 0.0
    noise[dead] *= rng.choice([0.0, 0.0, 1.0], (n_stations, 1))[dead]
    with np.errstate(divide="ignore", invalid="ignore"):
        snr_db = 20 * np.log10(level / np.sqrt(np.mean(noise**2, axis=-1)))
    snr_db = np.where(has_signal, snr_db, np.nan)
    pick, uncertainty = _read_by_an_analyst(config, line, arrivals.onset_s, snr_db, rng)
    return Shot(
        traces=_recorded_by_the_instrument(config, line, signal, noise, rng),
        onset_s=np.where(has_signal, arrivals.onset_s, np.nan),
        pick_time_s=pick,
        pick_uncertainty_s=uncertainty,
        status=np.where(has_signal, np.where(np.isfinite(pick), "picked", "unpicked"), "no_arrival"),
        snr_db=snr_db,
        branch=np.where(has_signal, arrivals.branch, -1),
        recorded=_recorded(config, n_stations, rng),
        polarity=line.polarity.astype(np.int8),
        offset_m=arrivals.offset_m,
        source_xy_m=(float(line.shot_x_m[shot]), float(line.shot_y_m[shot])),
    )


def _level_after_onset(line: Line, signal: Array, onset_s: Array) -> Array:
    """Return the RMS in two periods after the onset, shape (station,); 0 where they are not in the record."""
    n_window = max(2, round(2 / line.peak_hz * line.fs_hz))
    first = np.ceil((onset_s - line.delay_s) * line.fs_hz).astype(np.intp)
    inside = (first >= 0) & (first + n_window <= line.n_time)
    idx = np.where(inside, first, 0)[:, None] + np.arange(min(n_window, line.n_time))
    rms = np.sqrt(np.mean(np.take_along_axis(signal, idx, axis=-1) ** 2, axis=-1))
    return np.where(inside, rms, 0.0)


def _read_by_an_analyst(
    config: SurveyConfig, line: Line, onset_s: Array, snr_db: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return picks and their uncertainty in s, NaN where there is no arrival, or none that one would pick."""
    n = len(onset_s)
    too_noisy = rng.random(n) < 1 / (1 + 10 ** (np.clip(snr_db - config.unpicked_below_db, -60, 60) / 4))
    unpicked = ~np.isfinite(onset_s + snr_db) & ~(snr_db == np.inf)
    unpicked |= too_noisy | (rng.random(n) < config.share_unpicked)
    # On a clean trace the error is the analyst's; where noise is as strong as the signal, a quarter of a period.
    noise_part = 0.25 / line.peak_hz * 10 ** (-np.where(unpicked, 0.0, snr_db) / 20)
    uncertainty = np.hypot(config.pick_error_s, noise_part)
    error = np.clip(rng.standard_normal(n), -3, 3) * uncertainty if config.pick_error_s > 0 else np.zeros(n)
    pick = np.maximum(onset_s + error, line.delay_s)
    return np.where(unpicked, np.nan, pick), np.where(unpicked, np.nan, uncertainty)


def _recorded(config: SurveyConfig, n_stations: int, rng: np.random.Generator) -> Array:
    """Return which stations have this shot in their file; half of what is missing is missing at all of them."""
    whole_shot_is_there = rng.random() >= config.share_missing / 2
    return whole_shot_is_there & (rng.random(n_stations) >= config.share_missing / 2)


def _recorded_by_the_instrument(
    config: SurveyConfig, line: Line, signal: Array, noise: Array, rng: np.random.Generator
) -> Array:
    """Return signal and noise in the recorder's unit, with its offset, and cut where it is overdriven."""
    traces = signal + noise
    rms = np.sqrt(np.mean(noise**2, axis=-1, keepdims=True))
    traces += rms * line.recorder_offset * rng.standard_normal((len(traces), 1))
    if line.overdriven_at is not None and config.noise > 0:
        bound = line.overdriven_at * np.abs(traces).max()
        np.clip(traces, -bound, bound, out=traces)
    return np.asarray(traces * line.gain, dtype=np.float32)
