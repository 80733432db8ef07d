"""From rows of scores, one of each panel and method, to medians, tables and the words beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from seisloom.metrics.class_events import over_events
from seisloom.metrics.dips import HELD
from seisloom.metrics.restored import N_BANDS

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
    snr = {name: {row: _number(one.get("snr_db")) for row, one in some.items()} for name, some in rows.items()}
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
        value = np.array([_number(one[name]) for one in good.values()])
        unit = np.array([units[row] for row in good])[np.isfinite(value)]
        found[f"{name}_interval"] = _interval(value[np.isfinite(value)], unit, seed)
    away = np.array([_number(one["to_best_db"]) for one in rows.values()])
    told = away[~np.isnan(away)]
    found["against"] = {
        "n": len(rows),
        # A row that failed is no row that is as good
        "within": float(np.mean(np.nan_to_num(away, nan=-np.inf) >= -WITHIN_DB)) if away.size else float("nan"),
        "median_db": float(np.median(told)) if told.size else float("nan"),
        "worst_db": float(told.min()) if told.size else float("nan"),
        "worst_row": min((row for row in rows if not np.isnan(_number(rows[row]["to_best_db"]))),
                         key=lambda row: rows[row]["to_best_db"], default=None),
    }  # fmt: skip
    return found


def accuracy_row(one: Scores, level: float) -> Scores:
    """Return what a person looks at first of a method's summary; shares in per cent."""
    low, high = one["snr_db_interval"]
    return {
        "SNR dB": one["snr_db"], "from": low, "to": high,
        "gain": one["gain_db"], "SSIM": one["ssim"], "slope": one["amplitude"],
        "leak in %": 100 * one["leak_inside"], "leak out %": 100 * one["leak_outside"],
        f"in {100 * level:g} %": 100 * one["coverage"], "width": one["width"],
        "rows": one["n"], "failed": one["failed"],
    }  # fmt: skip


def fidelity_row(one: Scores) -> Scores:
    """Return what was kept of amplitude, phase and frequency, from a method's summary."""
    return {
        "PSNR dB": one["psnr_db"], "phase°": one["phase_deg"], "freq %": 100 * one["frequency_shift"],
        "similar": one["similarity_mean"], "P95": one["similarity_p95"],
        **{
            word: one[f"{name}_{end}"]
            for name, words in zip(BANDS, (("early", "late"), ("near", "far"), ("gentle", "steep")), strict=True)
            for word, end in zip(words, ("first", "last"), strict=True)
        },
    }  # fmt: skip


def against_row(one: Scores) -> Scores:
    """Return how a method did beside the best other one, row by row."""
    found = one["against"]
    within = 100 * found["within"]
    return {"rows": found["n"], f"within {WITHIN_DB:g} dB %": within, "median dB": found["median_db"],
            "worst dB": found["worst_db"], "worst row": found["worst_row"]}  # fmt: skip


def panel_row(by_method: Mapping[str, Scores], first: str) -> Scores:
    """Return a panel's line: SNR of the method in question with its 95 % interval over traces, and of all others."""
    ours = by_method[first]
    failed = "; ".join(f"{name}: {one['failed']}" for name, one in by_method.items() if one["failed"] is not None)
    return {
        f"{first} dB": ours.get("snr_db"), "from": ours.get("snr_low_db"), "to": ours.get("snr_high_db"),
        **{f"{name} dB": one.get("snr_db") for name, one in by_method.items() if name != first},
        "to best dB": ours["to_best_db"], "best other": ours["best_other"], "failed": failed or None,
    }  # fmt: skip


def shown_rows(rows: Mapping[str, Scores]) -> list[Scores]:
    """Return the rows that a page draws, by rule: the median one by SNR, the best and the worst; equal ones once."""
    good = sorted((row for row in rows if np.isfinite(_number(rows[row].get("snr_db")))),
                  key=lambda row: (rows[row]["snr_db"], row))  # fmt: skip
    if not good:
        return []
    chosen = {"median": good[len(good) // 2], "best": good[-1], "worst": good[0]}
    return [
        {"why": why, "row": row} for k, (why, row) in enumerate(chosen.items()) if row not in [*chosen.values()][:k]
    ]


def notes(first: str, one: Scores, *, goal: str, level: float) -> list[str]:
    """Return what the tables say in words, and what their columns mean.

    Args:
        first: name of the method in question.
        one: its summary over all rows.
        goal: fill or denoise.
        level: of the intervals.
    """
    found, filled = one["against"], goal == "fill"
    where = "on missing traces whose truth is known, which nobody gave" if filled else "on all known traces"
    said = [
        f"{first}: within {WITHIN_DB:g} dB of the best other method, or better, in {100 * found['within']:.0f} % of "
        f"{found['n']} rows; median {found['median_db']:+.1f} dB, worst {found['worst_db']:+.1f} dB"
        + (f" ({found['worst_row']})" if found["worst_row"] else "")
    ]
    return [
        *said,
        f"SNR: 10 log10(|d|^2 / |d - d'|^2) {where}; median over rows that did not fail, from ... to: 95 % bootstrap "
        "interval over panels, all patterns and draws of a panel together. gain: over 'as given', "
        + ("zeros in the missing traces" if filled else "the noisy panel"),
        "PSNR on the same traces, SSIM (Gaussian window, sigma 1.5) on all known ones; range L = 2 P99.5 |d| of each "
        "panel, in its row as value_range",
        f"leak in, leak out: energy of the error within and outside the signal's fan in frequency and wavenumber, over "
        f"that of the truth; the fan is the narrowest that holds {100 * HELD:g} % of the true panel, aliases in it "
        "counted; its slopes in samples a trace are in each row",
        "phase: the rotation that turns the truth best into the output; freq: change of the mean frequency; similar, "
        "P95: mean and 95th percentile of the local similarity (Fomel 2007) of the output and "
        + ("its error on the same traces" if filled else "what was taken off the input")
        + ": near 1 where signal was lost. Not to be read alone",
        "slope: of amplitude, <d, d'> / <d, d>, 1 keeps amplitudes; early and late: the first and last quarter that is "
        f"not silent; near and far: of {N_BANDS} bands of offset; gentle and steep: of three bands of dip",
        f"in {100 * level:g} %: per cent of samples within the {100 * level:g} % interval; width: its mean over the "
        "RMS of the truth there",
    ]


def _interval(value: np.ndarray[Any, Any], unit: np.ndarray[Any, Any], seed: int) -> list[float]:
    if not value.size:
        return [float("nan"), float("nan")]
    spread = over_events(lambda at: float(np.median(value[at])), unit, rng=np.random.default_rng(seed))
    return [spread.lower, spread.upper]


def _median(values: Iterable[float | None]) -> float:
    told = [one for one in map(_number, values) if not np.isnan(one)]
    return float(np.median(told)) if told else float("nan")


def _less(a: float, b: float) -> float:
    return 0.0 if a == b else a - b  # two that are perfect are alike


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
