"""Whether amplitudes of a restoration can be trusted: lost signal, slopes by band, a trace with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seisloom.figures.restoration import DEAD, SMALL, Line, mark_missing, time_label
from seisloom.figures.style import (
    BLACK,
    BLUE,
    GREY,
    SKY,
    VERMILION,
    drawn,
    grid,
    method_looks,
    new_figure,
    short,
    write_nothing,
)
from seisloom.sample import Array

SHOWN_SHARE = 0.2
"""Share of the record that is shown of a trace, around its strongest part: all of it would be a comb."""
FARTHEST = (-0.25, 1.5)
"""Slopes of amplitude that are drawn where they are; others at this edge."""


@drawn
def draw_fidelity(
    line: Line,
    similarity: Array,
    slopes: Mapping[str, float],
    *,
    overall: float,
    trace: int | None,
    similarity_label: str,
    interval_label: str = "interval",
    title: str = "",
) -> Figure:
    """Draw local similarity, slopes of amplitude by band, and a trace of truth and output with the output's interval.

    Args:
        line: with truth.
        similarity: (trace, time), 0 to 1; drawn on the traces that count, NaN elsewhere.
        slopes: of amplitude, by name of the band; NaN is written as silent.
        overall: slope of all that counts.
        trace: number from 0 of the trace that is drawn; None draws none.
        similarity_label: of what and what.
        interval_label: such as "90 % interval".
        title: for instance method, panel and SNR.
    """
    figure = new_figure(11.0, 4.8)
    left, middle, right = figure.subplots(1, 3, width_ratios=[1.15, 1.0, 0.9])
    _similarity(figure, left, similarity, line, similarity_label)
    _bands(middle, slopes, overall)
    if line.truth is None or trace is None:
        write_nothing(right, "no trace to compare")
    else:
        _trace(right, line, trace, interval_label)
    for one in (left, middle, right):
        one.tick_params(labelsize=SMALL)
        one.xaxis.label.set_size(SMALL + 1)
        one.set_title(one.get_title(loc="left"), fontsize=11, pad=9)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    return figure


def _similarity(figure: Figure, axes: Axes, similarity: Array, line: Line, label: str) -> None:
    n_traces, n_time = similarity.shape
    step = 1.0 if line.fs_hz is None else 1 / line.fs_hz
    axes.set_facecolor(DEAD)
    image = axes.imshow(
        similarity.T, aspect="auto", cmap="magma_r", vmin=0, vmax=1, interpolation="nearest",
        extent=(0.5, n_traces + 0.5, (n_time - 0.5) * step, -0.5 * step),
    )  # fmt: skip
    mark_missing(axes, line)
    axes.set(xlabel="trace (from 1)", ylabel=time_label(line.fs_hz), title="lost signal")
    figure.colorbar(image, ax=axes, label=label, pad=0.02, aspect=30)


def _bands(axes: Axes, slopes: Mapping[str, float], overall: float) -> None:
    """Draw a point a band; 1 keeps amplitudes."""
    names = list(slopes)
    low, high = FARTHEST
    for y, name in enumerate(names):
        value = slopes[name]
        if np.isnan(value):
            axes.text(0.5, y, "silent", va="center", ha="center", color=GREY, fontsize=SMALL)
            continue
        axes.plot([1, np.clip(value, low, high)], [y, y], color=BLUE, linewidth=1.2)
        axes.plot(np.clip(value, low, high), y, "o" if low <= value <= high else "D", color=BLUE, clip_on=False)
        axes.text(high + 0.04, y, f"{value:.2f}", va="center", fontsize=SMALL)
    axes.axvline(1, color=BLACK, linewidth=1)
    axes.axvline(float(np.clip(overall, low, high)), color=GREY, linewidth=1.2, linestyle="--")
    axes.set(
        yticks=range(len(names)), yticklabels=names, xlim=(min(0.0, low), high), ylim=(len(names) - 0.5, -0.5),
        xlabel="slope <d, d'> / <d, d>; dashed: overall", title="amplitude",
    )  # fmt: skip
    grid(axes)


def _trace(axes: Axes, line: Line, trace: int, interval_label: str) -> None:
    """Draw the part of a trace where the truth is strongest, time downwards."""
    assert line.truth is not None
    d, x = line.truth[trace], line.restored[trace]
    n = max(int(SHOWN_SHARE * len(d)), min(len(d), 20))
    energy = np.convolve(d**2, np.ones(n), mode="valid")
    first = int(np.argmax(energy))
    part = slice(first, first + n)
    time = np.arange(len(d))[part] / (line.fs_hz or 1.0)
    if line.half_width is not None:
        half = line.half_width[trace][part]
        axes.fill_betweenx(
            time, x[part] - half, x[part] + half, color=SKY, alpha=0.5, linewidth=0, label=interval_label
        )
    axes.plot(d[part], time, color=BLACK, linewidth=1.4, label="truth")
    axes.plot(x[part], time, color=VERMILION, linewidth=1.4, linestyle="--", label="output")
    axes.set(ylim=(time[-1], time[0]), xlabel="amplitude", ylabel=time_label(line.fs_hz), title=f"trace {trace + 1}")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=3, fontsize=SMALL)
    grid(axes)


@drawn
def draw_scores(
    rows: Mapping[str, Mapping[str, Sequence[float]]], *, label: str = "SNR (dB)", title: str = ""
) -> Figure:
    """Draw the scores of all rows by pattern, a colour a method, with a bar at their median.

    Args:
        rows: by pattern, by method, the scores of its rows; those that are not finite are left out.
        label: of the scores with the unit.
        title: for instance the data.
    """
    methods = list(dict.fromkeys(name for some in rows.values() for name in some))
    looks = method_looks(methods)
    figure = new_figure(11.0, 4.4)
    axes = figure.subplots()
    width = 0.8 / max(len(methods), 1)
    for at, some in enumerate(rows.values()):
        for k, name in enumerate(methods):
            value = np.asarray(some.get(name, ()), dtype=float)
            value = value[np.isfinite(value)]
            place = at - 0.4 + (k + 0.5) * width
            colour = looks[name]["color"]
            axes.plot(np.full(value.size, place), value, "o", color=colour, alpha=0.5, markersize=4)
            if value.size:
                axes.plot(
                    [place - 0.42 * width, place + 0.42 * width], [np.median(value)] * 2, color=colour, linewidth=3,
                    label=short(name) if at == 0 else None, solid_capstyle="butt",
                )  # fmt: skip
    axes.axhline(0, color=GREY, linewidth=1, zorder=0)
    axes.set(xticks=range(len(rows)), xticklabels=list(rows), ylabel=label, title=title, xlim=(-0.6, len(rows) - 0.4))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=6)
    axes.yaxis.grid(True)
    return figure
