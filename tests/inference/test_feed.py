"""Batches under way at once: in their order, and no more of them than were asked for."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from seisloom.inference.feed import in_flight


def test_two_items_are_under_way_at_once_and_come_back_in_their_order() -> None:
    both = threading.Barrier(2, timeout=10)

    def work(k: int) -> int:
        both.wait()  # with one at a time nobody would come
        return 10 * k

    assert list(in_flight(work, iter(range(6)), 2)) == [0, 10, 20, 30, 40, 50]


def test_one_item_runs_in_the_thread_of_the_caller() -> None:
    assert set(in_flight(lambda _: threading.get_ident(), iter(range(3)), 1)) == {threading.get_ident()}


def test_no_more_items_are_taken_than_are_under_way() -> None:
    taken = []

    def items() -> Iterator[int]:
        for k in range(9):
            taken.append(k)
            yield k

    results = in_flight(lambda k: k, items(), 2)
    assert next(results) == 0
    assert taken == [0, 1]


def test_an_error_reaches_the_caller() -> None:
    def work(k: int) -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        list(in_flight(work, iter(range(3)), 2))
