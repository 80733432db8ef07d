"""The data term: what counts, and how much, in closed form."""

from __future__ import annotations

import math

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from seisloom.losses.reconstruction import Reconstruction


def batch() -> dict[str, Tensor]:
    """Three traces: live, dead, and dead in the source itself."""
    truth = torch.zeros(1, 1, 3, 4, dtype=torch.float64)
    truth[:, :, 2] = torch.nan
    return {
        "clean": truth,
        "live": torch.tensor([[[1.0, 0.0, 0.0]]]),
        "known": torch.tensor([[[1.0, 1.0, 0.0]]]),
    }


def output() -> Tensor:
    return torch.tensor([2.0, 3.0, 100.0], dtype=torch.float64)[None, None, :, None].expand(1, 1, 3, 4).clone()


@pytest.mark.parametrize(
    ("kind", "sizes"),
    [("l1", (2.0, 3.0)), ("l2", (4.0, 9.0)), ("charbonnier", (math.hypot(2, 0.1) - 0.1, math.hypot(3, 0.1) - 0.1))],
)
@pytest.mark.parametrize(("missing", "kept"), [(1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (3.0, 0.5)])
def test_it_is_the_weighted_mean_over_known_traces(
    kind: str, sizes: tuple[float, float], missing: float, kept: float
) -> None:
    term = Reconstruction.model_validate({"kind": kind, "epsilon": 0.1, "missing": missing, "kept": kept})
    given = output().requires_grad_()
    value = term({"clean": given}, batch())
    wanted = (kept * sizes[0] + missing * sizes[1]) / (kept + missing)
    assert float(value.detach()) == pytest.approx(wanted)
    value.backward()  # type: ignore[no-untyped-call]
    assert given.grad is not None
    assert (given.grad[0, 0, :, 0] != 0).tolist() == [kept > 0, missing > 0, False]


def test_charbonnier_is_square_near_0_and_absolute_far_off() -> None:
    fields = batch() | {"live": torch.ones(1, 1, 3)}
    near, far = (
        float(Reconstruction(epsilon=0.1)({"clean": one * torch.ones(1, 1, 3, 4)}, fields)) for one in (1e-3, 50)
    )
    assert near == pytest.approx(1e-6 / 0.2, rel=1e-3)
    assert far == pytest.approx(50 - 0.1, rel=1e-3)


@pytest.mark.parametrize("kind", ["l1", "l2", "charbonnier"])
def test_gradients_are_those_of_finite_differences(kind: str) -> None:
    term = Reconstruction.model_validate({"kind": kind, "missing": 2.0})
    assert torch.autograd.gradcheck(lambda one: term({"clean": one}, batch()), (output().requires_grad_(),))


def test_where_nothing_counts_it_is_0_with_a_gradient() -> None:
    given = output().requires_grad_()
    value = Reconstruction(kept=0)({"clean": given}, batch() | {"live": torch.ones(1, 1, 3)})
    value.backward()  # type: ignore[no-untyped-call]
    assert float(value.detach()) == 0
    assert given.grad is not None
    assert not bool(given.grad.any())


def test_a_term_that_counts_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="nothing would count"):
        Reconstruction(missing=0, kept=0)
