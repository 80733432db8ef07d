"""Whether a fault probability means what it says: reliability by bins, ECE and Brier score."""

from __future__ import annotations

from typing import Any

import numpy as np

from seisloom.errors import DataError
from seisloom.metrics.overlap import known_voxels
from seisloom.sample import Array


def reliability(
    probability: Array, truth: Array, *, n_bins: int = 10, known: Array | None = None
) -> dict[str, Any]:  # Any: numbers, and lists by bin
    """Return the reliability table of a probability, its expected calibration error and its Brier score.

    A label of one voxel makes a probability that is right to within two voxels look too sure: thickness of labels and
    of what the network was trained on must be the same for these numbers to mean anything.

    Args:
        probability: in 0..1, any shape; NaN is left out.
        truth: labels, same shape: 1, 0, or -1 for not known.
        n_bins: bins of equal width, closed below; the last one is closed above too.
        known: bool, of a shape that stretches to the truth's.
    Returns:
        edges (n_bins + 1), and by bin: count, mean_predicted, share_true (NaN in an empty bin); n, ece = mean over
        voxels of |share_true - mean_predicted| of their bin, brier = mean (probability - truth)^2; NaN if n is 0.
    Raises:
        DataError: if a probability lies outside 0..1: logits were given.
    Source: Naeini, Cooper & Hauskrecht (2015), AAAI 29, of the ECE, here of the class "fault"; Brier (1950), Monthly
        Weather Review 78, 1-3, half of his sum over both classes.

    >>> reliability(np.array([0.25, 0.25, 0.25, 0.25]), np.array([1, 0, 0, 0]))["ece"]
    0.0
    """
    probability, truth = np.asarray(probability, float), np.asarray(truth)
    if probability.shape != truth.shape:
        raise DataError(f"probability {probability.shape} and labels {truth.shape} differ; give the same grid")
    use = known_voxels(truth, known) & ~np.isnan(probability)
    p, y = probability[use], (truth[use] == 1).astype(float)
    if p.size and (p.min() < 0 or p.max() > 1):
        raise DataError(
            f"probabilities lie in {p.min():.3g} to {p.max():.3g}, not in 0..1; logits want a sigmoid first"
        )
    edges = np.linspace(0, 1, n_bins + 1)
    bins = np.minimum(np.searchsorted(edges, p, side="right") - 1, n_bins - 1)
    count = np.bincount(bins, minlength=n_bins)
    mean_predicted, share_true = (
        np.divide(np.bincount(bins, v, n_bins), count, out=np.full(n_bins, np.nan), where=count > 0) for v in (p, y)
    )
    gap = np.nan_to_num(np.abs(share_true - mean_predicted))
    nan = float("nan")
    return {
        "edges": edges.tolist(),
        "count": count.tolist(),
        "mean_predicted": mean_predicted.tolist(),
        "share_true": share_true.tolist(),
        "n": int(p.size),
        "ece": float(gap @ count / p.size) if p.size else nan,
        "brier": float(np.mean((p - y) ** 2)) if p.size else nan,
    }
