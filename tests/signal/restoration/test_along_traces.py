"""Lines and cubics come back exactly, at any positions."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.signal.restoration.along_traces import cubic, linear

PLACES = np.array([0.0, 1.0, 1.5, 4.0, 4.2, 7.0, 8.0, 9.5])
LIVE = np.array([True, False, True, True, False, True, False, True])
SCALE = np.array([1.0, -2.0, 0.5])


def polynomial(degree: int) -> np.ndarray:
    """Traces whose amplitudes are a polynomial of their positions."""
    return np.polyval(np.arange(1.0, degree + 2), PLACES - 3)[:, None] * SCALE


def test_linear_restores_a_ramp_and_cubic_a_cubic_at_uneven_positions() -> None:
    for method, degree in ((linear, 1), (cubic, 3)):
        true = polynomial(degree)
        np.testing.assert_allclose(method(true, LIVE, positions=PLACES), true, rtol=1e-12, atol=1e-10)
        assert not np.allclose(method(true, LIVE), true)  # equal steps are another question


def test_beyond_the_outermost_live_trace_it_is_repeated() -> None:
    inner = np.array([False, False, True, True, True, True, False, False])
    for method in (linear, cubic):
        found = method(polynomial(1), inner, positions=PLACES)
        np.testing.assert_allclose(found[:2], np.repeat(found[2:3], 2, axis=0))
        np.testing.assert_allclose(found[6:], np.repeat(found[5:6], 2, axis=0))


def test_akima_does_not_ring_away_from_a_step_as_the_spline_does() -> None:
    step = np.repeat([0.0, 1.0], 8)[:, None] * np.ones(2)
    live = np.arange(16) % 3 != 1
    far = np.array([1, 13])  # missing, and more than three live traces from the step
    spline, local = cubic(step, live), cubic(step, live, local=True)
    assert np.abs(local - step)[far].max() < 1e-12
    assert np.abs(spline - step)[far].max() > 1e-3


def test_few_live_traces_have_the_line_between_them() -> None:
    two = np.arange(8) % 7 == 0
    np.testing.assert_array_equal(cubic(polynomial(3), two), linear(polynomial(3), two))


def test_positions_out_of_order_are_refused() -> None:
    with pytest.raises(DataError, match="increase"):
        linear(polynomial(1), LIVE, positions=PLACES[::-1])
