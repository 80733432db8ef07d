"""Which class is named: the likeliest, or the one that does best by macro-F1 where classes are not alike common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from seisloom.calibration.classes import ClassCalibration
from seisloom.calibration.stored import tuples
from seisloom.metrics.classes import confusion, macro_f1
from seisloom.sample import Array

LOG_FACTORS = np.linspace(-5, 5, 201)
"""Logarithms of factors that are tried: a factor of 150 either way."""
ALIKE = 0.01
"""Factors whose macro-F1 is so close to the best are alike, and their median is taken: which is best is chance."""
ROUNDS = 3
"""Times that the classes are gone through; of two classes one is enough."""


# The stored face of a room's calibration is that of its classes with one more key, so it is one
@dataclass(frozen=True)
class DecidedClasses(ClassCalibration):
    """A calibration of classes, and the factor of each class's probability before one is named."""

    factors: tuple[float, ...] = ()
    """Of each class; empty names the likeliest."""

    def decided(self, probability: Array) -> Array:
        """Return probabilities (item, class) as the factors weigh them, rows with a sum of 1: the largest is named."""
        return weighed(probability, self.factors)

    @classmethod
    def of(cls, calibration: ClassCalibration, factors: tuple[float, ...] = ()) -> DecidedClasses:
        """Return a calibration with factors."""
        return cls(**{**asdict(calibration), "factors": factors})

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> DecidedClasses:  # Any: JSON values
        """Return the calibration that `to_json` stored; one without factors names the likeliest."""
        values = dict(stored)
        factors = tuples(values.pop("factors", ()))
        return cls.of(ClassCalibration.from_json(values), factors)


def weighed(probability: Array, factors: tuple[float, ...]) -> Array:
    """Return probabilities (item, class) times the factor of each class, rows with a sum of 1; without any unchanged.

    >>> weighed(np.array([[0.8, 0.2]]), (0.5, 2.0)).tolist()
    [[0.5, 0.5]]
    """
    if not factors:
        return probability
    values = np.asarray(probability, float) * np.array(factors)
    return np.asarray(values / values.sum(axis=1, keepdims=True))


def best_factors(probability: Array, label: Array) -> tuple[float, ...]:
    """Return the factors of the classes with which naming the largest gives the best macro-F1.

    Class by class, the others held: with two classes that is a threshold, with more a descent along coordinates. Of
    factors that do alike, the median is taken.

    Args:
        probability: (item, class), of items that trained nothing.
        label: (item,), all known.
    Returns:
        Positive factors with a product of 1, (class,).
    Source: Lipton, Elkan & Naryanaswamy (2014), arXiv 1402.1892: F1 is best at a threshold that depends on the data.
    """
    n_classes = probability.shape[1]
    said = np.log(np.maximum(np.asarray(probability, float), np.finfo(np.float32).tiny))
    shift = np.zeros(n_classes)
    for _ in range(1 if n_classes == 2 else ROUNDS):
        for k in range(n_classes - 1 if n_classes == 2 else n_classes):
            scores = []
            for one in LOG_FACTORS:
                shift[k] = one
                scores.append(macro_f1(confusion(label, (said + shift).argmax(axis=1), n_classes)))
            good = LOG_FACTORS[np.array(scores) >= max(scores) - ALIKE]
            shift[k] = good[len(good) // 2]
    return tuple(float(one) for one in np.exp(shift - shift.mean()))


def shared(logits: Array, event: Array, may_share: Array, share: float) -> Array:
    """Return logits in which the stations of an event speak for each other.

    Args:
        logits: (record, class), NaN where nothing was said.
        event: name of each record's event, (record,), empty where it has none.
        may_share: bool, (record,): others keep their logits, and have no part in those of their event.
        share: of the mean over the event, 0 to 1; the rest is the record's own.
    Returns:
        (record, class).
    Source: the mean of logarithms is the product rule of Kittler et al. (1998), IEEE PAMI 20, 226-239.
    """
    said = np.array(logits, float)
    part = np.flatnonzero(np.asarray(may_share) & (np.asarray(event) != "") & np.isfinite(logits).all(axis=1))
    if share == 0 or part.size == 0:
        return said
    _, member, size = np.unique(np.asarray(event)[part].astype(str), return_inverse=True, return_counts=True)
    total = np.zeros((size.size, logits.shape[1]))
    np.add.at(total, member, logits[part])
    said[part] = (1 - share) * logits[part] + share * (total / size[:, None])[member]
    return said
