"""Tables of an evaluation, the words beside them, and which rows are drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from seisloom.metrics.dips import HELD
from seisloom.metrics.restored import N_BANDS
from seisloom.tasks.restoration.compare import BANDS, WITHIN_DB, Rows, Scores, number

AGAINST = "against the best other method"


def tables_of(scores: Mapping[str, Scores], patterns: Iterable[str], level: float) -> Scores:
    """Return two tables for each pattern, and one of all rows beside the best other method."""
    tables: Scores = {}
    for pattern in patterns:
        of = {name: one["patterns"][pattern] for name, one in scores.items()}
        tables[pattern] = {name: accuracy_row(one, level) for name, one in of.items()}
        tables[f"{pattern}: fidelity"] = {name: fidelity_row(one) for name, one in of.items()}
    tables[AGAINST] = {name: against_row(one["all"]) for name, one in scores.items()}
    return tables


def panel_tables(rows: Rows, by_pattern: Mapping[str, Sequence[str]]) -> Scores:
    """Return a table for each pattern with a line a panel: SNR of all methods, and what failed."""
    first = next(iter(rows))
    return {
        f"{pattern}, panel by panel": {row: panel_row({name: some[row] for name, some in rows.items()}, first)
                                       for row in wanted}
        for pattern, wanted in by_pattern.items()
    }  # fmt: skip


def accuracy_row(one: Scores, level: float) -> Scores:
    """Return what a person looks at first of a method's summary; shares in per cent."""
    low, high = one["snr_db_interval"]
    return {
        "SNR dB": one["snr_db"], "from": low, "to": high,
        "gain": one["gain_db"], "SSIM": one["ssim"], "slope": one["amplitude"],
        "leak in": 100 * one["leak_inside"], "leak out": 100 * one["leak_outside"],
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
    good = sorted((row for row in rows if np.isfinite(number(rows[row].get("snr_db")))),
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
        f"leak in, leak out: energy of the error within and outside the signal's fan in frequency and wavenumber, per "
        f"cent of that of the truth; the fan is the narrowest that holds {100 * HELD:g} % of the true panel, tapered "
        "at its sides, and aliases count where they lie; its slopes in samples a trace are in each row",
        "phase: the rotation that turns the truth best into the output; freq: change of the mean frequency; similar, "
        "P95: mean and 95th percentile of the local similarity (Fomel 2007) of the output and "
        + ("its error on the same traces" if filled else "what was taken off the input")
        + ": near 1 where signal was lost. Not to be read alone",
        "slope: of amplitude, <d, d'> / <d, d>, 1 keeps amplitudes; early and late: the first and last quarter that is "
        f"not silent; near and far: of {N_BANDS} bands of offset; gentle and steep: of three bands of dip,"
        " <p, d'> / <p, d> with the true part p",
        f"in {100 * level:g} %: per cent of samples within the {100 * level:g} % interval; width: its mean over the "
        "RMS of the truth there",
    ]
