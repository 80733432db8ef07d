"""The cone of frequency and wavenumber: events inside, outside, in the fan, and aliased."""

from __future__ import annotations

import math

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from seisloom.errors import RecipeError
from seisloom.losses.gathers.fk_cone import FkCone, energy_where, outside_cone

FS, DX = 500.0, 10.0


def gather(velocity: float, hz: float = 20.0, n: int = 48, dx: float = DX) -> Tensor:
    """A Ricker wavelet that crosses n traces with an apparent velocity, through the middle, (1, 1, trace, time)."""
    t, x = torch.arange(400, dtype=torch.float64) / FS, (torch.arange(n, dtype=torch.float64)[:, None] - n / 2) * dx
    phase = (math.pi * hz * (t - 0.4 - x / velocity)) ** 2
    return ((1 - 2 * phase) * torch.exp(-phase))[None, None]


def batch(dx: float = DX) -> dict[str, Tensor]:
    return {"fs_hz": torch.tensor([FS]), "offset_m": (100 + dx * torch.arange(48))[None, None]}


def test_what_is_faster_than_the_slowest_wave_is_inside_and_what_is_slower_outside() -> None:
    term = FkCone(slowest_m_s=1000)
    for velocity in (1500.0, -2000.0, 1e9):
        assert float(term({"clean": gather(velocity)}, batch())) < 1e-3
    assert float(term({"clean": gather(500)}, batch())) > 0.9


def test_a_fan_of_noise_is_outside_too() -> None:
    fan = FkCone(slowest_m_s=200, noise_m_s=(200, 600), dx_m=4)
    wave = {"clean": gather(340, n=120, dx=4)}
    assert float(fan(wave, batch())) > 0.8
    assert float(fan({"clean": gather(1500, n=120, dx=4)}, batch())) < 1e-3
    assert float(FkCone(slowest_m_s=200, dx_m=4)(wave, batch())) < 1e-3


def test_nothing_is_outside_where_signal_is_aliased() -> None:
    outside = outside_cone((48, 400), torch.tensor([FS]), torch.tensor([DX]), slowest_m_s=1000)
    hz = torch.fft.rfftfreq(400) * FS
    assert not bool(outside[..., hz >= 1000 / (2 * DX)].any())
    assert bool(outside[..., hz < 20].any())
    with pytest.raises(RecipeError, match="covers all of the spectrum"):
        FkCone(slowest_m_s=50)({"clean": gather(2000)}, batch())


def test_shares_of_all_cells_are_1_and_agree_with_parseval() -> None:
    panel = torch.randn(2, 9, 33, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    everywhere = torch.ones(2, 9, 17, dtype=torch.bool)
    some = torch.zeros_like(everywhere)
    some[:, :4, :6] = True
    assert float(energy_where(panel, everywhere)) == pytest.approx(1)
    assert float(energy_where(panel, some) + energy_where(panel, ~some)) == pytest.approx(1)
    assert float(energy_where(1e5 * panel, some)) == pytest.approx(float(energy_where(panel, some)))


def test_gradients_are_those_of_finite_differences() -> None:
    panel = torch.randn(1, 1, 8, 24, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()
    fields = {"fs_hz": torch.tensor([FS])}
    term = FkCone(slowest_m_s=5000, dx_m=DX)
    assert torch.autograd.gradcheck(lambda one: term({"clean": one}, fields), (panel,))


def test_uneven_or_unknown_offsets_are_refused_unless_a_spacing_is_given() -> None:
    uneven = batch()
    uneven["offset_m"][..., 20:] += 7
    unknown = batch() | {"offset_m": torch.full((1, 1, 48), torch.nan)}
    for fields in (uneven, unknown):
        with pytest.raises(RecipeError, match="not at equal steps"):
            FkCone(slowest_m_s=1000)({"clean": gather(2000)}, fields)
        assert float(FkCone(slowest_m_s=1000, dx_m=DX)({"clean": gather(2000)}, fields)) < 1e-3
    with pytest.raises(RecipeError, match="fs_hz"):
        FkCone(slowest_m_s=1000)({"clean": gather(2000)}, batch() | {"fs_hz": torch.zeros(1)})
    with pytest.raises(ValidationError, match="must rise"):
        FkCone(slowest_m_s=1000, noise_m_s=(400, 300))
