"""The loss of a fault's orientation: what one plane has in two names costs nothing, angles cost their squared sine."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from seisloom.losses.orientation import FaultNormal, normal_of
from seisloom.metrics.orientation import normal_of as normal_of_arrays

TERM = FaultNormal()


def angles(*shape: int) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(0)
    dip, strike = (180 * torch.rand(*shape, dtype=torch.float64, generator=rng) for _ in range(2))
    return dip, strike


def batch(dip: Tensor, strike: Tensor, fault: Tensor | None = None) -> dict[str, Tensor]:
    return {"fault": torch.ones_like(dip) if fault is None else fault, "dip": dip, "strike": strike}


def value(normal: Tensor, of: dict[str, Tensor]) -> float:
    return float(TERM({"normal": normal}, of).detach())


def test_normals_are_those_of_the_metrics() -> None:
    dip, strike = angles(2, 4, 5)
    expected = normal_of_arrays(dip.numpy(), strike.numpy())
    np.testing.assert_allclose(normal_of(dip, strike).movedim(1, 0).numpy(), expected, atol=1e-14)


@pytest.mark.parametrize("factor", [1.0, -1.0, 0.003, -250.0])
def test_length_and_sign_of_a_normal_do_not_matter(factor: float) -> None:
    dip, strike = angles(2, 4, 5)
    assert value(factor * normal_of(dip, strike), batch(dip, strike)) == pytest.approx(0, abs=1e-12)


def test_a_plane_has_two_names() -> None:
    dip, strike = angles(1, 6)
    assert value(normal_of(180 - dip, strike + 180), batch(dip, strike)) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("angle", [0.0, 10.0, 45.0, 90.0])
def test_an_error_of_dip_costs_its_squared_sine(angle: float) -> None:
    dip, strike = angles(1, 6)
    found = value(normal_of(dip + angle, strike), batch(dip, strike))
    assert found == pytest.approx(math.sin(math.radians(angle)) ** 2, abs=1e-12)


def test_voxels_off_faults_do_not_matter_whatever_their_angles() -> None:
    dip, strike = angles(1, 6)
    fault = torch.tensor([[1.0, 1, 0, 0.5, -1, 1]], dtype=torch.float64)
    normal = torch.randn(1, 3, 6, dtype=torch.float64, requires_grad=True)
    dip[fault != 1] = torch.nan
    (grad,) = torch.autograd.grad(TERM({"normal": normal}, batch(dip, strike, fault)), normal)
    assert grad.isfinite().all()
    assert (grad.abs().sum(dim=1) > 0).tolist() == (fault == 1).tolist()


def test_no_fault_is_zero_with_a_gradient() -> None:
    dip, strike = angles(1, 6)
    normal = torch.randn(1, 3, 6, requires_grad=True)
    loss = TERM({"normal": normal}, batch(dip, strike, torch.zeros_like(dip)))
    (grad,) = torch.autograd.grad(loss, normal)
    assert (float(loss.detach()), float(grad.abs().max())) == (0.0, 0.0)


def test_a_normal_of_no_length_is_as_bad_as_can_be_and_finite() -> None:
    dip, strike = angles(1, 6)
    normal = torch.zeros(1, 3, 6, requires_grad=True)
    loss = TERM({"normal": normal}, batch(dip, strike))
    (grad,) = torch.autograd.grad(loss, normal)
    assert float(loss.detach()) == 1
    assert grad.isfinite().all()


def test_gradients_are_those_of_finite_differences() -> None:
    dip, strike = angles(1, 2, 3)
    rng = torch.Generator().manual_seed(1)
    normal = torch.randn(1, 3, 2, 3, dtype=torch.float64, generator=rng).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: TERM({"normal": x}, batch(dip, strike)), normal)


def test_a_volume_of_one_inline_is_its_section() -> None:
    dip, strike = angles(2, 4, 5)
    normal = torch.randn(2, 3, 4, 5, dtype=torch.float64)
    assert value(normal[:, :, None], batch(dip[:, None], strike[:, None])) == value(normal, batch(dip, strike))


def test_in_a_section_the_best_output_lies_along_the_normal_s_part_within_it() -> None:
    dip, strike = angles(1, 1)
    within = normal_of(dip, strike)
    within[:, 2] = 0
    unseen = float(normal_of(dip, strike)[0, 2, 0] ** 2)
    assert value(within, batch(dip, strike)) == pytest.approx(unseen, rel=1e-10)
    turned = torch.stack([within[:, 0] + 0.01, within[:, 1], within[:, 2]], dim=1)
    assert value(turned, batch(dip, strike)) > unseen
