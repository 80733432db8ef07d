"""Windows over whole records: where they lie, and that a result does not depend on what runs together."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seisloom.inference.windows import predict_in_batches, window_starts
from seisloom.sample import Arrays


@given(n_time=st.integers(1, 500), n_window=st.integers(1, 200), overlap=st.floats(0, 0.99))
def test_windows_cover_the_record_and_overlap_as_asked(n_time: int, n_window: int, overlap: float) -> None:
    starts = window_starts(n_time, n_window, overlap=overlap)
    assert starts[0] == 0
    if n_time <= n_window:
        assert len(starts) == 1
        return
    assert starts[-1] == n_time - n_window
    steps = np.diff(starts)
    assert (steps > 0).all()
    assert steps.max() <= max(n_window * (1 - overlap), 1)
    covered = np.zeros(n_time, dtype=bool)
    for start in starts:
        covered[start : start + n_window] = True
    assert covered.all()
    # No window too many: without the last one the record would not be covered
    assert starts[-2] + n_window < n_time


@given(n_items=st.integers(1, 17), batch_size=st.integers(1, 6))
def test_every_call_has_the_same_size_and_results_come_in_order(n_items: int, batch_size: int) -> None:
    sizes = []

    def predictor(arrays: Arrays) -> Arrays:
        sizes.append(len(arrays["x"]))
        return {"twice": 2 * arrays["x"], "sum": arrays["x"].sum(axis=1) + arrays["fs"]}

    rng = np.random.default_rng(0)
    items = [{"x": rng.normal(size=5), "fs": np.asarray(float(k))} for k in range(n_items)]
    found = predict_in_batches(predictor, items, batch_size=batch_size)
    assert set(sizes) == {batch_size}
    for k, item in enumerate(items):
        assert np.array_equal(found["twice"][k], 2 * item["x"])
        assert found["sum"][k] == item["x"].sum() + k
    assert len(found["sum"]) == n_items
