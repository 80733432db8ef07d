"""What all models say together: Vs over depth with intervals, Vs30, and what was assumed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seisloom.sample import Array
from seisloom.tasks.dispersion.invert.fit import ln_c_of
from seisloom.tasks.dispersion.invert.layering import Layering
from seisloom.tasks.dispersion.invert.observed import Observed

N_DEPTHS = 100
QUANTILES = (5.0, 50.0, 95.0)
"""In per cent."""
N_EXPLAINED = 100
"""Models of each layering whose curves are computed again."""
AGREED = 1.2
"""Largest R-hat of chains that are said to agree; 1.1 is usual, for means of single parameters."""
POOR = 2.0
"""A misfit, in standard errors, that says that no layering explains the curves."""


@dataclass(frozen=True, slots=True)
class LayeringResult:
    """How one layering fared."""

    name: str
    n_layers: int
    """Without the half-space."""
    best_misfit: float
    """Root mean square of residuals in standard errors; see `fit.misfit`."""
    median_misfit: float
    r_hat: float
    """The largest over depths of ln Vs; far above 1, the chains did not agree and steps are too few."""
    is_pooled: bool


@dataclass(frozen=True, slots=True, eq=False)
class VsProfile:
    """Vs over depth; arrays over depth are (depth,)."""

    depth_top_m: Array
    depth_bottom_m: Array
    vs_median_m_s: Array
    vs_low_m_s: Array
    """5 % of models are slower."""
    vs_high_m_s: Array
    """5 % of models are faster."""
    vs30_m_s: tuple[float, float, float]
    """Low, median and high."""
    observed: Observed
    explained_m_s: Array
    """(3, observation), 5, 50 and 95 % of phase velocities of the pooled models."""
    layerings: tuple[LayeringResult, ...]
    notes: tuple[str, ...]


def summarise(
    pooled: Sequence[tuple[Layering, Array]], layerings: Sequence[LayeringResult], seen: Observed
) -> VsProfile:
    """Return the profile of pooled points, (point, parameter) of each layering, to half the longest wavelength."""
    deepest = float(seen.wavelength_m.max()) / 2
    edges = np.linspace(0, deepest, N_DEPTHS + 1)
    middle = (edges[1:] + edges[:-1]) / 2
    models, vs30, explained = [], [], []
    for layering, points in pooled:
        for point in points:
            depth, vs, _ = layering.split(point)
            models.append(vs[np.searchsorted(depth, middle)])
            vs30.append(_vs30(depth, vs))
        few = points[np.linspace(0, len(points) - 1, min(N_EXPLAINED, len(points))).astype(int)]
        explained += [np.exp(ln_c_of(layering, point, seen)) for point in few]
    low, median, high = np.percentile(models, QUANTILES, axis=0)
    mean30 = tuple(float(one) for one in np.percentile(vs30, QUANTILES))
    return VsProfile(
        edges[:-1], edges[1:], median, low, high, (mean30[0], mean30[1], mean30[2]), seen,
        np.percentile(explained, QUANTILES, axis=0), tuple(layerings), tuple(_notes(pooled[0][0], layerings, deepest)),
    )  # fmt: skip


def _vs30(depth_m: Array, vs_m_s: Array) -> float:
    """Return 30 m over the time S waves take through them, as `LayeredMedium.vs30_m_s`."""
    tops = np.minimum(np.append(0.0, depth_m), 30.0)
    return float(30.0 / np.sum(np.diff(np.append(tops, 30.0)) / vs_m_s))


def _said(table: str | tuple[float, float]) -> str:
    if isinstance(table, str):
        return {"unknown": "not known: anywhere, or below what the curves reach", "dry": "deeper than all"}[table]
    return f"at {table[0]:g} m" if table[0] == table[1] else f"at {table[0]:g} to {table[1]:g} m"


def _notes(layering: Layering, results: Sequence[LayeringResult], deepest: float) -> list[str]:
    ground = layering.ground
    low, high = ground.poisson
    notes = [
        f"Poisson's ratio {low:g}" if low == high else f"Poisson's ratio {low:g} to {high:g}, one value a model",
        f"water table {_said(ground.water_table_m)}, vp 1500 m/s or more below",
        "density 310 vp^0.25" if ground.density_kg_m3 is None else f"density {ground.density_kg_m3:g} kg/m3",
        f"softer layers below stiffer ones are held for unlikely (ln Vs falls by {ground.fall:g} on average)",
    ]
    if deepest < 30:
        notes.append(
            f"the curves reach {deepest:.3g} m: Vs30 goes on below with the half-space, which nothing confirms"
        )
    if (best := min(one.best_misfit for one in results)) > POOR:
        notes.append(
            f"no layering explains the curves: the best misfit is {best:.2g} standard errors. Look for picks on other "
            "modes, and for intervals that are too narrow"
        )
    notes += [
        f"{one.name}: chains do not agree (R-hat {one.r_hat:.2f}); take more steps"
        for one in results
        if one.is_pooled and one.r_hat > AGREED
    ]
    notes += [f"{one.name}: left out, it explains the curves worse" for one in results if not one.is_pooled]
    return notes
