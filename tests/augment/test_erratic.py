"""Erratic traces: as loud, as long and as many as was drawn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from seisloom.augment.augmentation import augment
from seisloom.augment.batch import Batch
from seisloom.augment.erratic import MOST_SPIKES, Erratic
from seisloom.sample import Field, Schema
from seisloom.testing import check_augmentation

PANEL = Schema((Field("x", ("line", "trace", "time")), Field("live", ("line", "trace"))))


def panels(n_item: int = 8, n_line: int = 2, n_trace: int = 20, n_time: int = 200) -> Batch:
    rng = np.random.default_rng(0)
    x = 3.0 * rng.standard_normal((n_item, n_line, n_trace, n_time)).astype(np.float32)
    live = np.ones(x.shape[:3], np.float32)
    live[:, :, 5] = 0
    x[:, :, 5] = 0
    keys = tuple(f"panel-{k}" for k in range(n_item))
    return Batch({"x": torch.from_numpy(x), "live": torch.from_numpy(live)}, keys, PANEL)


def changed_by(entry: Erratic) -> tuple[np.ndarray, np.ndarray, list[dict[str, np.ndarray]]]:
    batch = panels()
    after, drawn = augment(batch, [entry], seed=0)
    return batch.arrays["x"].double().numpy(), after.arrays["x"].double().numpy(), drawn


def test_the_contract_holds_for_cubes() -> None:
    check_augmentation(Erratic(), batch=panels())


def test_few_traces_are_disturbed_and_dead_ones_stay_dead() -> None:
    before, after, _ = changed_by(Erratic(share=0.2))
    bad = (before != after).any(axis=-1)
    assert (bad.sum(axis=(1, 2)) <= 8).all()
    assert bad.any(axis=(1, 2)).mean() > 0.7  # unless the one that was drawn is dead
    assert not after[:, :, 5].any()


def test_loud_traces_are_themselves_times_the_level() -> None:
    before, after, drawn = changed_by(Erratic(share=0.5, faults=("loud",), low_db=20, high_db=20))
    bad = (before != after).any(axis=-1)
    np.testing.assert_allclose(after[bad], 10 * before[bad], rtol=1e-6)
    loud = np.stack([row["0.erratic.loud"] for row in drawn]) > 1
    loud[:, :, 5] = False
    assert np.array_equal(bad, loud)


def test_bursts_have_their_level_and_their_span() -> None:
    before, after, drawn = changed_by(Erratic(share=0.5, faults=("burst",), low_db=30, high_db=30, longest=0.4))
    rms = np.sqrt((before**2).mean(axis=(1, 2, 3)))
    added, inside = after - before, []
    for item, row in enumerate(drawn):
        for place in zip(*np.nonzero(row["0.erratic.burst"]), strict=True):
            if place[1] == 5:
                continue
            first, stop = (row[f"0.erratic.{name}"][place] for name in ("first", "stop"))
            assert 0 <= first < stop <= 200
            assert stop - first <= 0.4 * 200
            t = np.arange(200)
            outside = (t < first) | (t > stop)
            assert np.abs(added[item][place][outside]).max() < 1e-5
            window = np.sin(np.pi * (t[~outside] - first) / (stop - first)) ** 2
            inside.append((added[item][place][~outside] / (rms[item] * 10**1.5), window))
    noise, window = (np.concatenate(parts) for parts in zip(*inside, strict=True))
    # White noise of deviation 1 under the window; some thousand samples leave 5 %
    assert np.sqrt((noise**2).sum() / (window**2).sum()) == pytest.approx(1.0, abs=0.05)


def test_spikes_are_single_samples_of_the_level() -> None:
    before, after, _ = changed_by(Erratic(share=0.5, faults=("spikes",), low_db=26, high_db=26))
    rms = np.sqrt((before**2).mean(axis=(1, 2, 3)))
    added = np.abs(after - before) / rms[:, None, None, None]
    spikes = added[added > 1e-3]
    np.testing.assert_allclose(spikes, 10 ** (26 / 20), rtol=1e-4)
    n_each = (added > 1e-3).sum(axis=-1)
    assert n_each.max() <= MOST_SPIKES
    assert n_each.max() > 1


def test_levels_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValidationError, match="must not be above"):
        Erratic(low_db=10, high_db=5)
