"""Prediction filters of exponentials are exact; least squares against NumPy's; Spitz beyond aliasing."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.signal.restoration import masks
from seisloom.signal.restoration.fx import FLOOR, fx_denoise, fx_fill, least_errors, prediction_error
from seisloom.signal.restoration.spectra import Spectra

from .events import missing_snr_db, straight_events
from .test_hankel import exponentials


def test_the_filter_of_exponentials_annihilates_them_forward_and_backward() -> None:
    x = exponentials(20, 0.13, -0.37)
    filters = prediction_error(x[None, None], 2, 1e-12)[0, 0]
    # The polynomial whose roots they are
    np.testing.assert_allclose(filters, np.poly(np.exp(2j * np.pi * np.array([0.13, -0.37]))), atol=1e-5)
    assert np.abs(np.convolve(x, filters)[2:20]).max() < 1e-4
    assert np.abs(np.convolve(x.conj()[::-1], filters)[2:20]).max() < 1e-4


def test_missing_traces_are_those_of_least_squares() -> None:
    rng = np.random.default_rng(0)
    n, filters = 12, np.array([1, -0.6 + 0.2j, 0.3j])
    live = masks.irregular(n, 0.4, rng)
    x = np.where(live, rng.normal(size=n) + 1j * rng.normal(size=n), 0)
    seen = Spectra(x[None, None], live[None], np.array([0.1]), np.zeros((1, n, 1)), np.array([1]), 10)
    found = least_errors(seen, filters[None, None])[0, 0]
    forward = np.array([[filters[r + 2 - c] if 0 <= r + 2 - c <= 2 else 0 for c in range(n)] for r in range(n - 2)])
    backward = np.array([[filters[c - r].conj() if 0 <= c - r <= 2 else 0 for c in range(n)] for r in range(n - 2)])
    both = np.vstack([forward, backward])
    expected = np.linalg.lstsq(both[:, ~live], -both[:, live] @ x[live], rcond=None)[0]
    np.testing.assert_allclose(found[~live], expected, atol=10 * FLOOR * np.abs(expected).max() / FLOOR**0.5)
    assert np.array_equal(found[live], x[live])


@pytest.mark.parametrize("step", [2, 3])
def test_spitz_fills_regular_steps_of_events_that_are_aliased(step: int) -> None:
    # A period is 12 samples: every second trace is 8 samples later, more than half of it
    true = straight_events((48, 160), [(80, 4.0 / step * 2, 1.0)], centre=24)
    live = masks.regular(48, step)
    found = fx_fill(true, live, n_filter=1, n_traces=24, prewhitening=1e-3)
    # A window has 8 live traces at a step of 3
    assert missing_snr_db(found, true, live) > 12


def test_irregular_gaps_of_crossing_events_are_filled() -> None:
    true = straight_events((40, 128), [(50, 0.8, 1.0), (80, -0.6, 0.7)], centre=20)
    live = masks.irregular(40, 0.3, np.random.default_rng(0))
    assert missing_snr_db(fx_fill(true, live, n_filter=3), true, live) > 15


def test_denoising_keeps_what_is_predictable() -> None:
    true = straight_events((40, 128), [(50, 0.5, 1.0)], centre=20)
    kept = fx_denoise(true, n_filter=2, prewhitening=1e-6)
    assert 10 * np.log10(np.sum(true**2) / np.sum((kept - true) ** 2)) > 25
    noise = np.random.default_rng(0).normal(size=true.shape)
    assert np.sum(fx_denoise(noise, n_filter=2) ** 2) < 0.4 * np.sum(noise**2)


def test_a_filter_as_long_as_its_window_is_refused() -> None:
    for wrong in ({"n_filter": 6, "n_traces": 12}, {"n_filter": 0}, {"prewhitening": 0.0}):
        with pytest.raises(DataError, match=r"n_filter is .* and prewhitening"):
            fx_fill(np.ones((30, 40)), np.arange(30) % 4 > 0, **wrong)
