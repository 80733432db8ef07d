"""What the interpreter of a tile relies on: any size, no knowledge of the tile, a reach that is the true one."""

from __future__ import annotations

from typing import cast

import pytest
import torch
from torch import Tensor, nn

from seisloom.nn.unet import WIDTHS, Decoder, Gate, Halve, UNet, double

WIDE = (4, 6, 8)
SIZES = [
    (1, (37,)), (1, (1,)), (1, (3,)), (2, (33, 20)), (2, (1, 9)), (2, (5, 1)), (3, (9, 6, 7)), (3, (16, 1, 1)),
    (3, (2, 3, 1)),
]  # fmt: skip


def unet(dims: int, *, widths: tuple[int, ...] = WIDE, n_blocks: int = 1, **decoders: int) -> UNet:
    torch.manual_seed(0)
    return UNet(dims, 2, decoders=decoders or {"fault": 1}, widths=widths, n_blocks=n_blocks).double()


@pytest.mark.parametrize(("dims", "size"), SIZES)
def test_any_size_goes_through_and_comes_back(dims: int, size: tuple[int, ...]) -> None:
    found = unet(dims, fault=1, normal=3)(torch.randn(2, 2, *size, dtype=torch.float64))
    assert {name: tuple(out.shape) for name, out in found.items()} == {"fault": (2, 1, *size), "normal": (2, 3, *size)}
    assert all(bool(out.isfinite().all()) and out.is_contiguous() for out in found.values())


@pytest.mark.parametrize("widths", [(4,), (4, 5), (4, 5, 6), (3, 4, 5, 6)])
@pytest.mark.parametrize("n_blocks", [1, 2])
def test_the_reach_is_where_the_gradient_ends(widths: tuple[int, ...], n_blocks: int) -> None:
    net = unet(1, widths=widths, n_blocks=n_blocks)
    n = 2 * (net.reach + 2 * net.multiple) + 1
    middle = n // 2 // net.multiple * net.multiple
    farthest = 0
    for place in range(middle, middle + net.multiple):
        x = torch.randn(1, 2, n, dtype=torch.float64, requires_grad=True)
        (grad,) = torch.autograd.grad(net(x)["fault"][0, 0, place], x)
        seen = grad[0].abs().sum(dim=0).nonzero().flatten().tolist()
        first, last = net.span(place)
        assert (seen[0], seen[-1]) == (first, last)
        farthest = max(farthest, place - seen[0], seen[-1] - place)
    assert farthest == net.reach


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_the_reach_is_the_same_along_every_axis(dims: int) -> None:
    net = unet(dims, widths=(2, 2))
    n = 2 * net.reach + 8
    for axis in range(dims):
        x = torch.randn(1, 2, *(n if a == axis else 1 for a in range(dims)), dtype=torch.float64, requires_grad=True)
        out = net(x)["fault"].flatten()
        far = 0
        for place in (n // 2, n // 2 + 1):
            (grad,) = torch.autograd.grad(out[place], x, retain_graph=True)
            seen = grad[0].sum(dim=0).flatten().nonzero().flatten()
            far = max(far, place - int(seen[0]), int(seen[-1]) - place)
        assert far == net.reach


@pytest.mark.parametrize(("dims", "widths"), [(1, WIDE), (2, WIDE), (3, (3, 4))])
def test_a_tile_gives_what_the_whole_gives_beyond_its_reach(dims: int, widths: tuple[int, ...]) -> None:
    net = unet(dims, widths=widths)
    n, start = 2 * net.reach + 10, 3 * net.multiple
    whole = torch.randn(1, 2, *(n + 20,) * dims, dtype=torch.float64)
    cut = (..., *(slice(start, start + n),) * dims)
    inner = (..., *(slice(net.reach, n - net.reach),) * dims)
    with torch.inference_mode():
        of_whole, of_tile = net(whole)["fault"][cut][inner], net(whole[cut])["fault"][inner]
    # Rounding alone, in float64
    torch.testing.assert_close(of_tile, of_whole, rtol=0, atol=1e-11)


def test_a_tile_does_not_see_how_loud_its_other_half_is() -> None:
    net = unet(1)
    quiet = torch.randn(1, 2, 200, dtype=torch.float64)
    loud = quiet.clone()
    loud[..., 150:] *= 100
    with torch.inference_mode():
        apart = (net(loud)["fault"] - net(quiet)["fault"])[..., : 150 - net.reach]
    assert float(apart.abs().max()) < 1e-11


def test_a_constant_section_has_no_edge() -> None:
    net = unet(2)
    out = net(torch.full((1, 2, 21, 30), 0.7, dtype=torch.float64))["fault"]
    assert float(out.detach().std()) < 1e-11


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_halving_then_doubling_keeps_a_ramp(dims: int) -> None:
    halve = Halve(dims, 1, 1).double()
    with torch.no_grad():
        nn.init.ones_(halve.mix.weight)
        nn.init.zeros_(halve.mix.bias)  # type: ignore[arg-type]
        ramp = torch.arange(24.0, dtype=torch.float64).reshape(1, 1, 24, *[1] * (dims - 1)).expand(1, 1, *[24] * dims)
        back = double(halve(ramp), like=ramp)
    # Edges are continued by a constant, which bends a ramp there
    inside = (..., *(slice(4, -4),) * dims)
    torch.testing.assert_close(back[inside], ramp[inside])


def test_the_low_pass_stops_what_halving_would_fold() -> None:
    halve = Halve(1, 1, 1).double()
    finest = torch.tensor([1.0, -1.0], dtype=torch.float64).repeat(16)[None, None]
    with torch.no_grad():
        nn.init.zeros_(halve.mix.bias)  # type: ignore[arg-type]
        assert float(halve(finest)[..., 1:-1].abs().max()) < 1e-15


def test_the_same_seed_gives_the_same_network() -> None:
    x = torch.randn(1, 2, 40, 24, dtype=torch.float64)
    assert torch.equal(unet(2)(x)["fault"], unet(2)(x)["fault"])


def test_weights_kept_in_half_precision_are_read_into_single() -> None:
    net, other = unet(2).float(), UNet(2, 2, decoders={"fault": 1}, widths=WIDE)
    other.load_state_dict({name: weight.half() for name, weight in net.state_dict().items()})
    x = torch.randn(1, 2, 32, 32)
    with torch.inference_mode():
        assert other(x)["fault"].dtype == torch.float32
        # Half precision keeps 11 bits of each weight
        torch.testing.assert_close(other(x)["fault"], net(x)["fault"], rtol=0, atol=0.02)


def test_every_weight_of_every_decoder_learns() -> None:
    net = unet(3, fault=1, dhr=1)
    out = net(torch.randn(1, 2, 8, 8, 8, dtype=torch.float64))
    sum(value.square().sum() for value in out.values()).backward()  # type: ignore[union-attr]
    assert [name for name, weight in net.named_parameters() if weight.grad is None or not weight.grad.any()] == []


@pytest.mark.parametrize(("dims", "million"), [(1, 0.10), (2, 0.38), (3, 0.37)])
def test_the_default_networks_are_as_small_as_stated(dims: int, million: float) -> None:
    net = UNet(dims, 1, decoders={"fault": 1})
    assert sum(weight.numel() for weight in net.parameters()) == pytest.approx(million * 1e6, rel=0.05)
    assert net.n_levels == len(WIDTHS[dims])


@pytest.mark.parametrize("wrong", [{"dims": 4}, {"decoders": {}}, {"widths": ()}, {"n_blocks": 0}])
def test_what_cannot_be_built_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="needs dims of 1, 2 or 3"):
        UNet(**{"dims": 2, "n_in": 1, "decoders": {"fault": 1}, **wrong})  # type: ignore[arg-type]


# --- attention gates, and networks without norms and biases


def gated(dims: int = 2, *, homogeneous: bool = False) -> UNet:
    torch.manual_seed(0)
    net = UNet(dims, 2, decoders={"fault": 1}, widths=WIDE, attention=True, homogeneous=homogeneous)
    return net.double()


def gates_of(net: UNet) -> list[Gate]:
    gates = cast("Decoder", net.decoders["fault"]).gates
    return [cast("Gate", gate) for gate in gates]


def shut(gate: Gate) -> None:
    with torch.no_grad():
        assert gate.weigh.bias is not None
        gate.weigh.bias.fill_(-1e4)  # whose sigmoid is 0 in double precision


def test_only_a_network_with_attention_has_gates() -> None:
    without, with_gates = unet(2).state_dict(), gated().state_dict()
    added = with_gates.keys() - without.keys()
    assert without.keys() <= with_gates.keys()
    assert len(gates_of(gated())) == len(WIDE) - 1
    assert added
    assert all(name.startswith("decoders.fault.gates.") for name in added)


@pytest.mark.parametrize(("dims", "size"), SIZES)
@pytest.mark.parametrize("homogeneous", [False, True])
def test_any_size_goes_through_gates(dims: int, size: tuple[int, ...], homogeneous: bool) -> None:
    out = gated(dims, homogeneous=homogeneous)(torch.randn(2, 2, *size, dtype=torch.float64))["fault"]
    assert out.shape == (2, 1, *size)
    assert bool(out.isfinite().all())


@pytest.mark.parametrize("homogeneous", [False, True])
def test_every_weight_of_every_gate_learns(homogeneous: bool) -> None:
    net = gated(homogeneous=homogeneous)
    net(torch.randn(3, 2, 17, 12, dtype=torch.float64))["fault"].square().sum().backward()
    learnt = {name: weight.grad is not None and bool(weight.grad.any()) for name, weight in net.named_parameters()}
    assert sum("gates" in name for name in learnt) == 4 * (len(WIDE) - 1)
    assert [name for name, has in learnt.items() if not has] == []


@pytest.mark.parametrize("level", [0, 1])
def test_a_closed_gate_changes_the_output_and_stops_the_gradient_through_its_level(level: int) -> None:
    net, x = gated(), torch.randn(1, 2, 16, 12, dtype=torch.float64)
    decoder = net.decoders["fault"]
    levels = [
        torch.randn(1, width, 16 // 2**n, 12 // 2**n, dtype=torch.float64, requires_grad=True)
        for n, width in enumerate(WIDE)
    ]

    def gradients() -> tuple[list[bool], list[Tensor]]:
        into_levels = torch.autograd.grad(decoder(levels).sum(), levels)
        encoder = list(net.encoders[level].parameters())
        return [bool(one.any()) for one in into_levels], list(torch.autograd.grad(net(x)["fault"].sum(), encoder))

    open_out, (reaches, into_encoder) = net(x)["fault"], gradients()
    assert reaches == [True] * len(WIDE)
    shut(gates_of(net)[level])
    closed_out, (reaches, closed_into_encoder) = net(x)["fault"], gradients()
    assert not torch.allclose(open_out, closed_out)
    assert reaches == [n != level for n in range(len(WIDE))]
    assert not any(torch.allclose(a, b) for a, b in zip(into_encoder, closed_into_encoder, strict=True))


def test_an_untrained_gate_lets_most_through_and_never_more_than_all() -> None:
    torch.manual_seed(0)
    gate = Gate(2, 6, 8).double()
    level, coarse = torch.randn(2, 6, 9, 11, dtype=torch.float64), torch.randn(2, 8, 5, 6, dtype=torch.float64)
    with torch.inference_mode():
        share = gate(level, coarse) / level
    assert float(share.min()) > 0.5
    assert float(share.max()) < 1
    # One weight a place, for all channels
    torch.testing.assert_close(share, share[:, :1].expand_as(share))


def test_gates_do_not_look_beyond_the_reach() -> None:
    net = gated(1)
    n = 2 * (net.reach + 2 * net.multiple) + 1
    place = n // 2 // net.multiple * net.multiple
    x = torch.randn(1, 2, n, dtype=torch.float64, requires_grad=True)
    (grad,) = torch.autograd.grad(net(x)["fault"][0, 0, place], x)
    seen = grad[0].abs().sum(dim=0).nonzero().flatten()
    assert (int(seen[0]), int(seen[-1])) == net.span(place)


@pytest.mark.parametrize("attention", [False, True])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_a_homogeneous_network_gives_as_many_times_the_output(dims: int, attention: bool) -> None:
    torch.manual_seed(0)
    net = UNet(dims, 2, decoders={"clean": 1}, widths=WIDE, attention=attention, homogeneous=True).double()
    x = torch.randn(1, 2, *(9,) * dims, dtype=torch.float64)
    with torch.inference_mode():
        torch.testing.assert_close(net(1000 * x)["clean"], 1000 * net(x)["clean"])
        assert not net(0 * x)["clean"].any()
    biased = UNet(dims, 2, decoders={"clean": 1}, widths=WIDE).double()
    assert not torch.allclose(biased(1000 * x)["clean"], 1000 * biased(x)["clean"], rtol=0.5)


def test_a_homogeneous_network_has_no_norms_and_no_biases() -> None:
    torch.manual_seed(0)
    names = UNet(2, 1, decoders={"clean": 1}, widths=WIDE, homogeneous=True).state_dict()
    assert [name for name in names if not name.endswith("weight")] == []
