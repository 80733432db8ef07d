"""Who records a surface wave: a line of receivers, the shots at its ends, and what the source sends out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from seisloom.config import Config
from seisloom.errors import DataError
from seisloom.physics.surface_waves.priors import within
from seisloom.physics.wavelets import blow_spectrum, ormsby_spectrum, ricker_spectrum
from seisloom.sample import Array

Range = tuple[float, float]
Corners = tuple[float, float, float, float]
Geometry = Literal["regular", "irregular", "random"]
SourceKind = Literal["hammer", "ricker", "ormsby"]
SEED_CORNERS_HZ: Corners = (2.0, 4.0, 38.0, 40.0)
"""Of the Ormsby wavelet of the first label generator for dispersion pickers."""
CLOSEST_M = 0.01
"""Receivers nearer to each other than this are taken for one that is listed twice."""


class ArrayPrior(Config):
    """Ranges that lines of receivers and their shots are drawn from; [smallest, largest] each."""

    n_receivers: Annotated[tuple[int, int], within(2, 10_000)] = (12, 48)
    """Number of receivers."""
    spacing_m: Annotated[Range, within(0.05, 1e4)] = (0.5, 4.0)
    """Mean distance between neighbouring receivers in m, log-uniform."""
    geometries: Annotated[tuple[Geometry, ...], Field(min_length=1)] = ("regular", "irregular", "random")
    """Ways to place receivers, drawn equally often: at equal distances; off those places by `irregularity`; anywhere
    on the line, though a quarter of the mean distance apart, with one at each end."""
    irregularity: Annotated[Range, within(0.0, 0.45)] = (0.02, 0.3)
    """Largest distance of a receiver from its place in an irregular line, as a share of the spacing."""
    first_offset_m: Annotated[Range, within(0.0, 1e5)] = (1.0, 30.0)
    """Distance in m from a shot to the nearest end of the line; 0 is a shot at the first receiver."""
    shots: Literal["before", "behind", "either", "both"] = "either"
    """Where the shots are: before the first receiver, behind the last, at one of the two, or one shot at each."""


@dataclass(frozen=True, slots=True, eq=False)
class LinearArray:
    """Receivers along a line, and one shot on the same line."""

    receiver_x_m: Array
    """(receiver,), positions along the line in m, in any order."""
    source_x_m: float
    """Position of the shot along the line in m."""

    def __post_init__(self) -> None:
        """Take lists too.

        Raises:
            DataError: if there are fewer than two receivers, two at one place, or a position is not finite.
        """
        x = np.asarray(self.receiver_x_m, dtype=np.float64)
        object.__setattr__(self, "receiver_x_m", x)
        if x.ndim != 1 or len(x) < 2:
            raise DataError(f"receiver_x_m has shape {x.shape}; a line needs positions (receiver,) of at least 2")
        if (wrong := np.flatnonzero(~np.isfinite(x))).size:
            raise DataError(f"receiver {int(wrong[0])} is at {x[wrong[0]]} m; each needs a position")
        if not np.isfinite(self.source_x_m):
            raise DataError(f"the source is at {self.source_x_m} m; it needs a position")
        order = np.argsort(x, kind="stable")
        if (close := np.flatnonzero(np.diff(x[order]) < CLOSEST_M)).size:
            one, other = sorted(int(i) for i in order[close[0] : close[0] + 2])
            raise DataError(
                f"receivers {one} and {other} are both at {x[one]:g} m, or less than {CLOSEST_M:g} m apart; stack "
                "their traces or leave one out"
            )

    def __len__(self) -> int:
        return len(self.receiver_x_m)

    @property
    def offsets_m(self) -> Array:
        """Distance from the shot to each receiver in m, (receiver,), from 0."""
        return np.abs(self.receiver_x_m - self.source_x_m)

    @property
    def length_m(self) -> float:
        """Distance between the outermost receivers in m; wavenumbers closer than 2 pi over it are seen as one."""
        return float(np.ptp(self.receiver_x_m))

    @property
    def spacing_m(self) -> float:
        """Mean distance between neighbouring receivers in m."""
        return self.length_m / (len(self) - 1)


def draw_arrays(prior: ArrayPrior, rng: np.random.Generator) -> tuple[LinearArray, ...]:
    """Return one line of receivers with each of its shots: two with `shots: both`, else one; the line begins at 0 m."""
    n = int(rng.integers(prior.n_receivers[0], prior.n_receivers[1] + 1))
    spacing = float(np.exp(rng.uniform(*np.log(prior.spacing_m))))
    geometry = prior.geometries[int(rng.integers(len(prior.geometries)))]
    x = np.arange(n) * spacing
    if geometry == "irregular":
        x = x + rng.uniform(-1, 1, n) * rng.uniform(*prior.irregularity) * spacing
    if geometry == "random":
        least = 0.25 * spacing
        inner = np.sort(rng.uniform(0, (n - 1) * (spacing - least), n - 2))
        x = np.concatenate([[0.0], inner, [(n - 1) * (spacing - least)]]) + np.arange(n) * least
    x = np.round(x - x[0], 6)
    off = rng.uniform(*prior.first_offset_m, 2)
    ends = (-float(off[0]), float(x[-1] + off[1]))
    if prior.shots == "both":
        return LinearArray(x, ends[0]), LinearArray(x, ends[1])
    side = {"before": 0, "behind": 1, "either": int(rng.integers(2))}[prior.shots]
    return (LinearArray(x, ends[side]),)


class SourcePrior(Config):
    """Ranges that the spectrum of a source is drawn from; [smallest, largest] each."""

    kinds: Annotated[tuple[SourceKind, ...], Field(min_length=1)] = ("hammer", "ricker", "ormsby")
    """Kinds of sources, drawn equally often: the blow of a hammer, a Ricker wavelet, an Ormsby wavelet."""
    contact_s: Annotated[Range, within(1e-4, 0.1)] = (0.005, 0.02)
    """For how long a hammer pushes, in s; it sends little above the inverse of that."""
    peak_hz: Annotated[Range, within(0.1, 1000.0)] = (10.0, 40.0)
    """Frequency of the largest amplitude of the Ricker wavelet in Hz."""
    corners_hz: Corners = SEED_CORNERS_HZ
    """Corners of the Ormsby wavelet's spectrum in Hz."""

    @model_validator(mode="after")
    def _corners_rise(self) -> SourcePrior:
        low, flat, end, high = self.corners_hz
        if not 0 <= low < flat <= end < high:
            raise ValueError(f"corners_hz is {list(self.corners_hz)}; write 0 <= first < second <= third < fourth")
        return self


@dataclass(frozen=True, slots=True)
class Source:
    """What a source sends out; of the numbers only those of its kind are looked at."""

    kind: SourceKind = "ormsby"
    contact_s: float = 0.01
    peak_hz: float = 20.0
    corners_hz: Corners = SEED_CORNERS_HZ

    def spectrum(self, frequency_hz: Array) -> Array:
        """Return the spectrum with a largest amplitude of 1, complex128 of the same shape."""
        if self.kind == "hammer":
            values = blow_spectrum(frequency_hz, contact_s=self.contact_s)
        elif self.kind == "ricker":
            values = ricker_spectrum(frequency_hz, peak_hz=self.peak_hz)
        else:
            values = ormsby_spectrum(frequency_hz, corners_hz=self.corners_hz)
        return np.asarray(values, dtype=np.complex128)


def draw_source(prior: SourcePrior, rng: np.random.Generator) -> Source:
    """Return a source; the values of all kinds are drawn, so that the kinds allowed do not change what follows."""
    return Source(
        contact_s=float(rng.uniform(*prior.contact_s)),
        peak_hz=float(rng.uniform(*prior.peak_hz)),
        corners_hz=prior.corners_hz,
        kind=prior.kinds[int(rng.integers(len(prior.kinds)))],
    )
