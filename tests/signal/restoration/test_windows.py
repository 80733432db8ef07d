"""Windows that are cut and joined are the panel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seisloom.errors import DataError
from seisloom.signal.restoration.windows import Windows


@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 60)), n_traces=st.integers(2, 50), n_samples=st.integers(4, 70)
)
def test_joined_windows_are_the_panel_for_any_size(shape: tuple[int, int], n_traces: int, n_samples: int) -> None:
    panel = np.random.default_rng(0).normal(size=shape)
    windows = Windows.of(shape, n_traces, n_samples)
    cut = windows.cut(panel)
    assert cut.shape == (windows.n_windows, *windows.size)
    np.testing.assert_allclose(windows.join(cut), panel, atol=1e-12)


def test_each_sample_is_seen_by_two_windows_at_least_and_traces_go_with_their_windows() -> None:
    windows = Windows.of((50, 100), 20, 32)
    seen = np.zeros((50, 100 + 64))
    for trace in windows.first_trace:
        for sample in windows.first_sample:
            seen[trace : trace + 20, sample : sample + 32] += 1
    assert seen[:, 32:-32].min() >= 2
    panel = np.broadcast_to(np.arange(50.0)[:, None], (50, 100))
    heard = windows.cut(panel).max(axis=2) > 0
    numbers = windows.cut_traces(np.arange(50))
    np.testing.assert_allclose(windows.cut(panel) / windows.fade, numbers[..., None] * (windows.cut(panel) > 0))
    assert heard.any()


@pytest.mark.parametrize("size", [(1, 32), (8, 3)])
def test_windows_that_are_too_small_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(DataError, match="2 and 4 are the least"):
        Windows.of((50, 100), *size)
