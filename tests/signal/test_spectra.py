"""Spectra of traces against closed forms, SciPy, and the older pipelines' numbers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from seisloom.errors import DataError
from seisloom.signal import spectra


def test_the_spectrum_of_white_noise_is_its_variance() -> None:
    x = 3 * np.random.default_rng(0).normal(size=(4, 60_000))
    power = spectra.power_spectrum(x, n_fft=64)
    assert power.shape == (4, 33)
    # About 1900 frames: the mean scatters by 3 % a frequency
    np.testing.assert_allclose(power[:, 1:-1], 9, rtol=0.15)
    assert abs(power[:, 1:-1].mean() / 9 - 1) < 0.01


def test_a_tone_lies_at_its_frequency_with_its_power() -> None:
    fs_hz, n_fft = 100.0, 512
    f = spectra.frequencies_hz(n_fft, fs_hz)
    assert (len(f), f[0], f[-1]) == (257, 0.0, 50.0)
    x = 2 * np.sin(2 * np.pi * f[40] * np.arange(512 * 8) / fs_hz)
    power = spectra.power_spectrum(x, n_fft=n_fft)
    assert power.argmax() == 40
    np.testing.assert_allclose(power[40], 2**2 * n_fft / 6, rtol=1e-6)


def test_the_spectrum_is_that_of_scipys_welch() -> None:
    x = np.random.default_rng(1).normal(size=(3, 512 * 6))
    _, expected = signal.welch(x, fs=1.0, window="hann", nperseg=512, detrend=False, return_onesided=False)
    np.testing.assert_allclose(spectra.power_spectrum(x, n_fft=512), expected[:, :257], rtol=1e-10)


@pytest.mark.parametrize("n_time", [100, 511, 513, 900])
def test_records_that_fill_no_frame_are_not_too_low(n_time: int) -> None:
    x = np.random.default_rng(2).normal(size=(600, n_time))
    power = spectra.power_spectrum(x, n_fft=512).mean(axis=0)
    assert abs(power[4:-4].mean() - 1) < 0.05


def test_frames_of_the_stft_have_their_times_and_nothing_is_left_out() -> None:
    x = np.zeros(1000)
    x[995] = 1.0
    found = np.abs(spectra.stft(x, n_fft=64, hop=32)) ** 2
    assert found.shape == (33, spectra.n_frames(1000, n_fft=64, hop=32))
    times = spectra.frame_times_s(1000, n_fft=64, hop=32, fs_hz=10.0)
    assert abs(times[found.sum(axis=0).argmax()] - 99.5) <= 1.6
    assert found.sum() > 0


def test_the_ancestors_numbers_come_back_to_the_bit() -> None:
    x = np.random.default_rng(3).normal(size=(6000, 3))
    expected = abs(np.fft.fft(x, n=512, axis=0))[255:512]
    np.testing.assert_array_equal(spectra.ancestor_spectrum(x), expected)
    # Its first and third bin are one, bins run down, and what comes after sample 512 plays no part
    np.testing.assert_allclose(expected[0], expected[2], rtol=1e-9)
    x[512:] = 0
    np.testing.assert_array_equal(spectra.ancestor_spectrum(x), expected)
    assert not np.allclose(spectra.log_power_spectrum(x.T), spectra.log_power_spectrum(np.roll(x, 700, axis=0).T))


def test_silence_has_the_floor_and_bad_sizes_are_refused() -> None:
    assert (spectra.log_power_spectrum(np.zeros((2, 600))) == spectra.FLOOR_DB).all()
    assert spectra.power_spectrum(np.zeros((2, 600), np.float32)).dtype == np.float32
    with pytest.raises(DataError, match="n_fft 1"):
        spectra.stft(np.zeros(10), n_fft=1)
    with pytest.raises(DataError, match="shape"):
        spectra.stft(np.zeros((3, 0)))
