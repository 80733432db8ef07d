"""Pictures of one row of an evaluation: the panel before and after, what it lost, and other methods beside."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from seisloom.sample import Array
from seisloom.tasks.restoration.apply import Restored
from seisloom.tasks.restoration.compare import Scores
from seisloom.tasks.restoration.evaluate import scored_traces, truth_of
from seisloom.tasks.restoration.recipe import RestorationRecipe
from seisloom.tasks.restoration.records import Panel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from seisloom.figures.restoration import Line

MOST_METHODS = 4
"""That stand beside each other in a picture: the one in question and the best others."""


def pictures_of(
    recipe: RestorationRecipe,
    given: Mapping[str, Mapping[str, Restored]],
    scores: Mapping[str, Scores],
    first: str,
    row: str,
) -> list[tuple[str, Figure, str]]:
    """Return the pictures of a row, each with its heading and its caption.

    Args:
        recipe: of the room.
        given: restored panels by method and row.
        scores: by method, with `panels` by row.
        first: the method in question.
        row: one that did not fail.
    """
    from seisloom.figures.fidelity import draw_fidelity
    from seisloom.figures.restoration import CLIP, draw_methods, draw_restored

    one, told = given[first][row], scores[first]["panels"][row]
    k = line_number(recipe, one.panel)
    line, truth = line_of(one, k), truth_of(recipe, one.panel)
    low, high = told["slopes"]
    denoise, level = recipe.apply.goal == "denoise", f"{100 * recipe.calibrate.level:g} % interval"
    title = f"{first}: {row}, {_db(told)}"
    colours = f"Colours span {CLIP:g} % of the true samples shown that are not 0, the same in all; black bars: missing."
    panel = draw_restored(line, slopes=(low, high), title=title)
    amplitudes = draw_fidelity(
        line, truth.leakage(one.values, denoise=denoise)[k], _bands(told, one.panel.fs_hz, one.values.shape[-1]),
        overall=_number(told["amplitude"]), interval_label=level, title=title,
        trace=_usual_trace(one.values[k] - truth.clean[k], truth.clean[k], truth.scored[k]),
        similarity_label=f"similarity of output and {'what was taken off' if denoise else 'error'}",
    )  # fmt: skip
    methods = {name: given[name][row].values[k] for name in _chosen(given, scores, first, row)}
    labels = {name: _db(scores[name]["panels"][row]) for name in methods}
    return [
        (
            "input, output, truth, difference", panel,
            f"{colours} Below: spectra in frequency and wavenumber, dB below the strongest of the truth, and the "
            f"signal's fan from {low:g} to {high:g} samples a trace, dashed.",
        ),
        (
            "lost signal and amplitudes", amplitudes,
            "Left: local similarity where the truth is not silent, high where signal was lost. Middle: slope of "
            f"amplitude by band, 1 keeps it. Right: the trace with the median error, and its {level} if there is one.",
        ),
        (
            "beside other methods", draw_methods(line, methods, labels=labels, title=row),
            f"{first} and the best others on this panel by SNR. {colours}",
        ),
    ]  # fmt: skip


def line_of(one: Restored, k: int) -> Line:
    """Return a line of a restored panel as it is drawn."""
    from seisloom.figures.restoration import Line

    panel = one.panel
    truth, known, half = (
        None if whole is None else whole[k] for whole in (panel.truth, panel.is_known, one.half_width)
    )
    return Line(panel.values[k], one.values[k], panel.is_live[k], truth, known, half, panel.fs_hz)


def line_number(recipe: RestorationRecipe, panel: Panel) -> int:
    """Return the line with most traces that count, else with most that are missing."""
    count = scored_traces(recipe, panel)
    return int(np.argmax((count if count.any() else ~panel.is_live).sum(axis=1)))


def _chosen(
    given: Mapping[str, Mapping[str, Restored]], scores: Mapping[str, Scores], first: str, row: str
) -> list[str]:
    """Return the method in question and the best others that did not fail, by SNR."""
    snr = {name: scores[name]["panels"][row].get("snr_db") for name in given if name != first and row in given[name]}
    good = {name: one for name, one in snr.items() if one is not None}
    return [first, *sorted(good, key=lambda name: -good[name])[: MOST_METHODS - 1]]


def _bands(told: Scores, fs_hz: float | None, n_time: int) -> dict[str, float]:
    """Return slopes of amplitude by the names of their bands."""
    step, unit = (1.0, "samples") if fs_hz is None else (1 / fs_hz, "s")
    times = np.linspace(0, n_time * step, len(told["amplitude_time"]) + 1).tolist()
    by_offset = "amplitude_offset" in told
    ends = told["offset_ends_m" if by_offset else "trace_ends"]
    beside = [f"{a:.0f}–{b:.0f} m" if by_offset else f"traces {a + 1:.0f}–{b + 1:.0f}" for a, b in pairwise(ends)]
    groups = (
        (told["amplitude_time"], [f"{a:.3g}–{b:.3g} {unit}" for a, b in pairwise(times)]),
        (told["amplitude_offset" if by_offset else "amplitude_trace"], beside),
        (told["amplitude_dip"], [*(f"dip to {one:g}" for one in told["dip_edges"]), "dip beyond"]),
    )
    return {name: _number(value) for values, names in groups for value, name in zip(values, names, strict=True)}


def _usual_trace(error: Array, clean: Array, scored: Array) -> int | None:
    """Return the scored trace with the median error over its own strength; None if all are silent."""
    energy, wrong = np.sum(clean**2, axis=-1), np.sum(error**2, axis=-1)
    some = np.flatnonzero(scored & (energy > 0))
    if not some.size:
        return None
    return int(some[np.argsort(wrong[some] / energy[some], kind="stable")[some.size // 2]])


def _db(told: Scores) -> str:
    return "no SNR" if told.get("snr_db") is None else f"SNR {told['snr_db']:.1f} dB"


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
