"""The network of a wavefield against standing waves and closed forms."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from seisloom.errors import DataError
from seisloom.nn.pinn import Domain, PinnWavefield
from seisloom.nn.pinn_fit import Measured, fit_pinn

L, C, T, K = 1000.0, 2000.0, 0.5, 4
HZ = K * C / L / 2
LINE = Domain(((0.0, L),), (0.0, T))


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    """Second derivatives of single precision are noisy; the generator's default is put back."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def standing(points: Tensor) -> Tensor:
    """Two wavelengths between fixed ends that swing twice: u = sin(k pi x / L) cos(2 pi f t)."""
    return torch.sin(K * math.pi * points[:, 0] / L) * torch.cos(2 * math.pi * HZ * points[:, 1])


def grid(x: list[float] | Tensor, t: list[float] | Tensor) -> Tensor:
    return torch.cartesian_prod(torch.as_tensor(x), torch.as_tensor(t))


def known_of_a_standing_wave(scale: float = 1.0) -> dict[str, Measured]:
    """Five early snapshots, and the fixed ends."""
    early = grid(torch.linspace(0, L, 60), [0, 0.01, 0.02, 0.03, 0.04])
    ends = grid([0.0, L], torch.linspace(0, T, 60))
    return {"early": Measured(early, scale * standing(early)), "ends": Measured(ends, torch.zeros(len(ends)))}


def relative_error(network: PinnWavefield, scale: float = 1.0) -> float:
    everywhere = grid(torch.linspace(0, L, 101), torch.linspace(0, T, 101))
    truth = scale * standing(everywhere)
    with torch.no_grad():
        return float((network(everywhere) - truth).norm() / truth.norm())


@pytest.mark.parametrize("scale", [1.0, 1e-6])
def test_a_standing_wave_is_continued_from_early_snapshots_to_within_2_percent(scale: float) -> None:
    network = PinnWavefield(LINE, max_hz=1.5 * HZ, velocity_m_s=C, n_features=96)
    history = fit_pinn(network, known_of_a_standing_wave(scale), max_hz=HZ, n_points=500, n_rounds=1, n_steps=3)
    assert relative_error(network, scale) < 0.02
    assert history.data[-1] < 1e-4
    assert history.physics[-1] < 1e-4


def test_the_wave_equation_is_what_tells_of_later_times() -> None:
    errors = []
    for weight in (1.0, 0.0):
        network = PinnWavefield(LINE, max_hz=1.5 * HZ, velocity_m_s=C, n_features=96)
        fit_pinn(
            network, known_of_a_standing_wave(), max_hz=HZ, physics_weight=weight, n_points=500, n_rounds=1, n_steps=3
        )
        errors.append(relative_error(network))
    assert errors[1] > 10 * errors[0]


def test_a_velocity_that_is_not_known_is_found_with_the_field() -> None:
    receivers = grid([130.0, 410.0, 770.0], torch.linspace(0, T, 80))
    measured = known_of_a_standing_wave() | {"receivers": Measured(receivers, standing(receivers))}
    network = PinnWavefield(LINE, max_hz=1.5 * HZ, velocity_m_s=(1500.0, 2800.0), n_features=48, n_velocity_features=4)
    places = torch.linspace(0, L, 50)[:, None]
    torch.testing.assert_close(network.velocity(places), torch.full((50,), 2150.0))  # the middle, at first
    fit_pinn(network, measured, max_hz=HZ, n_points=200, n_rounds=2, n_steps=25)
    found = network.velocity(places).detach()
    assert float((found / C - 1).abs().median()) < 0.02
    assert relative_error(network) < 0.1


def test_velocities_keep_to_their_limits_whatever_is_learnt() -> None:
    network = PinnWavefield(LINE, max_hz=HZ, velocity_m_s=(1500.0, 2800.0))
    places = torch.linspace(0, L, 20)[:, None]
    for odds, wanted in ((1e3, 2800.0), (-1e3, 1500.0)):
        torch.nn.init.constant_(network.log_odds[-1].bias, odds)  # type: ignore[arg-type]
        torch.testing.assert_close(network.velocity(places), torch.full((20,), wanted))


def test_the_wave_operator_is_that_of_closed_forms_in_one_and_two_dimensions() -> None:
    plane = PinnWavefield(Domain(((0.0, 1000.0), (0.0, 500.0)), (0.0, 1.0)), max_hz=5, velocity_m_s=1500.0)
    at = torch.rand(30, 3, generator=torch.Generator().manual_seed(0))

    def function(scaled: Tensor) -> Tensor:
        x, z, t = scaled.unbind(1)
        return torch.sin(2 * x + 3 * z) * torch.cos(5 * t)

    wanted = (-25 + 1.5**2 * (4 + 9)) * function(at)  # c T / L = 1.5
    torch.testing.assert_close(plane.wave_operator(function, at), wanted)


def test_the_residual_has_the_gradient_of_finite_differences_and_changes_no_input() -> None:
    network = PinnWavefield(LINE, max_hz=2, velocity_m_s=(1500.0, 2500.0), width=4, n_features=3)
    at = torch.rand(5, 2)
    before = at.clone()
    bias = network.field[1].layers[0].bias  # type: ignore[union-attr, index]
    assert isinstance(bias, Tensor)
    value = network.residual(at).square().sum()
    (slope,) = torch.autograd.grad(value, bias)
    step = 1e-5
    with torch.no_grad():
        bias[0] += step
        above = network.residual(at).square().sum()
        bias[0] -= 2 * step
        below = network.residual(at).square().sum()
    assert float(slope[0]) == pytest.approx(float(above - below) / (2 * step), rel=1e-5)
    assert not at.requires_grad
    assert bool((at == before).all())


def test_the_same_seed_gives_the_same_network_and_leaves_the_global_generator() -> None:
    torch.manual_seed(3)
    wanted = torch.rand(3)
    torch.manual_seed(3)
    one, two = (PinnWavefield(LINE, max_hz=HZ, velocity_m_s=C, seed=5) for _ in range(2))
    assert bool((torch.rand(3) == wanted).all())
    at = grid([10.0, 500.0], [0.1])
    assert bool((one(at) == two(at)).all())
    other = PinnWavefield(LINE, max_hz=HZ, velocity_m_s=C, seed=6)
    assert not bool((one(at) == other(at)).any())


@pytest.mark.parametrize(
    ("measured", "match"),
    [
        ({}, "Give an early snapshot"),
        ({"ends": Measured(torch.zeros(3, 2), torch.zeros(3))}, "Give an early snapshot"),
        ({"far": Measured(torch.tensor([[1200.0, 0.1]]), torch.ones(1))}, "outside of the domain"),
        ({"flat": Measured(torch.zeros(3), torch.ones(3))}, r"they are \(point, 2\)"),
        ({"bad": Measured(torch.zeros(3, 2), torch.full((3,), torch.nan))}, "not all finite"),
    ],
)
def test_measured_values_that_do_not_fit_are_refused(measured: dict[str, Measured], match: str) -> None:
    with pytest.raises(DataError, match=match):
        fit_pinn(PinnWavefield(LINE, max_hz=HZ, velocity_m_s=C), measured, max_hz=HZ)


def test_limits_and_domains_that_do_not_fit_are_refused() -> None:
    for velocity in (0.0, (2000.0, 1500.0), (-1.0, 1500.0)):
        with pytest.raises(DataError, match="must be above 0 and rise"):
            PinnWavefield(LINE, max_hz=HZ, velocity_m_s=velocity)
    with pytest.raises(DataError, match="is empty"):
        PinnWavefield(Domain(((0.0, L),), (0.0, 0.0)), max_hz=HZ, velocity_m_s=C)
