"""Do intervals and probabilities keep what they say, how wide are intervals, and for which groups do they fail?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy import stats

from seisloom.figures.style import (
    BLACK,
    GREY,
    PALE,
    VERMILION,
    drawn,
    grid,
    method_looks,
    new_figure,
    short,
    write_nothing,
)


@drawn
def draw_reliability(
    coverage: Mapping[str, Mapping[float, float]],
    width_ms: Mapping[str, Mapping[float, float]] | None = None,
    *,
    n_picks: int,
    title: str = "",
) -> Figure:
    """Draw coverage against nominal coverage, and the width that it takes.

    Args:
        coverage: by method, then by nominal coverage (0 to 1), the share of true times inside; a method without
            intervals has an empty one, and is not drawn.
        width_ms: by method, then by nominal coverage, the median width in ms.
        n_picks: number of picks behind each share; the grey band is their binomial 95 % range. Picks of one shot
            err together, so that honest shares scatter more than this.
        title: for instance the data.
    """
    figure = new_figure(10.0, 5.0)
    left, right = figure.subplots(1, 2)
    looks = method_looks(coverage)
    nominal = np.linspace(0.01, 0.99, 99)
    low, high = (np.asarray(stats.binom.ppf(tail, n_picks, nominal)) / n_picks for tail in (0.025, 0.975))
    left.fill_between(nominal, low, high, color=PALE, label=f"chance, {n_picks} picks")
    left.plot([0, 1], [0, 1], color=GREY, linewidth=1, label="as promised")
    for name, points in coverage.items():
        if not points:
            continue
        levels = sorted(points)
        left.plot(levels, [points[one] for one in levels], marker="o", label=short(name), **looks[name])
    left.set(
        xlim=(0.4, 1), ylim=(min([0.4, *(v - 0.05 for p in coverage.values() for v in p.values())]), 1.02),
        xlabel="nominal coverage", ylabel="share of true times inside", title=title or "coverage",
    )  # fmt: skip
    left.text(0.97, 0.06, "below the line: too sure", transform=left.transAxes, ha="right", color=GREY)
    left.legend(loc="upper left")
    for name, points in (width_ms or {}).items():
        levels = sorted(one for one in points if np.isfinite(points[one]))
        if not levels:
            continue
        right.plot(levels, [points[one] for one in levels], marker="o", label=short(name), **looks[name])
    if width_ms:
        right.set(xlabel="nominal coverage", ylabel="median width (ms)", title="width", xlim=(0.4, 1))
        right.set_ylim(bottom=0)
    else:
        write_nothing(right, "no widths given")
    for axes in (left, right):
        grid(axes)
    return figure


@drawn
def draw_probability_reliability(
    bins: Mapping[str, Mapping[str, Any]], *, what: str = "fault", title: str = ""
) -> Figure:  # Any: JSON values
    """Draw how often voxels of a probability are what it says they are, and how many there are of each probability.

    Args:
        bins: by method, `mean_predicted`, `share_true` and `count`, each (bin,), and `ece`, as
            `seisloom.metrics.probability.reliability` gives them; None or NaN in an empty bin. Neighbouring voxels err
            together, so no range of chance is drawn.
        what: the probability is of.
        title: for instance the data.
    """
    figure = new_figure(7.2, 7.2)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    upper.plot([0, 1], [0, 1], color=GREY, linewidth=1, label="as promised")
    for name, look in method_looks(bins).items():
        one = bins[name]
        predicted, right, count = (np.asarray(one[k], float) for k in ("mean_predicted", "share_true", "count"))
        there = count > 0
        if not there.any():
            continue
        label = f"{short(name)}: off by {float(one['ece']) * 100:.1f} % on average"
        upper.plot(predicted[there], right[there], marker="o", markersize=5, label=label, **look)
        lower.plot(predicted[there], count[there], marker="o", markersize=4, **look)
    upper.set(xlim=(-0.01, 1.01), ylim=(-0.02, 1.02), ylabel=f"share that is {what}", title=title or "reliability")
    upper.text(0.97, 0.04, "below the line: too sure", transform=upper.transAxes, ha="right", color=GREY)
    upper.legend(loc="upper left")
    lower.set(xlabel=f"probability of {what} (mean of a bin)", ylabel="voxels", yscale="log")
    for axes in (upper, lower):
        grid(axes)
    return figure


@drawn
def draw_coverage_by_group(
    groups: Mapping[str, tuple[float, int]], *, nominal: float = 0.9, kind: str = "group", title: str = ""
) -> Figure:
    """Draw the coverage of each group with its binomial 95 % interval; groups that fall short are filled.

    Args:
        groups: by label, in the order to draw, coverage (0 to 1) and number of picks.
        nominal: promised coverage.
        kind: what the groups are, such as "SNR third".
        title: for instance the data.
    """
    names = [name for name, (_, n) in groups.items() if n > 0]
    figure = new_figure(10.0, max(2.2 + 0.3 * len(names), 3.2))
    axes = figure.subplots()
    place = np.arange(len(names))
    for y, name in zip(place, names, strict=True):
        coverage, n = groups[name]
        hits = round(coverage * n)
        # Clopper & Pearson (1934): exact for a share of n independent picks.
        low = stats.beta.ppf(0.025, hits, n - hits + 1) if hits else 0.0
        high = stats.beta.ppf(0.975, hits + 1, n - hits) if hits < n else 1.0
        short = high < nominal
        colour = VERMILION if short else BLACK
        axes.plot([low, high], [y, y], color=colour, linewidth=2)
        axes.plot(coverage, y, "o", color=colour, markerfacecolor=colour if short else "white", markersize=8)
    axes.axvline(nominal, color=GREY, linestyle="--", linewidth=1.2)
    axes.annotate(
        f"promised: {nominal:.0%}", (nominal, 1.01), xycoords=("data", "axes fraction"), ha="center", color=GREY
    )
    axes.set_yticks(place, [f"{name}  (n = {groups[name][1]})" for name in names])
    axes.set(xlabel=f"share of true times inside the {nominal:.0%} interval", ylabel=kind, xlim=(None, 1.01))
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_title(title or f"coverage by {kind}", pad=20)
    grid(axes)
    return figure
