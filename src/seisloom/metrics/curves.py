"""Scores of picked dispersion curves against true ones: by mode, with what was left out and what was invented."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from seisloom.metrics.intervals import aurc, covered
from seisloom.metrics.picks import bootstrap_mean
from seisloom.sample import Array

Scores: TypeAlias = dict[str, Any]  # Any: JSON values, None where a number is not defined
NEAR, NEARLY = 0.03, 0.05
"""Largest relative errors of a hit: the one that is looked at first, and a wider one."""
BY_LENGTH = (0.0, 0.25, 0.5, 1.0, 2.0, np.inf)
"""Edges of wavelengths over the array's length."""
UNKNOWN = "array not known"
"""Where a length of the array would stand."""


def column_of(level: float) -> str:
    """Return the name of the column with half the width of ln velocity at a coverage; only evaluation has them.

    >>> column_of(0.9)
    'half_90'
    """
    return f"half_{round(100 * level)}"


def score_curves(
    table: Any, *, levels: tuple[float, ...], n_modes: int, length_edges: Sequence[float] = (), seed: int = 0
) -> Scores:  # Any: pandas
    """Return the scores of a table of picks with truth, by mode and of all modes together.

    Recall is the share of visible points (in the window, excited and heard above noise) that are picked with a relative
    error of at most 3 %, so that a picker gains nothing by abstaining. A pick where the mode does not exist is a false
    one; a pick that misses its own mode by more than 3 % and lies within 3 % of another mode's true curve is swapped.
    Coverage is of all picks whose mode exists, together and by the picked wavelength, as intervals are calibrated: what
    holds of all waves may fail of those that are longer than the array. Each `..._interval` is a 95 % bootstrap
    interval over media.

    Args:
        table: columns record, medium, mode, frequency_hz, velocity_m_s, low_m_s, high_m_s, sigma, picked_lengths,
            status, truth_m_s, visible, resolved, lengths, and half_<level>; a row for each mode and frequency of a
            record.
        levels: nominal coverages with a column `half_...`.
        n_modes: that are scored.
        length_edges: between the ranges of picked wavelengths over the array's length, rising.
        seed: of the bootstrap.
    """
    other = _nearest_other(table)
    parts = {f"mode {m}": table["mode"].to_numpy() == m for m in range(n_modes)}
    parts["all modes"] = table["mode"].to_numpy() < n_modes
    return {
        name: _score(table[rows], other[rows], levels, length_edges, seed)
        for name, rows in parts.items() if rows.any()
    }  # fmt: skip


def _score(
    table: Any, other: Array, levels: tuple[float, ...], length_edges: Sequence[float], seed: int
) -> Scores:  # Any: a pandas table
    truth, velocity = (table[name].to_numpy(float) for name in ("truth_m_s", "velocity_m_s"))
    visible, resolved = (table[name].to_numpy(bool) for name in ("visible", "resolved"))
    picked, exists = (table["status"] == "picked").to_numpy(), np.isfinite(truth)
    with np.errstate(invalid="ignore"):
        error = np.where(exists, velocity / truth - 1, np.nan)
        size = np.abs(error)
        hit, hit_wide = picked & (size <= NEAR), picked & (size <= NEARLY)
    media = table["medium"].to_numpy(str)
    both = picked & exists
    swapped = both & ~(size <= NEAR) & (other <= NEAR)
    sure = visible & resolved
    low, high = (table[name].to_numpy(float) for name in ("low_m_s", "high_m_s"))
    lengths, picked_lengths = (table[name].to_numpy(float) for name in ("lengths", "picked_lengths"))
    miss = np.abs(np.log(velocity / np.where(exists, truth, np.nan)))
    half = {f"{100 * level:g}": table[column_of(level)].to_numpy(float) for level in levels}
    inside = {name: miss <= one for name, one in half.items() if np.isfinite(one[both]).any()}
    width = (high - low) / velocity
    bounded = both & np.isfinite(low)
    return {
        "n": {"visible": int(visible.sum()), "resolved": int(sure.sum()), "picked": int(picked.sum())},
        "recall": _share(hit, visible), "recall_interval": _interval(hit, visible, media, seed),
        "recall_5": _share(hit_wide, visible),
        "recall_resolved": _share(hit, sure), "recall_resolved_interval": _interval(hit, sure, media, seed),
        "false_share": _share(~exists, picked),
        "within_3": _share(hit, both), "within_5": _share(hit_wide, both),
        "swap_share": _share(swapped, picked), "swap_interval": _interval(swapped, picked, media, seed),
        "median_error": _quantile(size[both], 0.5), "p90_error": _quantile(size[both], 0.9),
        "bias": _quantile(error[both], 0.5),
        **_coverage(inside, both, media, seed),
        "coverage_by_length": {
            name: {"n": int(here.sum()), "median_width": _quantile(width[here & bounded], 0.5),
                   **_coverage(inside, here, media, seed)}
            for name, where in _ranges(picked_lengths, length_edges).items()
            if inside and (here := both & where).any()
        },
        "covered": _share(covered(truth, low, high), bounded),
        "median_width": _quantile(width[bounded], 0.5),
        "aurc": float(aurc(size[both], table["sigma"].to_numpy(float)[both])) if both.any() else None,
        "by_length": {
            f"{a:g} to {b:g}": {"n": int(here.sum()), "recall": _share(hit, here)}
            for a, b in pairwise(BY_LENGTH)
            if (here := visible & (lengths >= a) & (lengths < b)).any()
        },
    }  # fmt: skip


def _coverage(inside: Mapping[str, Array], among: Array, media: Array, seed: int) -> Scores:
    """Return by level the share of picks whose interval holds the truth, and the interval of that share."""
    return {
        "coverage": {level: _share(one, among) for level, one in inside.items()},
        "coverage_interval": {level: _interval(one, among, media, seed) for level, one in inside.items()},
    }


def _ranges(lengths: Array, edges: Sequence[float]) -> dict[str, Array]:
    """Return which picks are in each range of wavelengths over the array's length, each with its lower edge."""
    number = np.where(np.isnan(lengths), -1, np.searchsorted(edges, lengths, side="right"))
    names = [f"{a:g} to {b:g}" for a, b in pairwise((0.0, *edges, np.inf))]
    return {name: number == k for name, k in (*zip(names, range(len(names)), strict=True), (UNKNOWN, -1))}


def _nearest_other(table: Any) -> Array:  # Any: a pandas table
    """Return the relative distance of each pick to the nearest true curve of another mode; inf where there is none."""
    found = np.full(len(table), np.inf)
    for rows in table.groupby(["record", "frequency_hz"], sort=False).indices.values():
        velocity, truth = (table[name].to_numpy(float)[rows] for name in ("velocity_m_s", "truth_m_s"))
        distance = np.abs(velocity[:, None] / truth[None] - 1)
        np.fill_diagonal(distance, np.inf)
        found[rows] = np.nan_to_num(distance, nan=np.inf).min(axis=1)
    return found


def _share(wanted: Array, among: Array) -> float | None:
    return float(wanted[among].mean()) if among.any() else None


def _quantile(values: Array, q: float) -> float | None:
    return float(np.quantile(values, q)) if values.size else None


def _interval(wanted: Array, among: Array, media: Array, seed: int) -> list[float] | None:
    """Return the 95 % bootstrap interval of a share over media; None with fewer than two."""
    if len(set(media[among].tolist())) < 2:
        return None
    ends = bootstrap_mean(wanted[among].astype(float), media[among], rng=np.random.default_rng(seed))
    return [float(one) for one in ends]
