"""Features of records whose answer is known: tones, noise, boxcars, decays, and motion along a line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.event_features import FEATURE_NAMES, FEATURES, event_features

FS_HZ = 100.0
T = np.arange(6000) / FS_HZ


def features(values: Array, **known: object) -> dict[str, float]:
    found = event_features(np.atleast_2d(values), fs_hz=FS_HZ, **known)  # type: ignore[arg-type]
    return dict(zip(FEATURE_NAMES, found.tolist(), strict=True))


def noise(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape)


def test_names_are_unique_and_each_has_a_unit_and_a_definition() -> None:
    assert len(set(FEATURE_NAMES)) == len(FEATURES) > 50
    assert all(one.unit and one.doc for one in FEATURES)
    assert event_features(noise(3, 6000), fs_hz=FS_HZ).shape == (len(FEATURES),)


@pytest.mark.parametrize("hz", [2.0, 5.3, 17.0])
def test_a_tone_has_its_frequency_everywhere(hz: float) -> None:
    found = features(np.sin(2 * np.pi * hz * T))
    # A window of 2.56 s tells 0.4 Hz apart; Hann's lobe is symmetric, but for its image at the other side of zero
    assert found["centroid_hz"] == pytest.approx(hz, abs=0.02)
    assert found["zero_crossings_hz"] == pytest.approx(hz, rel=0.01)
    assert all(found[f"{name}_hz"] == pytest.approx(hz, abs=0.4) for name in ("peak", "median", "rolloff_85"))
    assert found["bandwidth_hz"] < 0.4
    assert found["centroid_drift_hz_s"] == pytest.approx(0, abs=1e-3)
    assert found["peak_spread_hz"] < 0.2
    assert found["autocorrelation_zero_s"] == pytest.approx(1 / hz / 4, abs=1 / FS_HZ)
    assert found["n_autocorrelation_peaks"] == pytest.approx(0.8 * 60 * hz, rel=0.05)  # of a tone it falls linearly
    assert found["flatness"] < 0.01
    assert found["kurtosis"] == pytest.approx(1.5, abs=0.01)
    assert found["rms_over_max"] == pytest.approx(np.sqrt(0.5), rel=0.005)  # its top falls between samples
    assert found["log10_rms"] == pytest.approx(np.log10(np.sqrt(0.5)), abs=1e-3)


def test_white_noise_is_flat_normal_and_steady() -> None:
    drawn = [event_features(noise(1, 6000, seed=seed), fs_hz=FS_HZ) for seed in range(8)]
    found = dict(zip(FEATURE_NAMES, np.mean(drawn, axis=0), strict=True))
    assert found["kurtosis"] == pytest.approx(3, abs=0.1)  # sqrt(24 / 48000) is its standard error, 0.02
    assert found["skewness"] == pytest.approx(0, abs=0.05)
    assert found["centroid_hz"] == pytest.approx(25, abs=0.3)
    assert found["bandwidth_hz"] == pytest.approx(50 / np.sqrt(12), abs=0.3)
    assert found["spectral_kurtosis"] == pytest.approx(1.8, abs=0.05)
    assert found["spectral_skewness"] == pytest.approx(0, abs=0.05)
    assert found["rolloff_85_hz"] == pytest.approx(42.5, abs=0.6)
    assert found["spectral_entropy"] > 0.97
    for k in range(4):
        assert found[f"nyquist_quarter_{k + 1}_share"] == pytest.approx(0.25, abs=0.015)
    assert found["share_10_20_hz"] == pytest.approx(0.2, abs=0.015)
    # Half the changes of sign a second: every second sample, on average
    assert found["zero_crossings_hz"] == pytest.approx(25, abs=0.5)
    assert found["energy_duration_s"] == pytest.approx(54, abs=0.5)
    assert found["energy_centre_share"] == pytest.approx(0.5, abs=0.01)
    assert found["loud_share"] > 0.99
    # The envelope follows Rayleigh's law: kurtosis 3.245, skewness 0.631
    assert found["envelope_kurtosis"] == pytest.approx(3.245, abs=0.1)
    assert found["envelope_skewness"] == pytest.approx(0.631, abs=0.04)


def test_a_boxcar_lasts_as_long_as_it_lasts() -> None:
    x = np.where((T >= 10) & (T < 30), np.sin(2 * np.pi * 8 * T), 0.0)
    found = features(x)
    # The envelope is smoothed over 0.5 s; a fifth of its height is reached 0.15 s before and after
    assert found["duration_s"] == pytest.approx(20, abs=0.35)
    assert found["energy_duration_s"] == pytest.approx(18, abs=0.05)
    assert found["loud_share"] == pytest.approx(1 / 3, abs=0.01)
    assert found["energy_centre_share"] == pytest.approx(20 / 60, abs=1e-3)
    assert found["envelope_mean_over_max"] == pytest.approx(1 / 3, abs=0.02)
    assert found["decay_misfit"] > 0.1


def test_a_decay_is_found_with_its_time() -> None:
    x = np.where(T >= 10, np.exp(-(T - 10) / 8) * np.sin(2 * np.pi * 10 * T), 0.0)
    found = features(x)
    assert found["decay_per_s"] == pytest.approx(-1 / 8, rel=0.02)
    assert found["fall_s"] == pytest.approx(8 * np.log(5), abs=0.5)
    assert found["rise_s"] < 0.6
    assert found["rise_share"] < 0.05
    assert found["kurtosis_max"] > 5
    assert found["kurtosis_rise"] > 3
    assert found["p_over_s_log10"] != found["p_over_s_log10"]
    turned = features(x[::-1])
    assert turned["rise_share"] > 0.95


def test_a_sweep_drifts_at_its_rate() -> None:
    found = features(np.sin(2 * np.pi * (5 * T + 0.5 * 0.25 * T**2)))
    assert found["centroid_drift_hz_s"] == pytest.approx(0.25, rel=0.02)
    # Even over 5..20 Hz
    assert found["centroid_spread_hz"] == pytest.approx(15 / np.sqrt(12), rel=0.08)


def test_p_and_s_have_the_ratio_of_their_amplitudes() -> None:
    carrier = noise(3, 6000)
    loud = np.where(T < 20, 0.01, np.where(T < 28, 1.0, 4.0))
    found = features(carrier * loud, onset_s=20.0)
    assert found["snr_db"] == pytest.approx(40, abs=1)
    # The strongest of many windows is a little stronger than their mean
    assert found["p_over_s_log10"] == pytest.approx(-np.log10(4), abs=0.08)
    named = features(carrier * loud, onset_s=20.0, s_onset_s=28.0)
    assert named["p_over_s_log10"] == pytest.approx(-np.log10(4), abs=0.05)
    assert named["p_over_s_3_10_hz_log10"] == pytest.approx(-np.log10(4), abs=0.15)
    for onset_s in (None, float("nan"), -3.0, 59.9):
        unknown = features(carrier * loud, onset_s=onset_s)
        assert np.isnan([unknown[name] for name in ("snr_db", "p_over_s_log10", "p_rectilinearity")]).all()


def test_motion_along_a_line_in_a_plane_and_in_space() -> None:
    tone, other, third = (np.sin(2 * np.pi * hz * T) for hz in (5, 6, 7))
    # 30 degrees off the vertical
    line = features(np.array([np.cos(np.pi / 6), 0.3, 0.4])[:, None] * tone)
    assert line["rectilinearity"] == pytest.approx(1, abs=1e-6)
    assert line["incidence_deg"] == pytest.approx(30, abs=0.01)
    assert line["horizontal_over_vertical_log10"] == pytest.approx(np.log10(np.tan(np.pi / 6)), abs=1e-6)
    plane = features(np.array([tone, other, 0 * T]))
    assert plane["rectilinearity"] == pytest.approx(0.5, abs=0.02)
    assert plane["planarity"] == pytest.approx(1, abs=0.02)
    space = features(np.array([tone, other, third]))
    assert space["rectilinearity"] == pytest.approx(0, abs=0.03)
    assert space["planarity"] == pytest.approx(0, abs=0.03)
    assert np.isnan(features(tone)["rectilinearity"])


@settings(max_examples=15, deadline=None)
@given(st.floats(-6, 9), st.booleans(), st.floats(-100, 100))
def test_nothing_but_its_size_depends_on_the_unit(log10_gain: float, flipped: bool, offset: float) -> None:
    x = noise(3, 3000, seed=1) * np.exp(-np.arange(3000) / 900)
    gain = 10**log10_gain * (-1 if flipped else 1)
    one, other = features(x, onset_s=6.0), features(gain * (x + offset), onset_s=6.0)
    for name in FEATURE_NAMES:
        if name == "log10_rms":
            assert other[name] - one[name] == pytest.approx(log10_gain, abs=1e-9)
        elif flipped and name == "skewness":
            assert other[name] == pytest.approx(-one[name], abs=1e-9)
        else:
            assert other[name] == pytest.approx(one[name], rel=1e-5, abs=1e-7, nan_ok=True), name


def test_what_stands_in_a_gap_does_not_matter() -> None:
    x = noise(3, 6000)
    mask = (T < 22) | (T > 25)
    found = features(np.where(mask, x, 1e6), mask=mask)
    np.testing.assert_array_equal(list(found.values()), list(features(np.where(mask, x, np.nan)).values()))
    assert found["kurtosis"] == pytest.approx(3, abs=0.2)
    assert found["centroid_hz"] == pytest.approx(25, abs=0.6)
    assert found["loud_share"] > 0.98
    holed = features(np.where(mask, x, np.nan), onset_s=21.0)
    assert np.isnan(holed["p_over_s_log10"])
    everywhere = np.arange(6000) % 50 != 0  # no window without a gap
    assert np.isnan(features(np.where(everywhere, x[0], np.nan))["centroid_hz"])
    assert np.isfinite(features(np.where(everywhere, x[0], np.nan))["kurtosis"])


def test_records_without_anything_have_no_features() -> None:
    for x in (np.zeros(6000), np.full(6000, 1e7 / 3), np.full(6000, np.nan), noise(20), noise(6000) * np.nan):
        assert np.isnan(list(features(x).values())).all()
    assert np.isfinite(features(noise(40))["centroid_hz"])
    spike = features(np.eye(1, 6000, 3000)[0])
    assert spike["kurtosis"] > 1000
    assert np.isfinite(features(noise(3, 6000) * np.array([[1], [0], [0]]))["rectilinearity"])


def test_bands_beyond_nyquist_are_not_made_up() -> None:
    found = dict(zip(FEATURE_NAMES, event_features(noise(3, 2000), fs_hz=30.0, onset_s=20.0), strict=True))
    assert np.isnan([found["share_10_20_hz"], found["kurtosis_20_40_hz"], found["p_over_s_10_20_hz_log10"]]).all()
    assert np.isfinite([found["share_3_10_hz"], found["p_over_s_3_10_hz_log10"]]).all()


def test_shapes_that_do_not_fit_are_named() -> None:
    with pytest.raises(DataError, match=r"give \(channel, time\)"):
        event_features(np.zeros(100), fs_hz=100)
    with pytest.raises(DataError, match="sampling rate"):
        event_features(np.zeros((1, 100)), fs_hz=0)
    with pytest.raises(DataError, match="one value a sample"):
        event_features(np.zeros((1, 100)), fs_hz=100, mask=np.ones(99))
