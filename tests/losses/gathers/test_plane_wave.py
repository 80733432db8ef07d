"""Plane waves: what is one has no residual, what is none has."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from seisloom.errors import RecipeError
from seisloom.losses.gathers.plane_wave import PlaneWave, plane_wave_residual

T = torch.arange(160, dtype=torch.float64)


def event(slope: float, at: float, n_traces: int = 20, hz: float = 0.08) -> Tensor:
    phase = (math.pi * hz * (T - at - slope * torch.arange(n_traces)[:, None])) ** 2
    return ((1 - 2 * phase) * torch.exp(-phase))[None]


def slopes(*values: float, n_traces: int = 20) -> tuple[Tensor, ...]:
    return tuple(torch.full((1, n_traces - 1 - k, 160), one, dtype=torch.float64) for k, one in enumerate(values))


def test_a_plane_wave_of_the_slope_is_taken_away_and_of_another_is_not() -> None:
    panel = event(1.7, 50)
    assert float(plane_wave_residual(panel, slopes(1.7))) < 1e-6
    assert float(plane_wave_residual(panel, slopes(-1.7))) > 0.3


def test_two_that_cross_need_two_slopes() -> None:
    panel = event(1.5, 50) + 0.6 * event(-2.0, 100)
    assert float(plane_wave_residual(panel, slopes(1.5, -2.0))) < 1e-6
    assert float(plane_wave_residual(panel, slopes(1.5))) > 0.05
    fields = {"clean": panel[None]}
    one, two = (
        float(PlaneWave(n_slopes=n, n_traces=9, n_samples=41)(fields, fields))  # type: ignore[arg-type]
        for n in (1, 2)
    )
    assert two < 0.5 * one


def test_noise_has_about_1() -> None:
    noise = torch.randn(4, 30, 160, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert 0.85 < float(plane_wave_residual(noise, slopes(0.5, n_traces=30))) < 1.05


def test_the_term_takes_slopes_from_the_truth_the_output_or_a_guess() -> None:
    truth = event(2.0, 60)[None]
    noise = torch.randn(truth.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    batch = {"clean": truth, "guess": truth}
    assert float(PlaneWave()({"clean": 5e4 * truth}, batch)) < 1e-5
    noisy = {"clean": truth + 0.5 * noise}
    found = float(PlaneWave()(noisy, batch))
    assert float(PlaneWave(slopes_of="guess")(noisy, batch)) == found > 0.1
    # Slopes fitted to the noisy output leave less of it
    assert 1e-3 < float(PlaneWave(slopes_of="output")(noisy, {})) < found
    with pytest.raises(RecipeError, match="needs the field 'guess' of the batch, which has clean"):
        PlaneWave(slopes_of="guess")(noisy, {"clean": truth})


def test_amplitude_is_not_seen_and_a_fainter_gather_is_no_way_out() -> None:
    panel = torch.randn(1, 6, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()
    p = (torch.full((1, 5, 40), 0.7, dtype=torch.float64),)
    value = plane_wave_residual(panel, p)
    torch.testing.assert_close(plane_wave_residual(1e6 * panel, p), value)
    (slope,) = torch.autograd.grad(value, panel)
    assert float(slope.abs().max()) > 0
    assert float((slope * panel).sum().detach()) == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize("n", [1, 2])
def test_gradients_are_those_of_finite_differences(n: int) -> None:
    panel = torch.randn(2, 5, 30, dtype=torch.float64, generator=torch.Generator().manual_seed(2)).requires_grad_()
    p = tuple(torch.full((2, 4 - k, 30), 0.4 - k, dtype=torch.float64) for k in range(n))
    assert torch.autograd.gradcheck(lambda one: plane_wave_residual(one, p), (panel,))


def test_too_few_traces_or_silence_are_no_error_and_have_a_gradient() -> None:
    for shape in ((1, 1, 1, 40), (1, 1, 6, 40)):
        output = torch.zeros(shape, requires_grad=True)
        value = PlaneWave(slopes_of="output")({"clean": output}, {})
        value.backward()  # type: ignore[no-untyped-call]
        assert float(value.detach()) == 0
        assert output.grad is not None
        assert not bool(output.grad.any())


def test_a_panel_without_its_axes_is_refused() -> None:
    with pytest.raises(RecipeError, match="item, line, trace, time"):
        PlaneWave()({"clean": torch.zeros(3, 40)}, {"clean": torch.zeros(3, 40)})
