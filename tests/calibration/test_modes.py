"""Intervals of curves: each mode by itself keeps its promise."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from seisloom.calibration.modes import ModeCalibration, calibrate_modes
from seisloom.errors import CalibrationError


def drawn(seed: int, n_groups: int = 200) -> tuple[np.ndarray, ...]:
    """Return error, sigma, mode, wavelength and group: mode 1 errs three times its sigma, mode 2 has few picks."""
    rng = np.random.default_rng(seed)
    mode = np.tile(np.repeat([0, 1], 20), n_groups)
    mode[:5] = 2
    sigma = rng.uniform(0.01, 0.05, mode.size)
    error = rng.normal(size=mode.size) * sigma * np.where(mode == 1, 3.0, 1.0)
    lengths = np.where(np.arange(mode.size) % 4 == 0, 1.5, 0.1)
    error = np.where(lengths > 1, 2.0, 1.0) * error  # long waves err twice as much
    return error, sigma, mode, lengths, np.repeat(np.arange(n_groups), 40)


def test_each_mode_and_wavelength_is_covered_by_itself() -> None:
    error, sigma, mode, lengths, groups = drawn(0)
    made = calibrate_modes(error, sigma, mode, lengths, groups=groups, n_modes=3, min_n=100)
    error, sigma, mode, lengths, _ = drawn(1)
    for level in (0.5, 0.9):
        inside = np.abs(error) <= made.half_width(sigma, mode, lengths, level=level)
        for m in (0, 1):
            for where in (lengths < 1, lengths > 1):
                assert inside[(mode == m) & where].mean() == pytest.approx(level, abs=0.06)
    short = made.half_width(np.ones(4), np.array([0, 1, 2, 7]), np.full(4, 0.1), level=0.9)
    assert short[1] > 2.5 * short[0]
    assert short[0] < short[2] < short[1]  # too few picks: those of all modes
    assert short[3] == short[2]
    long, unknown = (made.half_width(np.ones(1), np.zeros(1, int), np.array([one]), level=0.9) for one in (1.5, np.nan))
    assert long[0] == pytest.approx(2 * short[0], rel=0.15)
    assert short[0] < unknown[0] < long[0]
    assert made.n_picks == (4000 - 5, 4000, 5)
    assert "mode 2 5" in made.note


def test_it_survives_json_and_says_what_else_is_none() -> None:
    error, sigma, mode, lengths, groups = drawn(0, 30)
    made = calibrate_modes(error, sigma, mode, lengths, groups=groups, n_modes=3, min_n=100)
    assert ModeCalibration.from_json(json.loads(json.dumps(made.to_json()))) == made
    both = replace(made, fitted=made)
    assert ModeCalibration.from_json(json.loads(json.dumps(both.to_json()))) == both
    assert "fitted to the traces" in both.note
    before = {name: one for name, one in made.to_json().items() if name != "fitted"}  # of an earlier bundle
    assert ModeCalibration.from_json(before) == made
    with pytest.raises(CalibrationError, match="not a stored calibration of modes"):
        ModeCalibration.from_json({"kind": "interval"})
