"""Picked curves against true ones: calibration of intervals, and every score, mode by mode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from seisloom.calibration.abstention import PICKED
from seisloom.calibration.conformal import LEVELS
from seisloom.calibration.modes import LENGTHS, ModeCalibration, calibrate_modes
from seisloom.errors import CalibrationError, DataError
from seisloom.metrics.curves import Scores, column_of, score_curves
from seisloom.metrics.scores import plain
from seisloom.tasks.dispersion.picker.apply import SEEN
from seisloom.tasks.dispersion.picker.recipe import DispersionRecipe
from seisloom.tasks.dispersion.picker.records import SpectrumRecord


def calibrate(
    recipe: DispersionRecipe, products: Sequence[Any], former: ModeCalibration | None = None
) -> ModeCalibration:  # Any: pandas tables
    """Return the calibration from tables of picks with truth: of picks that are kept, whose mode exists.

    Args:
        recipe: the recipe.
        products: one table of the model itself, or one of each model that was trained without these media.
        former: not used: there are as many media as one likes to make.
    Raises:
        CalibrationError: if no pick has a true velocity.
    """
    import pandas as pd

    table = pd.concat(products, ignore_index=True)
    if "truth_m_s" not in table:
        raise CalibrationError(
            "nothing to calibrate on: no record has true curves. Make some: seisloom synth dispersion"
        )
    kept = picked(table)
    both = kept[np.isfinite(kept["truth_m_s"])]
    if both.empty:
        raise CalibrationError(
            f"nothing to calibrate on: no mode that exists has a probability of {recipe.apply.min_probability:g}. "
            "Train longer, or lower apply.min_probability"
        )

    def of(rows: Any, velocity: str, sigma: str) -> ModeCalibration:  # Any: rows of a table
        lengths = rows["picked_lengths"] * rows[velocity] / rows["velocity_m_s"]
        return calibrate_modes(
            np.log(rows[velocity] / rows["truth_m_s"]).to_numpy(), rows[sigma].to_numpy(), rows["mode"].to_numpy(),
            lengths.to_numpy(), groups=rows["medium"].to_numpy(str), n_modes=recipe.data.physics.modes,
            min_n=recipe.calibrate.min_n, crossed=len(products) > 1,
        )  # fmt: skip

    fitted = both[both["fitted"]]
    made = of(both, *SEEN)
    return made if fitted.empty else replace(made, fitted=of(fitted, "velocity_m_s", "sigma"))


def evaluate(
    recipe: DispersionRecipe, products: Mapping[str, Any], references: Sequence[SpectrumRecord]
) -> dict[str, Any]:  # Any: tables in, JSON values out
    """Return all scores by method and mode, and for each mode a table that fits on a screen.

    Args:
        recipe: the recipe.
        products: tables of picks with truth, by method.
        references: not used: no curve is told by another record.
    Raises:
        DataError: if records have no true curves.
    """
    scores: dict[str, Scores] = {}
    shown: dict[str, dict[str, dict[str, Any]]] = {}
    for name, table in products.items():
        if "truth_m_s" not in table:
            raise DataError("there is nothing to score: no record has true curves")
        known = table[
            [column for column in table if not table[column].isna().all() or not str(column).startswith("half")]
        ]
        levels = tuple(level for level in LEVELS if column_of(level) in known)
        n_modes = int(table.loc[np.isfinite(table["truth_m_s"]), "mode"].max()) + 1
        scores[name] = score_curves(known, levels=levels, n_modes=n_modes, length_edges=LENGTHS, seed=recipe.seed)
        for part, one in scores[name].items():
            shown.setdefault(part, {})[name] = _row(recipe, one)
    if by_length := _by_length(recipe, scores):
        level = f"{100 * recipe.calibrate.level:g}"
        shown[f"in {level} % intervals, by wavelength over the array's length"] = by_length
    first = next(iter(products.values()))
    return {
        "title": f"Picked curves against true ones, {first['record'].nunique()} spectra",
        "tables": shown,
        "scores": plain(scores),
        "notes": [
            "recall: share of points in the window, excited and heard above noise that are picked within 3 %; resolved "
            "are those that the array parts from all other modes",
            "false: share of picks where the mode does not exist; swaps: share of picks that lie within 3 % of another "
            "mode and not of their own; errors and intervals: of picks whose mode exists",
            "in brackets: 95 % intervals of the shares, by bootstrap over media; metrics.json has those of all shares",
        ],
    }


def _row(recipe: DispersionRecipe, score: Mapping[str, Any]) -> dict[str, Any]:  # Any: JSON values
    """Return the numbers of a method that a person looks at first."""
    level = f"{100 * recipe.calibrate.level:g}"
    percent = {name: score[name] for name in ("median_error", "p90_error", "median_width")}
    return {
        "recall": score["recall"], "resolved": score["recall_resolved"], "in 5 %": score["within_5"],
        "false": score["false_share"], "swaps": score["swap_share"],
        "median %": None if percent["median_error"] is None else 100 * percent["median_error"],
        "P90 %": None if percent["p90_error"] is None else 100 * percent["p90_error"],
        f"in {level}%": score["coverage"].get(level),
        "width %": None if percent["median_width"] is None else 100 * percent["median_width"],
    }  # fmt: skip


def _by_length(recipe: DispersionRecipe, scores: Mapping[str, Scores]) -> dict[str, dict[str, Any]]:  # Any: JSON values
    """Return the shares of picks whose intervals hold the truth, a row a method and then one for each of its modes."""
    level = f"{100 * recipe.calibrate.level:g}"
    rows: dict[str, dict[str, Any]] = {}
    for method, parts in scores.items():
        for part in ("all modes", *(one for one in parts if one != "all modes")):
            if found := parts[part]["coverage_by_length"]:
                name = method if part == "all modes" else f"{method}, {part}"
                rows[name] = {at: _with_interval(one, level) for at, one in found.items()}
    columns = sorted({at for row in rows.values() for at in row})  # numbers first, and what is not known last
    return {name: {at: row.get(at) for at in columns} for name, row in rows.items()}


def _with_interval(score: Scores, level: str) -> str:
    """Return a share and its interval as a person reads them."""
    ends = score["coverage_interval"][level]
    of = "" if ends is None else f" [{ends[0]:.3f}, {ends[1]:.3f}]"
    return f"{score['coverage'][level]:.3f}{of}"


def picked(table: Any) -> Any:  # Any: pandas tables
    """Return the rows that are picked."""
    return table[table["status"] == PICKED]
