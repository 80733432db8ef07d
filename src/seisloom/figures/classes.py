"""Which classes are taken for which, and whether probabilities of classes mean what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from scipy import stats

from seisloom.errors import DataError
from seisloom.figures.style import GREY, PALE, drawn, grid, method_looks, new_figure, short
from seisloom.sample import Array


@drawn
def draw_confusion(counts: Array, names: Sequence[str], *, title: str = "") -> Figure:
    """Draw a confusion matrix: each row is a true class, its colours are shares of that class, with counts below.

    Args:
        counts: (true class, class that was said).
        names: of the classes, in their order.
        title: for instance the data.
    Raises:
        DataError: if there are not as many names as classes.
    """
    counts = np.asarray(counts)
    if counts.shape != (len(names), len(names)):
        raise DataError(f"a confusion matrix of shape {counts.shape} with {len(names)} names; give one name a class")
    n = len(names)
    total = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, total, out=np.full(counts.shape, np.nan), where=total > 0)
    figure = new_figure(3.6 + 1.15 * n, 2.2 + 0.85 * n)
    axes = figure.subplots()
    axes.set_facecolor(PALE)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for i, j in np.ndindex(counts.shape):
        dark = shares[i, j] > 0.6
        text = f"{shares[i, j]:.0%}" if total[i] else "-"
        weight = "bold" if i == j else "normal"
        axes.text(
            j, i, text, ha="center", va="bottom", color="white" if dark else "black", fontsize=13, fontweight=weight
        )
        axes.text(j, i + 0.06, f"{counts[i, j]:d}", ha="center", va="top", color="white" if dark else GREY, fontsize=9)
    axes.set_xticks(range(n), [short(name) for name in names], rotation=0 if n <= 4 else 30)
    axes.set_yticks(range(n), [f"{short(name)}\n(n = {int(row[0])})" for name, row in zip(names, total, strict=True)])
    axes.set(xlabel="class that was said", ylabel="true class", title=title)
    axes.spines[:].set_visible(False)
    axes.set_xticks(np.arange(n + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(n + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    axes.tick_params(which="both", length=0)
    figure.colorbar(image, ax=axes, label="share of the true class", format=lambda share, _: f"{share:.0%}")
    return figure


@drawn
def draw_class_reliability(bins: Mapping[str, Mapping[str, Array]], *, title: str = "") -> Figure:
    """Draw how often the class that was said is right against how sure the network was, a curve a method.

    Args:
        bins: by method, `mean_confidence`, `share_right` and `count`, each (bin,), as
            `seisloom.metrics.class_probability.equal_mass_bins` gives them. Bars are the exact 95 % range of a share of
            so many independent items.
        title: for instance the data.
    """
    figure = new_figure(7.2, 6.0)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, label="as promised")
    lowest = 1.0
    for name, look in method_looks(bins).items():
        confidence, right, count = (
            np.asarray(bins[name][k], float) for k in ("mean_confidence", "share_right", "count")
        )
        if not count.size:
            continue
        hits = np.rint(right * count)
        # Clopper & Pearson (1934); at the ends, where the beta law has no width, the share itself
        low = np.where(hits > 0, stats.beta.ppf(0.025, np.maximum(hits, 1), count - hits + 1), 0.0)
        high = np.where(hits < count, stats.beta.ppf(0.975, hits + 1, np.maximum(count - hits, 1)), 1.0)
        error = float(np.abs(right - confidence) @ count / count.sum())
        away = np.maximum([right - low, high - right], 0)
        axes.errorbar(
            confidence, right, yerr=away, marker="o", markersize=5, capsize=2, elinewidth=0.9, linewidth=1.4,
            label=f"{short(name)}: off by {error * 100:.1f} % on average", **look,
        )  # fmt: skip
        lowest = min(lowest, float(low.min()), float(confidence.min()))
    axes.set(
        xlim=(max(lowest - 0.03, 0), 1.01), ylim=(max(lowest - 0.03, 0), 1.02),
        xlabel="largest probability (mean of a bin)", ylabel="share of right answers", title=title or "reliability",
    )  # fmt: skip
    axes.text(0.97, 0.04, "below the line: too sure", transform=axes.transAxes, ha="right", color=GREY)
    axes.legend(loc="upper left")
    grid(axes)
    return figure
