"""Second differences against polynomials and sines."""

from __future__ import annotations

import math

import pytest
import torch

from seisloom.losses.stencils import Order, gain, inner, radius, second_difference, symbol

ORDERS: list[Order] = [2, 4, 8]


@pytest.mark.parametrize("order", ORDERS)
def test_polynomials_up_to_one_above_the_order_have_their_exact_second_derivative(order: Order) -> None:
    x = torch.arange(-8, 9, dtype=torch.float64)
    within = inner(x, 0, radius(order))
    for power in range(order + 2):
        wanted = power * (power - 1) * within ** (power - 2) if power > 1 else torch.zeros_like(within)
        torch.testing.assert_close(second_difference(x**power, 0, order), wanted, rtol=1e-9, atol=1e-5)
    beyond = second_difference(x ** (order + 2), 0, order) - (order + 2) * (order + 1) * within**order
    assert float(beyond.abs().max()) > 0.5


@pytest.mark.parametrize("order", ORDERS)
def test_a_sine_is_multiplied_by_the_symbol(order: Order) -> None:
    n = torch.arange(40, dtype=torch.float64)
    for theta in (0.1, 1.0, 3.0):
        sine = torch.sin(theta * n + 0.3)
        factor = symbol(torch.tensor(theta, dtype=torch.float64), order)
        torch.testing.assert_close(second_difference(sine, 0, order), -factor * inner(sine, 0, radius(order)))


@pytest.mark.parametrize(("order", "leading"), [(2, 12), (4, 90), (8, 3150)])
def test_the_error_is_the_published_leading_term(order: Order, leading: float) -> None:
    theta = torch.tensor(0.3, dtype=torch.float64)
    error = 1 - float(symbol(theta, order)) / 0.3**2
    assert error == pytest.approx(0.3**order / leading, rel=0.03)  # the next term is theta^2 times as large


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_any_axis_is_taken_and_only_it_becomes_shorter(axis: int) -> None:
    values = torch.randn(11, 12, 13, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = second_difference(values, axis, 4)
    torch.testing.assert_close(found, second_difference(values.movedim(axis, 0), 0, 4).movedim(0, axis))
    assert found.shape[axis] == values.shape[axis] - 4


@pytest.mark.parametrize("order", ORDERS)
def test_white_noise_becomes_louder_by_the_gain(order: Order) -> None:
    noise = torch.randn(200_000, generator=torch.Generator().manual_seed(0))
    assert float(second_difference(noise, 0, order).std()) == pytest.approx(gain(order), rel=0.01)  # 3 / sqrt(n)
    assert gain(2) == pytest.approx(math.sqrt(6))
