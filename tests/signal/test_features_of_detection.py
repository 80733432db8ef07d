"""Features of a detector against records whose jump, peak and parts are known."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.sample import Array
from seisloom.signal.feature_families import features_in, names_of
from seisloom.signal.features_of_detection import DETECTION, PARTS

FS_HZ = 40.0


def found(values: Array) -> dict[str, float]:
    row = features_in(values[None], fs_hz=FS_HZ, families=["detection"])
    return dict(zip(names_of(["detection"]), row.tolist(), strict=True))


def noise(n: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=n)


def test_every_feature_has_a_name_of_its_own_and_a_meaning() -> None:
    assert len({one.name for one in DETECTION}) == len(DETECTION)
    assert all(one.doc and one.unit for one in DETECTION)


def test_a_jump_of_power_is_the_largest_ratio() -> None:
    x = np.sin(2 * np.pi * 5 * np.arange(1440) / FS_HZ)
    x[720:] *= 10
    one = found(x)
    for name in ("0.5_5", "1_10", "4_12"):
        assert one[f"detection_jump_{name}_s_all_log10"] == pytest.approx(2, abs=0.01)
    assert one["detection_jump_1_10_s_4_8_hz_log10"] == pytest.approx(2, abs=0.1)


def test_noise_has_the_kurtosis_of_its_distribution_and_a_burst_a_larger_one() -> None:
    quiet = found(noise(4000))
    assert 10 ** quiet["detection_kurtosis_all_log10"] == pytest.approx(3, abs=0.3)
    burst = noise(4000)
    burst[3000:3040] *= 20
    assert found(burst)["detection_largest_kurtosis_all_log10"] > quiet["detection_largest_kurtosis_all_log10"] + 0.3


def test_parts_are_those_of_equal_length_and_none_of_them_tells_the_unit() -> None:
    x = noise(1440)
    x[240 * 3 : 240 * 4] *= 10
    one = found(x)
    parts = np.array([one[f"detection_part_{k + 1}_all_log10"] for k in range(PARTS)])
    np.testing.assert_allclose(parts, 2 * (np.arange(PARTS) == 3), atol=0.15)
    assert one["detection_later_all_log10"] == pytest.approx(np.log10(103 / 4), abs=0.2)
    scaled = found(1e-9 * x)
    np.testing.assert_allclose(list(scaled.values()), list(one.values()), atol=1e-6)


def test_what_is_not_defined_is_not_a_number() -> None:
    short = found(noise(200))  # 5 s: too short for 10 s before and 1 s behind
    assert np.isnan(short["detection_jump_1_10_s_all_log10"])
    assert np.isfinite(short["detection_part_1_all_log10"])
    silent = np.zeros(1440)
    silent[700:740] = noise(40)
    assert all(np.isfinite(one) for one in found(silent).values())
    assert np.isnan(list(found(np.ones(1440)).values())).all()
