"""The seven channels: their definitions, and that no channel knows more than the trace."""

from __future__ import annotations

import inspect

import numpy as np

from seisloom.signal.features import SEED_CHANNELS, seed_features
from seisloom.signal.filters import bandpass, envelope
from seisloom.signal.moving import moving_mean, moving_std
from seisloom.signal.triggers import centred_sta_lta

FS_HZ = 200.0


def burst_in_noise(n_time: int = 1000, onset: int = 600) -> np.ndarray:
    x = 0.01 * np.random.default_rng(0).standard_normal(n_time)
    x[onset : onset + 200] += np.sin(2 * np.pi * 6 * np.arange(200) / FS_HZ)
    return x


def test_channels_are_what_their_names_say() -> None:
    x = burst_in_noise()
    y = dict(zip(SEED_CHANNELS, seed_features(x, fs_hz=FS_HZ), strict=True))
    band = bandpass(x, fs_hz=FS_HZ, low_hz=3, high_hz=12)
    np.testing.assert_allclose(y["bandpassed"], band, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(y["envelope"], envelope(band), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(y["smoothed_envelope"], moving_mean(y["envelope"], n_window=10), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(y["sliding_std"], moving_std(np.abs(band), n_window=20), rtol=1e-4, atol=1e-6)
    assert np.ptp(y["contrast_db"]) == 0
    assert 20 < y["contrast_db"][0] < 80
    for name, sta_s, lta_s in (("sta_lta_short", 0.05, 0.5), ("sta_lta_long", 0.1, 1.0)):
        np.testing.assert_allclose(y[name], centred_sta_lta(band, fs_hz=FS_HZ, sta_s=sta_s, lta_s=lta_s), rtol=1e-5)


def test_traces_together_give_what_each_gives_alone() -> None:
    x = np.stack([burst_in_noise(onset=o) for o in (300, 500, 700)])
    together = seed_features(x, fs_hz=FS_HZ)
    assert together.shape == (3, 7, 1000)
    assert together.dtype == np.float32
    np.testing.assert_allclose(together, np.stack([seed_features(row, fs_hz=FS_HZ) for row in x]), rtol=1e-5, atol=1e-6)


def test_dead_and_muted_traces_have_finite_channels() -> None:
    x = np.zeros((2, 1000))
    x[1, 800:] = 1.0
    y = seed_features(x, fs_hz=FS_HZ)
    assert np.isfinite(y).all()
    assert not y[0].any()


def test_no_feature_takes_a_pick() -> None:
    assert not {"pick", "onset", "y_idx", "pick_time_s", "onset_idx"} & set(inspect.signature(seed_features).parameters)


def test_features_move_with_the_trace() -> None:
    """Shifting the input shifts every channel: nothing depends on where in the window the burst is."""
    x = np.zeros(2000)
    x[900:1100] = burst_in_noise()[600:800]
    a, b = seed_features(x, fs_hz=FS_HZ), seed_features(np.roll(x, 100), fs_hz=FS_HZ)
    np.testing.assert_allclose(b[[0, 3, 4, 5], 500:1500], np.roll(a, 100, axis=-1)[[0, 3, 4, 5], 500:1500], atol=2e-3)
    np.testing.assert_allclose(b[6], a[6], atol=1e-3)
