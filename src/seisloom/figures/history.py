"""Training history: one panel a term, training and validation together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from seisloom.figures.style import BLUE, GREY, VERMILION, drawn, grid, new_figure, write_nothing
from seisloom.sample import Array

_PARTS = {"train": ("training", BLUE, "-"), "valid": ("validation", VERMILION, "--")}
_WIDTH = 3
"""Panels a row."""


@drawn
def draw_history(rows: Sequence[Mapping[str, float]]) -> Figure:
    """Draw the curves of a training: `loss` first, then each term and metric; the best validation epoch is marked.

    Args:
        rows: one an epoch, with `epoch` and columns `train/NAME`, `valid/NAME`; a missing or NaN value is a gap,
            and a panel with no other says so. Other columns (`lr`) are left out.
    """
    split = [key.partition("/") for row in rows for key in row]
    names = list(dict.fromkeys(name for part, slash, name in split if slash and part in _PARTS))
    names.sort(key=lambda name: name != "loss")
    n_rows = max(-(-len(names) // _WIDTH), 1)
    n_columns = max(min(len(names), _WIDTH), 1)
    figure = new_figure(10.0, max(3.2 * n_rows, 4.2))
    panels = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    if not names:
        write_nothing(panels[0], "no epoch has been finished yet")
    epoch = np.array([row.get("epoch", idx) for idx, row in enumerate(rows)], float) + 1
    for axes, name in zip(panels, names, strict=False):
        for part, (label, colour, line) in _PARTS.items():
            values = _column(rows, f"{part}/{name}")
            if np.isfinite(values).any():
                marker = "o" if np.isfinite(values).sum() < 3 else None
                axes.plot(epoch, values, color=colour, linestyle=line, marker=marker, label=label)
        if name == "loss":
            valid = _column(rows, "valid/loss")
            if np.isfinite(valid).any():
                best = int(np.nanargmin(valid))
                axes.axvline(epoch[best], color=GREY, linestyle=":", linewidth=1.2, zorder=0)
                axes.plot(epoch[best], valid[best], "o", color=VERMILION, label=f"best: epoch {epoch[best]:.0f}")
        _leave_out_the_first_epochs(axes, np.concatenate([_column(rows, f"{part}/{name}") for part in _PARTS]))
        axes.set(title=name, xlabel="epoch", xlim=(epoch.min() - 0.5, epoch.max() + 0.5))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        if axes.lines:
            axes.legend()
        else:
            axes.set_yticks([])
            write_nothing(axes, "no value in any epoch")
        grid(axes)
    for axes in panels[len(names) :]:
        axes.set_axis_off()
    return figure


def _column(rows: Sequence[Mapping[str, float]], name: str) -> Array:
    return np.array([row.get(name, np.nan) for row in rows], float)


def _leave_out_the_first_epochs(axes: Axes, values: Array) -> None:
    """Cut the axis where a few huge values (the first epochs) would flatten all the others."""
    values = values[np.isfinite(values)]
    if values.size < 10:
        return
    low, high = values.min(), np.quantile(values, 0.95)
    if values.max() - low > 3 * (high - low) > 0:
        axes.set_ylim(low - 0.05 * (high - low), high + 0.1 * (high - low))
