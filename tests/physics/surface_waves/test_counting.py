"""The count of modes against sign changes of a secular function that shares nothing with it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seisloom.physics.surface_waves.counting import count_love, count_rayleigh
from seisloom.physics.surface_waves.medium import LayeredMedium

from .plane import half_space, n_sign_changes, random_medium, rayleigh_ratio


@pytest.mark.parametrize("love", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_the_count_is_that_of_sign_changes_on_a_dense_grid(seed: int, love: bool) -> None:
    medium, omega = random_medium(seed, n_layers=2 + seed % 4), 2 * np.pi * 25.0
    count = count_love if love else count_rayleigh
    velocities = np.linspace(0.6 * medium.vs_m_s.min(), 0.9999 * medium.vs_m_s[-1], 1200)
    counted = np.array([count(c, omega, medium.table)[0] for c in velocities])
    assert counted[-1] >= 1
    np.testing.assert_array_equal(counted, n_sign_changes(medium, velocities, omega, love=love))


@pytest.mark.parametrize("poisson", [0.0, 0.05, 0.25, 0.4, 0.499])
def test_a_half_space_has_one_rayleigh_mode_and_no_love_mode(poisson: float) -> None:
    medium = half_space(poisson)
    c = rayleigh_ratio(poisson) * medium.vs_m_s[0]
    assert [count_rayleigh(x * c, 50.0, medium.table)[0] for x in (0.1, 1 - 1e-9, 1 + 1e-9)] == [0, 0, 1]
    assert count_love(0.9999 * medium.vs_m_s[0], 50.0, medium.table)[0] == 0


def test_love_modes_of_a_layer_are_as_many_as_their_cut_off_frequencies_say() -> None:
    h, slow, fast = 8.0, 150.0, 500.0
    medium = LayeredMedium([h, 0], [400, 1000], [slow, fast], [1700, 2000])
    for frequency in np.arange(3.3, 120, 7.1):
        in_layer = 2 * h * frequency * np.sqrt(1 / slow**2 - 1 / fast**2)  # each half wavelength begins a mode
        n, _ = count_love(fast * (1 - 1e-9), 2 * np.pi * frequency, medium.table)
        assert n == int(in_layer) + 1


@settings(max_examples=50)
@given(seed=st.integers(0, 10_000), share=st.floats(0.5, 0.9999), n=st.integers(2, 9), frequency=st.floats(0.5, 80))
def test_a_layer_and_its_thin_slices_have_the_same_count(seed: int, share: float, n: int, frequency: float) -> None:
    medium = random_medium(seed)
    sliced = np.repeat(medium.table, n, axis=0)
    sliced[:, 0] /= n
    c, omega = share * medium.vs_m_s[-1], 2 * np.pi * frequency
    for count in (count_rayleigh, count_love):
        assert count(c, omega, sliced)[0] == count(c, omega, medium.table)[0]


@settings(max_examples=50)
@given(seed=st.integers(0, 10_000), frequency=st.floats(0.5, 80))
def test_the_function_beside_the_count_changes_its_sign_where_the_count_is_odd(seed: int, frequency: float) -> None:
    medium = random_medium(seed)
    for count in (count_rayleigh, count_love):
        for c in np.linspace(0.5, 0.999, 20) * medium.vs_m_s[-1]:
            n, value = count(c, 2 * np.pi * frequency, medium.table)
            assert (value < 0) == (n % 2 == 1)
