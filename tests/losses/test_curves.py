"""Losses of curves against closed forms: where they are least, and which points they count."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from seisloom.losses.curves import CurveDistribution, CurveError, CurvePresence, balanced, mode_weights

C = torch.tensor(np.geomspace(100, 400, 64), dtype=torch.float32)
NAN = float("nan")


def batch(curves: list[float], visible: list[int]) -> dict[str, Tensor]:
    return {
        "curves": torch.tensor(curves)[None, None],
        "visible": torch.tensor(visible, dtype=torch.int8)[None, None],
        "velocity_m_s": C[None],
    }


def test_a_mode_counts_in_full_where_visible_a_little_where_hidden_and_not_where_there_is_none() -> None:
    weights = mode_weights(batch([200.0, 200.0, NAN, 500.0], [1, 0, 0, 0]), hidden=0.1)
    torch.testing.assert_close(weights, torch.tensor([[[1.0, 0.1, 0.0, 0.0]]]))


def test_cross_entropy_is_least_at_the_wanted_distribution_and_is_its_entropy_there() -> None:
    term = CurveDistribution(width=0.05)
    truth = 200.0
    wanted = torch.softmax(-0.5 * ((C.log() - math.log(truth)) / 0.05) ** 2, dim=0)
    best = wanted.log()[None, None, None].requires_grad_()
    value = term({"logit": best}, batch([truth], [1]))
    assert float(value.detach()) == pytest.approx(float(-(wanted * wanted.log()).sum()), rel=1e-5)
    value.backward()  # type: ignore[no-untyped-call]
    assert best.grad is not None
    assert float(best.grad.abs().max()) < 1e-6
    flat = term({"logit": torch.zeros(1, 1, 1, 64)}, batch([truth], [1]))
    assert float(flat) == pytest.approx(math.log(64), rel=1e-5)


def test_errors_count_in_units_up_to_a_limit_and_only_where_visible() -> None:
    term = CurveError(unit=0.02, limit=0.1)
    found = {"velocity": (200 * torch.tensor([math.exp(0.01), math.exp(0.5), 3.0]))[None, None].requires_grad_()}
    value = term(found, batch([200.0, 200.0, 200.0], [1, 1, 0]))
    assert float(value.detach()) == pytest.approx((0.5 + 5) / 2, rel=1e-4)
    value.backward()  # type: ignore[no-untyped-call]
    assert found["velocity"].grad is not None
    assert (found["velocity"].grad[0, 0] != 0).tolist() == [True, False, False]


def test_nothing_visible_is_no_error_and_has_a_gradient() -> None:
    logit = torch.zeros(1, 1, 2, 64, requires_grad=True)
    velocity = torch.full((1, 1, 2), 150.0, requires_grad=True)
    empty = batch([NAN, NAN], [0, 0])
    total = CurveDistribution()({"logit": logit}, empty) + CurveError()({"velocity": velocity}, empty)
    total.backward()  # type: ignore[no-untyped-call]
    assert float(total.detach()) == 0
    assert logit.grad is not None
    assert not bool(logit.grad.any())


def test_modes_count_alike_however_few_points_they_have() -> None:
    weight = torch.tensor([[[1.0, 1, 1, 1], [1, 0, 0, 0], [0, 0, 0, 0]]])
    torch.testing.assert_close(balanced(weight, 0.0), weight)
    alike = balanced(weight, 1.0)
    torch.testing.assert_close(alike.sum(dim=(0, 2)), torch.tensor([2.5, 2.5, 0.0]))
    half = balanced(weight, 0.5)
    torch.testing.assert_close(half[0, 1, 0] / half[0, 0, 0], torch.tensor(2.0))
    assert float(half.sum()) == pytest.approx(5)


def test_presence_is_the_cross_entropy_of_visible() -> None:
    outputs = {"presence": torch.tensor([[[2.0, -1.0]]])}
    wanted = (math.log1p(math.exp(-2)) + math.log1p(math.exp(-1))) / 2
    assert float(CurvePresence()(outputs, batch([200.0, 200.0], [1, 0]))) == pytest.approx(wanted, rel=1e-6)
