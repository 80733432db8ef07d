"""From records of stations to their events: one vote an event, and the spread of a score over events."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array

LEAST_PROBABILITY = 1e-6
"""What a smaller probability counts as in a product: no network knows one so finely, and one station that is wrong and
sure would forbid a class to all others."""


@dataclass(frozen=True, slots=True)
class EventVotes:
    """What the stations of each event say together."""

    event: Array
    """Names, sorted, (event,)."""
    probability: Array
    """(event, class), rows with a sum of 1."""
    n_records: Array
    """Records that voted, (event,)."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A score, and where it would lie had other events happened."""

    value: float
    lower: float
    upper: float
    level: float
    n_events: int
    n_draws: int
    """Draws in which the score was defined."""


def vote(probability: Array, event: Array, *, how: Literal["mean", "product"] = "mean") -> EventVotes:
    """Return the class probabilities of events from those of their records, each record with one vote.

    Args:
        probability: (record, class), finite, rows with a sum of 1.
        event: name of each record's event, (record,).
        how: `mean` of the probabilities, which forgives a station that is wrong and sure; or `product`, the normalised
            geometric mean (mean of logarithms), right where stations err independently.
    Raises:
        DataError: if shapes do not fit, or a probability is not finite.
    Source: Kittler et al. (1998), IEEE PAMI 20, 226-239, sum and product rule.

    >>> vote(np.array([[0.9, 0.1], [0.5, 0.5]]), np.array(["a", "a"])).probability.round(2).tolist()
    [[0.7, 0.3]]
    """
    probability, event = np.asarray(probability, float), np.asarray(event)
    if probability.ndim != 2 or event.shape != probability.shape[:1] or not np.isfinite(probability).all():
        raise DataError(
            f"vote: probability has shape {probability.shape}, event {event.shape}, and "
            f"{(~np.isfinite(probability)).sum()} probabilities are not finite; give (record, class) and (record,), "
            "without records that have none"
        )
    names, member, n_records = np.unique(event.astype(str), return_inverse=True, return_counts=True)
    values = probability if how == "mean" else np.log(np.maximum(probability, LEAST_PROBABILITY))
    total = np.zeros((names.size, probability.shape[1]))
    np.add.at(total, member, values)
    mean = total / n_records[:, None]
    if how == "product":
        mean = np.exp(mean - mean.max(axis=1, keepdims=True, initial=-np.inf))
        mean = mean / mean.sum(axis=1, keepdims=True)
    return EventVotes(names, mean, n_records)


def event_labels(label: Array, event: Array) -> Array:
    """Return the class of each event in the order of `vote`, (event,); -1 where none of its records has a class.

    Raises:
        DataError: if an event has two classes.
    """
    label, event = np.asarray(label), np.asarray(event).astype(str)
    if label.shape != event.shape:
        raise DataError(f"label has shape {label.shape} and event {event.shape}; give one of each a record")
    names, member = np.unique(event, return_inverse=True)
    lowest, highest = np.full(names.size, np.iinfo(np.int64).max), np.full(names.size, -1)
    known = label >= 0
    np.minimum.at(lowest, member[known], label[known])
    np.maximum.at(highest, member[known], label[known])
    both = (highest >= 0) & (lowest != highest)
    if both.any():
        one = int(np.argmax(both))
        raise DataError(
            f"event {names[one]} has classes {lowest[one]} and {highest[one]}, {both.sum()} events have two; vote over "
            "records of one kind, without windows of noise"
        )
    return highest


def over_events(
    score: Callable[[Array], float], event: Array, *, rng: np.random.Generator, n_draws: int = 1000, level: float = 0.95
) -> Spread:
    """Return a score and its percentile interval over draws of whole events, with replacement.

    Records of one event err alike: draws of records would make the interval too narrow.

    Args:
        score: from row numbers (row,), with repeats, to the score; NaN where it is not defined, such as in a draw that
            lacks a class. Such draws are left out and counted.
        event: name of each record's event, (record,).
        rng: of the draws.
        n_draws: number of draws.
        level: coverage of the interval.
    Returns:
        The spread; its ends are NaN with fewer than two events, which tell nothing of others.
    Source: Efron & Tibshirani (1993), An introduction to the bootstrap, sec. 13.3; of groups: Field & Welsh (2007),
        JRSS B 69, 369-390.
    """
    members = _members(event)
    value = score(np.arange(np.size(event)))
    drawn = np.array([score(rows) for rows in _draws(members, n_draws, rng)]) if len(members) > 1 else np.zeros(0)
    drawn = drawn[~np.isnan(drawn)]
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2]) if drawn.size else (math.nan, math.nan)
    return Spread(float(value), float(low), float(high), level, len(members), int(drawn.size))


def difference_over_events(
    score: Callable[[Array], float],
    other: Callable[[Array], float],
    event: Array,
    *,
    rng: np.random.Generator,
    n_draws: int = 1000,
    level: float = 0.95,
) -> Spread:
    """Return by how much one method's score exceeds another's on the same events, with its interval.

    Both are scored on the same draws: what is hard for both cancels. An interval without 0 in it says that the methods
    differ by more than the choice of events explains. Arguments as those of `over_events`.
    """
    return over_events(lambda rows: score(rows) - other(rows), event, rng=rng, n_draws=n_draws, level=level)


def _members(event: Array) -> list[Array]:
    """Row numbers of each event."""
    _, member, size = np.unique(np.asarray(event).astype(str), return_inverse=True, return_counts=True)
    return np.split(np.argsort(member, kind="stable"), np.cumsum(size)[:-1]) if size.size else []


def _draws(members: list[Array], n_draws: int, rng: np.random.Generator) -> list[Array]:
    """Row numbers of each draw of as many events as there are."""
    picks = rng.integers(0, len(members), (n_draws, len(members)))
    return [np.concatenate([members[k] for k in row]) for row in picks]
