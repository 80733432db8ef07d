"""Labels that were flipped on purpose are found again."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from seisloom.errors import DataError
from seisloom.metrics.label_audit import audit_labels


@pytest.mark.parametrize("seed", range(3))
def test_most_of_five_per_cent_flipped_labels_stand_in_the_first_tenth(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 1200
    label = rng.choice(3, n, p=[0.6, 0.3, 0.1])
    x = rng.normal(size=(n, 6)) + 2.0 * np.eye(6)[label]
    flipped = rng.random(n) < 0.05
    given = np.where(flipped, (label + rng.integers(1, 3, n)) % 3, label)
    p = cross_val_predict(LogisticRegression(), x, given, cv=5, method="predict_proba")
    found = audit_labels(p, given)
    assert flipped[found.order[: n // 10]].sum() / flipped.sum() > 0.5
    assert flipped[found.order[:20]].mean() > 0.4  # 8 times the share of all
    assert flipped[found.suspect].mean() > 8 * flipped[~found.suspect].mean()
    right = found.suggested[flipped & found.suspect] == label[flipped & found.suspect]
    assert right.mean() > 0.8
    # Overlap of the classes looks like noise: an estimate of the right size is all that can be had
    assert 0.02 < found.estimated_wrong < 0.15


def test_the_joint_and_the_order_of_a_small_set_by_hand() -> None:
    p = np.array([[0.9, 0.1], [0.7, 0.3], [0.1, 0.9], [0.2, 0.8], [0.4, 0.6]])
    label = np.array([0, 0, 0, 1, 1])
    found = audit_labels(p, label)
    # Usual confidence: 0.567 and 0.7. Item 2 is labelled 0, and 1 is held with 0.9; of item 4 neither is held
    assert found.confident.tolist() == [[2, 1], [0, 1]]
    assert found.suspect.tolist() == [False, False, True, False, False]
    assert found.suggested.tolist() == [0, 0, 1, 1, 1]
    assert found.order.tolist() == [2, 4, 3, 1, 0]
    assert found.estimated_wrong == 0.25


def test_items_of_no_known_class_are_not_doubted() -> None:
    p = np.array([[0.5, 0.5], [0.9, 0.1], [0.2, 0.8]])
    found = audit_labels(p, np.array([-1, 0, 1]))
    assert sorted(found.order.tolist()) == [1, 2]
    assert found.suggested.tolist() == [-1, 0, 1]
    assert np.isnan(found.quality[0])
    with pytest.raises(DataError, match="nothing to doubt"):
        audit_labels(p, np.full(3, -1))


def test_a_class_without_labels_is_suggested_to_nobody() -> None:
    p = np.array([[0.1, 0.1, 0.8], [0.1, 0.2, 0.7], [0.2, 0.7, 0.1]])
    assert 2 not in audit_labels(p, np.array([0, 0, 1])).suggested
