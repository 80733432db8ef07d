"""The wave equation as a term of a recipe: which data it takes, and which it refuses, with the reason."""

from __future__ import annotations

import logging
import math

import pytest
import torch
from torch import Tensor

from seisloom.errors import RecipeError
from seisloom.losses.wave_equation import WaveEquationLoss
from seisloom.recipe import read_recipe

C, H, DT = 2000.0, 5.0, 1e-3


def movie(hz: float = 20.0, h: float = H, dt: float = DT) -> Tensor:
    """A Ricker wavelet on its way at 40 degrees and one at -70, (1, time, depth, x); exact."""
    t = torch.arange(110, dtype=torch.float64)[:, None, None] * dt
    z, x = torch.arange(28, dtype=torch.float64)[:, None] * h, torch.arange(30, dtype=torch.float64) * h
    u = torch.zeros(110, 28, 30, dtype=torch.float64)
    for angle in (0.7, -1.2):
        phase = (
            math.pi * hz * (t - 55 * dt - ((z - 14 * h) * math.cos(angle) + (x - 15 * h) * math.sin(angle)) / C)
        ) ** 2
        u += (1 - 2 * phase) * torch.exp(-phase)
    return u[None]


def batch(u: Tensor, **others: Tensor) -> dict[str, Tensor]:
    """What a batch of movies holds."""
    steps = {"dz_m": torch.full((len(u),), H), "dx_m": torch.full((len(u),), H), "dt_s": torch.full((len(u),), DT)}
    return {"clean": u, "velocity_m_s": torch.full((len(u), *u.shape[2:]), C), **steps, **others}


def test_a_true_movie_has_a_loss_below_the_floor_that_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    u = movie()
    with caplog.at_level(logging.INFO, "seisloom"):
        term = WaveEquationLoss(space_order=2)
        value = float(term({"clean": u}, batch(u)))
        term({"clean": u}, batch(u))
    said = [record for record in caplog.records if "no value below" in record.getMessage()]
    assert len(said) == 1, "in the first batch alone"
    assert isinstance(said[0].args, tuple)
    assert math.sqrt(value) < float(said[0].args[1])  # type: ignore[arg-type]
    assert value < 1e-3


def test_it_is_not_the_mean_squared_error_and_falls_as_a_field_comes_to_obey() -> None:
    u = movie()
    values = []
    for level in (1.0, 0.3, 0.1, 0.0):
        noise = torch.randn(u.shape, dtype=u.dtype, generator=torch.Generator().manual_seed(0))
        values.append(float(WaveEquationLoss()({"clean": u + level * noise}, batch(u))))
    assert values == sorted(values, reverse=True)
    shifted = {"clean": torch.roll(u, 7, dims=1)}
    squared = float((shifted["clean"] - u).square().mean())
    assert squared > 0.01
    assert float(WaveEquationLoss()({"clean": 0.5 * u}, batch(u))) == pytest.approx(values[-1], rel=1e-9)
    assert values[-1] < 1e-6 < squared, "another true wave is as true"


def test_velocities_that_are_10_percent_too_high_give_0_21() -> None:
    u = movie()
    high = batch(u) | {"velocity_m_s": torch.full((1, 28, 30), 1.1 * C)}
    assert 0.19 < math.sqrt(float(WaveEquationLoss()({"clean": u}, high))) < 0.23


def test_keys_of_the_recipe_stand_for_fields_of_the_batch() -> None:
    u = movie()
    term = WaveEquationLoss(velocity_m_s=C, dz_m=H, dx_m=H, dt_s=DT)
    wanted = WaveEquationLoss()({"clean": u}, batch(u))
    torch.testing.assert_close(term({"clean": u}, {"clean": u}), wanted)
    torch.testing.assert_close(term({"clean": u}, {"clean": u, "fs_hz": torch.tensor([1 / DT])}), wanted)
    layers = WaveEquationLoss(velocity_m_s=(C,) * 28, dz_m=H, dx_m=H, dt_s=DT)
    torch.testing.assert_close(layers({"clean": u}, {"clean": u}), wanted)
    with pytest.raises(RecipeError, match="3 depths, the field 28"):
        WaveEquationLoss(velocity_m_s=(C,) * 3, dz_m=H, dx_m=H, dt_s=DT)({"clean": u}, {"clean": u})


def test_a_movie_as_cubes_have_it_is_the_same_movie() -> None:
    u = movie()
    cube = u.movedim(1, -1)
    term = WaveEquationLoss(axes="depth_x_time")
    found = term({"clean": cube}, batch(u) | {"clean": cube, "offset_m": torch.full((1, 28, 30), torch.nan)})
    torch.testing.assert_close(found, WaveEquationLoss()({"clean": u}, batch(u)))


def vsp() -> tuple[Tensor, Tensor]:
    """A wave down and a wave up, (1, line 2, depth, time), and c of (1, 2, depth)."""
    t, z = torch.arange(200, dtype=torch.float64) * DT, torch.arange(60, dtype=torch.float64)[:, None] * H
    down, up = ((math.pi * 25 * (t - 0.05 - z / C)) ** 2, (math.pi * 25 * (t - 0.35 + z / C)) ** 2)
    u = (1 - 2 * down) * torch.exp(-down) - 0.4 * (1 - 2 * up) * torch.exp(-up)
    return torch.stack([u, 2 * u])[None], torch.full((1, 2, 60), C)


def test_a_zero_offset_vsp_obeys_with_waves_down_and_up() -> None:
    u, c = vsp()
    fields = {"clean": u, "velocity_m_s": c, "dz_m": torch.tensor([H]), "fs_hz": torch.tensor([1 / DT])}
    fields["offset_m"] = 20 + torch.zeros(1, 2, 60)
    assert float(WaveEquationLoss(axes="depth_time")({"clean": u}, fields)) < 1e-5
    fields["offset_m"] = torch.arange(60).float().expand(1, 2, 60) * H
    with pytest.raises(RecipeError, match="surface gather"):
        WaveEquationLoss(axes="depth_time")({"clean": u}, fields)


def test_a_surface_gather_is_refused_with_the_reason() -> None:
    gather = torch.randn(2, 1, 24, 128)
    given = {"clean": gather, "fs_hz": torch.full((2,), 500.0), "live": torch.ones(2, 1, 24)}
    with pytest.raises(RecipeError, match=r"u_tt - c\^2 u_xx = cos\^2\(theta\) u_tt = c\^2 u_zz"):
        WaveEquationLoss(name="WaveEquationLoss")({"clean": gather}, given)
    with pytest.raises(RecipeError, match="surface gather"):
        WaveEquationLoss(velocity_m_s=C, dz_m=H, dx_m=H)({"clean": gather}, given)
    with pytest.raises(RecipeError, match="surface gather"):
        WaveEquationLoss(velocity_m_s=C, dz_m=H, dx_m=H, axes="depth_x_time")({"clean": gather}, given)


def test_reflections_called_a_vsp_are_found_out_by_themselves() -> None:
    """Without offsets nothing but the data tell: hyperbolas do not obey u_tt = c^2 u_xx."""
    t, x = torch.arange(256, dtype=torch.float64) * 2e-3, torch.arange(48, dtype=torch.float64)[:, None] * 12.5
    gather = torch.zeros(48, 256, dtype=torch.float64)
    for t0 in (0.15, 0.27, 0.36):
        phase = (math.pi * 25 * (t - (t0**2 + (x / C) ** 2).sqrt())) ** 2
        gather += (1 - 2 * phase) * torch.exp(-phase)
    term = WaveEquationLoss(axes="depth_time", velocity_m_s=C, dz_m=12.5, dt_s=2e-3)
    with pytest.raises(RecipeError, match="the truth itself misses the equation"):
        term({"clean": gather[None, None]}, {"clean": gather[None, None]})


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"dt_s": torch.tensor([1000 * DT])}, "above 1 .*dt in s and not ms"),
        ({"dz_m": torch.tensor([H / 1000])}, "above 1 .*not km"),
        ({"dt_s": torch.tensor([2 * DT])}, r"velocities x 0\.5 would fit best"),
        ({"velocity_m_s": torch.full((1, 28, 30), -C)}, "not above 0"),
        ({"velocity_m_s": torch.full((1, 28, 30), torch.nan)}, "not finite"),
        ({"velocity_m_s": torch.full((1, 28), C)}, "28"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Tensor], match: str) -> None:
    u = movie()
    with pytest.raises(RecipeError, match=match):
        WaveEquationLoss()({"clean": u}, batch(u) | changes)


@pytest.mark.parametrize("missing", ["velocity_m_s", "dz_m", "dx_m", "dt_s"])
def test_a_movie_without_its_medium_is_refused(missing: str) -> None:
    u = movie()
    fields = batch(u)
    del fields[missing]
    with pytest.raises(RecipeError, match=f"neither batch nor recipe has {missing}"):
        WaveEquationLoss()({"clean": u}, fields)


def test_velocities_in_km_s_are_warned_of_and_refused_where_the_truth_is_known(
    caplog: pytest.LogCaptureFixture,
) -> None:
    u = movie()
    slow = batch(u) | {"velocity_m_s": torch.full((1, 28, 30), C / 1000)}
    with caplog.at_level(logging.WARNING, "seisloom"), pytest.raises(RecipeError, match="stencils alone"):
        WaveEquationLoss()({"clean": u}, slow)
    assert "not km/s" in caplog.text
    with pytest.raises(RecipeError, match=r"velocities x 1e\+03 would fit best"):
        WaveEquationLoss(largest_floor=10)({"clean": u}, slow)


def test_a_grid_that_is_too_coarse_is_refused_and_one_that_is_nearly_so_warned_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    coarse = movie(35, h=9)
    fields = batch(coarse) | {"dz_m": torch.tensor([9.0]), "dx_m": torch.tensor([9.0])}
    with pytest.raises(RecipeError, match=r"cells in the shortest wavelength .* Look at the units"):
        WaveEquationLoss(space_order=2)({"clean": coarse}, fields)
    caplog.clear()
    with caplog.at_level(logging.WARNING, "seisloom"):
        WaveEquationLoss()({"clean": coarse}, fields)
    assert "fewer than the 6 that order 8 wants" in caplog.text


def test_an_untrained_output_alone_is_not_called_too_coarse() -> None:
    fields = batch(movie())
    del fields["clean"]
    fields["dt_s"] /= 2
    noise = torch.randn(1, 60, 28, 30, generator=torch.Generator().manual_seed(0))
    assert 0.9 < math.sqrt(float(WaveEquationLoss(space_order=2)({"clean": noise}, fields))) < 1.05


def test_sources_and_margins_do_not_count() -> None:
    u = movie().float()
    spoilt = u.clone()
    spoilt[:, 50, 12, 17] += 5
    spoilt[:, :, :6] = torch.randn(1, 110, 6, 30)
    mask = torch.zeros(1, 28, 30)
    mask[:, 8:17, 13:22] = 1  # as far as the stencil reaches from the spoilt cell
    assert float(WaveEquationLoss()({"clean": spoilt}, batch(u))) > 0.1
    assert float(WaveEquationLoss(margin_cells=10)({"clean": spoilt}, batch(u, source_mask=mask))) < 1e-4
    in_time = mask[:, None].expand(1, 110, 28, 30)
    assert float(WaveEquationLoss(margin_cells=10)({"clean": spoilt}, batch(u, source_mask=in_time))) < 1e-4


def test_gradients_of_the_term_are_those_of_finite_differences() -> None:
    u = movie()[:, 50:57, 8:18, 8:18].contiguous()
    fields = batch(u)
    term = WaveEquationLoss(largest_floor=10, largest_of_truth=10, margin_cells=1)
    given = (u + 0.1 * torch.randn(u.shape, dtype=u.dtype, generator=torch.Generator().manual_seed(3))).requires_grad_()
    assert torch.autograd.gradcheck(lambda one: term({"clean": one}, fields), (given,))


def test_half_precision_is_not_differenced() -> None:
    u = movie().float()
    value = WaveEquationLoss()({"clean": u.half()}, batch(u))
    assert value.dtype == torch.float32


@pytest.mark.parametrize("name", ["wave_equation", "WaveEquationLoss"])
def test_a_recipe_takes_it_by_either_name_with_weight_and_schedule(name: str) -> None:
    entry = f"{{name: {name}, weight: 0.1, from_share: 0.3, velocity_m_s: [1500, 2000], dz_m: 5, axes: depth_time}}"
    recipe = read_recipe("interpretation", [f"loss=[{{name: l2}}, {entry}]"])
    term = recipe.loss[1]
    assert isinstance(term, WaveEquationLoss)
    assert (term.name, term.velocity_m_s, term.weight_at(0.2), term.weight_at(0.4)) == (name, (1500, 2000), 0, 0.1)
