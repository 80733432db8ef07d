"""Filters against closed forms: tones, constants and what a causal filter may not do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from seisloom.errors import DataError
from seisloom.signal.filters import bandpass, envelope, resample

FS_HZ = 1000.0


def tone(frequency_hz: float, n_time: int = 4000, fs_hz: float = FS_HZ) -> np.ndarray:
    return np.sin(2 * np.pi * frequency_hz * np.arange(n_time) / fs_hz)


def test_a_tone_inside_the_band_passes_and_one_outside_does_not() -> None:
    inside, outside = (bandpass(tone(f), fs_hz=FS_HZ, low_hz=20, high_hz=80) for f in (40, 250))
    middle = slice(1000, 3000)
    np.testing.assert_allclose(inside[middle], tone(40)[middle], atol=0.1)
    assert np.abs(outside[middle]).max() < 0.02  # two passes of second order: > 40 dB at three times the corner


@pytest.mark.parametrize(("low_hz", "high_hz"), [(20.0, 80.0), (20.0, None), (None, 80.0)])
def test_gain_at_the_corner_is_half_the_power_a_pass(low_hz: float | None, high_hz: float | None) -> None:
    corner = low_hz or high_hz
    assert corner is not None
    y = bandpass(tone(corner), fs_hz=FS_HZ, low_hz=low_hz, high_hz=high_hz)
    assert np.abs(y[1000:3000]).max() == pytest.approx(0.5, rel=0.02)  # -3 dB twice


@pytest.mark.parametrize("zero_phase", [True, False])
def test_an_offset_leaves_no_transient(zero_phase: bool) -> None:
    y = bandpass(np.full(500, 3e5), fs_hz=FS_HZ, low_hz=10, high_hz=100, zero_phase=zero_phase)
    assert np.abs(y).max() < 1e-3


def test_a_causal_filter_leaves_what_is_before_the_onset_at_zero() -> None:
    x = np.zeros((2, 600))
    x[:, 300:] = tone(30, 300)
    y = bandpass(x, fs_hz=FS_HZ, low_hz=10, high_hz=100, zero_phase=False)
    assert not y[:, :300].any()
    assert y[:, 301:].any(axis=-1).all()


@pytest.mark.parametrize(("low_hz", "high_hz"), [(10, 500), (10, 600), (0, 50), (80, 20), (30, 30), (None, None)])
def test_a_band_that_does_not_fit_is_refused(low_hz: float | None, high_hz: float | None) -> None:
    with pytest.raises(DataError, match="band"):
        bandpass(tone(30), fs_hz=FS_HZ, low_hz=low_hz, high_hz=high_hz)


@pytest.mark.parametrize("n_time", [0, 1, 2, 5, 11])
@pytest.mark.parametrize("zero_phase", [True, False])
def test_short_traces_keep_their_length(n_time: int, zero_phase: bool) -> None:
    y = bandpass(np.ones((3, n_time), dtype=np.float32), fs_hz=FS_HZ, low_hz=5, high_hz=50, zero_phase=zero_phase)
    assert y.shape == (3, n_time)
    assert y.dtype == np.float32


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-5, 5), st.booleans())
def test_bandpass_is_linear(seed: int, factor: float, zero_phase: bool) -> None:
    a, b = np.random.default_rng(seed).standard_normal((2, 300))

    def filtered(x: np.ndarray) -> np.ndarray:
        return bandpass(x, fs_hz=FS_HZ, low_hz=10, high_hz=100, zero_phase=zero_phase)

    np.testing.assert_allclose(filtered(a + factor * b), filtered(a) + factor * filtered(b), atol=1e-9)


@pytest.mark.parametrize("target_fs_hz", [200.0, 250.0, 400.0, 2000.0, 1500.0, 333.0])
def test_a_resampled_tone_is_the_tone_at_the_new_times(target_fs_hz: float) -> None:
    y = resample(tone(20), fs_hz=FS_HZ, target_fs_hz=target_fs_hz)
    assert y.dtype == np.float32
    assert y.shape == (int(np.ceil(4000 * target_fs_hz / FS_HZ)),)
    middle = slice(len(y) // 10, -len(y) // 10)
    # the filter's pass-band ripple is below half a per cent
    np.testing.assert_allclose(y[middle], tone(20, len(y), target_fs_hz)[middle], atol=5e-3)


def test_a_tone_above_the_new_nyquist_does_not_alias() -> None:
    y = resample(tone(130), fs_hz=FS_HZ, target_fs_hz=200)
    assert np.abs(y[40:-40]).max() < 10 ** (-50 / 20)


def test_resampling_to_the_same_rate_changes_nothing() -> None:
    x = np.random.default_rng(0).standard_normal((2, 50)).astype(np.float32)
    assert np.array_equal(resample(x, fs_hz=312.5, target_fs_hz=312.5), x)


def test_resampling_keeps_a_constant_to_the_very_ends() -> None:
    y = resample(np.full((2, 500), 8.4e6), fs_hz=4000, target_fs_hz=1000)
    assert np.all(y == np.float32(8.4e6))


def test_resampling_agrees_with_a_direct_sum_over_the_filter() -> None:
    """Brute force: interpolate with the same Kaiser-windowed sinc, written out."""
    rng = np.random.default_rng(3)
    x = np.r_[np.zeros(60), rng.standard_normal(80), np.zeros(60)]
    up, down = 2, 5
    half = 10 * max(up, down)
    taps = signal.firwin(2 * half + 1, 1 / max(up, down), window=("kaiser", 5.0)) * up
    n_out = -(-len(x) * up // down)
    expected = [
        sum(x[m] * taps[half + k * down - m * up] for m in range(len(x)) if abs(k * down - m * up) <= half)
        for k in range(n_out)
    ]
    np.testing.assert_allclose(resample(x, fs_hz=500, target_fs_hz=200), expected, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_resampling_moves_with_the_trace(shift: int, seed: int) -> None:
    """A shift by whole output samples shifts the output: time 0 stays at sample 0."""
    x = np.zeros(800)
    x[300:400] = np.random.default_rng(seed).standard_normal(100)
    y = resample(x, fs_hz=1000, target_fs_hz=250)
    moved = resample(np.roll(x, 4 * shift), fs_hz=1000, target_fs_hz=250)
    np.testing.assert_allclose(moved, np.roll(y, shift), atol=1e-5)


@pytest.mark.parametrize("target_fs_hz", [0.0, -1.0, np.nan, 3e6, 0.1])
def test_a_rate_that_cannot_be_reached_is_refused(target_fs_hz: float) -> None:
    with pytest.raises(DataError, match="resample"):
        resample(np.ones(50_000), fs_hz=1000, target_fs_hz=target_fs_hz)


def test_the_envelope_of_a_modulated_tone_is_its_modulation() -> None:
    modulation = np.exp(-(((np.arange(2000) - 1000) / 200) ** 2))
    np.testing.assert_allclose(envelope(modulation * tone(100, 2000) + 7.0), modulation, atol=2e-3)
