"""Limits of a spread against their formulas."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.signal.velocity_spectra.limits import array_limits

from .waves import FREQUENCY_HZ, LENGTH_M, OFFSETS_M

LIMITS = array_limits(OFFSETS_M)


def test_limits_of_a_spread_are_those_of_its_formulas() -> None:
    assert (LIMITS.length_m, LIMITS.spacing_m, LIMITS.mean_offset_m) == (LENGTH_M, 2.0, 33.0)
    assert LIMITS.wavenumber_resolution_rad_m == 2 * np.pi / LENGTH_M
    np.testing.assert_allclose(LIMITS.velocity_resolution_m_s(10.0, 230.0), 230**2 / 460)
    np.testing.assert_allclose(LIMITS.nacd(np.array([10.0, 20.0]), 330.0), [1.0, 2.0])
    assert LIMITS.is_short_enough(np.array([4.0, 6.0, 6.0]), np.array([230.0, 230.0, np.nan])).tolist() == [0, 1, 0]


def test_the_resolution_in_velocity_is_that_in_wavenumber_to_first_order() -> None:
    k, dk = 2 * np.pi * 200 / 100.0, LIMITS.wavenumber_resolution_rad_m
    change = 2 * np.pi * 200 * (1 / (k - dk / 2) - 1 / (k + dk / 2))
    np.testing.assert_allclose(change, LIMITS.velocity_resolution_m_s(200.0, 100.0), rtol=1e-3)


def test_two_modes_are_separable_if_wavenumbers_differ_by_more_than_the_resolution() -> None:
    f = np.full(4, 20.0)
    k = np.full(4, 1.0)
    others = k + np.array([0.9, 1.1, -0.9, -1.1]) * LIMITS.wavenumber_resolution_rad_m
    curves = 2 * np.pi * f / np.stack([k, others, np.full(4, np.nan)])
    expected = [[False, True, False, True]] * 2 + [[False] * 4]
    assert LIMITS.is_separable(f, curves).tolist() == expected


def test_the_only_mode_is_separable() -> None:
    assert LIMITS.is_separable(FREQUENCY_HZ, np.full((1, len(FREQUENCY_HZ)), 200.0)).all()


def test_a_curve_is_aliased_where_a_ghost_of_brute_force_lies_in_the_window() -> None:
    rng = np.random.default_rng(0)
    f, c = rng.uniform(2, 100, 500), rng.uniform(30, 900, 500)
    got = LIMITS.is_aliased(f, c, slowest_m_s=80.0, fastest_m_s=500.0)
    for i in range(500):
        ghosts = [2 * np.pi * f[i] / c[i] + 2 * np.pi * m / 2.0 for m in range(-40, 41) if m]
        inside = [2 * np.pi * f[i] / 500 <= k <= 2 * np.pi * f[i] / 80 for k in ghosts]
        assert got[i] == any(inside)
    assert 0.2 < got.mean() < 0.9


def test_a_mode_that_does_not_exist_is_not_aliased() -> None:
    assert not LIMITS.is_aliased(np.array([500.0]), np.array([np.nan]), slowest_m_s=50, fastest_m_s=500).any()


def test_one_place_is_no_spread() -> None:
    with pytest.raises(DataError, match="two receivers"):
        array_limits(np.array([5.0, -5.0]))
