"""A field from its steps: the least squares of the tiles' own solver, with gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seisloom.inference.integrate import increments, integrate
from seisloom.nn.integral import integral


@pytest.mark.parametrize("shape", [(7,), (5, 9), (4, 1, 6), (3, 8, 5), (1, 64, 48)])
def test_it_is_the_least_squares_of_the_solver_of_volumes(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    steps = rng.normal(size=(2, len(shape), *shape))
    found = integral(torch.from_numpy(steps)).numpy()
    for item, one in zip(steps, found, strict=True):
        np.testing.assert_allclose(one, integrate(list(item)), atol=1e-9)


def test_steps_of_a_field_give_it_back_up_to_its_mean() -> None:
    field = np.random.default_rng(1).normal(size=(3, 5, 8)).cumsum(axis=-1)
    steps = torch.from_numpy(np.stack(increments(field)))[None].float()
    np.testing.assert_allclose(integral(steps)[0], field - field.mean(), atol=1e-4)


def test_it_has_gradients_and_keeps_its_digits_in_half_precision() -> None:
    steps = torch.randn(1, 2, 5, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert torch.autograd.gradcheck(integral, (steps,))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = integral(steps.detach().bfloat16())
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, integral(steps.detach().bfloat16().float()))
