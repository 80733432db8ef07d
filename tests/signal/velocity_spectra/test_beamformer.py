"""Beamformers against matrices written out; near the source; several shots."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.velocity_spectra.beamformer import fdbf, mvdr
from seisloom.signal.velocity_spectra.steering import STEERINGS, Steering, cylindrical, plane
from seisloom.signal.velocity_spectra.wavenumber import fk, slant_stack

from .waves import (
    FREQUENCY_HZ,
    INTERVAL_S,
    LENGTH_M,
    OFFSETS_M,
    VELOCITY_M_S,
    add_noise,
    cylindrical_wave,
    gather_of,
    plane_field,
    plane_wave,
)

SHOTS = np.stack([add_noise(plane_wave(200.0), 0.5, seed) for seed in range(4)])


def _written_out(steering: Steering) -> tuple[Array, Array]:
    """Return the mean of U U^H at one frequency, and steering vectors e."""
    spectra = np.fft.rfft(SHOTS)[..., 20]
    covariance = np.mean([np.outer(u, u.conj()) for u in spectra], axis=0)
    k = 2 * np.pi * np.fft.rfftfreq(512, INTERVAL_S)[20] / VELOCITY_M_S
    function = plane if steering == "plane" else cylindrical
    return covariance, np.conj(function(k[:, None] * OFFSETS_M))


@pytest.mark.parametrize("steering", STEERINGS)
def test_fdbf_is_that_of_its_matrix(steering: Steering) -> None:
    R, e = _written_out(steering)
    W = np.diag(np.sqrt(OFFSETS_M) / np.sqrt(OFFSETS_M).sum())
    expected = np.sqrt([(one.conj() @ W @ R @ W @ one).real for one in e])
    got = fdbf(SHOTS, INTERVAL_S, OFFSETS_M, FREQUENCY_HZ, VELOCITY_M_S, steering=steering)
    np.testing.assert_allclose((got.panel * got.scale)[:, 12], expected, atol=1e-5 * expected.max())


@pytest.mark.parametrize("steering", STEERINGS)
def test_mvdr_is_that_of_its_matrix(steering: Steering) -> None:
    R, e = _written_out(steering)
    R = R / 24**2 + 0.05 * np.trace(R).real / 24**3 * np.eye(24)
    expected = np.sqrt([1 / (one.conj() @ np.linalg.solve(R, one)).real for one in e])
    got = mvdr(
        SHOTS, INTERVAL_S, OFFSETS_M, FREQUENCY_HZ, VELOCITY_M_S, steering=steering, weights="none", loading=0.05
    )
    # float32 loses digits where R is near singular
    np.testing.assert_allclose((got.panel * got.scale)[:, 12], expected, rtol=2e-3)


def test_with_plane_waves_and_one_shot_fdbf_is_fk_or_the_slant_stack() -> None:
    for weights, same in (("none", fk), ("sqrt", slant_stack)):
        axes = (INTERVAL_S, OFFSETS_M, FREQUENCY_HZ, VELOCITY_M_S)
        got = fdbf(SHOTS[0], *axes, steering="plane", weights=weights)  # type: ignore[arg-type]
        np.testing.assert_array_equal(got.panel, same(SHOTS[0], *axes).panel)  # type: ignore[operator]


def test_near_the_source_cylindrical_steering_finds_the_velocity_and_plane_does_not() -> None:
    offsets = 1.0 + np.arange(24)
    x, velocity = cylindrical_wave(200.0, offsets), np.arange(80.0, 400.0)
    near = FREQUENCY_HZ < 200 / 12.5  # the mean offset is less than a wavelength
    off = {
        steering: np.abs(
            fdbf(
                x, INTERVAL_S, offsets, FREQUENCY_HZ[near], velocity, steering=steering, weights="inverse_amplitude"
            ).peak_m_s
            / 200
            - 1
        )
        for steering in STEERINGS
    }
    assert off["cylindrical"].max() < 1e-9
    assert off["plane"].min() > 0.005
    assert off["plane"].max() > 0.02


def test_shots_that_differ_let_mvdr_tell_modes_apart_that_fdbf_does_not() -> None:
    k, f = 0.9 + np.array([0, 0.6]) * 2 * np.pi / LENGTH_M, FREQUENCY_HZ[20]
    slow, fast = 2 * np.pi * f / k[1], 2 * np.pi * f / k[0]
    phases = np.exp(2j * np.pi * np.random.default_rng(4).uniform(size=16))
    shots = np.stack([gather_of(plane_field(fast) + phase * plane_field(slow)) for phase in phases])
    velocity = np.linspace(80, 400, 600)
    n_ridges = []
    for transform in (fdbf, mvdr):
        column = transform(
            add_noise(shots, 0.02), INTERVAL_S, OFFSETS_M, FREQUENCY_HZ, velocity, steering="plane"
        ).panel[:, 20]
        ridges = (column[1:-1] > column[:-2]) & (column[1:-1] > column[2:]) & (column[1:-1] > 0.5)
        n_ridges.append(int(ridges.sum()))
    assert n_ridges == [1, 2]


def test_more_shots_make_the_background_lower() -> None:
    few, many = (
        fdbf(shots, INTERVAL_S, OFFSETS_M, FREQUENCY_HZ, VELOCITY_M_S).panel.std() for shots in (SHOTS[:1], SHOTS)
    )
    assert many < few


def test_options_that_do_not_fit_are_told() -> None:
    axes = (SHOTS, INTERVAL_S, OFFSETS_M, FREQUENCY_HZ, VELOCITY_M_S)
    with pytest.raises(DataError, match="loading is 0; it is above 0"):
        mvdr(*axes, loading=0)
    for transform in (fdbf, mvdr):
        with pytest.raises(DataError, match="steering is 'hankel'; it is one of plane, cylindrical"):
            transform(*axes, steering="hankel")  # type: ignore[arg-type]
