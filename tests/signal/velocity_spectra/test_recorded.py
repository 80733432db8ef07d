"""Spectra of a gather against NumPy's FFT and sums written out; dead and broken traces counted."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.velocity_spectra.recorded import record, spectra_at

from .waves import BINS_HZ, FREQUENCY_HZ, INTERVAL_S, OFFSETS_M, VELOCITY_M_S, plane_wave


def test_spectra_at_the_bins_are_those_of_the_fft() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 512))
    np.testing.assert_allclose(spectra_at(x, INTERVAL_S, BINS_HZ), np.fft.rfft(x), atol=1e-9)


@pytest.mark.parametrize("n_time", [1, 255, 256, 257, 1000])
def test_spectra_at_any_frequency_are_the_sums_written_out(n_time: int) -> None:
    x, f = np.random.default_rng(1).normal(size=n_time), np.array([0.3, 7.77, 100.0, 249.9])
    expected = [sum(x[t] * np.exp(-2j * np.pi * one * t * INTERVAL_S) for t in range(n_time)) for one in f]
    np.testing.assert_allclose(spectra_at(x, INTERVAL_S, f), expected, atol=1e-9)


def test_dead_and_broken_traces_are_counted_and_named() -> None:
    x = plane_wave(200.0)
    x[3], x[5], x[7, 100], x[9, 0] = 0.0, 4.2, np.nan, np.inf
    with pytest.warns(UserWarning, match="2 of 24 traces .* the first is trace 7"):
        recorded = record(x, INTERVAL_S, OFFSETS_M, FREQUENCY_HZ, VELOCITY_M_S)
    assert (recorded.n_dead, recorded.n_nan) == (2, 2)
    assert np.flatnonzero(~recorded.live).tolist() == [3, 5, 7, 9]
    assert not recorded.spectra[0, ~recorded.live].any()
    assert recorded.only_live().spectra.shape == (1, 20, len(FREQUENCY_HZ))


def test_a_trace_that_is_dead_in_one_shot_lives_on_in_the_other() -> None:
    x = np.stack([plane_wave(200.0)] * 2)
    x[0, 3] = 0
    recorded = record(x, INTERVAL_S, OFFSETS_M, FREQUENCY_HZ, VELOCITY_M_S, shots=True)
    assert (recorded.n_dead, recorded.live.all()) == (1, True)


@pytest.mark.parametrize(
    ("gather", "message"),
    [
        (np.zeros((24, 512)), "0 of 24 traces are live"),
        (np.zeros(512), r"expected real \(trace, time\)"),
        (np.zeros((2, 24, 512)), r"expected real \(trace, time\)"),
        (np.zeros((24, 0)), r"expected real \(trace, time\)"),
        (np.zeros((24, 512), complex), "complex128; expected real"),
        (np.ones((24, 50)), "less than one period"),
    ],
)
def test_gathers_that_do_not_fit_are_told(gather: Array, message: str) -> None:
    with pytest.raises(DataError, match=message):
        record(gather, INTERVAL_S, OFFSETS_M, FREQUENCY_HZ, VELOCITY_M_S)


def test_the_gather_is_not_changed() -> None:
    x = plane_wave(200.0)
    x[3] = 1.0
    before = x.copy()
    record(x, INTERVAL_S, OFFSETS_M, FREQUENCY_HZ, VELOCITY_M_S)
    np.testing.assert_array_equal(x, before)
