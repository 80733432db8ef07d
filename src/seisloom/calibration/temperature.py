"""Logits of classes to probabilities that mean what they say: one number, or one more for each class."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_softmax

from seisloom.calibration.conformal import group_weights
from seisloom.errors import CalibrationError
from seisloom.sample import Array

LIMITS = (0.05, 20.0)
"""Temperatures that are looked at; a network beyond them has logits of another kind."""


def fit_temperature(
    logits: Array, label: Array, *, groups: Array | None = None, with_bias: bool = False
) -> tuple[float, tuple[float, ...]]:
    """Return the temperature, and a bias for each class, that make held-out labels the likeliest.

    Probabilities are softmax(logits / temperature + bias). A set without a single mistake would be likeliest at
    temperature 0; so each label counts as one of n that was right, n + 1 out of n + K, as Platt does with two classes.

    Args:
        logits: (item, class), finite.
        label: (item,), each of them known.
        groups: label of each item's event, (item,); each event has one vote. None gives one to each item.
        with_bias: whether classes are shifted too. It takes away what the share of classes in training put in, and
            needs more items: dozens of each class.
    Returns:
        Temperature, within LIMITS; biases with a sum of 0, or none.
    Raises:
        CalibrationError: if shapes do not fit, a logit is not finite, or all labels are of one class.
    Source: Guo et al. (2017), arXiv 1706.04599, sec. 4.2; with biases: Alexandari, Kundaje & Shrikumar (2020), arXiv
        1901.06852; the targets: Platt (1999), Probabilistic outputs for support vector machines.
    """
    logits, label = checked_logits(logits, label)
    n_classes = logits.shape[1]
    if np.unique(label).size < 2:
        raise CalibrationError(
            f"all {label.size} held-out labels are of one class; calibrate on events of two or more classes"
        )
    weights = np.ones(label.size) if groups is None else group_weights(label, np.asarray(groups))
    n_votes, weights = float(weights.sum()), weights / weights.sum()
    target = np.full(logits.shape, 1 / (n_votes + n_classes))
    target[np.arange(label.size), label] = (n_votes + 1) / (n_votes + n_classes)

    def unlikelihood(log_temperature: float) -> float:
        said = log_softmax(logits * np.exp(-log_temperature), axis=1)
        return float(-weights @ (target * said).sum(axis=1))

    low, high = np.log(LIMITS)
    found = minimize_scalar(unlikelihood, bounds=(low, high), method="bounded", options={"xatol": 1e-6})
    if not with_bias:
        return float(np.exp(found.x)), ()

    def with_gradient(values: Array) -> tuple[float, Array]:
        scale, bias = np.exp(-values[0]), values[1:]
        said = log_softmax(logits * scale + bias, axis=1)
        excess = weights[:, None] * (np.exp(said) - target)
        gradient = np.concatenate([[-scale * (excess * logits).sum()], excess.sum(axis=0)])
        return float(-weights @ (target * said).sum(axis=1)), gradient

    start = np.concatenate([[found.x], np.zeros(n_classes)])
    bounds = [(low, high), *[(None, None)] * n_classes]
    best = minimize(with_gradient, start, jac=True, bounds=bounds, method="L-BFGS-B", options={"ftol": 1e-12}).x
    bias = best[1:] - best[1:].mean()
    return float(np.exp(best[0])), tuple(float(one) for one in bias)


def checked_logits(logits: Array, label: Array) -> tuple[Array, Array]:
    """Return logits as float64 and labels as int64, or an error that says what is wrong."""
    logits, label = np.asarray(logits, float), np.asarray(label)
    if logits.ndim != 2 or logits.shape[1] < 2 or label.shape != logits.shape[:1] or not label.size:
        raise CalibrationError(
            f"logits have shape {logits.shape} and labels {label.shape}; give (item, class) of at least two classes "
            "and (item,), at least one item"
        )
    wrong = ~np.isfinite(logits).all(axis=1)
    if wrong.any():
        raise CalibrationError(
            f"{wrong.sum()} of {wrong.size} items have logits that are not finite (first: item "
            f"{int(np.argmax(wrong))}); leave them out"
        )
    if not np.isin(label, np.arange(logits.shape[1])).all():
        raise CalibrationError(
            f"labels lie in {label.min()} to {label.max()}, and there are {logits.shape[1]} classes; leave out items "
            "whose class is not known"
        )
    return logits, label.astype(np.int64)
