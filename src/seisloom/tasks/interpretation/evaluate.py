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
    """Return all scores by method, and a table with a row a method.

    Args:
        recipe: of the room; `apply.threshold` is where a probability counts as fault.
        products: by method, on the same volumes with labels.
        references: not used: no label is told by the place in a volume.
    """
    scores = {name: _scores(recipe, some) for name, some in products.items()}
    n = len(next(iter(products.values())))
    notes = [
        f"{n} volumes. F1 @2: thinned prediction at a probability of {recipe.apply.threshold:g} against labels, "
        "within 2 voxels, mean over volumes; ODS: at the best single threshold for all of them, chosen on them",
        "angle: between predicted and true fault planes on true fault voxels, degrees of the sample grid; RGT: "
        "distance of horizons in samples away from faults, free of monotone maps; gain: PSNR over that of the input",
    ]
    rows = {name: _row(one) for name, one in scores.items()}
    found: Scores = plain(
        {"title": "Volumes against their labels", "tables": {"volumes": rows}, "scores": scores, "notes": notes}
    )
    return found


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


def _row(scores: Scores) -> Scores:
    """Return the numbers of a method that a person looks at first."""
    fault, angle = scores.get("fault", {}), scores.get("angle", {})
    return {
        f"F1 @{HEADLINE}": fault.get(f"tolerant/f1/{HEADLINE}"),
        f"precision @{HEADLINE}": fault.get(f"tolerant/precision/{HEADLINE}"),
        f"recall @{HEADLINE}": fault.get(f"tolerant/recall/{HEADLINE}"),
        "ODS": scores.get("threshold", {}).get("ods"),
        "HD95": fault.get("distance/hd95"),
        "angle": angle.get("true/normal_median"),
        "ECE": scores.get("reliability", {}).get("ece"),
        "RGT": scores.get("rgt", {}).get("horizons/away/mean"),
        "DHR SSIM": scores.get("dhr", {}).get("ssim"),
        "gain dB": scores.get("dhr", {}).get("psnr_gain_db"),
    }
