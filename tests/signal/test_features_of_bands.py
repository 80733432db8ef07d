"""Features of bands and signal-to-noise ratios against tones and bursts whose numbers are known."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.sample import Array
from seisloom.signal.event_features import event_features
from seisloom.signal.feature_families import FAMILIES, Family, features_in, names_of
from seisloom.signal.features_of_bands import AFTER_S, BANDS, SNR

FS_HZ = 100.0
ALL: tuple[Family, ...] = ("physical", "bands", "snr", "detection")


def noise(n: int, *, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(1, n))


def tone(n: int, hz: float) -> Array:
    return np.asarray(np.sin(2 * np.pi * hz * np.arange(n) / FS_HZ))[None]


def found(values: Array, **settings: object) -> dict[str, float]:
    row = features_in(values, fs_hz=FS_HZ, families=ALL, **settings)  # type: ignore[arg-type]
    return dict(zip(names_of(ALL), row.tolist(), strict=True))


def test_every_feature_has_a_name_of_its_own_and_a_meaning() -> None:
    assert len(set(names_of(ALL))) == sum(len(some) for some in FAMILIES.values())
    assert all(one.doc and one.unit for one in (*BANDS, *SNR))


def test_physical_features_are_those_that_they_were() -> None:
    x = noise(6000)
    np.testing.assert_array_equal(features_in(x, fs_hz=FS_HZ), event_features(x, fs_hz=FS_HZ))


@pytest.mark.parametrize(("hz", "band"), [(1.4, "1_2"), (2.8, "2_4"), (5.7, "4_8"), (11.0, "8_15")])
def test_a_tone_is_in_its_band(hz: float, band: str) -> None:
    one = found(tone(6000, hz))
    # A second-order filter, twice, takes a few per cent in the middle of an octave, and rings at both ends
    assert one[f"band_quiet_{band}_hz_over_all_log10"] == pytest.approx(0, abs=0.12)
    assert one[f"band_peak_over_quiet_{band}_hz_log10"] == pytest.approx(0, abs=0.15)
    others = {name for name in ("0.5_1", "1_2", "2_4", "4_8", "8_15") if name != band}
    for other in others:
        assert one[f"band_quiet_{other}_hz_over_all_log10"] < -0.4


def test_a_band_that_grows_by_a_factor_has_its_square_as_snr() -> None:
    x = tone(10_000, 5.7) + tone(10_000, 1.4)
    x[:, 5000:] += 9 * tone(10_000, 5.7)[:, 5000:]
    one = found(x, noise_s=40.0, onset_s=50.0)
    # From 3 s on the run-in of the filter is over; the last window is there by half
    for start, end in AFTER_S[1:]:
        assert one[f"snr_4_8_hz_{start:g}_{end:g}_s_log10"] == pytest.approx(2, abs=0.02)
        assert one[f"snr_1_2_hz_{start:g}_{end:g}_s_log10"] == pytest.approx(0, abs=0.25)
    assert one["snr_4_8_hz_largest_log10"] == pytest.approx(2, abs=0.1)


def test_snr_does_not_see_the_second_before_the_onset_and_asks_for_noise() -> None:
    x = noise(10_000)
    late = x.copy()
    late[:, 4930:5000] *= 100
    far, near = found(x, onset_s=50.0), found(late, onset_s=50.0)
    assert near["snr_4_8_hz_15_25_s_log10"] == pytest.approx(far["snr_4_8_hz_15_25_s_log10"], abs=0.1)
    assert abs(far["snr_4_8_hz_15_25_s_log10"]) < 0.2
    snr = [one.name for one in SNR]
    for settings in ({}, {"onset_s": 5.0}, {"onset_s": float("nan")}):
        assert np.isnan([found(x, **settings)[name] for name in snr]).all()
    gap = np.ones(10_000)
    gap[::400] = 0
    assert np.isnan([found(x, onset_s=50.0, mask=gap)[name] for name in snr]).all()


def test_other_features_do_not_see_the_noise_before() -> None:
    x = noise(10_000)
    x[:, :4000] *= 3
    later = found(x[:, 4000:])
    for name, value in found(x, noise_s=40.0).items():
        assert value == later[name] or (np.isnan(value) and np.isnan(later[name])), name


def test_no_feature_of_bands_depends_on_the_unit() -> None:
    x = noise(10_000)
    x[:, 5000:5300] *= 20
    one, other = found(x, onset_s=50.0), found(1e-6 * x, onset_s=50.0)
    for name in (*(one.name for one in BANDS), *(one.name for one in SNR)):
        np.testing.assert_allclose(one[name], other[name], rtol=1e-6, atol=1e-9, err_msg=name)


def test_a_burst_is_found_where_it_begins_and_the_stronger_one_behind_it() -> None:
    x = 0.01 * noise(6000)
    x[:, 2000:2250] += noise(250, seed=1)
    x[:, 3000:3250] += 10 * noise(250, seed=2)
    one = found(x)
    assert one["band_first_over_strongest_all_log10"] == pytest.approx(-1, abs=0.1)
    # The second is preceded by the first within 8 s and triggers less; a second that is half full triggers
    assert 10 < one["band_peak_after_trigger_s"] < 13.6
    assert one["band_trigger_log10"] > 2


def test_bands_beyond_nyquist_and_silent_records_have_none() -> None:
    row = features_in(noise(1200), fs_hz=20.0, families=("bands",))
    names = names_of(("bands",))
    assert all(np.isnan(value) == ("8_15_hz" in name) or "coda" in name for name, value in zip(names, row, strict=True))
    assert np.isnan(features_in(np.zeros((1, 3000)), fs_hz=FS_HZ, families=ALL)).all()
    assert np.isnan(features_in(noise(20), fs_hz=FS_HZ, families=ALL)).all()


def test_a_gap_is_not_a_quiet_time() -> None:
    x = noise(6000)
    mask = np.ones(6000)
    mask[2000:3000] = 0
    one = found(np.where(mask, x, 50.0), mask=mask)
    whole = found(x)
    for name in ("band_median_over_quiet_4_8_hz_log10", "band_loud_over_quiet_all_log10"):
        assert one[name] == pytest.approx(whole[name], abs=0.05)
