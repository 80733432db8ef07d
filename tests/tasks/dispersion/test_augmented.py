"""Bent axes take curves along, noise and patches leave them; what was drawn is said and depends on the key alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.tasks.dispersion.augmented import augment_panel
from seisloom.tasks.dispersion.blocks import DispersionData

NAMES = {"aug_noise_snr_db", "aug_occlusion_patches", "aug_warp_freq", "aug_warp_vel"}


def data_with(**augmentation: Any) -> DispersionData:
    on = {name: {"enabled": True, **values} for name, values in augmentation.items()}
    return DispersionData(augmentation=on, phase_velocity={"min_m_s": 100})


def record(data: DispersionData) -> dict[str, Array]:
    """Return a record of two smooth modes, the second of them cut off below 8 Hz and partly above the window."""
    f, c = data.frequency.values, data.phase_velocity.values
    first = 150 + 350 / (1 + (f / 9) ** 2)
    second = np.where(f > 8, 300 + 1000 / (1 + (f / 12) ** 2), np.nan)
    curves = np.stack([first, second])
    ridges = np.exp(-0.5 * ((c[:, None] - curves[:, None]) / 25) ** 2)
    exists = np.isfinite(curves)
    return {
        "spectrum": np.nan_to_num(ridges).max(axis=0).astype(np.float32), "freq": f, "phase_velocity": c,
        "curves": curves.astype(np.float32), "group_velocity": curves.astype(np.float32),
        "in_window": (exists & (np.nan_to_num(curves) <= 900)).astype(np.uint8),
        "resolved": exists.astype(np.uint8), "apparent": first.astype(np.float32),
        "offsets": np.arange(24, dtype=np.float32),
    }  # fmt: skip


def rng(index: int = 0) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(7, spawn_key=(index,)))


def test_nothing_is_changed_where_all_is_off() -> None:
    data = data_with()
    arrays = record(data)
    found, drawn = augment_panel(data, arrays, rng())
    assert all(np.array_equal(found[name], one, equal_nan=True) for name, one in arrays.items())
    assert drawn == dict.fromkeys(drawn)
    assert drawn.keys() == NAMES


@pytest.mark.parametrize("index", range(5))
def test_the_peak_lies_on_the_curve_after_the_axes_are_bent(index: int) -> None:
    data = data_with(warp={"max_freq_shift": 1.5, "max_vel_shift": 60})
    arrays = record(data)
    before = {name: one.copy() for name, one in arrays.items()}
    found, drawn = augment_panel(data, arrays, rng(index))
    assert all(np.array_equal(arrays[name], one, equal_nan=True) for name, one in before.items())
    c = data.phase_velocity.values
    alone = record(data)["curves"][1]
    clear = ~np.isfinite(alone)  # at these frequencies there is one ridge, so its peak is the curve
    inner = clear & np.roll(clear, 5) & np.roll(clear, -5)
    inner[:2] = False
    peak = c[found["spectrum"].argmax(axis=0)]
    assert np.abs(peak - found["curves"][0])[inner].max() < 2 * (c[1] - c[0])
    assert 0 < drawn["aug_warp_freq"] <= 1.5
    assert 0 < drawn["aug_warp_vel"] <= 60
    assert drawn["aug_noise_snr_db"] is None


def test_labels_follow_the_curve_and_a_curve_beyond_the_window_stays() -> None:
    data = data_with(warp={"max_freq_shift": 0, "max_vel_shift": 60})
    arrays = record(data)
    found, drawn = augment_panel(data, arrays, rng())
    assert drawn["aug_warp_freq"] is None
    beyond = np.nan_to_num(arrays["curves"]) > 900
    assert beyond.any()
    np.testing.assert_array_equal(found["curves"][beyond], arrays["curves"][beyond])
    exists = np.isfinite(found["curves"])
    np.testing.assert_array_equal(exists, np.isfinite(arrays["curves"]))
    np.testing.assert_array_equal(found["in_window"], exists & (np.nan_to_num(found["curves"]) <= 900))
    moved = np.nanmax(np.abs(found["curves"] - arrays["curves"]))
    assert moved == pytest.approx(drawn["aug_warp_vel"], rel=0.1)  # the largest shift is where a curve may not be
    np.testing.assert_array_equal(found["group_velocity"], arrays["group_velocity"])


def test_frequencies_are_bent_by_as_much_as_is_said() -> None:
    data = data_with(warp={"max_freq_shift": 1.5, "max_vel_shift": 0})
    arrays = record(data)
    f = arrays["freq"]
    arrays["curves"] = np.tile(f, (2, 1)).astype(np.float32)  # a curve that tells its own frequency
    found, drawn = augment_panel(data, arrays, rng())
    moved = np.abs(found["curves"][0] - f)
    assert moved.max() == pytest.approx(drawn["aug_warp_freq"], rel=1e-2)  # its largest value, between two frequencies
    assert moved[[0, -1]].max() < 1e-5
    assert (np.diff(found["curves"][0]) > 0).all()


@pytest.mark.parametrize("index", range(50))
def test_an_axis_never_folds_at_the_largest_shift(index: int) -> None:
    data = data_with(warp={"max_freq_shift": 2.7, "max_vel_shift": 80})
    arrays = record(data)
    arrays["curves"] = np.tile(arrays["freq"], (2, 1)).astype(np.float32)
    found, _ = augment_panel(data, arrays, rng(index))
    assert (np.diff(found["curves"][0]) > 0).all()


def test_more_than_a_tenth_of_an_axis_is_refused() -> None:
    data = data_with(warp={"max_freq_shift": 5.0})
    with pytest.raises(
        DataError, match=r"max_freq_shift 5 is more than a tenth of the axis, 3 to 30; take at most 2\.7"
    ):
        augment_panel(data, record(data), rng())


def test_noise_leaves_all_but_the_spectrum_and_its_ratio_is_in_the_range() -> None:
    data = data_with(noise={"snr_db": 12})
    arrays = record(data)
    found, drawn = augment_panel(data, arrays, rng())
    changed = {name for name, one in arrays.items() if not np.array_equal(found[name], one, equal_nan=True)}
    assert changed == {"spectrum"}
    assert 12 <= drawn["aug_noise_snr_db"] <= 32
    assert found["spectrum"].min() >= 0
    np.testing.assert_array_equal(found["spectrum"].max(axis=0), 1)
    away = found["spectrum"] - arrays["spectrum"]
    ratio = 10 * np.log10(np.mean(arrays["spectrum"] ** 2) / np.mean(away**2))
    assert ratio == pytest.approx(drawn["aug_noise_snr_db"], abs=2)  # sizes and normalising take some of the noise


def test_patches_are_as_many_as_is_said_and_as_weak() -> None:
    data = data_with(occlusion={"max_patches": 4, "attenuation": 0.25})
    arrays = record(data)
    arrays["spectrum"][:] = 1
    found, drawn = augment_panel(data, arrays, rng())
    assert drawn["aug_occlusion_patches"] == len(drawn["patches"])
    assert set(np.unique(found["spectrum"])) == {np.float32(0.25), np.float32(1)}
    weak = np.zeros(arrays["spectrum"].shape, bool)
    for f0, f1, c0, c1 in drawn["patches"]:
        assert f1 - f0 <= 0.2 * 101 + 1
        assert c1 - c0 <= 0.2 * 256 + 1
        weak[c0:c1, f0:f1] = True
    np.testing.assert_array_equal(weak, found["spectrum"] < 1)


def test_each_of_them_draws_by_itself_and_from_the_key_alone() -> None:
    alone, both = data_with(occlusion={}), data_with(occlusion={}, noise={}, warp={})
    _, one = augment_panel(alone, record(alone), rng(3))
    _, other = augment_panel(both, record(both), rng(3))
    assert one["patches"] == other["patches"]
    first, again = (augment_panel(both, record(both), rng(3)) for _ in range(2))
    assert first[1] == again[1]
    np.testing.assert_array_equal(first[0]["spectrum"], again[0]["spectrum"])
    assert augment_panel(both, record(both), rng(4))[1] != first[1]
