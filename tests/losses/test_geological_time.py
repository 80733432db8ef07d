"""Relative time is known up to a constant and to the scale of its labels; horizons and throws are what counts."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from seisloom.losses.geological_time import EqualTime, RelativeTime, in_samples


def folded(n_trace: int = 12, n_time: int = 20) -> torch.Tensor:
    """A time that grows by 1 a sample, with relief: (1, trace, time)."""
    relief = 3 * torch.sin(torch.linspace(0, 3, n_trace))
    return (torch.arange(n_time) + relief[:, None])[None].double()


def term(predicted: torch.Tensor, label: torch.Tensor, **keys: Any) -> torch.Tensor:
    return RelativeTime(**keys)({"rgt": predicted}, {"rgt": label})


def test_constants_and_the_scale_of_labels_cost_nothing() -> None:
    truth = folded()
    assert float(term(truth + 7.5, truth * 0.01 + 3)) == pytest.approx(0, abs=1e-9)
    assert float(term(truth * 1.5, truth)) > 0.1


def test_a_step_costs_its_share_of_places_and_one_difference_a_trace() -> None:
    truth, size = folded(), 4.0
    thrown = truth.clone()
    thrown[:, 6:] += size
    # Around the mean half of the traces lie 2 samples above, half below; the unit is 2: smooth L1 of 1 is 0.5
    assert float(term(thrown, truth, differences=0.0)) == pytest.approx(0.5)
    # Of 11 steps between neighbours one is wrong, of 8 over four samples four are; none of 20 samples is that long
    assert float(term(thrown, truth, lags=(1,))) == pytest.approx(0.5 + (size / 2) / 11)
    assert float(term(thrown, truth, lags=(1, 4, 50))) == pytest.approx(0.5 + (size / 2) * (1 / 11 + 4 / 8) / 2)


def test_what_is_not_known_has_no_part() -> None:
    truth = folded()
    label = truth.clone()
    label[:, :, 10:] = torch.nan
    wrong = truth.clone()
    wrong[:, :, 10:] += 100
    wrong.requires_grad_()
    loss = term(wrong, label)
    loss.backward()  # type: ignore[no-untyped-call]
    assert float(loss.detach()) == pytest.approx(0, abs=1e-9)
    assert wrong.grad is not None
    assert bool(torch.isfinite(wrong.grad).all())
    nothing = term(wrong, torch.full_like(truth, torch.nan))
    assert float(nothing.detach()) == 0
    nothing.backward()  # type: ignore[no-untyped-call]


def test_the_gradient_is_that_of_the_term() -> None:
    truth = folded(5, 6)
    guess = (truth + 0.3 * torch.randn(truth.shape, generator=torch.Generator().manual_seed(0))).requires_grad_()
    assert torch.autograd.gradcheck(lambda one: term(one, truth), (guess,))


def test_labels_come_to_one_a_sample() -> None:
    truth = folded()
    known = torch.ones_like(truth, dtype=torch.bool)
    torch.testing.assert_close(in_samples(0.02 * truth, known), truth)


def test_a_horizon_costs_what_time_strays_along_it() -> None:
    rgt, horizon = torch.zeros(2, 1, 3, 4, requires_grad=True), torch.zeros(2, 1, 3, 4)
    horizon[0, 0, :, 1] = 1
    horizon[0, 0, :2, 3] = 2  # another horizon has a mean of its own, and so has the same number in another item
    horizon[1, 0, :, 1] = 1
    values = torch.zeros(2, 1, 3, 4)
    values[0, 0, :, 1] = torch.tensor([4.0, 5.0, 6.0])
    values[0, 0, :, 3] = torch.tensor([9.0, 9.0, 99.0])
    values[1, 0, :, 1] = 50.0
    found = EqualTime(unit_samples=1.0)({"rgt": rgt + values}, {"horizon": horizon})
    assert float(found.detach()) == pytest.approx((0.5 + 0 + 0.5) / 8)
    found.backward()
    assert rgt.grad is not None
    assert bool((rgt.grad[horizon == 0] == 0).all())
    assert rgt.grad[0, 0, :, 1].tolist() == pytest.approx([-1 / 8, 0, 1 / 8])


def test_a_batch_without_horizons_costs_nothing_and_has_a_gradient() -> None:
    rgt = torch.ones(2, 1, 3, 4, requires_grad=True)
    found = EqualTime()({"rgt": rgt}, {"horizon": torch.zeros(2, 1, 3, 4)})
    found.backward()
    assert float(found.detach()) == 0
    assert rgt.grad is not None
