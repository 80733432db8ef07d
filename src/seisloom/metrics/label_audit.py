"""Which labels are probably wrong: confident learning from probabilities that have not seen the label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seisloom.errors import DataError
from seisloom.metrics.classes import known_items
from seisloom.sample import Array


@dataclass(frozen=True, slots=True)
class LabelAudit:
    """How far the labels of a set can be believed; items whose class is not known take no part."""

    order: Array
    """Numbers of the items, the likeliest wrong label first, (known item,)."""
    quality: Array
    """Of each item, in 0..1, small where the label is doubtful; NaN where no class is known. (item,)"""
    suspect: Array
    """Bool, (item,): whether another class is held with the confidence that is usual for that class."""
    suggested: Array
    """The class that is held instead, the label itself where none is, -1 where no class is known; (item,)."""
    confident: Array
    """Counts (label, class that is held with confidence): the confident joint, of which the paper estimates noise."""

    @property
    def estimated_wrong(self) -> float:
        """Share of known labels that is estimated to be wrong."""
        held = self.confident.sum()
        return float(1 - np.trace(self.confident) / held) if held else float("nan")


def audit_labels(probability: Array, label: Array) -> LabelAudit:
    """Return which labels are probably wrong.

    A class is held with confidence where its probability reaches the mean that items labelled so have; a label is
    suspect where another class is, more than its own. The order is by the probability of the label less that mean, so
    that a class in which the network is never sure does not fill the top of the list; suspects come first.

    Args:
        probability: (item, class), of a network that has not trained on the item: held out, or by cross-validation.
            One that has seen the labels has learnt the wrong ones too.
        label: (item,), -1 where not known.
    Raises:
        DataError: if shapes or numbers do not fit, or no class is known.
    Source: Northcutt, Jiang & Chuang (2021), Confident learning, JAIR 70, 1373-1411 (arXiv 1911.00068), of
        the confident joint and its thresholds; the order after Kuan & Mueller (2022), Model-agnostic label quality
        scoring, adjusted self-confidence.
    """
    p, known_label = known_items(probability, label)
    if not known_label.size:
        raise DataError("audit: no label is known; there is nothing to doubt")
    where = np.flatnonzero(np.asarray(label) >= 0)
    n_classes = p.shape[1]
    n_labelled = np.bincount(known_label, minlength=n_classes)
    usual = np.divide(
        np.bincount(known_label, weights=p[np.arange(known_label.size), known_label], minlength=n_classes), n_labelled,
        out=np.full(n_classes, np.inf), where=n_labelled > 0,  # a class without labels is held by none
    )  # fmt: skip
    held = np.where(p >= usual, p, -1.0)
    best = held.argmax(axis=1)
    any_held = held.max(axis=1) >= 0
    confident = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(confident, (known_label[any_held], best[any_held]), 1)
    wrong = any_held & (best != known_label)

    adjusted = p[np.arange(known_label.size), known_label] - usual[known_label]
    quality, suspect = np.full(np.shape(label), np.nan), np.zeros(np.shape(label), bool)
    suggested = np.full(np.shape(label), -1)
    quality[where] = (adjusted + 1) / 2
    suspect[where] = wrong
    suggested[where] = np.where(wrong, best, known_label)
    return LabelAudit(where[np.lexsort((adjusted, ~wrong))], quality, suspect, suggested, confident)
