"""Traces moved by parts of a sample, and slopes found, against sines and events of known slope."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from seisloom.losses.gathers.shifts import moved, scan_slopes, weights

T = torch.arange(160, dtype=torch.float64)


def event(slope: float, at: float, n_traces: int = 20, hz: float = 0.08) -> Tensor:
    """A Ricker wavelet of 0.08 cycles a sample along a straight line, (1, trace, time)."""
    phase = (math.pi * hz * (T - at - slope * torch.arange(n_traces)[:, None])) ** 2
    return ((1 - 2 * phase) * torch.exp(-phase))[None]


@pytest.mark.parametrize("shift", [0.0, 0.5, -3.3, 7.9])
@pytest.mark.parametrize("cycles", [0.05, 0.15, 0.25])
def test_sines_are_moved_to_within_a_percent_up_to_half_of_nyquist(shift: float, cycles: float) -> None:
    wave = torch.sin(2 * math.pi * cycles * T)
    found, within = moved(wave, torch.full_like(T, shift))
    wanted = torch.sin(2 * math.pi * cycles * (T + shift))
    assert float((found - wanted)[within].abs().max()) < 0.01
    whole = [math.floor(t + shift) for t in range(len(T))]
    assert within.tolist() == [k - 3 >= 0 and k + 4 < len(T) for k in whole]


def test_weights_sum_to_one_and_take_the_sample_itself_where_they_can() -> None:
    share = torch.linspace(0, 1, 11, dtype=torch.float64)
    taps = weights(share)
    torch.testing.assert_close(taps.sum(0), torch.ones(11, dtype=torch.float64))
    torch.testing.assert_close(taps[:, 0], torch.eye(8, dtype=torch.float64)[3], rtol=0, atol=1e-12)
    torch.testing.assert_close(taps, taps.flip(0, 1))


def test_gradients_flow_through_values_and_shifts() -> None:
    values = torch.randn(2, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    shift = (torch.full((2, 20), 0.4, dtype=torch.float64)).requires_grad_()
    assert torch.autograd.gradcheck(lambda v, s: moved(v, s)[0], (values, shift))


@pytest.mark.parametrize("slope", [0.0, 0.6, -2.3, 4.4])
def test_the_slope_of_an_event_is_found_even_where_gradients_would_see_its_alias(slope: float) -> None:
    panel = event(slope, 30 if slope > 0 else 120)
    loud = panel[:, :-1].abs() > 0.3
    found = scan_slopes(panel, largest=5)
    assert float((found - slope)[loud].abs().max()) < 0.01


def test_silence_has_no_slope() -> None:
    assert not bool(scan_slopes(torch.zeros(1, 6, 40), largest=3).any())


def test_two_traces_are_enough() -> None:
    panel = event(1.5, 70, n_traces=2)
    assert float(scan_slopes(panel, largest=3)[0, 0, 70]) == pytest.approx(1.5, abs=0.01)
