"""Consistency without labels: near-repeat shots must be picked at the lag that their waveforms have."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array


def correlation_lag(first: Array, second: Array, *, max_lag: int) -> tuple[float, float]:
    """Return the largest normalised cross-correlation of two traces, and the lag of the second in samples.

    Args:
        first, second: shape (time,), same length, finite.
        max_lag: largest lag that is tried, in samples.
    Returns:
        correlation, -1 to 1 (0 if a trace is silent), and lag: positive where the second is late; between samples
        by a parabola through three points, whole at the ends of the range.
    """
    first, second = first - first.mean(), second - second.mean()
    energy = np.sqrt(np.sum(first**2) * np.sum(second**2))
    if energy == 0:
        return 0.0, 0.0
    n = 1 << int(np.ceil(np.log2(first.size + max_lag + 1)))
    spectrum = np.fft.rfft(second, n) * np.conj(np.fft.rfft(first, n))
    both = np.fft.irfft(spectrum, n) / energy
    correlation = np.concatenate([both[-max_lag:], both[: max_lag + 1]]) if max_lag else both[:1]
    top = int(np.argmax(correlation))
    lag = float(top - max_lag)
    if 0 < top < correlation.size - 1:
        left, mid, right = correlation[top - 1 : top + 2]
        bend = left - 2 * mid + right
        lag += float(0.5 * (left - right) / bend) if bend < 0 else 0.0
    return float(correlation[top]), lag


def near_repeat_consistency(
    traces: Array,
    time_s: Array,
    *,
    station: Array,
    fs_hz: float,
    min_correlation: float = 0.9,
    max_lag_s: float = 0.02,
    sample_s: float | None = None,
) -> dict[str, float | int]:
    """Return how well pick differences of near-repeat shots agree with their cross-correlation lag.

    All pairs of one station whose traces correlate above `min_correlation` count; no label is needed. The window of
    the traces must not be cut around the picks: then the lag would follow them.

    Args:
        traces: one window of the record for all, band-passed if the record is noisy, shape (trace, time).
        time_s: picks in s, shape (trace,); NaN where there is none.
        station: label of each trace's station, shape (trace,).
        fs_hz: sampling rate of `traces`.
        min_correlation: least normalised correlation of a near-repeat pair.
        max_lag_s: largest lag that is tried; pairs at its end are left out, their lag may be larger.
        sample_s: unit of the tolerances; by default 1 / fs_hz.
    Returns:
        n_pairs (near-repeats with two picks), n_pairs_unpicked, within_1/3/5/9 (share of pairs whose disagreement is
        at most so many samples; NaN without pairs), sd and median_abs of the disagreement in samples.
    """
    traces, time_s, labels = np.asarray(traces, float), np.asarray(time_s, float), np.asarray(station).astype(str)
    if traces.ndim != 2 or time_s.shape != traces.shape[:1] or labels.shape != traces.shape[:1]:
        raise DataError(
            f"near-repeats: traces {traces.shape}, picks {time_s.shape}, stations {labels.shape}; "
            "give (trace, time), (trace,), (trace,)"
        )
    max_lag = round(max_lag_s * fs_hz)
    if not 0 < max_lag < traces.shape[1]:
        raise DataError(f"near-repeats: a lag of {max_lag_s} s is {max_lag} samples, the traces have {traces.shape[1]}")
    sample_s = 1 / fs_hz if sample_s is None else sample_s
    disagreement, n_unpicked = [], 0
    for name in np.unique(labels):
        for one, other in combinations(np.flatnonzero(labels == name), 2):
            correlation, lag = correlation_lag(traces[one], traces[other], max_lag=max_lag)
            if correlation <= min_correlation or abs(lag) >= max_lag:
                continue
            difference = time_s[other] - time_s[one] - lag / fs_hz
            if np.isnan(difference):
                n_unpicked += 1
            else:
                disagreement.append(difference / sample_s)
    found = np.array(disagreement)
    nan = float("nan")
    within = {f"within_{k}": float(np.mean(np.abs(found) <= k + 1e-6)) if found.size else nan for k in (1, 3, 5, 9)}
    return {
        "n_pairs": int(found.size),
        "n_pairs_unpicked": n_unpicked,
        **within,
        "sd": float(found.std()) if found.size else nan,
        "median_abs": float(np.median(np.abs(found))) if found.size else nan,
    }
