"""Recurrent classifiers: called as in the ancestor's snippet, what is masked does not matter, the query looks."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from seisloom.nn.recurrent import LSTMAttentionModel, LSTMModel

BOTH = [LSTMModel, LSTMAttentionModel]


def made(kind: type[nn.Module], *sizes: int, **named: int) -> nn.Module:
    torch.manual_seed(0)
    return kind(*sizes, **named).double().eval()


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def test_sizes_are_those_of_the_ancestor_but_for_the_query() -> None:
    # 51 202 and 67 970 parameters there: a norm over the batch has as many as one over the state
    plain = LSTMModel(channels=3, classes=2, hidden=64, layers=2, dropout=0.3)
    attending = LSTMAttentionModel(channels=3, classes=2, hidden=64, layers=2, heads=2, dropout=0.3)
    n = [sum(p.numel() for p in net.parameters()) for net in (plain, attending)]
    assert n == [51_202, 67_970 + 64]


@pytest.mark.parametrize("kind", BOTH)
def test_a_spectrum_of_any_length_gives_logits(kind: type[nn.Module]) -> None:
    net = made(kind, 3, 4)
    for length in (1, 33, 257):
        assert net(drawn(2, length, 3)).shape == (2, 4)


@pytest.mark.parametrize("kind", BOTH)
def test_an_item_says_the_same_in_any_batch(kind: type[nn.Module]) -> None:
    net, x = made(kind, 3, 2), drawn(5, 20, 3)
    torch.testing.assert_close(net(x)[2:3], net(x[2:3]), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", BOTH)
def test_what_is_masked_behind_the_end_does_not_matter(kind: type[nn.Module]) -> None:
    net, x = made(kind, 3, 2), drawn(2, 20, 3)
    mask = torch.zeros(2, 20)
    mask[:, :12] = 1
    x[:, 12:] = float("nan")
    torch.testing.assert_close(net(x, mask), net(x[:, :12]), rtol=0, atol=1e-12)
    assert bool(net(x, torch.zeros(2, 20)).isfinite().all())


@pytest.mark.parametrize("kind", BOTH)
def test_the_order_of_frequencies_matters(kind: type[nn.Module]) -> None:
    net, x = made(kind, 1, 2), drawn(2, 20, 1)
    assert bool((net(x) - net(x.flip(1))).abs().max() > 1e-4)


def test_attention_is_a_weighted_mean_and_no_plain_one() -> None:
    net, x = made(LSTMAttentionModel, 2, 2, hidden=8, heads=1), drawn(3, 15, 2)
    with torch.no_grad():
        net.query.mul_(500)  # a trained query looks sharply
    weights = net.attention_weights(x)
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(3, dtype=torch.float64))
    assert bool(weights.std(dim=1).min() > 0.01)
    # Softmax of query and key by hand
    states = net.norm(net.lstm(x)[0])
    query, key, _ = net.attention.in_proj_weight.chunk(3)
    asked = net.query @ query.T + net.attention.in_proj_bias[:8]
    keys = states @ key.T + net.attention.in_proj_bias[8:16]
    torch.testing.assert_close(weights, torch.softmax(keys @ asked / 8**0.5, dim=1))


@pytest.mark.parametrize("kind", BOTH)
def test_it_learns_which_end_of_the_spectrum_is_strong(kind: type[nn.Module]) -> None:
    torch.manual_seed(0)
    label = torch.arange(64) % 2
    x = 0.5 * torch.randn(64, 16, 1)
    x[label == 0, :6] += 1
    x[label == 1, 10:] += 1
    net = kind(1, 2, hidden=16, layers=1, dropout=0.0)
    optimiser = torch.optim.AdamW(net.parameters(), lr=0.005)
    for _ in range(60):
        optimiser.zero_grad()
        functional.cross_entropy(net(x), label).backward()
        optimiser.step()
    assert float((net(x).argmax(1) == label).float().mean()) > 0.95


def test_sizes_that_no_network_has_are_named() -> None:
    with pytest.raises(ValueError, match="no multiple of heads=3"):
        LSTMAttentionModel(3, 2, heads=3)
    with pytest.raises(ValueError, match="'layers': 0"):
        LSTMModel(3, 2, layers=0)
    with pytest.raises(ValueError, match=r"dropout=1\.5"):
        LSTMModel(3, 2, dropout=1.5)
    with pytest.raises(ValueError, match="with 3 channels"):
        LSTMModel(3, 2)(torch.zeros(4, 10, 2))
