"""How well pickers of dispersion curves find each mode."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from seisloom.figures.style import drawn, grid, method_looks, new_figure, short, write_nothing
from seisloom.sample import Array


@drawn
def draw_recall(
    recall: Mapping[str, Mapping[str, tuple[float, Array]]],
    *,
    label: str = "recall within 3 % (%)",
    title: str = "",
) -> Figure:
    """Draw the recall of each mode as bars side by side, a colour a method, with its interval.

    Args:
        recall: by method, by mode, a share and the ends of its interval, (2,), NaN where not known.
        label: what is drawn.
        title: for instance the data.
    """
    figure = new_figure(10.0, 5.0)
    axes = figure.subplots()
    looks = method_looks(recall)
    modes = list(dict.fromkeys(mode for one in recall.values() for mode in one))
    wide = 0.8 / max(len(recall), 1)
    for k, (name, by_mode) in enumerate(recall.items()):
        at = np.array([modes.index(mode) for mode in by_mode]) + wide * (k - (len(recall) - 1) / 2)
        values = 100 * np.array([share for share, _ in by_mode.values()])
        ends = 100 * np.array([interval for _, interval in by_mode.values()]).reshape(-1, 2)
        reach = np.abs(ends.T - values)
        axes.bar(at, values, 0.92 * wide, yerr=np.nan_to_num(reach), color=looks[name]["color"], label=short(name),
                 error_kw={"capsize": 3, "linewidth": 1.2})  # fmt: skip
        for x, value in zip(at, values, strict=True):
            if value < 8:  # no room
                continue
            axes.text(x, 2, f"{value:.0f}", ha="center", va="bottom", color="white", fontsize=10)
    if not modes:
        write_nothing(axes, "nothing to score")
    axes.set(xticks=range(len(modes)), xticklabels=modes, ylim=(0, 102), ylabel=label, title=title)
    grid(axes)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure
