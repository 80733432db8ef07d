"""Records through a classifier: a table with a row a window, and what stations say of an event together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seisloom.calibration.classes import ClassCalibration
from seisloom.errors import LeftOut, RecipeError
from seisloom.inference.windows import in_chunks, predict_in_batches, window_starts
from seisloom.io.waveforms.times import after, iso, parse_utc
from seisloom.metrics.class_events import vote
from seisloom.sample import Array, Arrays, Predictor
from seisloom.tasks.classification.data import item_samples
from seisloom.tasks.classification.decide import DecidedClasses, shared, weighed
from seisloom.tasks.classification.recipe import NOISE, ClassificationRecipe
from seisloom.tasks.classification.windows import EventRecord, cut

ANSWERED, ABSTAINED = "answered", "abstained"
SEEN = ("x", "mask", "fs")
"""Arrays of a sample that a predictor is given: neither its label nor its onset, which would tell noise from events."""


@dataclass(frozen=True, slots=True)
class _Window:
    """A window of a record, and why there is nothing to see in it, if so."""

    record: EventRecord
    first_s: float
    arrays: Arrays
    snr_db: float
    reason: str = ""


def apply(
    recipe: ClassificationRecipe,
    predictor: Predictor,
    calibration: ClassCalibration | None,
    records: Iterable[EventRecord],
) -> Any:  # Any: a pandas table
    """Return a row for each planned window of records, or for each window slid over a stream.

    Columns: record, event, station, start (UTC), length_s, snr_db; class that is named, empty where none is, and the
    probability of the likeliest one; status and reason; set, classes in the prediction set; truth, empty where nobody
    knows; is_noise and is_beside, whether the window lies before the onset, or on either side of it; is_stream; and of
    each class p_NAME, its probability, and logit_NAME, what the network said, with `apply.share` of all stations of the
    event.

    Raises:
        RecipeError: if the recipe does not say which classes there are.
    """
    import pandas as pd

    names = tuple(recipe.data.classes)
    if not names:
        raise RecipeError("data.classes: empty; what a network says means nothing without the list of its classes")
    calibration = calibration or ClassCalibration(len(names))
    rows: list[dict[str, Any]] = []  # Any: JSON values
    logits: list[Array] = []
    for some in in_chunks(_windows(recipe, records), recipe.apply.batch_size):
        rows += [_row(recipe, one) for one in some]
        logits.append(_logits(recipe, predictor, some, len(names)))
    said = np.concatenate([np.zeros((0, len(names))), *logits])
    event = np.array([row["event"] for row in rows], dtype=str)
    may_share = np.array([not (row["is_stream"] or row["is_beside"]) for row in rows], dtype=bool)
    said = shared(said, event, may_share, recipe.apply.share)
    table = pd.DataFrame(_answered(recipe, calibration, rows, said), columns=_columns(names))
    # What writing and scoring it need to know
    table.attrs = {"rows": recipe.apply.rows, "vote": recipe.apply.vote, "factors": _factors(calibration)}
    return table


def _windows(recipe: ClassificationRecipe, records: Iterable[EventRecord]) -> Iterator[_Window]:
    """Yield the planned window of each record, or those slid over it where none is planned."""
    for record in records:
        n_samples = item_samples(recipe, record.fs_hz)
        margin_s = recipe.data.shift_s if recipe.data.trim == "pick" else 0.0
        if record.first_s is not None:
            firsts = [record.first_s + margin_s]
        else:
            starts = window_starts(record.n_samples, n_samples, overlap=recipe.apply.overlap)
            firsts = [float(one) / record.fs_hz for one in starts]
        for first_s in firsts:
            try:
                sample = cut(recipe, record, first_s, n_samples)
            except LeftOut as reason:
                yield _Window(record, first_s, {}, math.nan, str(reason))
                continue
            arrays = {name: sample.arrays[name] for name in SEEN}
            yield _Window(record, first_s, arrays, float(sample.arrays["snr_db"]))


def _logits(recipe: ClassificationRecipe, predictor: Predictor, windows: Sequence[_Window], n_classes: int) -> Array:
    """Return logits (window, class), NaN where there is nothing to see."""
    found = np.full((len(windows), n_classes), np.nan)
    seen = [k for k, one in enumerate(windows) if not one.reason]
    by_length: dict[int, list[int]] = {}  # a stream of another rate has windows of another length
    for k in seen:
        by_length.setdefault(windows[k].arrays["x"].shape[-1], []).append(k)
    for some in by_length.values():
        outputs = predict_in_batches(predictor, [windows[k].arrays for k in some], batch_size=recipe.apply.batch_size)
        found[some] = outputs["logits"]
    return found


def _row(recipe: ClassificationRecipe, window: _Window) -> dict[str, Any]:  # Any: JSON values
    record = window.record
    return {
        "record": record.key, "event": record.groups.get("event", ""), "station": record.groups.get("station", ""),
        "start": iso(after(record.start, window.first_s)), "first_s": window.first_s,
        "length_s": recipe.data.window_s, "snr_db": window.snr_db,
        "truth": tuple(recipe.data.classes)[record.truth] if record.truth >= 0 else "",
        "is_noise": record.is_noise, "is_beside": record.is_noise or record.is_behind,
        "is_stream": record.first_s is None, "reason": window.reason,
    }  # fmt: skip


def _columns(names: Sequence[str]) -> list[str]:
    fixed = ["record", "event", "station", "start", "first_s", "length_s", "snr_db", "class", "probability", "status"]
    others = ["reason", "set", "truth", "is_noise", "is_beside", "is_stream"]
    return [*fixed, *others, *(f"p_{name}" for name in names), *(f"logit_{name}" for name in names)]


def _answered(
    recipe: ClassificationRecipe, calibration: ClassCalibration, rows: list[dict[str, Any]], logits: Array
) -> list[dict[str, Any]]:  # Any: JSON values
    """Return the rows with probabilities, sets and answers."""
    names, level = tuple(recipe.data.classes), recipe.calibrate.level
    known = np.asarray(np.isfinite(logits).all(axis=1))
    probability = np.full(logits.shape, np.nan)
    answers: Array = np.zeros(len(rows), bool)
    sets: Array = np.zeros(logits.shape, bool)
    if known.any():
        probability[known], answers[known] = calibration(logits[known]), calibration.answers(logits[known])
        if calibration.levels:
            sets[known] = calibration.sets(logits[known], level)
    decided = weighed(probability, _factors(calibration))
    for k, row in enumerate(rows):
        row |= {f"p_{name}": float(one) for name, one in zip(names, probability[k], strict=True)}
        row |= {f"logit_{name}": float(one) for name, one in zip(names, logits[k], strict=True)}
        row["set"] = "|".join(name for name, inside in zip(names, sets[k], strict=True) if inside)
        surest = float(probability[k].max()) if known[k] else math.nan
        row["probability"] = surest
        if known[k] and not answers[k]:
            row["reason"] = f"unsure: wrong too often at a probability of {surest:.2g}"
        elif known[k] and surest < recipe.apply.min_probability:
            row["reason"] = f"unsure: probability {surest:.2g} < {recipe.apply.min_probability:g}"
        row["status"] = ABSTAINED if row["reason"] else ANSWERED
        row["class"] = "" if row["reason"] else names[int(decided[k].argmax())]
    return rows


def _factors(calibration: ClassCalibration) -> tuple[float, ...]:
    return calibration.factors if isinstance(calibration, DecidedClasses) else ()


def events_of(table: Any) -> Any:  # Any: pandas tables
    """Return a row an event: of catalogued records what their stations say together, of streams what follows on.

    Columns: event, station (of a stream) or the number of records, start and end (UTC), class, probability, n_windows,
    and p_NAME of each class. Windows of a stream that overlap or touch and are answered with one class, not noise, are
    one event. What the stations of an event say is voted on by `apply.vote`.

    Args:
        table: what `apply` returns.
    """
    import pandas as pd

    names = tuple(str(one).removeprefix("p_") for one in table.columns if str(one).startswith("p_"))
    columns = ["event", "station", "start", "end", "class", "probability", "n_windows", *(f"p_{one}" for one in names)]
    rows = [*_voted(table, names), *_followed(table, names)]
    return pd.DataFrame(rows, columns=columns)


def _voted(table: Any, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield what stations say of catalogued events; windows of noise before them have no part."""
    probabilities = [f"p_{one}" for one in names]
    own = table[~table["is_stream"] & ~table["is_beside"] & (table["event"] != "") & table["probability"].notna()]
    if own.empty:
        return
    votes = vote(own[probabilities].to_numpy(float), own["event"].to_numpy(), how=table.attrs.get("vote", "mean"))
    first = own.groupby("event")["start"].min()
    decided = weighed(votes.probability, table.attrs.get("factors", ()))
    for event, probability, one, n in zip(votes.event, votes.probability, decided, votes.n_records, strict=True):
        surest = int(one.argmax())
        yield {
            "event": event, "station": "", "start": first[event], "end": "", "class": names[surest],
            "probability": float(probability[surest]), "n_windows": int(n),
            **dict(zip(probabilities, map(float, probability), strict=True)),
        }  # fmt: skip


def _followed(table: Any, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield runs of windows of one stream that say one class, other than noise."""
    probabilities = [f"p_{one}" for one in names]
    for record, some in table[table["is_stream"]].groupby("record", sort=False):
        said = some["class"].where(some["class"] != NOISE, "").to_numpy(str)
        first_s, length_s = some["first_s"].to_numpy(float), some["length_s"].to_numpy(float)
        begins = (said[1:] != said[:-1]) | (first_s[1:] > first_s[:-1] + length_s[:-1])
        run = np.concatenate([[0], np.cumsum(begins)]) if len(some) else np.zeros(0, int)
        for number in np.unique(run[said != ""]):
            rows = np.flatnonzero(run == number)
            start = parse_utc(some["start"].iloc[rows[0]], where=str(record))
            mean = some[probabilities].to_numpy(float)[rows].mean(axis=0)
            end_s = first_s[rows[-1]] + length_s[rows[-1]] - first_s[rows[0]]
            yield {
                "event": f"{record}/{number}", "station": some["station"].iloc[0],
                "start": iso(start), "end": iso(after(start, end_s)),
                "class": said[rows[0]], "probability": float(mean[names.index(said[rows[0]])]),
                "n_windows": len(rows), **dict(zip(probabilities, map(float, mean), strict=True)),
            }  # fmt: skip
