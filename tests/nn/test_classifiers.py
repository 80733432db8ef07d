"""Convolutional classifiers: any length, no knowledge of the batch, and what is masked might as well not be there."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from seisloom.nn.classifiers import SpectrogramCNN, WaveformCNN, masked_pool

KINDS = [(SpectrogramCNN, (17, 40)), (WaveformCNN, (600,))]


def made(kind: type[nn.Module], classes: int = 3) -> nn.Module:
    torch.manual_seed(0)
    net = kind(2, classes).double().eval()
    with torch.no_grad():
        for one in net.parameters():  # so that shifts are not zero, and would show
            one.add_(0.05 * torch.randn_like(one))
    return net


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def test_numbers_of_parameters_are_those_that_are_said() -> None:
    n = [sum(p.numel() for p in kind(3, 4).parameters()) for kind in (SpectrogramCNN, WaveformCNN)]
    assert 65_000 < n[0] < 75_000
    assert 110_000 < n[1] < 130_000


@pytest.mark.parametrize(("kind", "size"), KINDS)
def test_any_length_goes_through(kind: type[nn.Module], size: tuple[int, ...]) -> None:
    net = made(kind)
    for length in (1, 2, 7, size[-1]):
        out = net(drawn(2, 2, *size[:-1], length))
        assert out.shape == (2, 3)
        assert bool(out.isfinite().all())


@pytest.mark.parametrize(("kind", "size"), KINDS)
@pytest.mark.parametrize("cut", [1, 5, 6, 7, 8, 31])
def test_a_record_that_is_filled_up_says_what_it_said(kind: type[nn.Module], size: tuple[int, ...], cut: int) -> None:
    net, x = made(kind), drawn(2, 2, *size)
    mask = torch.zeros(2, size[-1])
    mask[:, :cut] = 1
    short = net(x[..., :cut])
    x[..., cut:] = float("nan")
    torch.testing.assert_close(net(x, mask), short, rtol=0, atol=1e-11)


@pytest.mark.parametrize(("kind", "size"), KINDS)
def test_what_stands_in_a_gap_does_not_matter(kind: type[nn.Module], size: tuple[int, ...]) -> None:
    net, x = made(kind), drawn(2, 2, *size)
    mask = torch.ones(2, size[-1], dtype=torch.bool)
    mask[:, 10:25] = False
    other = torch.where(mask.reshape(2, *(1,) * (x.ndim - 2), -1), x, 1e3 * drawn(2, 2, *size))
    torch.testing.assert_close(net(other, mask), net(x, mask), rtol=0, atol=0)
    assert bool((net(x) - net(x, mask)).abs().max() > 1e-6)
    assert bool(net(x, torch.zeros(2, size[-1])).isfinite().all())


@pytest.mark.parametrize(("kind", "size"), KINDS)
def test_an_item_says_the_same_in_any_batch(kind: type[nn.Module], size: tuple[int, ...]) -> None:
    net, x = made(kind), drawn(4, 2, *size)
    torch.testing.assert_close(net(x)[1:2], net(x[1:2]), rtol=0, atol=1e-11)


def test_the_frequency_of_a_line_is_seen() -> None:
    net = made(SpectrogramCNN)
    low, high = torch.zeros(2, 1, 2, 64, 40, dtype=torch.float64)
    low[:, :, 20], high[:, :, 44] = 1, 1  # far from the edges, so that convolutions alone would see no difference
    assert bool((net(low) - net(high)).abs().max() > 1e-4)


def test_pooling_is_mean_and_maximum_of_what_counts() -> None:
    x = torch.tensor([[[-1.0, -3.0, 9.0]], [[4.0, 5.0, 6.0]]])
    live = torch.tensor([[[1.0, 1.0, 0.0]], [[0.0, 0.0, 0.0]]])
    assert masked_pool(x, live).tolist() == [[-2.0, -1.0], [0.0, 0.0]]


def test_a_place_of_the_last_level_sees_as_far_as_is_said() -> None:
    net = made(WaveformCNN)
    x = torch.zeros(1, 2, 8192, dtype=torch.float64, requires_grad=True)
    live = x.new_ones(1, 1, 8192)
    h = x + drawn(1, 2, 8192)
    for down, block in zip(net.downs, net.blocks, strict=True):
        live = functional.max_pool1d(live, 4, ceil_mode=True)
        h = block(down(h) * live, live)
    (grad,) = torch.autograd.grad(h[0, :, 16].sum(), x)
    seen = grad[0].abs().sum(dim=0).nonzero().flatten()
    assert int(seen[-1] - seen[0]) + 1 == 3401


def test_a_waveform_network_learns_fast_from_slow() -> None:
    torch.manual_seed(0)
    label = torch.arange(32) % 2
    t = torch.arange(256) / 100
    x = torch.sin(2 * torch.pi * (2 + 8 * label[:, None]) * t + 6.28 * torch.rand(32, 1))[:, None]
    net = WaveformCNN(1, 2, widths=(8, 12, 16), dropout=0.0)
    optimiser = torch.optim.AdamW(net.parameters(), lr=0.01)
    for _ in range(20):
        optimiser.zero_grad()
        functional.cross_entropy(net(x), label).backward()
        optimiser.step()
    assert float((net(x).argmax(1) == label).float().mean()) > 0.95


def test_shapes_that_do_not_fit_are_named() -> None:
    with pytest.raises(ValueError, match=r"give \(item, channel, time\) with 3 channels"):
        WaveformCNN(3, 2)(torch.zeros(4, 2, 100))
    with pytest.raises(ValueError, match="one value a step in time"):
        SpectrogramCNN(3, 2)(torch.zeros(4, 3, 10, 20), torch.ones(4, 10))
