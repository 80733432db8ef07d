"""Weights of traces have the sum 1, and none for dead ones."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.signal.velocity_spectra.recorded import record
from seisloom.signal.velocity_spectra.weights import WEIGHTS, Weights, weigh

from .waves import FREQUENCY_HZ, INTERVAL_S, OFFSETS_M, VELOCITY_M_S, plane_wave


@pytest.mark.parametrize("weights", WEIGHTS)
def test_weights_of_equal_traces_have_the_sum_1(weights: Weights) -> None:
    x = plane_wave(200.0)
    x[4] = 0
    recorded = record(x, INTERVAL_S, OFFSETS_M, FREQUENCY_HZ, VELOCITY_M_S)
    weighted = np.abs(weigh(recorded, weights).spectra).sum(axis=(0, 1))
    expected = 1 if weights == "inverse_amplitude" else np.abs(recorded.spectra[0, 0])
    np.testing.assert_allclose(weighted, expected, rtol=1e-9)
    assert not weigh(recorded, weights).spectra[0, 4].any()


def test_weights_that_are_not_known_are_told() -> None:
    recorded = record(plane_wave(200.0), INTERVAL_S, OFFSETS_M, FREQUENCY_HZ, VELOCITY_M_S)
    with pytest.raises(DataError, match="weights is 'invamp'; it is one of none, sqrt, inverse_amplitude"):
        weigh(recorded, "invamp")  # type: ignore[arg-type]
