"""Cadzow filling against singular value decompositions, and what it cannot do."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.signal.restoration import masks
from seisloom.signal.restoration.hankel import damped_rank, hankel, keep_rank, low_rank, mean_antidiagonals, soft
from seisloom.signal.restoration.mssa import mssa_denoise, mssa_fill
from seisloom.signal.restoration.soft_impute import soft_impute
from seisloom.signal.restoration.subspace import fill_low_rank

from .events import missing_snr_db, straight_events
from .test_hankel import exponentials

N = 25
LIVE = masks.irregular(N, 0.4, np.random.default_rng(1))


@pytest.mark.parametrize("damping", [0, 2])
def test_the_compiled_filling_ends_where_decompositions_end(damping: int) -> None:
    rng = np.random.default_rng(0)
    noise = 0.05 * (rng.normal(size=N) + 1j * rng.normal(size=N))
    observed = np.where(LIVE, exponentials(N, 0.11, -0.3) + noise, 0)
    shrink = damped_rank(2, damping) if damping else keep_rank(2)
    expected = observed
    for _ in range(500):
        expected = np.where(LIVE, observed, mean_antidiagonals(low_rank(hankel(expected), shrink)))
    filled = fill_low_rank(observed[None, None], LIVE[None], 2, damping, np.zeros(500))[0, 0]
    # Both iterate to the same fixed point, which is reached to about this share
    np.testing.assert_allclose(filled, expected, atol=1e-6)


def test_soft_thresholds_of_the_compiled_filling_are_those_of_a_decomposition() -> None:
    observed = np.where(LIVE, exponentials(N, 0.11, -0.3), 0)
    largest = np.linalg.svd(hankel(observed), compute_uv=False)[0]
    expected = observed
    for _ in range(300):
        shrunk = low_rank(hankel(expected), soft(np.array([0.1 * largest])))
        expected = np.where(LIVE, observed, mean_antidiagonals(shrunk))
    filled = fill_low_rank(observed[None, None], LIVE[None], 12, 0, np.full(300, 0.1))[0, 0]
    # The largest singular value is taken after a few steps of the power iteration
    np.testing.assert_allclose(filled, expected, atol=0.01 * np.abs(expected).max())


@pytest.mark.parametrize("n_events", [1, 2])
def test_as_many_events_as_the_rank_are_restored(n_events: int) -> None:
    events = [(50, 0.7, 1.0), (40, -0.9, 0.8)][:n_events]
    true = straight_events((N, 100), events, centre=12)
    found = mssa_fill(true, LIVE, rank=n_events, n_samples=200, n_iterations=400)
    # What is 50 dB below the strongest frequency is left out, and the taper bends events by a little
    assert missing_snr_db(found, true, LIVE) > 25
    if n_events > 1:
        assert missing_snr_db(mssa_fill(true, LIVE, rank=1, n_samples=200), true, LIVE) < 15


def test_every_second_trace_is_its_own_alias_and_gives_zeros() -> None:
    true = straight_events((24, 100), [(50, 0.7, 1.0)], centre=12)
    live = masks.regular(24, 2)
    for method in (mssa_fill, soft_impute):
        assert np.abs(method(true, live)[~live]).max() < 0.02


def test_a_low_rank_and_damping_take_noise_off() -> None:
    true = straight_events((40, 128), [(50, 0.5, 1.0), (90, -0.4, 1.0)], centre=20)
    noise = 0.5 * np.random.default_rng(2).normal(size=true.shape)
    energy = [np.sum((mssa_denoise(true + noise, rank=2, damping=d) - true) ** 2) / np.sum(noise**2) for d in (0, 2)]
    # A rank of 2 in Hankel matrices of 16 rows keeps about 2 / 16 to 4 / 16 of white noise
    assert energy[0] < 0.25
    assert energy[1] < energy[0]


def test_parameters_that_do_not_fit_are_refused() -> None:
    for wrong in ({"rank": 0}, {"n_iterations": 0}, {"damping": -1}):
        with pytest.raises(DataError, match="at least"):
            mssa_fill(np.ones((5, 9)), np.ones(5, dtype=bool), **wrong)
    with pytest.raises(DataError, match=r"weakest is 0.6"):
        soft_impute(np.ones((5, 9)), np.ones(5, dtype=bool), weakest=0.6)
