"""Traces that are taken away: in their patterns, in every line, and never all."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seisloom.augment.augmentation import augment
from seisloom.augment.batch import Batch
from seisloom.augment.examples import gather_batch
from seisloom.augment.missing import Missing
from seisloom.sample import Field, Schema
from seisloom.signal.restoration.masks import regular_step
from seisloom.testing import check_augmentation

PANEL = Schema((Field("x", ("line", "trace", "time")), Field("live", ("line", "trace"))))


def panels(n_item: int = 12, n_line: int = 1, n_trace: int = 40) -> Batch:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n_item, n_line, n_trace, 20)).astype(np.float32)
    live = np.ones((n_item, n_line, n_trace), np.float32)
    keys = tuple(f"panel-{k}" for k in range(n_item))
    return Batch({"x": torch.from_numpy(x), "live": torch.from_numpy(live)}, keys, PANEL)


def dead_of(batch: Batch, entry: Missing) -> np.ndarray:
    changed, _ = augment(batch, [entry], seed=0)
    x, live = changed.arrays["x"].numpy(), changed.arrays["live"].numpy()
    assert np.array_equal((x != 0).any(axis=-1), live == 1)
    kept = live == 1
    assert np.array_equal(x[kept], batch.arrays["x"].numpy()[kept])
    return live == 0


@pytest.mark.parametrize("n_line", [1, 3])
def test_the_contract_holds_for_panels_and_cubes(n_line: int) -> None:
    check_augmentation(Missing(), batch=panels(n_line=n_line))


def test_patterns_are_those_that_were_asked_for() -> None:
    for dead in dead_of(panels(), Missing(patterns=("irregular",), least=0.2, most=0.5))[:, 0]:
        assert 8 <= dead.sum() <= 20
    for dead in dead_of(panels(), Missing(patterns=("regular",), every=4))[:, 0]:
        assert regular_step(~dead) in (2, 3, 4)
    for dead in dead_of(panels(), Missing(patterns=("jittered",), every=3))[:, 0]:
        assert np.diff(np.flatnonzero(~dead)).max() <= 2 * 3 - 1
    for dead in dead_of(panels(), Missing(patterns=("gap",), widest=0.2))[:, 0]:
        assert 1 <= dead.sum() <= 8
        assert np.ptp(np.flatnonzero(dead)) == dead.sum() - 1
        assert not dead[[0, -1]].any()
    for dead in dead_of(panels(), Missing(patterns=("edge",), widest=0.2))[:, 0]:
        assert dead[[0, -1]].sum() == 1
        assert np.ptp(np.flatnonzero(dead)) == dead.sum() - 1


def test_lines_of_a_cube_lack_their_own_traces_or_the_same() -> None:
    dead = dead_of(panels(n_item=30, n_line=4), Missing(patterns=("irregular",), least=0.4))
    same = (dead == dead[:, :1]).all(axis=(1, 2))
    assert 6 <= same.sum() <= 24  # 30 fair coins: outside with probability 1e-3
    assert (dead.sum(axis=2) > 0).all()


def test_one_trace_is_left_where_the_source_has_dead_ones_itself() -> None:
    batch = panels(n_item=60, n_trace=8)
    live = torch.zeros_like(batch.arrays["live"])
    live[:, :, 3] = 1
    batch = batch.with_arrays(x=batch.arrays["x"] * live[..., None], live=live)
    changed, _ = augment(batch, [Missing(patterns=("irregular",), least=0.5)], seed=0)
    assert torch.equal(changed.arrays["live"], live)
    assert torch.equal(changed.arrays["x"], batch.arrays["x"])


def test_without_the_field_live_traces_are_zero_all_the_same() -> None:
    batch = gather_batch()
    changed, drawn = augment(batch, [Missing(patterns=("irregular",), least=0.5, most=0.5)], seed=0)
    for x, has, row in zip(changed.arrays["x"], changed.arrays["has_pick"], drawn, strict=True):
        dead = row["0.missing.alive"] == 0
        assert dead.sum() == 3
        assert not x[dead].any()
        assert (has[dead] == 0).all()
