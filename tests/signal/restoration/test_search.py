"""The search and the gate, on questions whose answer is known."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.restoration import masks
from seisloom.signal.restoration.along_traces import linear
from seisloom.signal.restoration.gate import gate, least_on_simplex
from seisloom.signal.restoration.hidden import hidings
from seisloom.signal.restoration.mssa import mssa_fill
from seisloom.signal.restoration.plane_wave import plane_wave_fill
from seisloom.signal.restoration.search import Candidate, grid, search

from .events import missing_snr_db, straight_events

TRUE = straight_events((48, 128), [(64, 1.2, 1.0)], centre=24)
LIVE = masks.irregular(48, 0.4, np.random.default_rng(0))


def test_the_search_finds_the_rank_of_the_events_and_sees_no_missing_trace() -> None:
    panel = np.where(LIVE[:, None], TRUE, np.nan)
    noise = 0.1 * np.random.default_rng(1).normal(size=TRUE.shape)
    found = search(panel + noise, LIVE, grid(mssa_fill, rank=[1, 8], n_traces=[24]), hidings(LIVE, 2, rng()))
    assert found.best.parameters["rank"] == 1
    assert np.isfinite(found.spread_db)
    assert [candidate.parameters["rank"] for candidate, _ in found.tried] == [1, 8]
    assert found.snr_db == found.tried[0][1]


def test_a_search_without_candidates_or_hidings_is_refused() -> None:
    with pytest.raises(DataError, match="needs one of each"):
        search(TRUE, LIVE, [], hidings(LIVE, 1, rng()))
    with pytest.raises(DataError, match="needs one of each"):
        search(TRUE, LIVE, [Candidate(linear, {})], [])


def test_weights_on_the_simplex_are_those_of_a_fine_raster() -> None:
    for seed in range(5):
        root = np.random.default_rng(seed).normal(size=(3, 3))
        G = root @ root.T
        raster = np.array([(a, b, 1 - a - b) for a in np.linspace(0, 1, 101) for b in np.linspace(0, 1, 101)])
        raster = raster[raster[:, 2] >= 0]
        best = np.einsum("ni,ij,nj->n", raster, G, raster).min()
        found = least_on_simplex(G)
        assert found.min() >= 0
        assert found.sum() == pytest.approx(1)
        assert found @ G @ found <= best + 1e-4
    assert least_on_simplex(np.zeros((2, 2))).tolist() == [1, 0]


def test_the_gate_takes_each_method_where_it_is_right() -> None:
    true = np.random.default_rng(0).normal(size=TRUE.shape)
    methods = {name: partial(half_right, true, name == "early") for name in ("early", "late")}
    gated = gate(true, LIVE, methods, hidings(LIVE, 3, rng()))
    # The prior, to which both are alike, keeps weights from 0 and 1
    assert gated.weights[0, :, :30].mean() > 0.65
    assert gated.weights[1, :, -30:].mean() > 0.65
    np.testing.assert_allclose(gated.weights.sum(axis=0), 1)
    alone = max(missing_snr_db(m(true, LIVE), true, LIVE) for m in methods.values())
    assert missing_snr_db(gated.values, true, LIVE) > alone + 3


def half_right(true: Array, early: bool, values: Array, is_live: Array) -> Array:
    """The truth in one half of time, zeros in the other, in missing traces."""
    right = np.arange(true.shape[1]) < 64
    return np.where(is_live[:, None], values, np.where(right == early, true, 0))


def test_the_gate_is_no_worse_than_the_best_method_on_what_is_missing() -> None:
    methods = {"linear": linear, "plane_wave": partial(plane_wave_fill, slopes=(-2.0, 2.0))}
    panel = TRUE + 0.02 * np.random.default_rng(3).normal(size=TRUE.shape)
    gated = gate(panel, LIVE, methods, hidings(LIVE, 3, rng()))
    best = max(missing_snr_db(method(panel, LIVE), panel, LIVE) for method in methods.values())
    assert missing_snr_db(gated.values, panel, LIVE) > best - 0.3
    assert gated.scores["plane_wave"] > gated.scores["linear"] + 3
    assert np.array_equal(gated.values[LIVE], panel[LIVE])


def test_with_one_hiding_the_blend_is_judged_by_what_chose_it() -> None:
    live = masks.edge(48, 4)
    hidden = hidings(live, 5, rng(), share=0.05)
    assert len(hidden) == 1  # beyond an edge there is one place
    methods = {"linear": linear, "plane_wave": partial(plane_wave_fill, slopes=(-2.0, 2.0))}
    gated = gate(TRUE, live, methods, hidden)
    assert gated.weights[1].mean() > 0.95
    assert np.isnan(gated.spread_db)
    assert gated.snr_db >= gated.scores["plane_wave"] > gated.scores["linear"]


def test_silent_hidden_traces_judge_no_method_whatever_the_unit() -> None:
    live = masks.irregular(48, 0.3, np.random.default_rng(1))
    hidden = hidings(live, 3, rng())
    panel = np.where(hidden[0][:, None], 0, TRUE + 0.02 * np.random.default_rng(3).normal(size=TRUE.shape))
    methods = {"linear": linear, "plane_wave": partial(plane_wave_fill, slopes=(-2.0, 2.0))}
    small, large = (gate(panel * unit, live, methods, hidden) for unit in (1e-6, 1e6))
    np.testing.assert_allclose(small.weights, large.weights, atol=1e-6)
    np.testing.assert_allclose(small.values * 1e12, large.values, rtol=1e-5, atol=1e-3)


def test_a_method_that_gives_nonsense_and_no_hiding_are_refused() -> None:
    with pytest.raises(DataError, match="'broken' gives shape"):
        gate(TRUE, LIVE, {"broken": lambda x, _: x * np.nan}, hidings(LIVE, 2, rng()))
    with pytest.raises(DataError, match="a gate needs one of each"):
        gate(TRUE, LIVE, {"linear": linear}, [])


def rng() -> np.random.Generator:
    """The same each time."""
    return np.random.default_rng(7)
