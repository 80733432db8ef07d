"""The network: a site of another scale is the same to it, and it takes any size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from seisloom.tasks.dispersion.picker.model import CurveUNet
from seisloom.tasks.dispersion.picker.recipe import ITEM, DispersionRecipe

Small = Callable[..., DispersionRecipe]


def batch(n_velocity: int = 48, n_frequency: int = 24, *, scale: float = 1.0, known: bool = True) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    array = torch.tensor([[46.0, 2.0, 33.0, 2.0], [80.0, 0.5, 60.0, 4.0]]) * scale
    return {
        "x": torch.rand(2, 1, n_velocity, n_frequency, generator=generator),
        "velocity_m_s": torch.tensor(np.geomspace(100, 900, n_velocity), dtype=torch.float32).expand(2, -1) * scale,
        "frequency_hz": torch.tensor(np.geomspace(5, 40, n_frequency), dtype=torch.float32).expand(2, -1),
        "array": array if known else torch.full_like(array, float("nan")),
    }


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return CurveUNet(widths=(8, 12, 16), modes=3).build(ITEM).eval()


def test_a_site_twice_as_fast_with_an_array_twice_as_long_gives_twice_the_velocities(network: torch.nn.Module) -> None:
    with torch.inference_mode():
        one, two = network(batch()), network(batch(scale=2.0))
    torch.testing.assert_close(two["velocity"], 2 * one["velocity"], rtol=1e-4, atol=0)
    torch.testing.assert_close(two["presence"], one["presence"], rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(two["log_sigma"], one["log_sigma"], rtol=1e-3, atol=1e-4)


def test_the_array_matters_and_may_be_unknown(network: torch.nn.Module) -> None:
    with torch.inference_mode():
        known, unknown = network(batch()), network(batch(known=False))
    assert not torch.allclose(known["logit"], unknown["logit"])
    assert all(bool(torch.isfinite(one).all()) for one in unknown.values())


@pytest.mark.parametrize(("n_velocity", "n_frequency"), [(48, 24), (49, 25), (31, 9)])
def test_any_size_goes_through_and_velocities_lie_on_the_axis(
    network: torch.nn.Module, n_velocity: int, n_frequency: int
) -> None:
    with torch.inference_mode():
        found = network(batch(n_velocity, n_frequency))
    assert found["velocity"].shape == found["presence"].shape == found["log_sigma"].shape == (2, 3, n_frequency)
    assert found["logit"].shape == (2, 3, n_frequency, n_velocity)
    assert float(found["velocity"].min()) >= 100 * (1 - 1e-4)
    assert float(found["velocity"].max()) <= 900 * (1 + 1e-4)


def test_a_sure_distribution_gives_its_peak_and_the_least_spread() -> None:
    net = CurveUNet(widths=(8,), modes=1).build(ITEM)
    velocity = torch.tensor(np.geomspace(100, 900, 48), dtype=torch.float32)[None]
    place = torch.arange(48.0)
    logit = (-2.0 * (place - 20.3).square())[None, None, None]
    found = net._answers(logit, torch.full_like(logit, 3.0), velocity)
    step = np.log(9) / 47
    assert float(found["velocity"]) == pytest.approx(100 * np.exp(20.3 * step), rel=2e-3)  # its tails are cut
    assert 0.25 * step <= float(found["log_sigma"].exp()) < 0.6 * step
    wide = net._answers(torch.zeros_like(logit), torch.zeros_like(logit), velocity)
    assert float(wide["log_sigma"].exp()) > 10 * step


def test_the_width_of_what_it_learnt_is_no_doubt_of_its_own() -> None:
    velocity = torch.tensor(np.geomspace(100, 900, 441), dtype=torch.float32)[None]
    step = np.log(9) / 440
    label, doubt = 0.012, 0.03
    place = torch.arange(441.0)

    def spread(width: float, label_width: float) -> float:
        logit = (-0.5 * ((place - 220) * step / width).square())[None, None, None]
        net = CurveUNet(widths=(8,), modes=1, label_width=label_width).build(ITEM)
        return float(net._answers(logit, torch.zeros_like(logit), velocity)["log_sigma"].exp())

    assert spread(label, label) == pytest.approx(0.25 * step, rel=1e-3)  # the least there is
    both = float(np.hypot(label, doubt))
    assert spread(both, label) == pytest.approx(np.sqrt(2 / np.pi) * doubt, rel=0.01)
    assert spread(both, 0.0) == pytest.approx(np.sqrt(2 / np.pi) * both, rel=0.01)


def test_the_packaged_recipe_takes_off_the_width_that_it_teaches(small: Small) -> None:
    said = small().model_dump()
    taught = [one["width"] for one in said["loss"] if one["name"] == "curve_distribution"]
    assert [said["model"]["label_width"]] == taught
