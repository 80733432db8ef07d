"""Consistency without labels: near-repeat shots must be picked at the lag that their waveforms have."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from seisloom.errors import DataError
from seisloom.sample import Array

WITHIN = (1, 3, 5, 9)
"""Tolerances in samples."""


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
    shot: Array,
    fs_hz: float,
    min_correlation: float = 0.9,
    min_shot_correlation: float = 0.7,
    max_lag_s: float = 0.01,
    sample_s: float | None = None,
) -> dict[str, float | int]:
    """Return how well pick differences of near-repeat shots agree with their cross-correlation lag.

    Two shots are near-repeats when the median correlation of their common stations exceeds `min_shot_correlation`:
    without this, narrow-band traces of distant shots match by chance, a cycle off. Of these shots every station
    whose two traces correlate above `min_correlation` counts. No label is needed. The window of the traces must not
    be cut around the picks: the lag would follow them.

    Args:
        traces: one window of the record for all, with the first arrivals in it, band-passed if the record is noisy,
            shape (trace, time).
        time_s: picks in s, shape (trace,); NaN where there is none.
        station, shot: labels of each trace, shape (trace,); one line at a time.
        fs_hz: sampling rate of `traces`.
        min_correlation: least normalised correlation of a pair of traces.
        min_shot_correlation: least median correlation of a pair of shots.
        max_lag_s: largest lag that is tried; pairs at its end are left out, their lag may be larger.
        sample_s: unit of the tolerances in s; by default 1 / fs_hz.
    Returns:
        n_shot_pairs, n_pairs (of traces with two picks), n_pairs_unpicked, within_1/3/5/9 (share of trace pairs whose
        disagreement is at most so many samples), sd and median_abs of the disagreement in samples; NaN without pairs.
    """
    traces, time_s = np.asarray(traces, float), np.asarray(time_s, float)
    station, shot = np.asarray(station).astype(str), np.asarray(shot).astype(str)
    if traces.ndim != 2 or any(one.shape != traces.shape[:1] for one in (time_s, station, shot)):
        raise DataError(
            f"near-repeats: traces {traces.shape}, picks {time_s.shape}, stations {station.shape}, shots {shot.shape}; "
            "give (trace, time) and (trace,)"
        )
    max_lag = round(max_lag_s * fs_hz)
    if not 0 < max_lag < traces.shape[1]:
        raise DataError(f"near-repeats: a lag of {max_lag_s} s is {max_lag} samples, the traces have {traces.shape[1]}")
    n_shot_pairs, disagreements = 0, []
    of_shot = {name: dict(zip(station[shot == name], np.flatnonzero(shot == name), strict=True)) for name in set(shot)}
    for first, second in combinations(sorted(of_shot), 2):
        common = sorted(of_shot[first].keys() & of_shot[second].keys())
        one, other = (np.array([of_shot[name][place] for place in common], int) for name in (first, second))
        if not common:
            continue
        found = [correlation_lag(traces[i], traces[j], max_lag=max_lag) for i, j in zip(one, other, strict=True)]
        correlation, lag = np.array(found).T
        if np.median(correlation) <= min_shot_correlation:
            continue
        n_shot_pairs += 1
        alike = (correlation > min_correlation) & (np.abs(lag) < max_lag)
        disagreements.append((time_s[other] - time_s[one] - lag / fs_hz)[alike])
    everywhere = np.concatenate(disagreements) if disagreements else np.zeros(0)
    return {
        "n_shot_pairs": n_shot_pairs,
        "n_pairs_unpicked": int(np.isnan(everywhere).sum()),
        **_agreement(everywhere[~np.isnan(everywhere)] * (fs_hz if sample_s is None else 1 / sample_s)),
    }


def _agreement(disagreement: Array) -> dict[str, float | int]:
    """Shares and spread of disagreements in samples."""
    if not disagreement.size:
        return {"n_pairs": 0, **dict.fromkeys((*(f"within_{k}" for k in WITHIN), "sd", "median_abs"), float("nan"))}
    size = np.abs(disagreement)
    return {
        "n_pairs": int(size.size),
        **{f"within_{k}": float(np.mean(size <= k)) for k in WITHIN},
        "sd": float(disagreement.std()),
        "median_abs": float(np.median(size)),
    }
