"""Gaps of dead traces and mutes: what is filled, and that nothing else is touched."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seisloom.signal.dead_traces import DISTORTED, TAPER, fill_dead_traces, fill_mutes


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


def _muted(n_traces: int = 40, n_time: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Return level layers under a slanting mute, and where it is."""
    layers = np.random.default_rng(0).normal(size=n_time).astype(np.float32)
    values = np.tile(layers, (n_traces, 1))
    edge = np.maximum(20 - np.arange(n_traces), 0)
    muted = (np.arange(n_time) < edge[:, None]) & (edge[:, None] >= 4)
    values[muted] = 0
    return values, muted


def test_level_layers_go_on_into_a_mute() -> None:
    values, muted = _muted()
    before = values.copy()
    filled, found, unsure = fill_mutes(np.stack([values, values[:, ::-1]])[:, None])
    assert (unsure >= found).all()
    assert 0 < unsure[0, 0][~muted].sum() < (~muted).sum() / 2
    assert np.array_equal(values, before)
    assert np.array_equal(found[0, 0], muted)
    assert np.array_equal(found[1, 0], muted[:, ::-1])
    np.testing.assert_allclose(filled[0, 0][muted], np.broadcast_to(values[-1], values.shape)[muted], rtol=1e-6)
    np.testing.assert_allclose(filled[1, 0], filled[0, 0][:, ::-1], rtol=1e-6)


def test_what_a_mute_has_spoilt_beside_it_is_filled_and_not_told_to_be_muted() -> None:
    values, muted = _muted()
    spoilt = values.copy()
    edge = np.maximum(20 - np.arange(len(values)), 0)
    for trace in np.flatnonzero(edge >= 4):
        spoilt[trace, edge[trace] : edge[trace] + TAPER] *= 0.1
        spoilt[trace + DISTORTED, edge[trace] : edge[trace] + TAPER] += 5
    filled, found, _ = fill_mutes(spoilt)
    np.testing.assert_allclose(filled[:, :19], np.broadcast_to(values[-1], values.shape)[:, :19], rtol=1e-5)
    assert np.array_equal(found, muted)


def test_a_wide_gap_is_muted_as_a_whole_and_traces_beside_it_stay() -> None:
    values = np.random.default_rng(1).normal(size=(30, 50)).astype(np.float32)
    values[10:20] = 0
    filled, muted, unsure = fill_mutes(values)
    assert np.array_equal(unsure, muted)
    assert muted[10:20].all()
    assert muted.sum() == 10 * 50
    assert np.array_equal(filled[~muted], values[~muted])
    assert (filled[10:20] != 0).all()


@pytest.mark.parametrize("n_zeros", [0, 3])
def test_a_few_zeros_are_data(n_zeros: int) -> None:
    values = np.random.default_rng(2).normal(size=(8, 50)).astype(np.float32)
    values[:, :n_zeros] = 0
    values[3, 20:40] = 0  # in the middle of a trace they are no mute
    filled, muted, _ = fill_mutes(values)
    assert filled is values
    assert not muted.any()


def test_rows_without_a_live_sample_stay_as_they_are() -> None:
    values = np.random.default_rng(3).normal(size=(8, 50)).astype(np.float32)
    values[:, :10] = 0
    filled, muted, _ = fill_mutes(values)
    assert np.array_equal(filled, values)
    assert muted[:, :10].all()
