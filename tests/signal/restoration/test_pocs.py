"""The fan of slopes, and what a sparse spectrum restores."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.signal.restoration import masks
from seisloom.signal.restoration.pocs import in_fan, pocs_fill

from .events import missing_snr_db, straight_events


@pytest.mark.parametrize("slope", [-3.0, -0.5, 0.0, 1.0, 2.5])
def test_an_event_lies_in_the_fan_of_its_slope_and_not_in_another(slope: float) -> None:
    true = straight_events((32, 128), [(64, slope, 1.0)], centre=16)
    # Tapered along traces, or the ends of the event spread over all wavenumbers
    energy = np.abs(np.fft.rfft2(true * np.hanning(32)[:, None])) ** 2
    assert energy[in_fan((32, 128), (slope - 0.1, slope + 0.1))].sum() > 0.96 * energy.sum()
    assert energy[in_fan((32, 128), (slope + 1, slope + 2))].sum() < 0.1 * energy.sum()


def test_one_periodic_wave_is_restored_exactly() -> None:
    # A plane wave with whole cycles in the window; the taper along time spreads it over few coefficients
    trace, time = np.arange(30)[:, None], np.arange(100)
    true = np.cos(2 * np.pi * (0.1 * time - 0.1 * trace))
    live = masks.irregular(30, 0.3, np.random.default_rng(0))
    found = pocs_fill(true, live, n_traces=30, n_samples=50, weakest=1e-4, n_iterations=200)
    assert missing_snr_db(found, true, live) > 25


def test_a_fan_tells_a_wave_from_its_alias_and_without_one_there_are_zeros() -> None:
    true = straight_events((30, 100), [(50, 1.5, 1.0)], centre=15)
    live = masks.regular(30, 2)
    without = pocs_fill(true, live)
    with_fan = pocs_fill(true, live, slopes=(0.5, 2.5))
    assert abs(missing_snr_db(without, true, live)) < 3
    assert missing_snr_db(with_fan, true, live) > 8


def test_parameters_that_do_not_fit_are_refused() -> None:
    x, live = np.ones((5, 9)), np.ones(5, dtype=bool)
    with pytest.raises(DataError, match="weakest is 1"):
        pocs_fill(x, live, weakest=1)
    with pytest.raises(DataError, match="must rise"):
        pocs_fill(x, live, slopes=(1.0, 1.0))
