"""Noise of gathers: exact ratios, exact delays, and nothing that was not drawn."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.physics.surface_waves.acquisition import LinearArray
from seisloom.physics.surface_waves.noise import (
    add_noise,
    back_scattered,
    delayed,
    incoherent,
    plane_wave,
    scaled_to_snr,
)
from seisloom.physics.surface_waves.noise_draw import GatherNoise, NoisePrior, PassingWave, Scatterer, draw_noise
from seisloom.physics.surface_waves.plane_waves import plane_wave_gather
from seisloom.physics.wavelets import ricker_spectrum
from seisloom.sample import Array

FS, N_TIME = 500.0, 1000
LINE = LinearArray(np.arange(24) * 2.0, -6.0)
CURVE = (np.linspace(1, 80, 200), np.linspace(400, 150, 200))
CLEAN = plane_wave_gather(CURVE[0], CURVE[1], LINE.offsets_m, n_time=N_TIME, fs_hz=FS)
SILENT = NoisePrior(
    snr_db=None, waves_snr_db=None, n_surface=(0, 0), n_body=(0, 0), p_scatterer=0, dead=(0, 0),
    reversed_polarity=(0, 0), coupling=(0, 0), timing_s=(0, 0),
)  # fmt: skip


def _rng() -> np.random.Generator:
    return np.random.default_rng(11)


def _draw(**keys: object) -> GatherNoise:
    return draw_noise(NoisePrior.model_validate({**SILENT.model_dump(), **keys}), _rng(), LINE)


def _noisy(noise: GatherNoise) -> Array:
    return add_noise(CLEAN, noise, array=LINE, fs_hz=FS, curve=CURVE)


def _ratio_db(signal: Array, noise: Array) -> float:
    return float(10 * np.log10(np.sum(signal**2) / np.sum(noise**2)))


def test_a_prior_of_nothing_leaves_the_gather_alone() -> None:
    np.testing.assert_array_equal(_noisy(_draw()), CLEAN)


@pytest.mark.parametrize("snr", [-10.0, 0.0, 25.0])
def test_the_ratio_to_incoherent_noise_is_exact(snr: float) -> None:
    assert _ratio_db(CLEAN, _noisy(_draw(snr_db=(snr, snr), slope=(1, 1))) - CLEAN) == pytest.approx(snr, abs=1e-9)


@pytest.mark.parametrize("snr", [-10.0, 0.0, 25.0])
def test_the_ratio_to_all_passing_waves_together_is_exact(snr: float) -> None:
    noise = _draw(waves_snr_db=(snr, snr), n_surface=(3, 3), n_body=(2, 2))
    assert [wave.kind for wave in noise.waves] == ["surface"] * 3 + ["body"] * 2
    assert _ratio_db(CLEAN, _noisy(noise) - CLEAN) == pytest.approx(snr, abs=1e-9)


@pytest.mark.parametrize("slope", [0.0, 1.0, 2.0])
def test_the_power_of_incoherent_noise_falls_as_it_should(slope: float) -> None:
    traces = incoherent(_rng(), (400, 512), slope=slope)
    power = np.mean(np.abs(np.fft.rfft(traces)[:, 1:-1]) ** 2, axis=0)
    fit = np.polyfit(np.log(np.arange(1, 256)), np.log(power), 1)[0]
    assert fit == pytest.approx(-slope, abs=0.02)
    # traces share nothing: the largest of 400 * 399 / 2 correlations of 512 samples is about 4.5 / sqrt(512)
    assert np.abs(np.corrcoef(incoherent(_rng(), (400, 512))) - np.eye(400)).max() < 0.3


@pytest.mark.parametrize("azimuth", [0.0, 60.0, 90.0, 180.0])
def test_a_plane_wave_without_dispersion_has_its_apparent_moveout(azimuth: float) -> None:
    velocity = 250.0
    x = np.array([0.0, 4.0, 10.0])  # 2, 4 or 10 whole samples of 2 ms at 0, 60 and 180 degrees
    wave = PassingWave("body", azimuth, velocity, 15.0, 1.0, key=3)
    traces = plane_wave(wave, x, n_time=N_TIME, fs_hz=FS)
    for trace, at in zip(traces, x, strict=True):
        n = round(at * np.cos(np.radians(azimuth)) / velocity * FS)
        np.testing.assert_allclose(trace, np.roll(traces[0], n), atol=1e-9)
    assert np.sqrt(np.mean(traces**2)) == pytest.approx(1.0)


def test_an_ambient_surface_wave_has_the_mediums_own_curve_and_a_body_wave_has_not() -> None:
    f = np.fft.rfftfreq(N_TIME, 1 / FS)
    band = (f > 8) & (f < 25)
    for kind, velocity in (("surface", np.interp(f, *CURVE)), ("body", np.full(len(f), 2000.0))):
        wave = PassingWave(kind, 40.0, 2000.0, 14.0, 1.0, key=5)  # type: ignore[arg-type]
        first, second = np.fft.rfft(plane_wave(wave, np.array([0.0, 3.0]), n_time=N_TIME, fs_hz=FS, curve=CURVE))
        wanted = -2 * np.pi * f * 3.0 * np.cos(np.radians(40)) / velocity
        np.testing.assert_allclose(second[band] / first[band], np.exp(1j * wanted[band]), atol=1e-8)


def test_where_the_curve_ends_ambient_waves_are_silent() -> None:
    wave = PassingWave("surface", 0.0, 200.0, 14.0, 1.0, key=5)
    curve = (np.array([10.0, 20.0]), np.array([300.0, 200.0]))
    amplitude = np.abs(np.fft.rfft(plane_wave(wave, LINE.receiver_x_m, n_time=N_TIME, fs_hz=FS, curve=curve)))
    f = np.fft.rfftfreq(N_TIME, 1 / FS)
    np.testing.assert_allclose(amplitude[:, (f < 10) | (f > 20)], 0, atol=1e-9)


@pytest.mark.parametrize(
    ("source_x_m", "scatterer_x_m"),
    [(-10, 20.0), (-10, 21.5), (-10, 46.0), (-10, 60.0), (56, 20.0), (56, 20.5), (56, 0.0), (56, -14.0)],
)
def test_what_a_scatterer_sends_takes_the_way_there_and_back(source_x_m: float, scatterer_x_m: float) -> None:
    line = LinearArray(np.arange(24) * 2.0, source_x_m)
    at, velocity, gain = np.array([0.0, 250.0]), 250.0, 0.3

    def gather(path_m: Array) -> Array:
        """Return a Ricker wavelet, 0.1 s late so that nothing of it is before time 0."""
        c = np.array([[velocity, velocity]])
        return plane_wave_gather(at, c, path_m, n_time=N_TIME, fs_hz=FS, spectrum=lambda f: (
            ricker_spectrum(f, peak_hz=30) * np.exp(-2j * np.pi * f * 0.1)
        ))  # fmt: skip

    path = np.abs(scatterer_x_m - source_x_m) + np.abs(line.receiver_x_m - scatterer_x_m)
    found = back_scattered(gather(line.offsets_m), Scatterer(scatterer_x_m, gain, velocity), array=line, fs_hz=FS)
    np.testing.assert_allclose(found, gain * gather(path), atol=1e-9)


def test_delays_move_a_band_limited_trace_by_parts_of_a_sample() -> None:
    time = np.arange(N_TIME) / FS
    pulse = lambda t: np.exp(-((t / 0.02) ** 2))  # noqa: E731
    delays = np.array([0.0, 0.0007, -0.0123])
    moved = delayed(np.tile(pulse(time - 1.0), (3, 1)), delays, fs_hz=FS)
    np.testing.assert_allclose(moved, pulse(time - 1.0 - delays[:, None]), atol=1e-9)


def test_channels_are_scaled_reversed_and_dead_as_drawn() -> None:
    noise = _draw(coupling=(0.2, 0.2), reversed_polarity=(0.3, 0.3), dead=(0.2, 0.2))
    assert 0 < sum(noise.live) < 24
    assert -1 in noise.polarity
    factor = np.array(noise.gain) * noise.polarity * noise.live
    np.testing.assert_allclose(_noisy(noise), CLEAN * factor[:, None])
    assert np.std(np.log(noise.gain)) == pytest.approx(0.2, abs=0.1)


def test_noise_is_the_same_for_the_same_draw_and_from_its_written_record() -> None:
    drawn = draw_noise(NoisePrior(p_scatterer=1, n_surface=(2, 2)), _rng(), LINE)
    assert drawn == draw_noise(NoisePrior(p_scatterer=1, n_surface=(2, 2)), _rng(), LINE)
    read = json.loads(json.dumps(asdict(drawn)))
    read["waves"] = tuple(PassingWave(**wave) for wave in read["waves"])
    again = GatherNoise(**{**read, "scatterer": Scatterer(**read["scatterer"])})
    np.testing.assert_array_equal(_noisy(again), _noisy(drawn))
    before = CLEAN.copy()
    _noisy(drawn)
    np.testing.assert_array_equal(CLEAN, before)


def test_errors_say_what_is_wrong_and_how_to_mend_it() -> None:
    noise = _draw(snr_db=(10, 10))
    with pytest.raises(DataError, match="draw the noise for this array"):
        add_noise(CLEAN[:5], noise, array=LINE, fs_hz=FS)
    with pytest.raises(DataError, match="trace 2 of the gather holds NaN"):
        add_noise(np.where(np.arange(24)[:, None] == 2, np.nan, CLEAN), noise, array=LINE, fs_hz=FS)
    with pytest.raises(DataError, match="the signal is silent, so there is no SNR of 10 dB"):
        add_noise(0 * CLEAN, noise, array=LINE, fs_hz=FS)
    with pytest.raises(DataError, match="the noise is silent"):
        scaled_to_snr(0 * CLEAN, CLEAN, 3.0)


def test_noise_without_a_ratio_leaves_waves_out() -> None:
    noise = replace(_draw(n_surface=(2, 2), waves_snr_db=(0, 0)), waves_snr_db=None)
    np.testing.assert_array_equal(_noisy(noise), CLEAN)
