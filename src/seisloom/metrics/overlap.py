"""Scores of a fault volume against labels: voxel by voxel, within a tolerance, by distance, and fault by fault.

Arrays are sections (crossline, time) or volumes (inline, crossline, time); a first axis of length 1 is a section.
Labels are 1 fault, 0 none, -1 nobody knows. What is not known is not counted, neither as right nor as wrong, but a
counted voxel may be matched with one that is not: a label that ends in a band of "nobody knows" is still found there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from seisloom.errors import DataError
from seisloom.sample import Array

TOLERANCES = (0.0, 1.0, 2.0, 3.0)
"""In voxels. Two hands picking one fault differ by a few; the word of the tolerance stands beside every score."""
THRESHOLDS = tuple(round(0.05 * k, 2) for k in range(1, 20))
"""0.05, 0.10, ... 0.95: the grid on which the best threshold is looked for."""
RECOVERED_SHARE = 0.5
SMOOTHING_VOXELS = 2.0
"""Over so many voxels the facing of a fault is averaged before thinning: about the thickness of labels, 1 to 3."""

_AROUND = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))  # clockwise, in (row, column)
_SIDES = (0, 4, 2, 6)  # opposite sides in turn, so that the middle is what stays


@dataclass(frozen=True, slots=True)
class Matches:
    """How many voxels were counted, and how many of them have a partner within the tolerance; adds up over sections."""

    n_known: int = 0
    n_predicted: int = 0
    n_right: int = 0
    """Predicted voxels with a label in reach."""
    n_true: int = 0
    n_found: int = 0
    """Label voxels with a predicted one in reach."""

    def __add__(self, other: Matches) -> Matches:
        return Matches(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))

    @property
    def precision(self) -> float:
        """Share of predicted voxels that are right; without any: 1 if there was nothing to find or it was found."""
        return self._share(self.n_right, self.n_predicted, found=self.n_found > 0 or self.n_true == 0)

    @property
    def recall(self) -> float:
        """Share of label voxels that are found; without any: 1 if nothing was predicted, or what was, is right."""
        return self._share(self.n_found, self.n_true, found=self.n_right > 0 or self.n_predicted == 0)

    @property
    def f1(self) -> float:
        """Harmonic mean of both; 1 if labels and prediction are empty, 0 if one is, NaN if nothing is known."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0

    def _share(self, part: int, whole: int, *, found: bool) -> float:
        if self.n_known == 0:
            return float("nan")
        return part / whole if whole else float(found)


def known_voxels(truth: Array, known: Array | None = None) -> Array:
    """Return where the truth is known, bool, shape of `truth`: not -1, and `known` where that is given.

    Args:
        truth: 1 fault, 0 none, -1 nobody knows.
        known: bool, of a shape that stretches to the truth's: live traces are `live[..., None]`.
    """
    truth = np.asarray(truth)
    return (truth >= 0) if known is None else (truth >= 0) & np.broadcast_to(np.asarray(known, bool), truth.shape)


def strict_scores(
    prediction: Array, truth: Array, *, threshold: float = 0.5, known: Array | None = None
) -> dict[str, float]:
    """Return IoU, F1 (which is Dice), precision and recall of single voxels, without thinning or tolerance.

    They depend on how thick labels are drawn: a perfect line one voxel beside its label scores 0.

    Args:
        prediction: probability, or a bool mask; NaN is no fault.
        truth: labels, same shape: 1, 0, or -1 for not known.
        threshold: probability from which on a voxel is a fault.
        known: see `known_voxels`.
    Returns:
        iou, f1, precision, recall; all 1 if labels and prediction are empty, IoU and F1 0 if only one is, and NaN if
        nothing is known. For a set of volumes take `mean_scores` of them, volumes are not pooled.
    """
    said, label, counted = _masks(prediction, truth, threshold, known)
    both = int((said & label & counted).sum())
    one = Matches(int(counted.sum()), int((said & counted).sum()), both, int((label & counted).sum()), both)
    union = one.n_predicted + one.n_true - both
    iou = float("nan") if one.n_known == 0 else both / union if union else 1.0
    return {"iou": iou, "f1": one.f1, "precision": one.precision, "recall": one.recall}


def mean_scores(scores: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of each score over volumes; a volume in which it is NaN is left out of that mean.

    >>> mean_scores([{"f1": 0.5}, {"f1": 1.0}, {"f1": float("nan")}])
    {'f1': 0.75}
    """
    columns = {name: np.array([one[name] for one in scores], float) for name in (scores[0] if scores else ())}
    defined = {name: column[~np.isnan(column)] for name, column in columns.items()}
    return {name: float(column.mean()) if column.size else float("nan") for name, column in defined.items()}


def tolerant_f1(
    prediction: Array,
    truth: Array,
    *,
    threshold: float = 0.5,
    tolerances: Sequence[float] = TOLERANCES,
    known: Array | None = None,
) -> dict[str, Any]:  # Any: counts, and scores by tolerance
    """Return precision, recall and F1 of the thinned prediction within each tolerance.

    Precision is the share of thinned voxels within t of a label, recall the share of label voxels within t of a
    thinned one. A voxel may serve many: there is no one-to-one matching. Labels are taken as they are: with labels of
    three voxels a perfect prediction has recall 1 only from t = 1 on; pass `thin(truth)` for thin ones.

    Args:
        prediction: probability, or a bool mask; NaN is no fault.
        truth: labels, same shape: 1, 0, or -1 for not known.
        threshold: probability from which on a voxel is a fault.
        tolerances: t in voxels, Euclidean.
        known: see `known_voxels`.
    Returns:
        threshold, n_predicted (thinned), n_true, and precision, recall, f1 as dicts by tolerance: "0", "1", ... See
        `Matches` for empty ones.
    Source: the boundary benchmark of Martin, Fowlkes & Malik (2004), IEEE TPAMI 26(5), 530-549, which matches one to
        one; ours is the distance-transform form, at most more generous.

    >>> truth = np.zeros((9, 20), int)
    >>> truth[4] = 1
    >>> tolerant_f1(np.roll(truth, 1, axis=0), truth, tolerances=(0, 1))["f1"]
    {'0': 0.0, '1': 1.0}
    """
    said, label, counted = _masks(prediction, truth, threshold, known)
    found = match_all(thin(said), label, counted, tolerances)
    named = {f"{t:g}": one for t, one in zip(tolerances, found, strict=True)}
    return {
        "threshold": threshold,
        "n_predicted": found[0].n_predicted if found else 0,
        "n_true": found[0].n_true if found else 0,
        "precision": {t: one.precision for t, one in named.items()},
        "recall": {t: one.recall for t, one in named.items()},
        "f1": {t: one.f1 for t, one in named.items()},
    }


def match_all(said: Array, label: Array, counted: Array, tolerances: Sequence[float]) -> list[Matches]:
    """Return the matches of two bool masks within each tolerance, not thinned; only `counted` voxels count."""
    ours, theirs = said & counted, label & counted
    of_ours, of_theirs = distance_to(label)[ours], distance_to(said)[theirs]
    return [
        Matches(
            int(counted.sum()), of_ours.size, int((of_ours <= t).sum()), of_theirs.size, int((of_theirs <= t).sum())
        )
        for t in tolerances
    ]


def distance_to(mask: Array, *, spacing: Sequence[float] | None = None) -> Array:
    """Return the Euclidean distance of each voxel to the nearest one of the mask; inf everywhere if it is empty.

    Args:
        mask: bool, any shape.
        spacing: length of a voxel along each axis, 1 without it.
    """
    if not mask.any():
        return np.full(mask.shape, np.inf)
    return np.asarray(ndimage.distance_transform_edt(~mask, sampling=spacing))


def ods_ois(
    predictions: Sequence[Array],
    truths: Sequence[Array],
    *,
    tolerance: float = 2.0,
    thresholds: Sequence[float] = THRESHOLDS,
    knowns: Sequence[Array | None] | None = None,
) -> dict[str, Any]:  # Any: scores, and F1 by threshold
    """Return the F1 at the best threshold for all sections (ODS) and at the best one of each section (OIS).

    Both are chosen on what they score: they say what a probability could do, not what a fixed threshold does.

    Args:
        predictions: probabilities, one array a section or volume.
        truths: labels of each, as in `tolerant_f1`.
        tolerance: t in voxels.
        thresholds: the grid to choose from; the lowest of equals is taken.
        knowns: of each, see `known_voxels`.
    Returns:
        ods, ods_threshold, ois, tolerance, and f1 by threshold. Voxels are summed over the sections before F1 is
        taken, as in the boundary benchmark: long faults weigh more. OIS is of summed voxels too, and may then be a
        little below ODS.
    """
    if len(predictions) != len(truths) or (knowns is not None and len(knowns) != len(truths)):
        raise DataError(f"{len(predictions)} predictions and {len(truths)} labels; give as many of each")
    found: list[list[Matches]] = []
    for k, (prediction, truth) in enumerate(zip(predictions, truths, strict=True)):
        masks = (_masks(prediction, truth, t, None if knowns is None else knowns[k]) for t in thresholds)
        found.append([match_all(thin(said), label, counted, [tolerance])[0] for said, label, counted in masks])
    pooled = [sum(column, Matches()).f1 for column in zip(*found, strict=True)]
    if not found or np.isnan(pooled).all():
        return {"ods": float("nan"), "ods_threshold": None, "ois": float("nan"), "tolerance": tolerance, "f1": {}}
    best = int(np.argmax(pooled))
    chosen = [row[int(np.nanargmax([one.f1 for one in row]))] for row in found if row[0].n_known]
    return {
        "ods": pooled[best],
        "ods_threshold": float(thresholds[best]),
        "ois": sum(chosen, Matches()).f1,
        "tolerance": tolerance,
        "f1": {f"{t:g}": f1 for t, f1 in zip(thresholds, pooled, strict=True)},
    }


def surface_distances(
    prediction: Array,
    truth: Array,
    *,
    threshold: float = 0.5,
    known: Array | None = None,
    spacing: Sequence[float] | None = None,
) -> dict[str, float]:
    """Return HD95 and the mean symmetric distance between the thinned prediction and the labels.

    Args:
        prediction, truth, threshold, known: as in `tolerant_f1`.
        spacing: length of a voxel along each axis, to have metres instead of voxels.
    Returns:
        hd95: the larger of the 95th percentiles of both directions, linear between ranks. mean: of the means of both
        directions. 0 if labels and prediction are empty, inf if only one is, NaN if nothing is known.
    """
    said, label, counted = _masks(prediction, truth, threshold, known)
    said = thin(said)
    if not counted.any():
        return {"hd95": float("nan"), "mean": float("nan")}
    both = (
        distance_to(label, spacing=spacing)[said & counted],
        distance_to(said, spacing=spacing)[label & counted],
    )
    ways = [way for way in both if way.size]
    if not ways:
        return {"hd95": 0.0, "mean": 0.0}
    if any(np.isinf(way).any() for way in ways):
        return {"hd95": float("inf"), "mean": float("inf")}
    return {
        "hd95": float(max(np.quantile(way, 0.95) for way in ways)),
        "mean": float(np.mean([way.mean() for way in ways])),
    }


def patch_scores(
    prediction: Array,
    truth: Array,
    *,
    threshold: float = 0.5,
    tolerance: float = 2.0,
    known: Array | None = None,
    patches: Array | None = None,
) -> dict[str, float]:
    """Return how many fault patches are recovered, how many are false, and what share of the length they are.

    A patch is what is connected by faces, edges or corners. A true one is recovered if more than half of its voxels
    lie within the tolerance of the thinned prediction; a predicted one is false unless more than half of its thinned
    voxels lie within the tolerance of a label.

    Args:
        prediction, truth, threshold, known: as in `tolerant_f1`.
        tolerance: t in voxels.
        patches: number of the fault at each label voxel, from 1, where faults are known one by one; without it,
            faults that cross are one patch.
    Returns:
        n_true, n_recovered, recovered_share, recovered_length (share of the label voxels that lie in recovered
        patches), n_predicted, n_false (in this volume), false_length (share of thinned voxels in false patches).
        Shares are NaN where there are no patches.
    """
    said, label, counted = _masks(prediction, truth, threshold, known)
    skeleton, corners = thin(said), np.ones((3,) * said.ndim)
    true_patch = ndimage.label(label, corners)[0] if patches is None else np.where(label, np.asarray(patches), 0)
    said_patch = ndimage.label(said, corners)[0]
    true_at, said_at = label & counted & (true_patch > 0), skeleton & counted
    recovered, true_length = _mostly(true_patch[true_at], distance_to(skeleton)[true_at] <= tolerance)
    right, said_length = _mostly(said_patch[said_at], distance_to(label)[said_at] <= tolerance)
    nan = float("nan")
    return {
        "n_true": recovered.size,
        "n_recovered": int(recovered.sum()),
        "recovered_share": float(recovered.mean()) if recovered.size else nan,
        "recovered_length": float(true_length[recovered].sum() / true_length.sum()) if recovered.size else nan,
        "n_predicted": right.size,
        "n_false": int((~right).sum()),
        "false_length": float(said_length[~right].sum() / said_length.sum()) if right.size else nan,
    }


def thin(mask: Array) -> Array:
    """Return the middle of each fault, one voxel thick, bool, shape of `mask`.

    Sections are thinned by deleting, from each of the four sides in turn, border voxels that neither end a line nor
    hold two parts together, until none is left; parts and holes stay as many as they were. Outside the section there
    is no fault.

    Volumes are thinned in inline and in crossline sections, and each voxel takes the sections that cut its fault more
    squarely, told from the smoothed gradient of the mask. Common 3-D thinning shrinks a fault to curves, not to a
    surface; suppression along a predicted normal would let errors of the normal into the scores of the fault.

    Args:
        mask: bool, (crossline, time) or (inline, crossline, time).
    Source: Rosenfeld (1975), Information and Control 29, 286-291, of deleting simple border points side by side; the
        test for simple points is the connectivity number of Yokoi et al. (1975), CGIP 4, 63-73.
    """
    mask = np.asarray(mask, bool)
    if mask.ndim == 2:
        return np.asarray(_thin_sections(mask[None])[0])
    if mask.ndim != 3:
        raise DataError(f"a mask of shape {mask.shape} is no section and no volume; give two or three axes")
    if mask.shape[1] == 1 and mask.shape[0] > 1:
        return _thin_sections(mask.swapaxes(0, 1)).swapaxes(0, 1)
    in_inlines = _thin_sections(mask)
    if mask.shape[0] == 1 or not mask.any():
        return in_inlines
    in_crosslines = _thin_sections(mask.swapaxes(0, 1)).swapaxes(0, 1)
    smooth = ndimage.gaussian_filter(mask.astype(np.float32), SMOOTHING_VOXELS)
    faces = [ndimage.gaussian_filter(np.gradient(smooth, axis=axis) ** 2, SMOOTHING_VOXELS) for axis in (0, 1)]
    return np.where(faces[1] >= faces[0], in_inlines, in_crosslines)


def _masks(prediction: Array, truth: Array, threshold: float, known: Array | None) -> tuple[Array, Array, Array]:
    """Predicted faults, labels, and what counts."""
    prediction, truth = np.asarray(prediction), np.asarray(truth)
    if prediction.shape != truth.shape:
        raise DataError(f"the prediction has shape {prediction.shape} and the labels {truth.shape}; give the same grid")
    return prediction >= threshold, truth == 1, known_voxels(truth, known)


def _mostly(patch: Array, near: Array) -> tuple[Array, Array]:
    """Of each patch, whether more than half of its voxels are near, and how many it has."""
    _, member, length = np.unique(patch, return_inverse=True, return_counts=True)
    return np.bincount(member, weights=near, minlength=length.size) > RECOVERED_SHARE * length, length


def _thin_sections(sections: Array) -> Array:
    """Each section of (section, row, column), thinned on its own."""
    padded = np.pad(sections, ((0, 0), (1, 1), (1, 1))).astype(np.uint8)
    flat, n_columns = padded.reshape(-1), padded.shape[2]
    left = np.flatnonzero(flat)
    n_before = -1
    while left.size != n_before:
        n_before = left.size
        for side in _SIDES:
            code = np.zeros(left.size, np.uint8)
            for bit, (row, column) in enumerate(_AROUND):
                code |= flat[left + row * n_columns + column] << bit
            gone = _DELETABLE[side][code]
            flat[left[gone]] = 0
            left = left[~gone]
    return padded[:, 1:-1, 1:-1].astype(bool)


def _deletable() -> Array:
    """By side and by which of the eight around are set: whether the middle one may go."""
    around = (np.arange(256)[:, None] >> np.arange(8)) & 1
    gap = 1 - around
    corners = ((k, k + 1, (k + 2) % 8) for k in (0, 2, 4, 6))
    n_parts = np.sum([gap[:, i] * (1 - gap[:, j] * gap[:, k]) for i, j, k in corners], axis=0)
    simple = (n_parts == 1) & (around.sum(axis=1) >= 2)
    return np.stack([simple & (around[:, side] == 0) for side in range(8)])


_DELETABLE = _deletable()
