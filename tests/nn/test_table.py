"""Features on one scale, support vectors and logistic regression as scikit-learn has them, from buffers alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import load, save
from scipy.special import log_expit
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from seisloom.nn.logistic import COSTS, Logistic
from seisloom.nn.support import SupportVectors
from seisloom.nn.table import Standard, class_weights, dealt


def table(n: int = 240, *, n_classes: int = 2) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Features of scales of their own, one that never changes and one that nobody knows; classes; events of four."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 7)) * [1, 10, 0.1, 1, 1, 0, np.nan] + 3
    margin = (x[:, 0] - 3) + (x[:, 1] - 3) ** 2 / 100 + 0.3 * rng.normal(size=n)
    label = np.digitize(margin, np.quantile(margin, np.linspace(0, 1, n_classes + 1)[1:-1]))
    return torch.from_numpy(x), torch.from_numpy(label), torch.arange(n) // 4


def scaled(x: torch.Tensor, own: torch.Tensor) -> np.ndarray:
    """What the first five columns are on the scale of some items; the others tell nothing."""
    values, known = x[:, :5].numpy(), own[:, :5].numpy()
    return np.asarray((values - known.mean(axis=0)) / known.std(axis=0))


def test_what_is_not_known_is_the_median_and_what_never_changes_is_nothing() -> None:
    x, _, _ = table()
    x[:41, 1] = torch.nan
    standard = Standard(7)
    standard.fit(x)
    found = standard(x)
    column = x[:, 1].numpy()
    filled = np.where(np.isnan(column), np.nanmedian(column), column)
    np.testing.assert_allclose(found[:, 1], (filled - filled.mean()) / filled.std(), atol=1e-12)
    assert bool((found[:, 5:] == 0).all())


def test_groups_are_dealt_whole_and_classes_are_spread() -> None:
    _, label, group = table()
    folds = dealt(label, group)
    assert len(folds) == 5
    assert sorted(torch.cat([own for _, own in folds]).tolist()) == list(range(len(label)))
    for others, own in folds:
        assert not set(group[others].tolist()) & set(group[own].tolist())
        assert set(label[own].tolist()) == {0, 1}
    assert dealt(label, torch.zeros_like(group)) == []


@pytest.mark.parametrize("is_balanced", [True, False])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_machine_that_was_stored_decides_as_that_of_scikit_learn(n_classes: int, is_balanced: bool) -> None:
    x, label, group = table(n_classes=n_classes)
    own = SupportVectors(7, n_classes)
    own.fit(x[:160], label[:160], is_balanced=is_balanced, groups=group[:160], cost=0.7)
    fresh = SupportVectors(7, n_classes)
    fresh.load_state_dict(load(save({name: one.contiguous() for name, one in own.state_dict().items()})))
    assert bool((fresh(x) == own(x)).all())
    # Bundles hold float32
    fresh.load_state_dict({name: one.float() for name, one in own.state_dict().items()})
    np.testing.assert_allclose(fresh(x), own(x), atol=1e-4)
    weight = "balanced" if is_balanced else None
    for k in range(n_classes):
        theirs = SVC(C=0.7, gamma=1 / 5, class_weight=weight).fit(scaled(x[:160], x[:160]), label[:160].numpy() == k)
        expected = theirs.decision_function(scaled(x[160:], x[:160]))
        # The solver stops at 1e-3 of its dual
        np.testing.assert_allclose(fresh.decision(x[160:])[:, k], expected, atol=5e-3)
    said = own(x[160:])
    np.testing.assert_allclose(said.exp().sum(dim=1), 1)
    assert float((said.argmax(dim=1) == label[160:]).double().mean()) > 0.7


def test_probabilities_of_a_machine_are_those_of_a_sigmoid_on_what_was_left_out() -> None:
    x, label, group = table()
    machine = SupportVectors(7, 2)
    machine.fit(x, label, is_balanced=True, groups=group)
    values, truth = [], []
    for others, own in dealt(label, group):
        theirs = SVC(C=1.0, gamma=1 / 5, class_weight="balanced").fit(scaled(x[others], x), label[others])
        values.append(theirs.decision_function(scaled(x[own], x)))
        truth.append(label[own])
    y = torch.cat(truth)
    platt = LogisticRegression().fit(
        np.concatenate(values)[:, None], y, sample_weight=class_weights(y, is_balanced=True)
    )
    z = platt.coef_[0, 0] * machine.decision(x)[:, 1].numpy() + platt.intercept_[0]
    np.testing.assert_allclose(machine(x)[:, 1], log_expit(z), atol=5e-3)
    np.testing.assert_allclose(machine(x)[:, 0], log_expit(-z), atol=5e-3)


def test_a_machine_of_noise_claims_nothing() -> None:
    x, label, group = table()
    machine = SupportVectors(7, 2)
    machine.fit(torch.randn(x.shape, generator=torch.Generator().manual_seed(0)), label, is_balanced=True, groups=group)
    # 240 drawn labels tell a slope to about a tenth
    assert float((machine(x[:, torch.randperm(7)]).exp() - 0.5).abs().max()) < 0.2


def test_a_class_that_was_not_there_is_all_but_impossible() -> None:
    x, label, group = table(n_classes=3)
    for one in (SupportVectors(7, 4), Logistic(7, 4)):
        one.fit(x, label, is_balanced=True, groups=group)
        assert float(one(x)[:, 3].exp().max()) < 0.01
        assert bool(one(x).isfinite().all())


def test_what_was_not_fitted_says_nothing() -> None:
    assert bool(SupportVectors(3, 2)(torch.zeros(1, 3)).isnan().all())
    assert bool(Logistic(3, 2)(torch.zeros(1, 3)).isnan().all())


@pytest.mark.parametrize("n_classes", [2, 3])
def test_logits_are_those_of_scikit_learn(n_classes: int) -> None:
    x, label, group = table(n_classes=n_classes)
    own = Logistic(7, n_classes)
    own.fit(x, label, is_balanced=True, groups=group, cost=0.1)
    theirs = LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000).fit(scaled(x, x), label)
    np.testing.assert_allclose(own(x).exp(), theirs.predict_proba(scaled(x, x)), atol=1e-4)


def test_the_penalty_is_large_where_there_is_nothing_to_learn() -> None:
    x, label, group = table()
    own = Logistic(7, 2)
    own.fit(x, label, is_balanced=True, groups=group)
    assert float(own.cost) > 1e-3
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    own.fit(noise, label, is_balanced=True, groups=group)
    assert float(own.cost) <= COSTS[3]
