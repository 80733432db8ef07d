"""The network and its head: closed forms of the soft-argmax, and what an output may and may not depend on."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seisloom import plugins
from seisloom.errors import DataError
from seisloom.nn.blocks import ChannelNorm, Halve, WindowAttention, double, smooth
from seisloom.nn.gather_unet import local_soft_argmax, phases_to_time
from seisloom.recipe import Recipe
from seisloom.tasks.picking.network import Trust
from seisloom.tasks.picking.task import PICKING
from seisloom.testing import check_model

Tiny = Callable[..., Recipe]
SMALL = ("model.fs_hz=2000", "model.widths=[4, 8]", "model.n_blocks=[1, 1]", "model.dilations=[1, 1]")


@pytest.mark.parametrize("name", [name for name in plugins.names("models") if name.startswith("onset")])
def test_every_network_keeps_the_contract(tiny: Tiny, name: str) -> None:
    recipe = tiny(f"model={name}", *SMALL)
    check_model(recipe.model, recipe)


@given(place=st.floats(30, 220), width=st.floats(2, 6))
@settings(deadline=None)
def test_the_soft_argmax_finds_the_middle_and_the_width_of_a_peak(place: float, width: float) -> None:
    logit = -0.5 * ((torch.arange(256) - place) / width) ** 2
    mean, spread, share, peak = local_soft_argmax(logit[None], reach=30)
    assert float(mean) == pytest.approx(place, abs=0.02)
    assert float(spread) == pytest.approx(width, rel=0.02)
    assert float(share) > 0.999
    assert abs(float(peak) - place) <= 1


def test_a_far_side_peak_does_not_pull_the_pick() -> None:
    places = torch.arange(512)
    logit = torch.logaddexp(-0.5 * ((places - 100) / 3.0) ** 2, -0.5 * ((places - 400) / 3.0) ** 2 - 0.5)
    mean, _, share, _ = local_soft_argmax(logit[None], reach=20)
    assert float(mean) == pytest.approx(100, abs=0.01)
    assert float(share) == pytest.approx(1 / (1 + math.exp(-0.5)), abs=0.01)


@pytest.mark.parametrize("place", [0, 3, 252, 255])
def test_a_peak_at_the_end_of_the_record_stays_inside(place: int) -> None:
    logit = torch.full((1, 256), -30.0)
    logit[0, place] = 30
    mean, spread, *_ = local_soft_argmax(logit, reach=20)
    assert float(mean) == pytest.approx(place, abs=1e-3)
    assert bool(torch.isfinite(spread).all())


def test_phases_interleave() -> None:
    x = torch.arange(2 * 3 * 4).reshape(1, 6, 1, 4)  # two channels of three phases over four coarse steps
    assert torch.equal(phases_to_time(x, 3)[0, 0, 0], x[0, :3, 0].T.reshape(-1))
    assert torch.equal(phases_to_time(x, 3)[0, 1, 0], x[0, 3:, 0].T.reshape(-1))


@given(n=st.sampled_from([1, 3, 7]), length=st.integers(8, 40))
@settings(deadline=None)
def test_a_moving_mean_is_that_of_its_definition(n: int, length: int) -> None:
    x = torch.randn(2, length, dtype=torch.double)
    padded = torch.cat([x[:, :1].expand(-1, n // 2), x, x[:, -1:].expand(-1, n // 2)], dim=1)
    expected = torch.stack([padded[:, k : k + n].mean(dim=1) for k in range(length)], dim=1)
    assert torch.allclose(smooth(x, n), expected)


def test_a_norm_looks_at_one_place_alone() -> None:
    norm, x = ChannelNorm(4), torch.randn(1, 4, 3, 10)
    changed = x.clone()
    changed[..., 5:] += torch.randn(1, 4, 3, 5)
    assert torch.equal(norm(x)[..., :5], norm(changed)[..., :5])


def test_attention_stays_within_its_window_and_padding_is_not_seen() -> None:
    torch.manual_seed(0)
    block = WindowAttention(8, n_heads=2, window=8, shifted=False).eval()
    x = torch.randn(1, 8, 2, 20)
    changed = x.clone()
    changed[..., 8:] = torch.randn(1, 8, 2, 12)
    assert torch.allclose(block(x)[..., :8], block(changed)[..., :8], atol=1e-6)
    assert not torch.allclose(block(x)[..., 8:16], block(changed)[..., 8:16], atol=1e-3)
    # A record of 20 samples fills its third window to the half: the same as that half alone
    assert torch.allclose(block(x)[..., 16:], block(x[..., 16:]), atol=1e-5)


def inputs(n_item: int = 2, n_trace: int = 4, n_time: int = 203) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        "x": torch.randn(n_item, n_trace, 1, n_time, generator=generator), "fs": torch.full((n_item,), 2000.0),
        "t0_s": torch.full((n_item, n_trace), -0.01), "offset_m": torch.full((n_item, n_trace), 20.0),
    }  # fmt: skip


@pytest.mark.parametrize("n_time", [16, 17, 203, 256])
@pytest.mark.parametrize("n_trace", [1, 5])
def test_any_number_of_traces_and_samples_goes_through(tiny: Tiny, n_trace: int, n_time: int) -> None:
    network = tiny().model.build(PICKING.item).eval()
    found = network(inputs(n_trace=n_trace, n_time=n_time))
    assert found["logit"].shape == (2, n_trace, n_time)
    assert bool(((found["mean"] >= 0) & (found["mean"] <= n_time - 1)).all())


def test_what_is_not_known_is_not_a_number_and_does_no_harm(tiny: Tiny) -> None:
    network = tiny().model.build(PICKING.item).eval()
    for name in ("t0_s", "offset_m"):
        found = network({**inputs(), name: torch.full((2, 4), float("nan"))})
        assert all(bool(torch.isfinite(one.float()).all()) for one in found.values())


def test_a_dead_gather_gives_finite_answers(tiny: Tiny) -> None:
    network = tiny().model.build(PICKING.item).eval()
    found = network({**inputs(), "x": torch.zeros(2, 4, 1, 203)})
    assert all(bool(torch.isfinite(one.float()).all()) for one in found.values())


def test_sigma_stays_within_its_bounds_and_says_where_it_was_held(tiny: Tiny) -> None:
    network = tiny("model.min_sigma=1.9", "model.max_sigma=2.1").model.build(PICKING.item).eval()
    found = network(inputs())
    sigma = found["log_sigma"].exp()
    assert bool(((sigma >= 1.9 - 1e-5) & (sigma <= 2.1 + 1e-5)).all())
    held = (sigma < 1.9 + 1e-5) | (sigma > 2.1 - 1e-5)
    assert torch.equal(found["clamped"], held)


def test_records_of_another_rate_are_refused_with_the_way_to_mend_it(tiny: Tiny) -> None:
    network = tiny().model.build(PICKING.item)
    with pytest.raises(DataError, match=r"2000 Hz and was given 4000 Hz.*target_fs=2000"):
        network({**inputs(), "fs": torch.full((2,), 4000.0)})


def test_time_and_offset_are_used_only_where_asked(tiny: Tiny) -> None:
    for change, name, used in (
        ("model.use_time=true", "t0_s", True), ("model.use_time=false", "t0_s", False),
        ("model.use_offset=true", "offset_m", True), ("model.use_offset=false", "offset_m", False),
    ):  # fmt: skip
        torch.manual_seed(0)
        network = tiny(change).model.build(PICKING.item).eval()
        one, other = network(inputs()), network({**inputs(), name: inputs()[name] * 3})
        assert torch.equal(one["logit"], other["logit"]) != used


def test_half_of_the_steps_hold_the_same_whichever_half_it_is() -> None:
    # A wave of 0.2 cycles a step is kept, one of 0.45 would fold onto it: after the low-pass it is gone
    layer = Halve(1, 1)
    with torch.no_grad():
        layer.mix.weight.copy_(torch.tensor([0.0, 1.0, 0.0]).reshape(1, 1, 1, 3))
        layer.mix.bias.zero_()  # type: ignore[union-attr]
    step = torch.arange(256.0)
    for frequency, least, most in ((0.05, 0.9, 1.0), (0.45, 0.0, 0.03)):
        amplitude = layer(torch.sin(2 * math.pi * frequency * step)[None, None, None])[..., 4:-4].abs().max()
        assert least <= float(amplitude) <= most
    slow = torch.sin(2 * math.pi * 0.01 * step)[None, None, None]
    assert torch.allclose(double(layer(slow))[..., 8:-8], slow[..., 8:-8], atol=0.02)


def test_trust_of_nothing_is_a_constant_and_full_trust_changes_nothing() -> None:
    log_sigma = torch.linspace(-2, 4, 7)
    trust = Trust(1.5)
    assert torch.equal(trust(log_sigma), log_sigma)
    with torch.no_grad():
        trust.scale.zero_()
    assert torch.equal(trust(log_sigma), torch.full((7,), 1.5))
