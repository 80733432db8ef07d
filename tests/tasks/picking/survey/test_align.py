"""Alignment of traces and shots: never a neighbour's label."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seisloom.tasks.picking.survey.align import Alignment, align

COUNT = "trace_sequence_line"


def of(numbers: list[int], shots: list[int], **options: object) -> Alignment:
    return align({"field_record": np.array(numbers)}, shots, **options)  # type: ignore[arg-type]


def test_one_missing_shot_shifts_no_label() -> None:
    """The ancestor's greedy match gave 1, 2, 3, 4, 5, 6, 7 here."""
    found = of([1, 2, 4, 5, 6, 7, 8], list(range(1, 9)))
    assert found.shot_id.tolist() == [1, 2, 4, 5, 6, 7, 8]
    assert set(found.how) == {"exact"}


def test_a_count_of_traces_is_no_shot_number_when_one_is_missing() -> None:
    """The count 1..7 lies in the list 1..8 as a whole; the field record has one number that does not."""
    headers = {COUNT: np.arange(1, 8), "field_record": np.array([1, 2, 4, 5, 6, 7, 99])}
    found = align(headers, range(1, 9))
    assert found.header == "field_record"
    assert found.shot_id.tolist() == [1, 2, 4, 5, 6, 7, -1]


def test_a_count_alone_is_order_and_no_more() -> None:
    assert set(align({COUNT: np.arange(1, 8)}, range(1, 9)).how) == {"none"}
    found = align({COUNT: np.arange(1, 9)}, range(1, 9))
    assert found.shot_id.tolist() == list(range(1, 9))
    assert set(found.how) == {"index"}


def test_shot_numbers_in_the_place_of_a_count_are_believed() -> None:
    found = align({COUNT: np.array([1001, 1002, 1004])}, range(1001, 1005))
    assert found.shot_id.tolist() == [1001, 1002, 1004]
    assert set(found.how) == {"exact"}


@given(
    shots=st.lists(st.integers(0, 10**6), min_size=2, max_size=60, unique=True),
    data=st.data(),
)
def test_exact_numbers_are_never_changed_whatever_is_missing(shots: list[int], data: st.DataObject) -> None:
    kept = [one for one in shots if data.draw(st.booleans())] or shots[:1]
    found = of(kept, shots)
    assert found.shot_id.tolist() == kept
    assert found.tolerant == ()


@given(
    shots=st.lists(st.integers(0, 300), min_size=3, max_size=40, unique=True),
    data=st.data(),
)
def test_no_shot_is_given_to_two_traces_and_none_farther_than_the_tolerance(
    shots: list[int], data: st.DataObject
) -> None:
    numbers = [one + data.draw(st.sampled_from([0, 0, 0, -2, -1, 1, 2, 5])) for one in shots]
    found = of(numbers, shots, tolerance=2)
    listed, given_ = set(shots), np.array(numbers)
    for k, how in enumerate(found.how):
        if how == "exact":
            assert found.shot_id[k] == given_[k]
        if how == "tolerant":
            free = [one for one in listed - set(numbers) if abs(one - given_[k]) <= 2]
            rivals = [n for n in numbers if n not in listed and abs(n - free[0]) <= 2]
            assert (free, len(rivals)) == ([found.shot_id[k]], 1)
    tolerant = [shot for _, _, shot in found.tolerant]
    assert len(set(tolerant)) == len(tolerant)


def test_a_tolerant_match_is_taken_where_it_is_one_to_one() -> None:
    found = of([10, 20, 31, 40], [10, 20, 30, 40])
    assert found.shot_id.tolist() == [10, 20, 30, 40]
    assert found.tolerant == ((2, 31, 30),)
    assert found.how == ("exact", "exact", "tolerant", "exact")


@pytest.mark.parametrize(
    ("numbers", "shots"),
    [
        ([10, 20, 31, 40, 50], [10, 20, 30, 32, 40, 50]),  # two free shots are as near
        ([10, 20, 29, 31, 40, 50], [10, 20, 30, 40, 50]),  # two traces are as near
        ([10, 20, 33, 40, 50], [10, 20, 30, 40, 50]),  # too far
        ([10, 20, 21, 40, 50], [10, 20, 40, 50]),  # its neighbour has a trace already
    ],
)
def test_an_ambiguous_match_is_no_match(numbers: list[int], shots: list[int]) -> None:
    found = of(numbers, shots)
    assert found.tolerant == ()
    assert [how for how in found.how if how != "exact"] in ([], ["none"], ["none", "none"])


def test_a_tolerance_of_zero_matches_exactly() -> None:
    assert of([10, 20, 31, 40], [10, 20, 30, 40], tolerance=0).shot_id.tolist() == [10, 20, -1, 40]


def test_a_constant_word_explains_nothing() -> None:
    headers = {"energy_source_point": np.ones(8, dtype=int), "field_record": np.array([1, 2, 4, 5, 6, 7, 8, 9])}
    found = align(headers, range(1, 10))
    assert found.header == "field_record"
    assert set(align({"energy_source_point": np.ones(7, dtype=int)}, range(1, 10)).how) == {"none"}


def test_a_word_that_takes_few_values_explains_nothing() -> None:
    """A line number, 1 and 2, in a file of many shots that are numbered from 1."""
    assert set(align({"ensemble": np.repeat([1, 2], 20)}, range(1, 100)).how) == {"none"}


def test_the_header_with_most_shots_wins_and_the_scores_say_so() -> None:
    headers = {
        "energy_source_point": np.array([1, 2, 3, 900, 901]),
        "field_record": np.array([5, 4, 3, 2, 1]),
        "shot_point": np.zeros(5, dtype=int),
    }
    found = align(headers, range(1, 6))
    assert found.header == "field_record"
    assert found.shot_id.tolist() == [5, 4, 3, 2, 1]
    scores = {one.header: one for one in found.scores}
    assert [scores[name].matches for name in headers] == [3, 5, 0]
    assert scores["field_record"].monotone == 1.0  # down the line
    assert scores["shot_point"].distinct == 1


def test_of_two_headers_that_match_alike_the_monotone_one_wins() -> None:
    headers = {"energy_source_point": np.array([3, 1, 4, 2]), "field_record": np.array([1, 2, 3, 4])}
    assert align(headers, range(1, 5)).header == "field_record"


def test_order_is_used_only_when_the_counts_agree_or_it_is_allowed() -> None:
    numbers = [0, 0, 0]
    assert of(numbers, [7, 8, 9]).shot_id.tolist() == [7, 8, 9]
    assert set(of(numbers, [7, 8, 9]).how) == {"index"}
    assert set(of(numbers, [7, 8, 9, 10]).how) == {"none"}
    assert of(numbers, [7, 8, 9, 10], by_index=True).shot_id.tolist() == [7, 8, 9]
    longer = of(numbers, [7, 8], by_index=True)
    assert longer.shot_id.tolist() == [7, 8, -1]
    assert longer.how == ("index", "index", "none")


def test_order_is_not_used_where_it_is_ruled_out_although_the_counts_agree() -> None:
    assert set(of([0, 0, 0], [7, 8, 9], by_index=False).how) == {"none"}  # type: ignore[arg-type]


def test_numbers_are_used_before_order_even_if_order_is_allowed() -> None:
    assert of([1, 2, 4], [1, 2, 3, 4], by_index=True).shot_id.tolist() == [1, 2, 4]


def test_components_share_a_shot_and_a_double_is_told() -> None:
    assert of([1, 1, 1, 2, 2, 2], [1, 2, 3]).duplicates == ()
    found = of([1, 2, 2, 3, 4], [1, 2, 3, 4])
    assert found.duplicates == (2,)


def test_a_header_that_explains_less_than_half_is_believed_only_when_told_to() -> None:
    numbers = [1, 2, 50, 51, 52, 53]
    assert set(of(numbers, range(1, 8)).how) == {"none"}  # type: ignore[arg-type]
    assert of(numbers, range(1, 8), enough=0).shot_id.tolist() == [1, 2, -1, -1, -1, -1]  # type: ignore[arg-type]


def test_what_was_tried_is_told_where_nothing_was_matched_and_only_there() -> None:
    headers = {"field_record": np.array([1, 2, 50, 51, 52]), "byte_237": np.ones(5, dtype=int)}
    why = align(headers, [1, 2, 3, 4]).why_none
    assert "field_record, byte 9: 2 (2 shots), byte_237: 5 (1 shot); 3 are needed" in why
    assert of([1, 2, 3], [1, 2, 3]).why_none == ""
    assert of([0, 0, 0], [7, 8, 9]).why_none == ""
    assert "; 1 are needed" in of([9, 9], [1, 2, 3], enough=0).why_none


def test_a_hundred_thousand_wrong_numbers_take_no_time_and_no_memory() -> None:
    """A matrix of all pairs would hold 10**10 of them."""
    shots = np.arange(0, 2_000_000, 10)
    numbers = np.r_[shots[:100_000], shots[100_000:] + 1]
    found = align({"field_record": numbers}, shots.tolist())
    assert len(found.tolerant) == 100_000
    np.testing.assert_array_equal(found.shot_id, shots)
