"""Classes that were said against true ones: confusion, F1, Matthews' correlation, and how well probabilities rank.

Labels are indices into a list of classes, shape (item,); -1, a class that nobody knows, is left out everywhere.
Probabilities are (item, class), each row with a sum of 1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from seisloom.errors import DataError
from seisloom.metrics.presence import roc_auc
from seisloom.sample import Array


def known_items(probability: Array, label: Array) -> tuple[Array, Array]:
    """Return the probabilities and labels of items whose class is known, float64 and int64, once they make sense.

    Args:
        probability: (item, class).
        label: (item,), -1 where not known.
    Raises:
        DataError: if shapes do not fit, there are fewer than two classes, a label names no class, or a row is no
            distribution: not finite, negative, or with another sum than 1 (to 1e-3, for float16).
    """
    probability, label = np.asarray(probability, float), np.asarray(label)
    if probability.ndim != 2 or label.shape != probability.shape[:1] or probability.shape[1] < 2:
        raise DataError(
            f"probability has shape {probability.shape} and label {label.shape}; give (item, class) of at least two "
            "classes, and (item,)"
        )
    label = _indices(label, probability.shape[1], "label")
    use = label >= 0
    probability, label = probability[use], label[use]
    wrong = ~((probability >= 0).all(axis=1) & (np.abs(probability.sum(axis=1) - 1) < 1e-3))
    if wrong.any():
        raise DataError(
            f"{wrong.sum()} of {wrong.size} rows of probability are no distribution (first: known item "
            f"{int(np.argmax(wrong))}); logits want a softmax first, and rows with NaN have to be left out"
        )
    return probability, label


def confusion(label: Array, predicted: Array, n_classes: int) -> Array:
    """Return how often each class was said for each: counts, int64, (true class, class that was said).

    Args:
        label: (item,), -1 where not known.
        predicted: (item,), 0 to n_classes - 1.
        n_classes: number of classes; one that never occurs has a row or a column of zeros.
    Raises:
        DataError: if lengths differ, or an index names no class.

    >>> confusion(np.array([0, 0, 1, -1]), np.array([0, 1, 1, 0]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    label, predicted = np.asarray(label), np.asarray(predicted)
    if label.shape != predicted.shape or label.ndim != 1:
        raise DataError(f"label has shape {label.shape} and predicted {predicted.shape}; give one of each an item")
    label, predicted = _indices(label, n_classes, "label"), _indices(predicted, n_classes, "predicted")
    use = label >= 0
    n_silent = int((predicted[use] < 0).sum())
    if n_silent:
        raise DataError(f"{n_silent} items have no predicted class; leave abstentions out, or count them as a class")
    cells = np.bincount(label[use] * n_classes + predicted[use], minlength=n_classes**2)
    return np.asarray(cells.reshape(n_classes, n_classes))


def row_shares(counts: Array) -> Array:
    """Return each row of a confusion matrix as shares of its true class; NaN for a class without items."""
    counts = np.asarray(counts, float)
    total = counts.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(counts, total, out=np.full(counts.shape, np.nan), where=total > 0))


def per_class(counts: Array) -> dict[str, Array]:
    """Return precision, recall, F1 and support of each class, each (class,), from a confusion matrix (true, said).

    Precision of a class that was never said, and recall of one that never occurs, are NaN; F1 = 2 TP / (2 TP + FP + FN)
    is 0 if one of the two happened, NaN if both.
    """
    counts = np.asarray(counts, float)
    right, true, said = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    return {
        "precision": _ratio(right, said),
        "recall": _ratio(right, true),
        "f1": _ratio(2 * right, true + said),
        "support": true.astype(np.int64),
    }


def macro_f1(counts: Array) -> float:
    """Return the mean F1 of the classes that occur or were said; NaN without items.

    Source: the mean of F1s, not the F1 of means: Opitz & Burst (2019), arXiv 1911.03347.

    >>> round(macro_f1(np.array([[9, 1], [2, 0]])), 3)
    0.429
    """
    return _mean(per_class(counts)["f1"])


def balanced_accuracy(counts: Array) -> float:
    """Return the mean recall of the classes that occur, NaN without items; 1 / (their number) for whoever says one.

    Source: Brodersen et al. (2010), ICPR 20, 3121-3124.
    """
    return _mean(per_class(counts)["recall"])


def accuracy(counts: Array) -> float:
    """Return the share of items whose class was said; NaN without items. Beside it belongs `majority_share`."""
    counts = np.asarray(counts)
    return float(np.trace(counts) / counts.sum()) if counts.sum() else math.nan


def majority_share(counts: Array) -> float:
    """Return the accuracy of whoever always says the commonest class of these very items; NaN without items."""
    counts = np.asarray(counts)
    return float(counts.sum(axis=1).max() / counts.sum()) if counts.sum() else math.nan


def matthews_classes(counts: Array) -> float:
    """Return Matthews' correlation of any number of classes: 1 always right, 0 no better than chance.

    Returns:
        NaN where one class only occurs, or was said: nothing can be told apart then.
    Source: Gorodkin (2004), Comput. Biol. Chem. 28, 367-374, the correlation R_K; of two classes it is
        `seisloom.metrics.presence.matthews`.

    >>> matthews_classes(np.array([[1, 1], [0, 2]]))
    0.5773502691896258
    """
    c = np.asarray(counts, dtype=object)  # whole numbers of any size: products of four counts overflow 64 bits
    n, right, true, said = int(c.sum()), int(np.trace(c)), c.sum(axis=1), c.sum(axis=0)
    spread = math.sqrt(n * n - int((said * said).sum())) * math.sqrt(n * n - int((true * true).sum()))
    return (right * n - int((true * said).sum())) / spread if spread else math.nan


def auc_by_class(probability: Array, label: Array) -> Array:
    """Return the area under the ROC curve of each class against all others, (class,); NaN without both kinds.

    Its mean over classes, `np.nanmean`, is the one-versus-rest macro average.
    Source: Hand & Till (2001), Machine Learning 45, 171-186, for more classes than two.
    """
    probability, label = known_items(probability, label)
    return np.array([roc_auc(label == k, probability[:, k]) for k in range(probability.shape[1])])


def average_precision(probability: Array, label: Array) -> Array:
    """Return the mean precision over recalls of each class against all others, (class,); NaN for one without items.

    The sum of precision times step in recall, over thresholds between different probabilities; the share of the class
    is what chance reaches.
    Source: Davis & Goadrich (2006), ICML 23, 233-240, of why the curve is not to be interpolated linearly.
    """
    probability, label = known_items(probability, label)
    found = np.full(probability.shape[1], np.nan)
    for k in range(found.size):
        hits, misses = _above_thresholds(label == k, probability[:, k])
        if hits.size and hits[-1]:
            found[k] = float(np.diff(hits, prepend=0) @ (hits / (hits + misses)) / hits[-1])
    return found


def recall_at_false_alarms(probability: Array, label: Array, rate: float) -> Array:
    """Return the share of each class that is found when at most `rate` of all others is taken for it, (class,).

    With fewer than 1 / rate items of other classes it is what is found without any false alarm. NaN for a class
    without items, or without any of others.

    Args:
        probability, label: as `known_items`.
        rate: accepted false-positive rate, 0 to 1, such as 1e-2.
    Raises:
        DataError: if `rate` is no share.
    """
    if not 0 <= rate <= 1:
        raise DataError(f"rate is {rate}; a false-positive rate lies in 0..1, such as 0.01")
    probability, label = known_items(probability, label)
    found = np.full(probability.shape[1], np.nan)
    for k in range(found.size):
        hits, misses = _above_thresholds(label == k, probability[:, k])
        if hits.size and hits[-1] and misses[-1]:
            # A millionth of an item: 0.01 * 300 is not quite 3
            allowed = misses <= rate * misses[-1] + 1e-6
            found[k] = hits[allowed].max(initial=0) / hits[-1]
    return found


def class_scores(probability: Array, label: Array, names: tuple[str, ...]) -> dict[str, Any]:  # Any: nested numbers
    """Return the scores above as one nested record that JSON can hold, with None where one is not defined.

    Args:
        probability, label: as `known_items`; the class of the largest probability counts as said, the first of equals.
        names: of the classes.
    Returns:
        n, macro_f1, balanced_accuracy, mcc, accuracy, majority_share, macro_auc, confusion (counts), and `classes`:
        by name support, precision, recall, f1, auc, average_precision, recall_at_fpr_0.01 and recall_at_fpr_0.001.
    """
    probability, label = known_items(probability, label)
    if len(names) != probability.shape[1]:
        raise DataError(f"{len(names)} names for {probability.shape[1]} classes; give one each")
    counts = confusion(label, probability.argmax(axis=1), len(names))
    said = per_class(counts)
    support = said.pop("support")
    columns = {
        **said,
        "auc": auc_by_class(probability, label),
        "average_precision": average_precision(probability, label),
        **{f"recall_at_fpr_{rate:g}": recall_at_false_alarms(probability, label, rate) for rate in (1e-2, 1e-3)},
    }
    return {
        "n": int(counts.sum()),
        "macro_f1": _or_none(macro_f1(counts)),
        "balanced_accuracy": _or_none(balanced_accuracy(counts)),
        "mcc": _or_none(matthews_classes(counts)),
        "accuracy": _or_none(accuracy(counts)),
        "majority_share": _or_none(majority_share(counts)),
        "macro_auc": _or_none(_mean(columns["auc"])),
        "confusion": counts.tolist(),
        "classes": {
            name: {"support": int(support[k]), **{key: _or_none(float(one[k])) for key, one in columns.items()}}
            for k, name in enumerate(names)
        },
    }


def _above_thresholds(is_class: Array, score: Array) -> tuple[Array, Array]:
    """Items of the class, and others, at or above each different score, from the highest down."""
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.diff(score[order], append=-np.inf) != 0)
    return np.cumsum(is_class[order])[ends], np.cumsum(~is_class[order])[ends]


def _indices(values: Array, n_classes: int, what: str) -> Array:
    """The values as indices of classes, -1 included, or an error that says which is none."""
    values = np.asarray(values)
    wrong = ~np.isin(values, np.arange(-1, n_classes))
    if wrong.any():
        raise DataError(
            f"{what}: {values[wrong][0]} at item {int(np.argmax(wrong))} names none of {n_classes} classes; indices "
            f"are 0 to {n_classes - 1}, and -1 where not known"
        )
    return np.asarray(values, dtype=np.int64)


def _ratio(part: Array, whole: Array) -> Array:
    """The ratio, NaN where there is no whole."""
    return np.asarray(np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0))


def _mean(values: Array) -> float:
    """The mean of what is not NaN, NaN if nothing is."""
    values = values[~np.isnan(values)]
    return float(values.mean()) if values.size else math.nan


def _or_none(value: float) -> float | None:
    """The number, or None if it is none."""
    return None if math.isnan(value) else value
