"""What a compiled loop finds in traces is what NumPy finds in them, one question at a time."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from seisloom.sample import Array
from seisloom.signal.sketch import BITS, SHIFT, AmplitudeSketch
from seisloom.signal.trace_kernels import measure_traces

samples = st.one_of(st.sampled_from([0.0, -0.0, np.nan, np.inf, -np.inf]), st.floats(width=32, allow_nan=False))


@given(hnp.arrays(np.float32, st.tuples(st.integers(0, 4), st.integers(1, 30)), elements=samples), st.integers(1, 5))
def test_traces_are_measured_as_numpy_does(values: Array, n_windows: int) -> None:
    n = values.shape[1]
    edges = np.linspace(0, n, n_windows + 1).round().astype(np.int64)
    counts, counted = np.ones(1 << BITS, np.int64), np.ones(n_windows, np.int64)
    first, last, squares = measure_traces(values, SHIFT, edges, counts, counted)
    expected, n_expected = AmplitudeSketch(), np.ones(n_windows, np.int64)
    for trace, row in enumerate(values):
        there = np.flatnonzero(row)
        begin, end = (there[0], there[-1]) if there.size else (n, -1)
        assert (first[trace], last[trace]) == (begin, end)
        inside = np.isfinite(row) & (np.arange(n) >= begin) & (np.arange(n) <= end)
        expected.add(row[inside])
        for k in range(n_windows):
            window = np.arange(edges[k], edges[k + 1])
            kept = row[window][inside[window]].astype(np.float64)
            np.testing.assert_allclose(squares[trace, k], np.sum(kept**2), rtol=1e-14)
            n_expected[k] += kept.size
    np.testing.assert_array_equal(counts - 1, expected.counts)
    np.testing.assert_array_equal(counted, n_expected)


def test_a_trace_is_measured_the_same_whatever_stands_beside_it() -> None:
    values = np.random.default_rng(0).normal(size=(50, 333)).astype(np.float32)
    edges = np.array([0, 100, 333])

    def squares(some: Array) -> Array:
        return measure_traces(some, SHIFT, edges, np.zeros(1 << BITS, np.int64), np.zeros(2, np.int64))[2]

    np.testing.assert_array_equal(squares(values), np.concatenate([squares(values[k : k + 1]) for k in range(50)]))
