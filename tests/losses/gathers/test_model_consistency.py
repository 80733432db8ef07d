"""Gathers against a velocity model, with deepwave where it is installed."""

from __future__ import annotations

import sys

import pytest
import torch
from torch import Tensor

from seisloom.errors import PluginError, RecipeError
from seisloom.losses.gathers.model_consistency import ModelConsistency, misfit, modelled

H, DT, N_TIME = 10.0, 4e-3, 90


def test_the_misfit_leaves_one_factor_free() -> None:
    wanted = torch.randn(3, 2, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    factors = torch.tensor([1e-20, -3.0, 1e9]).double()[:, None, None]
    torch.testing.assert_close(
        misfit(factors * wanted, wanted), torch.zeros(3, dtype=torch.float64), rtol=0, atol=1e-12
    )
    other = torch.zeros_like(wanted)
    other[..., 0], other[..., 1] = wanted[..., 1], -wanted[..., 0]  # at right angles
    torch.testing.assert_close(misfit(other, wanted), torch.ones(3, dtype=torch.float64))
    assert misfit(torch.zeros_like(wanted), wanted).tolist() == [0, 0, 0]


def test_gradients_of_the_misfit_are_those_of_finite_differences() -> None:
    generator = torch.Generator().manual_seed(1)
    d, f = (torch.randn(2, 9, dtype=torch.float64, generator=generator).requires_grad_() for _ in range(2))
    assert torch.autograd.gradcheck(misfit, (d, f))


def fields() -> dict[str, Tensor]:
    """A layer over a half-space, a source and 10 receivers near the surface."""
    velocity = torch.full((1, 30, 40), 1500.0, dtype=torch.float64)
    velocity[:, 15:] = 2200
    t = torch.arange(N_TIME, dtype=torch.float64) * DT
    phase = (torch.pi * 15 * (t - 0.08)) ** 2
    receivers = torch.stack([torch.full((10,), 2), 4 * torch.arange(10)], dim=-1)
    return {
        "velocity_m_s": velocity,
        "wavelet": ((1 - 2 * phase) * torch.exp(-phase))[None],
        "source_cell": torch.tensor([[[2, 20]]]),
        "receiver_cell": receivers[None, None],
        "fs_hz": torch.tensor([1 / DT], dtype=torch.float64),
    }


def gather(batch: dict[str, Tensor]) -> Tensor:
    return modelled(
        batch["velocity_m_s"][0], batch["wavelet"][0], batch["source_cell"][0], batch["receiver_cell"][0],
        spacing_m=H, dt_s=DT,
    )[None]  # fmt: skip


def test_data_of_the_right_model_agree_and_of_another_do_not() -> None:
    pytest.importorskip("deepwave", reason="models by deepwave; pip install 'seisloom[physics]'")
    batch = fields()
    data = gather(batch)
    term = ModelConsistency(spacing_m=H)
    assert float(term({"clean": 1e3 * data}, batch)) < 1e-10
    assert float(term({"clean": data}, batch | {"velocity_m_s": 1.1 * batch["velocity_m_s"]})) > 0.1
    # A network may give the velocity: its output stands for the batch's
    assert float(term({"clean": data, "velocity_m_s": 1.1 * batch["velocity_m_s"]}, batch)) > 0.1


def test_gradients_reach_the_gather_and_the_model_and_are_those_of_finite_differences() -> None:
    pytest.importorskip("deepwave", reason="models by deepwave; pip install 'seisloom[physics]'")
    batch = fields()
    data = gather(batch)
    term = ModelConsistency(spacing_m=H)
    output = torch.roll(data, 2, dims=-1).requires_grad_()
    velocity = batch["velocity_m_s"].clone().requires_grad_()
    term({"clean": output, "velocity_m_s": velocity}, batch).backward()  # type: ignore[no-untyped-call]
    assert output.grad is not None
    assert velocity.grad is not None
    assert float(output.grad.abs().max()) > 0

    def value(c: Tensor) -> float:
        return float(term({"clean": output.detach(), "velocity_m_s": c}, batch))

    towards = torch.zeros_like(velocity)
    towards[:, 5:12, 10:30] = 1.0
    with torch.no_grad():
        wanted = (value(velocity + towards) - value(velocity - towards)) / 2
    # deepwave's boundary and its own steps of time depend on the largest velocity, which does not change here
    assert float((velocity.grad * towards).sum()) == pytest.approx(wanted, rel=0.01)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"velocity_m_s": torch.full((1, 30, 40), 1.5)}, "cells of 10 m are 0.0"),
        ({"velocity_m_s": torch.full((1, 30, 40), -1500.0)}, "c must be above 0"),
        ({"fs_hz": torch.tensor([0.25])}, "look at the units"),
    ],
)
def test_units_that_are_wrong_are_refused_before_anything_is_modelled(changes: dict[str, Tensor], match: str) -> None:
    with pytest.raises(RecipeError, match=match):
        ModelConsistency(spacing_m=H)({"clean": torch.zeros(1, 1, 10, N_TIME).double()}, fields() | changes)


def test_without_deepwave_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "deepwave", None)
    with pytest.raises(PluginError, match=r"pip install 'seisloom\[physics\]'"):
        ModelConsistency(spacing_m=H)({"clean": torch.zeros(1, 1, 10, N_TIME).double()}, fields())
