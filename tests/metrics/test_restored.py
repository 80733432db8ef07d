"""Scores of a restored panel against closed forms: only traces that count, count."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.metrics.restoration import psnr_db, swing
from seisloom.metrics.restored import Truth, score_panel

RNG = np.random.default_rng(0)
SHAPE = (1, 40, 120)
CLEAN = RNG.normal(size=SHAPE)
LIVE = (np.arange(40) % 2 == 0)[None]
KNOWN = np.ones((1, 40), dtype=bool)
GIVEN = np.where(LIVE[..., None], CLEAN, 0.0)


def truth(**changes: np.ndarray) -> Truth:
    said = {"clean": CLEAN, "given": GIVEN, "is_known": KNOWN, "scored": KNOWN & ~LIVE, **changes}
    return Truth.of(**said)


def test_a_tenth_off_is_twenty_decibels_on_missing_traces() -> None:
    restored = np.where(LIVE[..., None], CLEAN, 0.9 * CLEAN)
    found = score_panel(restored, truth(), half_width=None, denoise=False)
    assert found["snr_db"] == pytest.approx(20)
    assert found["gain_db"] == pytest.approx(20)  # zeros have 0 dB
    assert found["snr_low_db"] == pytest.approx(20)
    assert found["amplitude"] == pytest.approx(0.9)
    np.testing.assert_allclose(found["amplitude_time"], 0.9)
    np.testing.assert_allclose(found["amplitude_trace"], 0.9)
    np.testing.assert_allclose(found["amplitude_dip"], 0.9)
    nothing = score_panel(GIVEN, truth(), half_width=None, denoise=False)
    assert nothing["snr_db"] == nothing["gain_db"] == 0
    np.testing.assert_allclose(nothing["amplitude_dip"], 0, atol=1e-12)
    assert found["phase_deg"] == pytest.approx(0, abs=1e-9)
    assert found["frequency_shift"] == pytest.approx(0, abs=1e-9)
    energy = np.sum(CLEAN**2)
    lost = 0.01 * np.sum(CLEAN[~LIVE] ** 2) / energy
    assert found["leak_inside"] + found["leak_outside"] == pytest.approx(lost)
    assert found["similarity_mean"] > 0.99  # what is lost is all signal
    rmse = 0.1 * np.sqrt(np.mean(CLEAN[~LIVE] ** 2))
    assert found["psnr_db"] == pytest.approx(20 * np.log10(swing(CLEAN) / rmse))
    assert "coverage" not in found


def test_bands_tell_where_amplitudes_are_lost() -> None:
    gain = np.repeat([1.0, 0.9, 0.8, 0.7], 30)
    offset = -np.abs(np.arange(40.0) - 39)[None] * 10 - 5
    near = np.abs(offset) < 150
    restored = CLEAN * gain * np.where(near, 1.0, 0.5)[..., None]
    every = truth(scored=KNOWN)
    found = score_panel(CLEAN * gain, every, half_width=None, denoise=True)
    np.testing.assert_allclose(found["amplitude_time"], [1, 0.9, 0.8, 0.7])
    by_offset = truth(scored=KNOWN, offset_m=offset)
    found = score_panel(restored, by_offset, half_width=None, denoise=True)
    assert found["amplitude_offset"][0] > 1.5 * found["amplitude_offset"][-1]
    assert found["offset_ends_m"][0] == 5
    assert found["offset_ends_m"][-1] == 395
    silent = CLEAN.copy()
    silent[..., :30] = 0
    found = score_panel(silent, truth(clean=silent, scored=KNOWN), half_width=None, denoise=True)
    assert np.isnan(found["amplitude_time"][0])
    np.testing.assert_allclose(found["amplitude_time"][1:], 1)


def test_intervals_count_samples_of_scored_traces() -> None:
    restored = CLEAN + np.where(LIVE[..., None], 0.0, 1.0)
    half = np.where(np.arange(120) < 90, 1.5, 0.5) * np.ones(SHAPE)
    found = score_panel(restored, truth(), half_width=half, denoise=False)
    assert found["coverage"] == pytest.approx(0.75)
    assert found["width"] == pytest.approx(2 * 1.25 / np.sqrt(np.mean(CLEAN[~LIVE] ** 2)))


def test_what_nobody_knows_counts_in_nothing() -> None:
    known = KNOWN.copy()
    known[0, :5] = False
    said = truth(is_known=known, clean=np.where(known[..., None], CLEAN, np.nan))
    restored = np.where(known[..., None], 0.9 * CLEAN, 1e9)
    found = score_panel(restored, said, half_width=None, denoise=False)
    same = score_panel(0.9 * CLEAN, said, half_width=None, denoise=False)
    assert found["snr_db"] == pytest.approx(20)
    assert found == same
    with pytest.raises(DataError, match="nothing to score"):
        truth(scored=~KNOWN)
    with pytest.raises(DataError, match="not finite"):
        score_panel(np.full(SHAPE, np.nan), truth(), half_width=None, denoise=False)


def test_noise_that_was_taken_off_is_not_signal() -> None:
    time = np.arange(400)
    clean = np.broadcast_to(np.sin(2 * np.pi * time / 25), (1, 60, 400))
    noise = np.random.default_rng(1).normal(size=clean.shape)
    known = np.ones((1, 60), dtype=bool)
    said = Truth.of(clean, clean + noise, known, known)
    kept = score_panel(clean, said, half_width=None, denoise=True)
    lost = score_panel(0.5 * clean, said, half_width=None, denoise=True)
    assert kept["similarity_mean"] < 0.2 < lost["similarity_mean"] - 0.1
    assert np.isinf(kept["snr_db"])
    assert lost["gain_db"] == pytest.approx(20 * np.log10(2) - 10 * np.log10(0.5 / np.mean(noise**2)))


def test_a_cube_is_scored_line_by_line_and_alike() -> None:
    twice = {"clean": np.repeat(CLEAN, 2, 0), "given": np.repeat(GIVEN, 2, 0), "is_known": np.repeat(KNOWN, 2, 0)}
    cube = Truth.of(**twice, scored=np.repeat(KNOWN & ~LIVE, 2, 0))
    one = score_panel(0.8 * CLEAN, truth(), half_width=None, denoise=False)
    both = score_panel(0.8 * twice["clean"], cube, half_width=None, denoise=False)
    for name in ("snr_db", "leak_inside", "leak_outside", "amplitude", "similarity_mean", "psnr_db"):
        assert both[name] == pytest.approx(one[name])


def test_the_range_is_stated_and_a_spike_does_not_widen_it() -> None:
    values = np.linspace(-1, 1, 2001)
    assert swing(values) == pytest.approx(2 * 0.995, abs=1e-3)
    assert swing(np.append(values, 1e6)) == pytest.approx(2 * 0.995, abs=2e-3)
    assert psnr_db(values + 0.1, values, value_range=2.0) == pytest.approx(20 * np.log10(20))
    assert np.isnan(psnr_db(values, values, value_range=0.0))
    assert np.isinf(psnr_db(values, values, value_range=1.0))
