"""Where traces are recorded, and when: the spread of a gather and the window of time that is seen of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seisloom.errors import DataError
from seisloom.physics.gathers.draws import log_uniform
from seisloom.physics.gathers.priors import GatherPriors, Kind
from seisloom.sample import Array

SLOW_M_S = 1500.0
"""Velocity that `max_slope` speaks of: about that of water."""


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """The traces of one gather, in the order of their place."""

    kind: Kind
    at_sea: bool
    on_floor: bool
    """Whether receivers stand on the sea floor: waves cross the water once."""
    fs_hz: float
    peak_hz: float
    n_time: int
    start_s: float
    """Time of the first sample after the shot."""
    place: Array
    """Of each trace along the spread, in lengths of it, shape (trace,)."""
    inline_m: Array
    """Receiver less source along the line in m, with its sign, shape (trace,)."""
    crossline_m: float

    @property
    def is_midpoint(self) -> bool:
        """Whether source and receiver lie on either side of a common midpoint."""
        return self.kind in ("cdp", "cdp_nmo")

    @property
    def distance_m(self) -> Array:
        """Distance from source to receiver in m, shape (trace,)."""
        return np.hypot(self.inline_m, self.crossline_m)

    @property
    def end_s(self) -> float:
        """Time after the last sample."""
        return self.start_s + self.n_time / self.fs_hz


def draw_spread(rng: np.random.Generator, priors: GatherPriors, shape: tuple[int, int]) -> Spread:
    """Return the spread of a gather of this shape, (trace, time).

    Raises:
        DataError: if no sampling rate suits any peak frequency of the priors.
    """
    n_traces, n_time = shape
    weights = np.array(priors.kind_weights or [1.0] * len(priors.kinds)).cumsum()
    kind = priors.kinds[int(np.searchsorted(weights, rng.random() * weights[-1], side="right"))]
    at_sea = kind == "marine_shot" or (kind != "land_shot" and rng.random() < 0.6)
    on_floor = kind == "receiver" and at_sea and rng.random() < 0.5
    peak_hz, fs_hz = _draw_rates(rng, priors)
    low, high = priors.spacing_m
    spacing = log_uniform(rng, (low, max(low, min(high, priors.max_slope * SLOW_M_S / fs_hz))))
    place = np.arange(n_traces) * 1.0
    if rng.random() < priors.share_irregular:
        place += log_uniform(rng, priors.jitter) * rng.standard_normal(n_traces)
        place.sort()
    # The source: beyond one end, or for land shots and receivers anywhere along the spread
    is_split = kind == "land_shot" or (kind == "receiver" and rng.random() < 0.5)
    if is_split and rng.random() < 0.75:
        first = -spacing * (n_traces * rng.random() + 0.5 * float(rng.integers(2)))
    else:
        first = float(rng.uniform(*priors.near_offset_m))
        if rng.random() < priors.share_far:
            first += spacing * n_traces * rng.uniform(0.1, 2.0)
    inline = first + place * spacing * (2.0 if kind in ("cdp", "cdp_nmo") else 1.0)
    crossline = log_uniform(rng, priors.crossline_m) if rng.random() < priors.share_crossline else 0.0
    window_s = n_time / fs_hz
    from_shot = rng.random() < priors.share_from_shot
    last_start = max(rng.uniform(*priors.record_s) - window_s, 0.0)
    return Spread(
        kind=kind, at_sea=at_sea, on_floor=on_floor, fs_hz=fs_hz, peak_hz=peak_hz, n_time=n_time,
        start_s=0.0 if from_shot else last_start * rng.random(), place=place / max(n_traces - 1, 1), inline_m=inline,
        crossline_m=crossline,
    )  # fmt: skip


def _draw_rates(rng: np.random.Generator, priors: GatherPriors) -> tuple[float, float]:
    """Return peak frequency and sampling rate in Hz that suit each other."""
    bounds = {
        rate: (
            max(priors.cycles_a_sample[0], priors.peak_hz[0] / rate),
            min(priors.cycles_a_sample[1], priors.peak_hz[1] / rate),
        )
        for rate in priors.fs_hz
    }
    suits = [rate for rate, (low, high) in bounds.items() if low <= high]
    if not suits:
        raise DataError(
            f"no peak of {list(priors.peak_hz)} Hz is {list(priors.cycles_a_sample)} of a sampling rate of "
            f"{list(priors.fs_hz)} Hz; widen peak_hz, fs_hz or cycles_a_sample"
        )
    fs_hz = suits[int(rng.integers(len(suits)))]
    return fs_hz * log_uniform(rng, bounds[fs_hz]), fs_hz
