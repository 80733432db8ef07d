import numpy as np
import pytest
import torch
from scipy import ndimage
from torchmetrics.functional.image import structural_similarity_index_measure

from seisloom.errors import DataError
from seisloom.metrics.image import (
    SSIM_SIGMA,
    band,
    band_correlation,
    bandwidth_gain,
    fault_sharpness,
    image_scores,
    psnr_db,
    snr_db,
    ssim,
)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def test_psnr_has_the_closed_form_of_a_constant_error() -> None:
    target = np.array([[-2.0, 0.0, 1.0]])
    assert psnr_db(target + 0.4, target) == pytest.approx(20 * np.log10(4 / 0.4))
    assert psnr_db(-3 * (target + 0.4), -3 * target) == pytest.approx(20)  # no unit, no polarity
    assert psnr_db(target, target) == np.inf
    assert np.isnan(psnr_db(target, 0 * target))


def test_snr_is_the_ratio_of_energies() -> None:
    target = noise(5, 6, 7)
    assert snr_db(1.1 * target, target) == pytest.approx(20)
    assert snr_db(target, target) == np.inf
    assert np.isnan(snr_db(target, 0 * target))


@pytest.mark.parametrize("shape", [(21, 34), (14, 15, 19)])
def test_ssim_is_that_of_torchmetrics_where_windows_lie_inside(shape: tuple[int, ...]) -> None:
    target = ndimage.gaussian_filter(noise(*shape), 1)
    predicted = target + 0.2 * ndimage.gaussian_filter(noise(*shape, seed=1), 0.5)
    # Its window of sigma 1.5 has 11 samples as ours; it mirrors the image at its edges, ours does not look there
    pair = (torch.from_numpy(one)[None, None] for one in (predicted, target))
    largest = 2 * np.abs(target).max()
    _, theirs = structural_similarity_index_measure(*pair, sigma=SSIM_SIGMA, data_range=largest, return_full_image=True)
    inside = theirs[0, 0][(slice(5, -5),) * len(shape)]
    assert ssim(predicted, target) == pytest.approx(inside.mean().item(), abs=1e-9)


def test_ssim_of_one_inline_is_that_of_its_section() -> None:
    target, predicted = noise(20, 30), noise(20, 30, seed=1)
    assert ssim(predicted[None], target[None]) == pytest.approx(ssim(predicted, target))
    assert ssim(target, target) == pytest.approx(1)
    wave = (-1.0) ** np.arange(30) * np.ones((20, 1))  # without a mean in any window
    assert ssim(-wave, wave) < -0.9
    assert np.isnan(ssim(target, 0 * target))


def test_ssim_sees_nothing_of_what_is_unknown() -> None:
    target, predicted = noise(30, 40), noise(30, 40, seed=1)
    holed, wild = target.copy(), predicted.copy()
    holed[:, 20:] = np.nan
    wild[:, 20:] = 1e9
    largest = 2 * np.abs(target).max()
    assert ssim(wild, holed, value_range=largest) == pytest.approx(
        ssim(predicted[:, :20], target[:, :20], value_range=largest)
    )
    assert psnr_db(wild, holed) == psnr_db(predicted[:, :20], target[:, :20])
    assert psnr_db(wild, target, known=np.arange(40) < 20) == psnr_db(wild, holed)
    assert np.isnan(ssim(wild, np.full_like(target, np.nan)))


def test_the_band_of_a_sine_is_its_frequency_and_that_of_white_noise_nearly_all() -> None:
    t = np.arange(128)
    low, high = band(np.sin(2 * np.pi * t * 16 / 128)[None])
    assert 15 / 128 <= low <= high <= 16 / 128
    low, high = band(noise(2000, 128))
    # Linear in frequency from 0 to 0.5
    assert (low, high) == (pytest.approx(0.05, abs=0.004), pytest.approx(0.45, abs=0.004))
    assert np.isnan(band(np.ones((3, 8)))).all()


def test_halving_the_bandwidth_is_a_gain_of_a_half() -> None:
    wide = noise(400, 256)
    spectrum = np.fft.rfft(wide)
    spectrum[:, spectrum.shape[1] // 2 :] = 0
    narrow = np.fft.irfft(spectrum)
    assert bandwidth_gain(narrow, wide) == pytest.approx(0.5, abs=0.02)
    assert bandwidth_gain(3 * wide, wide) == pytest.approx(1)


def test_correlation_in_the_band_is_blind_to_what_lies_outside() -> None:
    t = np.arange(200)
    target = np.stack([np.sin(2 * np.pi * (k / 200) * t + k) for k in range(20, 41)]).sum(axis=0)[None] * np.ones(
        (4, 1)
    )
    low_noise = 5 * np.sin(2 * np.pi * 3 / 200 * t)
    assert band_correlation(target + low_noise, target) == pytest.approx(1)
    assert band_correlation(-target, target) == pytest.approx(-1)
    # White noise of the same power density in the band as the target
    assert abs(band_correlation(noise(4, 200), target)) < 0.2
    assert np.isnan(band_correlation(0 * target, target))


def test_a_dead_trace_does_not_change_the_band() -> None:
    image = noise(5, 64)
    with_dead = np.concatenate([image, np.zeros((1, 64))])
    assert band(with_dead, known=np.arange(6)[:, None] < 5) == band(image)


def test_faults_are_less_sharp_after_smoothing() -> None:
    t = np.arange(60)
    step = np.where(np.arange(30)[:, None] < 15, np.sin(t / 3), np.sin((t - 8) / 3))
    volume, fault = np.stack([step] * 4), np.zeros((4, 30, 60), int)
    fault[:, 14:16] = 1
    assert fault_sharpness(volume, volume, fault) == 1
    assert fault_sharpness(2 * volume, volume, fault) == pytest.approx(4)
    assert fault_sharpness(ndimage.gaussian_filter1d(volume, 2, axis=1), volume, fault) < 0.5
    assert fault_sharpness(volume[0], volume[0], fault[0]) == 1
    assert np.isnan(fault_sharpness(volume, volume, 0 * fault))


def test_gains_over_the_input_are_differences() -> None:
    target = noise(12, 13, 40)
    scores = image_scores(target + 0.01, target, source=target + 0.1, fault=np.ones(target.shape))
    assert scores["psnr_gain_db"] == pytest.approx(20)
    assert scores["bandwidth_gain"] == pytest.approx(1)
    assert set(image_scores(target, target)) == {"psnr_db", "snr_db", "ssim", "band_correlation"}


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(DataError, match="same grid"):
        psnr_db(noise(3, 4), noise(4, 3))
    with pytest.raises(DataError, match="not finite"):
        ssim(np.full((3, 4), np.nan), noise(3, 4))
