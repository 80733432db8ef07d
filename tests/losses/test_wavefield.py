"""The residual of the wave equation against exact waves, and the floor against what stencils really do to them."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from seisloom.losses.stencils import Order
from seisloom.losses.wavefield import (
    Grid,
    best_velocity_factor,
    dispersion,
    dispersion_floor,
    power_spectrum,
    relative_residual,
    upper_frequency,
    wave_residual,
)

C, H, DT = 2000.0, 5.0, 1e-3


def grid(space: Order = 8, time: Order = 4, h: float = H, dt: float = DT, n_axes: int = 2) -> Grid:
    step = torch.tensor([h], dtype=torch.float64)
    return Grid(torch.tensor([dt], dtype=torch.float64), (step,) * n_axes, space, time)


def plane_waves(hz: float, h: float = H, dt: float = DT, n: tuple[int, int, int] = (120, 30, 34)) -> Tensor:
    """Ricker wavelets that cross a medium of velocity C at five angles, exact, (1, time, depth, x) in float64."""
    t = torch.arange(n[0], dtype=torch.float64)[:, None, None] * dt
    z = torch.arange(n[1], dtype=torch.float64)[:, None] * h
    x = torch.arange(n[2], dtype=torch.float64) * h
    u = torch.zeros(n, dtype=torch.float64)
    for k, angle in enumerate((0.0, 0.7, 1.5, 2.6, 4.0)):
        away = (z - n[1] * h / 2) * math.cos(angle) + (x - n[2] * h / 2) * math.sin(angle)
        phase = (math.pi * hz * (t - away / C - n[0] * dt * (0.35 + 0.08 * k))) ** 2
        u += (1 + 0.3 * k) * (1 - 2 * phase) * torch.exp(-phase)
    return u[None]


def root(u: Tensor, g: Grid, c: float | Tensor = C) -> float:
    velocity = torch.as_tensor(c, dtype=u.dtype).expand(1, *u.shape[2:])
    return math.sqrt(float(relative_residual(*wave_residual(u, velocity, g))))


def velocity_like(u: Tensor, c: float = C) -> Tensor:
    return torch.full((1, *u.shape[2:]), c, dtype=u.dtype)


@pytest.mark.parametrize("space", [2, 4, 8])
@pytest.mark.parametrize("time", [2, 4])
@pytest.mark.parametrize(("h", "dt"), [(5.0, 1e-3), (15.0, 3.2e-3)])
def test_exact_waves_stay_below_the_floor_and_not_far(space: Order, time: Order, h: float, dt: float) -> None:
    u = plane_waves(20.0, h, dt)
    g = grid(space, time, h, dt)
    found, floor = root(u, g), float(dispersion_floor(u, velocity_like(u), g))
    assert found < floor
    # The floor is of the worst direction, and what is seen a mean over some; it is not an empty bound. A coarse grid
    # in space and time at once lets both errors cancel in part.
    assert found > 0.15 * floor


def test_the_floor_is_the_leading_error_of_order_2() -> None:
    """|(k h)^2 - (omega dt)^2| / 12 along an axis, the direction that is worst."""
    hz = torch.tensor([[10.0]], dtype=torch.float64)
    g = grid(2, 2)
    omega = 2 * math.pi * 10
    wanted = ((omega / C * H) ** 2 - (omega * DT) ** 2) / 12
    assert float(dispersion(hz, torch.tensor([[C]], dtype=torch.float64), g)) == pytest.approx(wanted, rel=0.01)


def test_single_precision_has_a_floor_of_its_own() -> None:
    """Steps of time so short that second differences are rounding: the floor says so."""
    fine = plane_waves(5.0, dt=5e-5).float()
    g = Grid(torch.tensor([5e-5]), (torch.tensor([H]),) * 2)
    found, floor = root(fine, g), float(dispersion_floor(fine, velocity_like(fine), g))
    assert 1e-3 < found < floor


@pytest.mark.parametrize("factor", [0.9, 1.1, 2.0])
def test_a_wrong_velocity_shows_as_its_square(factor: float) -> None:
    u = plane_waves(15.0)
    assert root(u, grid(), factor * C) == pytest.approx(abs(factor**2 - 1), rel=0.01)
    residual, u_tt = wave_residual(u, velocity_like(u, factor * C), grid())
    assert float(best_velocity_factor(residual, u_tt)) == pytest.approx(1 / factor, rel=0.01)


def test_velocity_may_vary_from_cell_to_cell() -> None:
    """A finer simulation of another stencil through two layers and a gradient: (time, depth), kept at every eighth."""
    k, nz, nt = 8, 60, 300
    depth = torch.arange(nz * k, dtype=torch.float64) * H / k
    c = torch.where(depth < 150, 1800.0, 2400 + 2 * depth)
    dt = DT / k
    now = torch.exp(-(((depth - 80) / 18) ** 2))
    before, shots = now.clone(), []
    for step in range(nt * k):
        if step % k == 0:
            shots.append(now[::k])
        bent = torch.zeros_like(now)
        bent[1:-1] = now[2:] - 2 * now[1:-1] + now[:-2]
        before, now = now, 2 * now - before + (c * dt / (H / k)) ** 2 * bent
    u = torch.stack(shots)[None]
    g = grid(4, 4, n_axes=1)
    true = c[::k][None]
    off_jump = relative_residual(*(one[..., 40:] for one in wave_residual(u, true, g))).sqrt()
    assert float(off_jump) < max(0.02, float(dispersion_floor(u, true, g)))
    everywhere = relative_residual(*wave_residual(u, true, g)).sqrt()
    constant = relative_residual(*wave_residual(u, true.mean().expand_as(true), g)).sqrt()
    assert float(everywhere) < 0.15 < 0.25 < float(constant)


def test_a_source_is_part_of_the_equation() -> None:
    """u = sin(w t) f(z) has s = -w^2 u - c^2 u_zz in closed form."""
    t = torch.arange(80, dtype=torch.float64)[:, None] * DT
    z = torch.arange(50, dtype=torch.float64) * H
    w, k = 60.0, 0.02
    u = (torch.sin(w * t) * torch.sin(k * z))[None]
    g = grid(n_axes=1)
    velocity = torch.full((1, 50), C, dtype=torch.float64)
    source = (-(w**2) + (C * k) ** 2) * u
    assert float(relative_residual(*wave_residual(u, velocity, g, source=source))) < 1e-8
    assert float(relative_residual(*wave_residual(u, velocity, g))) == pytest.approx(
        (1 - (C * k / w) ** 2) ** 2, rel=1e-3
    )


@pytest.mark.parametrize("n_axes", [1, 2, 3])
@pytest.mark.parametrize("courant", [0.05, 0.1, 0.2])
def test_noise_has_a_residual_of_about_1(n_axes: int, courant: float) -> None:
    shape = (1, 400, 400) if n_axes == 1 else (1, 60, *(18,) * n_axes)
    noise = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(n_axes))
    dt = courant * H / C
    for space in (2, 8):
        assert 0.9 < root(noise, grid(space, 4, dt=dt, n_axes=n_axes)) < 1.05


def test_neither_units_nor_amplitude_are_seen() -> None:
    u, c = plane_waves(25.0), 1.05 * C
    found = root(u, grid(2, 2), c)
    assert root(1e6 * u, grid(2, 2), c) == pytest.approx(found, rel=1e-12)
    assert root(u, grid(2, 2, h=H / 1000), c / 1000) == pytest.approx(found, rel=1e-9)  # km and km/s
    assert root(u, grid(2, 2, h=H / 1000, dt=1000 * DT), c / 1e6) == pytest.approx(found, rel=1e-9)  # km, ms, km/ms


def test_a_fainter_field_is_no_way_out() -> None:
    u = torch.randn(1, 12, 12, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()
    (slope,) = torch.autograd.grad(relative_residual(*wave_residual(u, velocity_like(u), grid())).sum(), u)
    assert float(slope.abs().max()) > 0
    assert float((slope * u).sum().detach()) == pytest.approx(0, abs=1e-10)


def test_gradients_are_those_of_finite_differences() -> None:
    generator = torch.Generator().manual_seed(2)
    u = torch.randn(2, 6, 10, 11, dtype=torch.float64, generator=generator).requires_grad_()
    c = (1500 + 500 * torch.rand(2, 10, 11, dtype=torch.float64, generator=generator)).requires_grad_()
    two = Grid(torch.tensor([1e-3, 2e-3]).double(), (torch.tensor([5.0, 8.0]).double(),) * 2)
    assert torch.autograd.gradcheck(lambda u, c: relative_residual(*wave_residual(u, c, two)), (u, c))


def test_a_field_that_stands_still_has_no_residual_and_no_gradient() -> None:
    u = torch.zeros(1, 12, 12, 12, requires_grad=True)
    value = relative_residual(*wave_residual(u, velocity_like(u), grid()))
    value.sum().backward()  # type: ignore[no-untyped-call]
    assert u.grad is not None
    assert value.tolist() == [0.0]
    assert not bool(u.grad.any())


def test_the_upper_frequency_of_a_sine_is_its_own() -> None:
    t = torch.arange(400, dtype=torch.float64)[None, :, None] * DT
    u = torch.sin(2 * math.pi * 30 * t) * torch.ones(5, dtype=torch.float64)
    hz, power = power_spectrum(u, torch.tensor([DT], dtype=torch.float64))
    assert float(upper_frequency(hz, power)) == pytest.approx(30, abs=2 / 0.4)  # within the window's width
    assert float(upper_frequency(hz, 0 * power)) == 0
