"""Noise is picked no more often than was asked for, and records keep their picks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from seisloom.bundle import open_predictor
from seisloom.recipe import read_recipe
from seisloom.sample import Array, Arrays
from seisloom.tasks.picking.apply import apply
from seisloom.tasks.picking.noise_check import ENOUGH, N_SIGNS, NoiseCheck, surrogate
from seisloom.tasks.picking.opening import open_records
from seisloom.tasks.picking.recipe import PickingRecipe
from seisloom.tasks.picking.records import PickRecord

FS_HZ = 1000.0


def recipe_with(*changes: str) -> PickingRecipe:
    recipe = read_recipe("picking", ["prepare=[]", "target_fs=null", "data.gather_size=24", *changes])
    assert isinstance(recipe, PickingRecipe)
    return recipe


def eager(arrays: Arrays) -> Arrays:
    """A picker that sees an onset everywhere, the surer the larger the largest sample is against the RMS."""
    x = np.abs(arrays["x"][:, :, 0])
    peak = x.max(axis=-1) / np.sqrt(np.square(x).mean(axis=-1) + 1e-12)
    return {
        "mean": x.argmax(axis=-1).astype(np.float32),
        "log_sigma": np.zeros(x.shape[:2], np.float32),
        "presence": peak.astype(np.float32),
    }


def share_picked(x: Array, *changes: str) -> float:
    recipe = recipe_with(*changes)
    table = apply(recipe, eager, None, list(open_records(recipe, x, FS_HZ)))
    return float((table["status"] == "picked").mean())


@pytest.mark.parametrize("band_hz", [None, (20, 80), (100, 400)])
@pytest.mark.parametrize("rate", [0.05, 0.2])
def test_noise_is_picked_as_often_as_was_accepted(band_hz: tuple[int, int] | None, rate: float) -> None:
    x = np.random.default_rng(0).normal(size=(960, 800)).astype(np.float32)
    if band_hz is not None:
        x = sosfilt(butter(4, band_hz, "band", fs=FS_HZ, output="sos"), np.tile(x, 2))[:, 800:].astype(np.float32)
    assert share_picked(x, "apply.false_alarm_rate=null") == 1
    # 960 traces of noise against a quantile of 240: three standard deviations of both. Signs that go together share
    # the rate without need, so that less noise may be picked
    spread = 3 * np.sqrt(rate * (1 - rate) * (1 / 960 + 1 / ENOUGH))
    assert rate / N_SIGNS - spread <= share_picked(x, f"apply.false_alarm_rate={rate}") <= rate + spread


def test_an_onset_above_the_noise_is_picked() -> None:
    x = np.random.default_rng(0).normal(size=(24, 800)).astype(np.float32)
    x[:, 300] += 12
    assert share_picked(x, "apply.false_alarm_rate=0.05") == 1


def test_a_surrogate_has_the_spectrum_and_the_median_and_no_onset() -> None:
    x = np.zeros((2, 1, 512), np.float32)
    x[:, 0, 256:] = np.random.default_rng(0).normal(size=(2, 256))
    x[:, 0] += 0.01
    made = surrogate(x, seed=(1, 2, 3))
    was, now = (np.abs(np.fft.rfft(one[:, 0], axis=-1)) for one in (x, made))
    np.testing.assert_allclose(now / now[:, :1], was / was[:, :1], rtol=1e-3)
    np.testing.assert_allclose(np.median(np.abs(made), axis=-1), np.median(np.abs(x), axis=-1), rtol=1e-5)
    assert np.std(made[:, 0, :256]) > 0.5 * np.std(made[:, 0, 256:])
    np.testing.assert_array_equal(made, surrogate(x, seed=(1, 2, 3)))
    assert not np.array_equal(made, surrogate(x, seed=(1, 2, 4)))


def test_small_files_are_shown_several_times_and_large_ones_a_little() -> None:
    seen: list[int] = []

    def signs_of(record: PickRecord) -> Array:
        seen.append(record.n_traces)
        return np.full((record.n_traces, N_SIGNS), 0.5)

    recipe = recipe_with("apply.false_alarm_rate=0.05")
    x = np.random.default_rng(0).normal(size=(2400, 100)).astype(np.float32)
    for some in (x[:1], x[:24], x):
        check = NoiseCheck(recipe, signs_of)
        seen.clear()
        for record in open_records(recipe, some, FS_HZ):
            check.see(record)
        assert 60 <= sum(seen) <= ENOUGH + 60 + 24
    dead = NoiseCheck(recipe, signs_of)
    for record in open_records(recipe, np.zeros((3, 100)), FS_HZ):
        dead.see(record)
        assert np.isnan(dead.limits(str(record.path[0]))).all()


def test_the_shipped_model_leaves_noise_alone(field_data: Path) -> None:
    picker = open_predictor("onset-refraction")
    rng = np.random.default_rng(2)
    white = rng.normal(size=(48, 4000))
    band = sosfilt(butter(4, (5, 200), "band", fs=4000, output="sos"), rng.normal(size=(48, 8000)))[:, 4000:]
    for noise in (white, band):
        assert (picker.apply(noise, fs_hz=4000)["status"] == "picked").mean() <= 0.15
    line = field_data / "picking" / "refraction"
    shot = picker.apply(sorted(line.rglob("*.dat"))[0])
    assert (shot["status"] == "picked").mean() >= 0.6
