"""Robust scaling: what it must not depend on, and what it must survive."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seisloom.signal.scaling import count_non_finite, quantile, robust_scale


def test_the_percentile_of_a_scaled_trace_is_one() -> None:
    x = np.random.default_rng(0).normal(5.0, 3.0, (4, 2001))
    y = robust_scale(x)
    assert y.dtype == np.float32
    np.testing.assert_allclose(np.percentile(np.abs(y), 99, axis=-1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(np.median(y, axis=-1), 0.0, atol=1e-6)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(1e-9, 1e9), st.floats(-1e3, 1e3))
def test_gain_and_offset_do_not_matter(seed: int, gain: float, offset: float) -> None:
    x = np.random.default_rng(seed).standard_normal((2, 300))
    np.testing.assert_allclose(robust_scale(gain * (x + offset)), robust_scale(x), atol=1e-4)


def test_polarity_is_kept() -> None:
    x = np.random.default_rng(1).standard_normal(300)
    np.testing.assert_allclose(robust_scale(-x), -robust_scale(x), atol=1e-6)


def test_a_short_burst_is_bounded_and_the_noise_stays_visible() -> None:
    x = np.random.default_rng(2).standard_normal(5000)
    x[2000:2020] *= 1e6
    y = robust_scale(x)
    assert np.abs(y).max() == 100.0
    assert 0.2 < y[:2000].std() < 0.6
    assert np.abs(robust_scale(x, clip=None)).max() > 1e5


def test_a_dead_trace_and_an_empty_one_stay_so() -> None:
    assert not robust_scale(np.full((2, 40), 1e7)).any()
    assert robust_scale(np.zeros((3, 0))).shape == (3, 0)


def test_a_mostly_muted_trace_is_scaled_by_its_maximum() -> None:
    x = np.zeros(1000)
    x[500] = -4.0
    assert robust_scale(x)[500] == -1.0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_non_finite_samples_become_zero_and_change_nothing_else(bad: float) -> None:
    rng = np.random.default_rng(4)
    x = rng.standard_normal((3, 401))
    spoiled = np.insert(x, 100, bad, axis=-1)
    spoiled[2] = bad
    y = robust_scale(spoiled)
    assert np.isfinite(y).all()
    np.testing.assert_allclose(np.delete(y, 100, axis=-1)[:2], robust_scale(x)[:2], rtol=1e-6)
    assert not y[2].any()
    assert count_non_finite(spoiled).tolist() == [1, 1, 402]


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 40), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_a_quantile_is_that_of_numpy(n_time: int, share: float, seed: int) -> None:
    x = np.random.default_rng(seed).standard_normal((3, n_time))
    np.testing.assert_allclose(quantile(x, share), np.quantile(x, share, axis=-1), rtol=1e-12, atol=1e-15)
