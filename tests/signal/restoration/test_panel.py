"""What a panel must be, and what is said of one that is not."""

from __future__ import annotations

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.signal.restoration.panel import checked, checked_positions, put_back

X = np.ones((4, 6))


@pytest.mark.parametrize(
    ("values", "live", "said"),
    [
        (np.ones(6), None, "axes \\(trace, time\\)"),
        (np.ones((4, 0)), None, "at least a sample"),
        (X, np.ones(3, dtype=bool), "needs bool \\(4,\\)"),
        (X, np.ones(4), "type float64"),
        (X, np.zeros(4, dtype=bool), "all traces of the panel are dead"),
        (np.where(np.arange(4)[:, None] == 2, np.inf, X), None, "1 live traces .* the first is trace 2"),
    ],
)
def test_what_is_no_panel_is_refused_with_its_reason(values: np.ndarray, live: np.ndarray | None, said: str) -> None:
    with pytest.raises(DataError, match=said):
        checked(values, live)


def test_integers_become_floats_and_dead_traces_zeros() -> None:
    live = np.array([True, False, True, True])
    values, mask = checked(np.full((4, 6), 3), live)
    assert values.dtype == np.float64
    assert values.sum(axis=1).tolist() == [18, 0, 18, 18]
    assert mask is not live


@pytest.mark.parametrize("places", [[0, 1, 1, 2], [0, 2, 1, 3], [0, 1, 2], [0, 1, np.nan, 3]])
def test_positions_that_do_not_increase_are_refused(places: list[float]) -> None:
    with pytest.raises(DataError, match="4 finite numbers that increase"):
        checked_positions(np.array(places), 4)


def test_live_traces_are_put_back_in_their_type() -> None:
    live = np.array([True, False])
    back = put_back(np.full((2, 2), 9.0), np.ones((2, 2), dtype=np.float32), live)
    assert back.dtype == np.float32
    assert back.tolist() == [[1, 1], [9, 9]]
