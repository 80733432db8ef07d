"""Coverage where it is worst: over all slabs of what is known of a pick, not only over bins that somebody chose."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import stats

from seisloom.sample import Array

LEAST_SHARE = 0.1
"""Share of the picks that a slab must hold; 0.1 is the delta of Cauchois et al. (2021), sec. 5."""
LEAST_IN_SLAB = 20
"""Fewer picks in the slab say nothing of its coverage."""
N_DIRECTIONS = 200


def worst_slab_coverage(
    inside: Array,
    features: Array,
    groups: Array,
    *,
    rng: np.random.Generator,
    least_share: float = LEAST_SHARE,
    n_directions: int = N_DIRECTIONS,
) -> dict[str, Any]:  # Any: counts and shares
    """Return the coverage in the worst slab a <= v.x <= b that holds enough picks.

    The slab is found on half of the groups and its coverage taken on the other half: the worst of many shares would
    be low by chance alone.

    Args:
        inside: bool, whether each interval covers its truth, shape (pick,).
        features: what coverage may depend on (SNR, offset, width), any units, shape (pick, feature); ranks are used,
            so that no unit and no outlier rules the directions. A pick with NaN is left out.
        groups: label of each pick's shot, shape (pick,).
        rng: draws the halves and the directions v.
        least_share: of the picks that a slab must hold.
        n_directions: directions tried, beside that of each feature alone.
    Returns:
        n picks in the slab of the second half, and their coverage; {"n": 0} where there are too few.
    Source: Cauchois, Gupta & Duchi (2021), JMLR 22(81), eq. 16; parted in halves as in Romano, Sesia & Candes
        (2020), arXiv 2006.02544, sec. S1.2.
    """
    known = np.isfinite(features).all(axis=1)
    inside, features, labels = np.asarray(inside, bool)[known], features[known], np.asarray(groups).astype(str)[known]
    names = np.unique(labels)
    if features.shape[1] == 0 or names.size < 2 or inside.size * least_share < 2 * LEAST_IN_SLAB:
        return {"n": 0}
    place = stats.rankdata(features, axis=0) / len(features)
    first = np.isin(labels, rng.permutation(names)[: names.size // 2])
    drawn = rng.normal(size=(n_directions if place.shape[1] > 1 else 0, place.shape[1]))
    directions = np.concatenate([np.eye(place.shape[1]), drawn / np.linalg.norm(drawn, axis=1, keepdims=True)])
    slabs = []
    for direction in directions:
        along = place[first] @ direction
        order = np.argsort(along, kind="stable")
        start, stop = least_covered_run(inside[first][order], math.ceil(least_share * len(order)))
        run = order[start:stop]
        slabs.append((float(inside[first][run].mean()), direction, along[run[0]], along[run[-1]]))
    _, direction, low, high = min(slabs, key=lambda slab: slab[0])
    along = place[~first] @ direction
    held = inside[~first][(low <= along) & (along <= high)]
    if held.size < LEAST_IN_SLAB:
        return {"n": 0}
    return {"n": int(held.size), "coverage": float(held.mean()), "least_share": least_share}


def least_covered_run(inside: Array, least: int) -> tuple[int, int]:
    """Return start and stop of the run of at least `least` neighbours with the smallest mean.

    Exact, by Dinkelbach's method (1967, Management Science 13, 492-498): of all long enough runs take that with the
    smallest sum of inside - t, set t to its mean, until the sum is no longer below 0.

    >>> least_covered_run(np.array([1, 1, 0, 1, 0, 1, 1]), 3)
    (2, 5)
    """
    values = np.asarray(inside, float)
    start, stop, mean = 0, values.size, float(values.mean())
    while True:
        # Sums up to each place; the best start of a run that ends at j is the largest sum at least `least` before
        total = np.concatenate([[0.0], np.cumsum(values - mean)])
        before = total[: total.size - least]
        largest = np.maximum.accumulate(before)
        gain = total[least:] - largest
        end = int(gain.argmin())
        if gain[end] >= -1e-9 * values.size:
            return start, stop
        start, stop = int(before[: end + 1].argmax()), end + least
        smaller = float(values[start:stop].mean())
        if smaller >= mean:
            return start, stop
        mean = smaller
