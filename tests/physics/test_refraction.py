"""Travel times against intercept and crossover formulas, and against Fermat's principle by brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize, minimize_scalar

from seisloom.errors import DataError
from seisloom.physics.refraction import (
    branch_times,
    crossover_offset,
    dipping_head_wave_time,
    first_arrival,
    reflection_time,
)

H, V1, V2 = 12.0, 600.0, 2400.0


def two_layers(offset: np.ndarray) -> np.ndarray:
    return branch_times(offset, thickness_m=np.array([H]), velocity_m_s=np.array([V1, V2]))


def test_the_head_wave_has_the_textbook_intercept_and_slope() -> None:
    x = np.linspace(0, 200, 401)
    head = two_layers(x)[1]
    there = np.isfinite(head)
    slope, intercept = np.polyfit(x[there], head[there], 1)
    assert slope == pytest.approx(1 / V2)
    assert intercept == pytest.approx(2 * H * np.sqrt(V2**2 - V1**2) / (V1 * V2))
    critical = 2 * H * np.tan(np.arcsin(V1 / V2))
    assert x[there][0] == pytest.approx(critical, abs=0.5)


def test_branches_cross_at_the_crossover_offset() -> None:
    x = crossover_offset(thickness_m=H, upper_m_s=V1, lower_m_s=V2)
    direct, head = two_layers(np.array([x]))
    assert direct == pytest.approx(head)
    _, branch = first_arrival(np.array([0.99, 1.01]) * x, thickness_m=np.array([H]), velocity_m_s=np.array([V1, V2]))
    assert branch.tolist() == [0, 1]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_head_waves_take_the_least_time_among_all_paths_along_the_refractor(seed: int) -> None:
    """Fermat by brute force: minimise over where the ray crosses each interface on its way down and up."""
    rng = np.random.default_rng(seed)
    velocity = 500.0 * np.cumprod(np.r_[1.0, rng.uniform(1.3, 2.5, 3)])
    thickness = rng.uniform(2.0, 20.0, 3)
    times = branch_times(np.array([800.0]), thickness_m=thickness, velocity_m_s=velocity)[:, 0]
    for k in range(1, 4):

        def path_time(steps: np.ndarray, k: int = k) -> float:
            down, up = steps[:k], steps[k:]
            slant = np.sum(np.hypot(down, thickness[:k]) / velocity[:k] + np.hypot(up, thickness[:k]) / velocity[:k])
            return float(slant + (800.0 - steps.sum()) / velocity[k])

        best = minimize(path_time, np.full(2 * k, 1.0), method="BFGS", options={"gtol": 1e-12})
        assert times[k] == pytest.approx(best.fun, rel=1e-7)


def test_one_leg_through_the_water_is_what_an_ocean_bottom_station_sees() -> None:
    """Fermat again: source at the surface, receiver on the sea floor, refractor under the sediment."""
    velocity, thickness = np.array([1500.0, 2000.0, 5000.0]), np.array([2000.0, 800.0])
    times = branch_times(
        np.array([15_000.0]),
        thickness_m=thickness,
        velocity_m_s=velocity,
        legs=np.array([1.0, 2.0]),
        direct_depth_m=2000.0,
    )[:, 0]
    assert times[0] == pytest.approx(np.hypot(15_000, 2000) / 1500)

    def path_time(steps: np.ndarray) -> float:
        water, down, up = steps * 1000.0  # in km, so that the minimiser sees numbers around 1
        slant = np.hypot(water, 2000) / 1500 + (np.hypot(down, 800) + np.hypot(up, 800)) / 2000
        return float(slant + (15_000 - 1000 * steps.sum()) / 5000)

    assert times[2] == pytest.approx(minimize(path_time, np.full(3, 0.5), options={"gtol": 1e-10}).fun, rel=1e-7)


def test_a_slow_layer_has_no_head_wave() -> None:
    times = branch_times(
        np.array([500.0]), thickness_m=np.array([5.0, 5.0]), velocity_m_s=np.array([800.0, 500.0, 2000.0])
    )
    assert np.isinf(times[1, 0])
    assert np.isfinite(times[2, 0])


def test_the_reflection_from_one_layer_is_a_hyperbola() -> None:
    x = np.linspace(0, 500, 21)
    t = reflection_time(x, thickness_m=np.array([H]), velocity_m_s=np.array([V1]))
    np.testing.assert_allclose(t, np.hypot(x, 2 * H) / V1, rtol=1e-12)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1000))
def test_reflections_take_the_least_time_among_all_paths(seed: int, offset: float) -> None:
    rng = np.random.default_rng(seed)
    thickness, velocity = rng.uniform(5, 50, 3), rng.uniform(400, 3000, 3)

    def path_time(steps: np.ndarray) -> float:
        last = offset / 2 - steps.sum()
        return float(2 * np.sum(np.hypot(np.r_[steps, last], thickness) / velocity))

    best = minimize(path_time, np.full(2, offset / 6), method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-14})
    ours = reflection_time(np.array([offset]), thickness_m=thickness, velocity_m_s=velocity)[0]
    assert ours == pytest.approx(best.fun, rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_reflection_never_comes_before_the_first_arrival(seed: int) -> None:
    rng = np.random.default_rng(seed)
    velocity, thickness = np.sort(rng.uniform(300, 5000, 4)), rng.uniform(1, 40, 3)
    x = np.linspace(0, 1500, 100)
    first, _ = first_arrival(x, thickness_m=thickness, velocity_m_s=velocity)
    for k in (1, 2, 3):
        assert np.all(reflection_time(x, thickness_m=thickness[:k], velocity_m_s=velocity[:k]) >= first - 1e-12)


def test_a_level_dipping_refractor_is_the_plane_one() -> None:
    x = np.linspace(0, 200, 50)
    dipping = dipping_head_wave_time(x, depth_m=H, upper_m_s=V1, lower_m_s=V2, dip_rad=0.0)
    np.testing.assert_allclose(dipping, two_layers(x)[1])


@pytest.mark.parametrize("dip_deg", [-8.0, 5.0, 10.0])
def test_a_dipping_head_wave_takes_the_least_time(dip_deg: float) -> None:
    dip, x, depth = np.radians(dip_deg), 300.0, 60.0
    source, receiver = (
        np.array([0.0, depth]),
        np.array([x * np.cos(dip), depth + x * np.sin(dip)]),
    )  # along, from refractor

    def path_time(steps: np.ndarray) -> float:
        slant = (np.hypot(steps[0], source[1]) + np.hypot(steps[1], receiver[1])) / V1
        return float(slant + (receiver[0] - steps.sum()) / V2)

    best = minimize(path_time, np.array([1.0, 1.0]), options={"gtol": 1e-12}).fun
    ours = dipping_head_wave_time(np.array([x]), depth_m=depth, upper_m_s=V1, lower_m_s=V2, dip_rad=dip)[0]
    assert ours == pytest.approx(best, rel=1e-9)


def test_a_refractor_that_crops_out_sends_no_head_wave_beyond() -> None:
    times = dipping_head_wave_time(
        np.array([50.0, 300.0]), depth_m=H, upper_m_s=V1, lower_m_s=V2, dip_rad=np.radians(-8)
    )
    assert np.isfinite(times).tolist() == [True, False]


def test_times_up_and_down_dip_are_equal_for_exchanged_ends() -> None:
    """Reciprocity: the depth under the other end is depth + x sin(dip)."""
    x, dip = 300.0, np.radians(6)
    down = dipping_head_wave_time(np.array([x]), depth_m=H, upper_m_s=V1, lower_m_s=V2, dip_rad=dip)
    up = dipping_head_wave_time(np.array([x]), depth_m=H + x * np.sin(dip), upper_m_s=V1, lower_m_s=V2, dip_rad=-dip)
    np.testing.assert_allclose(down, up)


def test_the_direct_wave_is_the_fastest_straight_line() -> None:
    best = minimize_scalar(lambda depth: 2 * np.hypot(50.0, depth) / V1, bounds=(0, 10), method="bounded")
    assert two_layers(np.array([100.0]))[0, 0] == pytest.approx(best.fun, rel=1e-6)


@pytest.mark.parametrize(
    ("thickness", "velocity"), [([10.0], [500.0]), ([10.0], [500.0, -1.0]), ([0.0], [500.0, 900.0]), ([], [])]
)
def test_what_is_no_medium_is_refused(thickness: list[float], velocity: list[float]) -> None:
    with pytest.raises(DataError, match="thickness"):
        branch_times(np.array([1.0]), thickness_m=np.array(thickness), velocity_m_s=np.array(velocity))
    with pytest.raises(DataError):
        dipping_head_wave_time(np.array([1.0]), depth_m=1, upper_m_s=900, lower_m_s=800, dip_rad=0)
