"""What holds for all transforms: one wave, order and loudness of traces, dead and broken ones, rules of a panel."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

from seisloom.errors import DataError, PluginError
from seisloom.sample import Array
from seisloom.signal.velocity_spectra.panel import VelocitySpectrum
from seisloom.signal.velocity_spectra.transforms import TRANSFORMS, Transform, find_transform

from .waves import (
    BINS_HZ,
    FREQUENCY_HZ,
    INTERVAL_S,
    OFFSETS_M,
    VELOCITY_M_S,
    add_noise,
    cylindrical_wave,
    noise_correlation,
    plane_wave,
)

OPTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    **{name: (name, {}) for name in TRANSFORMS},
    "fdbf of plane waves": ("fdbf", {"steering": "plane", "weights": "none"}),
    "fdbf of phases": ("fdbf", {"weights": "inverse_amplitude"}),
    "mvdr of plane waves": ("mvdr", {"steering": "plane"}),
    "fj with hankel": ("fj", {"kernel": "hankel"}),
}
ALL = pytest.mark.parametrize("name", OPTIONS)
DISPERSIVE = 150 + 1500 / np.maximum(BINS_HZ, 1)


def transform(name: str) -> Transform:
    """Return a transform with its options."""
    which, options = OPTIONS[name]
    return partial(TRANSFORMS[which], **options)


def wave(name: str, velocity: Array | float, offsets: Array = OFFSETS_M) -> Array:
    """Return a gather of one wave of the kind that a transform is for, with a little noise."""
    which, options = OPTIONS[name]
    if which == "fj":
        x = noise_correlation(velocity, offsets)
    elif which in ("fdbf", "mvdr") and options.get("steering") != "plane":
        x = cylindrical_wave(velocity, offsets)
    else:
        x = plane_wave(velocity, offsets)
    return add_noise(x, 0.02)


def spectrum(name: str, x: Array, offsets: Array = OFFSETS_M, **options: Any) -> VelocitySpectrum:
    """Return the spectrum on the axes of these tests."""
    return transform(name)(x, INTERVAL_S, offsets, FREQUENCY_HZ, VELOCITY_M_S, **options)


@ALL
@pytest.mark.parametrize("velocity", [200.0, DISPERSIVE], ids=["one velocity", "dispersive"])
def test_the_ridge_of_one_wave_lies_at_its_velocity(name: str, velocity: Array | float) -> None:
    got = spectrum(name, wave(name, velocity))
    true = np.broadcast_to(velocity, BINS_HZ.shape)[8:60]
    off = np.abs(1 / got.peak_m_s - 1 / true) * 2 * np.pi * FREQUENCY_HZ
    # Bessel functions are waves of both directions, with ghosts of one in the other; and they are not orthogonal on a
    # spread: they find the wavenumber to a quarter of its resolution, the others to a tenth
    both = 2 * np.pi * FREQUENCY_HZ * (1 / true + 1 / VELOCITY_M_S[0]) > 2 * np.pi / got.limits.spacing_m
    off = off[~both] if name == "fj" else off
    assert (off <= (0.25 if "fj" in name else 0.1) * got.limits.wavenumber_resolution_rad_m + 0.005).all()


@ALL
def test_irregular_offsets_are_taken_as_they_are(name: str) -> None:
    offsets = np.cumsum(np.random.default_rng(5).uniform(1, 3, 24)) + 5
    got = spectrum(name, wave(name, 200.0, offsets), offsets)
    off = np.abs(1 / got.peak_m_s - 1 / 200) * 2 * np.pi * FREQUENCY_HZ
    assert np.mean(off < 0.3 * got.limits.wavenumber_resolution_rad_m) > 0.95


@ALL
def test_a_panel_is_from_0_to_1_and_1_is_reached(name: str) -> None:
    got = spectrum(name, wave(name, 200.0))
    assert (got.panel.dtype, got.panel.shape) == (np.float32, (len(VELOCITY_M_S), len(FREQUENCY_HZ)))
    assert got.panel.min() >= 0
    np.testing.assert_array_equal(got.panel.max(axis=0), 1)
    overall = spectrum(name, wave(name, 200.0), normalise="overall")
    assert overall.panel.max() == 1
    np.testing.assert_allclose(overall.panel * overall.scale, got.panel * got.scale, rtol=1e-5)
    assert got.transform == OPTIONS[name][0]


@ALL
@pytest.mark.parametrize("factor", [1e-25, 1e12, -1.0])
def test_loudness_does_not_count(name: str, factor: float) -> None:
    x = wave(name, 200.0)
    np.testing.assert_allclose(spectrum(name, factor * x).panel, spectrum(name, x).panel, atol=2e-3)


@ALL
def test_order_and_side_of_the_traces_do_not_count(name: str) -> None:
    x = wave(name, 200.0)
    expected = spectrum(name, x).panel
    for got in (spectrum(name, x[::-1], OFFSETS_M[::-1]), spectrum(name, x, -OFFSETS_M)):
        np.testing.assert_allclose(got.panel, expected, atol=2e-3)  # float32 beside a matrix near singular


@ALL
@pytest.mark.filterwarnings("ignore:.*not finite")
@pytest.mark.parametrize("value", [0.0, 7.0, np.nan, np.inf])
def test_dead_and_broken_traces_do_not_count_but_are_counted(name: str, value: float) -> None:
    x = wave(name, 200.0)
    x[[0, 11]] = value
    kept = np.setdiff1d(np.arange(24), [0, 11])
    got, expected = spectrum(name, x), spectrum(name, x[kept], OFFSETS_M[kept])
    np.testing.assert_allclose(got.panel, expected.panel, atol=2e-4)
    assert (got.n_traces, got.n_dead, got.n_nan) == ((22, 2, 0) if np.isfinite(value) else (22, 0, 2))
    assert got.limits == expected.limits


@ALL
def test_two_runs_give_the_same(name: str) -> None:
    x = wave(name, 200.0)
    np.testing.assert_array_equal(spectrum(name, x).panel, spectrum(name, x).panel)


@ALL
def test_float32_and_integers_will_do(name: str) -> None:
    x = wave(name, 200.0)
    expected = spectrum(name, x)
    for other in (x.astype(np.float32), np.round(x * 1e6 / np.abs(x).max()).astype(np.int32)):
        np.testing.assert_allclose(spectrum(name, other).panel, expected.panel, atol=0.01)


@ALL
def test_offsets_that_are_no_spread_are_told(name: str) -> None:
    with pytest.raises(DataError, match="the headers are empty"):
        spectrum(name, wave(name, 200.0), np.zeros(24))


@pytest.mark.parametrize("name", ["mvdr", "mvdr of plane waves", "radon"])
def test_high_resolution_is_narrower_than_the_phase_shift(name: str) -> None:
    x = wave(name, 200.0)
    sharp, plain = (np.mean(spectrum(which, x).panel > 0.5, axis=0) for which in (name, "phase_shift"))
    assert (sharp < plain).all()
    assert np.median(sharp / plain) < 0.5


def test_a_frequency_without_energy_is_0_and_breaks_nothing() -> None:
    x = np.zeros((24, 512))
    x[:, :2] = [1.0, -1.0]
    x[:, 256:258] = [1.0, -1.0]  # every other bin is 0
    for name in OPTIONS:
        assert np.isfinite(spectrum(name, x).panel).all()


def test_a_name_that_is_not_known_lists_those_that_are() -> None:
    assert find_transform("fk") is TRANSFORMS["fk"]
    with pytest.raises(PluginError, match=r"'phaseshift', perhaps 'phase_shift'\. There are: phase_shift, fk"):
        find_transform("phaseshift")
