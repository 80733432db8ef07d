import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seisloom.errors import DataError
from seisloom.metrics.orientation import (
    angles_of,
    check_degrees,
    dip_error_deg,
    normal_error_deg,
    normal_of,
    orientation_scores,
    strike_error_deg,
    time_sample_m,
    to_earth,
)

ANGLES = st.floats(0, 180, allow_subnormal=False)


@given(dip=ANGLES, strike=ANGLES, length=st.floats(1e-3, 1e3), sign=st.sampled_from([-1, 1]))
def test_angles_of_is_the_inverse_whatever_length_and_sign(dip: float, strike: float, length: float, sign: int) -> None:
    normal = normal_of(np.array(dip), np.array(strike))
    d, s = angles_of(sign * length * normal)
    assert 0 <= d <= 180
    assert 0 <= s < 180
    assert normal_error_deg(normal_of(d, s), normal) < 1e-6
    if 1e-3 < dip < 180 - 1e-3 and strike < 180 - 1e-6:
        assert (d, s) == (pytest.approx(dip, abs=1e-6), pytest.approx(strike, abs=1e-6))


def test_angles_at_the_seams_have_one_name() -> None:
    dip, strike = angles_of(normal_of(np.array([60.0, 0, 90]), np.array([180.0, 70, 180])))
    np.testing.assert_allclose(dip, [120, 0, 90], atol=1e-6)
    np.testing.assert_allclose(strike, [0, 0, 0], atol=1e-6)
    assert angles_of(np.array([1.0, 0, 0])) == (0, 0)
    assert np.isnan(angles_of(np.zeros(3))).all()


def test_the_normal_is_that_of_a_plane_of_known_dip_and_strike() -> None:
    # Two directions in the plane: along strike, level, and down its dip
    d, s = np.radians(70), np.radians(30)
    level = np.array([0, np.sin(s), np.cos(s)])
    down = np.array([np.sin(d), np.cos(d) * np.cos(s), -np.cos(d) * np.sin(s)])
    normal = normal_of(np.array(70.0), np.array(30.0))
    np.testing.assert_allclose([normal @ level, normal @ down, normal @ normal], [0, 0, 1], atol=1e-12)


def test_the_angle_between_planes_has_no_sign_and_is_exact_where_it_is_small() -> None:
    one, other = normal_of(np.array(50.0), np.array(20.0)), normal_of(np.array(50.0 + 1e-9), np.array(20.0))
    assert normal_error_deg(one, other) == pytest.approx(1e-9, rel=1e-4)
    assert normal_error_deg(one, -other) == normal_error_deg(one, other)
    assert normal_error_deg(np.array([1.0, 0, 0]), np.array([0, 1.0, 0])) == 90
    assert np.isnan(normal_error_deg(np.zeros(3), one))


def test_dip_and_strike_errors_do_not_jump_where_strike_wraps() -> None:
    one, other = (normal_of(np.array(d), np.array(s)) for d, s in ((60, 179.9), (120, 0.1)))
    assert dip_error_deg(one, other) == pytest.approx(0, abs=1e-9)
    assert strike_error_deg(np.array(179.9), np.array(0.1)) == pytest.approx(0.2)
    assert normal_error_deg(one, other) < 0.2


@given(dips=st.tuples(ANGLES, ANGLES), strikes=st.tuples(ANGLES, ANGLES))
def test_the_dip_error_is_at_most_the_angle_between_the_planes(dips: tuple, strikes: tuple) -> None:
    one, other = (normal_of(np.array(d), np.array(s)) for d, s in zip(dips, strikes, strict=True))
    assert dip_error_deg(one, other) <= normal_error_deg(one, other) + 1e-5


def test_45_degrees_at_4_ms_and_12_5_m_are_not_45_degrees_of_the_earth() -> None:
    sample_m = time_sample_m(2500.0, 0.004)
    assert sample_m == 5
    dip, strike = to_earth(np.array(45.0), np.array(0.0), sample_m=sample_m, crossline_m=12.5, inline_m=25)
    assert np.tan(np.radians(dip)) == pytest.approx(5 / 12.5)  # (v dt / 2) / bin
    assert strike == 0
    dip, strike = to_earth(np.array(45.0), np.array(90.0), sample_m=sample_m, crossline_m=12.5, inline_m=25)
    assert (np.tan(np.radians(dip)), strike) == (pytest.approx(5 / 25), pytest.approx(90))


@given(dip=st.floats(1, 179), strike=st.floats(0, 179), steps=st.tuples(*[st.floats(1, 50)] * 3))
def test_there_and_back_gives_the_same_plane(dip: float, strike: float, steps: tuple) -> None:
    there = to_earth(np.array(dip), np.array(strike), sample_m=steps[0], crossline_m=steps[1], inline_m=steps[2])
    back = to_earth(*there, sample_m=1 / steps[0], crossline_m=1 / steps[1], inline_m=1 / steps[2])
    assert normal_error_deg(normal_of(*back), normal_of(np.array(dip), np.array(strike))) < 1e-6


def test_the_earth_plane_holds_the_same_points() -> None:
    steps = np.array([4.0, 12.5, 25.0])
    normal = normal_of(np.array(65.0), np.array(37.0))
    in_plane = np.cross(normal, [0.3, -1.0, 0.4])  # in samples, (depth, crossline, inline)
    earth = normal_of(*to_earth(np.array(65.0), np.array(37.0), sample_m=4.0, crossline_m=12.5, inline_m=25.0))
    assert earth @ (in_plane * steps) == pytest.approx(0, abs=1e-9)


def test_a_velocity_of_each_voxel_gives_an_angle_of_each() -> None:
    dip, _ = to_earth(np.full(2, 45.0), np.zeros(2), sample_m=np.array([5.0, 10.0]), crossline_m=10, inline_m=10)
    np.testing.assert_allclose(np.tan(np.radians(dip)), [0.5, 1])
    with pytest.raises(DataError, match="above 0"):
        to_earth(np.array(45.0), np.array(0.0), sample_m=0.0, crossline_m=10, inline_m=10)


@pytest.mark.parametrize(("factor", "words"), [(np.pi / 180, "radians.*180 / pi"), (1 / 180, "shares of 180")])
def test_angles_that_are_no_degrees_are_refused_with_the_mend(factor: float, words: str) -> None:
    fault, angle = np.array([1, 1, 0]), np.array([70.0, 110.0, 0.0])
    check_degrees(angle, angle, fault)
    with pytest.raises(DataError, match=f"survey 7: .*{words}"):
        check_degrees(angle * factor, angle * factor, fault, where="survey 7")


def test_angles_outside_the_range_are_refused_and_none_off_faults_are_looked_at() -> None:
    fault = np.array([1, 0])
    check_degrees(np.array([70.0, 0.001]), np.array([2.0, 999.0]), fault)
    check_degrees(np.array([1.0, 1.0]), np.array([1.0, 1.0]), np.zeros(2))
    check_degrees(np.array([np.nan]), np.array([np.nan]), np.ones(1))
    with pytest.raises(DataError, match="angles_of"):
        check_degrees(np.array([70.0, 0]), np.array([250.0, 0]), fault)


def test_scores_of_a_plane_tilted_by_a_known_angle() -> None:
    fault = np.zeros((6, 8, 10), int)
    fault[:, 4] = 1
    dip, strike = np.full(fault.shape, 60.0), np.full(fault.shape, 0.0)
    predicted = -5 * normal_of(dip + 4, strike)
    skeleton = np.roll(fault == 1, 2, axis=1)
    for tolerance, n in ((1, 0), (2, 60)):
        scores = orientation_scores(predicted, dip, strike, fault, skeleton=skeleton, tolerance=tolerance)
        assert scores["matched"]["n"] == n
    for one in scores.values():
        assert [one[f"normal_{name}"] for name in ("mean", "median", "p90")] == pytest.approx([4, 4, 4])
        assert (one["dip_mean"], one["strike_mean"]) == (pytest.approx(4), pytest.approx(0, abs=1e-6))
    assert set(orientation_scores(predicted, dip, strike, fault)) == {"true"}


def test_matched_voxels_take_the_truth_of_the_nearest_label() -> None:
    fault = np.zeros((1, 20, 5), int)
    fault[0, [4, 14]] = 1
    dip = np.where(np.arange(20)[None, :, None] < 9, 60.0, 110.0) * np.ones((1, 1, 5))
    dip = np.where(fault == 1, dip, np.nan)
    strike = np.where(fault == 1, 10.0, np.nan)
    skeleton = np.zeros(fault.shape, bool)
    skeleton[0, [5, 13]] = True
    predicted = normal_of(
        np.where(np.arange(20)[None, :, None] < 9, 60.0, 110.0) * np.ones((1, 1, 5)), np.full(fault.shape, 10.0)
    )
    scores = orientation_scores(predicted, dip, strike, fault, skeleton=skeleton)["matched"]
    assert (scores["n"], scores["normal_mean"]) == (10, pytest.approx(0, abs=1e-6))


def test_unknown_voxels_and_missing_normals_are_counted_apart() -> None:
    fault = np.array([[1, 1, -1, 1]])
    dip, strike = np.array([[60.0, 60, 60, np.nan]]), np.full((1, 4), 20.0)
    predicted = normal_of(np.full((1, 4), 60.0), strike)
    predicted[:, 0, 1] = 0
    scores = orientation_scores(predicted, dip, strike, fault)["true"]
    assert (scores["n"], scores["n_without_normal"]) == (1, 1)
    empty = orientation_scores(predicted, dip, strike, np.zeros((1, 4)), skeleton=np.ones((1, 4), bool))
    assert np.isnan(empty["true"]["normal_mean"])
    assert empty["matched"]["n"] == 0
