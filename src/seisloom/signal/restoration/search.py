"""Parameters of a method, found on the panel that is to be restored: live traces are hidden, and filled again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.restoration.panel import Restore, checked

BEST_DB = 200.0
"""An error without energy: means and spreads are to stay finite."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A method with its parameters."""

    restore: Restore
    parameters: Mapping[str, Any]  # Any: what the method takes


@dataclass(frozen=True, slots=True)
class Found:
    """What a search has chosen, and what to expect of it."""

    best: Candidate
    snr_db: float
    """Mean over hidings of the SNR on hidden traces; less than what missing traces get where live ones are at a
    regular step, which hiding makes coarser."""
    spread_db: float
    """Standard deviation of it over hidings; NaN with one of them."""
    tried: tuple[tuple[Candidate, float], ...]
    """Candidates and their mean SNR in dB over the hidings they were in, the best first."""


def grid(method: Restore, **choices: Sequence[Any]) -> list[Candidate]:  # Any: values of parameters
    """Return a candidate for each combination of parameters.

    >>> from seisloom.signal.restoration.mssa import mssa_fill
    >>> [one.parameters for one in grid(mssa_fill, rank=[2, 4], n_traces=[20])]
    [{'rank': 2, 'n_traces': 20}, {'rank': 4, 'n_traces': 20}]
    """
    each = [dict(zip(choices, values, strict=True)) for values in product(*choices.values())]
    return [Candidate(partial(method, **parameters), parameters) for parameters in each]


def search(values: Array, is_live: Array, candidates: Sequence[Candidate], hidden: Sequence[Array]) -> Found:
    """Return the candidate that fills hidden traces best; after each hiding the worse half of them is left out.

    Args:
        values, is_live: see `panel`; missing traces are never looked at.
        candidates: at least one.
        hidden: what is hidden in turn, from `hidden.hidings`.
    Raises:
        DataError: see `panel.checked`; or there is no candidate, or nothing is hidden.
    Source: successive halving of Jamieson & Talwalkar (2016), AISTATS, hidings being its budget; two stay to the end.
    """
    if not candidates or not hidden:
        raise DataError(f"{len(candidates)} candidates and {len(hidden)} hidings: a search needs one of each at least")
    x, live = checked(values, is_live)
    scores: list[list[float]] = [[] for _ in candidates]
    staying = list(range(len(candidates)))
    for number, hide in enumerate(hidden):
        for one in staying:
            scores[one].append(hidden_snr_db(x, candidates[one].restore(x, live & ~hide), hide))
        staying.sort(key=lambda one: -float(np.mean(scores[one])))
        if number + 1 < len(hidden):
            staying = staying[: max(-(-len(staying) // 2), 2)]
    best = staying[0]
    means = [float(np.mean(one)) for one in scores]
    left_out = sorted(set(range(len(candidates))) - set(staying), key=lambda one: -means[one])
    spread = float(np.std(scores[best], ddof=1)) if len(hidden) > 1 else float("nan")
    tried = tuple((candidates[one], means[one]) for one in [*staying, *left_out])
    return Found(candidates[best], means[best], spread, tried)


def hidden_snr_db(values: Array, restored: Array, hide: Array) -> float:
    """Return 10 log10(energy / energy of the error) of hidden traces in dB, up to 200; 0 of silent ones."""
    true = values[hide].astype(np.float64)
    error = float(np.sum((restored[hide] - true) ** 2))
    energy = float(np.sum(true**2))
    if energy == 0:
        return 0.0
    return min(float(10 * np.log10(energy / error)), BEST_DB) if error else BEST_DB
