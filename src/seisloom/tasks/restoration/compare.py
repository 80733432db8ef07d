"""From rows of scores, one of each panel and method, to medians with intervals, and to the best other method."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from seisloom.metrics.class_events import over_events

Scores = dict[str, Any]  # Any: JSON values
Rows = Mapping[str, Mapping[str, Scores]]
"""Of each method, by name of the row."""
WITHIN_DB = 0.3
"""A row this near to the best other method counts as no worse: what two seeds of one method differ by."""
MEASURES = (
    "snr_db", "gain_db", "psnr_db", "ssim", "leak_inside", "leak_outside", "similarity_mean", "similarity_p95",
    "amplitude", "phase_deg", "frequency_shift", "coverage", "width",
)  # fmt: skip
BANDS = ("amplitude_time", "amplitude_offset", "amplitude_dip")


def with_best_other(rows: Rows) -> dict[str, dict[str, Scores]]:
    """Return the rows with the other method that had the best SNR on that panel, and by how many dB it was passed."""
    snr = {name: {row: number(one.get("snr_db")) for row, one in some.items()} for name, some in rows.items()}
    found: dict[str, dict[str, Scores]] = {}
    for name, some in rows.items():
        found[name] = {}
        for row, one in some.items():
            others = {other: snr[other][row] for other in rows if other != name and not np.isnan(snr[other][row])}
            best = max(others, key=lambda other: others[other]) if others else None
            away = float("nan") if best is None else _less(snr[name][row], others[best])
            found[name][row] = {**one, "best_other": best, "to_best_db": away}
    return found


def summary(rows: Mapping[str, Scores], units: Mapping[str, str], seed: int) -> Scores:
    """Return medians over the rows that did not fail, with 95 % intervals of those of SNR and gain.

    Args:
        rows: of one method, by name.
        units: panel behind each row: patterns of one panel are drawn together.
        seed: of the draws.
    """
    good = {row: one for row, one in rows.items() if one["failed"] is None}
    found: Scores = {"n": len(rows), "failed": len(rows) - len(good)}
    for name in MEASURES:
        found[name] = _median(one.get(name) for one in good.values())
    for name in BANDS:
        told = [[v for v in one.get(name, ()) if not np.isnan(v)] for one in good.values()]
        for end, at in (("first", 0), ("last", -1)):
            found[f"{name}_{end}"] = _median(some[at] for some in told if some)
    for name in ("snr_db", "gain_db"):
        value = np.array([number(one[name]) for one in good.values()])
        unit = np.array([units[row] for row in good])[np.isfinite(value)]
        found[f"{name}_interval"] = _interval(value[np.isfinite(value)], unit, seed)
    away = np.array([number(one["to_best_db"]) for one in rows.values()])
    told = away[~np.isnan(away)]
    found["against"] = {
        "n": len(rows),
        # A row that failed is no row that is as good
        "within": float(np.mean(np.nan_to_num(away, nan=-np.inf) >= -WITHIN_DB)) if away.size else float("nan"),
        "median_db": float(np.median(told)) if told.size else float("nan"),
        "worst_db": float(told.min()) if told.size else float("nan"),
        "worst_row": min((row for row in rows if not np.isnan(number(rows[row]["to_best_db"]))),
                         key=lambda row: rows[row]["to_best_db"], default=None),
    }  # fmt: skip
    return found


def _interval(value: np.ndarray[Any, Any], unit: np.ndarray[Any, Any], seed: int) -> list[float]:
    if not value.size:
        return [float("nan"), float("nan")]
    spread = over_events(lambda at: float(np.median(value[at])), unit, rng=np.random.default_rng(seed))
    return [spread.lower, spread.upper]


def _median(values: Iterable[float | None]) -> float:
    told = [one for one in map(number, values) if not np.isnan(one)]
    return float(np.median(told)) if told else float("nan")


def _less(a: float, b: float) -> float:
    return 0.0 if a == b else a - b  # two that are perfect are alike


def number(value: float | None) -> float:
    """Return NaN for None: a score that JSON does not have."""
    return float("nan") if value is None else float(value)
