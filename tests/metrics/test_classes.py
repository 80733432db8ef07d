"""Scores of classes against scikit-learn, closed forms, and what happens at the edges."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn import metrics as oracle

from seisloom.errors import DataError
from seisloom.metrics import classes as c
from seisloom.metrics.presence import matthews
from seisloom.sample import Array


def drawn(seed: int = 0, n: int = 400, n_classes: int = 4, *, digits: int | None = None) -> tuple[Array, Array]:
    """Probabilities that know something, and labels of unequal classes."""
    rng = np.random.default_rng(seed)
    label = rng.choice(n_classes, n, p=np.arange(1, n_classes + 1) / np.arange(1, n_classes + 1).sum())
    logit = rng.normal(size=(n, n_classes)) + 1.2 * np.eye(n_classes)[label]
    if digits is not None:
        logit = logit.round(digits)
    p = np.exp(logit)
    return p / p.sum(axis=1, keepdims=True), label


@pytest.mark.parametrize("seed", range(4))
def test_scores_of_said_classes_are_those_of_scikit_learn(seed: int) -> None:
    p, label = drawn(seed)
    said = p.argmax(axis=1)
    counts = c.confusion(label, said, 4)
    np.testing.assert_array_equal(counts, oracle.confusion_matrix(label, said))
    assert c.macro_f1(counts) == pytest.approx(oracle.f1_score(label, said, average="macro"))
    assert c.balanced_accuracy(counts) == pytest.approx(oracle.balanced_accuracy_score(label, said))
    assert c.matthews_classes(counts) == pytest.approx(oracle.matthews_corrcoef(label, said))
    assert c.accuracy(counts) == pytest.approx(oracle.accuracy_score(label, said))
    found = c.per_class(counts)
    for ours, theirs in zip(found.values(), oracle.precision_recall_fscore_support(label, said), strict=True):
        np.testing.assert_allclose(ours, theirs)
    np.testing.assert_allclose(c.row_shares(counts), oracle.confusion_matrix(label, said, normalize="true"))


@pytest.mark.parametrize("digits", [None, 0])
@pytest.mark.parametrize("seed", range(3))
def test_ranking_is_that_of_scikit_learn_with_equal_scores_too(seed: int, digits: int | None) -> None:
    p, label = drawn(seed, digits=digits)
    assert np.mean(c.auc_by_class(p, label)) == pytest.approx(oracle.roc_auc_score(label, p, multi_class="ovr"))
    for k, found in enumerate(c.average_precision(p, label)):
        assert found == pytest.approx(oracle.average_precision_score(label == k, p[:, k]))
    for rate in (0.0, 0.01, 0.3, 1.0):
        for k, found in enumerate(c.recall_at_false_alarms(p, label, rate)):
            false_alarms, recall, _ = oracle.roc_curve(label == k, p[:, k], drop_intermediate=False)
            assert found == pytest.approx(recall[false_alarms <= rate + 1e-12].max())


def test_a_class_that_nobody_said_or_that_never_occurs() -> None:
    counts = c.confusion(np.array([0, 0, 1]), np.array([0, 2, 0]), 4)
    found = c.per_class(counts)
    np.testing.assert_array_equal(found["f1"], [0.5, 0.0, 0.0, np.nan])
    np.testing.assert_array_equal(found["precision"], [0.5, np.nan, 0.0, np.nan])
    np.testing.assert_array_equal(found["recall"], [0.5, 0.0, np.nan, np.nan])
    assert c.macro_f1(counts) == pytest.approx(1 / 6)
    assert c.macro_f1(counts) == pytest.approx(oracle.f1_score([0, 0, 1], [0, 2, 0], average="macro", zero_division=0))
    assert c.balanced_accuracy(counts) == 0.25


def test_of_two_classes_the_correlation_is_that_of_presence() -> None:
    rng = np.random.default_rng(0)
    label, said = rng.integers(0, 2, 50), rng.integers(0, 2, 50)
    assert c.matthews_classes(c.confusion(label, said, 2)) == pytest.approx(matthews(label == 1, said == 1))
    large = np.array([[3_000_000_000, 0], [0, 3_000_000_000]])  # squares leave 64 bits
    assert c.matthews_classes(large) == pytest.approx(1.0)


def test_whoever_says_the_commonest_class_has_its_share_and_nothing_else() -> None:
    label = np.repeat([0, 1, 2], [80, 15, 5])
    counts = c.confusion(label, np.zeros(100, int), 3)
    assert c.accuracy(counts) == c.majority_share(counts) == 0.8
    assert c.balanced_accuracy(counts) == pytest.approx(1 / 3)
    assert np.isnan(c.matthews_classes(counts))


def test_items_of_no_known_class_count_for_nothing() -> None:
    p, label = drawn()
    hidden = np.concatenate([label, np.full(50, -1)])
    more = np.vstack([p, np.full((50, 4), 0.25)])
    names = ("a", "b", "c", "d")
    assert c.class_scores(more, hidden, names) == c.class_scores(p, label, names)


def test_the_record_is_json_with_none_where_nothing_is_defined() -> None:
    p, label = drawn(n_classes=3)
    found = c.class_scores(p, label, ("earthquake", "explosion", "noise"))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["classes"]["noise"]["support"] == int((label == 2).sum())
    nothing = c.class_scores(np.zeros((0, 2)), np.zeros(0, int), ("a", "b"))
    assert nothing["n"] == 0
    assert nothing["macro_f1"] is nothing["macro_auc"] is nothing["classes"]["a"]["auc"] is None
    one = c.class_scores(np.array([[0.9, 0.1]]), np.array([0]), ("a", "b"))
    assert (one["macro_f1"], one["mcc"], one["macro_auc"]) == (1.0, None, None)


def test_what_is_no_distribution_and_no_class_is_named() -> None:
    with pytest.raises(DataError, match="logits want a softmax"):
        c.auc_by_class(np.array([[2.0, -1.0]]), np.array([0]))
    with pytest.raises(DataError, match="1 of 2 rows"):
        c.average_precision(np.array([[0.5, 0.5], [np.nan, 0.5]]), np.array([0, 1]))
    with pytest.raises(DataError, match="label: 2 at item 1 names none of 2 classes"):
        c.auc_by_class(np.full((2, 2), 0.5), np.array([0, 2]))
    with pytest.raises(DataError, match="at least two classes"):
        c.auc_by_class(np.ones((2, 1)), np.array([0, 0]))
    with pytest.raises(DataError, match=r"0\.5 at item 0 names none"):
        c.confusion(np.array([0.5]), np.array([0]), 2)
    with pytest.raises(DataError, match="have no predicted class"):
        c.confusion(np.array([0]), np.array([-1]), 2)
    with pytest.raises(DataError, match="rate is 2"):
        c.recall_at_false_alarms(np.full((2, 2), 0.5), np.array([0, 1]), 2)
    with pytest.raises(DataError, match="3 names for 2 classes"):
        c.class_scores(np.full((2, 2), 0.5), np.array([0, 1]), ("a", "b", "c"))
