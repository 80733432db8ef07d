"""What a classifier's logits become: probabilities, sets of classes that keep their promise, or no answer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import softmax

from seisloom.calibration.abstention import risk_control_width
from seisloom.calibration.class_sets import adaptive_scores, set_quantiles
from seisloom.calibration.conformal import LEVELS
from seisloom.calibration.stored import plain, tuples
from seisloom.calibration.temperature import checked_logits, fit_temperature
from seisloom.errors import CalibrationError
from seisloom.sample import Array

MIN_GROUPS = 20
"""Events that a class needs for quantiles of its own: the rank of a 95 % quantile is then one of theirs."""


@dataclass(frozen=True)
class ClassCalibration:
    """p = softmax(logits / temperature + bias), the scores up to which classes are in a set, and when not to answer."""

    n_classes: int
    temperature: float = 1.0
    bias: tuple[float, ...] = ()
    """Of each class; empty where none was fitted."""
    levels: tuple[float, ...] = ()
    """Nominal coverages of the sets, increasing."""
    quantiles: tuple[float, ...] = ()
    """Per level, the largest score of a class in the set; `inf` takes all classes."""
    class_quantiles: tuple[tuple[float, ...], ...] = ()
    """Per class, per level; empty for a class with too few events, for which `quantiles` hold. Empty: for all."""
    penalty: float = 0.0
    free_rank: int = 1
    """Of the scores; see `seisloom.calibration.class_sets.adaptive_scores`."""
    max_doubt: float | None = None
    """Largest doubt, 1 - the largest probability, at which an answer is given; 0 for none at all, None for any."""
    promised: tuple[bool, ...] = ()
    """Per level, whether the coverage holds for a record of a new event, and of each class that has its own."""
    n_items: int = 0
    n_groups: int = 0
    nll_before: float | None = None
    """Mean of -log p of the true class over held-out events, in nats, before and after."""
    nll_after: float | None = None
    note: str = "nothing was fitted: probabilities are those of the network"
    """What it was made from and what it promises, for people."""

    def __call__(self, logits: Array) -> Array:
        """Return probabilities, float32, (item, class), of logits of that shape; NaN where a logit is."""
        return self._probability(logits).astype(np.float32)

    def sets(self, logits: Array, level: float = 0.9) -> Array:
        """Return which classes are in each item's set, bool, (item, class).

        Args:
            logits: (item, class), finite.
            level: nominal coverage, one of `levels`.
        Raises:
            CalibrationError: if no quantile is stored for the level.
        """
        at = [idx for idx, one in enumerate(self.levels) if math.isclose(one, level, abs_tol=1e-9)]
        if not at:
            stored = ", ".join(f"{one:g}" for one in self.levels) or "none"
            raise CalibrationError(f"no sets of coverage {level:g} were calibrated; there are: {stored}")
        shared = self.quantiles[at[0]]
        own = [one[at[0]] if one else shared for one in self.class_quantiles] or [shared] * self.n_classes
        scores = adaptive_scores(self._probability(logits), penalty=self.penalty, free_rank=self.free_rank)
        return np.asarray(scores <= np.array(own))

    def answers(self, logits: Array) -> Array:
        """Return whether a class is named at all, bool, (item,): not where the doubt is too large."""
        doubt = 1 - self._probability(logits).max(axis=1, initial=0)
        if self.max_doubt is None:
            return np.ones(doubt.shape, bool)
        return np.asarray((doubt <= self.max_doubt) & (self.max_doubt > 0))

    def to_json(self) -> dict[str, Any]:  # Any: JSON values
        """Return plain JSON values; an infinite quantile is the string "inf", since JSON has no infinity."""
        return {"kind": "class", **{name: plain(one) for name, one in asdict(self).items()}}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> ClassCalibration:  # Any: JSON values
        """Return the calibration that `to_json` stored."""
        values = dict(stored)
        if values.pop("kind", None) != "class" or "n_classes" not in values or set(values) - set(cls.__annotations__):
            raise CalibrationError(
                "this is not a stored calibration of classes; calibrate again: "
                "seisloom calibrate BUNDLE SOURCE --out NEW"
            )
        return cls(**{name: tuples(one) for name, one in values.items()})

    def _probability(self, logits: Array) -> Array:
        """The probabilities in double precision, in which sets are decided."""
        logits = np.asarray(logits, float)
        if logits.ndim != 2 or logits.shape[1] != self.n_classes:
            raise CalibrationError(
                f"logits have shape {logits.shape}, and {self.n_classes} classes were calibrated; give (item, class)"
            )
        return np.asarray(softmax(logits / self.temperature + np.array(self.bias or 0.0), axis=1))


def calibrate_classes(
    logits: Array,
    label: Array,
    *,
    groups: Array,
    with_bias: bool = False,
    levels: Sequence[float] = LEVELS,
    by_class: bool = True,
    min_groups: int = MIN_GROUPS,
    penalty: float = 0.0,
    free_rank: int = 1,
    max_risk: float | None = None,
    delta: float = 0.1,
) -> ClassCalibration:
    """Return the calibration of a classifier from held-out items, the event being the unit that is exchangeable.

    The temperature is fitted on the same items as the quantiles. One number learnt from dozens of events moves a score
    by next to nothing, so that coverage in practice is that of the quantiles; strictly, a proof wants other events.

    Args:
        logits: (item, class), of events that neither trained nor chose the model.
        label: (item,), -1 where not known: such items are left out.
        groups: label of each item's event, (item,).
        with_bias: whether classes are shifted too; see `fit_temperature`.
        levels: nominal coverages to store.
        by_class: whether each class gets quantiles of its own, so that a rare class is covered as often as a common
            one, where it has events of its own enough.
        min_groups: events that a class needs for that.
        penalty, free_rank: of the sets; see `adaptive_scores`.
        max_risk: share of wrong answers that is accepted, 0 to 1; decides from which doubt on none is given. None
            always answers.
        delta: accepted probability that this choice fails.
    Raises:
        CalibrationError: if there is nothing to calibrate on, or all labels are of one class.
    Source: sets by class: Vovk, Gammerman & Shafer (2005), Algorithmic learning in a random world, sec. 4.5.
    """
    known = np.asarray(label) >= 0
    if np.shape(groups) != known.shape or np.shape(logits)[:1] != known.shape:
        raise CalibrationError(
            f"logits {np.shape(logits)}, label {known.shape}, groups {np.shape(groups)}; give one of each an item"
        )
    if not known.any():
        raise CalibrationError("no held-out item has a known class; calibrate on labelled events")
    logits, label = checked_logits(np.asarray(logits)[known], np.asarray(label)[known])
    events = np.asarray(groups).astype(str)[known]
    temperature, bias = fit_temperature(logits, label, groups=events, with_bias=with_bias)
    n_classes, rows, levels = logits.shape[1], np.arange(label.size), tuple(sorted(levels))
    fitted = ClassCalibration(n_classes, temperature, bias)
    probability = fitted._probability(logits)
    scores = adaptive_scores(probability, penalty=penalty, free_rank=free_rank)[rows, label]
    quantiles, promised = set_quantiles(scores, events, levels)
    own: list[tuple[float, ...]] = []
    for k in range(n_classes) if by_class else ():
        enough = np.unique(events[label == k]).size >= min_groups
        own.append(set_quantiles(scores[label == k], events[label == k], levels)[0] if enough else ())
    max_doubt = None
    if max_risk is not None:
        wrong = (probability.argmax(axis=1) != label).astype(float)
        doubt = 1 - probability.max(axis=1)
        max_doubt = risk_control_width(wrong, doubt, max_risk=max_risk, delta=delta, tolerance=0.5, groups=events)
    before, after = (_mean_nll(p[rows, label], events) for p in (softmax(logits, axis=1), probability))
    n_groups = np.unique(events).size
    return ClassCalibration(
        n_classes, temperature, bias, levels, quantiles, tuple(own) if any(own) else (), penalty, free_rank, max_doubt,
        promised, label.size, n_groups, before, after,
        _note(temperature, label.size, n_groups, levels, promised, own, max_doubt, max_risk, before, after),
    )  # fmt: skip


def _mean_nll(probability: Array, events: Array) -> float:
    """Mean of -log p of the true class, every event with the same weight, as the temperature is fitted."""
    nll = -np.log(np.maximum(probability, np.finfo(float).tiny))
    _, member, counts = np.unique(events, return_inverse=True, return_counts=True)
    return float((np.bincount(member, weights=nll) / counts).mean())


def _note(
    temperature: float,
    n_items: int,
    n_groups: int,
    levels: tuple[float, ...],
    promised: tuple[bool, ...],
    own: list[tuple[float, ...]],
    max_doubt: float | None,
    max_risk: float | None,
    before: float,
    after: float,
) -> str:
    """What the calibration was made from and what it promises."""
    text = [
        f"{n_items} items of {n_groups} events; temperature {temperature:.3g}, mean -log p {before:.3f} before and "
        f"{after:.3f} after"
    ]
    held = [f"{level:.0%}" for level, good in zip(levels, promised, strict=True) if good]
    loose = [f"{level:.0%}" for level, good in zip(levels, promised, strict=True) if not good]
    if held:
        text.append(f"Sets of {', '.join(held)}: hold the true class on average for a record of a new event like these")
    if loose:
        text.append(
            f"Sets of {', '.join(loose)}: too few events for a finite-sample promise (9 are needed for 90 %, 19 for "
            "95 %); the pooled quantile is used"
        )
    if any(own):
        text.append(f"{sum(map(bool, own))} of {len(own)} classes have enough events for quantiles of their own")
    if max_risk is not None and max_doubt is not None:
        text.append(
            f"Answers with a probability of at least {1 - max_doubt:.3g} are wrong in at most {max_risk:.0%}"
            if max_doubt > 0
            else f"No answer is safe enough for a risk of {max_risk:.0%}: all are refused"
        )
    return ". ".join(text) + "."
