"""Labels of modes: what is there, and what an array can see of it."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.physics.surface_waves.medium import LayeredMedium
from seisloom.physics.surface_waves.modes import ModeCurves, mode_curves
from seisloom.tasks.dispersion.labels import EXCITED, mode_labels

FREQUENCY = np.linspace(5.0, 40.0, 36)
VELOCITY = np.linspace(70.0, 300.0, 100)
MEDIUM = LayeredMedium([2, 4, 8, 0], [360, 1000, 1400, 1400], [80, 120, 180, 360], [1800] * 4)
OFFSETS = 5 + 2.0 * np.arange(24)


@pytest.fixture(scope="module")
def curves() -> ModeCurves:
    return mode_curves(MEDIUM, FREQUENCY, 6)


def test_nothing_is_true_of_a_mode_that_does_not_exist(curves: ModeCurves) -> None:
    labels = mode_labels(curves, OFFSETS, VELOCITY, n_modes=4)
    missing = np.isnan(labels["curves"])
    assert 0 < missing.mean() < 1
    for name in ("in_window", "resolved", "excited", "aliased"):
        assert labels[name].dtype == np.uint8
        assert not labels[name][missing].any()


def test_shares_of_all_modes_add_up_and_a_slow_one_fades_first(curves: ModeCurves) -> None:
    without = mode_labels(curves, OFFSETS, VELOCITY, n_modes=6)["energy_share"]
    fading = mode_labels(curves, OFFSETS, VELOCITY, n_modes=6, q_s=10.0)["energy_share"]
    np.testing.assert_allclose(np.nansum(without, axis=0), 1.0, rtol=1e-6)
    several = np.isfinite(without).sum(axis=0) > 1
    slowest = np.nanargmin(curves.group_m_s[:, several], axis=0)
    at = np.flatnonzero(several)
    assert (fading[slowest, at] < without[slowest, at]).all()
    np.testing.assert_array_equal(
        mode_labels(curves, OFFSETS, VELOCITY, n_modes=6)["excited"], np.nan_to_num(without) > EXCITED
    )


def test_gaps_are_those_to_the_nearest_mode_also_beyond_the_last_that_is_labelled(curves: ModeCurves) -> None:
    labels = mode_labels(curves, OFFSETS, VELOCITY, n_modes=2)
    c = curves.phase_m_s
    at = -1
    assert labels["mode_gap"][0, at] == pytest.approx(c[1, at] - c[0, at], rel=1e-6)
    assert labels["mode_gap"][1, at] == pytest.approx(min(c[1, at] - c[0, at], c[2, at] - c[1, at]), rel=1e-6)


def test_a_longer_array_resolves_more_and_a_nearer_one_has_fewer_wavelengths(curves: ModeCurves) -> None:
    short = mode_labels(curves, OFFSETS, VELOCITY, n_modes=4)
    long = mode_labels(curves, 5 + 8.0 * np.arange(24), VELOCITY, n_modes=4)
    assert long["resolved"].sum() > short["resolved"].sum()
    known = np.isfinite(short["nacd"])
    assert (long["nacd"][known] > short["nacd"][known]).all()
    np.testing.assert_allclose(short["nacd"][0], OFFSETS.mean() * FREQUENCY / curves.phase_m_s[0], rtol=1e-6)


def test_the_window_is_that_of_the_spectrum(curves: ModeCurves) -> None:
    labels = mode_labels(curves, OFFSETS, VELOCITY, n_modes=4)
    c = labels["curves"]
    np.testing.assert_array_equal(labels["in_window"], np.nan_to_num((c >= 70) & (c <= 300)))


def test_what_the_field_has_beyond_all_modes_is_no_share_of_theirs(curves: ModeCurves) -> None:
    alone = mode_labels(curves, OFFSETS, VELOCITY, n_modes=6)["energy_share"]
    energy = curves.strength_per_pa**2 * FREQUENCY / curves.phase_m_s
    twice = mode_labels(curves, OFFSETS, VELOCITY, n_modes=6, field=2 * np.nansum(energy, axis=0))["energy_share"]
    np.testing.assert_allclose(twice, alone / 2, rtol=1e-6)
