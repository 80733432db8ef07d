"""Segments on one time axis: nothing is spliced, overlaps are resolved, gaps and conflicts counted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seisloom.errors import DataError
from seisloom.io.waveforms.segments import Segment, merge, place_of, time_axis

START = 1_700_000_000_000_000_000


@given(
    n=st.integers(1, 60), fs_hz=st.sampled_from([1.0, 40.0, 100.0, 125.0, 33.3]), seed=st.integers(0, 99),
    cuts=st.lists(st.tuples(st.integers(0, 59), st.integers(1, 60)), min_size=1, max_size=6),
)  # fmt: skip
def test_any_pieces_of_a_record_give_it_back_with_their_gaps(
    n: int, fs_hz: float, seed: int, cuts: list[tuple[int, int]]
) -> None:
    whole = np.random.default_rng(seed).normal(size=n).astype(np.float32)
    pieces, covered = [], np.zeros(n, dtype=int)
    for first, length in cuts:
        part = whole[first : first + length]
        if part.size:
            pieces.append(Segment(START + round(first * 1e9 / fs_hz), part))
            covered[first : first + length] += 1
    if not pieces:
        return
    values, counts = merge(pieces, fs_hz=fs_hz, start_ns=START, n_samples=n)
    assert np.array_equal(values, np.where(covered > 0, whole, np.nan), equal_nan=True)
    assert counts["gap"] == np.count_nonzero(covered == 0)
    assert counts["overlap"] == np.sum(np.maximum(covered - 1, 0))
    assert counts["conflict"] == 0


def test_two_recordings_that_differ_leave_nothing() -> None:
    some = [Segment(START, np.array([1.0, 2, 3])), Segment(START + 10**9, np.array([2.0, 9, 4]))]
    values, counts = merge(some, fs_hz=1.0, start_ns=START, n_samples=4)
    assert values.tolist()[:2] == [1, 2]
    assert np.isnan(values[2])
    assert values[3] == 4
    assert (counts["overlap"], counts["conflict"], counts["gap"]) == (1, 1, 0)


def test_integers_that_float32_does_not_hold_are_counted() -> None:
    values, counts = merge([Segment(START, np.array([2**24 + 1, 5], np.int32))], fs_hz=1, start_ns=START, n_samples=2)
    assert counts["rounded"] == 1
    assert values.tolist() == [2**24, 5]


def test_a_wrong_date_is_refused_and_not_filled_with_a_year_of_nothing() -> None:
    some = [Segment(START, np.ones(100)), Segment(START + 365 * 86400 * 10**9, np.ones(100))]
    with pytest.raises(DataError, match="a date is wrong"):
        time_axis(some, fs_hz=100.0, where="file")
    assert time_axis(some[:1], fs_hz=100.0, where="file") == (START, 100)


def test_a_place_is_the_nearest() -> None:
    assert [place_of(START + ns, start_ns=START, fs_hz=100) for ns in (0, 4_000_000, 6_000_000, -6_000_000)] == [
        0, 0, 1, -1,
    ]  # fmt: skip
