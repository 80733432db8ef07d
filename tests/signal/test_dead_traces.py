"""Gaps of dead traces: filled where narrow, and nothing else is touched."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seisloom.signal.dead_traces import fill_dead_traces


@given(gap=st.integers(1, 6), first=st.integers(0, 20), widest=st.integers(1, 5), leading=st.sampled_from([(), (2,)]))
def test_a_ramp_with_a_gap_comes_back_where_the_gap_is_narrow_and_inside(
    gap: int, first: int, widest: int, leading: tuple[int, ...]
) -> None:
    n = 20
    trace = np.arange(1, 5, dtype=np.float32)
    ramp = np.broadcast_to((1 + np.arange(n, dtype=np.float32))[:, None] * trace, (*leading, n, 4)).copy()
    holed = ramp.copy()
    holed[..., first : first + gap, :] = 0
    n_dead = min(first + gap, n) - min(first, n)
    found = fill_dead_traces(holed, widest=widest)
    if n_dead > widest:
        assert np.array_equal(found, holed)
    elif first > 0 and first + gap < n:
        np.testing.assert_allclose(found, ramp, rtol=1e-6)
    else:  # at an end the neighbour is repeated
        assert (found[..., first : first + gap, :] == (1 + gap if first == 0 else first) * trace).all()


def test_a_dead_trace_is_known_whatever_its_constant_is() -> None:
    """Amplitudes are scaled about the survey's median, and 0 is then another number."""
    values = np.random.default_rng(0).normal(size=(9, 50)).astype(np.float32)
    values[4] = -0.3
    np.testing.assert_allclose(fill_dead_traces(values)[4], (values[3] + values[5]) / 2, rtol=1e-5)


def test_live_traces_keep_their_bits_and_the_input_is_not_changed() -> None:
    values = np.random.default_rng(0).normal(size=(3, 30, 50)).astype(np.float32)
    values[1, [4, 5, 20]] = 0
    values[:, :, :8] = 0  # muted samples are no dead trace
    before = values.copy()
    found = fill_dead_traces(values)
    live = (values != 0).any(axis=-1)
    assert np.array_equal(values, before)
    assert np.array_equal(found[live], values[live])
    assert (found[~live][:, 8:] != 0).all()
    assert found.dtype == np.float32


@pytest.mark.parametrize("values", [np.zeros((5, 8)), np.ones((5, 8)), np.zeros((2, 5, 8)), np.ones((1, 8))])
def test_all_dead_and_all_live_come_back_as_they_are(values: np.ndarray) -> None:
    assert np.array_equal(fill_dead_traces(values), values)
