"""Reflection coefficients, arrivals and multiples of a known earth, and wavelets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from seisloom.physics.gathers.arrivals import diffractions, direct_wave, head_waves, paths_to
from seisloom.physics.gathers.medium import Earth, draw_earth
from seisloom.physics.gathers.priors import GatherPriors
from seisloom.physics.gathers.reflections import reflections
from seisloom.physics.gathers.spread import Spread, draw_spread
from seisloom.physics.gathers.wavelet import draw_wavelet, minimum_phase, wavelet_span_s
from seisloom.physics.refraction import branch_times, crossover_offset

SEA = Earth(
    thickness_m=np.array([150.0, 400.0]), velocity_m_s=np.array([1500.0, 2200.0, 3500.0]),
    density_kg_m3=np.array([1000.0, 2000.0, 2300.0]), quality=1e5, has_water=True,
)  # fmt: skip
X = np.linspace(50.0, 3000.0, 60)
SPREAD = Spread(
    kind="marine_shot", at_sea=True, on_floor=False, fs_hz=500.0, peak_hz=30.0, n_time=1500, start_s=0.0,
    place=np.linspace(0, 1, 60), inline_m=X, crossline_m=0.0,
)  # fmt: skip
PLAIN = GatherPriors(
    share_dipping=0.0, relief_ms=(1e-3, 1e-3), lateral=(1e-4, 1e-4), share_multiples=1.0, events_a_second=(0.1, 0.1)
)


def test_normal_incidence_is_the_contrast_of_impedances() -> None:
    found = SEA.reflection(0, np.array(0.0))
    assert found == pytest.approx((2000 * 2200 - 1000 * 1500) / (2000 * 2200 + 1000 * 1500))


def test_all_is_reflected_beyond_the_critical_angle_and_turned_in_phase() -> None:
    p = np.linspace(0, 1 / 1500, 200)[:-1]
    found = SEA.reflection(0, p)
    beyond = p > 1 / 2200
    np.testing.assert_allclose(np.abs(found[beyond]), 1.0)
    np.testing.assert_allclose(found[~beyond].imag, 0.0)
    # It rises to 1 at the critical angle, then the phase goes from 0 to 180 degrees: the reflection at grazing
    # incidence is turned upside down
    assert found[~beyond][-1].real > 0.9
    angle = np.abs(np.angle(found[beyond]))
    assert (np.diff(angle) > 0).all()
    assert angle[-1] > 2.5


def test_head_waves_come_when_they_must_and_from_where_they_can() -> None:
    rng = np.random.default_rng(0)
    found = head_waves(rng, PLAIN.model_copy(update={"share_multiples": 0.0}), SEA, SPREAD)
    expected = branch_times(X, thickness_m=SEA.thickness_m, velocity_m_s=SEA.velocity_m_s)[1:]
    there = np.isfinite(expected)
    np.testing.assert_allclose(found.time_s[there], expected[there], rtol=1e-12)
    assert np.array_equal(np.abs(found.amplitude) > 0, there)
    direct = direct_wave(rng, PLAIN, SEA, SPREAD)
    first = found.time_s[0] < direct.time_s[0]
    crossover = crossover_offset(thickness_m=150.0, upper_m_s=1500.0, lower_m_s=2200.0)
    assert np.array_equal(first, crossover < X)


def test_each_bounce_at_the_sea_surface_turns_the_sign() -> None:
    near = replace(SPREAD, inline_m=np.full(60, 1e-3), n_time=4000)
    found = reflections(np.random.default_rng(0), PLAIN, SEA, near, (0.0, 8.0))
    sea_floor = SEA.reflection(0, np.array(0.0)).real
    for n in range(4):
        at = np.argmin(np.abs(found.time_s[:, 0] - 0.2 * (n + 1)))
        assert found.time_s[at, 0] == pytest.approx(0.2 * (n + 1), abs=1e-4)
        expected = (-1) ** n * sea_floor ** (n + 1) / (300.0 * (n + 1))
        assert found.amplitude[at, 0] == pytest.approx(expected, rel=1e-2)


def test_a_peg_leg_comes_in_two_orders() -> None:
    near = replace(SPREAD, inline_m=np.full(60, 1e-3))
    found = reflections(np.random.default_rng(0), PLAIN, SEA, near, (0.0, 8.0))
    primary_s = float(SEA.boundary_s[1])
    primary, once = (np.argmin(np.abs(found.time_s[:, 0] - primary_s - more)) for more in (0.0, 0.2))
    # Spreading at vertical incidence: sum of path and velocity over that of the surface
    longer = (600 * 1500 + 800 * 2200) / (300 * 1500 + 800 * 2200)
    ratio = found.amplitude[once, 0] / found.amplitude[primary, 0]
    assert ratio == pytest.approx(-2 * SEA.reflection(0, np.array(0.0)).real / longer, rel=1e-2)


@pytest.mark.parametrize("kind", ["land_shot", "cdp"])
def test_a_dipping_reflector_under_one_layer_is_levins(kind: str) -> None:
    earth = Earth(np.array([800.0]), np.array([2000.0, 3000.0]), np.array([2000.0, 2300.0]), 1e5, False)
    x = np.linspace(-1500, 1500, 31)
    spread = replace(SPREAD, kind=kind, at_sea=False, inline_m=x, place=np.linspace(0, 1, 31), n_time=1600)
    priors = PLAIN.model_copy(update={"share_dipping": 1.0, "dip_degrees": (12.0, 12.0), "share_multiples": 0.0})
    t = reflections(np.random.default_rng(1), priors, earth, spread, (0.0, 3.2)).time_s[0]
    v, h = 2000.0, 800.0
    # Of a reflector h away that dips: all times on either side of it give the same sine
    if kind == "cdp":
        sine = np.sqrt(np.maximum(1 + (2 * h / x[x != 0]) ** 2 - (v * t[x != 0] / x[x != 0]) ** 2, 0))
    else:
        sine = ((v * t) ** 2 - x**2 - 4 * h**2)[x != 0] / (4 * h * x[x != 0])
    far = np.abs(x[x != 0]) > 400
    np.testing.assert_allclose(sine[far], sine[far].mean(), atol=2e-4)
    assert 0.005 < abs(sine[far].mean()) < np.sin(np.radians(20))


def test_a_point_scatters_latest_from_afar_and_never_before_its_reflection() -> None:
    priors = PLAIN.model_copy(update={"n_diffractors": (5, 5)})
    found = diffractions(np.random.default_rng(0), priors, SEA, SPREAD)
    assert found.time_s.shape == (5, 60)
    # The shortest way by a point is never shorter than that by a mirror at its depth
    zero = found.time_s.min(axis=1)
    path = paths_to(SEA, np.array([0.2]))
    np.testing.assert_allclose(path, [[300.0, 0.0, 0.0]])
    assert (zero >= SEA.boundary_s[0]).all()
    # Times curve upward along the line
    assert (np.diff(found.time_s, n=2, axis=1) > -1e-9).all()


def test_drawn_earths_reach_beyond_the_window_and_are_fast_enough() -> None:
    for seed in range(30):
        rng = np.random.default_rng(seed)
        spread = draw_spread(rng, GatherPriors(), (64, 256))
        earth = draw_earth(rng, GatherPriors(), spread)
        assert earth.boundary_s[-1] > spread.end_s
        assert (earth.thickness_m > 0).all()
        assert earth.velocity_m_s.max() <= 6000
        assert earth.has_water == spread.at_sea


def test_the_minimum_phase_of_a_known_filter_is_found() -> None:
    f = np.arange(513)
    z = np.exp(-2j * np.pi * f / 1024)
    spectrum = (1 + 0.5 * z) * (1 - 0.3 * z) ** 2
    np.testing.assert_allclose(minimum_phase(np.abs(spectrum)), np.angle(spectrum), atol=1e-9)


def test_wavelets_end_and_have_no_mean_and_nothing_at_nyquist() -> None:
    f = np.fft.rfftfreq(8192, 1 / 500)
    for seed in range(40):
        rng = np.random.default_rng(seed)
        spread = replace(SPREAD, at_sea=bool(seed % 2), peak_hz=rng.uniform(15, 60))
        spectrum = draw_wavelet(rng, GatherPriors(), spread, f)
        assert np.abs(spectrum).max() == pytest.approx(1.0)
        assert np.abs(spectrum[0]) < 1e-9
        assert np.abs(spectrum[f >= 0.95 * 250]).max() < 1e-20
        wavelet = np.fft.irfft(spectrum)
        after, before = (int(one * 500) + 20 for one in wavelet_span_s(spread))
        outside = np.abs(wavelet[after:-before]).max()
        assert outside < 1e-5 * np.abs(wavelet).max()
