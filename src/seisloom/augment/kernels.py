"""A compiled loop that reads traces between their samples.

torch has no such operation: by `embedding_bag` it takes four times as long for three channels, since it writes and
reads an index and a weight for each of twelve samples. With gradients, and on a GPU, that is what is used.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from seisloom.sample import Array

HALF = 6
"""Samples on each side of a place that its value is made of."""


@njit(cache=True, nogil=True, fastmath={"contract"})
def read_traces(padded: Array, places: Array, weights: Array, outside: np.float32, found: Array) -> None:
    """Fill `found` with traces read at places between samples.

    Args:
        padded: float32 (item, trace, time + 4 HALF), contiguous, 2 HALF zeros before and after each trace.
        places: in samples of the trace without zeros, float64 (item, new time), the same for all traces of an item.
        weights: float32 (phase, 2 HALF), of the samples around a place, for phases 0 to 1.
        outside: what lies beyond half a sample before the first and after the last.
        found: float32 (item, trace, new time); written to.
    """
    n_item, n_trace, n_padded = padded.shape
    n_new, n_time, n_phase = places.shape[1], n_padded - 4 * HALF, weights.shape[0] - 1
    first, phase = np.empty(n_new, np.int32), np.empty(n_new, np.int32)
    for item in range(n_item):
        n_lost = 0
        for j in range(n_new):
            place = places[item, j]
            before = np.floor(place)
            phase[j] = np.int32((place - before) * n_phase + 0.5)
            first[j] = np.int32(min(max(before, -HALF - 1.0), n_time + HALF - 1.0)) + HALF + 1
            n_lost += not (place >= -0.5 and place < n_time - 0.5)
        for trace in range(n_trace):
            row, new = padded[item, trace], found[item, trace]
            for j in range(n_new):
                x, w = row[first[j] : first[j] + 12], weights[phase[j]]
                # Written out: as a loop, whether it becomes vector instructions hangs on the compiler's mood
                new[j] = (
                    ((x[0] * w[0] + x[1] * w[1]) + (x[2] * w[2] + x[3] * w[3]))
                    + ((x[4] * w[4] + x[5] * w[5]) + (x[6] * w[6] + x[7] * w[7]))
                    + ((x[8] * w[8] + x[9] * w[9]) + (x[10] * w[10] + x[11] * w[11]))
                )
            if n_lost > 0:
                for j in range(n_new):
                    if not (places[item, j] >= -0.5 and places[item, j] < n_time - 0.5):
                        new[j] = outside
