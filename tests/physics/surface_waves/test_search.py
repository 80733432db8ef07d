"""The search itself: where it starts, what it does with the value it is given, and what it costs."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from seisloom.physics.surface_waves.counting import count_love, count_rayleigh
from seisloom.physics.surface_waves.search import search_modes, slowest

from .plane import random_medium


@settings(max_examples=60)
@given(seed=st.integers(0, 10_000), frequency=st.floats(0.1, 300))
def test_no_mode_is_slower_than_the_slowest(seed: int, frequency: float) -> None:
    table = random_medium(seed).table
    assert count_rayleigh(slowest(table, False), 2 * np.pi * frequency, table)[0] == 0
    assert count_love(slowest(table, True), 2 * np.pi * frequency, table)[0] == 0


def test_modes_are_right_where_values_have_underflown_and_only_counts_are_left() -> None:
    """Hundreds of parts of layers: the product of their determinants is below the least number."""
    rng = np.random.default_rng(0)
    vs = np.append(rng.uniform(100, 400, 9), 3000.0)
    table = np.stack([rng.uniform(50, 300, 10), 2 * vs, vs, np.full(10, 2000.0)], axis=1)
    omega, found = 2 * np.pi * 100.0, np.empty((400, 1))
    assert count_rayleigh(2900.0, omega, table)[1] == 0
    search_modes(table, np.array([100.0]), 400, False, found)
    for m in (0, 100, 399):
        below, above = (count_rayleigh(found[m, 0] * (1 + x), omega, table)[0] for x in (-1e-7, 1e-7))
        assert below <= m < above


def test_a_mode_costs_few_evaluations_where_frequencies_are_dense() -> None:
    found, table = np.empty((4, 111)), random_medium(3, n_layers=5).table
    n_used = search_modes(table, np.linspace(3, 30, 111), 4, False, found)
    assert n_used < 12 * np.isfinite(found).sum() + 111
