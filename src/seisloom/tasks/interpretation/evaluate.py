"""Volumes against their labels: faults within a tolerance, angles, relative time up to a monotone map, the image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from seisloom.calibration.probability import ProbabilityCalibration, calibrate_probability
from seisloom.config import flat
from seisloom.errors import CalibrationError
from seisloom.metrics.horizons import rgt_scores
from seisloom.metrics.image import image_scores
from seisloom.metrics.orientation import orientation_scores
from seisloom.metrics.overlap import (
    mean_scores,
    ods_ois,
    patch_scores,
    strict_scores,
    surface_distances,
    thin,
    tolerant_f1,
)
from seisloom.metrics.probability import reliability
from seisloom.metrics.scores import plain
from seisloom.sample import Array
from seisloom.tasks.interpretation.apply import VolumeProduct, normals_at
from seisloom.tasks.interpretation.recipe import InterpretationRecipe
from seisloom.tasks.interpretation.records import VolumeRecord
from seisloom.tasks.interpretation.refining.refine import chain_of

Scores = dict[str, Any]  # Any: JSON values
HEADLINE = "2"
"""Tolerance in voxels of the F1 that is looked at first."""
FIRST = "volumes"
"""The table that is looked at first; the others have the same parts in full."""
TABLES: dict[str, dict[str, tuple[str, str]]] = {
    FIRST: {
        f"F1 @{HEADLINE}": ("fault", f"tolerant/f1/{HEADLINE}"),
        f"precision @{HEADLINE}": ("fault", f"tolerant/precision/{HEADLINE}"),
        f"recall @{HEADLINE}": ("fault", f"tolerant/recall/{HEADLINE}"),
        "ODS": ("threshold", "ods"),
        "HD95": ("fault", "distance/hd95"),
        "angle": ("angle", "true/normal_median"),
        "ECE": ("reliability", "ece"),
        "RGT": ("rgt", "horizons/away/mean"),
        "DHR SSIM": ("dhr", "ssim"),
        "gain dB": ("dhr", "psnr_gain_db"),
    },
    "faults": {
        **{f"F1 @{voxels}": ("fault", f"tolerant/f1/{voxels}") for voxels in range(4)},
        "ODS": ("threshold", "ods"),
        "OIS": ("threshold", "ois"),
        "mean distance": ("fault", "distance/mean"),
        "HD95": ("fault", "distance/hd95"),
        "ECE": ("reliability", "ece"),
        "Brier": ("reliability", "brier"),
    },
    "fault planes": {
        "angle": ("angle", "true/normal_median"),
        "angle 90 %": ("angle", "true/normal_p90"),
        "dip": ("angle", "true/dip_mean"),
        "strike": ("angle", "true/strike_mean"),
        "angle where found": ("angle", "matched/normal_median"),
    },
    "relative time": {
        "horizon mean": ("rgt", "horizons/away/mean"),
        "horizon 95 %": ("rgt", "horizons/away/p95"),
        "across mean": ("rgt", "horizons/across/mean"),
        "across 95 %": ("rgt", "horizons/across/p95"),
        "ordering": ("rgt", "ordering_accuracy"),
        "falling": ("rgt", "falling_share"),
    },
    "image": {
        "DHR SSIM": ("dhr", "ssim"),
        "PSNR dB": ("dhr", "psnr_db"),
        "gain dB": ("dhr", "psnr_gain_db"),
        "SNR dB": ("dhr", "snr_db"),
        "bandwidth gain": ("dhr", "bandwidth_gain"),
        "fault sharpness": ("dhr", "fault_sharpness"),
    },
}
"""By table and column, the part of the scores of a method and the name in it."""


def calibrate(
    recipe: InterpretationRecipe,
    products: Sequence[Sequence[VolumeProduct]],
    former: ProbabilityCalibration | None = None,
) -> ProbabilityCalibration:
    """Return the calibration of fault probabilities from held-out volumes with labels.

    Args:
        recipe: of the room.
        products: of the network itself, or of each that was trained without these volumes.
        former: not used: two numbers need no help.
    Raises:
        CalibrationError: if the network gives faults, and no volume has labels of them.
    """
    if not any("fault" in one.blended for some in products for one in some):
        return ProbabilityCalibration()  # a network without faults has no probabilities
    pairs = [
        (one.blended["fault"], one.record.truth["fault"])
        for some in products
        for one in some
        if "fault" in one.blended and "fault" in one.record.truth and (one.record.truth["fault"] >= 0).any()
    ]
    if not pairs:
        raise CalibrationError("nothing to calibrate on: no held-out volume has fault labels")
    logits, labels = zip(*pairs, strict=True)
    fitted = calibrate_probability(logits, labels, n_bins=recipe.calibrate.n_bins)
    return replace(fitted, refined=chain_of(recipe))


def evaluate(
    recipe: InterpretationRecipe,
    products: Mapping[str, Sequence[VolumeProduct]],
    references: Sequence[VolumeRecord],
) -> Scores:
    """Return all scores by method, and tables with a row a method: first the numbers that matter most, then by part.

    Args:
        recipe: of the room; `apply.threshold` is where a probability counts as fault.
        products: by method, on the same volumes with labels.
        references: not used: no label is told by the place in a volume.
    """
    scores = plain({name: _scores(recipe, some) for name, some in products.items()})
    some = next(iter(products.values()))
    return {
        "title": "Volumes against their labels",
        "tables": _tables(scores),
        "scores": scores,
        "notes": [*_without_labels(some), *_without_fault(some), *_notes(len(some), recipe.apply.threshold)],
    }


def _without_labels(products: Sequence[VolumeProduct]) -> list[str]:
    """Return what has to be said where nothing could be scored."""
    if any(_has(one, name) for one in products for name in one.attributes):
        return []
    return [
        "no volume has labels of what was found: nothing is scored. Labels are further variables of a Zarr volume "
        "(fault, dip, strike, rgt, dhr), files such as survey_fault.sgy beside survey.sgy, or cubes in the target "
        "folder beside numbered cubes"
    ]


def _without_fault(products: Sequence[VolumeProduct]) -> list[str]:
    """Return what has to be said of labels without a fault, whose F1 says little."""
    labelled = [one for one in products if _has(one, "fault")]
    n = sum(not (one > 0).any() for one in _labels(labelled))
    if not n:
        return []
    of = f"{n} of {len(labelled)}" if n < len(labelled) else "all"
    return [
        f"no fault in the labels of {of} of the volumes: their F1 is 1 where none is found, else 0. If they "
        "were never looked at for faults, their labels are to be -1 (nobody knows), and they are not counted"
    ]


def _notes(n: int, threshold: float) -> list[str]:
    return [
        f"{n} volume{'' if n == 1 else 's'}. F1 @2: thinned prediction at a probability of {threshold:g} against "
        "labels, within 2 voxels, mean over volumes; ODS: at the best single threshold for all of them, chosen on "
        "them; OIS: at the best of each; distances from line to line in voxels",
        "angle: between predicted and true fault planes on true fault voxels, degrees of the sample grid; RGT: "
        "distance of horizons in samples away from faults, free of monotone maps; gain: PSNR over that of the input",
        "ECE: how far a probability of fault is from the share of voxels that are, on average; across: the distance of "
        "horizons at faults; ordering: share of pairs of samples that relative time puts in the right order; falling: "
        "share of steps down a trace at which it falls",
    ]


def _tables(scores: Mapping[str, Scores]) -> dict[str, dict[str, Scores]]:
    """Return the tables, a row a method; one in which no method has a number is left out, except the first."""
    made = {
        heading: {
            name: {column: one.get(part, {}).get(key) for column, (part, key) in columns.items()}
            for name, one in scores.items()
        }
        for heading, columns in TABLES.items()
    }
    return {
        heading: rows
        for heading, rows in made.items()
        if heading == FIRST or any(value is not None for row in rows.values() for value in row.values())
    }


def _scores(recipe: InterpretationRecipe, products: Sequence[VolumeProduct]) -> Scores:
    """Return the scores of a method: means over volumes, and those of each volume."""
    each = {f"{k}: {one.record.name}": _score(recipe, one) for k, one in enumerate(products)}
    found: Scores = {"volumes": each}
    for part in ("fault", "angle", "rgt", "dhr"):
        rows = [dict(flat(one[part], between="/")) for one in each.values() if part in one]
        if rows:
            found[part] = mean_scores(rows)
    known = [one for one in products if _has(one, "fault")]
    if known:
        probabilities = [one.attributes["fault"] for one in known]
        truths = [_thin_labels(one.record.truth["fault"]) for one in known]
        found["threshold"] = ods_ois(probabilities, truths)
        every = [np.concatenate([one.ravel() for one in some]) for some in (probabilities, _labels(known))]
        found["reliability"] = reliability(*every, n_bins=recipe.calibrate.n_bins)
    return found


def _has(product: VolumeProduct, name: str) -> bool:
    truth = product.record.truth.get(name)
    return truth is not None and name in product.attributes and bool((np.isfinite(truth) & (truth != -1)).any())


def _labels(products: Sequence[VolumeProduct]) -> list[Array]:
    return [one.record.truth["fault"] for one in products]


def _thin_labels(fault: Array) -> Array:
    """Return labels one voxel thick; what is not known stays so."""
    return np.where(fault < 0, -1, np.where(fault > 0, thin(fault > 0), 0))


def _score(recipe: InterpretationRecipe, product: VolumeProduct) -> Scores:
    truth, found = product.record.truth, product.attributes
    scores: Scores = {}
    if _has(product, "fault"):
        threshold, fault = recipe.apply.threshold, truth["fault"]
        lines = _thin_labels(fault)
        scores["fault"] = {
            "tolerant": tolerant_f1(found["fault"], lines, threshold=threshold),
            "strict": strict_scores(found["fault"], fault, threshold=threshold),
            "distance": surface_distances(found["fault"], lines, threshold=threshold),
            "patches": patch_scores(found["fault"], lines, threshold=threshold),
        }
        if "zz" in product.blended and "dip" in truth and (fault == 1).any():
            every = np.ones(fault.shape, dtype=bool)
            normals = normals_at(product.blended, every).reshape(3, *fault.shape)
            skeleton = thin(found["fault"] >= threshold)
            scores["angle"] = orientation_scores(
                normals, truth["dip"], truth["strike"], fault, skeleton=skeleton
            )  # fmt: skip
    if _has(product, "rgt"):
        rng = np.random.default_rng(recipe.seed)
        scores["rgt"] = rgt_scores(found["rgt"], truth["rgt"], rng=rng, fault=truth.get("fault"))
    if _has(product, "dhr"):
        source = product.record.values
        scores["dhr"] = image_scores(found["dhr"], truth["dhr"], source=source, fault=truth.get("fault"))
    return scores
