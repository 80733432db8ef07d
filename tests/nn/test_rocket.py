"""Rocket features against convolutions written out in NumPy, and what weights files and seeds keep."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from seisloom.nn.ridge import RidgeHead
from seisloom.nn.rocket import MiniRocket, MultiRocket, dilations


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def written_out(record: np.ndarray, net: MiniRocket) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return outputs and thresholds of every kernel in the order of features, from the definition."""
    kernels = [np.where(np.isin(np.arange(9), places), 2.0, -1.0) for places in combinations(range(9), 3)]
    thresholds, found, first = net.thresholds.double().numpy(), [], 0
    for idx, (dilation, n) in enumerate(zip(net.dilations, net.n_each, strict=True)):
        of_dilation = thresholds[first : first + 84 * n].reshape(84, n)
        first += 84 * n
        for padded in (True, False):
            for k in range(84):
                if (idx + k) % 2 != (0 if padded else 1):
                    continue
                summed = (record * net.channel_use[idx, k].numpy()[:, None]).sum(axis=0)
                if padded:
                    summed = np.pad(summed, 4 * dilation)
                spread = np.zeros(8 * dilation + 1)
                spread[::dilation] = kernels[k]
                found.append((np.correlate(summed, spread, "valid"), of_dilation[k]))
    return found


@pytest.mark.parametrize(("n_channels", "n_time"), [(1, 9), (1, 60), (3, 101)])
def test_shares_above_thresholds_are_those_of_each_kernel_written_out(n_channels: int, n_time: int) -> None:
    x = drawn(5, n_channels, n_time)
    net = MiniRocket(n_channels, n_time, 84 * 7).double()
    net.fit(x)
    wanted = np.array(
        [[np.mean(out > level) for out, levels in written_out(one, net) for level in levels] for one in x.numpy()]
    )
    assert net(x).shape == (5, net.n_features) == (5, 84 * 7)
    # A threshold is a sample's own value where the quantile meets it: rounding decides one sample
    assert np.mean(np.abs(net(x).numpy() - wanted) > 1e-12) < 0.01
    np.testing.assert_allclose(net(x), wanted, atol=1.5 / max(n_time - 8 * max(net.dilations), 1))


def test_the_four_numbers_of_multirocket_written_out() -> None:
    x = drawn(3, 2, 70)
    net = MultiRocket(2, 70, 84 * 8 * 5).double()
    net.fit(x)
    wanted = []
    for one in x.numpy():
        row = []
        for kernels, record in ((net.record, one), (net.difference, np.diff(one))):
            for out, levels in written_out(record, kernels):
                for level in levels:
                    height, place = out - level, np.flatnonzero(out > level)
                    runs = np.split(place, np.flatnonzero(np.diff(place) > 1) + 1)
                    row += [
                        place.size / out.size,
                        height[place].mean() if place.size else 0.0,
                        place.mean() / out.size if place.size else -1.0,
                        max(len(run) for run in runs) / out.size,
                    ]
        wanted.append(row)
    found = net(x)
    assert found.shape == (3, net.n_features)
    assert np.mean(~np.isclose(found.numpy(), wanted, rtol=0, atol=1e-9)) < 0.02  # as above


def test_dilations_are_those_of_the_paper() -> None:
    # Length 9: a kernel spans the record, one spacing has them all. 10 000 features: 119 thresholds, 32 powers
    assert dilations(9, 119) == ([1], [119])
    found, n = dilations(1001, 119)
    assert found[0] == 1
    assert found[-1] == 125
    assert sum(n) == 119
    assert len(found) <= 32
    assert n[0] == max(n)
    for n_time in range(9, 300):
        found, n = dilations(n_time, 119)
        assert found[-1] == (n_time - 1) // 8
        assert sum(n) == 119


def test_thresholds_divide_what_they_were_taken_from_evenly() -> None:
    x = drawn(1, 1, 500)  # of one record alone
    net = MiniRocket(1, 500).double()
    net.fit(x)
    share = np.sort(net(x).numpy()[0])
    # Quantiles at shares that fill 0..1: with zeros at the ends or without, a tenth on either side of even
    assert np.abs(share - (np.arange(share.size) + 0.5) / share.size).max() < 0.1


def test_gain_and_offset_do_not_matter_where_a_record_is_not_continued_by_zeros() -> None:
    x = drawn(4, 1, 120)
    one, other = MiniRocket(1, 120, 84 * 10).double(), MiniRocket(1, 120, 84 * 10).double()
    one.fit(x)
    other.fit(5 * x)
    torch.testing.assert_close(one(x), other(5 * x), rtol=0, atol=0.03)
    whole = torch.cat([out for out, _ in one.outputs(x)[1::2]], dim=-1)
    shifted = torch.cat([out for out, _ in one.outputs(x + 7)[1::2]], dim=-1)
    torch.testing.assert_close(whole, shifted, rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", [MiniRocket, MultiRocket])
def test_a_seed_decides_all(kind: type[MiniRocket | MultiRocket]) -> None:
    x = drawn(6, 3, 64).float()
    made = [kind(3, 64, 84 * 16, seed=seed) for seed in (1, 1, 2)]
    for net in made:
        net.fit(x)
    found = [net(x) for net in made]
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
    torch.testing.assert_close(made[0](x[2:3]), found[0][2:3], rtol=0, atol=0.05)


def test_thresholds_stand_in_the_weights_file(tmp_path: Path) -> None:
    x = drawn(6, 3, 64).float()
    net, again = MultiRocket(3, 64, 84 * 16, seed=3), MultiRocket(3, 64, 84 * 16, seed=4)
    net.fit(x)
    save_file(net.state_dict(), tmp_path / "weights.safetensors")
    again.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    assert torch.equal(net(x), again(x))


def test_channels_are_added_up_a_few_at_a_time() -> None:
    use = MiniRocket(6, 200).channel_use
    n = use.sum(dim=-1)
    assert n.min() >= 1
    assert n.max() <= 6
    assert bool((use.mean(dim=(0, 1)) > 0.2).all())
    # 2^u with u even in 0..log2(7): half of them below sqrt(7), so one or two channels
    assert float((n <= 2).float().mean()) == pytest.approx(np.log(3) / np.log(7), abs=0.03)
    assert bool((MiniRocket(1, 200).channel_use == 1).all())


def problem(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Noise with a burst of 4 or of 6 Hz at any place, which no single sample tells apart."""
    rng = np.random.default_rng(seed)
    label, t = rng.integers(0, 2, n), np.arange(300) / 50
    onset, phase = rng.uniform(1, 4, n), rng.uniform(0, 6.28, n)
    burst = np.sin(2 * np.pi * (4 + 2 * label)[:, None] * t + phase[:, None])
    x = 0.7 * rng.normal(size=(n, 300)) + burst * np.exp(-0.5 * ((t - onset[:, None]) / 0.4) ** 2)
    return torch.from_numpy(x[:, None].astype(np.float32)), torch.from_numpy(label)


@pytest.mark.parametrize("kind", [MiniRocket, MultiRocket])
def test_bursts_of_two_frequencies_are_told_apart(kind: type[MiniRocket | MultiRocket]) -> None:
    (x, label), (new, truth) = problem(120, 0), problem(200, 1)
    net = kind(1, 300, 84 * 24)
    net.fit(x)
    head = RidgeHead(net.n_features, 2)
    head.fit(net(x), label)
    assert float((head(net(new)).argmax(1) == truth).float().mean()) > 0.9


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(ValueError, match="records need 9 samples"):
        MiniRocket(1, 8)
    with pytest.raises(ValueError, match="there are 84 kernels"):
        MiniRocket(1, 100, 83)
    net = MiniRocket(2, 100, 84)
    with pytest.raises(ValueError, match="not fitted"):
        net(torch.zeros(1, 2, 100))
    with pytest.raises(ValueError, match="with 2 channels and"):
        net.fit(torch.zeros(1, 3, 100))
    with pytest.raises(ValueError, match=r"1 of 3 training records are not finite \(first: record 1\)"):
        net.fit(torch.randn(3, 2, 100) * torch.tensor([1, torch.nan, 1])[:, None, None])
    net.fit(torch.randn(1, 2, 100))
    assert net(torch.randn(2, 2, 130)).shape == (2, 84)
