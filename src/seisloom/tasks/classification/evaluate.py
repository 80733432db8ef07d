"""Classes against those of the catalogue: every metric, of records and of events, with intervals over events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np

from seisloom.calibration.classes import ClassCalibration, calibrate_classes
from seisloom.errors import CalibrationError
from seisloom.metrics.class_events import difference_over_events, event_labels, over_events, vote
from seisloom.metrics.class_probability import (
    area_error_against_kept,
    brier,
    classwise_calibration_error,
    expected_calibration_error,
    negative_log_likelihood,
    prediction_set_scores,
)
from seisloom.metrics.classes import auc_by_class, class_scores, confusion, macro_f1
from seisloom.metrics.label_audit import audit_labels
from seisloom.sample import Array
from seisloom.tasks.classification.decide import DecidedClasses, best_factors, weighed
from seisloom.tasks.classification.recipe import ClassificationRecipe

RECORDS, EVENTS = "records", "events"
MOST_BINS, ITEMS_A_BIN = 15, 20
"""Of a reliability curve and its mean error: a bin of fewer items says more of chance than of the probabilities."""
SNR_EDGES_DB = (0.0, 5.0, 10.0, 20.0)
AUDITED = 20
"""Labels that a report lists as the likeliest wrong ones."""


def calibrate(
    recipe: ClassificationRecipe, products: Sequence[Any], former: ClassCalibration | None = None
) -> ClassCalibration:  # Any: pandas tables
    """Return the calibration from tables of windows with truth; the event is what is exchangeable.

    Args:
        recipe: the recipe.
        products: one table of the model itself, or one of each model that was trained without these events.
        former: not used.
    Raises:
        CalibrationError: if no window has a truth, or all are of one class.
    """
    import pandas as pd

    table = known_rows(pd.concat(products, ignore_index=True))
    if table.empty:
        raise CalibrationError("nothing to calibrate on: no window of the held-out events has a class")
    keys, logits, label = recipe.calibrate, logits_of(recipe, table), labels_of(recipe, table)
    found = calibrate_classes(
        logits, label, groups=events_in(table), with_bias=keys.with_bias, by_class=keys.by_class,
        max_risk=keys.max_risk,
    )  # fmt: skip
    return DecidedClasses.of(found, best_factors(found(logits), label) if keys.decide == "f1" else ())


def known_rows(table: Any) -> Any:  # Any: pandas tables
    """Return the windows that have a class, and an answer of the network."""
    return table[(table["truth"] != "") & table["probability"].notna()]


def labels_of(recipe: ClassificationRecipe, table: Any) -> Array:  # Any: a pandas table
    """Return the index of the true class of each window."""
    place = {name: k for k, name in enumerate(recipe.data.classes)}
    return np.array([place[one] for one in table["truth"]], dtype=np.int64)


def logits_of(recipe: ClassificationRecipe, table: Any) -> Array:  # Any: a pandas table
    """Return logits (window, class)."""
    return np.asarray(table[[f"logit_{name}" for name in recipe.data.classes]], float)


def probabilities_of(recipe: ClassificationRecipe, table: Any) -> Array:  # Any: a pandas table
    """Return probabilities (window, class)."""
    return np.asarray(table[[f"p_{name}" for name in recipe.data.classes]], float)


def decided_of(recipe: ClassificationRecipe, table: Any) -> Array:  # Any: a pandas table
    """Return probabilities (window, class) as they are weighed before a class is named; see `calibrate.decide`."""
    return weighed(probabilities_of(recipe, table), table.attrs.get("factors", ()))


def events_in(table: Any) -> Array:  # Any: a pandas table
    """Return the event of each window; one without is its own."""
    return np.asarray(np.where(table["event"] != "", table["event"], table["record"])).astype(str)


def evaluate(
    recipe: ClassificationRecipe, products: Mapping[str, Any], references: Sequence[Any]
) -> dict[str, Any]:  # Any: pandas tables in, JSON values out
    """Return all scores by method, of records and of events, and tables that fit on a screen.

    Args:
        recipe: the recipe.
        products: tables of windows with truth, by method; the first is the one in question.
        references: not used.
    """
    tables = {name: known_rows(table) for name, table in products.items()}
    scores = {name: _scores(recipe, table) for name, table in tables.items()}
    first = next(iter(tables))
    shown: dict[str, dict[str, dict[str, Any]]] = {}
    for part in (RECORDS, EVENTS):
        shown[part] = {name: _row(one[part]) for name, one in scores.items() if one.get(part)}
    for name, table in tables.items():
        if name != first:
            scores[name][f"{first} over this"] = _differences(recipe, tables[first], table)
    return {
        "title": "Classes of held-out events; 95 % intervals over events",
        "tables": {part: rows for part, rows in shown.items() if rows},
        "scores": scores,
        "notes": _notes(recipe, tables[first], scores, first),
    }


def _scores(recipe: ClassificationRecipe, table: Any) -> dict[str, Any]:  # Any: a pandas table, JSON values
    names = tuple(recipe.data.classes)
    if table.empty:
        return {}
    probability, label, events = probabilities_of(recipe, table), labels_of(recipe, table), events_in(table)
    factors = table.attrs.get("factors", ())
    decided = weighed(probability, factors)
    found: dict[str, Any] = {RECORDS: _at_level(recipe, probability, label, events, factors)}
    if recipe.calibrate.level and (table["set"] != "").any():
        sets = np.array([[name in one.split("|") for name in names] for one in table["set"]])
        found[RECORDS]["sets"] = prediction_set_scores(sets, label)
    found["by_snr"] = _by_snr(table["snr_db"].to_numpy(float), decided, label)
    rows = np.flatnonzero(~table["is_beside"].to_numpy(bool))
    if np.unique(label[rows]).size > 1:
        votes = vote(probability[rows], events[rows], how=recipe.apply.vote)
        found[EVENTS] = _at_level(
            recipe, votes.probability, event_labels(label[rows], events[rows]), votes.event, factors
        )
    answered = (table["status"] == "answered").to_numpy(bool)
    found["answered_share"] = float(answered.mean())
    found["wrong_among_answered"] = (
        float(np.mean(decided[answered].argmax(axis=1) != label[answered])) if answered.any() else None
    )
    suspects = audit_labels(probability, label).order[:AUDITED]
    found["likeliest_wrong_labels"] = [
        {"record": str(table["record"].iloc[k]), "label": names[label[k]], "said": names[int(probability[k].argmax())]}
        for k in suspects
    ]
    return found


def _at_level(
    recipe: ClassificationRecipe, probability: Array, label: Array, events: Array, factors: tuple[float, ...]
) -> dict[str, Any]:  # Any: JSON values
    names, decided = tuple(recipe.data.classes), weighed(probability, factors)
    return {
        **class_scores(decided, label, names),
        "ece": expected_calibration_error(probability, label, n_bins=n_bins(len(label))),
        "classwise_ece": classwise_calibration_error(probability, label, n_bins=n_bins(len(label))),
        "brier": brier(probability, label),
        "nll": negative_log_likelihood(probability, label),
        "aurc": area_error_against_kept(probability, label),
        "intervals": {
            name: asdict(over_events(_of(score, decided, label), events, rng=_rng(recipe)))
            for name, score in SCORES.items()
        },
        "n_events": int(np.unique(events).size),
    }


def n_bins(n_items: int) -> int:
    """Return the bins of a reliability curve.

    >>> n_bins(1000), n_bins(114)
    (15, 5)
    """
    return int(np.clip(n_items // ITEMS_A_BIN, 1, MOST_BINS))


def _rng(recipe: ClassificationRecipe) -> np.random.Generator:
    return np.random.default_rng(recipe.seed)


def f1_of(probability: Array, label: Array) -> float:
    """Return macro-F1, NaN where a class is not there."""
    n_classes = probability.shape[1]
    if np.unique(label).size < n_classes:
        return float("nan")
    return macro_f1(confusion(label, probability.argmax(axis=1), n_classes))


def auc_of(probability: Array, label: Array) -> float:
    """Return the mean over classes of one against the others, NaN where a class is not there."""
    return float(np.mean(auc_by_class(probability, label)))


SCORES: Mapping[str, Callable[[Array, Array], float]] = {"macro_f1": f1_of, "macro_auc": auc_of}


def _of(score: Callable[[Array, Array], float], probability: Array, label: Array) -> Callable[[Array], float]:
    return lambda rows: score(probability[rows], label[rows])


def _differences(recipe: ClassificationRecipe, ours: Any, other: Any) -> dict[str, Any]:  # Any: pandas tables, JSON
    """Return by how much the first method exceeds another on the windows that both answer, with intervals."""
    both = ours.merge(other, on=["record", "first_s"], suffixes=("", "_other"))
    if both.empty:
        return {}
    label, events, names = labels_of(recipe, both), events_in(both), recipe.data.classes
    a = weighed(probabilities_of(recipe, both), ours.attrs.get("factors", ()))
    b = weighed(both[[f"p_{name}_other" for name in names]].to_numpy(float), other.attrs.get("factors", ()))
    return {
        name: asdict(difference_over_events(_of(score, a, label), _of(score, b, label), events, rng=_rng(recipe)))
        for name, score in SCORES.items()
    }


def _by_snr(snr_db: Array, decided: Array, label: Array) -> dict[str, Any]:  # Any: JSON values
    """Return the number of records and the share of right ones by SNR."""
    edges = [-np.inf, *SNR_EDGES_DB, np.inf]
    right = decided.argmax(axis=1) == label
    found = {}
    for low, high in pairwise(edges):
        inside = (snr_db >= low) & (snr_db < high)
        if inside.any():
            found[f"{low:g} to {high:g} dB"] = {"n": int(inside.sum()), "accuracy": float(right[inside].mean())}
    return found


def _row(score: Mapping[str, Any]) -> dict[str, Any]:  # Any: JSON values
    """Return the numbers of a method that a person looks at first."""
    f1, auc = score["intervals"]["macro_f1"], score["intervals"]["macro_auc"]
    row = {
        "macro F1": score["macro_f1"], "F1 from": f1["lower"], "F1 to": f1["upper"],
        "AUC": score["macro_auc"], "AUC from": auc["lower"], "AUC to": auc["upper"],
        "balanced": score["balanced_accuracy"], "MCC": score["mcc"], "accuracy": score["accuracy"],
        "majority": score["majority_share"], "ECE": score["ece"], "Brier": score["brier"],
    }  # fmt: skip
    return {name: None if one is None or not np.isfinite(one) else float(one) for name, one in row.items()}


def _notes(
    recipe: ClassificationRecipe, table: Any, scores: Mapping[str, Any], first: str
) -> list[str]:  # Any: a pandas table, JSON values
    if table.empty:
        return ["no window has a class: nothing is scored"]
    counts = table.groupby("truth")["event"].agg(["size", "nunique"])
    said = ", ".join(f"{name}: {row['size']} windows of {row['nunique']} events" for name, row in counts.iterrows())
    notes = [
        said,
        "majority: what always saying the commonest class would get; an accuracy near it is none. events: what the "
        f"stations of an event say together ({recipe.apply.vote})",
    ]
    for name, one in scores.items():
        difference = one.get(f"{first} over this", {}).get("macro_f1")
        if difference:
            notes.append(
                f"{first} over {name}: macro F1 {difference['value']:+.3f} ({difference['lower']:+.3f} to "
                f"{difference['upper']:+.3f})"
            )
    return notes
