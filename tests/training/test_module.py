"""The one LightningModule: the sum of the terms, the learning rate, and steps that are skipped."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch

from seisloom.recipe import read_recipe
from seisloom.training.module import Module, bounded, loss_terms, sum_terms, warm_cosine


def test_the_loss_is_the_weighted_sum_of_its_terms() -> None:
    recipe = read_recipe("picking", ["loss=[{name: presence, weight: 2}, {name: onset_error, weight: 0.5}]"])
    terms = {"presence": torch.tensor(3.0), "onset_error": torch.tensor(4.0)}
    assert float(sum_terms(terms, recipe)) == 2 * 3 + 0.5 * 4


def test_two_terms_of_one_name_are_two_terms() -> None:
    recipe = read_recipe("interpretation", ["loss=[{name: l1, weight: 2}, {name: l1, output: rgt}, {name: l2}]"])
    arrays = {"dhr": torch.zeros(1, 4), "rgt": torch.zeros(1, 4)}
    outputs = {"dhr": torch.full((1, 4), 3.0), "rgt": torch.full((1, 4), 5.0)}
    terms = loss_terms(outputs, arrays, recipe)
    assert {name: float(one) for name, one in terms.items()} == {"l1": 3.0, "l1_2": 5.0, "l2": 9.0}
    assert float(sum_terms(terms, recipe)) == 2 * 3 + 5 + 9
    with pytest.raises(KeyError, match="'l1', 'rgt'"):
        loss_terms({"dhr": outputs["dhr"]}, arrays, recipe)


def test_learnt_weights_become_the_reciprocals_of_their_terms() -> None:
    """Of constant terms: exp(-s) L + s is least at s = log L (Kendall et al. 2018)."""
    recipe = read_recipe(
        "picking", ["loss=[{name: presence}, {name: onset_error, weight: 0.5}]", "train.learn_weights=true"]
    )
    module = Module(Straight(), recipe)
    assert module.log_variances is not None
    assert not [name for name in Module(Straight(), read_recipe("picking")).state_dict() if "log" in name]
    terms = {"presence": torch.tensor(5.0), "onset_error": torch.tensor(0.2)}
    assert float(sum_terms(terms, recipe, module.log_variances).detach()) == pytest.approx(5 + 0.1)
    optimizer = torch.optim.Adam([module.log_variances], lr=0.05)
    for _ in range(400):
        optimizer.zero_grad()
        sum_terms(terms, recipe, module.log_variances).backward()
        optimizer.step()
    assert (-bounded(module.log_variances)).exp().tolist() == pytest.approx([1 / 5, 5], rel=0.01)


@pytest.mark.parametrize("n_steps", [1, 7, 100, 5000])
def test_the_learning_rate_rises_then_falls_to_its_floor(n_steps: int) -> None:
    factors = [warm_cosine(step, n_steps) for step in range(n_steps + 1)]
    top = factors.index(max(factors))
    assert max(factors) == pytest.approx(1.0)
    assert all(a < b for a, b in pairwise(factors[: top + 1]))
    assert all(a >= b for a, b in pairwise(factors[top:]))
    assert top <= max(math.ceil(0.05 * n_steps), 1)
    assert min(factors) > 0
    assert warm_cosine(n_steps, n_steps) == pytest.approx(0.01 if n_steps > 1 else factors[-1])
    assert warm_cosine(10 * n_steps, n_steps) == pytest.approx(0.01)


class Straight(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(2, 2))
        self.bias = torch.nn.Parameter(torch.ones(2))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_step_whose_gradient_is_not_finite_is_skipped_and_counted(
    bad: float, caplog: pytest.LogCaptureFixture
) -> None:
    module = Module(Straight(), read_recipe("picking", ["train.max_non_finite=2"]))
    optimizer = torch.optim.SGD(module.parameters(), lr=1.0)
    for step in (1, 2):
        module.network.weight.grad = torch.full((2, 2), bad)
        module.network.bias.grad = torch.ones(2)
        with caplog.at_level("WARNING", "seisloom"):
            module.on_before_optimizer_step(optimizer)
        optimizer.step()
        assert module.n_non_finite == step
        assert f"step skipped ({step} so far)" in caplog.text
    assert bool((module.network.weight == 1).all())
    assert bool((module.network.bias == 1).all()), "no parameter moves in a skipped step"
    module.network.weight.grad = torch.full((2, 2), bad)
    with pytest.raises(RuntimeError, match="3 batches had a non-finite loss"):
        module.on_before_optimizer_step(optimizer)


def test_a_finite_gradient_is_left_alone() -> None:
    module = Module(Straight(), read_recipe("picking"))
    module.network.weight.grad = torch.ones(2, 2)
    module.on_before_optimizer_step(torch.optim.SGD(module.parameters(), lr=1.0))
    assert module.n_non_finite == 0
    assert module.network.weight.grad is not None
