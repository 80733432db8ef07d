"""The one LightningModule: the sum of the terms, the learning rate, and steps that are skipped."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch

from seisloom.recipe import read_recipe
from seisloom.training.module import Module, sum_terms, warm_cosine


def test_the_loss_is_the_weighted_sum_of_its_terms() -> None:
    recipe = read_recipe("picking", ["loss=[{name: presence, weight: 2}, {name: onset_error, weight: 0.5}]"])
    terms = {"presence": torch.tensor(3.0), "onset_error": torch.tensor(4.0)}
    assert float(sum_terms(terms, recipe)) == 2 * 3 + 0.5 * 4


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
