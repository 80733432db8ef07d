"""Medians across traces along the slope of events: spikes and erratic traces taken off, steps kept."""

from __future__ import annotations

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array
from seisloom.signal.discontinuity import reflector_slopes
from seisloom.signal.restoration.panel import checked


def median_denoise(values: Array, *, n_traces: int = 5, slope: Array | float | None = None) -> Array:
    """Return the median of each sample and its neighbours along the event through it.

    Args:
        values: (trace, time), all traces live.
        n_traces: odd; neighbours at the panel's ends are those that there are.
        slope: in samples a trace, a number or (trace, time): 0 follows equal time; None takes the structure tensor's,
            which is right for slopes below half a period a trace.
    Raises:
        DataError: see `panel.checked`; or n_traces is even.
    Source: Bednar (1983), Geophysics 48(12), 1598-1610; along slopes as Liu, Fomel & Liu (2010), Nonlinear
        structure-enhancing filtering using plane-wave prediction, Geophysical Prospecting 58, 415-427.
    """
    if n_traces < 1 or n_traces % 2 == 0:
        raise DataError(f"a median over {n_traces} traces has no middle; give an odd number")
    x, _ = checked(values)
    if slope is None:
        slope = reflector_slopes(x)[0] if min(x.shape) > 1 else 0.0
    n, n_time = x.shape
    along = np.broadcast_to(np.asarray(slope, dtype=np.float64), x.shape)
    steps = np.arange(n_traces) - n_traces // 2
    trace = np.arange(n)[:, None] + steps  # (trace, step)
    time = np.arange(n_time) + steps[:, None] * along[:, None, :]  # (trace, step, time)
    below = np.floor(time).astype(int)
    share = time - below
    row = np.clip(trace, 0, n - 1)[..., None]
    beside = (1 - share) * x[row, np.clip(below, 0, n_time - 1)] + share * x[row, np.clip(below + 1, 0, n_time - 1)]
    there = ((trace >= 0) & (trace < n))[..., None] & (time >= 0) & (time <= n_time - 1)
    return np.asarray(np.nanmedian(np.where(there, beside, np.nan), axis=1), dtype=x.dtype)
