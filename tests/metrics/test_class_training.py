"""Scores while training are those of the evaluation, whatever the batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seisloom.config import MetricConfig
from seisloom.metrics.class_training import MacroAuc, MacroF1
from seisloom.metrics.classes import auc_by_class, confusion, macro_f1


def seen(config: MetricConfig, logits: torch.Tensor, label: torch.Tensor, size: int) -> float:
    metric = config.build()
    for some, those in zip(logits.split(size), label.split(size), strict=True):
        metric.update({"logits": some}, {"label": those})
    return float(metric.compute())


@pytest.mark.parametrize("size", [7, 100])
def test_they_are_those_of_the_evaluation(size: int) -> None:
    rng = torch.Generator().manual_seed(0)
    logits = torch.randn(100, 4, generator=rng)
    label = torch.randint(-1, 3, (100,), generator=rng)  # class 3 never occurs
    logits += 1.5 * torch.nn.functional.one_hot(label.clamp(min=0), 4)
    known = (label >= 0).numpy()
    p, truth = logits.softmax(1).double().numpy()[known], label.numpy()[known]
    assert seen(MacroF1(), logits, label, size) == pytest.approx(macro_f1(confusion(truth, p.argmax(1), 4)), abs=1e-6)
    wanted = np.nanmean(auc_by_class(p / p.sum(1, keepdims=True), truth))
    assert seen(MacroAuc(), logits, label, size) == pytest.approx(wanted, abs=1e-6)


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
@pytest.mark.parametrize("config", [MacroF1(), MacroAuc()])
def test_nothing_seen_is_nan(config: MetricConfig) -> None:
    metric = config.build()
    assert metric.compute().isnan()
    metric.update({}, {"label": torch.zeros(2)})
    metric.update({"logits": torch.zeros(2, 3)}, {"label": torch.full((2,), -1)})
    assert metric.compute().isnan()
    metric.reset()
    with pytest.raises(ValueError, match="one class an item"):
        metric.update({"logits": torch.zeros(2, 3)}, {"label": torch.zeros(2, 3, 1)})


@pytest.mark.parametrize("config", [MacroF1(), MacroAuc()])
def test_shares_count_as_the_class_of_the_largest(config: MetricConfig) -> None:
    rng = torch.Generator().manual_seed(0)
    logits, label = torch.randn(40, 3, generator=rng), torch.randint(0, 3, (40,), generator=rng)
    shares = 0.9 * torch.nn.functional.one_hot(label, 3).float() + 0.1 / 3
    shares[5], label[5] = -1, -1
    one, other = config.build(), config.build()
    one.update({"logits": logits}, {"label": label})
    other.update({"logits": logits}, {"label": shares})
    assert float(one.compute()) == float(other.compute())


def test_a_single_class_has_an_f1_but_no_area() -> None:
    logits, label = torch.tensor([[2.0, 0.0], [1.0, 0.0]]), torch.zeros(2, dtype=torch.long)
    assert seen(MacroF1(), logits, label, 2) == 1
    assert np.isnan(seen(MacroAuc(), logits, label, 2))
