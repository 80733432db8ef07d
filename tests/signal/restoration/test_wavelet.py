"""Wavelet shrinkage: closed forms of the transform, thresholds, and noise that is measured."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from seisloom.errors import DataError
from seisloom.metrics.image import snr_db
from seisloom.sample import Array
from seisloom.signal.restoration.wavelet import noise_by_octave, wavelet_denoise

from .events import straight_events

EVENTS = [(60, 0.5, 1.0), (120, -0.3, 0.8)]


def box_twice(n: int) -> Array:
    """Weights (trace, time) of a mean over n traces and samples, taken there and back, centred in (64, 64)."""
    triangle = np.zeros(64)
    triangle[33 - n : 32 + n] = np.convolve(np.ones(n), np.ones(n)) / n**2
    return np.outer(triangle, triangle)


@pytest.mark.parametrize("order", [1, 6, 10])
@pytest.mark.parametrize("shape", [(40, 70), (61, 203), (1, 64), (5, 3)])
def test_a_threshold_of_zero_gives_the_panel_back(shape: tuple[int, int], order: int) -> None:
    x = np.random.default_rng(0).standard_normal(shape)
    np.testing.assert_allclose(wavelet_denoise(x, threshold=0, order=order, n_levels=6), x, atol=1e-11)
    assert wavelet_denoise(x.astype(np.float32), threshold=0, order=order).dtype == np.float32


def test_haar_coefficients_of_a_spike_meet_the_threshold_by_their_size() -> None:
    spike = np.zeros((64, 64))
    spike[32, 32] = 8.0
    # A filter of norm 1 halves a spike at each level: details are of size 4, then 2; what is left over are means of
    # two, then four. Details of a level are what its means lose
    for threshold, expected in [
        (1.9, spike),
        (2.1, spike - 8 * (box_twice(2) - box_twice(4))),
        (4.1, 8 * box_twice(4)),
    ]:
        found = wavelet_denoise(spike, threshold=threshold, noise=1.0, order=1, n_levels=2)
        np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("order", [1, 3, 6, 10])
def test_white_noise_has_its_deviation_in_each_octave(order: int) -> None:
    shape, n_levels = (128, 512), 4
    noise = 0.7 * np.random.default_rng(0).standard_normal(shape)
    panel = np.pad(noise, [(0, n) for n in shape], mode="symmetric")
    measured = noise_by_octave(panel, shape, order, n_levels)
    assert measured.shape == (n_levels, 2)
    np.testing.assert_allclose(measured, 0.7, rtol=0.06)  # a coarse octave has few independent samples
    assert measured[-1, 1] == pytest.approx(0.7, rel=0.02)


def test_what_lies_between_mirror_images_is_not_counted_as_noise() -> None:
    shape = (16, 32)
    rng = np.random.default_rng(0)
    panel = 1e3 * rng.standard_normal((64, 128))
    images = np.ix_(*(np.r_[:n, -n:0] for n in shape))
    panel[images] = rng.standard_normal((32, 64))
    assert (noise_by_octave(panel, shape, 1, 1) < 2).all()
    assert (noise_by_octave(panel, panel.shape, 1, 1) > 100).all()


@pytest.mark.parametrize("by_band", [False, True])
@pytest.mark.parametrize("shape", [(64, 192), (61, 187)])
def test_noise_alone_goes_and_events_stay(shape: tuple[int, int], by_band: bool) -> None:
    noise = 0.5 * np.random.default_rng(1).standard_normal(shape)
    # Three deviations leave 3 % of the energy of white noise in details, and what is smoother than all of them
    assert np.sum(wavelet_denoise(noise, by_band=by_band) ** 2) < 0.12 * np.sum(noise**2)
    true = straight_events(shape, EVENTS)
    found = wavelet_denoise(true + noise, by_band=by_band)
    assert snr_db(found, true) > snr_db(true + noise, true) + 6


def test_noise_that_is_measured_cleans_as_well_as_noise_that_is_known() -> None:
    true = straight_events((64, 192), EVENTS)
    noisy = true + 0.5 * np.random.default_rng(1).standard_normal(true.shape)
    measured, known = (snr_db(wavelet_denoise(noisy, noise=one), true) for one in (None, 0.5))
    assert measured == pytest.approx(known, abs=0.5)


def test_noise_that_is_not_white_is_measured_in_each_octave() -> None:
    true = 6 * straight_events((64, 192), EVENTS)
    white = np.random.default_rng(2).standard_normal(true.shape)
    frequency = np.fft.rfftfreq(true.shape[1])
    frequency[0] = frequency[1]
    for name, red in {
        "autoregressive": lfilter([1.0], [1.0, -0.9], white),
        "1/f": np.fft.irfft(np.fft.rfft(white) * frequency[1] / frequency) * np.sqrt(true.shape[1]),
    }.items():
        by_band, as_white = (snr_db(wavelet_denoise(true + red, by_band=one), true) for one in (True, False))
        assert by_band > max(as_white, snr_db(true + red, true)) + 2, name


def test_a_shift_of_the_panel_shifts_what_comes_out() -> None:
    noisy = np.zeros((48, 160))
    noisy[:, 30:130] = np.random.default_rng(3).standard_normal((48, 100))
    noisy[:, 60:90] += 4 * straight_events((48, 30), [(15, 0.1, 1.0)])
    one = wavelet_denoise(noisy, noise=1.0, n_levels=2, order=2)
    other = wavelet_denoise(np.roll(noisy, 3, axis=1), noise=1.0, n_levels=2, order=2)
    np.testing.assert_allclose(other, np.roll(one, 3, axis=1), atol=1e-9)


def test_a_size_that_does_not_fit_cleans_as_well_as_one_that_does() -> None:
    true = 3 * straight_events((64, 192), EVENTS)
    noisy = true + np.random.default_rng(5).standard_normal(true.shape)
    fits = wavelet_denoise(noisy, noise=1.0)
    cut = wavelet_denoise(noisy[:61, :187], noise=1.0)
    assert snr_db(cut, true[:61, :187]) == pytest.approx(snr_db(fits[:61, :187], true[:61, :187]), abs=0.3)


def test_amplitudes_scale_through() -> None:
    x = np.random.default_rng(4).standard_normal((30, 60))
    np.testing.assert_allclose(wavelet_denoise(8 * x), 8 * wavelet_denoise(x), atol=1e-9)


@pytest.mark.parametrize("value", [0.0, 2.5])
@pytest.mark.parametrize("noise", [None, 1.0])
def test_a_constant_panel_comes_back(value: float, noise: float | None) -> None:
    x = np.full((20, 50), value)
    np.testing.assert_allclose(wavelet_denoise(x, noise=noise), x, atol=1e-11)


@pytest.mark.parametrize("order", [-1, 0, 11])
def test_orders_there_are_not_are_refused(order: int) -> None:
    with pytest.raises(DataError, match="orders 1 to 10"):
        wavelet_denoise(np.ones((4, 8)), order=order)


def test_what_it_cannot_do_is_said() -> None:
    x = np.ones((4, 8))
    with pytest.raises(DataError, match="below 0"):
        wavelet_denoise(x, threshold=-1)
    with pytest.raises(DataError, match="0 levels"):
        wavelet_denoise(x, n_levels=0)
