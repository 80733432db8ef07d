"""STA/LTA and AIC against ObsPy, brute force and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from obspy.signal.trigger import classic_sta_lta

from seisloom.errors import DataError
from seisloom.signal.triggers import aic_onset, centred_sta_lta, sta_lta, sta_lta_onset

FS_HZ = 100.0


def noise_with_onset(onset: int, n_time: int = 1000, snr: float = 10.0, seed: int = 0) -> np.ndarray:
    x = np.random.default_rng(seed).standard_normal(n_time)
    x[onset:] *= snr
    return x


def test_sta_lta_agrees_with_obspy() -> None:
    x = noise_with_onset(600)
    ours = sta_lta(np.stack([x, 3 * x]), fs_hz=FS_HZ, sta_s=0.2, lta_s=2.0)
    oracle = classic_sta_lta(x, 20, 200)
    np.testing.assert_allclose(ours[0], oracle, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours[1], oracle, rtol=1e-9, atol=1e-12)


def test_sta_lta_agrees_with_a_loop() -> None:
    x = noise_with_onset(40, n_time=80)
    expected = np.zeros(80)
    for i in range(9, 80):
        expected[i] = np.mean(x[i - 2 : i + 1] ** 2) / np.mean(x[i - 9 : i + 1] ** 2)
    np.testing.assert_allclose(sta_lta(x, fs_hz=10, sta_s=0.3, lta_s=1.0), expected, rtol=1e-12)


def test_centred_sta_lta_agrees_with_a_loop() -> None:
    x = noise_with_onset(40, n_time=80)
    expected = [np.mean(x[max(0, i - 1) : i + 2] ** 2) / np.mean(x[max(0, i - 5) : i + 5] ** 2) for i in range(len(x))]
    np.testing.assert_allclose(centred_sta_lta(x, fs_hz=10, sta_s=0.3, lta_s=1.0), expected, rtol=1e-12)


def test_a_boxcar_of_energy_gives_the_ratio_of_the_windows() -> None:
    x = np.zeros(500)
    x[300:] = 1.0
    ratio = sta_lta(x, fs_hz=FS_HZ, sta_s=0.1, lta_s=1.0)
    np.testing.assert_allclose(ratio[300:310], 10.0)  # all the energy of the long window is in the short one
    np.testing.assert_allclose(ratio[310:400], 100 / np.arange(11, 101))
    assert not ratio[:300].any()


def test_a_quiet_trace_after_a_huge_burst_has_no_ratio_made_of_rounding() -> None:
    x = np.zeros(1000)
    x[100:120] = 1e6
    ratio = sta_lta(x, fs_hz=FS_HZ, sta_s=0.1, lta_s=1.0)
    assert not ratio[230:].any()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(1e-6, 1e6), st.integers(1, 99))
def test_sta_lta_knows_no_unit_and_moves_with_the_trace(seed: int, gain: float, shift: int) -> None:
    x = np.random.default_rng(seed).standard_normal(500)
    ratio = sta_lta(x, fs_hz=FS_HZ, sta_s=0.1, lta_s=1.0)
    np.testing.assert_allclose(sta_lta(gain * x, fs_hz=FS_HZ, sta_s=0.1, lta_s=1.0), ratio, rtol=1e-9)
    moved = sta_lta(np.r_[np.zeros(shift), x], fs_hz=FS_HZ, sta_s=0.1, lta_s=1.0)[shift:]
    np.testing.assert_allclose(moved[99:], ratio[99:], rtol=1e-6)
    assert ratio.min() >= 0
    assert ratio.max() <= 10.0 + 1e-9


def test_sta_lta_is_causal() -> None:
    a = noise_with_onset(600)
    b = a.copy()
    b[700:] = 0.5
    before = slice(0, 700)
    np.testing.assert_array_equal(
        sta_lta(a, fs_hz=FS_HZ, sta_s=0.1, lta_s=1)[before], sta_lta(b, fs_hz=FS_HZ, sta_s=0.1, lta_s=1)[before]
    )


@pytest.mark.parametrize(("sta_s", "lta_s"), [(0.0, 1.0), (1.0, 1.0), (2.0, 1.0), (0.001, 1.0)])
def test_windows_that_make_no_sense_are_refused(sta_s: float, lta_s: float) -> None:
    with pytest.raises(DataError, match="STA"):
        sta_lta(np.ones(100), fs_hz=FS_HZ, sta_s=sta_s, lta_s=lta_s)


def test_short_and_empty_traces_give_zeros() -> None:
    assert not sta_lta(np.ones((2, 50)), fs_hz=FS_HZ, sta_s=0.1, lta_s=1).any()
    assert sta_lta(np.ones((2, 0)), fs_hz=FS_HZ, sta_s=0.1, lta_s=1).shape == (2, 0)


def test_the_sta_lta_onset_is_the_first_crossing_or_minus_one() -> None:
    x = np.stack([noise_with_onset(600, snr=30), np.random.default_rng(1).standard_normal(1000)])
    onset = sta_lta_onset(x, fs_hz=FS_HZ, sta_s=0.1, lta_s=2, threshold=8)
    assert 600 <= onset[0] < 610
    assert onset[1] == -1


def test_aic_agrees_with_its_definition() -> None:
    x = noise_with_onset(60, n_time=120)
    onset, aic = aic_onset(x)
    expected = [k * np.log(np.var(x[:k])) + (120 - k - 1) * np.log(np.var(x[k:])) for k in range(5, 116)]
    np.testing.assert_allclose(aic[5:116], expected, rtol=1e-9)
    assert np.isnan(aic[:5]).all()
    assert np.isnan(aic[116:]).all()
    assert onset == 5 + np.argmin(expected)


@pytest.mark.parametrize("snr", [3.0, 100.0, 1e6])
def test_aic_finds_a_change_of_variance(snr: float) -> None:
    x = np.stack([noise_with_onset(o, snr=snr, seed=o) for o in (200, 500, 800)])
    onset, _ = aic_onset(x)
    assert np.abs(onset - [200, 500, 800]).max() <= 5


def test_aic_finds_the_exact_onset_of_a_noise_free_trace() -> None:
    x = np.zeros(400)
    x[173:] = np.sin(0.2 * np.arange(1, 228))
    assert aic_onset(x)[0] == 173


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(1e-6, 1e6), st.floats(-100, 100))
def test_aic_does_not_depend_on_gain_and_offset(seed: int, gain: float, offset: float) -> None:
    x = noise_with_onset(150, n_time=300, seed=seed)
    assert aic_onset(gain * (x + offset))[0] == aic_onset(x)[0]


def test_aic_of_dead_and_short_traces_is_minus_one() -> None:
    onset, aic = aic_onset(np.stack([np.full(100, 5.0), noise_with_onset(50, n_time=100)]))
    assert onset[0] == -1
    assert onset[1] > 0
    assert np.isnan(aic[0]).all()
    assert aic_onset(np.ones((3, 8)))[0].tolist() == [-1, -1, -1]
