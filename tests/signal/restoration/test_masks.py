"""Patterns of missing traces: how many, how far apart, and the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.signal.restoration import masks


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.99])
def test_irregular_misses_its_share_and_never_all(share: float) -> None:
    live = masks.irregular(61, share, np.random.default_rng(0))
    assert (~live).sum() == min(round(61 * share), 60)
    assert np.array_equal(live, masks.irregular(61, share, np.random.default_rng(0)))


@pytest.mark.parametrize(("n", "every"), [(60, 2), (61, 4), (5, 7), (9, 1)])
def test_jittered_has_one_live_trace_a_cell(n: int, every: int) -> None:
    for seed in range(20):
        live = masks.jittered(n, every, np.random.default_rng(seed))
        assert [live[k : k + every].sum() for k in range(0, n, every)] == [1] * -(-n // every)


def test_jittered_takes_each_place_of_a_cell() -> None:
    places = {int(np.argmax(masks.jittered(3, 3, np.random.default_rng(seed)))) for seed in range(30)}
    assert places == {0, 1, 2}


def test_regular_keeps_every_nth_and_its_step_is_found() -> None:
    live = masks.regular(10, 3, first=4)
    assert np.flatnonzero(live).tolist() == [1, 4, 7]
    assert masks.regular_step(live) == 3
    assert masks.regular_step(np.array([True, True, False, True])) == 0
    assert masks.regular_step(np.ones(4, dtype=bool)) == 1
    assert masks.regular_step(np.arange(4) == 2) == 0


def test_a_gap_is_one_run_with_live_traces_beside_it_at_every_place() -> None:
    firsts = set()
    for seed in range(60):
        dead = np.flatnonzero(~masks.gap(8, 3, np.random.default_rng(seed)))
        assert (np.diff(dead) == 1).all()
        assert len(dead) == 3
        firsts.add(int(dead[0]))
    assert firsts == {1, 2, 3, 4}


def test_an_edge_is_missing_at_the_end_or_the_beginning() -> None:
    assert masks.edge(5, 2).tolist() == [True, True, True, False, False]
    assert masks.edge(5, 2, at_end=False).tolist() == [False, False, True, True, True]


def test_patterns_that_do_not_fit_are_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(DataError, match=r"share of 1.0"):
        masks.irregular(10, 1.0, rng)
    with pytest.raises(DataError, match="a gap of 9 traces"):
        masks.gap(10, 9, rng)
    with pytest.raises(DataError, match="10 traces of 10"):
        masks.edge(10, 10)
