"""Losses between images against another code's SSIM and closed forms, and what is not known left out."""

from __future__ import annotations

from typing import Literal

import pytest
import torch
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

from seisloom.config import LossTerm
from seisloom.losses.image import AbsoluteError, RgtOrder, SquaredError, Ssim, SsimL1, SsimL2, ssim_map
from seisloom.metrics.image import ssim

TERMS: list[LossTerm] = [
    AbsoluteError(), SquaredError(), Ssim(), Ssim(value_range="span"), SsimL2(), SsimL1(), SsimL1(fit=False),
]  # fmt: skip
SIZES = [(2, 14, 17), (2, 13, 12, 15)]


def images(*shape: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(seed)
    target = torch.randn(*shape, dtype=torch.float64, generator=rng)
    return target + 0.5 * torch.randn(*shape, dtype=torch.float64, generator=rng), target


def loss(term: LossTerm, predicted: Tensor, target: Tensor) -> Tensor:
    return term({"dhr": predicted, "rgt": predicted}, {"dhr": target, "rgt": target})


@pytest.mark.parametrize("size", SIZES)
def test_ssim_is_that_of_torchmetrics(size: tuple[int, ...]) -> None:
    predicted, target = images(*size)
    found = ssim_map(predicted, target, value_range=torch.full((2,), 3.0, dtype=torch.float64))
    _, theirs = structural_similarity_index_measure(
        predicted[:, None], target[:, None], sigma=1.5, data_range=3.0, return_full_image=True
    )
    # Theirs goes on to the edges, where it sees the mirrored image
    inside = (slice(None), *(slice(5, -5),) * (len(size) - 1))
    torch.testing.assert_close(found, theirs[:, 0][inside], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("size", [*SIZES, (1, 1, 20, 20), (1, 4, 20, 20)])
def test_ssim_is_that_of_the_metrics(size: tuple[int, ...]) -> None:
    predicted, target = images(*size)
    target[0, ..., 0, 0] = torch.nan
    known = torch.isfinite(target[0])
    expected = ssim(predicted[:1].numpy()[0], target[:1].nan_to_num().numpy()[0], known=known.numpy())
    assert float(loss(Ssim(), predicted[:1], target[:1])) == pytest.approx(1 - expected, rel=1e-9)


def test_single_precision_is_enough_far_from_zero() -> None:
    predicted, target = images(1, 20, 20)
    exact = loss(Ssim(value_range="span"), predicted + 1000, target + 1000)
    # Seven digits of 1000 leave four of values about 1
    single = loss(Ssim(value_range="span"), (predicted + 1000).float(), (target + 1000).float())
    assert float(single) == pytest.approx(float(exact), abs=1e-3)


@pytest.mark.parametrize("term", TERMS, ids=str)
def test_the_same_image_costs_nothing(term: LossTerm) -> None:
    _, target = images(2, 14, 17)
    assert float(loss(term, target.clone(), target)) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("term", TERMS, ids=str)
def test_samples_that_nobody_knows_do_not_matter(term: LossTerm) -> None:
    predicted, target = images(2, 26, 17)
    target[0, :5, :9] = torch.nan
    unknown = target.isnan()
    found = loss(term, predicted, target)
    assert float(found) == float(loss(term, torch.where(unknown, predicted + 50, predicted), target))
    leaf = predicted.clone().requires_grad_()
    (grad,) = torch.autograd.grad(loss(term, leaf, target), leaf)
    assert bool(grad.isfinite().all())
    assert bool(grad.any())
    assert not grad[unknown].any()


@pytest.mark.parametrize("term", TERMS, ids=str)
def test_nothing_known_is_zero_with_a_gradient(term: LossTerm) -> None:
    leaf = torch.randn(2, 12, 12, requires_grad=True)
    found = loss(term, leaf, torch.full((2, 12, 12), torch.nan))
    (grad,) = torch.autograd.grad(found, leaf)
    assert (float(found.detach()), float(grad.abs().max())) == (0.0, 0.0)


@pytest.mark.parametrize("term", TERMS, ids=str)
def test_a_constant_label_leaves_everything_finite(term: LossTerm) -> None:
    leaf = torch.randn(2, 12, 12, requires_grad=True)
    for target in (torch.zeros(2, 12, 12), torch.full((2, 12, 12), 3.0)):
        (grad,) = torch.autograd.grad(loss(term, leaf, target), leaf)
        assert bool(grad.isfinite().all())


@pytest.mark.parametrize("term", TERMS, ids=str)
@pytest.mark.parametrize("size", [(2, 3, 4), (1, 3, 2, 3)])
def test_gradients_are_those_of_finite_differences(term: LossTerm, size: tuple[int, ...]) -> None:
    predicted, target = images(*size)
    assert torch.autograd.gradcheck(lambda x: loss(term, x, target), predicted.requires_grad_())


@pytest.mark.parametrize("term", TERMS, ids=str)
@pytest.mark.parametrize("axis", [1, 2])
def test_a_volume_of_one_inline_is_its_section(term: LossTerm, axis: Literal[1, 2]) -> None:
    predicted, target = images(2, 14, 17)
    of_volume = loss(term, predicted.unsqueeze(axis), target.unsqueeze(axis))
    assert float(of_volume) == pytest.approx(float(loss(term, predicted, target)), rel=1e-12)


def test_errors_are_means_over_what_is_known() -> None:
    target = torch.tensor([[1.0, 2.0, torch.nan, 4.0]])
    predicted = torch.tensor([[2.0, 2.0, 9.0, 1.0]])
    assert float(loss(AbsoluteError(), predicted, target)) == pytest.approx(4 / 3)
    assert float(loss(SquaredError(output="rgt"), predicted, target)) == pytest.approx(10 / 3)


def test_the_sum_of_two_terms_is_their_sum() -> None:
    predicted, target = images(2, 14, 17)
    apart = 2 * loss(Ssim(), predicted, target) + 3 * loss(SquaredError(), predicted, target)
    assert float(loss(SsimL2(ssim=2, l2=3), predicted, target)) == pytest.approx(float(apart), rel=1e-12)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_time_is_known_up_to_constant_and_unit(scale: float) -> None:
    predicted, target = images(2, 14, 17)
    plain = float(loss(SsimL1(), predicted, target))
    assert float(loss(SsimL1(), scale * predicted - 7 * scale, target)) == pytest.approx(plain, rel=1e-9)
    assert float(loss(SsimL1(), predicted, scale * target)) == pytest.approx(plain, rel=1e-9)
    assert float(loss(SsimL1(), scale * target + 5 * scale, target)) == pytest.approx(0, abs=1e-9)


def test_a_flat_answer_is_no_answer_however_it_is_fitted() -> None:
    _, target = images(2, 14, 17)
    assert float(loss(SsimL1(), torch.full_like(target, 3.0), target)) > 0.5


def test_order_counts_decreases_away_from_faults_alone() -> None:
    rgt = torch.tensor([[0.0, 1.0, 0.5, 2.0, 1.0, 3.0]])
    fault = torch.tensor([[0.0, 0.0, 0.0, 0.0, 1.0, -1.0]])
    # Steps 1, -0.5, 1.5 count; those that touch a fault or what nobody knows do not
    assert float(RgtOrder()({"rgt": rgt}, {"fault": fault})) == pytest.approx(0.5 / 3)
    assert float(RgtOrder()({"rgt": rgt}, {})) == pytest.approx(1.5 / 5)
    assert float(RgtOrder(min_step=1.25)({"rgt": rgt}, {"fault": fault})) == pytest.approx((0.25 + 1.75) / 3)
    leaf = rgt.requires_grad_()
    silent = RgtOrder()({"rgt": leaf}, {"fault": torch.full_like(fault, -1)})
    (grad,) = torch.autograd.grad(silent, leaf)
    assert (float(silent.detach()), float(grad.abs().max())) == (0.0, 0.0)


def test_order_has_the_gradient_of_finite_differences() -> None:
    rgt = torch.randn(2, 3, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: RgtOrder(min_step=0.3)({"rgt": x}, {}), rgt)
