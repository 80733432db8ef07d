"""Axes that do not fit are told apart, each with what to do."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.velocity_spectra.axes import check_choice, check_frequencies, check_offsets, check_velocities


@pytest.mark.parametrize(
    ("offsets", "message"),
    [
        ([5.0], "one trace; a phase velocity needs two"),
        ([0.0, 0.0, 0.0], "all offsets are 0 m: the headers are empty"),
        ([1.0, np.nan, 3.0], "offset of trace 1 is nan; fill it in"),
        ([1.0, 2.0, 2.0], "traces 1 and 2 have the same offset, 2 m; stack them"),
        ([1.0, 3.0, 2.0], "3 and 2 m at traces 1 and 2; order the traces by offset"),
        ([-2.0, -1.0, 1.0], "both sides of the source"),
    ],
)
def test_offsets_that_do_not_fit_are_told(offsets: list[float], message: str) -> None:
    with pytest.raises(DataError, match=message):
        check_offsets(np.array(offsets), len(offsets))


def test_offsets_are_one_a_trace() -> None:
    with pytest.raises(DataError, match=r"shape \(2,\) and the gather has 3 traces"):
        check_offsets(np.array([1.0, 2.0]), 3)


@pytest.mark.parametrize("offsets", [[0, 2, 5], [-1, -2, -5], [5, 4, 1], [-5, -2, -1]])
def test_either_side_and_order_is_a_distance(offsets: list[int]) -> None:
    assert check_offsets(np.array(offsets), 3).tolist() == np.abs(offsets).tolist()


@pytest.mark.parametrize(
    ("frequencies", "message"),
    [
        ([0.0, 5.0], r"frequency_hz\[0\] is 0; values are finite and above 0"),
        ([5.0, np.nan], r"frequency_hz\[1\] is nan"),
        ([5.0, 4.0], "does not ascend: 4 follows 5 at 1; sort it"),
        ([5.0, 600.0], "Nyquist frequency is 500 Hz"),
        ([1.5, 3.0], "0.5 s long, less than one period of 1.5 Hz; start at 2 Hz"),
        ([], "one or more values"),
    ],
)
def test_frequencies_that_do_not_fit_are_told(frequencies: list[float], message: str) -> None:
    with pytest.raises(DataError, match=message):
        check_frequencies(np.array(frequencies), n_time=500, interval_s=0.001)


@pytest.mark.parametrize("interval_s", [0.0, -0.001, np.nan])
def test_an_interval_is_positive(interval_s: float) -> None:
    with pytest.raises(DataError, match="interval_s is"):
        check_frequencies(np.array([10.0]), n_time=500, interval_s=interval_s)


def test_the_bounds_themselves_fit() -> None:
    assert check_frequencies(np.array([2.0, 500.0]), n_time=500, interval_s=0.001).tolist() == [2, 500]


@pytest.mark.parametrize("velocities", [[-1.0, 5.0], [5.0, 5.0], [np.inf], [[1.0]]])
def test_velocities_that_do_not_fit_are_told(velocities: Array) -> None:
    with pytest.raises(DataError, match="velocity_m_s"):
        check_velocities(np.array(velocities))


def test_a_choice_that_is_not_known_lists_those_that_are() -> None:
    with pytest.raises(DataError, match="steering is 'flat'; it is one of plane, round"):
        check_choice("steering", "flat", ("plane", "round"))
