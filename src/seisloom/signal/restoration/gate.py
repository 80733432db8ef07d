"""The gate: methods blended place by place by how well each fills traces that were hidden there.

Methods fail at different places, and err in different directions: the weights that minimise the energy of the blend's
error on hidden traces are at least as good there as the best single method. What is judged best by other hidden
traces is often another method than what fills missing ones best: a blend loses less by that than a choice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.optimize import nnls

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.restoration.panel import Restore, checked, put_back
from seisloom.signal.restoration.search import hidden_snr_db

WIDTH = (12.0, 40.0)
"""Traces and samples of the Gaussian over which errors are summed: the size of the places that have weights."""
SILENT = 1e-3
"""Least energy of hidden traces, as a share of the usual one: where there is next to nothing no method is judged."""
PRIOR = 0.3
"""Share of the whole panel's errors among those of a place, which has few hidden traces."""


@dataclass(frozen=True, slots=True)
class Gated:
    """A panel restored by several methods."""

    values: Array
    weights: Array
    """Of each method, (method, trace, time), in 0..1 and 1 in sum; in the order of `names`."""
    names: tuple[str, ...]
    snr_db: float
    """To expect, from hidden traces that had no part in choosing the weights; see `search.Found`."""
    spread_db: float
    """Standard deviation over hidings; NaN with one of them."""
    scores: Mapping[str, float]
    """SNR on hidden traces of each method alone, in dB."""


def gate(values: Array, is_live: Array, methods: Mapping[str, Restore], hidden: Sequence[Array]) -> Gated:
    """Return a panel filled by a blend of methods.

    Each method fills the panel once for each hiding, and once as it is.

    Args:
        values, is_live: see `panel`.
        methods: by name, with their parameters chosen, the simplest first: with equal errors it is taken.
        hidden: what is hidden in turn, from `hidden.hidings`; all count alike, loud or not. A blend chosen by all but
            one is judged by that one; with a single hiding it is judged by what chose it.
    Raises:
        DataError: see `panel.checked`; or there are too few methods or hidings, or a method gives what is not finite.
    Source: stacking by non-negative least squares, Breiman (1996), Machine Learning 24, 49-64.
    """
    if not methods or not hidden:
        raise DataError(f"{len(methods)} methods and {len(hidden)} hidings: a gate needs one of each at least")
    x, live = checked(values, is_live)
    names = tuple(methods)
    tried = [np.stack([_run(name, methods[name], x, live & ~hide) for name in names]) for hide in hidden]
    asked = list(zip(tried, hidden, strict=True))
    errors = [_products(filled - x, hide) / _energy(x, live, hide) for filled, hide in asked]
    alone = np.array([[hidden_snr_db(x, one, hide) for one in filled] for filled, hide in asked])
    expected = np.empty(len(hidden))
    for k, hide in enumerate(hidden):
        others = _weights(_sum(errors[:k] + errors[k + 1 :] or errors), x.shape)
        expected[k] = hidden_snr_db(x, _blend(others, tried[k]), hide)
    weights = _weights(_sum(errors), x.shape)
    final = np.stack([_run(name, methods[name], x, live) for name in names])
    restored = put_back(_blend(weights, final), x, live)
    scores = dict(zip(names, alone.mean(axis=0).tolist(), strict=True))
    spread = float(expected.std(ddof=1)) if len(hidden) > 1 else float("nan")
    return Gated(restored, weights, names, float(expected.mean()), spread, scores)


def _run(name: str, restore: Restore, x: Array, live: Array) -> Array:
    restored = restore(x, live)
    if restored.shape != x.shape or not np.isfinite(restored).all():
        raise DataError(f"method {name!r} gives shape {restored.shape} or samples that are not finite")
    return restored


def _energy(x: Array, live: Array, hide: Array) -> float:
    """Return the energy of hidden traces, or what silent ones count as: a share of what as many live ones have."""
    usual = float(np.mean(np.sum(x[live].astype(np.float64) ** 2, axis=1))) * int(hide.sum())
    return max(float(np.sum(x[hide].astype(np.float64) ** 2)), SILENT * usual) or 1.0


def _sum(products: Sequence[Array]) -> Array:
    return np.asarray(np.sum(products, axis=0))


def _blend(weights: Array, filled: Array) -> Array:
    return np.asarray(np.sum(weights * filled, axis=0))


def _raster(shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Return the traces and samples at which weights are solved: two in the width of the Gaussian."""
    ends = [np.linspace(0, n - 1, max(round(2 * n / width), 2)) for n, width in zip(shape, WIDTH, strict=True)]
    return np.unique(ends[0].round().astype(int)), np.unique(ends[1].round().astype(int))


def _products(error: Array, hide: Array) -> Array:
    """Return products of the methods' errors on hidden traces, smoothed, (method, method, place, place)."""
    error = np.where(hide[:, None], error, 0).astype(np.float64)
    n, (traces, samples) = len(error), _raster(error.shape[1:])
    products = np.empty((n, n, len(traces), len(samples)))
    for a in range(n):
        for b in range(a + 1):
            smooth = ndimage.gaussian_filter(error[a] * error[b], WIDTH, mode="constant", truncate=3)
            products[a, b] = products[b, a] = smooth[traces[:, None], samples]
    return products


def _weights(products: Array, shape: tuple[int, ...]) -> Array:
    """Return weights (method, trace, time) for a panel, solved on the raster and interpolated."""
    mean = products.mean(axis=(2, 3))
    coarse = np.empty(products.shape[1:])
    for place in np.ndindex(*products.shape[2:]):
        local = products[(slice(None), slice(None), *place)]
        # Both in the same unit, so that a quiet place leans on the panel as much as a loud one
        scale = np.trace(local) / np.trace(mean) if np.trace(mean) > 0 else 0.0
        coarse[(slice(None), *place)] = least_on_simplex((1 - PRIOR) * local + PRIOR * (scale or 1.0) * mean)
    between = [np.interp(np.arange(n), at, np.arange(len(at))) for n, at in zip(shape, _raster(shape), strict=True)]
    places = np.meshgrid(*between, indexing="ij")
    weights: Array = np.stack([ndimage.map_coordinates(one, places, order=1, mode="nearest") for one in coarse])
    return weights


def least_on_simplex(products: Array) -> Array:
    """Return weights a >= 0 of sum 1 that minimise a' G a, of a positive semidefinite G (method, method).

    The sum is an equation with a large factor in non-negative least squares: Lawson & Hanson (1974), Solving least
    squares problems, ch. 23.

    >>> least_on_simplex(np.diag([1.0, 3.0])).round(3).tolist()
    [0.75, 0.25]
    """
    n = len(products)
    largest = float(np.trace(products))
    if not largest > 0:
        return np.asarray(np.eye(n)[0])
    squares, vectors = np.linalg.eigh(products / largest)
    root = np.sqrt(np.maximum(squares, 0))[:, None] * vectors.T
    factor = 1e3
    weights = nnls(np.vstack([root, np.full((1, n), factor)]), np.r_[np.zeros(n), factor])[0]
    return np.asarray(weights / weights.sum())
