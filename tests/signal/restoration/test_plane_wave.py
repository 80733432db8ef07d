"""Slopes that are known, aliased ones too, at even and uneven positions."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.signal.restoration import masks
from seisloom.signal.restoration.plane_wave import plane_wave_fill
from seisloom.signal.restoration.slopes import along, scan_slopes

from .events import missing_snr_db, ricker, straight_events

LIVE = masks.irregular(24, 0.4, np.random.default_rng(1))


@pytest.mark.parametrize("slope", [-4.0, -0.7, 0.0, 1.3, 4.5])
def test_the_slope_of_an_event_is_found_at_live_and_dead_traces(slope: float) -> None:
    true = straight_events((24, 200), [(100, slope, 1.0)], centre=12)
    found, semblance = scan_slopes(true, LIVE)
    trace = np.arange(24)
    at = np.round(100 + slope * (trace - 12)).astype(int)
    inner = (trace > 2) & (trace < 21)
    np.testing.assert_allclose(found[trace, at][inner], slope, atol=0.1 + 1e-9)  # the step of the scan
    assert semblance[trace, at][inner].min() > 0.9
    assert semblance.max() <= 1 + 1e-9


def test_an_aliased_event_is_carried_to_missing_traces() -> None:
    true = straight_events((24, 200), [(100, 4.0, 1.0)], centre=12)
    # Cubic interpolation of a period of 12 samples is right to a percent
    assert missing_snr_db(plane_wave_fill(true, LIVE), true, LIVE) > 30
    assert missing_snr_db(plane_wave_fill(true, LIVE, slopes=(-1.0, 1.0)), true, LIVE) < 5


def test_amplitudes_that_change_with_the_trace_are_interpolated_between_both_sides() -> None:
    growing = np.linspace(1, 3, 24)[:, None] * straight_events((24, 200), [(100, 2.0, 1.0)], centre=12)
    live = np.arange(24) % 3 != 1
    live[-1] = True
    # From one side alone the amplitude is a few percent off: less than 35 dB
    assert missing_snr_db(plane_wave_fill(growing, live), growing, live) > 45


def test_uneven_positions_are_taken_as_they_are() -> None:
    places = np.cumsum(np.random.default_rng(0).uniform(0.4, 1.6, 24))
    true = ricker(np.arange(200) - 60 - 2.0 * places[:, None], 0.08)
    with_positions = plane_wave_fill(true, LIVE, positions=places)
    assert missing_snr_db(with_positions, true, LIVE) > 25
    assert missing_snr_db(plane_wave_fill(true, LIVE), true, LIVE) < 15


def test_a_cubic_comes_back_between_samples_and_ends_are_zero() -> None:
    time = np.arange(20.0)
    trace = time**2 - 3 * time  # Catmull-Rom is exact up to the second power
    for t in (3, 8, 15):
        assert along(trace, 0.37, 1.0, t) == pytest.approx((t + 0.37) ** 2 - 3 * (t + 0.37))
        assert along(trace, 0.37, -2.0, t) == pytest.approx((t - 0.74) ** 2 - 3 * (t - 0.74))
    assert along(trace, 1.0, 30.0, 5) == 0
    assert along(trace, 1.0, -6.0, 5) == 0


def test_a_scan_that_cannot_be_is_refused() -> None:
    for wrong in ({"slopes": (1.0, 1.0)}, {"step": 0.0}, {"n_beside": 0}, {"n_samples": -1}):
        with pytest.raises(DataError, match="must rise"):
            scan_slopes(np.ones((5, 9)), np.ones(5, dtype=bool), **wrong)
