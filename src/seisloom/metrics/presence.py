"""Is there an arrival at all? How well picks and probabilities tell traces with one from traces without."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from seisloom.sample import Array


def matthews(present: Array, said: Array) -> float:
    """Return Matthews' correlation of two yes-or-no columns: 1 always right, 0 chance, -1 always wrong.

    Args:
        present: bool, shape (trace,): there is an arrival.
        said: bool, shape (trace,): one was picked.
    Returns:
        NaN where either column is constant: nothing can be told apart then.
    Source: Matthews (1975), Biochim. Biophys. Acta 405, 442-451: the correlation coefficient of two binary columns.

    >>> matthews(np.array([True, True, False, False]), np.array([True, True, False, True]))
    0.5773502691896258
    """
    present, said = np.asarray(present, bool), np.asarray(said, bool)
    n_yes, n_said, n = int(present.sum()), int(said.sum()), present.size
    spread = math.sqrt(n_yes * (n - n_yes)) * math.sqrt(n_said * (n - n_said))
    return (n * int((present & said).sum()) - n_yes * n_said) / spread if spread else float("nan")


def roc_auc(present: Array, probability: Array) -> float:
    """Return the area under the ROC curve: how often a trace with an arrival has the larger probability of two.

    Args:
        present: bool, shape (trace,).
        probability: any rising score, shape (trace,); equal ones count half, NaN is left out.
    Returns:
        0.5 for chance, 1 for perfect; NaN without traces of both kinds.
    Source: Hanley & McNeil (1982), Radiology 143, 29-36: the area is the Mann-Whitney statistic.

    >>> roc_auc(np.array([True, True, False]), np.array([0.9, 0.4, 0.4]))
    0.75
    """
    known = ~np.isnan(np.asarray(probability, float))
    present, probability = np.asarray(present, bool)[known], np.asarray(probability, float)[known]
    n_yes, n_no = int(present.sum()), int((~present).sum())
    if n_yes == 0 or n_no == 0:
        return float("nan")
    ranks = stats.rankdata(probability)
    return float((ranks[present].sum() - n_yes * (n_yes + 1) / 2) / (n_yes * n_no))


def false_picks_per_trace_hour(present: Array, said: Array, record_s: Array) -> float:
    """Return the picks on traces without an arrival, for each hour of such traces; NaN without any.

    Args:
        present, said: bool, shape (trace,).
        record_s: length of each record in s, shape (trace,); NaN (not known) is left out.
    """
    noise = ~np.asarray(present, bool) & np.isfinite(record_s)
    hours = float(np.asarray(record_s, float)[noise].sum()) / 3600
    return float(np.sum(np.asarray(said, bool)[noise]) / hours) if hours > 0 else float("nan")
