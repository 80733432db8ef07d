"""Erratic traces taken off along slopes; noise measured and shrunk."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from seisloom.errors import DataError
from seisloom.metrics.image import snr_db
from seisloom.metrics.restoration import amplitude_slope, signal_leakage
from seisloom.signal.restoration.dct import dct_denoise, dct_select
from seisloom.signal.restoration.median import median_denoise

from .events import straight_events


def test_an_erratic_trace_is_replaced_along_the_slope_and_not_across_it() -> None:
    true = straight_events((21, 120), [(60, 2.0, 1.0)], centre=10)
    erratic = true.copy()
    erratic[8] = 50.0
    found = median_denoise(erratic, slope=2.0)
    np.testing.assert_allclose(found[8, 30:90], true[8, 30:90], atol=1e-9)
    level = median_denoise(erratic, slope=0.0)
    assert np.abs(level[8, 30:90] - true[8, 30:90]).max() > 0.5


def test_the_median_is_numpys_at_equal_time_and_of_what_there_is_at_the_ends() -> None:
    x = np.random.default_rng(0).normal(size=(9, 30))
    found = median_denoise(x, n_traces=5, slope=0.0)
    np.testing.assert_allclose(found[4], np.median(x[2:7], axis=0))
    np.testing.assert_allclose(found[0], np.median(x[:3], axis=0))
    np.testing.assert_array_equal(median_denoise(x, n_traces=1, slope=0.0), x)


def test_slopes_of_the_structure_tensor_keep_an_event_that_equal_time_destroys() -> None:
    true = straight_events((30, 120), [(60, 1.0, 1.0)], centre=15)
    kept = [np.sum(median_denoise(true, n_traces=7, slope=s) * true) / np.sum(true**2) for s in (None, 0.0)]
    assert kept[0] > 0.95
    assert kept[1] < 0.9


def test_an_even_number_of_traces_has_no_middle() -> None:
    with pytest.raises(DataError, match="odd"):
        median_denoise(np.ones((4, 5)), n_traces=4)


def test_noise_is_measured_to_a_tenth_and_thresholds_act() -> None:
    noise = 0.7 * np.random.default_rng(0).normal(size=(64, 256))
    left = np.sum(dct_denoise(noise) ** 2) / np.sum(noise**2)
    # Beyond 3 standard deviations lie 0.3 % of coefficients, with 3 % of the energy
    assert 0.01 < left < 0.06
    np.testing.assert_allclose(dct_denoise(noise, noise=0.7), dct_denoise(noise), atol=3.0)
    told = np.sum(dct_denoise(noise, noise=0.7) ** 2) / np.sum(noise**2)
    assert told == pytest.approx(left, abs=0.01)
    np.testing.assert_allclose(dct_denoise(noise, threshold=0), noise, atol=1e-12)
    with pytest.raises(DataError, match="below 0"):
        dct_denoise(noise, threshold=-1)


def test_noise_that_is_not_white_is_measured_at_each_frequency() -> None:
    rng = np.random.default_rng(2)
    red = lfilter([1.0], [1.0, -0.9], rng.standard_normal((64, 192)))
    true = 6 * straight_events((64, 192), [(60, 0.5, 1.0), (120, -0.3, 0.8)])
    by_band, as_white = (snr_db(dct_denoise(true + red, by_band=one), true) for one in (True, False))
    assert by_band > as_white + 4


def test_a_guide_says_where_and_the_panel_how_strong() -> None:
    rng = np.random.default_rng(5)
    true = straight_events((64, 192), [(60, 0.5, 1.0), (120, -0.3, 0.8)])
    noisy = true + 0.5 * rng.standard_normal(true.shape)
    weak = dct_select(noisy, 0.7 * true, threshold=0.3)
    # A guide that is right about places and too weak: amplitudes are those of the panel
    assert amplitude_slope(weak, true)[0] == pytest.approx(0.95, abs=0.06)
    assert snr_db(weak, true) > snr_db(dct_denoise(noisy), true) + 1
    np.testing.assert_allclose(dct_select(noisy, true, threshold=0), noisy, atol=1e-12)
    assert not dct_select(noisy, np.zeros_like(noisy)).any()
    with pytest.raises(DataError, match="the guide has shape"):
        dct_select(noisy, true[1:])


def test_what_is_kept_and_what_is_taken_off_have_little_in_common() -> None:
    rng = np.random.default_rng(6)
    true = straight_events((64, 192), [(60, 0.5, 1.0), (120, -0.3, 0.8)])
    noisy = true + 0.5 * rng.standard_normal(true.shape)
    shrunk = 0.7 * true + 0.02 * noisy
    guided = dct_select(noisy, shrunk)
    assert signal_leakage(guided, noisy)["mean"] < 0.5 * signal_leakage(shrunk, noisy)["mean"]
