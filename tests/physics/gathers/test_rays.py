"""Rays through layers against closed forms, and against another solver."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.physics.gathers.rays import trace_rays
from seisloom.physics.refraction import reflection_time


def test_one_layer_gives_a_hyperbola_and_the_length_of_the_ray() -> None:
    x = np.array([0.0, 100.0, 1000.0, 5000.0])
    rays = trace_rays(np.array([[2 * 600.0]]), np.array([2000.0]), x, surface_m_s=2000.0)
    length = np.hypot(x, 1200.0)
    np.testing.assert_allclose(rays.time_s[0], length / 2000, rtol=1e-12)
    np.testing.assert_allclose(rays.slowness[0], x / length / 2000, atol=1e-15)
    np.testing.assert_allclose(rays.spreading_m[0], length, rtol=1e-11)


def test_two_layers_follow_snell() -> None:
    # A ray parameter is chosen; Snell's law says where the ray comes up, and when
    h, v = np.array([300.0, 700.0]), np.array([1500.0, 2600.0])
    p = np.linspace(0, 0.99 / 2600, 40)
    sine = p[:, None] * v
    cosine = np.sqrt(1 - sine**2)
    x, t = (2 * h * sine / cosine).sum(axis=1), (2 * h / (v * cosine)).sum(axis=1)
    rays = trace_rays((2 * h)[None], v, x, surface_m_s=1500.0)
    np.testing.assert_allclose(rays.time_s[0], t, rtol=1e-12)
    np.testing.assert_allclose(rays.slowness[0], p, atol=1e-12)
    # Spreading of rays: energy between p and p + dp goes through the ring between x and x + dx
    slope = (2 * h * v / cosine**3).sum(axis=1)
    x_over_p = (2 * h * v / cosine).sum(axis=1)
    np.testing.assert_allclose(rays.spreading_m[0], cosine[:, 0] / 1500 * np.sqrt(x_over_p * slope), rtol=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_times_are_those_of_another_solver(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 12))
    h, v = rng.uniform(5, 800, n), rng.uniform(400, 6000, n)
    x = np.sort(rng.uniform(0, 8000, 50))
    rays = trace_rays((2 * h)[None], v, x, surface_m_s=v[0])
    np.testing.assert_allclose(rays.time_s[0], reflection_time(x, thickness_m=h, velocity_m_s=v), rtol=1e-9)
    # Slowness is the slope of the time, also for distances in no order
    shuffled = rng.permutation(x)
    step = 0.01
    two = (trace_rays((2 * h)[None], v, shuffled + d, surface_m_s=v[0]) for d in (step, -step))
    ahead, behind = two
    found = trace_rays((2 * h)[None], v, shuffled, surface_m_s=v[0]).slowness[0]
    np.testing.assert_allclose((ahead.time_s - behind.time_s)[0] / (2 * step), found, atol=1e-9)


def test_layers_that_a_path_leaves_out_do_not_count() -> None:
    x = np.array([50.0, 400.0])
    with_other = trace_rays(np.array([[200.0, 0.0]]), np.array([1500.0, 6000.0]), x, surface_m_s=1500.0)
    np.testing.assert_allclose(with_other.time_s[0], np.hypot(x, 200) / 1500, rtol=1e-12)
