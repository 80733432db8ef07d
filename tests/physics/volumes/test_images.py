"""Images of synthetic volumes: frequency, level, noise and smoothness as drawn."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from seisloom.physics.volumes.box import make_box
from seisloom.physics.volumes.draw import draw_volume
from seisloom.physics.volumes.inverse_map import PER_SAMPLE
from seisloom.physics.volumes.priors import VolumePriors, WaveletKind
from seisloom.physics.volumes.wavelets import layer_table, wavelet_taps
from seisloom.sample import Array

KINDS: tuple[WaveletKind, ...] = ("ricker", "ricker_derivative", "gaussian_derivative", "ormsby")
CLEAN = VolumePriors(
    n_faults=(0, 0),
    p_dim=0,
    p_flexure=0,
    p_sag=0,
    p_burst=0,
    noise_ratio=(0, 0),
    blur_voxels=(0, 0),
    footprint=(0, 0),
)


def _peak(traces: Array) -> float:
    """Return the middle of the smoothed mean amplitude spectrum of traces, in cycles a sample."""
    spectrum = np.abs(np.fft.rfft(traces, axis=-1)).reshape(-1, traces.shape[-1] // 2 + 1).mean(axis=0)
    frequency = np.fft.rfftfreq(traces.shape[-1])
    return float(np.sum(frequency * spectrum) / np.sum(spectrum))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("f0", [0.05, 0.12, 0.2])
def test_a_wavelet_peaks_at_its_frequency(kind: WaveletKind, f0: float) -> None:
    taps = wavelet_taps(kind, f0=f0, for_layers=False)
    spectrum = np.abs(np.fft.rfft(taps, 8192))
    frequency = np.fft.rfftfreq(8192)
    top = frequency[spectrum > 0.9 * spectrum.max()]  # the Ormsby wavelet is flat on top
    assert top.min() < f0 * 1.03
    assert top.max() > f0 * 0.97
    assert abs(top.mean() / f0 - 1) < 0.08


def test_the_ricker_wavelet_is_that_of_the_formula() -> None:
    taps = wavelet_taps("ricker", f0=0.06, for_layers=False)
    time = np.arange(len(taps)) - len(taps) // 2
    expected = (1 - 2 * (np.pi * 0.06 * time) ** 2) * np.exp(-((np.pi * 0.06 * time) ** 2))
    np.testing.assert_allclose(taps / taps.max(), expected, atol=2e-3)  # tapered at both ends


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_has_the_frequency_that_was_drawn_and_the_sharp_one_a_quarter_more(kind: WaveletKind) -> None:
    middles = []
    for seed in range(6):
        priors = CLEAN.model_copy(update={"wavelets": (kind,), "f0_cycles_per_sample": (0.1, 0.1)})
        arrays = make_box(draw_volume((1, 64, 256), seed, priors), wanted=["seismic", "dhr"])
        middles.append([_peak(arrays["seismic"]), _peak(arrays["dhr"])])
    middle, sharp = np.mean(middles, axis=0)
    assert 0.08 < middle < 0.14  # steps of impedance are bluer than white reflectivity
    assert 1.15 < sharp / middle < 1.3


@pytest.mark.parametrize("shape", [(1, 200, 160), (40, 40, 100)])
def test_the_signal_has_about_unit_rms(shape: tuple[int, int, int]) -> None:
    levels = [make_box(draw_volume(shape, seed, CLEAN)) for seed in range(5)]
    for arrays in levels:
        for name in ("seismic", "dhr"):
            assert 0.8 < np.sqrt(np.mean(arrays[name].astype(np.float64) ** 2)) < 1.25  # 16 or 25 traces stand for all


@pytest.mark.parametrize("kind", ["white", "coloured", "coherent"])
@pytest.mark.parametrize("shape", [(1, 256, 256), (40, 50, 128)])
def test_noise_is_as_strong_as_drawn(kind: str, shape: tuple[int, int, int]) -> None:
    found = []
    for seed in range(4):
        noisy = CLEAN.model_copy(update={"noise_ratio": (0.5, 0.5), "noises": (kind,)})
        with_noise, without = (make_box(draw_volume(shape, seed, p))["seismic"] for p in (noisy, CLEAN))
        found.append(np.std(with_noise.astype(np.float64) - without))
    np.testing.assert_allclose(found, 0.5, rtol=0.25)  # linear events are a few long waves
    assert draw_volume(shape, 0, noisy).provenance()["noise_ratio"] == 0.5


def test_white_noise_is_white_and_normal() -> None:
    noisy = CLEAN.model_copy(update={"noise_ratio": (1, 1), "noises": ("white",)})
    with_noise, without = (make_box(draw_volume((30, 40, 60), 1, p))["seismic"] for p in (noisy, CLEAN))
    noise = (with_noise - without).astype(np.float64)
    n = noise.size
    assert abs(noise.mean()) < 4 / np.sqrt(n)
    for axis in range(3):
        a, b = np.take(noise, range(1, noise.shape[axis]), axis), np.take(noise, range(noise.shape[axis] - 1), axis)
        assert abs(np.mean(a * b)) < 4 / np.sqrt(n)
    assert abs(np.mean(noise**4) / np.mean(noise**2) ** 2 - 2.7) < 0.1  # 3 - 1.2 / 4: a sum of four uniform numbers


def test_a_dipping_layer_is_not_jagged() -> None:
    """An interface at depth z moves smoothly: its image is the wavelet at z, whatever part of a sample z has."""
    n = 64
    table = layer_table(np.array([0.0, 24.0, 200.0]), np.array([0.0, 1.0, 0.0]), 256)
    taps = wavelet_taps("ricker", f0=0.15).astype(np.float64)
    half, depth = len(taps) // 2, np.arange(-60, n + 60)

    def image(values: Array) -> Array:
        return np.convolve(np.diff(values), taps)[half + 59 : half + 59 + n]

    def lookup(place: Array) -> Array:
        return np.interp(place * PER_SAMPLE, np.arange(len(table)), table)

    scale = 1 / image(lookup(depth * 1.0)).max()
    errors, jagged = [], []
    for shift in np.linspace(0, 1, 9)[:-1]:
        time = np.arange(n) - 24 - shift
        expected = (1 - 2 * (np.pi * 0.15 * time) ** 2) * np.exp(-((np.pi * 0.15 * time) ** 2))
        ours = image(lookup(depth - shift))
        points = image((depth - shift >= 24).astype(float))
        errors.append(np.abs(ours * scale - expected).max())
        jagged.append(np.abs(points * scale - expected).max())
    assert max(errors) < 0.05  # the spectrum of this wavelet reaches to 0.4 cycles a sample
    assert max(jagged) > 0.3


def test_an_image_and_its_rgt_agree_about_where_a_layer_is() -> None:
    model = draw_volume((1, 30, 120), 2, CLEAN.model_copy(update={"phase_degrees": (0, 0), "wavelets": ("ricker",)}))
    table = layer_table(np.array([0.0, 60.0, 250.0]), np.array([0.0, 1.0, 0.0]), 256)
    arrays = make_box(replace(model, table=table), wanted=["seismic", "rgt"])
    low, high = model.rgt_range
    for trace, rgt in zip(arrays["seismic"][0], arrays["rgt"][0], strict=True):
        depth = np.interp(60.0, rgt * (high - low) + low, np.arange(120))
        k = int(np.argmax(np.abs(trace)))
        a, b, c = np.abs(trace[k - 1 : k + 2]).astype(np.float64)
        assert abs(k + 0.5 * (a - c) / (a - 2 * b + c) - depth) < 0.15  # layers stretch with the relief


def test_a_fault_offsets_reflectors_by_its_throw() -> None:
    priors = VolumePriors.model_validate(
        {**CLEAN.model_dump(), "styles": ("through",), "n_faults": (1, 1), "relief_samples": (0, 0), "tilt": (0, 0),
         "p_domes": 0, "throw_samples": (6, 6), "dip_degrees": (90, 90), "fault_reflection": (0, 0)}
    )  # fmt: skip
    model = draw_volume((1, 60, 128), 3, priors)
    seismic = make_box(model, wanted=["seismic"])["seismic"][0]
    down, up = (seismic[-1], seismic[0]) if model.faults[0, 11] > 0 else (seismic[0], seismic[-1])
    np.testing.assert_allclose(down[6:], up[:-6], atol=2e-2 * np.abs(seismic).max())


def test_provenance_is_json_and_says_what_was_drawn() -> None:
    model = draw_volume((1, 40, 40), 12)
    said = json.loads(json.dumps(model.provenance()))
    assert said["seed"] == 12
    assert len(said["throw_samples"]) == len(model.faults)


@pytest.mark.parametrize(
    "priors", [VolumePriors(), VolumePriors(layer_samples=(200, 200)), VolumePriors(n_faults=(0, 0))]
)
@pytest.mark.parametrize("shape", [(1, 1, 16), (1, 20, 16), (3, 2, 18)])
def test_every_volume_is_finite_and_has_something_to_see(shape: tuple[int, int, int], priors: VolumePriors) -> None:
    for seed in range(12):
        arrays = make_box(draw_volume(shape, seed, priors))
        for name, values in arrays.items():
            assert np.isfinite(values).all(), (seed, name)
        assert 0.3 < np.sqrt(np.mean(arrays["dhr"] ** 2)) < 3
