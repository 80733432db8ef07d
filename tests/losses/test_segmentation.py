"""Losses of a fault mask against closed forms, and what is not known left out."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from seisloom.config import LossTerm
from seisloom.losses.segmentation import BalancedCrossEntropy, Dice, Focal

TERMS: list[LossTerm] = [
    BalancedCrossEntropy(), BalancedCrossEntropy(pos_weight=3), Focal(), Dice(), Dice(skip_empty=True),
]  # fmt: skip


def logits(probability: list[float]) -> Tensor:
    return torch.tensor([probability], dtype=torch.float64).logit().requires_grad_()


def value(term: LossTerm, logit: Tensor, label: Tensor | list[float]) -> float:
    fault = label if isinstance(label, Tensor) else torch.tensor([label], dtype=torch.float64)
    return float(term({"fault": logit}, {"fault": fault}).detach())


def drawn(*shape: int) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(0)
    logit = torch.randn(*shape, dtype=torch.float64, generator=rng)
    return logit, torch.randint(-1, 2, shape, generator=rng).double()


@pytest.mark.parametrize("term", TERMS, ids=str)
def test_a_sure_and_right_answer_costs_nothing(term: LossTerm) -> None:
    _, label = drawn(2, 5, 6)
    assert value(term, torch.where(label == 1, 60.0, -60.0), label) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("term", TERMS, ids=str)
def test_voxels_that_nobody_knows_do_not_matter(term: LossTerm) -> None:
    logit, label = drawn(2, 5, 6)
    other = torch.where(label < 0, logit + 7, logit)
    assert value(term, other, label) == value(term, logit, label)
    leaf = logit.clone().requires_grad_()
    (grad,) = torch.autograd.grad(term({"fault": leaf}, {"fault": label}), leaf)
    assert not grad[label < 0].any()
    assert bool(grad[label >= 0].any())


@pytest.mark.parametrize("term", TERMS, ids=str)
def test_nothing_known_is_zero_with_a_gradient(term: LossTerm) -> None:
    leaf = torch.randn(2, 4, 4, requires_grad=True)
    loss = term({"fault": leaf}, {"fault": torch.full((2, 4, 4), -1.0)})
    (grad,) = torch.autograd.grad(loss, leaf)
    assert (float(loss.detach()), float(grad.abs().max())) == (0.0, 0.0)


@pytest.mark.parametrize("term", TERMS, ids=str)
def test_gradients_are_those_of_finite_differences(term: LossTerm) -> None:
    logit, label = drawn(2, 3, 4)
    assert torch.autograd.gradcheck(lambda x: term({"fault": x}, {"fault": label}), logit.requires_grad_())


@pytest.mark.parametrize("term", TERMS, ids=str)
def test_a_volume_of_one_inline_is_its_section(term: LossTerm) -> None:
    logit, label = drawn(2, 5, 6)
    assert value(term, logit[:, None], label[:, None]) == value(term, logit, label)


@pytest.mark.parametrize("term", TERMS, ids=str)
def test_half_precision_and_whole_numbers_are_taken(term: LossTerm) -> None:
    logit, label = drawn(2, 5, 6)
    # bfloat16 keeps 8 bits of each logit
    assert value(term, logit.bfloat16(), label.to(torch.int8)) == pytest.approx(value(term, logit, label), rel=0.02)


def test_alike_weight_is_one_and_the_plain_cross_entropy() -> None:
    logit, label = drawn(3, 4, 5)
    known = label >= 0
    plain = functional.binary_cross_entropy_with_logits(logit[known], label[known])
    assert value(BalancedCrossEntropy(pos_weight=1), logit, label) == pytest.approx(float(plain), rel=1e-12)


def test_without_a_weight_both_classes_weigh_alike() -> None:
    # One voxel on a fault with p = 0.2, four off it with p = 0.1: half of each class's mean
    found = value(BalancedCrossEntropy(), logits([0.2, 0.1, 0.1, 0.1, 0.1]), [1, 0, 0, 0, 0])
    assert found == pytest.approx(-0.5 * (math.log(0.2) + math.log(0.9)), rel=1e-12)
    held = value(BalancedCrossEntropy(max_pos_weight=2), logits([0.2, 0.1, 0.1, 0.1, 0.1]), [1, 0, 0, 0, 0])
    assert held == pytest.approx(-(2 * math.log(0.2) + 4 * math.log(0.9)) / 6, rel=1e-12)


def test_a_batch_without_a_fault_still_teaches() -> None:
    assert value(BalancedCrossEntropy(), logits([0.2, 0.2]), [0, 0]) == pytest.approx(-math.log(0.8), rel=1e-12)


def test_the_focal_term_is_the_paper_s() -> None:
    found = value(Focal(gamma=2, alpha=0.25), logits([0.7, 0.4]), [1, 0])
    wanted = -0.25 * 0.3**2 * math.log(0.7) - 0.75 * 0.4**2 * math.log(0.6)
    assert found == pytest.approx(wanted / 2, rel=1e-12)


def test_dice_is_of_each_item_and_not_of_the_batch() -> None:
    logit = torch.tensor([[60.0, 60, 60, 60], [60, -60, -60, -60]], dtype=torch.float64)
    label = torch.tensor([[1.0, 1, 1, 1], [0, 1, 0, 0]], dtype=torch.float64)
    # The first is right; the second misses: (0 + 1) / (1 + 1 + 1)
    assert value(Dice(), logit, label) == pytest.approx((0 + 2 / 3) / 2, rel=1e-12)


def test_an_item_without_faults_counts_unless_it_is_skipped() -> None:
    logit, label = logits([0.5, 0.5]), [0.0, 0.0]
    assert value(Dice(), logit, label) == pytest.approx(1 - 1 / 2)
    assert value(Dice(skip_empty=True), logit, label) == 0
