"""Wavelet shrinkage: closed forms of the transform, thresholds, and noise that is measured."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from seisloom.errors import DataError
from seisloom.metrics.image import snr_db
from seisloom.signal.restoration.wavelet import _filters, merged, noise_level, split, wavelet_denoise

from .events import straight_events


def test_filters_are_those_of_daubechies() -> None:
    root = np.sqrt(3)
    published = np.array([1 + root, 3 + root, 3 - root, 1 - root]) / (4 * np.sqrt(2))  # 1988, of two moments
    low = _filters(2)[0]
    np.testing.assert_allclose(sorted([low.tolist(), low[::-1].tolist()])[0], published[::-1], atol=1e-12)


@pytest.mark.parametrize("order", range(1, 11))
def test_filters_are_orthonormal_and_blind_to_polynomials(order: int) -> None:
    low, high = _filters(order)
    for shift in range(0, 2 * order, 2):
        expected = float(shift == 0)
        assert np.dot(low[shift:], low[: len(low) - shift]) == pytest.approx(expected, abs=1e-11)
        assert np.dot(low[shift:], high[: len(low) - shift]) == pytest.approx(0, abs=1e-11)
    place = np.linspace(-1, 1, len(high))
    for power in range(order):
        assert np.dot(high, place**power) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("spread", [1, 2, 4, 8])
@pytest.mark.parametrize("order", [1, 3, 6])
def test_energy_is_kept_and_parts_give_the_panel_back(order: int, spread: int) -> None:
    x = np.random.default_rng(0).standard_normal((37, 90))
    parts = split(x, order, spread)
    assert sum(np.sum(one**2) for one in parts) == pytest.approx(4 * np.sum(x**2), rel=1e-12)
    np.testing.assert_allclose(merged(parts, order, spread), x, atol=1e-12)


def test_white_noise_has_its_deviation_in_every_part_and_is_measured() -> None:
    noise = 0.7 * np.random.default_rng(0).standard_normal((128, 256))
    for one in split(noise, 6, 4):
        assert one.std() == pytest.approx(0.7, rel=0.15)  # a coarse part has few independent samples
    assert noise_level(split(noise, 6, 1)[2]) == pytest.approx(0.7, rel=0.02)


@pytest.mark.parametrize("shape", [(40, 70), (1, 64), (5, 3)])
def test_a_threshold_of_zero_gives_the_panel_back(shape: tuple[int, int]) -> None:
    x = np.random.default_rng(0).standard_normal(shape)
    np.testing.assert_allclose(wavelet_denoise(x, threshold=0), x, atol=1e-11)
    assert wavelet_denoise(x.astype(np.float32), threshold=0).dtype == np.float32


@pytest.mark.parametrize("by_band", [False, True])
def test_noise_alone_goes_and_events_stay(by_band: bool) -> None:
    rng = np.random.default_rng(1)
    noise = 0.5 * rng.standard_normal((64, 192))
    # Three deviations leave 3 % of the energy of white noise in details, and what is smoother than all of them
    assert np.sum(wavelet_denoise(noise, by_band=by_band) ** 2) < 0.12 * np.sum(noise**2)
    true = straight_events((64, 192), [(60, 0.5, 1.0), (120, -0.3, 0.8)])
    found = wavelet_denoise(true + noise, by_band=by_band)
    assert snr_db(found, true) > snr_db(true + noise, true) + 6


def test_noise_that_is_not_white_is_measured_in_each_octave() -> None:
    rng = np.random.default_rng(2)
    red = lfilter([1.0], [1.0, -0.9], rng.standard_normal((64, 192)))
    true = 6 * straight_events((64, 192), [(60, 0.5, 1.0), (120, -0.3, 0.8)])
    by_band, as_white = (snr_db(wavelet_denoise(true + red, by_band=one), true) for one in (True, False))
    assert by_band > as_white + 2


def test_a_shift_of_the_panel_shifts_what_comes_out() -> None:
    noisy = np.zeros((48, 160))
    noisy[:, 30:130] = np.random.default_rng(3).standard_normal((48, 100))
    noisy[:, 60:90] += 4 * straight_events((48, 30), [(15, 0.1, 1.0)])
    one = wavelet_denoise(noisy, noise=1.0, n_levels=2, order=2)
    other = wavelet_denoise(np.roll(noisy, 3, axis=1), noise=1.0, n_levels=2, order=2)
    np.testing.assert_allclose(other, np.roll(one, 3, axis=1), atol=1e-9)


def test_amplitudes_scale_through() -> None:
    x = np.random.default_rng(4).standard_normal((30, 60))
    np.testing.assert_allclose(wavelet_denoise(8 * x), 8 * wavelet_denoise(x), atol=1e-9)


def test_what_it_cannot_do_is_said() -> None:
    x = np.ones((4, 8))
    with pytest.raises(DataError, match="below 0"):
        wavelet_denoise(x, threshold=-1)
    with pytest.raises(DataError, match="orders 1 to 10"):
        wavelet_denoise(x, order=11)
    with pytest.raises(DataError, match="0 levels"):
        wavelet_denoise(x, n_levels=0)
