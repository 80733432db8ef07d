"""Amplitudes on one scale: closed forms, the same for a part as for the whole, and surveys without anything to see."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from seisloom.errors import DataError
from seisloom.signal.survey_scale import KNOWN, SurveyScale

PERCENTILES = {"5": -40.0, "50": 10.0, "95": 60.0}


def test_half_the_distance_of_the_percentiles_becomes_one_around_the_median() -> None:
    scaling = SurveyScale().of(PERCENTILES)
    values = np.array([[10, 60, -40, 35, 10 + 8 * 50, 1e6, -1e6]], dtype=np.float32)
    assert scaling(values).tolist() == [[0, 1, -1, 0.5, 8, 8, -8]]
    assert SurveyScale(clip=None).of(PERCENTILES)(values)[0, 5] == pytest.approx((1e6 - 10) / 50)


def test_samples_that_were_never_recorded_stay_zero() -> None:
    assert SurveyScale().of(PERCENTILES)(np.array([0.0, 10.0, -0.0])).tolist() == [0, 0, 0]


def test_what_is_not_finite_is_nan_and_never_clipped_to_an_amplitude() -> None:
    values = np.array([np.nan, np.inf, -np.inf, 3e38, -3e38], dtype=np.float32)
    found = SurveyScale().of({"5": -1e-3, "50": 0.0, "95": 1e-3})(values)
    assert np.isnan(found[:3]).all()
    assert found[3:].tolist() == [8, -8]


@given(
    n=st.integers(2, 60), cut=st.integers(0, 59), length=st.integers(1, 60), equal_depths=st.booleans(),
    seed=st.integers(0, 9),
)  # fmt: skip
def test_a_part_of_a_survey_is_scaled_as_the_whole_is(
    n: int, cut: int, length: int, equal_depths: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(3, n)).astype(np.float32)
    scaling = SurveyScale(equal_depths=equal_depths).of(PERCENTILES, rng.uniform(0, 5, 16).tolist())
    first = min(cut, n - 1)
    part = values[:, first : first + length]
    assert np.array_equal(scaling(part, first=first, n_time=n), scaling(values)[:, first : first + length])


@pytest.mark.parametrize("percentile", KNOWN)
def test_an_array_scales_itself_so_that_its_percentiles_are_one_apart_from_the_middle(percentile: float) -> None:
    values = np.random.default_rng(0).laplace(size=(50, 200)) * 300 + 20
    values[:5] = 0
    values[7, 3] = np.nan
    found = SurveyScale(percentile=percentile, clip=None).of_values(values)(values)
    known = found[np.isfinite(found) & (values != 0)]
    low, middle, high = np.percentile(known, (100 - percentile, 50, percentile))
    assert high - low == pytest.approx(2, rel=1e-5)
    assert middle == pytest.approx(0, abs=1e-6)


def test_depths_are_made_equal_between_the_middles_of_their_windows() -> None:
    levels = [1.0] * 8 + [4.0] * 8
    n = 1600
    gains = SurveyScale(equal_depths=True, clip=None).of({"5": -1.0, "50": 0.0, "95": 1.0}, levels)(np.ones(n))
    # The usual level is the median, 2.5; within half a window of the ends the gain is constant
    assert gains[:50] == pytest.approx(2.5)
    assert gains[-50:] == pytest.approx(2.5 / 4)
    assert gains[n // 2 - 1 : n // 2 + 1] == pytest.approx(1, rel=0.02)


def test_windows_without_samples_or_almost_silent_are_not_blown_up() -> None:
    levels = [np.nan, 0.0, 1e-6, *[2.0] * 13]
    gains = SurveyScale(equal_depths=True, clip=None).of({"5": -1.0, "50": 0.0, "95": 1.0}, levels)(np.ones(1600))
    assert gains[:50] == pytest.approx(1)
    assert gains.max() == pytest.approx(10, rel=1e-5)
    mostly_silent = [1.0, *[0.0] * 14, 1.0]
    gains = SurveyScale(equal_depths=True).of({"5": -1.0, "50": 0.0, "95": 1.0}, mostly_silent)(np.ones(1600))
    assert np.isfinite(gains).all()
    assert gains[0] == pytest.approx(1)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.zeros((4, 20)), "all samples are 0 or not finite"),
        (np.full((4, 20), np.nan), "all samples are 0 or not finite"),
        (np.full((4, 20), 7.0), "90 % of the samples are 7, .* the volume is constant"),
    ],
)
def test_a_survey_without_anything_to_see_is_refused(values: np.ndarray, said: str) -> None:
    with pytest.raises(DataError, match=said):
        SurveyScale().of_values(values)


def test_a_fingerprint_without_samples_is_refused_in_the_same_words() -> None:
    with pytest.raises(DataError, match="all samples are 0 or not finite"):
        SurveyScale().of({"5": float("nan"), "50": float("nan"), "95": float("nan")})


def test_a_percentile_that_no_fingerprint_has_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"a survey.s fingerprint has 75, 95, 99, 99\.5, 99\.9"):
        SurveyScale(percentile=90)
