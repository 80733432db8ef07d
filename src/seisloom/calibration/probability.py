"""Logits to probabilities: two numbers, fitted on volumes that were held out (Platt scaling)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from seisloom.errors import CalibrationError
from seisloom.sample import Array

N_EDGES = 2001
"""Bins of the logits that the fit sees in place of each voxel, from -20 to 20: their width changes a probability by
less than 0.005."""


@dataclass(frozen=True)
class ProbabilityCalibration:
    """p = sigmoid(scale * logit + shift)."""

    scale: float = 1.0
    shift: float = 0.0
    ece_before: float | None = None
    """Expected calibration error on the volumes that it was fitted on, before and after."""
    ece_after: float | None = None
    n_groups: int = 0
    n_voxels: int = 0
    refined: str = ""
    """What had refined the logits that it was fitted on; empty for those of a network itself."""

    def __call__(self, logit: Array) -> Array:
        """Return probabilities, float32."""
        return np.asarray(expit(self.scale * logit + self.shift), dtype=np.float32)

    @property
    def note(self) -> str:
        """What was fitted, in words."""
        if self.ece_before is None or self.ece_after is None:
            return "nothing was fitted: there are no probabilities"
        return (
            f"p = sigmoid({self.scale:.3g} logit {self.shift:+.3g}), from {self.n_voxels} voxels of {self.n_groups} "
            f"volumes; expected calibration error {self.ece_before:.4f} before, {self.ece_after:.4f} after"
        )

    def to_json(self) -> dict[str, Any]:  # Any: JSON values
        """Return it as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ProbabilityCalibration:  # Any: JSON values
        """Return it from its JSON values."""
        return cls(**values)


def calibrate_probability(
    logits: Sequence[Array], labels: Sequence[Array], *, n_bins: int = 15
) -> ProbabilityCalibration:
    """Return the calibration that makes the labels of held-out volumes the likeliest, each volume with one vote.

    Args:
        logits: of each volume, any shape.
        labels: of the same shapes: 1 and 0, others are not known.
        n_bins: of the expected calibration error.
    Raises:
        CalibrationError: if there is no label of one of the two kinds.
    Source: Platt (1999), Probabilistic outputs for support vector machines, eq. 4.
    """
    edges = np.linspace(-20, 20, N_EDGES)
    middle = (edges[:-1] + edges[1:]) / 2
    true, false, n_voxels = np.zeros(len(middle)), np.zeros(len(middle)), 0
    for logit, label in zip(logits, labels, strict=True):
        clipped = np.clip(logit, -19.99, 19.99)
        counts = [np.histogram(clipped[label == one], edges)[0] for one in (1, 0)]
        n = int(sum(int(one.sum()) for one in counts))
        if n:
            true, false, n_voxels = true + counts[0] / n, false + counts[1] / n, n_voxels + n
    if not true.sum() or not false.sum():
        raise CalibrationError("nothing to calibrate on: the held-out volumes have no faults, or nothing but faults")

    def unlikelihood(values: Array) -> float:
        z = values[0] * middle + values[1]
        return float((true * np.logaddexp(0, -z) + false * np.logaddexp(0, z)).sum())

    scale, shift = minimize(unlikelihood, np.array([1.0, 0.0]), method="Nelder-Mead").x
    return ProbabilityCalibration(
        float(scale), float(shift), _ece(expit(middle), true, false, n_bins),
        _ece(expit(scale * middle + shift), true, false, n_bins), len(logits), n_voxels,
    )  # fmt: skip


def _ece(probability: Array, true: Array, false: Array, n_bins: int) -> float:
    """Return the mean distance of probability and share of true ones in bins of probability."""
    place = np.minimum((probability * n_bins).astype(int), n_bins - 1)
    sums = [np.bincount(place, one, n_bins) for one in (true, true + false, probability * (true + false))]
    return float(np.abs(sums[2] - sums[0]).sum() / sums[1].sum())
