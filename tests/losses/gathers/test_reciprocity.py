"""Source and receiver changed: symmetric volumes have no residual, others have."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from seisloom.errors import RecipeError
from seisloom.losses.gathers.reciprocity import Reciprocity, reciprocity_residual


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_a_symmetric_volume_is_reciprocal_and_noise_is_not() -> None:
    volume = noise(2, 6, 6, 20)
    symmetric = volume + volume.transpose(1, 2)
    assert float(Reciprocity()({"clean": symmetric}, {})) == 0
    assert float(Reciprocity()({"clean": volume}, {})) == pytest.approx(1, abs=0.1)
    assert float(Reciprocity()({"clean": symmetric - volume.transpose(1, 2) * 2}, {})) == pytest.approx(2)


def test_sources_may_stand_at_some_of_the_receivers() -> None:
    full = noise(1, 8, 8, 12)
    full = full + full.transpose(1, 2)
    at = torch.tensor([[1, 4, 6]])
    given = full[:, at[0]]
    assert float(Reciprocity()({"clean": given}, {"receiver_of": at})) == 0
    assert float(Reciprocity()({"clean": given}, {"receiver_of": at.flip(1)})) > 0.5
    with pytest.raises(RecipeError, match="give `receiver_of`"):
        Reciprocity()({"clean": given}, {})
    with pytest.raises(RecipeError, match="beyond 0 to 7"):
        Reciprocity()({"clean": given}, {"receiver_of": at + 2})


def test_a_single_gather_is_refused() -> None:
    with pytest.raises(RecipeError, match="several sources"):
        Reciprocity()({"clean": noise(1, 1, 6, 20)}, {})


def test_amplitude_is_not_seen_nor_are_traces_at_their_own_source() -> None:
    volume = noise(1, 5, 5, 10)
    loud = volume.clone()
    loud[:, range(5), range(5)] *= 1e6
    value = float(Reciprocity()({"clean": volume}, {}))
    assert float(Reciprocity()({"clean": 1e4 * loud}, {})) == pytest.approx(value)


def test_gradients_are_those_of_finite_differences() -> None:
    at = torch.tensor([[2, 0, 1]])
    given = noise(1, 3, 4, 6).requires_grad_()
    assert torch.autograd.gradcheck(lambda one: reciprocity_residual(one, at), (given,))
