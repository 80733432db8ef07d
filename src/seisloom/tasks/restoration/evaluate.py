"""Restored panels against their truth: calibration of intervals, and every score, row by row and by pattern."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from seisloom.calibration.residuals import ResidualCalibration, calibrate_residuals
from seisloom.errors import CalibrationError, DataError
from seisloom.metrics.restored import Truth, score_panel
from seisloom.metrics.scores import plain
from seisloom.sample import Array
from seisloom.tasks.restoration.apply import Restored
from seisloom.tasks.restoration.compare import Scores, summary, with_best_other
from seisloom.tasks.restoration.recipe import RestorationRecipe
from seisloom.tasks.restoration.records import Panel
from seisloom.tasks.restoration.tables import notes, panel_tables, shown_rows, tables_of

AS_GIVEN = "as given"
"""Doing nothing: zeros in dead traces, or the noise as it is."""
MOST_NAMES = 5


def calibrate(
    recipe: RestorationRecipe,
    products: Sequence[Sequence[Restored]],
    former: ResidualCalibration | None = None,
) -> ResidualCalibration:
    """Return the calibration of intervals from held-out panels with truth.

    Args:
        recipe: of the room.
        products: of the method itself, or of each network that was trained without these panels.
        former: an earlier calibration, which says how far panels differ where there are few.
    Raises:
        CalibrationError: if no panel has a truth where something was restored.
    """
    known = [
        (one.panel, one.values, use)
        for some in products
        for one in some
        for use in (scored_traces(recipe, one.panel),)
        if use.any() and one.panel.is_live.any() and np.isfinite(one.values).all()
    ]
    if not known:
        raise CalibrationError(
            "nothing to calibrate on: no restored panel has a truth. Give whole panels: apply.hide hides traces of them"
        )
    return calibrate_residuals(
        ((panel.truth, values, panel.is_live, use) for panel, values, use in known if panel.truth is not None),
        [unit_of(panel) for panel, _, _ in known],
        min_n=recipe.calibrate.min_n, crossed=len(products) > 1, former=former,
    )  # fmt: skip


def evaluate(
    recipe: RestorationRecipe, products: Mapping[str, Sequence[Restored]], references: Sequence[Panel]
) -> Scores:
    """Return all scores by method, panel and pattern, and two tables for each pattern; failed rows stay.

    Args:
        recipe: of the room; `apply.goal` says which traces count, `calibrate.level` what intervals promise.
        products: by method, on the same panels; the first is the one in question. A panel of a method whose values are
            not finite, or that it does not have, is a failed row; its reason is in the notes of `Restored`.
        references: not used: no panel is told by another one.
    Raises:
        DataError: if no panel has a truth.
    """
    given = {name: by_row(some) for name, some in products.items()}
    panels = {row: one.panel for some in given.values() for row, one in some.items()}
    given.setdefault(AS_GIVEN, {row: Restored(panel, panel.values) for row, panel in panels.items()})
    rows, left_out = _rows(recipe, given, panels)
    first = next(iter(rows))
    units = {row: unit_of(panels[row]) for row in rows[first]}
    by_pattern: dict[str, list[str]] = {}
    for row in rows[first]:
        by_pattern.setdefault(panels[row].pattern or "panels", []).append(row)
    scores = {
        name: {
            "patterns": {
                pattern: summary({row: some[row] for row in wanted}, units, recipe.seed)
                for pattern, wanted in by_pattern.items()
            },
            "all": summary(some, units, recipe.seed),
            "panels": some,
        }
        for name, some in rows.items()
    }
    level, goal = recipe.calibrate.level, recipe.apply.goal
    found: Scores = plain(
        {
            "title": f"Restored panels against their truth: {len(set(units.values()))} panels, {len(units)} rows",
            "tables": tables_of(scores, by_pattern, level),
            "scores": scores,
            "shown": shown_rows(rows[first]),
            "panels": panel_tables(rows, by_pattern),
            "notes": [*notes(first, scores[first]["all"], goal=goal, level=level), *_said(left_out)],
        }
    )
    return found


def _rows(
    recipe: RestorationRecipe, given: Mapping[str, Mapping[str, Restored]], panels: Mapping[str, Panel]
) -> tuple[dict[str, dict[str, Scores]], list[str]]:
    """Return the scores of each method by row, and rows of which nobody knows what they should be."""
    rows: dict[str, dict[str, Scores]] = {name: {} for name in given}
    left_out = []
    for row, panel in panels.items():
        if not scored_traces(recipe, panel).any():
            left_out.append(row)
            continue
        truth = truth_of(recipe, panel)
        for name, some in given.items():
            rows[name][row] = _score(recipe, some.get(row), truth, panel)
    if not rows[AS_GIVEN]:
        raise DataError(f"there is nothing to score: none of {len(panels)} panels has a truth where traces count")
    return with_best_other(rows), left_out


def _said(left_out: Sequence[str]) -> list[str]:
    """Return how many rows were left out, in words."""
    if not left_out:
        return []
    more = " ..." if len(left_out) > MOST_NAMES else ""
    return [
        f"{len(left_out)} rows are not scored: nothing is missing in them, or nobody knows what is "
        f"({', '.join(left_out[:MOST_NAMES])}{more})"
    ]


def by_row(products: Sequence[Restored]) -> dict[str, Restored]:
    """Return what became of panels by a name of their row: panel, pattern, and a number where both come again."""
    found: dict[str, Restored] = {}
    for one in products:
        name = row = f"{one.panel.name}, {one.panel.pattern}" if one.panel.pattern else one.panel.name
        number = 1
        while row in found:
            number += 1
            row = f"{name} ({number})"
        found[row] = one
    return found


def scored_traces(recipe: RestorationRecipe, panel: Panel) -> Array:
    """Return the traces that count, bool (line, trace): missing ones with a truth, or with the goal to denoise all."""
    if panel.truth is None or panel.is_known is None:
        return np.zeros(panel.is_live.shape, dtype=bool)
    return panel.missing if recipe.apply.goal == "fill" else np.asarray(panel.is_known)


def unit_of(panel: Panel) -> str:
    """Return what tells a panel from others whatever is hidden of it: the hash of its samples."""
    return f"{int(panel.content[0]):016x}"


def truth_of(recipe: RestorationRecipe, panel: Panel) -> Truth:
    """Return what a panel should be, and what of it counts.

    Raises:
        DataError: if nobody knows, or nothing counts.
    """
    if panel.truth is None or panel.is_known is None:
        raise DataError("no truth")
    return Truth.of(panel.truth, panel.values, panel.is_known, scored_traces(recipe, panel), panel.offset_m)


def _score(recipe: RestorationRecipe, one: Restored | None, truth: Truth, panel: Panel) -> Scores:
    """Return the scores of a row, or why there are none."""
    said: Scores = {"panel": panel.name, "pattern": panel.pattern, "failed": None}
    if one is None:
        return {**said, "failed": "the method gave nothing"}
    denoise = recipe.apply.goal == "denoise"
    try:
        return {
            **said,
            **score_panel(one.values, truth, half_width=one.half_width, denoise=denoise, seed=recipe.seed),
            "notes": list(one.notes),
        }
    except DataError as error:
        return {**said, "failed": "; ".join(one.notes) or str(error)}
