"""Logits to probabilities: what was drawn from a logistic law is found again."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import expit

from seisloom.calibration.probability import ProbabilityCalibration, calibrate_probability
from seisloom.errors import CalibrationError


def test_scale_and_shift_are_found_again() -> None:
    rng = np.random.default_rng(0)
    logits = [rng.normal(-2, 3, (200, 200)) for _ in range(3)]
    labels = [(rng.random(one.shape) < expit(0.5 * one - 1)).astype(float) for one in logits]
    labels[0][:50] = -1  # not known
    found = calibrate_probability(logits, labels)
    assert (found.scale, found.shift) == (pytest.approx(0.5, abs=0.02), pytest.approx(-1, abs=0.03))
    assert found.ece_before is not None
    assert found.ece_after is not None
    assert found.ece_after < 0.005 < found.ece_before
    assert found.n_voxels == 3 * 200 * 200 - 50 * 200
    assert "3 volumes" in found.note
    assert ProbabilityCalibration.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_a_large_volume_has_one_vote() -> None:
    rng = np.random.default_rng(1)
    small, large = rng.normal(size=500), rng.normal(size=50_000)
    labels = [(rng.random(500) < 0.9).astype(float), (rng.random(50_000) < 0.1).astype(float)]
    found = calibrate_probability([small, large], labels)
    assert float(found(np.zeros(1))[0]) == pytest.approx(0.5, abs=0.05)


def test_nothing_to_learn_from_is_an_error() -> None:
    with pytest.raises(CalibrationError, match="no faults, or nothing but faults"):
        calibrate_probability([np.zeros(9)], [np.zeros(9)])
