"""Intervals of restored samples: each distance to a live trace keeps its promise, for panels that were not seen."""

from __future__ import annotations

import json

import numpy as np
import pytest

from seisloom.calibration.residuals import Piece, ResidualCalibration, calibrate_on_hidden, calibrate_residuals
from seisloom.calibration.strength import FLOOR, distance_group, strength
from seisloom.errors import CalibrationError

SHAPE = (1, 40, 60)
LEVELS = (0.5, 0.8, 0.9)


def drawn(n: int, seed: int) -> list[Piece]:
    """Return panels whose errors grow with the distance and the local strength, each by a factor of its own."""
    rng = np.random.default_rng(seed)
    pieces = []
    for _ in range(n):
        gain = np.linspace(5.0, 0.5, SHAPE[2])
        estimate = rng.normal(size=SHAPE) * gain
        live = rng.random(SHAPE[:2]) < 0.4
        live[0, 0] = True
        spread = (0.1 + distance_group(live))[..., None] * strength(estimate) * rng.lognormal(sigma=0.3)
        pieces.append((estimate + spread * rng.normal(size=SHAPE), estimate, live, ~live))
    return pieces


def test_each_distance_is_covered_in_new_panels() -> None:
    made = calibrate_residuals(drawn(150, 0), [str(k) for k in range(150)], min_n=20)
    new = drawn(150, 1)
    for level in LEVELS:
        shares: list[list[float]] = [[] for _ in range(5)]
        for truth, estimate, live, scored in new:
            inside = np.abs(truth - estimate) <= made.half_width(estimate, live, level=level)
            group = distance_group(live)
            for at in np.unique(group[scored]):
                shares[at].append(float(inside[scored & (group == at)].mean()))
        for some in shares[1:4]:
            # Panels are what is drawn: the error of their mean coverage, with that of as many calibrating ones
            error = np.sqrt(2) * np.std(some) / np.sqrt(len(some))
            assert error <= np.sqrt(2 * level * (1 - level) / len(some))  # as if all samples of a panel fell together
            assert np.mean(some) == pytest.approx(level, abs=3 * error)


def test_the_width_follows_strength_and_distance_and_not_the_unit() -> None:
    made = calibrate_residuals(drawn(60, 0), [str(k) for k in range(60)])
    _, estimate, _, _ = drawn(1, 5)[0]
    live = np.ones(SHAPE[:2], dtype=bool)
    live[0, 10:13] = False
    width = made.half_width(estimate, live, level=0.9)
    np.testing.assert_allclose(made.half_width(1e6 * estimate, live, level=0.9), 1e6 * width)
    relative = (width / strength(estimate))[0, :, 0]
    assert relative[10] == pytest.approx(relative[12])
    assert relative[11] > 1.3 * relative[10]
    assert width[0, 10, 5] > 3 * width[0, 10, -5]
    assert not made.half_width(np.zeros(SHAPE), live, level=0.9).any()


def test_strength_has_a_floor_that_is_a_share_of_the_panel() -> None:
    values = np.zeros((1, 30, 400))
    values[0, :, :40] = 2.0
    found = strength(values)
    assert found[0, 15, 390] == pytest.approx(FLOOR * np.sqrt(np.mean(values**2)))
    assert found[0, 15, 5] == pytest.approx(2, rel=1e-3)


def test_a_cube_knows_the_neighbouring_line() -> None:
    live = np.zeros((3, 9), dtype=bool)
    live[0, :] = True
    assert distance_group(live).tolist() == [[0] * 9, [1] * 9, [2] * 9]


def test_a_distance_with_few_panels_has_no_narrower_interval_than_the_nearer_ones() -> None:
    pieces = drawn(40, 0)
    far = np.zeros(SHAPE[:2], dtype=bool)
    far[0, -1] = True  # two panels alone know of traces so far away
    pieces += [(estimate, estimate, far, ~far) for _, estimate, _, _ in drawn(2, 1)]
    made = calibrate_residuals(pieces, [str(k) for k in range(42)], min_n=20)
    factors = [float(one.q()) for one in made.by_distance]
    assert made.n_units[0] == 0
    assert factors[0] == float(made.every.q())
    assert factors[4] >= factors[3] > factors[2] > factors[1]


def test_patterns_of_one_panel_are_one_unit() -> None:
    pieces = drawn(12, 0)
    made = calibrate_residuals(pieces, ["a", "b", "c"] * 4)
    assert made.every.n_groups == 3
    assert not made.every.promised[2]
    assert "panels: 1 trace 3" in made.note


def test_hidden_traces_of_one_panel_cover_its_missing_ones() -> None:
    rng = np.random.default_rng(3)
    shape = (1, 300, 100)
    estimate = rng.normal(size=shape)
    live = np.arange(300)[None] % 3 > 0
    truth = estimate + strength(estimate) * rng.lognormal(sigma=0.3, size=(1, 300, 1)) * rng.normal(size=shape)
    pieces = []
    for _ in range(2):
        hidden = live & (rng.random((1, 300)) < 0.3)
        pieces.append((truth, estimate, live & ~hidden, hidden))
    made = calibrate_on_hidden(pieces)
    assert made.unit == "traces"
    for level in LEVELS:
        inside = np.abs(truth - estimate) <= made.half_width(estimate, live, level=level)
        assert inside[~live].mean() == pytest.approx(level, abs=0.06)


def test_it_survives_json_and_a_new_survey_leans_on_it() -> None:
    made = calibrate_residuals(drawn(30, 0), [str(k) for k in range(30)])
    again = ResidualCalibration.from_json(json.loads(json.dumps(made.to_json())))
    assert again == made
    few = calibrate_residuals(drawn(3, 9), ["a", "b", "c"], former=made)
    assert few.leans_on_former
    assert not made.leans_on_former
    assert float(few.every.q()) == pytest.approx(float(made.every.q()), rel=0.5)
    with pytest.raises(CalibrationError, match="not a stored calibration of residuals"):
        ResidualCalibration.from_json({"kind": "modes"})


def test_what_cannot_be_calibrated_is_said() -> None:
    truth, estimate, live, scored = drawn(1, 0)[0]
    with pytest.raises(CalibrationError, match="nothing to calibrate on"):
        calibrate_residuals([(truth, estimate, live, np.zeros_like(scored))], ["a"])
    with pytest.raises(CalibrationError, match="nothing to calibrate on"):
        calibrate_on_hidden([(truth, 0 * estimate, live, scored)])
    with pytest.raises(CalibrationError, match="do not fit"):
        calibrate_residuals([(truth[:, :5], estimate, live, scored)], ["a"])
    with pytest.raises(CalibrationError, match="a live trace"):
        calibrate_residuals([(truth, estimate, np.zeros_like(live), scored)], ["a"])
    with pytest.raises(CalibrationError, match="axes"):
        strength(np.full((2, 3), np.nan))
