"""Blending: the operator against sums by hand and its adjoint, the term against right and wrong firing times."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from seisloom.errors import RecipeError
from seisloom.losses.gathers.blending import Blending, blended, blending_residual, pseudo_deblended

FS = 100.0


def shots(n_receivers: int = 2, n_shots: int = 4, n_time: int = 60) -> Tensor:
    """Ricker wavelets at places of their own, (receiver, shot, time)."""
    t = torch.arange(n_time, dtype=torch.float64)
    at = 15 + 30 * torch.rand(n_receivers, n_shots, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    phase = (math.pi * 0.1 * (t - at)) ** 2
    return (1 - 2 * phase) * torch.exp(-phase)


FIRE = torch.tensor([[0.0, 25, 47, 80], [0.0, 21, 50, 77]], dtype=torch.float64)


def test_whole_firing_times_are_sums_of_moved_records() -> None:
    d = shots()
    wanted = torch.zeros(2, 150, dtype=torch.float64)
    for receiver in range(2):
        for shot in range(4):
            first = int(FIRE[receiver, shot])
            wanted[receiver, first : first + 60] += d[receiver, shot]
    torch.testing.assert_close(blended(d, FIRE, 150), wanted)


def test_parts_of_a_sample_move_a_wavelet_by_them() -> None:
    t = torch.arange(100, dtype=torch.float64)

    def ricker(at: float) -> Tensor:
        phase = (math.pi * 0.1 * (t - at)) ** 2
        return (1 - 2 * phase) * torch.exp(-phase)

    found = blended(ricker(40)[None, None], torch.tensor([[12.3]]).double(), 100)
    torch.testing.assert_close(found[0], ricker(52.3), rtol=0, atol=2e-3)  # of a peak of 1: the interpolation's error


def test_cutting_is_the_adjoint_of_blending() -> None:
    d, fire = torch.randn_like(shots()), FIRE + 0.37
    y = torch.randn(2, 130, dtype=torch.float64)
    left, right = (blended(d, fire, 130) * y).sum(), (d * pseudo_deblended(y, fire, 60)).sum()
    torch.testing.assert_close(left, right)


def test_the_right_separation_explains_the_record_and_the_unseparated_does_not() -> None:
    d, fire = shots(), FIRE + 0.5
    record = blended(d, fire, 160)
    assert float(blending_residual(d, fire, record)) == 0
    assert float(blending_residual(pseudo_deblended(record, fire, 60), fire, record)) > 0.1
    assert float(blending_residual(d, fire + 3, record)) > 0.1
    assert float(blending_residual(1e5 * d, fire, 1e5 * record)) < 1e-20


def test_the_term_takes_the_record_or_what_was_cut_from_it() -> None:
    d = shots()
    fire = FIRE[:1].expand(2, 4)
    record = blended(d, fire, 160)
    fields = {"fire_s": fire[:1] / FS, "fs_hz": torch.tensor([FS], dtype=torch.float64)}
    cut = pseudo_deblended(record, fire, 60)[None]
    for batch in ({"blended": record[None]}, {"x": cut}):
        assert float(Blending()({"clean": d[None]}, fields | batch)) < 1e-20
        assert float(Blending()({"clean": 0.5 * d[None]}, fields | batch)) == pytest.approx(0.25)
        assert float(Blending()({"clean": cut}, fields | batch)) > 0.1


def test_gradients_are_those_of_finite_differences() -> None:
    d = torch.randn(1, 3, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    fire = torch.tensor([[0.2, 8.7, 15.0]]).double()
    record = blended(d, fire, 45)
    given = torch.randn_like(d).requires_grad_()
    assert torch.autograd.gradcheck(lambda one: blending_residual(one, fire, record), (given,))


def test_firing_times_must_be_there_and_lie_in_the_record() -> None:
    d = shots()[None]
    fields = {"x": d, "fs_hz": torch.tensor([FS]), "fire_s": torch.tensor([[0.0, 1, torch.nan, 2]])}
    with pytest.raises(RecipeError, match="fire_s has times that are not finite"):
        Blending()({"clean": d}, fields)
    with pytest.raises(RecipeError, match="needs the field 'fire_s'"):
        Blending()({"clean": d}, {"x": d})
