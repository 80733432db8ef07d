"""Picks against human picks: every metric, line by line, beside baselines that see no waveform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from seisloom.calibration.intervals import IntervalCalibration, calibrate_intervals
from seisloom.errors import CalibrationError
from seisloom.metrics.intervals import interval_score
from seisloom.metrics.scores import score_picks
from seisloom.sample import Array
from seisloom.tasks.picking.apply import CONSTANT, column_of
from seisloom.tasks.picking.recipe import PickingRecipe
from seisloom.tasks.picking.records import PickRecord

ALL = "all lines"
NEIGHBOURS = 8
"""Reference picks of the nearest offsets, whose median is what the offset alone tells."""


def calibrate(
    recipe: PickingRecipe, products: Sequence[Any], former: IntervalCalibration | None = None
) -> IntervalCalibration:  # Any: pandas tables
    """Return the calibration from tables of picks with truth; the unit is the recipe's group, e.g. a shot.

    Args:
        recipe: the recipe.
        products: one table of the model itself, or one of each model that was trained without these groups.
        former: an earlier calibration of the model, on other groups.
    Raises:
        CalibrationError: if no trace has both a pick and a human pick.
    """
    import pandas as pd

    product = pd.concat(products, ignore_index=True)
    both = product[np.isfinite(product.get("truth_s", np.nan)) & np.isfinite(product["time_s"])]
    if both.empty:
        raise CalibrationError("nothing to calibrate on: no trace of the held-out groups has a human pick")
    unit = "station" if recipe.split.by == ("station",) else "shot_id"
    return calibrate_intervals(
        (both["time_s"] - both["truth_s"]).to_numpy(), both["sigma_s"].to_numpy(),
        groups=(both["geometry"].astype(str) + "/" + both[unit].astype(str)).to_numpy(),
        snr_db=both["snr_db"].to_numpy(), n_bins=recipe.calibrate.snr_bins, min_n=recipe.calibrate.min_bin,
        crossed=len(products) > 1, former=former,
    )  # fmt: skip


def evaluate(
    recipe: PickingRecipe, products: Mapping[str, Any], references: Sequence[PickRecord]
) -> dict[str, Any]:  # Any: tables in, JSON values out
    """Return all scores by method and line, and for each line a table that fits on a screen.

    Two baselines see no waveform and are there to raise the alarm: `constant` (the median of the reference picks of
    the line) and `offset alone` (the median of the reference picks of the nearest offsets, or stations where offsets
    are not known). A picker that is not far better than they are has learnt the geometry.

    Args:
        recipe: the recipe.
        products: tables of picks with `truth_s`, by method.
        references: records whose human picks the two baselines learn from; none, no baselines.
    """
    tables = {**products, **_alarms(next(iter(products.values())), references)}
    scores: dict[str, dict[str, Any]] = {}
    shown: dict[str, dict[str, dict[str, Any]]] = {}
    for name, table in tables.items():
        lines = sorted(table.loc[table["truth_s"].notna(), "geometry"].astype(str).unique())
        parts = {line: table[table["geometry"].astype(str) == line] for line in lines}
        if len(parts) > 1:
            parts[ALL] = table
        scores[name] = {line: _score(recipe, part) for line, part in parts.items()}
        for line, score in scores[name].items():
            score["score_over_calibrated_constant"] = _against_constant(recipe, parts[line])
            shown.setdefault(line or "picks", {})[name] = _row(recipe, score)
    sample = recipe.apply.score_sample_s
    unit = f"samples of {1e3 * sample:g} ms" if sample else "samples of each record"
    return {
        "title": f"Whole records against human picks; errors in {unit}",
        "tables": shown,
        "scores": scores,
        "notes": [
            *_notes(recipe, scores, has_alarms=len(tables) > len(products)),
            *_shift_notes(next(iter(products.values()))),
        ],
    }


def _score(recipe: PickingRecipe, table: Any) -> dict[str, Any]:  # Any: a pandas table, JSON values
    level = recipe.calibrate.level
    widths = {
        one: table[column_of(one)].to_numpy()
        for one in (0.5, 0.8, 0.9, 0.95)
        if one != level and column_of(one) in table and table[column_of(one)].notna().any()
    }
    return score_picks(table, level=level, half_widths_s=widths, sample_s=recipe.apply.score_sample_s, seed=recipe.seed)


def _row(recipe: PickingRecipe, score: Mapping[str, Any]) -> dict[str, Any]:  # Any: JSON values
    """Return the numbers of a method on a line that a person looks at first."""
    every, risk = score["all"], score["risk"]
    level = f"{100 * recipe.calibrate.level:g}"
    interval = score["intervals"]["all"]["levels"][level]
    return {
        "hit 3": every["hit_rate"]["samples"]["3"],
        "hit 5": every["hit_rate"]["samples"]["5"],
        "median": every["samples"]["median"],
        "MAE": every["samples"]["mae"],
        **{f"MAE {kept}%": risk.get("mae_samples_at", {}).get(kept) for kept in ("80", "50")},
        "kept": score["kept_share"],
        f"in {level}%": interval.get("coverage"),
        "width ms": interval.get("median_width_ms"),
        "vs const": score["score_over_calibrated_constant"],
    }


def _against_constant(recipe: PickingRecipe, table: Any) -> float | None:  # Any: a pandas table
    """Return the interval score over that of the constant width that was calibrated on the same groups."""
    if CONSTANT not in table:
        return None
    known = table[table["truth_s"].notna() & table["lower_s"].notna() & table[CONSTANT].notna()]
    if known.empty:
        return None
    truth_s, time_s, constant_s = (known[name].to_numpy(float) for name in ("truth_s", "time_s", CONSTANT))
    alpha = 1 - recipe.calibrate.level
    ours = interval_score(truth_s, known["lower_s"].to_numpy(float), known["upper_s"].to_numpy(float), alpha).mean()
    rival = interval_score(truth_s, time_s - constant_s, time_s + constant_s, alpha).mean()
    return float(ours / rival) if np.isfinite(ours) and np.isfinite(rival) and rival > 0 else None


def _alarms(table: Any, references: Sequence[PickRecord]) -> dict[str, Any]:  # Any: pandas tables
    """Return the two baselines as tables of picks."""
    known = [record for record in references if np.isfinite(record.truth_s).any()]
    if not known:
        return {}
    geometry = np.concatenate([record.geometry.astype(str) for record in known])
    offset_m = np.concatenate([np.abs(record.offset_m) for record in known])
    station = np.concatenate([record.station.astype(str) for record in known])
    truth_s = np.concatenate([record.truth_s for record in known])
    picked = np.isfinite(truth_s)
    geometry, offset_m, station, truth_s = (one[picked] for one in (geometry, offset_m, station, truth_s))
    constant, by_offset = np.full(len(table), np.nan), np.full(len(table), np.nan)
    for row, (line, meters, name) in enumerate(
        zip(table["geometry"].astype(str), table["offset_m"].abs(), table["station"].astype(str), strict=True)
    ):
        here = geometry == line if np.any(geometry == line) else np.ones(geometry.shape, dtype=bool)
        constant[row] = np.median(truth_s[here])
        by_offset[row] = _by_offset(meters, offset_m[here], station[here] == name, truth_s[here])
    blank = {
        "probability": np.nan,
        "sigma_s": np.nan,
        "lower_s": np.nan,
        "upper_s": np.nan,
        "status": "picked",
        "reason": "",
    }
    blank |= {name: np.nan for name in table.columns if str(name).startswith("half_")}
    return {
        "constant": table.assign(time_s=constant, **blank),
        "offset alone": table.assign(time_s=by_offset, **blank),
    }


def _by_offset(meters: float, offset_m: Array, same_station: Array, truth_s: Array) -> float:
    if np.isfinite(meters) and np.isfinite(offset_m).any():
        nearest = np.argsort(np.where(np.isfinite(offset_m), np.abs(offset_m - meters), np.inf))[:NEIGHBOURS]
        return float(np.median(truth_s[nearest]))
    return float(np.median(truth_s[same_station] if same_station.any() else truth_s))


def _notes(
    recipe: PickingRecipe, scores: Mapping[str, Mapping[str, Any]], *, has_alarms: bool
) -> list[str]:  # Any: JSON values
    first = next(iter(scores.values()))
    shots = sum(one["n"]["shots"] for line, one in first.items() if line != ALL)
    level = f"{100 * recipe.calibrate.level:g}"
    notes = [
        f"{shots} shots. hit 3, hit 5: share of picks within 3 and 5 samples; MAE 80%: of the 80 % that are surest; "
        "kept: share not abstained from (all are scored)",
        f"in {level}%: share of human picks inside the {level} % intervals, and their median width; vs const: interval "
        "score over that of a constant width that was calibrated on the same shots, below 1 is better",
    ]
    if has_alarms:
        notes.append("constant, offset alone: see no waveform; a picker that is not far better has learnt the geometry")
    else:
        notes.append("there are no other shots to learn a constant from: no baselines without waveforms")
    return notes


def _shift_notes(table: Any) -> list[str]:  # Any: a pandas table
    """Say which human picks are not where the person put them: a recipe may bring them to the onset."""
    if "pick_shift_s" not in table:
        return []
    moved = table[table["truth_s"].notna() & (table["pick_shift_s"] != 0)]
    by_line = moved.groupby(moved["geometry"].astype(str))["pick_shift_s"].first()
    return [f"human picks of {line} moved by {1e3 * by_s:+g} ms: data.pick_shift_s" for line, by_s in by_line.items()]
