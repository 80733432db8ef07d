"""What is written into rows of a batch is what entries return of these rows alone; noise has the law it is said to."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from seisloom.augment.amplitude import AmplitudeScale
from seisloom.augment.augmentation import Augmentation, augment
from seisloom.augment.batch import Batch
from seisloom.augment.gaussian import fill_gaussian
from seisloom.augment.noise import AddNoise
from seisloom.augment.resample import map_axes, movable, move_rows
from seisloom.sample import Array, Field, Schema

SCHEMA = Schema((Field("x", ("channel", "time")), Field("mask", ("time",), "int8", label="mask")))


def records(n_item: int = 7, n_time: int = 301) -> Batch:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n_item, 3, n_time)).astype(np.float32)
    arrays = {"x": torch.from_numpy(x), "mask": torch.ones((n_item, n_time), dtype=torch.int8)}
    return Batch(arrays, tuple(f"item-{k}" for k in range(n_item)), SCHEMA)


def gaussian(key: int, n: int) -> Array:
    out = np.empty(n, np.float32)
    fill_gaussian(key, out)
    return out


def test_noise_is_gaussian() -> None:
    noise = gaussian(3, 2_000_000).astype(float)
    assert stats.kstest(noise, "norm").pvalue > 1e-3
    # Standard errors of the moments of n independent numbers are sqrt(1/n), sqrt(2/n), sqrt(6/n), sqrt(24/n)
    found = [noise.mean(), noise.var() - 1, stats.skew(noise), stats.kurtosis(noise)]
    assert (np.abs(found) < 4 * np.sqrt(np.array([1, 2, 6, 24]) / len(noise))).all()
    # One in 3.5 million is beyond 5
    assert 4.5 < np.abs(noise).max() < 6.7


def test_neighbours_pairs_and_keys_have_nothing_in_common() -> None:
    n = 2**20
    noise, other = gaussian(3, n), gaussian(4, n)
    first, second = noise.reshape(-1, 2, 512).swapaxes(0, 1).reshape(2, -1)
    pairs = [(noise[1:], noise[:-1]), (first, second), (first**2, second**2), (noise, other), (noise[1:], other[:-1])]
    assert max(abs(np.corrcoef(a, b)[0, 1]) for a, b in pairs) < 5 / np.sqrt(n / 2)


def test_noise_follows_from_its_key_and_a_longer_one_begins_alike() -> None:
    np.testing.assert_array_equal(gaussian(9, 1500), gaussian(9, 4000)[:1500])
    assert not np.array_equal(gaussian(9, 1500), gaussian(10, 1500))
    assert np.isfinite(gaussian(2**62 - 1, 10)).all()


@pytest.mark.parametrize("entry", [AmplitudeScale(0.5, 2.0), AddNoise(snr_min=0, snr_max=20)], ids=lambda one: one.name)
def test_rows_change_as_apply_changes_them(entry: Augmentation) -> None:
    batch, chosen = records(), np.array([1, 4, 5])
    draws = entry.draw(batch.lengths(), [np.random.default_rng(k) for k in chosen])
    x = batch.arrays["x"].numpy().copy()
    assert entry.change_rows(x, chosen, draws)
    np.testing.assert_array_equal(x[chosen], entry.apply(batch.rows(chosen.tolist()), draws).arrays["x"].numpy())
    others = np.setdiff1d(np.arange(len(batch)), chosen)
    np.testing.assert_array_equal(x[others], batch.arrays["x"].numpy()[others])


def test_noise_is_the_same_with_gradients() -> None:
    batch, entry = records(), AddNoise(snr_min=0, snr_max=20)
    learnt = batch.with_arrays(x=batch.arrays["x"].clone().requires_grad_())
    a, b = (augment(one, [entry], seed=1)[0].arrays["x"] for one in (batch, learnt))
    assert torch.allclose(a, b.detach(), atol=1e-5)  # of float32 sums in another order
    b.sum().backward()
    assert learnt.arrays["x"].grad is not None


class Turned(AmplitudeScale):
    """Changes `apply`, and does not know of rows."""

    def apply(self, batch: Batch, draws: dict[str, Array]) -> Batch:
        return batch.with_arrays(x=-batch.arrays["x"])


def test_an_entry_that_changes_apply_alone_means_that() -> None:
    batch = records()
    changed, _ = augment(batch, [AmplitudeScale(0.5, 0.5), Turned(p=0.5)], seed=0)
    ratio = (changed.arrays["x"] / batch.arrays["x"]).mean(dim=(1, 2)).round(decimals=3)
    assert set(ratio.tolist()) == {0.5, -0.5}


@pytest.mark.parametrize(
    ("scale", "shift"), [(1.0, 12.0), (1.0, -400.0), (1.0, 3.25), (-1.0, 300.0), (0.93, -20.3), (1.2, 40.0)]
)
def test_traces_move_in_place_as_they_move_in_a_batch_of_their_own(scale: float, shift: float) -> None:
    batch, chosen = records(), np.array([0, 3, 6])
    maps = {"time": (np.full(3, scale), np.full(3, shift))}
    whole = batch.with_arrays(x=batch.arrays["x"].clone())
    assert movable(whole, maps) == ["x"]
    move_rows(whole, "x", chosen, maps)
    np.testing.assert_array_equal(
        whole.arrays["x"].numpy()[chosen], map_axes(batch.rows(chosen.tolist()), maps).arrays["x"].numpy()
    )
    assert torch.equal(whole.arrays["x"][1], batch.arrays["x"][1])


def test_a_batch_is_never_changed_in_place() -> None:
    batch = records()
    before = batch.arrays["x"].clone()
    for entries in ([AmplitudeScale(0.5, 2.0)], [AddNoise(snr_min=0, snr_max=3, p=0.5), AmplitudeScale(0.5, 2.0)]):
        augment(batch, entries, seed=0)
        assert torch.equal(batch.arrays["x"], before)
