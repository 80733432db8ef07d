"""Modes measured in the waves: sums of waves whose velocities are known, and the field of layers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import hankel2

from seisloom.errors import DataError
from seisloom.physics.surface_waves.medium import LayeredMedium
from seisloom.physics.surface_waves.modes import phase_velocities
from seisloom.physics.surface_waves.wavefield import vertical_response
from seisloom.sample import Array
from seisloom.signal.velocity_spectra.modal_fit import fit_modes

F = np.arange(10.0, 40.0)
X = 10 + 2.0 * np.arange(24)


def curves() -> Array:
    """Return two modes in m/s that come within 10 % of each other, less than the array parts at most frequencies."""
    return np.stack([180 + 600 / F, 1.1 * (180 + 600 / F) + 1.5 * (F - 10)])


def spectra(c: Array, amplitude: Array, *, q: float = 40.0) -> Array:
    """Return the spectra of traces over damped cylindrical waves, (trace, frequency)."""
    k = 2 * np.pi * F / c
    waves = hankel2(0, k[:, None] * X[:, None]) * np.exp(-k[:, None] * X[:, None] / (2 * q))
    return np.asarray((amplitude[:, None] * waves).sum(axis=0))


def guess(rng: np.random.Generator, c: Array) -> Array:
    """Return curves that are off by 4 % either way, each by the same factor along it."""
    return np.asarray(c * np.exp(0.04 * rng.choice([-1, 1], (len(c), 1))))


def off(found: Array, c: Array) -> Array:
    return np.abs(np.log(found / c))


@pytest.mark.parametrize("seed", range(3))
def test_two_modes_are_told_where_the_array_does_not_part_them(seed: int) -> None:
    rng, c = np.random.default_rng(seed), curves()
    seen = spectra(c, rng.normal(size=(2, len(F))) + 1j * rng.normal(size=(2, len(F))))
    found, spread = fit_modes(seen, X, F, guess(rng, c), np.full(c.shape, 0.04))
    assert np.median(off(found, c)) < 0.003
    assert np.quantile(off(found, c), 0.9) < 0.012
    assert (spread < 0.04).all()


def test_noise_leaves_it_better_than_the_guess_and_the_spread_says_how_good() -> None:
    rng, c = np.random.default_rng(0), curves()
    z = []
    for _ in range(12):
        seen = spectra(c, np.exp(2j * np.pi * rng.random((2, len(F)))))
        noise = rng.normal(size=seen.shape) + 1j * rng.normal(size=seen.shape)
        seen += 0.2 * np.abs(seen).mean() * noise
        found, spread = fit_modes(seen, X, F, guess(rng, c), np.full(c.shape, 0.04))
        assert np.median(off(found, c)) < 0.015
        z.append(off(found, c) / spread)
    assert 0.5 < np.quantile(z, 0.9) < 2.5


def test_the_fundamental_mode_of_layers_is_measured() -> None:
    medium = LayeredMedium(
        np.array([4.0, 8.0, 0.0]), np.array([360.0, 600.0, 900.0]), np.array([150.0, 250.0, 400.0]),
        np.array([1800.0, 1900.0, 2000.0]),
    )  # fmt: skip
    c = phase_velocities(medium, F, 1)
    seen = vertical_response(medium, F, X, q_s=40.0)
    found, _ = fit_modes(seen, X, F, 1.05 * c, np.full(c.shape, 0.05))
    assert np.median(off(found, c)) < 0.004


@pytest.mark.parametrize("length_m", [190.0, 400.0, 1000.0])
def test_modes_that_fade_unlike_each_other_are_told_by_long_arrays_too(length_m: float) -> None:
    """The slower mode is gone where the array ends, up to 600 of its wavelengths from where it begins."""
    x, f = np.linspace(10, 10 + length_m, 96), np.arange(20.0, 61.0)
    c = np.stack([np.full(f.size, 100.0), np.full(f.size, 300.0)])
    k = 2 * np.pi * f / c
    waves = hankel2(0, k[:, None] * x[:, None]) * np.exp(-k[:, None] * x[:, None] / 60)
    found, _ = fit_modes(waves.sum(axis=0), x, f, 1.002 * c, np.full(c.shape, 0.02))
    assert np.quantile(off(found, c), 0.9) < 0.0006


def test_no_number_overflows_on_a_line_of_20_km() -> None:
    x, f = np.arange(10.0, 20_000.0, 200.0), np.arange(30.0, 61.0)
    first = np.full((2, f.size), 100.0) * np.array([[1.0], [3.0]])
    noise = np.random.default_rng(0).normal(size=(x.size, f.size)) + 0j
    found, spread = fit_modes(noise, x, f, first, np.full(first.shape, 0.05))
    assert np.isfinite([found, spread]).all()


def test_units_and_phases_of_the_source_do_not_matter() -> None:
    rng, c = np.random.default_rng(1), curves()
    seen, first, spread = spectra(c, np.ones((2, len(F)))), guess(rng, c), np.full(c.shape, 0.04)
    source = 1e-9 * (1 + rng.random(len(F))) * np.exp(2j * np.pi * rng.random(len(F)))
    np.testing.assert_allclose(fit_modes(seen * source, X, F, first, spread), fit_modes(seen, X, F, first, spread))


def test_what_is_not_given_is_not_found_and_silence_tells_nothing() -> None:
    c = curves()
    first = c.copy()
    first[1, 5:] = np.nan
    seen = spectra(c, np.ones((2, len(F))))
    seen[:, -4:] = 0
    found, spread = fit_modes(seen, X, F, first, np.full(c.shape, 0.04))
    told = np.isfinite(first) & (np.arange(len(F)) < len(F) - 4)
    assert np.array_equal(np.isfinite(found), told)
    assert np.array_equal(np.isfinite(spread), told)
    nothing, _ = fit_modes(seen, X, F, np.full(c.shape, np.nan), np.full(c.shape, 0.04))
    assert np.isnan(nothing).all()


@pytest.mark.parametrize(
    ("seen", "offsets", "said"),
    [
        (np.ones((24, 3), complex), X, "do not fit"),
        (np.ones((24, len(F)), complex), X - 10, "offsets, frequencies and velocities positive"),
        (np.full((24, len(F)), np.nan + 0j), X, "finite"),
    ],
)
def test_what_does_not_fit_is_refused(seen: Array, offsets: Array, said: str) -> None:
    with pytest.raises(DataError, match=said):
        fit_modes(seen, offsets, F, curves(), np.full((2, len(F)), 0.04))
