"""Slopes of events: the fan that holds them, aliases included, and parts that add up to the panel."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.metrics.dips import LARGEST, dip_edges, dip_parts, power, signal_slopes

SHAPE = (48, 256)


def event(slope: float, *, period: float = 20.0) -> np.ndarray:
    """Return a plane wave of a slope in samples a trace, (trace, time)."""
    trace, time = np.arange(SHAPE[0])[:, None], np.arange(SHAPE[1])
    away = (time - 128 - slope * (trace - SHAPE[0] / 2)) / period
    return (1 - 2 * (np.pi * away) ** 2) * np.exp(-((np.pi * away) ** 2))


def test_power_is_parseval() -> None:
    rng = np.random.default_rng(0)
    for n_time in (9, 10):
        values = rng.normal(size=(2, 7, n_time))
        assert power(values).sum() == pytest.approx(7 * n_time * np.sum(values**2))


@pytest.mark.parametrize("slope", [-3.0, 0.0, 1.5])
def test_the_fan_of_one_event_lies_around_its_slope(slope: float) -> None:
    low, high = signal_slopes(event(slope))
    assert low - 0.25 <= slope <= high + 0.25
    assert high - low <= 1.5


def test_the_fan_of_two_events_holds_both() -> None:
    low, high = signal_slopes(np.stack([event(-2.0), event(1.0)]))
    assert low == pytest.approx(-2, abs=0.8)
    assert high == pytest.approx(1, abs=0.8)


def test_an_aliased_event_is_not_given_a_fan_on_the_wrong_side() -> None:
    low, high = signal_slopes(event(5.0, period=8.0))  # of period 8 samples: aliased beyond 4 samples a trace
    assert low <= 5 <= high + 0.25
    assert low > 0


def test_silence_and_noise_have_no_fan() -> None:
    assert signal_slopes(np.zeros(SHAPE)) == (-LARGEST, LARGEST)
    low, high = signal_slopes(np.random.default_rng(0).normal(size=SHAPE))
    assert high - low > 3
    with pytest.raises(DataError, match="finite"):
        signal_slopes(np.full(SHAPE, np.nan))


def test_parts_by_dip_add_up_and_part_the_events() -> None:
    level, steep = event(0.0), event(4.0)
    edges = dip_edges(level + steep, 2)
    assert len(edges) == 1
    gentle, rest = dip_parts(level + steep, (2.0,))
    np.testing.assert_allclose(gentle + rest, level + steep, atol=1e-12)
    assert np.sum(gentle * level) > 0.95 * np.sum(level**2)
    assert np.sum(rest * steep) > 0.9 * np.sum(steep**2)
