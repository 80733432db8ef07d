"""Axes of equal ratios, and what is put on them."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.signal.velocity_spectra.limits import ArrayLimits
from seisloom.tasks.dispersion.blocks import DispersionData
from seisloom.tasks.dispersion.picker.grid import (
    Ratios,
    array_numbers,
    interpolate,
    is_log,
    log_axis,
    nearest,
    on_grid,
    ratios_of,
)

RATIOS = Ratios(velocity=0.02, frequency=0.03)
C, F = np.linspace(100, 800, 141), np.linspace(5, 40, 71)


def test_an_axis_has_both_ends_and_no_step_above_the_ratio() -> None:
    axis = log_axis(5, 47, 0.03)
    steps = np.diff(np.log(axis))
    assert (axis[0], axis[-1]) == (5, pytest.approx(47))
    assert 0.9 * 0.03 < steps.min() <= steps.max() <= 0.03 * (1 + 1e-9)
    assert is_log(axis, 0.03)
    assert not is_log(F, 0.03)
    np.testing.assert_allclose(log_axis(5, 5 * np.exp(0.3), 0.03), 5 * np.exp(0.03 * np.arange(11)))


def test_an_axis_of_a_few_steps_is_refused() -> None:
    with pytest.raises(DataError, match=r"10 to 11 has 5 steps of 3 %; make the range wider"):
        log_axis(10, 11, 0.03)


def test_ratios_are_those_of_the_recipe() -> None:
    data = DispersionData.model_validate(
        {"frequency": {"min_hz": 3, "max_hz": 60, "num_samples": 112, "spacing": "log"},
         "phase_velocity": {"min_m_s": 45, "max_m_s": 1600, "num_samples": 224, "spacing": "log"}}
    )  # fmt: skip
    found = ratios_of(data)
    np.testing.assert_allclose(np.diff(np.log(data.frequency.values)), found.frequency)
    np.testing.assert_allclose(np.diff(np.log(data.phase_velocity.values)), found.velocity)


def test_a_spectrum_on_linear_axes_keeps_its_ridge() -> None:
    curve = 150 + 400 * np.exp(-F / 12)
    panel = np.exp(-(((C[:, None] - curve) / 25) ** 2))
    grid = on_grid(panel, C, F, RATIOS)
    assert is_log(grid.velocity_m_s, 0.02)
    assert is_log(grid.frequency_hz, 0.03)
    assert grid.panel.shape == (len(grid.velocity_m_s), len(grid.frequency_hz))
    peak = grid.velocity_m_s[grid.panel.argmax(axis=0)]
    wanted = 150 + 400 * np.exp(-grid.frequency_hz / 12)
    assert np.abs(np.log(peak / wanted)).max() < 0.015  # half a bin, and a little for what is linear in between


def test_a_spectrum_on_the_grid_is_not_touched() -> None:
    c, f = log_axis(100, 900, 0.02), log_axis(5, 40, 0.03)
    panel = np.random.default_rng(0).random((len(c), len(f))).astype(np.float32)
    grid = on_grid(panel, c, f, RATIOS)
    np.testing.assert_array_equal(grid.panel, panel)
    assert grid.frequency_hz is f
    assert grid.velocity_m_s is c


def test_between_values_rows_are_linear_in_the_logarithm_and_nan_stays_where_it_is() -> None:
    axis = np.array([10.0, 20.0, 40.0])
    rows = np.array([[1.0, 3.0, np.nan]])
    found = interpolate(rows, axis, np.array([10.0, np.sqrt(200), 20.0, 30.0, 40.0]))
    np.testing.assert_allclose(found, [[1, 2, 3, np.nan, np.nan]], rtol=1e-6)
    np.testing.assert_array_equal(
        nearest(np.array([[1, 0, 1]]), axis, np.array([13.0, 16.0, 27.0, 29.0])), [[1, 0, 0, 1]]
    )


def test_an_array_is_told_in_metres_or_as_not_known() -> None:
    np.testing.assert_array_equal(array_numbers(ArrayLimits(46.0, 1.5, 33.0), 24), np.float32([46, 1.5, 33, 2]))
    assert np.isnan(array_numbers(None, 0)).all()
