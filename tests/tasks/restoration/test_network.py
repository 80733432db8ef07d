"""The networks of the room: any panel, live traces that come back, amplitudes that are kept, and steps that teach."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from seisloom.errors import SchemaError
from seisloom.sample import Schema
from seisloom.tasks.restoration.model import (
    WIDTHS,
    DenoisingAutoencoder,
    DenoisingUNet,
    GuessUNet,
    MaskUNet,
    RestorerConfig,
)

Batch = dict[str, Tensor]
NARROW = (4, 6, 8)
ENTRIES: dict[str, RestorerConfig] = {
    "denoising": DenoisingUNet(widths=NARROW),
    "denoising, gates": DenoisingUNet(widths=NARROW, attention=True),
    "mask": MaskUNet(widths=NARROW),
    "mask, denoises": MaskUNet(widths=NARROW, keeps_live=False),
    "guess": GuessUNet(widths=NARROW),
    "guess, gates": GuessUNet(widths=NARROW, attention=True),
    "guess, denoises": GuessUNet(widths=NARROW, keeps_live=False),
    "autoencoder": DenoisingAutoencoder(widths=NARROW),
}
KEEPS = ["mask", "guess", "guess, gates"]
CASES = [(which, dims) for which in ENTRIES for dims in (1, 2, 3) if (which, dims) != ("mask", 1)]
"""There is nothing to fill a trace alone from."""
everyone = pytest.mark.parametrize("which", list(ENTRIES))
everywhere = pytest.mark.parametrize(("which", "dims"), CASES)


def built(which: str, dims: int = 2, **keys: Any) -> nn.Module:
    torch.manual_seed(0)
    return ENTRIES[which].model_copy(update={"dims": dims, **keys}).build(Schema(())).double()


def panels(*shape: int, seed: int = 0) -> Batch:
    """Dipping events with some noise, every third trace dead, and the mean of the neighbours as a guess."""
    generator = torch.Generator().manual_seed(seed)
    n_item, n_line, n_trace, _ = shape
    line, trace, time = torch.meshgrid(*(torch.arange(float(n)) for n in shape[1:]), indexing="ij")
    dips = torch.rand(n_item, 2, 1, 1, 1, generator=generator) * 0.8
    phase = time - dips[:, 0] * trace - dips[:, 1] * line
    clean = (0.4 * phase).sin().double()
    noisy = clean + 0.2 * torch.randn(shape, generator=generator).double()
    live = (torch.arange(n_trace) % 3 != 1).double().expand(n_item, n_line, -1)
    x = noisy * live[..., None]
    beside = (x.roll(1, dims=2) + x.roll(-1, dims=2)) / 2
    return {"x": x, "live": live, "clean": clean, "guess": torch.where(live[..., None] > 0, x, beside)}


@everywhere
@pytest.mark.parametrize("place", [(1, 13, 21), (1, 1, 1), (3, 5, 9), (1, 1, 17), (2, 7, 1)])
def test_any_panel_goes_through_and_comes_back(which: str, dims: int, place: tuple[int, int, int]) -> None:
    batch = panels(2, *place)
    with torch.inference_mode():
        found = built(which, dims)(batch)
    assert list(found) == ["clean"]
    assert found["clean"].shape == batch["x"].shape
    assert bool(found["clean"].isfinite().all())


@everywhere
def test_a_step_lowers_the_loss_and_the_network_stored_is_the_network_read(which: str, dims: int) -> None:
    batch, network = panels(2, 2, 12, 16), built(which, dims)

    def loss() -> Tensor:
        out: Tensor = (network(batch)["clean"] - batch["clean"]).square().mean()
        return out

    optimiser = torch.optim.SGD(network.parameters(), lr=0.01)
    before = loss()
    before.backward()
    unlearnt = [name for name, one in network.named_parameters() if one.grad is None or not one.grad.any()]
    assert unlearnt == []
    optimiser.step()
    assert float(loss().detach()) < float(before.detach())

    other = built(which, dims)
    other.load_state_dict(copy.deepcopy(network.state_dict()))
    with torch.inference_mode():
        assert torch.equal(other(batch)["clean"], network(batch)["clean"])


@everyone
def test_a_network_learns(which: str) -> None:
    network, batch, unseen = built(which).float(), panels(8, 1, 24, 32), panels(4, 1, 24, 32, seed=1)
    batch, unseen = ({name: one.float() for name, one in panel.items()} for panel in (batch, unseen))
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)

    def error() -> float:
        with torch.inference_mode():
            wrong = (network(unseen)["clean"] - unseen["clean"]).square()
        return float(wrong[unseen["live"] == 0].mean() if which in KEEPS else wrong.mean())

    untrained = error()
    for _ in range(40):
        optimiser.zero_grad()
        (network(batch)["clean"] - batch["clean"]).square().mean().backward()
        optimiser.step()
    assert error() < 0.7 * untrained


@pytest.mark.parametrize(("which", "dims"), [case for case in CASES if case[0] in KEEPS])
def test_live_traces_come_back_bit_by_bit(which: str, dims: int) -> None:
    batch, network = panels(2, 2, 12, 16), built(which, dims)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter))
    clean = network(batch)["clean"]
    is_live = (batch["live"] > 0)[..., None].expand_as(clean)
    assert torch.equal(clean[is_live], batch["x"][is_live])
    assert not torch.equal(clean[~is_live], batch["x"][~is_live])
    learning = torch.autograd.grad(clean[is_live].sum(), list(network.parameters()))
    assert not any(bool(one.any()) for one in learning)


@pytest.mark.parametrize("which", sorted(ENTRIES.keys() - KEEPS))
def test_other_networks_change_live_traces_too(which: str) -> None:
    batch, network = panels(2, 1, 12, 16), built(which)
    clean = network(batch)["clean"]
    is_live = (batch["live"] > 0)[..., None].expand_as(clean)
    assert float(torch.isclose(clean[is_live], batch["x"][is_live]).double().mean()) < 0.1
    learning = torch.autograd.grad(clean[is_live].square().sum(), list(network.parameters()))
    assert all(bool(one.any()) for one in learning)


@pytest.mark.parametrize("keys", [{}, {"attention": True}, {"keeps_live": False}, {"preset": "base"}])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_the_untrained_network_is_as_good_as_its_guess(dims: int, keys: dict[str, Any]) -> None:
    torch.manual_seed(0)
    batch = {name: one.float() for name, one in panels(2, 2, 12, 32).items()}
    network = GuessUNet.model_validate({"dims": dims, **keys}).build(Schema(()))

    def error(found: Tensor) -> float:
        return float((found - batch["clean"])[batch["live"] == 0].square().mean())

    with torch.inference_mode():
        assert error(network(batch)["clean"]) == pytest.approx(error(batch["guess"]), rel=0.05)


@pytest.mark.parametrize(("which", "dims"), [case for case in CASES if not case[0].startswith("mask")])
def test_so_many_times_the_input_gives_as_many_times_the_output(which: str, dims: int) -> None:
    batch, network = panels(1, 2, 12, 16), built(which, dims)
    louder = {name: one if name == "live" else 1e3 * one for name, one in batch.items()}
    with torch.inference_mode():
        torch.testing.assert_close(network(louder)["clean"], 1e3 * network(batch)["clean"])


@pytest.mark.parametrize("which", ["mask", "guess"])
def test_the_mask_is_seen(which: str) -> None:
    batch, network = panels(1, 1, 12, 16), built(f"{which}, denoises")
    all_live = {**batch, "live": torch.ones_like(batch["live"])}
    with torch.inference_mode():
        assert not torch.isclose(network(all_live)["clean"], network(batch)["clean"]).all()
        blind = built("denoising")
        assert torch.equal(blind(all_live)["clean"], blind(batch)["clean"])


@pytest.mark.parametrize("which", ["denoising", "mask, denoises", "guess, denoises", "autoencoder"])
@pytest.mark.parametrize(("dims", "sees"), [(1, (0, 0)), (2, (0, 1)), (3, (1, 1))])
def test_a_network_sees_what_its_dimensions_say(which: str, dims: int, sees: tuple[int, int]) -> None:
    network, batch = built(which, dims), panels(1, 3, 7, 9)
    batch["x"].requires_grad_()
    (grad,) = torch.autograd.grad(network(batch)["clean"][0, 1, 3, 4], batch["x"])
    other_line, other_trace = bool(grad[0, 0].any()), bool(grad[0, 1, 2].any())
    assert (other_line, other_trace) == tuple(map(bool, sees))
    assert bool(grad[0, 1, 3].any())


@everywhere
def test_an_item_is_the_same_alone_and_with_others(which: str, dims: int) -> None:
    batch, network = panels(3, 2, 7, 9), built(which, dims)
    with torch.inference_mode():
        together = network(batch)["clean"]
        alone = torch.cat([network({k: one[i : i + 1] for k, one in batch.items()})["clean"] for i in range(3)])
    torch.testing.assert_close(alone, together)


@everyone
def test_the_same_seed_gives_the_same_network(which: str) -> None:
    batch = panels(1, 1, 12, 16)
    assert torch.equal(built(which)(batch)["clean"], built(which)(batch)["clean"])


def test_a_network_names_the_guess_that_it_needs() -> None:
    assert GuessUNet(guess="pocs").needs_guess == "pocs"
    assert [ENTRIES[which].needs_guess for which in ("denoising", "mask", "autoencoder")] == [None] * 3
    batch = panels(1, 1, 6, 8)
    del batch["guess"]
    with pytest.raises(SchemaError, match="corrects the guess of 'linear', and the batch has none"):
        built("guess")(batch)


@pytest.mark.parametrize(("dims", "preset"), list(WIDTHS))
def test_presets_grow_and_the_smallest_is_small(dims: int, preset: str) -> None:
    def size(preset: str) -> int:
        with torch.device("meta"):
            network = GuessUNet.model_validate({"dims": dims, "preset": preset}).build(Schema(()))
        return sum(one.numel() for one in network.parameters())

    order = ["small", "base", "large"]
    assert size("small") < 0.5e6
    assert all(size(less) < size(preset) for less in order[: order.index(preset)])


def test_the_latent_is_a_key_and_by_default_a_quarter_of_the_samples() -> None:
    assert [DenoisingAutoencoder(dims=dims).n_latent for dims in (1, 2, 3)] == [1, 4, 16]
    assert DenoisingAutoencoder(levels=1).n_latent == 1
    wide = built("autoencoder", latent=11).get_submodule("autoencoder")
    assert wide.encode(torch.randn(1, 1, 8, 8).double()).shape == (1, 11, 2, 2)  # type: ignore[operator]
    with pytest.raises(ValidationError, match="levels=4 needs as many widths, and there are 3"):
        DenoisingAutoencoder(levels=4, widths=NARROW)


def test_a_trace_alone_is_not_filled() -> None:
    with pytest.raises(ValidationError, match="there is nothing to fill a dead trace from"):
        MaskUNet(dims=1)
    MaskUNet(dims=1, keeps_live=False)
