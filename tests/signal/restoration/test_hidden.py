"""Hidden traces: in gaps like those that are missing."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.restoration import masks
from seisloom.signal.restoration.hidden import gaps, hide_like_missing, hidings, missing_runs

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


@pytest.mark.parametrize(("share", "seed"), [(0.3, 0), (0.3, 2), (0.5, 0), (0.5, 2)])
def test_hidden_traces_lie_in_gaps_of_each_width_as_often_as_missing_ones(share: float, seed: int) -> None:
    live = masks.irregular(240, share, np.random.default_rng(seed))
    found = hidings(live, 6, np.random.default_rng(seed))
    asked, got = widths_of(live, ~live), np.sum([widths_of(live & ~hide, hide) for hide in found], axis=0)
    apart = 0.5 * np.abs(asked / asked.sum() - got / got.sum()).sum()
    # The distance of two distributions; runs hidden anywhere are wider by what lies beside them
    anywhere = np.sum([widths_of(live & ~hide, hide) for hide in runs_anywhere(live, 6)], axis=0)
    assert apart < 0.2
    assert apart < 0.5 * 0.5 * np.abs(asked / asked.sum() - anywhere / anywhere.sum()).sum()


def widths_of(live: Array, traces: Array) -> Array:
    """Traces in gaps of 1 to 12 traces."""
    found = np.zeros(12)
    for (width, _), number in gaps(live, traces).items():
        found[min(width, 12) - 1] += number
    return found


def runs_anywhere(live: Array, n: int) -> list[Array]:
    """A tenth of the live traces, in runs as wide as missing ones, wherever they fall."""
    rng, found = np.random.default_rng(0), []
    for _ in range(n):
        hide = np.zeros_like(live)
        while hide.sum() < 0.1 * live.sum():
            first = int(rng.integers(len(live)))
            hide[first : first + int(rng.choice(missing_runs(live)[1]))] = True
            hide &= live
        found.append(hide)
    return found


def test_where_no_gap_is_as_narrow_the_narrowest_is_taken() -> None:
    live = masks.jittered(120, 2, np.random.default_rng(0))  # no live trace has live ones on both sides
    assert {width for width, _ in gaps(live, ~live)} == {1, 2}
    for seed in range(5):
        hide = hide_like_missing(live, np.random.default_rng(seed))
        assert {width for width, _ in gaps(live & ~hide, hide)} <= {2, 3}


def test_a_gap_is_hidden_as_a_gap_and_an_edge_at_its_edge() -> None:
    live = masks.gap(60, 8, np.random.default_rng(1))
    for seed in range(10):
        hide = hide_like_missing(live, np.random.default_rng(seed))
        assert gaps(live & ~hide, hide) == {(8, 0): 8}
    at_end = masks.edge(60, 6)
    assert np.flatnonzero(hide_like_missing(at_end, np.random.default_rng(0))).tolist() == list(range(48, 54))
    at_begin = at_end[::-1]
    assert np.flatnonzero(hide_like_missing(at_begin, np.random.default_rng(0))).tolist() == list(range(6, 12))


def test_at_an_end_no_hidden_trace_is_much_further_from_live_ones_than_missing_ones_are() -> None:
    live = np.array([True] * 30 + [False] * 3 + [True] * 2 + [False] * 2)
    for seed in range(20):
        hide = hide_like_missing(live, np.random.default_rng(seed))
        assert not hide[33]  # the one beside the gap of three: behind it both would be five from a live trace


def test_without_missing_traces_single_ones_are_hidden() -> None:
    hide = hide_like_missing(np.ones(40, dtype=bool), np.random.default_rng(0))
    assert gaps(~hide, hide) == {(1, 0): 4}


def test_few_live_traces_far_apart_can_be_hidden_too() -> None:
    live = np.zeros(30, dtype=bool)
    live[[3, 11, 28]] = True
    assert hide_like_missing(live, np.random.default_rng(0)).sum() == 1


@pytest.mark.parametrize("pattern", ["1001001001", "10101", "0101010", "11111000", "1110001"])
def test_two_traces_stay_of_few(pattern: str) -> None:
    live = np.array([one == "1" for one in pattern])
    for seed in range(5):
        hide = hide_like_missing(live, np.random.default_rng(seed))
        assert hide.any()
        assert (live & ~hide).sum() >= 2


def test_hidings_differ_and_a_seed_repeats_them() -> None:
    first, second = hidings(masks.regular(40, 2), 4, np.random.default_rng(0))  # there are only two
    assert np.array_equal(first, ~second & masks.regular(40, 2))
    again = hidings(LIVE, 3, np.random.default_rng(1))
    assert all(np.array_equal(a, b) for a, b in zip(again, hidings(LIVE, 3, np.random.default_rng(1)), strict=True))
    plenty = masks.irregular(200, 0.3, np.random.default_rng(1))
    assert np.sum(hidings(plenty, 3, np.random.default_rng(1)), axis=0).max() == 1  # none twice while there are others


def test_two_live_traces_are_too_few_to_hide_one() -> None:
    with pytest.raises(DataError, match="at least 3 must be live"):
        hide_like_missing(np.arange(9) % 5 == 0, np.random.default_rng(0))
