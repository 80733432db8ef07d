"""Hidden traces, the search, and the gate, on questions whose answer is known."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.restoration import masks
from seisloom.signal.restoration.along_traces import linear
from seisloom.signal.restoration.gate import gate, least_on_simplex
from seisloom.signal.restoration.hidden import hide_like_missing, missing_runs
from seisloom.signal.restoration.mssa import mssa_fill
from seisloom.signal.restoration.plane_wave import plane_wave_fill
from seisloom.signal.restoration.search import Candidate, grid, hidings, search

from .events import missing_snr_db, straight_events

TRUE = straight_events((48, 128), [(64, 1.2, 1.0)], centre=24)
LIVE = masks.irregular(48, 0.4, np.random.default_rng(0))


@pytest.mark.parametrize("seed", range(5))
def test_of_a_raster_every_nth_live_trace_stays(seed: int) -> None:
    live = masks.regular(40, 2)
    left = live & ~hide_like_missing(live, np.random.default_rng(seed))
    assert np.unique(np.diff(np.flatnonzero(left))).tolist() == [4]


@pytest.mark.parametrize("seed", range(5))
def test_irregular_traces_are_hidden_by_a_tenth_and_only_live_ones(seed: int) -> None:
    hide = hide_like_missing(LIVE, np.random.default_rng(seed))
    assert not (hide & ~LIVE).any()
    widest = missing_runs(LIVE)[1].max()
    assert 0.1 * LIVE.sum() <= hide.sum() < 0.1 * LIVE.sum() + widest


def test_a_gap_is_hidden_as_a_gap_and_an_edge_at_its_edge() -> None:
    for seed in range(10):
        hide = hide_like_missing(masks.gap(60, 8, np.random.default_rng(1)), np.random.default_rng(seed))
        # Runs are as wide as the gap but where they meet it, each other or the end
        assert 0.1 * 52 <= hide.sum() < 0.1 * 52 + 8
        assert missing_runs(~hide)[1].max() >= 4
    at_end = masks.edge(60, 6)
    assert np.flatnonzero(hide_like_missing(at_end, np.random.default_rng(0), share=0.1)).tolist() == list(
        range(48, 54)
    )
    at_begin = at_end[::-1]
    hidden = hide_like_missing(at_begin, np.random.default_rng(0), share=0.1)
    assert np.flatnonzero(hidden).tolist() == list(range(6, 12))


def test_hidings_differ_and_a_seed_repeats_them() -> None:
    first, second = hidings(masks.regular(40, 2), 4, np.random.default_rng(0))  # there are only two
    assert np.array_equal(first, ~second & masks.regular(40, 2))
    again = hidings(LIVE, 3, np.random.default_rng(1))
    assert all(np.array_equal(a, b) for a, b in zip(again, hidings(LIVE, 3, np.random.default_rng(1)), strict=True))
    assert np.sum(again, axis=0).max() == 1  # no trace twice while there are others


def test_two_live_traces_are_too_few_to_hide_one() -> None:
    with pytest.raises(DataError, match="at least 3 must be live"):
        hide_like_missing(np.arange(9) % 5 == 0, np.random.default_rng(0))


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


def test_with_one_hiding_the_best_method_is_taken_whole() -> None:
    live = masks.edge(48, 4)
    hidden = hidings(live, 5, rng(), share=0.05)
    assert len(hidden) == 1  # beyond an edge there is one place
    methods = {"linear": linear, "plane_wave": partial(plane_wave_fill, slopes=(-2.0, 2.0))}
    gated = gate(TRUE, live, methods, hidden)
    assert gated.weights.mean(axis=(1, 2)).tolist() == [0, 1]
    assert np.isnan(gated.spread_db)
    assert np.array_equal(gated.values, methods["plane_wave"](TRUE, live))


def test_a_method_that_gives_nonsense_and_no_hiding_are_refused() -> None:
    with pytest.raises(DataError, match="'broken' gives shape"):
        gate(TRUE, LIVE, {"broken": lambda x, _: x * np.nan}, hidings(LIVE, 2, rng()))
    with pytest.raises(DataError, match="a gate needs one of each"):
        gate(TRUE, LIVE, {"linear": linear}, [])


def rng() -> np.random.Generator:
    """The same each time."""
    return np.random.default_rng(7)
