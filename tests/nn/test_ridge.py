"""The closed form against refits that leave items and events out, and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge, RidgeClassifier
from torch import Tensor

from seisloom.nn.ridge import RidgeHead

PENALTIES = (0.1, 1.0, 10.0, 100.0)


def drawn(n: int, n_features: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(seed)
    label = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    label[:3] = [0, 1, 2]
    x = rng.normal(size=(n, n_features)) * rng.uniform(0.1, 10, n_features) + rng.normal(size=n_features)
    x[:, :3] += 1.5 * np.eye(3)[label]
    return torch.from_numpy(x), torch.from_numpy(label)


def scaled(x: Tensor) -> np.ndarray:
    return ((x - x.mean(0)) / x.std(0, correction=0)).numpy()


@pytest.mark.parametrize("shape", [(40, 7), (25, 60)])
@pytest.mark.parametrize("class_weight", [None, (1.0, 2.0, 5.0)])
@pytest.mark.parametrize("grouped", [False, True])
def test_errors_are_those_of_refits_without_the_items(
    shape: tuple[int, int], class_weight: tuple[float, ...] | None, grouped: bool
) -> None:
    x, label = drawn(*shape)
    groups = torch.from_numpy(np.random.default_rng(1).integers(0, 8, len(x))) if grouped else None
    found = RidgeHead(shape[1], 3).fit(x, label, class_weight, groups=groups, penalties=PENALTIES)
    member = np.arange(len(x)) if groups is None else groups.numpy()
    weights = np.ones(len(x)) if class_weight is None else np.array(class_weight)[label.numpy()]
    y, z = 2 * np.eye(3)[label.numpy()] - 1, scaled(x)
    for penalty, error in zip(PENALTIES, found, strict=True):
        said = np.empty_like(y)
        for one in np.unique(member):
            fitted = Ridge(alpha=penalty).fit(z[member != one], y[member != one], sample_weight=weights[member != one])
            said[member == one] = fitted.predict(z[member == one])
        mean = weights @ y / weights.sum()
        along, size_said, size = (
            (weights[:, None] * a * b).sum()
            for a, b in ((y - mean, said - mean), (said - mean, said - mean), (y - mean, y - mean))
        )
        assert float(error) == pytest.approx(1 - max(along, 0) ** 2 / size_said / size)


@pytest.mark.parametrize("shape", [(40, 7), (25, 60)])
def test_logits_are_those_of_scikit_learn(shape: tuple[int, int]) -> None:
    x, label = drawn(*shape)
    head = RidgeHead(shape[1], 3).double()
    head.fit(x, label, penalties=PENALTIES)
    oracle = RidgeClassifier(alpha=float(head.penalty)).fit(scaled(x), label.numpy())
    np.testing.assert_allclose(head(x), oracle.decision_function(scaled(x)), rtol=1e-8, atol=1e-10)


def test_events_that_come_in_copies_want_a_stronger_penalty() -> None:
    x, label = drawn(30, 200, seed=2)
    rng = torch.Generator().manual_seed(0)
    copies = x.repeat_interleave(6, dim=0) + 0.1 * x.std() * torch.randn(180, 200, generator=rng, dtype=torch.float64)
    event = torch.arange(30).repeat_interleave(6)
    alone, together = RidgeHead(200, 3), RidgeHead(200, 3)
    error_alone = alone.fit(copies, label.repeat_interleave(6))
    error_together = together.fit(copies, label.repeat_interleave(6), groups=event)
    assert float(together.penalty) >= float(alone.penalty)
    assert float(error_alone.min()) < 0.7 * float(error_together.min())


def test_few_difficult_events_do_not_end_in_logits_of_nothing() -> None:
    rng = np.random.default_rng(4)
    event = np.repeat(np.arange(40), 8)
    label = torch.from_numpy((event < 8).astype(int))
    # Weak signs of the class among many that are the event's own
    x = torch.from_numpy(rng.normal(size=(40, 300))[event] + 0.3 * rng.normal(size=(320, 300)))
    x[:, :15] += 0.6 * label[:, None]
    head = RidgeHead(300, 2).double()
    error = head.fit(x, label, (1.0, 4.0), groups=torch.from_numpy(event))
    assert float(head.penalty) < 1e5
    assert float(head(x).std()) > 0.1
    assert 0 < float(error.min()) < 1


def test_a_rare_class_with_weight_is_found_more_often() -> None:
    rng = np.random.default_rng(0)
    label = torch.from_numpy((rng.random(600) < 0.06).astype(int))
    x = torch.from_numpy(rng.normal(size=(600, 4)))
    x[:, 0] += 1.5 * label
    plain, weighted = RidgeHead(4, 2).double(), RidgeHead(4, 2).double()
    plain.fit(x, label)
    weighted.fit(x, label, (1.0, 15.0))
    found = [float((head(x).argmax(1)[label == 1] == 1).double().mean()) for head in (plain, weighted)]
    assert found[0] < 0.3
    assert found[1] > 0.6


def test_features_that_never_change_and_unknown_labels_do_not_matter() -> None:
    x, label = drawn(40, 7)
    more = torch.cat([x, torch.full((40, 1), 1e8 / 3, dtype=torch.float64)], dim=1)
    more = torch.cat([more, 100 + more[:5]])
    head, plain = RidgeHead(8, 3).double(), RidgeHead(7, 3).double()
    head.fit(more, torch.cat([label, torch.full((5,), -1)]))
    plain.fit(x, label)
    torch.testing.assert_close(head(more[:40]), plain(x), rtol=0, atol=1e-9)


def test_it_is_known_whether_it_was_fitted() -> None:
    assert bool(RidgeHead(4, 2)(torch.zeros(1, 4)).isnan().all())
    head = RidgeHead(4, 2)
    with pytest.raises(ValueError, match="at least two classes"):
        head.fit(torch.randn(5, 4), torch.zeros(5, dtype=torch.long))
    with pytest.raises(ValueError, match="1 items have features"):
        head.fit(torch.tensor([[1.0, 2, 3, 4], [0, 0, 0, float("nan")]]), torch.tensor([0, 1]))
    with pytest.raises(ValueError, match=r"give \(item, 4\)"):
        head.fit(torch.randn(5, 3), torch.arange(5) % 2)
    with pytest.raises(ValueError, match="of one group"):
        head.fit(torch.randn(5, 4), torch.arange(5) % 2, groups=torch.zeros(5))
