"""A compiled loop over whole traces: where they begin and end, how their amplitudes are spread, and their energy.

Each sample is touched while it is in the cache; NumPy takes a pass over memory for each of these questions.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from seisloom.sample import Array

SIGN = np.uint32(1 << 31)
NOT_FINITE = np.uint32(0x7F800000)
"""The exponent of infinities and of what is not a number, IEEE 754 single precision."""


@njit(cache=True, nogil=True)
def measure_traces(
    values: Array, shift: np.uint32, edges: Array, counts: Array, counted: Array
) -> tuple[Array, Array, Array]:
    """Measure the samples of traces from the first that is not 0 to the last, without those that are not finite.

    Args:
        values: amplitudes, float32 (trace, time), contiguous.
        shift: bits of a float that do not tell its bin, see `AmplitudeSketch`.
        edges: samples at which windows begin, and the end of the last, int64 (window + 1,).
        counts: samples in each bin, int64 (bin,); added to.
        counted: samples in each window, int64 (window,); added to.
    Returns:
        First and last index of what is not 0 in each trace, int64 (trace,), of a dead one (n_time, -1); and sums of
        squares, float64 (trace, window). Along a trace they are added one after the other, so they do not depend on
        the traces beside it.
    """
    n_traces, n_time = values.shape
    first, last = np.empty(n_traces, np.int64), np.empty(n_traces, np.int64)
    squares = np.empty((n_traces, len(counted)))
    for trace in range(n_traces):
        row = values[trace]
        bits = row.view(np.uint32)
        begin, end = 0, n_time
        while begin < n_time and row[begin] == 0:
            begin += 1
        while end > begin and row[end - 1] == 0:
            end -= 1
        first[trace], last[trace] = begin, end - 1 if begin < end else -1
        for window in range(len(counted)):
            total, n = 0.0, 0
            for k in range(max(edges[window], begin), min(edges[window + 1], end)):
                if bits[k] & NOT_FINITE == NOT_FINITE:
                    continue
                # The bits of positive floats rise with them, those of negative ones fall
                order = ~bits[k] if bits[k] & SIGN else bits[k] | SIGN
                counts[order >> shift] += 1
                total += np.float64(row[k]) ** 2
                n += 1
            counted[window] += n
            squares[trace, window] = total
    return first, last, squares
