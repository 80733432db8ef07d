"""Hyperbolas: of the true velocity they have no residual, of another they have."""

from __future__ import annotations

import math

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from seisloom.losses.gathers.moveout import Moveout, moveout_residual, zero_offset_time

FS = 250.0
T = torch.arange(300, dtype=torch.float64) / FS


def gather(offset_m: Tensor, layers: dict[float, float], hz: float = 20.0) -> Tensor:
    """Reflections t^2 = t0^2 + x^2 / v^2 of each (t0, v), (1, 1, trace, time)."""
    total = torch.zeros(len(offset_m), 300, dtype=torch.float64)
    for t0, v in layers.items():
        phase = (math.pi * hz * (T - (t0**2 + (offset_m[:, None] / v) ** 2).sqrt())) ** 2
        total += (1 - 2 * phase) * torch.exp(-phase)
    return total[None, None]


OFFSET = torch.cat([torch.arange(-600, 0, 37.0), torch.arange(10, 700, 61.0)]).double()
"""Split spread, uneven."""


def fields(offset_m: Tensor = OFFSET) -> dict[str, Tensor]:
    return {"fs_hz": torch.tensor([FS], dtype=torch.float64), "offset_m": offset_m[None, None]}


def test_reflections_of_the_true_velocity_have_no_residual_at_any_offsets() -> None:
    given = {"clean": gather(OFFSET, {0.4: 2000, 0.7: 2000, 0.9: 2000})}
    right = float(Moveout(velocity_m_s=2000)(given, fields()))
    assert right < 1e-3
    for wrong in (2400.0, 1700.0):
        assert float(Moveout(velocity_m_s=wrong)(given, fields())) > max(0.03, 50 * right)


def test_velocity_may_rise_with_time() -> None:
    given = {"clean": gather(OFFSET, {0.4: 1800, 0.8: 2600})}
    rises = Moveout(velocity_m_s=((0.4, 1800.0), (0.8, 2600.0)))
    right = float(rises(given, fields()))
    assert right < 0.002
    assert float(Moveout(velocity_m_s=2200)(given, fields())) > max(0.03, 20 * right)


def test_the_time_at_offset_zero_is_that_of_the_hyperbola() -> None:
    points = (torch.tensor([0.2, 1.0]).double(), torch.tensor([1500.0, 2500.0]).double())
    for t0, x in ((0.3, 200.0), (0.6, 500.0), (1.2, 900.0)):
        v = min(max(1500 + 1000 * (t0 - 0.2) / 0.8, 1500), 2500)
        t = torch.tensor(math.sqrt(t0**2 + (x / v) ** 2), dtype=torch.float64)
        found, velocity = zero_offset_time(t, torch.tensor(x).double(), points)
        assert float(found) == pytest.approx(t0, abs=1e-3)
        assert float(velocity) == pytest.approx(v, rel=2e-3)


def test_direct_waves_and_stretched_ones_do_not_count() -> None:
    direct = torch.zeros(len(OFFSET), 300, dtype=torch.float64)
    direct[torch.arange(len(OFFSET)), (OFFSET.abs() / 2000 * FS).round().long()] = 50.0
    reflections = gather(OFFSET, {0.7: 2000})
    quiet = float(Moveout(velocity_m_s=2000)({"clean": reflections}, fields()))
    assert float(Moveout(velocity_m_s=2000)({"clean": reflections + direct}, fields())) < quiet + 0.02
    with_all = Moveout(velocity_m_s=2000, largest_stretch=1e6)
    assert float(with_all({"clean": reflections + direct}, fields())) > 0.2


def test_traces_of_unknown_offset_do_not_count() -> None:
    given = gather(OFFSET, {0.5: 2000})
    known = float(Moveout(velocity_m_s=2000)({"clean": given}, fields()))
    spoilt, offset = given.clone(), OFFSET.clone()
    spoilt[:, :, 4], offset[4] = 100.0, torch.nan
    assert float(Moveout(velocity_m_s=2000)({"clean": spoilt}, fields(offset))) == pytest.approx(known, abs=0.01)


def test_noise_has_about_1_and_amplitude_is_not_seen() -> None:
    noise = torch.randn(1, 1, len(OFFSET), 300, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    value = float(Moveout(velocity_m_s=2000)({"clean": noise}, fields()))
    assert 0.85 < value < 1.1
    assert float(Moveout(velocity_m_s=2000)({"clean": 1e-5 * noise}, fields())) == pytest.approx(value)


def test_gradients_are_those_of_finite_differences() -> None:
    panel = torch.randn(1, 4, 60, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()
    x, fs = torch.tensor([[0.0, 20.0, 60.0, 70.0]]).double(), torch.tensor([FS]).double()
    points = (torch.zeros(1).double(), torch.tensor([1500.0]).double())
    assert torch.autograd.gradcheck(lambda one: moveout_residual(one, x, fs, points), (panel,))


def test_times_of_velocities_must_rise() -> None:
    with pytest.raises(ValidationError, match="must rise"):
        Moveout(velocity_m_s=((0.8, 1800.0), (0.4, 2600.0)))
